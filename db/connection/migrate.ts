import { readdir, readFile } from 'node:fs/promises'
import { seedPolicies } from '../policies.ts'
import { connectDatabase, type Database, timeLimits } from './database.ts'

const folder = new URL('../migrations/', import.meta.url)
/** An arbitrary constant for the advisory lock: two processes must not migrate at the same time. */
const lockId = 20_260_620

const migrationFiles = async (): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()

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
 */
export async function migrate(url: string): Promise<string[]> {
  const files = await migrationFiles()
  const applied: string[] = []
  // One connection, because the lock belongs to it.
  const sql = connectDatabase(url, { name: 'ama-esim-migrate', maxConnections: 1, limits: timeLimits.maintenance })
  try {
    await sql`select pg_advisory_lock(${lockId})`
    await sql`create table if not exists migrations (name text primary key, applied_at timestamptz not null)`
    const known = new Set((await sql<{ name: string }[]>`select name from migrations`).map((row) => row.name))
    for (const name of files.filter((file) => !known.has(file))) {
      const text = await readFile(new URL(name, folder), 'utf8')
      // PostgreSQL runs several statements of one simple query as one transaction.
      await sql.unsafe(`${text};\ninsert into migrations values ('${name}', clock_timestamp())`)
      applied.push(name)
    }
    await seedPolicies(sql)
  } finally {
    // PostgreSQL frees the lock with the connection.
    await sql.end({ timeout: 5 })
  }
  return applied
}
