/**
 * R3: the append-only list of erasures, which holds nothing of the erased but a keyed pseudonym. A restored backup may
 * hold people who were erased after it was made; replaying the ledger erases them again.
 */
import type { Database, Queryable } from '../connection/database.ts'
import { vacuumKeys } from '../connection/vacuum.ts'
import { eraseRows, readOwnedIds } from './erased-rows.ts'

export interface LedgerEntry {
  accountRef: string
  entry: 'erased' | 'backups_gone'
  reason: string
  /** the day, as are all times here: the second would lead to payments that were closed in it */
  at: Date
  backupsGoneBy: Date
}

export async function appendErased(
  sql: Queryable,
  erasure: { accountRef: string; reason: string; at: Date; backupsGoneBy: Date },
): Promise<void> {
  await importLedger(sql, [{ ...erasure, entry: 'erased' }])
}

/** Notes that the last backup holding the person is gone. */
export async function appendBackupsGone(sql: Queryable, receiptId: string, at: Date): Promise<void> {
  await sql`
    insert into deletion_ledger (account_ref, entry, reason, at, backups_gone_by)
    select account_ref, 'backups_gone', reason, date_trunc('day', ${at}::timestamptz),
      date_trunc('day', backups_gone_by)
    from deletions where receipt_id = ${receiptId}
    on conflict do nothing`
}

/** The whole ledger, to be kept beside a backup or carried over a restore; the oldest entry first. */
export async function exportLedger(sql: Queryable): Promise<LedgerEntry[]> {
  return sql<LedgerEntry[]>`
    select account_ref as "accountRef", entry, reason, at, backups_gone_by as "backupsGoneBy"
    from deletion_ledger order by at, account_ref, entry`
}

/** Adds entries that are not there yet; what is there stays as it is. */
export async function importLedger(sql: Queryable, entries: readonly LedgerEntry[]): Promise<void> {
  for (const { accountRef, entry, reason, at, backupsGoneBy } of entries) {
    await sql`insert into deletion_ledger (account_ref, entry, reason, at, backups_gone_by)
      values (${accountRef}, ${entry}, ${reason}, date_trunc('day', ${at}::timestamptz),
        date_trunc('day', ${backupsGoneBy}::timestamptz))
      on conflict do nothing`
  }
}

/**
 * Erases again whoever the ledger names and the database holds. To be run after every restore, before anything else may
 * start; running it again changes nothing.
 * @returns how many people had come back
 */
export async function replayLedger(sql: Database): Promise<{ erased: number }> {
  const back = await sql<{ id: string }[]>`
    select a.id from accounts a
    join deletion_ledger l on l.account_ref = a.account_ref and l.entry = 'erased' order by a.id`
  for (const { id } of back) await sql.begin(async (tx) => eraseRows(tx, id, await readOwnedIds(tx, id)))
  // A backup made during an erasure holds what was sealed for third parties; by now they have been told.
  await sql`delete from deletion_seals s
    where not exists (select 1 from data_keys k where k.account_id = s.receipt_id)`
  await vacuumKeys(sql)
  return { erased: back.length }
}
