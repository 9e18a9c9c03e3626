/**
 * R3, restored backups hold no erased person: the append-only list of erasures, which names an erased person by a keyed
 * pseudonym only. A restored backup may hold people who were erased after it was made: replaying the ledger erases them
 * again.
 */
import type { Database, Queryable } from '../connection/database.ts'
import type { Accounts, DeletionLedger } from '../connection/schema.ts'
import { vacuumKeys } from '../connection/vacuum.ts'
import type { FieldCipher } from '../crypto/field-cipher.ts'
import { listedElsewhere, noteErasedReferences } from './erased-references.ts'
import { eraseRows, readOwnedIds } from './erased-rows.ts'

export interface LedgerEntry {
  accountRef: string
  entry: DeletionLedger['entry']
  reason: string
  /** a day, like all times of the ledger: a second could be matched with the payments that were closed in it */
  at: Date
  backupsGoneBy: Date
}

/** Appends the erasure of an account. */
export async function appendErased(
  sql: Queryable,
  erasure: { accountRef: string; reason: string; at: Date; backupsGoneBy: Date },
): Promise<void> {
  await importLedger(sql, [{ ...erasure, entry: 'erased' }])
}

/** Appends that the last backup with the person was deleted. */
export async function appendBackupsGone(sql: Queryable, receiptId: string, at: Date): Promise<void> {
  await sql`
    insert into deletion_ledger (account_ref, entry, reason, at, backups_gone_by)
    select account_ref, 'backups_gone', reason, date_trunc('day', ${at}::timestamptz),
      date_trunc('day', backups_gone_by)
    from deletions where receipt_id = ${receiptId}
    on conflict do nothing`
}

/** The whole ledger, the oldest entry first: for the copy beside the backups, and for a restore. */
export async function exportLedger(sql: Queryable): Promise<LedgerEntry[]> {
  const rows = await sql<DeletionLedger[]>`select * from deletion_ledger order by at, account_ref, entry`
  return rows.map((row) => ({
    accountRef: row.account_ref,
    entry: row.entry,
    reason: row.reason,
    at: row.at,
    backupsGoneBy: row.backups_gone_by,
  }))
}

/** Adds missing entries; existing ones stay as they are. */
export async function importLedger(sql: Queryable, entries: readonly LedgerEntry[]): Promise<void> {
  for (const { accountRef, entry, reason, at, backupsGoneBy } of entries) {
    await sql`insert into deletion_ledger (account_ref, entry, reason, at, backups_gone_by)
      values (${accountRef}, ${entry}, ${reason}, date_trunc('day', ${at}::timestamptz),
        date_trunc('day', ${backupsGoneBy}::timestamptz))
      on conflict do nothing`
  }
}

/**
 * Erases every account that the ledger names and the database holds again. It must run after every restore, before API
 * and worker start; it can be repeated.
 * @returns the number of accounts that had come back
 */
export async function replayLedger(sql: Database, cipher: FieldCipher, at: Date): Promise<{ erased: number }> {
  const restored = await sql<Pick<Accounts, 'id'>[]>`
    select a.id from accounts a
    join deletion_ledger l on l.account_ref = a.account_ref and l.entry = 'erased' order by a.id`
  for (const { id } of restored) {
    await sql.begin(async (tx) => {
      await noteErasedReferences(tx, cipher, await listedElsewhere(tx, id), at)
      await eraseRows(tx, id, await readOwnedIds(tx, id))
    })
  }
  // A backup that was made during a deletion holds its seal; the carried receipts have deleted the data key of a done
  // one.
  await sql`delete from deletion_seals s
    where not exists (select 1 from data_keys k where k.account_id = s.receipt_id)`
  await vacuumKeys(sql)
  return { erased: restored.length }
}

/** Whether anybody was erased on the day of a time, or later. */
export async function erasedSince(sql: Queryable, time: Date): Promise<boolean> {
  const [row] = await sql`
    select 1 from deletion_ledger where entry = 'erased' and at >= date_trunc('day', ${time}::timestamptz) limit 1`
  return row !== undefined
}

/** Whether the account that this pseudonym names was erased. */
export async function isErased(sql: Queryable, accountRef: string): Promise<boolean> {
  const rows = await sql`select 1 from deletion_ledger where entry = 'erased' and account_ref = ${accountRef} limit 1`
  return rows.length > 0
}
