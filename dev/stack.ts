/**
 * Everything the product needs, in one process tree: Temporal, PostgreSQL, the outside world, API and worker. The demo,
 * development, the tests and the benchmark stand on it. What is configured is used instead of its embedded default.
 */
import type { Client } from '@temporalio/client'
import type { Limits } from '../api/limits.ts'
import { type Config, readConfig } from '../config.ts'
import { type Context, createContext } from '../context.ts'
import { migrate } from '../db/migrate.ts'
import { createLog } from '../log.ts'
import { connectTemporal } from '../temporal-client.ts'
import { startApiHere, startApiProcess } from './api-part.ts'
import { type ApiKeys, developmentKeys } from './development-keys.ts'
import { developmentSecrets } from './development-secrets.ts'
import { fixedPorts } from './fixed-ports.ts'
import type { Part } from './part.ts'
import { claimPort } from './port.ts'
import { partiesToSimulate, type SimulatorControls, simulatorControls } from './simulators.ts'
import { startSimulatorsHere, startSimulatorsProcess } from './simulators-part.ts'
import { configuredSettings, developmentDefaults, type Settings, temporalIsConfigured } from './stack-settings.ts'
import { startStores } from './stores.ts'
import { createSwitch, type Switch } from './switch.ts'
import { startWorkerHere, startWorkerProcess } from './worker-part.ts'

export interface StackOptions {
  /** `fixed`: those of dev/fixed-ports.ts; free ones unless given */
  ports?: 'fixed' | 'free'
  /** keeps keys, database and workflows for the next start; unless given, everything is thrown away */
  dataDir?: string
  /** Temporal on disk although everything is thrown away, so that it survives `temporal.crash()` */
  durable?: boolean
  /** `one`: all of ours in this process; `apart`: API, workers and simulators each in their own */
  processes?: 'one' | 'apart'
  workers?: number
  /** whose settings replace embedded defaults; `process.env`, or nothing unless given */
  environment?: Record<string, string | undefined>
  /** over everything else */
  settings?: Settings
  /** of an API in this process */
  limits?: Partial<Limits>
  keepMail?: 'all' | 'envelopes'
  /** the Web UI; with fixed ports unless said otherwise */
  ui?: boolean
  /** receives every log line of API and worker, JSON */
  onLogLine?: (line: string) => void
  /** receives one progress line at a time while something slow is under way */
  onProgress?: (line: string) => void
  /** how long API and worker in this process may finish what they do when stopped, milliseconds */
  drainMs?: number
}

export interface Stack {
  urls: { api: string; ui: string | undefined; inbox: string | undefined; workerMetrics: string[] }
  /** the settings everything runs with, as an environment */
  settings: Settings
  config: Config
  /** bearer keys of a service and an operator */
  keys: ApiKeys
  /** for looking into things from outside API and worker: their own are apart from it */
  context: Context
  temporal: Client
  sims: SimulatorControls
  api: Switch
  worker: Switch
  /** Both throw when the service is configured and not ours. */
  database: { crash(): Promise<void>; start(): Promise<void> }
  /** Also throws without a data file (`durable` or `dataDir`). */
  temporalServer: { crash(): Promise<void>; start(): Promise<void> }
  /** Why the stack cannot go on, should a part end by itself; undefined once it was stopped. Never rejects. */
  failed: Promise<string | undefined>
  /** Stops everything in order. @throws when a part did not end well, or had ended by itself before */
  stop(): Promise<void>
}

