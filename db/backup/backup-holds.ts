import type { Queryable } from '../connection/database.ts'

/** Whether a backup made before this time still exists: it may hold whoever was erased at it. */
export async function isHeldByBackup(sql: Queryable, erasedAt: Date): Promise<boolean> {
  const [held] = await sql`
    select 1 from backups where state in ('running', 'kept') and started_at <= ${erasedAt} limit 1`
  return held !== undefined
}
