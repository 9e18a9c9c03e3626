/** `npm run worker`: one worker process. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { readConfig, startOrExit } from '../config.ts'
import { createContext } from '../context.ts'
import { timeLimits } from '../db/connection/database.ts'
import { createLog } from '../shared/log.ts'
import { readArguments } from '../shared/process/arguments.ts'
import { listenOn } from '../shared/process/listen.ts'
import { stopAsked } from '../shared/shutdown.ts'
import { connectTemporal } from '../temporal/client.ts'
import { ownsSchedules } from './deployment.ts'
import { serveMetrics } from './metrics-server.ts'
import { productionBundleOrExit } from './production-bundle.ts'
import { untilUsable } from './readiness.ts'
import { type RunningWorker, startWorker } from './run-worker.ts'
import { keepSchedules } from './schedules.ts'
import { installRuntime } from './temporal-logger.ts'

// Each of the two heaps may otherwise become several times as large as what is alive in it before it is collected.
setFlagsFromString('--heap-growing-percent=40')
readArguments('Usage: npm run worker\n  Its settings come from the environment: npm run doctor -- --settings', {})
const config = await startOrExit(() => readConfig(process.env))
const log = createLog({ level: config.LOG_LEVEL })
const bundle = config.NODE_ENV === 'production' ? await productionBundleOrExit(config) : undefined
const sdkMetricsAddress = `127.0.0.1:${await freePort()}`
installRuntime({ log, metricsAddress: sdkMetricsAddress })
const context = createContext(config, { name: 'ama-esim-worker', limits: timeLimits.worker, log })
const temporal = await startOrExit(() => connectTemporal(config))

const workerContext = { ...context, temporal }
let worker: RunningWorker | undefined
const shown = {
  isAlive: () => !context.sql.pool.isStuck(),
  isReady: async () => (await worker?.isReady()) ?? false,
  sdkMetricsAddress,
}
const probes = await startOrExit(
  () => serveMetrics(context.metrics, shown, config.WORKER_METRICS_PORT, config.WORKER_METRICS_HOST),
  ['WORKER_METRICS_HOST', 'WORKER_METRICS_PORT'],
)

const stopping = new AbortController()
const stopRequested = stopAsked(process.env).then((signal) => {
  log.info({ signal }, 'the worker stops')
  stopping.abort()
  return undefined
})
const started = untilUsable(workerContext, stopping.signal).then(() => {
  stopping.signal.throwIfAborted()
  return startWorker(workerContext, { signal: stopping.signal, ...(bundle && { bundle }) })
})
worker = await Promise.race([started, stopRequested])
let workerError: Error | undefined
if (worker) {
  log.info({ metricsPort: probes.port }, 'the worker works')
  const mayWrite = () => ownsSchedules(temporal, config)
  const schedules = keepSchedules(temporal, config.TEMPORAL_TASK_QUEUE, { mayWrite, log, signal: stopping.signal })
  workerError = await Promise.race([worker.exited, stopRequested])
  stopping.abort()
  await Promise.all([worker.stop(), schedules])
}
if (workerError) log.fatal({ error: workerError }, 'the worker ended')
await probes.stop()
await temporal.connection.close()
await context.close()
process.exitCode = workerError ? 1 : 0

async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listenOn(server, 0, '127.0.0.1')
  server.close()
  await once(server, 'close')
  return port
}
