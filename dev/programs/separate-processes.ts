/** Starts API and worker, each as a process. */
import { type Part, startProcess, untilReady } from '../part.ts'

interface ApartOptions {
  /** the environment of the process */
  env: Record<string, string | undefined>
  /** its settings, once they are known */
  settings: Promise<Record<string, string>>
  onLine: ((line: string) => void) | undefined
  /** a file that has all sources of the program; default: the program's own */
  entry?: string
  /** modules and packages that it loads before its settings are known; default: our modules */
  warmUp?: string[]
  /** how long it may drain, milliseconds; default: as long as it takes */
  stopWithinMs?: number
}

const apiModules = ['api/server.ts', 'context.ts', 'temporal/client.ts']
const workerModules = ['worker/run-worker.ts', 'context.ts', 'worker/schedules.ts', 'worker/metrics-server.ts']

/** @throws when the process ends before it is ready, or `settings` rejects; no process is left */
export async function startApiProcess(options: ApartOptions, url: string): Promise<Part> {
  const { env, settings, onLine, entry = 'api/main.ts', warmUp = apiModules, stopWithinMs = 25_000 } = options
  const part = await startProcess({
    name: 'the API',
    entry,
    env,
    later: { env: settings, warmUp },
    onLine,
    stopWithinMs,
  })
  return await readyOrKilled(part, `${url}/readyz`)
}

/** @throws when the process ends before it is ready, or `settings` rejects; no process is left */
export async function startWorkerProcess(options: ApartOptions, metricsPort: number): Promise<Part> {
  const { env, settings, onLine, entry = 'worker/main.ts', warmUp = workerModules, stopWithinMs = 40_000 } = options
  const part = await startProcess({
    name: 'the worker',
    entry,
    preload: ['dev/production-react.mjs'],
    // As in the image (Dockerfile).
    env: { MALLOC_ARENA_MAX: '2', ...env },
    later: {
      env: settings.then((known) => ({ ...known, WORKER_METRICS_PORT: String(metricsPort) })),
      warmUp,
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
