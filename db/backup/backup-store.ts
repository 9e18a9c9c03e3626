/**
 * R3, backups are kept for at most 30 days: the newest reading of the backup store. The catalogue only says what should
 * be there.
 */
import type { Queryable } from '../connection/database.ts'

/** @param files the dumps that the store holds; an empty file is none */
export async function recordStore(
  sql: Queryable,
  files: readonly { at: Date; bytes: number }[],
  readAt: Date,
): Promise<void> {
  const times = files.filter(({ bytes }) => bytes > 0).map(({ at }) => at.getTime())
  const oldest = times.length > 0 ? new Date(Math.min(...times)) : null
  const newest = times.length > 0 ? new Date(Math.max(...times)) : null
  await sql`insert into backup_store (place, read_at, files, oldest_at, newest_at)
    values ('folder', ${readAt}, ${times.length}, ${oldest}, ${newest})
    on conflict (place) do update set read_at = excluded.read_at, files = excluded.files,
      oldest_at = excluded.oldest_at, newest_at = excluded.newest_at`
}
