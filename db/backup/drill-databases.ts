/**
 * The databases of restore drills. A drill drops its own; one whose worker is killed leaves it, with everybody who was
 * erased since the backup.
 */
import { randomBytes } from 'node:crypto'
import type { Database } from '../connection/database.ts'

/** A name for a database of a drill, with the time in milliseconds. */
export const drillDatabase = (at: Date): string => `restore_drill_${at.getTime()}_${randomBytes(6).toString('hex')}`

/**
 * Drops our databases of drills that were begun before a time. Those of builds whose names had no time go at once.
 * @returns how many there were
 */
export async function dropAbandonedDrills(sql: Database, before: Date): Promise<number> {
  const found = await sql<{ name: string }[]>`
    select d.datname as name from pg_database d join pg_roles r on r.oid = d.datdba
    where d.datname ~ '^restore_drill_' and r.rolname = current_user`
  const abandoned = found.filter(
    ({ name }) => Number(/^restore_drill_(\d{13})_/.exec(name)?.[1] ?? 0) < before.getTime(),
  )
  for (const { name } of abandoned) await sql`drop database if exists ${sql(name)} with (force)`
  return abandoned.length
}
