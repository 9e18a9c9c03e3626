/** Starts API and worker in this process. */
import type { Limits } from '../../api/http/limits.ts'
import { createApi } from '../../api/server.ts'
import { createContext } from '../../context.ts'
import { timeLimits } from '../../db/connection/database.ts'
import { connectTemporal } from '../../temporal/client.ts'
import { ownsSchedules } from '../../worker/deployment.ts'
import { serveMetrics } from '../../worker/metrics-server.ts'
import { startWorker } from '../../worker/run-worker.ts'
import { reconcileSchedules } from '../../worker/schedules.ts'
import { installRuntime } from '../../worker/temporal-logger.ts'
import type { Infrastructure } from '../infrastructure.ts'
import type { Part } from '../part.ts'

interface HereOptions extends Infrastructure {
  /** the time to drain after `stop`, milliseconds */
  drainMs: number
  replyTimeoutMs: number | undefined
}

/** Starts the API in this process. */
export async function startApiHere(options: HereOptions & { limits: Partial<Limits> }): Promise<Part> {
  const { config, temporalEnvironment, log, limits, drainMs, replyTimeoutMs } = options
  const context = createContext(config, { name: 'ama-esim-api', log, replyTimeoutMs })
  const temporal = connectTemporal(config, temporalEnvironment)
  const close = async (): Promise<void> => {
    await temporal.connection.close()
    await context.close()
  }
  const running = await createApi({ ...context, temporal }, { limits })
    .listen(config.API_PORT, config.API_HOST)
    .catch(async (error: unknown) => {
      await close()
      throw error
    })
  let stopped: () => void
  const exited = new Promise<undefined>((resolve) => {
    stopped = () => resolve(undefined)
  })
  return {
    name: 'the API',
    exited,
    async stop() {
      await running.stop({ drainMs })
      await close()
      stopped()
    },
    kill: cannotKill,
  }
}

async function cannotKill(): Promise<never> {
  throw new Error("only a separate process can be killed: start the stack with processes: 'apart'")
}

/** Starts a worker in this process. */
export async function startWorkerHere(options: HereOptions & { metricsPort: number }): Promise<Part> {
  const { config, temporalEnvironment, log, metricsPort, drainMs, replyTimeoutMs } = options
  // A process has one Temporal runtime for all stacks: the newest stack gets its log lines.
  installRuntime({ log })
  const context = createContext(config, { name: 'ama-esim-worker', limits: timeLimits.worker, log, replyTimeoutMs })
  const temporal = connectTemporal(config, temporalEnvironment)
  const close = async (): Promise<void> => {
    await temporal.connection.close()
    await context.close()
  }
  const workerContext = { ...context, temporal }
  const worker = await startWorker(workerContext, {
    ...(temporalEnvironment && { environment: temporalEnvironment }),
    drainMs,
  }).catch(async (error: unknown) => {
    await close()
    throw error
  })
  if (await ownsSchedules(temporal, config)) await reconcileSchedules(temporal, config.TEMPORAL_TASK_QUEUE)
  const metrics = await serveMetrics(
    context.metrics,
    {
      isAlive: () => !context.sql.pool.isStuck(),
      isReady: () => worker.isReady(),
    },
    metricsPort,
    '127.0.0.1',
  )
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
