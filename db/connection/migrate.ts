import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { propertyOf } from '../../shared/keys-of.ts'
import { seedPolicies } from '../policies.ts'
import { connectDatabase, type Database, timeLimits } from './database.ts'

const folder = new URL('../migrations/', import.meta.url)
/** An arbitrary constant for the advisory lock: two processes must not migrate at the same time. */
const lockId = 20_260_620

/** PostgreSQL's code of a lock that was waited for too long. */
const lockTimeout = '55P03'
const longestPauseMs = 15_000

interface MigrateOptions {
  /** of the files; those of this build by default */
  folder?: URL
  /**
   * Who waits for a table, for as long as the nightly backup reads it, keeps everybody from it who comes later: a
   * migration waits for less than a request, and asks again.
   */
  lockMs?: number
  firstPauseMs?: number
  triesForMs?: number
}

/** Others used the tables that a migration changes for as long as it was tried. Nothing of it was applied. */
export class TablesInUse extends Error {
  override readonly name = 'TablesInUse'
}

const migrationFiles = async (from = folder): Promise<string[]> =>
  (await readdir(from)).filter((name) => name.endsWith('.sql')).sort()

/** The migrations that the database lacks: all of them, when it has never been migrated. */
export async function missingMigrations(sql: Database): Promise<string[]> {
  const [table] = await sql<{ exists: boolean }[]>`select to_regclass('migrations') is not null as exists`
  const known = table?.exists ? await sql<{ name: string }[]>`select name from migrations` : []
  const names = new Set(known.map(({ name }) => name))
  return (await migrationFiles()).filter((name) => !names.has(name))
}

/**
 * Applies the files of db/migrations that this database does not have yet, in order, each in a transaction. Several
 * processes may do it at once.
 * @param url of the database, with its owner's credentials
 * @returns the names of the applied files
 * @throws TablesInUse
 */
export async function migrate(url: string, options: MigrateOptions = {}): Promise<string[]> {
  const { lockMs = 2_000, folder: from = folder } = options
  const files = await migrationFiles(from)
  const applied: string[] = []
  // One connection, because the lock belongs to it.
  const sql = connectDatabase(url, { name: 'ama-esim-migrate', maxConnections: 1, limits: timeLimits.maintenance })
  try {
    await sql`select pg_advisory_lock(${lockId})`
    await sql`create table if not exists migrations (name text primary key, applied_at timestamptz not null)`
    const known = new Set((await sql<{ name: string }[]>`select name from migrations`).map((row) => row.name))
    for (const name of files.filter((file) => !known.has(file))) {
      const text = await readFile(new URL(name, from), 'utf8')
      // PostgreSQL runs several statements of one simple query as one transaction. The lock of all migrations may take
      // longer than this.
      const statements = `set local lock_timeout = ${lockMs};\n${text};\ninsert into migrations values ('${name}', clock_timestamp())`
      await untilFree(() => sql.unsafe(statements), name, options)
      applied.push(name)
    }
    await seedPolicies(sql)
  } finally {
    // PostgreSQL frees the lock with the connection.
    await sql.end({ timeout: 5 })
  }
  return applied
}

async function untilFree(
  apply: () => PromiseLike<unknown>,
  name: string,
  { firstPauseMs = 1_000, triesForMs = 15 * 60_000 }: MigrateOptions,
): Promise<void> {
  const giveUpAt = performance.now() + triesForMs
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      await apply()
      return
    } catch (error) {
      if (propertyOf(error, 'code') !== lockTimeout) throw error
      if (performance.now() > giveUpAt)
        throw new TablesInUse(`${name} changes tables that others use, such as the nightly backup: repeat it later`)
    }
    await pause(pauseMs)
  }
}
