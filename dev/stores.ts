/** Starts the embedded Temporal and PostgreSQL, unless they are configured. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fixedPorts } from './fixed-ports.ts'
import type { Part } from './part.ts'
import { type PostgresServer, startPostgres } from './postgres/postgres.ts'
import { embeddedTemporal, type Settings } from './stack-settings.ts'
import { searchAttributeTypes } from './temporal/search-attribute-types.ts'
import { startTemporal, type TemporalOptions, type TemporalServer } from './temporal/temporal.ts'
import { throwawayFolder } from './throwaway-folder.ts'

export interface StoreOptions {
  ports: 'fixed' | 'free'
  dataDir: string | undefined
  durable: boolean
  dynamicConfig: Readonly<Record<string, unknown>>
  ui: boolean
  /** the configured database, if any */
  database: string | undefined
  temporalIsConfigured: boolean
  namespace: string
  uiCodecEndpoint: string | undefined
  onProgress: (line: string) => void
}

interface Outage {
  /** Ends the server at once, like a power cut. */
  crash(): Promise<void>
  start(): Promise<void>
}

export interface Stores {
  /** the folder for files of this stack */
  folder: string
  /** settings that lead to the embedded servers */
  settings: Settings
  parts: Pick<Part, 'exited'>[]
  database: Outage
  temporalServer: Outage
  stop(): Promise<void>
}

export async function startStores(options: StoreOptions): Promise<Stores> {
  const { dataDir, ports, namespace, onProgress: log } = options
  const throwaway = dataDir === undefined
  const folder = dataDir ?? (await throwawayFolder('ama-esim-stack-', { onDisk: options.durable }))
  if (!throwaway) await mkdir(folder, { recursive: true })

  const [postgres, temporal] = await Promise.allSettled([
    options.database === undefined
      ? startPostgres({
          ...(ports === 'fixed' && { port: fixedPorts.postgres }),
          ...(!throwaway && { dataDir: join(folder, 'postgres') }),
          log,
        })
      : undefined,
    options.temporalIsConfigured
      ? undefined
      : startTemporalPart({
          ...(ports === 'fixed' && { port: fixedPorts.temporal }),
          ...(options.ui && { uiPort: ports === 'fixed' ? fixedPorts.temporalUi : 0 }),
          ...((options.durable || !throwaway) && { dataFile: join(folder, 'temporal.db') }),
          ...(throwaway && { orphanFolder: folder }),
          ...(options.uiCodecEndpoint !== undefined && { uiCodecEndpoint: options.uiCodecEndpoint }),
          namespace,
          searchAttributes: searchAttributeTypes,
          dynamicConfig: options.dynamicConfig,
          log,
        }),
  ])
  const servers = {
    postgres: postgres.status === 'fulfilled' ? postgres.value : undefined,
    temporal: temporal.status === 'fulfilled' ? temporal.value : undefined,
  }
  const stop = async (): Promise<void> => {
    await servers.temporal?.stop()
    await servers.postgres?.stop()
    if (throwaway) await rm(folder, { recursive: true, force: true })
  }
  for (const result of [postgres, temporal]) {
    if (result.status === 'fulfilled') continue
    await stop()
    throw result.reason
  }
  return {
    folder,
    settings: {
      ...(servers.postgres && { DATABASE_URL: servers.postgres.url }),
      ...(servers.temporal && embeddedTemporal(servers.temporal.address, namespace)),
      ...(servers.temporal?.uiUrl !== undefined && { TEMPORAL_UI_URL: servers.temporal.uiUrl }),
    },
    parts: [
      ...(servers.postgres ? [postgresPart(servers.postgres)] : []),
      ...(servers.temporal ? [servers.temporal] : []),
    ],
    database: servers.postgres ?? notOurs('the database'),
    temporalServer: servers.temporal ?? notOurs('Temporal'),
    stop,
  }
}

function postgresPart(server: PostgresServer): Pick<Part, 'exited'> {
  return {
    exited: server.exited.then(({ code, signal }) =>
      code === 0 ? undefined : `PostgreSQL ended (${signal ?? `code ${code}`})`,
    ),
  }
}

/** Starts a Temporal server that can be crashed and restarted at the same address. */
async function startTemporalPart(options: TemporalOptions) {
  let report = (_: string | undefined): void => {}
  const exited = new Promise<string | undefined>((resolve) => {
    report = resolve
  })
  let server: TemporalServer | undefined
  const start = async (again: TemporalOptions): Promise<TemporalServer> => {
    const started = await startTemporal(again)
    server = started
    void started.exited.then(({ code, signal }) => {
      if (server === started) report(`the Temporal server ended (${signal ?? `code ${code}`})`)
    })
    return started
  }
  const { address, uiUrl } = await start(options)
  const same: TemporalOptions = {
    ...options,
    port: Number(new URL(`http://${address}`).port),
    ...(uiUrl !== undefined && { uiPort: Number(new URL(uiUrl).port) }),
  }
  const end = async (how: 'stop' | 'crash'): Promise<void> => {
    const ending = server
    server = undefined
    await ending?.[how]()
  }
  return {
    address,
    uiUrl,
    exited,
    stop: () => end('stop'),
    async crash() {
      if (options.dataFile === undefined)
        throw new Error('a Temporal server in memory forgets everything: use `durable`')
      await end('crash')
    },
    async start() {
      await start(same)
    },
  }
}

function notOurs(what: string): Outage {
  const refuse = async (): Promise<never> => {
    throw new Error(`${what} is configured and not ours to crash`)
  }
  return { crash: refuse, start: refuse }
}
