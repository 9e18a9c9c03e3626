/** A deleted row stays in PostgreSQL's files until VACUUM, which keeps it as long as any snapshot can see it. */
import type { Database, Transaction } from './database.ts'

/** The id of the current transaction, for `vacuumDeletedKeys`. */
export async function currentTransaction(tx: Transaction): Promise<string> {
  const [row] = await tx<{ id: string }[]>`select pg_current_xact_id()::text as id`
  return row?.id ?? ''
}

/**
 * Vacuums the data keys that a transaction deleted. Without its key, ciphertext that is left in files is unreadable.
 * @param transaction as `currentTransaction` returned it
 * @returns false while a snapshot is older than the transaction, so that VACUUM would keep the keys
 */
export async function vacuumDeletedKeys(sql: Database, transaction: string): Promise<boolean> {
  const [older] = await sql`
    select 1 from (
      -- Snapshots of other databases of the same server hold back nothing here; replication is of no database.
      select backend_xmin as xmin from pg_stat_activity where coalesce(datname, '') in ('', current_database())
      union all select xmin from pg_replication_slots
    ) as snapshots
    where xmin is not null and age(xmin) >= age(${transaction}::xid8::xid) and age(${transaction}::xid8::xid) >= 0
    limit 1`
  if (older) return false
  await vacuumKeys(sql)
  return true
}

/** Vacuums the table of data keys, which is small. */
export async function vacuumKeys(sql: Database): Promise<void> {
  await sql`vacuum data_keys`
}
