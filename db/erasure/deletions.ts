/** Receipts of erasures: each erasure step and its state. They hold nothing by which a person could be identified. */
import { type DeletionReason, type ErasureStep, erasureSteps, type StepState } from '../../policy/deletion.ts'
import { periods } from '../../policy/periods.ts'
import { plusDays } from '../../shared/calendar.ts'
import type { Database, Queryable, Transaction } from '../connection/database.ts'
import type { DeletionSteps, Deletions } from '../connection/schema.ts'

export type NewSteps = Record<ErasureStep, StepState>

export interface StartedDeletion {
  receiptId: string
  erasedAt: Date
  backupsGoneBy: Date
  /** the erasure steps that are not done */
  pending: ErasureStep[]
}

export interface Receipt {
  receiptId: string
  reason: DeletionReason
  erasedAt: Date
  backupsGoneBy: Date
  completedAt: Date | null
  steps: { processor: ErasureStep; state: StepState; code: string | null; changedAt: Date }[]
}

/** Writes a deletion and its erasure steps, in one round trip. */
export async function startDeletion(
  tx: Transaction,
  deletion: { accountRef: string; receiptId: string; reason: DeletionReason; at: Date; backupsGoneBy: Date },
  steps: NewSteps,
): Promise<StartedDeletion> {
  const { accountRef, receiptId, reason, at, backupsGoneBy } = deletion
  const rows = erasureSteps.map((processor) => ({
    receipt_id: receiptId,
    processor,
    state: steps[processor],
    changed_at: at,
  }))
  await Promise.all([
    tx`insert into deletions (receipt_id, account_ref, reason, erased_at, backups_gone_by)
      values (${receiptId}, ${accountRef}, ${reason}, ${at}, ${backupsGoneBy})`,
    tx`insert into deletion_steps ${tx(rows)}`,
  ])
  const pending = erasureSteps.filter((processor) => steps[processor] === 'pending')
  return { receiptId, erasedAt: at, backupsGoneBy, pending }
}

/**
 * The deletion of an account, or undefined when the account was never erased. Its run looks at refunds that may still
 * bounce, also when it is started anew after the step at the processor was done.
 */
export async function findDeletion(sql: Queryable, accountRef: string): Promise<StartedDeletion | undefined> {
  const [row] = await sql<Pick<Deletions, 'receipt_id' | 'erased_at' | 'backups_gone_by'>[]>`
    select receipt_id, erased_at, backups_gone_by from deletions where account_ref = ${accountRef}`
  if (!row) return undefined
  const steps = await sql<Pick<DeletionSteps, 'processor'>[]>`
    select processor from deletion_steps where receipt_id = ${row.receipt_id} and (state = 'pending'
      or (processor = 'stripe' and exists (
        select from deletion_seals s where s.receipt_id = ${row.receipt_id} and s.settlements is not null)))`
  return {
    receiptId: row.receipt_id,
    erasedAt: row.erased_at,
    backupsGoneBy: row.backups_gone_by,
    pending: steps.map(({ processor }) => processor),
  }
}

/** Whether there is an account, and the receipt of its deletion, as of one moment. */
export async function findAccountOrReceipt(
  sql: Queryable,
  { accountId, accountRef }: { accountId: string; accountRef: string },
): Promise<{ exists: boolean; receiptId: string | null }> {
  const [row] = await sql<{ exists: boolean; receipt_id: Deletions['receipt_id'] | null }[]>`
    select exists (select from accounts where id = ${accountId}) as exists,
      (select receipt_id from deletions where account_ref = ${accountRef}) as receipt_id`
  return { exists: row?.exists === true, receiptId: row?.receipt_id ?? null }
}

/** The receipt with its erasure steps in the order of `erasureSteps`, or undefined. */
export async function findReceipt(sql: Queryable, receiptId: string): Promise<Receipt | undefined> {
  const [[deletion], steps] = await Promise.all([
    sql<Deletions[]>`select * from deletions where receipt_id = ${receiptId}`,
    sql<DeletionSteps[]>`select * from deletion_steps where receipt_id = ${receiptId}`,
  ])
  if (!deletion) return undefined
  steps.sort((a, b) => erasureSteps.indexOf(a.processor) - erasureSteps.indexOf(b.processor))
  return { ...receiptOf(deletion), steps: steps.map(stepOf) }
}

