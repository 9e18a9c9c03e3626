import type { Queryable } from '../connection/database.ts'

/** Whether a backup that was made before an erasure still exists: it may hold the erased person. */
export async function isHeldByBackup(sql: Queryable, erasedAt: Date): Promise<boolean> {
  const [held] = await sql`
    select 1 from backups where state in ('running', 'kept') and started_at <= ${erasedAt} limit 1`
  return held !== undefined
}
