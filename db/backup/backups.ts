/** R3, backups are kept for at most 30 days: the catalogue of backups. It holds no personal data. */

import { periods } from '../../policy/periods.ts'
import { plusDays } from '../../shared/calendar.ts'
import type { DrillResult } from '../../workflows/backup/backup.contract.ts'
import { numberOrNull } from '../connection/bigints.ts'
import type { Queryable } from '../connection/database.ts'
import type { Backups } from '../connection/schema.ts'

export type BackupState = Backups['state']

export interface Backup {
  id: string
  state: BackupState
  startedAt: Date
  finishedAt: Date | null
  bytes: number | null
  code: string | null
  prunedAt: Date | null
  drilledAt: Date | null
  drill: DrillReport | null
}

/** The result of a restore drill, stored with the backup that it restored. */
export type DrillReport = Omit<DrillResult, 'backupId'>

/** Records the start of a backup; another attempt at the same backup starts it anew. */
export async function startBackup(sql: Queryable, backup: { id: string; at: Date; keyId: string }): Promise<void> {
  await sql`
    insert into backups (id, state, started_at, key_id) values (${backup.id}, 'running', ${backup.at}, ${backup.keyId})
    on conflict (id) do update set state = 'running', code = null`
}

/** Records that a backup is in the folder. `bytes`: the size of its dump */
export async function finishBackup(sql: Queryable, backup: { id: string; bytes: number; at: Date }): Promise<void> {
  await sql`update backups set state = 'kept', bytes = ${backup.bytes}, finished_at = ${backup.at}, code = null
    where id = ${backup.id}`
}

/** Records that a backup could not be made; `at` is also its start if it has no row yet. */
export async function failBackup(sql: Queryable, backup: { id: string; code: string; at: Date }): Promise<void> {
  await sql`insert into backups (id, state, started_at, finished_at, code)
    values (${backup.id}, 'failed', ${backup.at}, ${backup.at}, ${backup.code})
    on conflict (id) do update set state = 'failed', finished_at = excluded.finished_at, code = excluded.code`
}

/** Backups from before are deleted: the next run is a day away, so those that would be too old by then go now. */
export const prunedUntil = (at: Date): Date => plusDays(at, 1 - periods.backups.keepDays)

/** Code of a backup that should be in the folder and is not: the folder may be another one. */
const missing = 'missing'

/**
 * Makes the catalogue agree with the folder: a backup without a file that has reached its age is marked as pruned, a
 * file without a row gets one. A younger one without a file counts as kept, with the code `missing`: a folder that is
 * not mounted holds it all the same. A backup that is being made stays as it is.
 * @param times.prunedUntil backups from before were deleted
 * @returns how many are missing
 */
export async function reconcileBackups(
  sql: Queryable,
  folder: readonly { id: string; at: Date; bytes: number }[],
  { at, runningSince, prunedUntil }: { at: Date; runningSince: Date; prunedUntil: Date },
): Promise<number> {
  const ids = folder.map(({ id }) => id)
  await sql`update backups set state = 'pruned', pruned_at = ${at}, code = null
    where state = 'kept' and id <> all(${ids}) and started_at <= ${prunedUntil}`
  await sql`update backups set code = null where state = 'kept' and code = ${missing} and id = any(${ids})`
  const lacking = await sql`update backups set code = ${missing} where state = 'kept' and id <> all(${ids})`
  await sql`update backups set state = 'failed', code = 'lost', finished_at = ${at}
    where state = 'running' and started_at < ${runningSince} and id <> all(${ids})`
  for (const { id, at: startedAt, bytes } of folder) {
    await sql`
      insert into backups (id, state, started_at, bytes) values (${id}, 'kept', ${startedAt}, ${bytes})
      on conflict (id) do update set state = 'kept', bytes = excluded.bytes, pruned_at = null
      where backups.state in ('pruned', 'failed') or (backups.state = 'running' and backups.started_at < ${runningSince})`
  }
  return lacking.count
}

/** Backups, the newest first. */
export async function listBackups(sql: Queryable, limit: number): Promise<Backup[]> {
  const rows = await sql<Backups[]>`select * from backups order by started_at desc limit ${limit}`
  return rows.map(backupOf)
}

export async function findBackup(sql: Queryable, id: string): Promise<Backup | undefined> {
  const [row] = await sql<Backups[]>`select * from backups where id = ${id}`
  return row && backupOf(row)
}

const backupOf = (row: Backups): Backup => ({
  id: row.id,
  state: row.state,
  startedAt: row.started_at,
  finishedAt: row.finished_at,
  bytes: numberOrNull(row.bytes),
  code: row.code,
  prunedAt: row.pruned_at,
  drilledAt: row.drilled_at,
  drill: row.drill,
})

/** Records what the newest drill of a backup has shown. */
export async function recordDrill(sql: Queryable, id: string, report: DrillReport, at: Date): Promise<void> {
  await sql`update backups set drilled_at = ${at}, drill = ${sql.json({ ...report })} where id = ${id}`
}
