/**
 * Temporal on PostgreSQL with four shards, as in docker-compose.yml, from the programs that ops/temporal/build.sh
 * makes. The benchmark and the seeded world use it.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { connectTemporal } from '../../temporal/client.ts'
import { prepareNamespace } from '../../temporal/namespace.ts'
import { cacheFolder } from '../cache-folder.ts'
import { type Child, startChild, untilItAnswers } from '../child-process.ts'
import { claimPort } from '../port.ts'
import { startPostgres } from '../postgres/postgres.ts'
import { embeddedTemporal } from '../stack-settings.ts'
import { throwawayFolder } from '../throwaway-folder.ts'

const version = 'v1.32.0'
/** Where the programs of Temporal's images are looked for. */
export const temporalFolder = process.env.TEMPORAL_PROGRAMS ?? join(cacheFolder(), `temporal-programs-${version}`)
/** The folder of all Go modules. */
export const goModules = join(process.env.GOMODCACHE ?? join(homedir(), 'go/pkg/mod'))
/** The source of Temporal's server, whose schema is not in its programs. */
export const temporalSource = join(goModules, `go.temporal.io/server@${version}`)

const namespace = 'default'
const startTimeoutMs = 120_000
const dynamicConfig = `
frontend.WorkflowTimeSkippingEnabled: [{ value: true }]
history.timerProcessorMaxTimeShift: [{ value: 1ms }]
history.workflowIdReuseMinimalInterval: [{ value: 0s }]
frontend.namespaceRPS.visibility: [{ value: 1000 }]
matching.wv.VersionDrainageStatusVisibilityGracePeriod: [{ value: 1s }]
matching.wv.VersionDrainageStatusRefreshInterval: [{ value: 1s }]
system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute: [{ value: 2 }]
`

const buildScript = fileURLToPath(new URL('../../ops/temporal/build.sh', import.meta.url))
const areBuilt = (): boolean => existsSync(join(temporalFolder, 'temporal-server'))

/** Builds the programs where they are missing, which takes Go and some minutes. */
export async function buildTemporalPrograms(log: (line: string) => void): Promise<void> {
  if (areBuilt()) return
  log(`building Temporal's programs in ${temporalFolder}, which takes some minutes`)
  await promisify(execFile)('sh', [buildScript, temporalFolder])
}

/** @throws when the programs were not built */
export async function startTemporalOnPostgres() {
  if (!areBuilt()) throw new Error(`Temporal's programs are not there: ops/temporal/build.sh ${temporalFolder}`)
  const folder = await throwawayFolder('ama-esim-temporal-')
  const database = await startPostgres()
  let server: Child | undefined
  const stop = async (): Promise<void> => {
    await server?.stop('SIGKILL')
    await database.stop()
    await rm(folder, { recursive: true, force: true })
  }
  const { hostname, port, username, password } = new URL(database.url)
  const PATH = `${temporalFolder}:${process.env.PATH}`
  const schemaEnv = {
    PATH,
    SQL_PLUGIN: 'postgres12',
    SQL_HOST: hostname,
    SQL_PORT: port,
    SQL_USER: username,
    SQL_PASSWORD: decodeURIComponent(password),
    SCHEMA_FOLDER: join(temporalSource, 'schema/postgresql/v12'),
  }
  const configFile = join(folder, 'dynamic.yaml')
  await writeFile(configFile, dynamicConfig)
  const parts = ['FRONTEND', 'HISTORY', 'MATCHING', 'WORKER'].flatMap((part) => [
    `${part}_GRPC_PORT`,
    `${part}_MEMBERSHIP_PORT`,
  ])
  const ports: Record<string, string> = {}
  for (const name of [...parts, 'FRONTEND_HTTP_PORT']) ports[name] = String(await claimPort(0))
  const address = `127.0.0.1:${ports.FRONTEND_GRPC_PORT}`
  const env = {
    PATH,
    DB: 'postgres12',
    DB_PORT: port,
    POSTGRES_SEEDS: hostname,
    POSTGRES_USER: username,
    POSTGRES_PWD: decodeURIComponent(password),
    NUM_HISTORY_SHARDS: '4',
    LOG_LEVEL: 'error',
    BIND_ON_IP: '127.0.0.1',
    DYNAMIC_CONFIG_FILE_PATH: configFile,
    ...ports,
  }
  const settings = embeddedTemporal(address, namespace)
  const start = async (): Promise<void> => {
    const started = await startChild('temporal-server', ['start'], { cwd: folder, env })
    server = started
    const client = connectTemporal({ NODE_ENV: 'test', PAYLOAD_KEYS: undefined }, settings)
    try {
      const inTime = { name: 'Temporal on PostgreSQL', withinMs: startTimeoutMs }
      await untilItAnswers(started, inTime, () => prepareNamespace(client))
    } finally {
      await client.connection.close()
    }
  }
  try {
    await promisify(execFile)('sh', ['ops/compose/temporal-schema.sh'], { env: schemaEnv })
    await start()
  } catch (error) {
    // What goes on running would keep the process that has started it.
    await stop()
    throw error
  }
  return {
    settings,
    start,
    async crash(): Promise<void> {
      await server?.stop('SIGKILL')
    },
    stop,
  }
}
