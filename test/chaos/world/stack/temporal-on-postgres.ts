/**
 * Temporal on PostgreSQL with four shards, as in docker-compose.yml, from the programs that ops/temporal/build.sh
 * makes.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Child, startChild } from '../../../../dev/child-process.ts'
import { claimPort } from '../../../../dev/port.ts'
import { startPostgres } from '../../../../dev/postgres/postgres.ts'
import { embeddedTemporal } from '../../../../dev/stack-settings.ts'
import { throwawayFolder } from '../../../../dev/throwaway-folder.ts'
import { connectTemporal } from '../../../../temporal/client.ts'
import { prepareNamespace } from '../../../../temporal/namespace.ts'
import { temporalFolder, temporalSource } from '../../../deploy/compose/recipes.ts'
import { until } from '../../../harness/until.ts'

const namespace = 'default'
const dynamicConfig = `
frontend.WorkflowTimeSkippingEnabled: [{ value: true }]
history.timerProcessorMaxTimeShift: [{ value: 1ms }]
history.workflowIdReuseMinimalInterval: [{ value: 0s }]
frontend.namespaceRPS.visibility: [{ value: 1000 }]
matching.wv.VersionDrainageStatusVisibilityGracePeriod: [{ value: 1s }]
matching.wv.VersionDrainageStatusRefreshInterval: [{ value: 1s }]
system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute: [{ value: 2 }]
`

/** @throws when the programs were not built */
export async function startTemporalOnPostgres() {
  if (!existsSync(join(temporalFolder, 'temporal-server'))) throw new Error(`ops/temporal/build.sh ${temporalFolder}`)
  const folder = await throwawayFolder('ama-esim-temporal-')
  const database = await startPostgres()
  const { hostname, port, username, password } = new URL(database.url)
  const PATH = `${temporalFolder}:${process.env.PATH}`
  await promisify(execFile)('sh', ['ops/compose/temporal-schema.sh'], {
    env: {
      PATH,
      SQL_PLUGIN: 'postgres12',
      SQL_HOST: hostname,
      SQL_PORT: port,
      SQL_USER: username,
      SQL_PASSWORD: decodeURIComponent(password),
      SCHEMA_FOLDER: join(temporalSource, 'schema/postgresql/v12'),
    },
  })
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
  let server: Child | undefined
  const start = async (): Promise<void> => {
    const started = await startChild('temporal-server', ['start'], { cwd: folder, env })
    server = started
    const client = connectTemporal({ NODE_ENV: 'test', PAYLOAD_KEYS: undefined }, settings)
    try {
      await until('Temporal has its namespace', async () => {
        await prepareNamespace(client)
        return true
      }).catch((error: unknown) => {
        throw new Error(`${error}\n${started.output()}`)
      })
    } finally {
      await client.connection.close()
    }
  }
  await start()
  return {
    settings,
    start,
    async crash(): Promise<void> {
      await server?.stop('SIGKILL')
    },
    async stop(): Promise<void> {
      await server?.stop('SIGKILL')
      await database.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
