import { readdir, readFile } from 'node:fs/promises'
import { seedPolicies } from '../policies.ts'
import type { Database } from './database.ts'

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
 * Applies the files of db/migrations that this database does not have yet, in order, each in a transaction.
 * @returns the names of the applied files
 */
export async function migrate(sql: Database): Promise<string[]> {
  const files = await migrationFiles()
  const applied: string[] = []
  const connection = await sql.reserve()
  try {
    await connection`select pg_advisory_lock(${lockId})`
    await connection`create table if not exists migrations (name text primary key, applied_at timestamptz not null)`
    const known = new Set((await connection<{ name: string }[]>`select name from migrations`).map((row) => row.name))
    for (const name of files.filter((file) => !known.has(file))) {
      const text = await readFile(new URL(name, folder), 'utf8')
      // PostgreSQL runs several statements of one simple query as one transaction.
      await connection.unsafe(`${text};\ninsert into migrations values ('${name}', clock_timestamp())`)
      applied.push(name)
    }
    await seedPolicies(connection)
  } finally {
    await connection`select pg_advisory_unlock(${lockId})`
    connection.release()
  }
  return applied
}