/**
 * Starts a stack and resolves when it takes requests.
 * @throws ConfigurationError, or with what a part said when it could not start; nothing is left running
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
  const { ports = 'free', processes = 'one', workers = 1, dataDir, drainMs = 5_000, onLogLine, settings = {} } = options
  const configured = configuredSettings(options.environment ?? {})
  const secretsFile = dataDir === undefined ? undefined : `${dataDir}/development-keys.json`
  const secrets = await developmentSecrets(secretsFile)
  const apiPort = Number(configured.API_PORT ?? (await claimPort(ports === 'fixed' ? fixedPorts.api : 0)))
  const apiUrl = `http://127.0.0.1:${apiPort}`

  const parentEnv = inherited(options.environment ?? {})
  const plan = {
    parties: partiesToSimulate(configured),
    secrets: { ...secrets, ...settings },
    apiUrl,
    ports,
    keepMail: options.keepMail ?? 'all',
  }
  const [stores, simulators] = await allStarted(undo, [
    startStores({
      ports,
      dataDir,
      durable: options.durable ?? false,
      ui: options.ui ?? ports === 'fixed',
      database: configured.DATABASE_URL,
      temporalIsConfigured: temporalIsConfigured(configured),
      namespace: configured.TEMPORAL_NAMESPACE ?? 'default',
      onProgress: options.onProgress ?? (() => {}),
    }),
    processes === 'one' ? startSimulatorsHere(plan) : startSimulatorsProcess(plan, parentEnv),
  ])

  const all: Settings = {
    ...developmentDefaults(secrets, dataDir ?? stores.folder),
    PUBLIC_URL: apiUrl,
    API_PORT: String(apiPort),
    ...simulators.settings,
    ...stores.settings,
    ...configured,
    ...settings,
  }
  const config = readConfig(all)
  const log = createLog(
    { level: config.LOG_LEVEL },
    onLogLine && { write: (line: string) => onLogLine(line.trimEnd()) },
  )
  const context = createContext(config, { name: 'ama-esim-stack', maxConnections: 5, log })
  undo.push(() => context.close())
  // A configured service may be described by a file, which only the real environment leads to.
  const temporalEnvironment = temporalIsConfigured(configured) ? undefined : all
  const temporal = connectTemporal(config, temporalEnvironment)
  undo.push(() => temporal.connection.close())
  await migrate(context.sql)

  const metricsPorts = await Promise.all(
    Array.from({ length: workers }, (_, index) =>
      claimPort(ports === 'fixed' ? config.WORKER_METRICS_PORT + index : 0),
    ),
  )
  const here = { config, temporalEnvironment, log, drainMs }
  const env = { ...parentEnv, ...all }
  const failed = createFailure()
  const api = createSwitch(failed.watch, [
    () =>
      processes === 'one'
        ? startApiHere({ ...here, limits: options.limits ?? {} })
        : startApiProcess(env, apiUrl, onLogLine),
  ])
  const worker = createSwitch(
    failed.watch,
    metricsPorts.map((metricsPort) => () => {
      return processes === 'one'
        ? startWorkerHere({ ...here, metricsPort })
        : startWorkerProcess(env, metricsPort, onLogLine)
    }),
  )
  undo.push(worker.stop, api.stop)
  const [keys] = await Promise.all([developmentKeys(context.sql, secrets, secretsFile), api.start(), worker.start()])
  for (const part of [...stores.parts, simulators]) failed.watch(part)

  return {
    urls: {
      api: apiUrl,
      ui: config.TEMPORAL_UI_URL,
      inbox: simulators.urls.mailbox,
      workerMetrics: metricsPorts.map((port) => `http://127.0.0.1:${port}`),
    },
    settings: all,
    config,
    keys,
    context,
    temporal,
    sims: simulatorControls(simulators.urls),
    api,
    worker,
    database: stores.database,
    temporalServer: stores.temporalServer,
    failed: failed.reason,
    async stop() {
      const why = failed.close()
      const faults: unknown[] = why === undefined ? [] : [new Error(why)]
      for (const step of undo.reverse()) await step().catch((fault: unknown) => faults.push(fault))
      if (faults.length === 1) throw faults[0]
      if (faults.length > 1) throw new AggregateError(faults, faults.map(String).join('\n'))
    },
  }
}

/** Waits for all, so that whatever did start is stopped should another fail. */
async function allStarted<Parts extends { stop(): Promise<void> }[]>(
  undo: (() => Promise<void>)[],
  starting: { [Index in keyof Parts]: Promise<Parts[Index]> },
): Promise<Parts> {
  const results = await Promise.allSettled(starting)
  for (const result of results) if (result.status === 'fulfilled') undo.push(() => result.value.stop())
  for (const result of results) if (result.status === 'rejected') throw result.reason
  return results.map((result) => (result as PromiseFulfilledResult<Parts[number]>).value) as Parts
}

/** The first part that ends by itself decides. */
function createFailure() {
  let why: string | undefined
  let settle = (_: string | undefined): void => {}
  const reason = new Promise<string | undefined>((resolve) => {
    settle = resolve
  })
  return {
    reason,
    watch(part: Pick<Part, 'exited'>): void {
      void part.exited.then((ended) => {
        if (ended === undefined) return
        why ??= ended
        settle(ended)
      })
    },
    /** What happened, if anything did; nothing counts any more. */
    close(): string | undefined {
      settle(undefined)
      return why
    },
  }
}

/** Programs are found and configured by it, but ours read no setting that was not chosen above. */
function inherited(environment: Record<string, string | undefined>): Record<string, string | undefined> {
  const own = configuredSettings({ ...process.env, ...environment })
  return Object.fromEntries(Object.entries({ ...process.env, ...environment }).filter(([name]) => !(name in own)))
}
