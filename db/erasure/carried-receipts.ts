/**
 * Receipts of erasures, carried over a restore like the deletion ledger: a restored database has them as of its dump,
 * or not at all, and an erased person has nothing but the id of their receipt.
 */
import type { ErasureStep } from '../../policy/deletion.ts'
import type { Database, Queryable, Transaction } from '../connection/database.ts'
import type { DeletionSteps, Deletions } from '../connection/schema.ts'
import { type DeletionPart, deleteEmptySeal, deleteSeal, deleteSecret } from './deletion-seals.ts'
import { type Receipt, receiptOf, stepOf } from './deletions.ts'

export interface CarriedReceipt extends Receipt {
  accountRef: string
}

/** The part of the seal that an erasure step needs. Settlements and the trace are needed after their step, too. */
const partOfStep: Partial<Record<ErasureStep, DeletionPart>> = {
  apple: 'apple',
  google: 'google',
  firebase: 'firebase',
  stripe: 'stripeCustomer',
  esim_provider: 'providerOrders',
  mail: 'address',
  stripe_redaction: 'payments',
}

/** All receipts, the oldest first. */
export async function exportReceipts(sql: Queryable): Promise<CarriedReceipt[]> {
  const rows = await sql<(Deletions & { steps: StepInJson[] })[]>`
    select d.*, (
      select json_agg(json_build_object('processor', processor, 'state', state, 'code', code, 'changed_at', changed_at)
        order by processor) from deletion_steps s where s.receipt_id = d.receipt_id) as steps
    from deletions d order by erased_at, receipt_id`
  return rows.map((row) => ({
    ...receiptOf(row),
    accountRef: row.account_ref,
    steps: row.steps.map((step) => stepOf({ ...step, changed_at: new Date(step.changed_at) })),
  }))
}

type StepInJson = Omit<DeletionSteps, 'receipt_id' | 'changed_at'> & { changed_at: string }

/**
 * Adds missing receipts and updates the others; a completed receipt stays as it is. Parts of a restored seal whose
 * erasure step is done are deleted.
 */
export async function importReceipts(sql: Database, receipts: readonly CarriedReceipt[]): Promise<void> {
  for (const receipt of receipts) await sql.begin((tx) => importReceipt(tx, receipt))
}

async function importReceipt(tx: Transaction, receipt: CarriedReceipt): Promise<void> {
  const { receiptId, accountRef, reason, erasedAt, backupsGoneBy, completedAt, steps } = receipt
  const written = await tx`
    insert into deletions (receipt_id, account_ref, reason, erased_at, backups_gone_by, completed_at)
    values (${receiptId}, ${accountRef}, ${reason}, ${erasedAt}, ${backupsGoneBy}, ${completedAt})
    on conflict (receipt_id) do update
    set erased_at = excluded.erased_at, backups_gone_by = excluded.backups_gone_by, completed_at = excluded.completed_at
    where deletions.completed_at is null`
  if (written.count === 0) return
  const rows = steps.map(({ changedAt, ...step }) => ({ receipt_id: receiptId, ...step, changed_at: changedAt }))
  if (rows.length > 0)
    await tx`insert into deletion_steps ${tx(rows)} on conflict (receipt_id, processor) do update
      set state = excluded.state, code = excluded.code, changed_at = excluded.changed_at`
  if (completedAt) return deleteSeal(tx, receiptId)
  for (const { processor, state } of steps) {
    const part = partOfStep[processor]
    if (part && state !== 'pending' && state !== 'needs_operator') await deleteSecret(tx, receiptId, part)
  }
  await deleteEmptySeal(tx, receiptId)
}
