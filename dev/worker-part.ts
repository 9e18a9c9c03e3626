import { createContext } from '../context.ts'
import type { Log } from '../log.ts'
import { connectTemporal } from '../temporal-client.ts'
import { serveMetrics } from '../worker/metrics-server.ts'
import { startWorker } from '../worker/run-worker.ts'
import { reconcileSchedules } from '../worker/schedules.ts'
import { installRuntime } from '../worker/temporal-logger.ts'
import { cannotKill, type HereOptions, readyOrKilled } from './api-part.ts'
import { type Part, startProcess } from './part.ts'

/** The SDK has one runtime in a process, whatever the number of stacks: its lines go to the newest. */
let runtimeLog: Log | undefined

/** A worker in this process. */
export async function startWorkerHere(options: HereOptions & { metricsPort: number }): Promise<Part> {
  const { config, temporalEnvironment, log, metricsPort, drainMs } = options
  if (!runtimeLog) installRuntime({ sink: () => runtimeLog ?? log })
  runtimeLog = log
  const context = createContext(config, { name: 'ama-esim-worker', log })
  const temporal = connectTemporal(config, temporalEnvironment)
  const close = async (): Promise<void> => {
    await temporal.connection.close()
    await context.close()
  }
  const worker = await startWorker(
    { ...context, temporal },
    { ...(temporalEnvironment && { environment: temporalEnvironment }), drainMs },
  ).catch(async (error: unknown) => {
    await close()
    throw error
  })
  await reconcileSchedules(temporal, config.TEMPORAL_TASK_QUEUE)
  const metrics = await serveMetrics(context.metrics, { isReady: worker.isReady }, metricsPort, '127.0.0.1')
  let expected = false
  return {
    name: 'the worker',
    exited: worker.exited.then((fault) => (expected && !fault ? undefined : `the worker ended: ${fault?.message}`)),
    async stop() {
      expected = true
      await worker.stop()
      await metrics.stop()
      await close()
    },
    kill: cannotKill,
  }
}

/** A worker in a process of its own. */
export async function startWorkerProcess(
  env: Record<string, string | undefined>,
  metricsPort: number,
  onLine: ((line: string) => void) | undefined,
): Promise<Part> {
  const part = await startProcess({
    name: 'the worker',
    entry: 'worker/main.ts',
    preload: ['dev/production-react.mjs'],
    env: { ...env, WORKER_METRICS_PORT: String(metricsPort) },
    onLine,
    stopWithinMs: 40_000,
  })
  return await readyOrKilled(part, `http://127.0.0.1:${metricsPort}/readyz`)
}
