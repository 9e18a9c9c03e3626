/** API and worker, each in a process of its own. */
import { type Part, startProcess, untilReady } from '../part.ts'

interface ApartOptions {
  /** what the process inherits */
  env: Record<string, string | undefined>
  /** what it is configured with, once that is known */
  settings: Promise<Record<string, string>>
  onLine: ((line: string) => void) | undefined
  /** what it loads while its settings are unknown, packages or modules of ours; of ours unless given */
  warmUp?: string[]
  /** how long it may drain, milliseconds; as long as it takes unless given */
  stopWithinMs?: number
}

/** @throws when the process ends before it is ready, or `settings` rejects; nothing is left running */
export async function startApiProcess(options: ApartOptions, url: string): Promise<Part> {
  const { env, settings, onLine, warmUp, stopWithinMs = 25_000 } = options
  const part = await startProcess({
    name: 'the API',
    entry: 'api/main.ts',
    env,
    later: { env: settings, warmUp: warmUp ?? ['api/server.ts', 'context.ts', 'temporal/client.ts'] },
    onLine,
    stopWithinMs,
  })
  return await readyOrKilled(part, `${url}/readyz`)
}

/** Likewise. */
export async function startWorkerProcess(options: ApartOptions, metricsPort: number): Promise<Part> {
  const { env, settings, onLine, warmUp, stopWithinMs = 40_000 } = options
  const part = await startProcess({
    name: 'the worker',
    entry: 'worker/main.ts',
    preload: ['dev/production-react.mjs'],
    env,
    later: {
      env: settings.then((known) => ({ ...known, WORKER_METRICS_PORT: String(metricsPort) })),
      warmUp: warmUp ?? ['worker/run-worker.ts', 'context.ts', 'worker/schedules.ts', 'worker/metrics-server.ts'],
    },
    onLine,
    stopWithinMs,
  })
  return await readyOrKilled(part, `http://127.0.0.1:${metricsPort}/readyz`)
}

async function readyOrKilled(part: Part, url: string): Promise<Part> {
  try {
    await untilReady(part, url)
    return part
  } catch (error) {
    await part.kill()
    throw error
  }
}