/** A receipt without its erasure steps. */
export const receiptOf = (row: Deletions): Omit<Receipt, 'steps'> => ({
  receiptId: row.receipt_id,
  reason: row.reason,
  erasedAt: row.erased_at,
  backupsGoneBy: row.backups_gone_by,
  completedAt: row.completed_at,
})

export const stepOf = (row: Omit<DeletionSteps, 'receipt_id'>): Receipt['steps'][number] => ({
  processor: row.processor,
  state: row.state,
  code: row.code,
  changedAt: row.changed_at,
})

/** The state of one erasure step, or undefined. */
export async function findStep(
  sql: Queryable,
  receiptId: string,
  processor: ErasureStep,
): Promise<{ state: StepState; code: string | null } | undefined> {
  const [step] = await sql<Pick<DeletionSteps, 'state' | 'code'>[]>`
    select state, code from deletion_steps where receipt_id = ${receiptId} and processor = ${processor}`
  return step
}

/** The deletions of which a step was left to operators for one reason. */
export async function listStepsLeft(
  sql: Queryable,
  processor: ErasureStep,
  code: string,
): Promise<{ receiptId: string; accountRef: string }[]> {
  const rows = await sql<Pick<Deletions, 'receipt_id' | 'account_ref'>[]>`
    select d.receipt_id, d.account_ref from deletions d join deletion_steps s using (receipt_id)
    where d.completed_at is null and s.processor = ${processor} and s.state = 'needs_operator' and s.code = ${code}
    order by d.erased_at`
  return rows.map((row) => ({ receiptId: row.receipt_id, accountRef: row.account_ref }))
}

/** Sets the state of an erasure step. @param step.code the machine-readable reason for the state */
export async function recordStep(
  sql: Queryable,
  step: { receiptId: string; processor: ErasureStep; state: StepState; code?: string | null; at: Date },
): Promise<void> {
  await sql`update deletion_steps set state = ${step.state}, code = ${step.code ?? null}, changed_at = ${step.at}
    where receipt_id = ${step.receiptId} and processor = ${step.processor}`
}

/**
 * Completes a deletion whose erasure steps are all done. Its times are cut to days: R2, the books are anonymous, but a
 * second could be matched with theirs. U2, paid means delivered or refunded: the seal has the payments whose refunds
 * may still bounce, and goes with the completion.
 * @returns false while a step is not done, or refunds are looked at
 */
export async function completeDeletion(sql: Database, receiptId: string, at: Date): Promise<boolean> {
  return sql.begin(async (tx) => {
    const completed = await tx`
      update deletions set completed_at = coalesce(completed_at, date_trunc('day', ${at}::timestamptz)),
        erased_at = date_trunc('day', erased_at), backups_gone_by = date_trunc('day', backups_gone_by)
      where receipt_id = ${receiptId} and not exists (
        select 1 from deletion_steps s
        where s.receipt_id = deletions.receipt_id and s.state in ('pending', 'needs_operator'))
        and not (erased_at > ${plusDays(at, -periods.stripeRedactionAfterDays)} and exists (
          select from deletion_seals s where s.receipt_id = deletions.receipt_id and s.settlements is not null))`
    if (completed.count === 0) return false
    await tx`update deletion_steps set changed_at = date_trunc('day', changed_at) where receipt_id = ${receiptId}`
    await tx`delete from sends where subject_id = ${receiptId}`
    // What an operator has closed stays for as long as other closed tasks: a repeated request finds it.
    await tx`delete from attention where subject_id = ${receiptId}
      and (resolved_by is null or resolved_by not like 'operator:%')`
    await tx`update attention set opened_at = date_trunc('day', opened_at), due_at = null,
        resolved_at = date_trunc('day', resolved_at), taken_at = date_trunc('day', taken_at),
        noted_at = date_trunc('day', noted_at)
      where subject_id = ${receiptId}`
    return true
  })
}
