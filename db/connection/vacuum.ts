/** Trap of PostgreSQL: a deleted row stays in the file until it is vacuumed, and that only when nobody can see it. */
import type { Database, Transaction } from './database.ts'

/** Names the transaction, for `forgetDeletedKeys`. */
export async function currentTransaction(tx: Transaction): Promise<string> {
  const [row] = await tx<{ id: string }[]>`select pg_current_xact_id()::text as id`
  return row?.id ?? ''
}

/**
 * Vacuums the data keys that a transaction deleted: without them, whatever else is left in files and older dumps of what
 * they sealed is unreadable.
 * @returns false while somebody's snapshot is older than the transaction, so that vacuuming would leave them
 */
export async function forgetDeletedKeys(sql: Database, transaction: string): Promise<boolean> {
  const [older] = await sql`
    select 1 from (
      select backend_xmin as xmin from pg_stat_activity
      union all select xmin from pg_replication_slots
    ) as snapshots
    where xmin is not null and age(xmin) >= age(${transaction}::xid8::xid) and age(${transaction}::xid8::xid) >= 0
    limit 1`
  if (older) return false
  await vacuumKeys(sql)
  return true
}

/** The table is small, and pages without deleted rows are skipped. */
export async function vacuumKeys(sql: Database): Promise<void> {
  await sql`vacuum data_keys`
}
