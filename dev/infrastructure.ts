/** Starts the infrastructure of API and worker, and returns its settings. */
import { join } from 'node:path'
import { type Config, readConfig } from '../config.ts'
import { migrate } from '../db/connection/migrate.ts'
import { createLog, type Log } from '../shared/log.ts'
import type { Secrets } from './development-secrets.ts'
import { type SimulatorsPart, startSimulatorsHere, startSimulatorsProcess } from './simulators/part.ts'
import { simulatorsNeeded } from './simulators/simulators.ts'
import type { StackOptions } from './stack-options.ts'
import { developmentDefaults, type Settings, temporalIsConfigured } from './stack-settings.ts'
import type { Stores } from './stores.ts'

export interface InfrastructureOptions
  extends Pick<StackOptions, 'built' | 'dataDir' | 'durable' | 'dynamicConfig' | 'keepMail' | 'ui'> {
  ports: 'fixed' | 'free'
  processes: 'one' | 'apart'
  configured: Settings
  /** override all other settings */
  settings?: Settings
  secrets: Secrets
  apiUrl: string
  /** the environment of child processes */
  env: Record<string, string | undefined>
  onLogLine?: (line: string) => void
  onProgress?: (line: string) => void
  /** receives a function for each started part, which stops it */
  undo: (() => Promise<void>)[]
}

export interface Infrastructure {
  stores: Stores
  simulators: SimulatorsPart
  /** all settings of API and worker, as an environment */
  settings: Settings
  config: Config
  log: Log
  /** the settings of Temporal, unless the process's own environment has them */
  temporalEnvironment: Settings | undefined
}

/** Starts database, Temporal and simulators, and migrates the schema. */
export async function startInfrastructure(options: InfrastructureOptions): Promise<Infrastructure> {
  const { ports, processes, configured, secrets, apiUrl, dataDir, onLogLine, undo } = options
  const plan = {
    parties: simulatorsNeeded(configured),
    secrets: { ...secrets, ...options.settings },
    apiUrl,
    ports,
    keepMail: options.keepMail ?? ('all' as const),
    folder: dataDir && join(dataDir, 'simulators'),
  }
  const starting = Promise.allSettled([
    processes === 'one' ? startSimulatorsHere(plan) : startSimulatorsProcess(plan, options.env, options.built),
    // Loaded late, so that other processes start meanwhile.
    import('./stores.ts').then(({ startStores }) =>
      startStores({
        ports,
        dataDir,
        durable: options.durable ?? false,
        dynamicConfig: options.dynamicConfig ?? {},
        ui: options.ui ?? ports === 'fixed',
        database: configured.DATABASE_URL,
        temporalIsConfigured: temporalIsConfigured(configured),
        namespace: configured.TEMPORAL_NAMESPACE ?? 'default',
        // The Web UI needs it to show encrypted payloads.
        uiCodecEndpoint: (options.settings?.PAYLOAD_KEYS ?? configured.PAYLOAD_KEYS) && `${apiUrl}/codec`,
        onProgress: options.onProgress ?? (() => {}),
      }),
    ),
  ])
  const [simulators, stores] = await starting
  if (stores.status === 'fulfilled') undo.push(() => stores.value.stop())
  if (simulators.status === 'fulfilled') undo.push(() => simulators.value.stop())
  if (stores.status === 'rejected') throw stores.reason
  if (simulators.status === 'rejected') throw simulators.reason

  const settings: Settings = {
    ...developmentDefaults(secrets, dataDir ?? stores.value.folder),
    PUBLIC_URL: apiUrl,
    API_PORT: new URL(apiUrl).port,
    ...simulators.value.settings,
    ...stores.value.settings,
    ...configured,
    ...options.settings,
  }
  const config = readConfig(settings)
  await migrate(config.DATABASE_URL)
  return {
    stores: stores.value,
    simulators: simulators.value,
    settings,
    config,
    log: createLog({ level: config.LOG_LEVEL }, onLogLine && { write: (line: string) => onLogLine(line.trimEnd()) }),
    // A configured service may be described by a file that only the real environment names.
    temporalEnvironment: temporalIsConfigured(configured) ? undefined : settings,
  }
}
