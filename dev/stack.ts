/**
 * Starts the whole stack in one process tree: Temporal, PostgreSQL, simulators, API and worker. The demo, development,
 * the tests and the benchmark use it. A configured service replaces its embedded default.
 */
import type { Client } from '@temporalio/client'
import type { Config } from '../config.ts'
import type { Context } from '../context.ts'
import { connectDatabase, timeLimits } from '../db/connection/database.ts'
import { type ApiKeys, developmentKeys } from './development-keys.ts'
import { developmentSecrets, type Secrets } from './development-secrets.ts'
import { createFailureWatch } from './failure-watch.ts'
import { fixedPorts } from './fixed-ports.ts'
import { type Infrastructure, startInfrastructure } from './infrastructure.ts'
import { claimPort } from './port.ts'
import { createPrograms } from './programs/programs.ts'
import { type SimulatorControls, simulatorControls } from './simulators/simulators.ts'
import type { StackOptions } from './stack-options.ts'
import { configuredSettings, inheritedEnvironment, type Settings } from './stack-settings.ts'
import type { Switch } from './switch.ts'

/** A running stack, seen from beside it. */
export interface Services {
  urls: { api: string; ui: string | undefined; inbox: string | undefined; workerMetrics: string[] }
  /** all settings, as an environment */
  settings: Settings
  config: Config
  /** a service key and an operator key */
  keys: ApiKeys
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

/** A stack for tests and tools. */
export interface Stack extends Services {
  /** API and worker have their own one */
  context: Context
  temporal: Client
}

type Undo = (() => Promise<void>)[]

/**
 * Starts a stack and resolves when it accepts requests.
 * @throws ConfigurationError, or an error with the output of a part that could not start; no process is left
 */
export const startStack = (options: StackOptions = {}): Promise<Stack> =>
  start(options, (infrastructure, undo) => connectTools(infrastructure, undo, options.replyTimeoutMs))

/**
 * Starts a stack as `startStack` does, without the parts that only tests and tools need and that take a second to load.
 */
export const startServices = (options: StackOptions = {}): Promise<Services> => start(options, async () => ({}))

/** @param connect makes what the caller needs beside the stack */
async function start<Beside>(
  options: StackOptions,
  connect: (infrastructure: Promise<Infrastructure>, undo: Undo) => Promise<Beside>,
): Promise<Services & Awaited<Beside>> {
  const undo: Undo = []
  try {
    return await assemble(options, undo, connect)
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => undefined)
    throw error
  }
}

async function assemble<Beside>(
  options: StackOptions,
  undo: Undo,
  connect: (infrastructure: Promise<Infrastructure>, undo: Undo) => Promise<Beside>,
): Promise<Services & Awaited<Beside>> {
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
    built: options.built,
    limits: options.limits ?? {},
    drainMs,
    replyTimeoutMs: options.replyTimeoutMs,
    env,
    onLogLine: options.onLogLine,
    infrastructure,
    watch: onProgramEnded ? (part) => void part.exited.then((why) => why && onProgramEnded(why)) : failure.watch,
    restartOften: onProgramEnded !== undefined,
  })
  const keys = infrastructure.then(({ config }) => keysOf(config, secrets, secretsFile))
  const beside = connect(infrastructure, undo)
  const results = await Promise.allSettled([infrastructure, keys, beside, api.start(), worker.start()])
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
    keys: await keys,
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
    ...(await beside),
  }
}

async function connectTools(
  infrastructure: Promise<Infrastructure>,
  undo: Undo,
  replyTimeoutMs: number | undefined,
): Promise<Pick<Stack, 'context' | 'temporal'>> {
  // Loaded while everything else starts.
  const modules = Promise.all([import('../context.ts'), import('../temporal/client.ts')])
  modules.catch(() => {}) // Its rejection is handled below.
  const { config, log, temporalEnvironment } = await infrastructure
  const [{ createContext }, { connectTemporal }] = await modules
  // Tests and tools hold locks and fill tables without time limits.
  const context = createContext(config, {
    name: 'ama-esim-stack',
    maxConnections: 5,
    limits: timeLimits.maintenance,
    log,
    replyTimeoutMs,
  })
  undo.push(() => context.close())
  const temporal = connectTemporal(config, temporalEnvironment)
  undo.push(() => temporal.connection.close())
  return { context, temporal }
}

async function keysOf(config: Config, secrets: Secrets, secretsFile: string | undefined): Promise<ApiKeys> {
  const sql = connectDatabase(config.DATABASE_URL, {
    name: 'ama-esim-keys',
    maxConnections: 1,
    limits: timeLimits.maintenance,
  })
  try {
    return await developmentKeys(sql, secrets, secretsFile)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

async function workerMetricsPorts(workers: number, ports: 'fixed' | 'free', first?: string): Promise<number[]> {
  return await Promise.all(
    Array.from({ length: workers }, (_, index) =>
      claimPort(ports === 'fixed' ? Number(first ?? fixedPorts.workerMetrics) + index : 0),
    ),
  )
}
