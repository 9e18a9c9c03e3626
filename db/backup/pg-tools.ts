/** Runs pg_dump and pg_restore, which are part of PostgreSQL's client package. */
import { execFile, spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { trustedRoots } from './trusted-roots.ts'

/** The programs are missing, or too old for the server. */
export class PgToolsMissing extends Error {
  override readonly name = 'PgToolsMissing'
  readonly code: 'pg_dump_missing' | 'pg_dump_too_old'

  constructor(code: PgToolsMissing['code']) {
    super(`no usable pg_dump: ${code}`)
    this.code = code
  }
}

/** A program failed. `detail` is the end of its output, which may quote personal data: it must not be logged. */
export class PgToolFailed extends Error {
  override readonly name = 'PgToolFailed'
  readonly code: string
  readonly detail: string

  constructor(program: string, exit: number | NodeJS.Signals | null, detail: string) {
    super(`${program} ended with ${exit}`)
    this.code = `${program}_exit_${exit}`
    this.detail = detail
  }

  /** The first line with an error; the lines after it may quote rows. */
  get said(): string {
    return (this.detail.split('\n').find((line) => line.includes('error:')) ?? '').slice(0, 200)
  }
}

export interface PgTools {
  folder: string
  major: number
}

/** Of libpq: how long a program waits for a server that is gone without a word. Its statements have no limit. */
const connectionLimits = {
  connect_timeout: '10',
  keepalives_idle: '60',
  keepalives_interval: '10',
  keepalives_count: '3',
  tcp_user_timeout: '90000',
}

const debianFolder = '/usr/lib/postgresql'

/**
 * Finds programs that are new enough for a server: those on PATH, else the oldest sufficient ones in Debian's folders.
 * @param serverMajor the server's major version; a program of an older major version refuses it
 * @param only the only folder to search, if given
 * @throws PgToolsMissing
 */
export async function findPgTools(serverMajor: number, only: string | undefined): Promise<PgTools> {
  const found: PgTools[] = []
  for (const folder of only === undefined ? await usualFolders() : [only]) {
    const major = await majorOf(join(folder, 'pg_dump'))
    if (major !== undefined) found.push({ folder, major })
  }
  if (found.length === 0) throw new PgToolsMissing('pg_dump_missing')
  const fit = found.filter(({ major }) => major >= serverMajor).sort((a, b) => a.major - b.major)[0]
  if (!fit) throw new PgToolsMissing('pg_dump_too_old')
  return fit
}

async function usualFolders(): Promise<string[]> {
  const onPath = await promisify(execFile)('/bin/sh', ['-c', 'command -v pg_dump']).then(
    ({ stdout }) => [dirname(stdout.trim())],
    () => [],
  )
  const majors = await readdir(debianFolder).catch(() => [])
  return [...onPath, ...majors.map((major) => join(debianFolder, major, 'bin'))]
}

async function majorOf(pgDump: string): Promise<number | undefined> {
  try {
    const { stdout } = await promisify(execFile)(pgDump, ['--version'])
    return Number(/\(PostgreSQL\) (\d+)/.exec(stdout)?.[1])
  } catch {
    return undefined
  }
}

/**
 * Dumps a database in pg_dump's own compressed format.
 * @param options.withoutData tables whose rows the dump leaves out
 * @param write stores the dump, which is complete only if this function resolves
 * @throws PgToolFailed
 */
export async function dumpDatabase(
  tools: PgTools,
  url: string,
  options: { withoutData: readonly string[]; signal?: AbortSignal },
  write: (dump: Readable) => Promise<number>,
): Promise<number> {
  const flags = ['--format=custom', '--no-owner', '--no-privileges', '--no-password', '--lock-wait-timeout=60s']
  const without = options.withoutData.map((table) => `--exclude-table-data=${table}`)
  const run = await startTool(tools, 'pg_dump', url, [...flags, ...without], options.signal)
  run.child.stdin.end()
  // A dump that breaks off ends like a complete one: only the program's exit status tells them apart.
  const whole = Readable.from(
    (async function* () {
      yield* run.child.stdout
      await run.ended
    })(),
    { objectMode: false },
  )
  try {
    return await write(whole)
  } catch (error) {
    run.child.kill('SIGKILL')
    await run.ended.catch(() => undefined)
    throw error
  }
}

/**
 * Lets pg_dump read the schema, and stores nothing: the program connects by itself, with libpq's own ideas of TLS.
 * @throws PgToolFailed, whose detail quotes no row
 */
export async function tryDump(tools: PgTools, url: string): Promise<void> {
  const run = await startTool(tools, 'pg_dump', url, ['--schema-only', '--no-password', '--lock-wait-timeout=5s'])
  run.child.stdin.end()
  run.child.stdout.resume()
  await run.ended
}

/**
 * Fills an empty database from a dump, in one transaction.
 * @throws PgToolFailed
 */
export async function restoreDatabase(tools: PgTools, url: string, dump: Readable): Promise<void> {
  const flags = ['--no-owner', '--no-privileges', '--no-password', '--exit-on-error', '--single-transaction']
  const run = await startTool(tools, 'pg_restore', url, flags)
  const [fed, ended] = await Promise.allSettled([pipeline(dump, run.child.stdin), run.ended])
  // A program that gives up stops reading: its own error says more than the broken pipe.
  if (ended.status === 'rejected' && !(fed.status === 'rejected' && isOurs(fed.reason))) throw ended.reason
  if (fed.status === 'rejected') throw fed.reason
}

const isOurs = (error: unknown): boolean => error instanceof Error && error.name === 'UnreadableBackup'

async function startTool(tools: PgTools, program: string, url: string, flags: string[], signal?: AbortSignal) {
  const target = new URL(url)
  const password = decodeURIComponent(target.password)
  // Every user of the machine can read a process's arguments, but not its environment.
  target.password = ''
  for (const [name, value] of Object.entries(connectionLimits)) {
    if (!target.searchParams.has(name)) target.searchParams.set(name, value)
  }
  const verifies = target.searchParams.get('sslmode')?.startsWith('verify-')
  if (verifies && !target.searchParams.has('sslrootcert')) target.searchParams.set('sslrootcert', await trustedRoots())
  const child = spawn(join(tools.folder, program), [...flags, `--dbname=${target.href}`], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: `${tools.folder}:/usr/bin:/bin`, LC_ALL: 'C', PGPASSWORD: password, PGAPPNAME: program },
    ...(signal && { signal, killSignal: 'SIGKILL' as const }),
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000)
  })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, killedBy) => {
      if (code === 0) resolve()
      else reject(new PgToolFailed(program, code ?? killedBy, said.trim()))
    })
  })
  // The caller awaits it later: without this an early rejection would end the process.
  ended.catch(() => undefined)
  return { child, ended }
}
