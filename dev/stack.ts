/**
 * Starts the whole stack in one process tree: Temporal, PostgreSQL, simulators, API and worker. The demo, development,
 * the tests and the benchmark use it. A configured service replaces its embedded default.
 */
import type { Client } from '@temporalio/client'
import type { Config } from '../config.ts'
import type { Context } from '../context.ts'
import { type ApiKeys, developmentKeys } from './development-keys.ts'
import { developmentSecrets } from './development-secrets.ts'
import { createFailureWatch } from './failure-watch.ts'
import { fixedPorts } from './fixed-ports.ts'
import { startInfrastructure } from './infrastructure.ts'
import { claimPort } from './port.ts'
import { createPrograms } from './programs/programs.ts'
import { type SimulatorControls, simulatorControls } from './simulators/simulators.ts'
import type { StackOptions } from './stack-options.ts'
import { configuredSettings, inheritedEnvironment, type Settings } from './stack-settings.ts'
import type { Switch } from './switch.ts'

export interface Stack {
  urls: { api: string; ui: string | undefined; inbox: string | undefined; workerMetrics: string[] }
  /** all settings, as an environment */
  settings: Settings
  config: Config
  /** a service key and an operator key */
  keys: ApiKeys
  /** a context for tests and tools; API and worker have their own one */
  context: Context
  temporal: Client
  sims: SimulatorControls
  api: Switch
  worker: Switch
  /** Both throw when a configured database is used. */
  database: { crash(): Promise<void>; start(): Promise<void> }
  /** Both throw when a configured service is used, or without a data file (`durable` or `dataDir`). */
  temporalServer: { crash(): Promise<void>; start(): Promise<void> }
  /** Resolves to a message when a part ends unexpectedly, or to undefined when the stack is stopped. Never rejects. */
  failed: Promise<string | undefined>
  /** Stops all parts in order. @throws when a part failed to stop, or had ended unexpectedly before */
  stop(): Promise<void>
}

/**
 * Starts a stack and resolves when it accepts requests.
 * @throws ConfigurationError, or an error with the output of a part that could not start; no process is left
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const undo: (() => Promise<void>)[] = []
  try {
    return await assemble(options, undo)
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => undefined)
    throw error
  }
}

async function assemble(options: StackOptions, undo: (() => Promise<void>)[]): Promise<Stack> {
  const { ports = 'free', processes = 'one', dataDir, drainMs = 5_000, environment = {}, onProgramEnded } = options
  const configured = configuredSettings(environment)
  const secretsFile = dataDir === undefined ? undefined : `${dataDir}/development-keys.json`
  const [secrets, apiPort, metricsPorts] = await Promise.all([
    developmentSecrets(secretsFile),
    configured.API_PORT ?? claimPort(ports === 'fixed' ? fixedPorts.api : 0),
    workerMetricsPorts(options.workers ?? 1, ports, configured.WORKER_METRICS_PORT),
  ])
  const apiUrl = `http://127.0.0.1:${apiPort}`
  const env = inheritedEnvironment(environment)
  const failure = createFailureWatch()

  const infrastructure = startInfrastructure({ ...options, ports, processes, configured, secrets, apiUrl, env, undo })
  const { api, worker, close } = createPrograms({
    processes,
    apiUrl,
    metricsPorts,
    limits: options.limits ?? {},
    drainMs,
    env,
    onLogLine: options.onLogLine,
    infrastructure,
    watch: onProgramEnded ? (part) => void part.exited.then((why) => why && onProgramEnded(why)) : failure.watch,
    restartOften: onProgramEnded !== undefined,
  })
  // Loaded while everything else starts.
  const modules = Promise.all([
    import('../context.ts'),
    import('../temporal/client.ts'),
    import('../db/connection/database.ts'),
  ])
  modules.catch(() => {}) // Its rejection is handled below.
  const fromOutside = infrastructure.then(async ({ config, log, temporalEnvironment }) => {
    const [{ createContext }, { connectTemporal }, { timeLimits }] = await modules
    // Tests and tools hold locks and fill tables without time limits.
    const context = createContext(config, {
      name: 'ama-esim-stack',
      maxConnections: 5,
      limits: timeLimits.maintenance,
      log,
    })
    undo.push(() => context.close())
    const temporal = connectTemporal(config, temporalEnvironment)
    undo.push(() => temporal.connection.close())
    return { context, temporal, keys: await developmentKeys(context.sql, secrets, secretsFile) }
  })
  const results = await Promise.allSettled([infrastructure, fromOutside, api.start(), worker.start()])
  undo.push(worker.stop, api.stop, close)
  for (const result of results) if (result.status === 'rejected') throw result.reason
  const { stores, simulators, settings, config } = await infrastructure
  for (const part of [...stores.parts, simulators]) failure.watch(part)

  return {
    urls: {
      api: apiUrl,
      ui: config.TEMPORAL_UI_URL,
      inbox: simulators.urls.mailbox,
      workerMetrics: metricsPorts.map((port) => `http://127.0.0.1:${port}`),
    },
    settings,
    config,
    ...(await fromOutside),
    sims: simulatorControls(simulators.urls),
    api,
    worker,
    database: stores.database,
    temporalServer: stores.temporalServer,
    failed: failure.reason,
    async stop() {
      const why = failure.close()
      const faults: unknown[] = why === undefined ? [] : [new Error(why)]
      for (const step of undo.reverse()) await step().catch((fault: unknown) => faults.push(fault))
      if (faults.length === 1) throw faults[0]
      if (faults.length > 1) throw new AggregateError(faults, faults.map(String).join('\n'))
    },
  }
}

async function workerMetricsPorts(workers: number, ports: 'fixed' | 'free', first?: string): Promise<number[]> {
  return await Promise.all(
    Array.from({ length: workers }, (_, index) =>
      claimPort(ports === 'fixed' ? Number(first ?? fixedPorts.workerMetrics) + index : 0),
    ),
  )
}
