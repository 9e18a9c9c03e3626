/**
 * The end of a deletion, and what operators do to a step that was left to them: they have done it by hand, or let it be
 * tried again.
 */
import type { DeletionReason, ErasureStep } from '../../policy/deletion.ts'
import { periods } from '../../policy/periods.ts'
import { plusDays } from '../../shared/calendar.ts'
import type { Database, Transaction } from '../connection/database.ts'
import type { DeletionSteps, Deletions } from '../connection/schema.ts'
import { vacuumKeys } from '../connection/vacuum.ts'
import type { ColumnEncryption } from '../crypto/column-encryption.ts'
import { closeOperatorTask } from '../operator-tasks.ts'
import { appendBackupsGone } from './deletion-ledger.ts'
import {
  deleteEmptySeal,
  deleteSeal,
  deleteSecret,
  deleteTraceUnlessNeeded,
  hasAnyPart,
  openSecret,
} from './deletion-seals.ts'
import { completeDeletion, findReceipt, findStep, recordStep } from './deletions.ts'
import { goneButListed, partsOfStep, type StepOfReceipt } from './step-tasks.ts'

/** The code of a step that an operator has done by hand. */
const doneByOperator = 'by_operator'

/** Why a step is not ended, or not tried, by an operator. */
export type StepConflict =
  /** the deletion finds by itself what was done, and its books need that as well */
  | 'finds_by_itself'
  | 'not_left'
  /** nothing is left by which it could be tried */
  | 'nothing_sealed'

type FinishingContext = ColumnEncryption & { sql: Database }

/**
 * Completes the receipt of a deletion whose steps are all done. Repeatable. @returns false while a step is not done, or
 * refunds are looked at
 */
export async function finishDeletion(
  { sql, dataKeys }: Pick<FinishingContext, 'sql' | 'dataKeys'>,
  receiptId: string,
  at: Date,
): Promise<boolean> {
  await sql.begin((tx) => deleteEmptySeal(tx, receiptId))
  dataKeys.evict(receiptId)
  await vacuumKeys(sql)
  const complete = await completeDeletion(sql, receiptId, at)
  // A seal of a restored backup may hold what steps needed that were done before the restore.
  if (complete) await sql.begin((tx) => deleteSeal(tx, receiptId))
  return complete
}

/**
 * Records that an operator has done by hand what a step asks for, deletes what the step had in the seal, and completes
 * the receipt if it was the last one. Repeatable.
 * @returns why it is not, if it is not
 */
export async function doneByHand(
  context: FinishingContext,
  step: StepOfReceipt,
  act: { taskId: string; by: string; note: string; at: Date },
): Promise<StepConflict | undefined> {
  const { sql } = context
  const { receiptId } = step
  const { taskId: id, by, note, at } = act
  // A refund that is on its way may still bounce: the deletion looks at it until the payments are redacted.
  const isWatching = step.processor === 'stripe' && (await isBeforeRedaction(sql, receiptId, at))
  if (await findsByItself(context, step, isWatching)) return 'finds_by_itself'
  const isDone = await sql.begin(async (tx) => {
    const known = await lockStep(tx, step)
    if (known?.state === 'done' && known.code === doneByOperator) return true
    if (known?.state !== 'needs_operator') return false
    await recordStep(tx, { ...step, state: 'done', code: doneByOperator, at })
    for (const part of partsOfStep[step.processor])
      if (part !== 'settlements' || !isWatching) await deleteSecret(tx, receiptId, part)
    await deleteTraceUnlessNeeded(tx, receiptId)
    if (step.processor === 'backups') await appendBackupsGone(tx, receiptId, at)
    await closeOperatorTask(tx, { id, by, note, at })
    return true
  })
  // The run of the deletion may have ended without it.
  if (!isDone) return 'not_left'
  await finishDeletion(context, receiptId, at)
  return undefined
}

/**
 * What looks again by itself, and records more than the receipt: the books have to get a refund that an operator has
 * made, and the rows of Temporal's list are asked for each day.
 * @param isWatching whether the deletion still looks at the refunds of the step
 */
async function findsByItself(
  context: FinishingContext,
  { receiptId, processor }: StepOfReceipt,
  isWatching: boolean,
): Promise<boolean> {
  const { sql } = context
  if (processor === 'temporal') return (await findStep(sql, receiptId, processor))?.code === goneButListed
  if (!isWatching) return false
  const settlements = await openSecret(sql, context, receiptId, 'settlements')
  return settlements?.some(({ trouble }) => trouble !== null) ?? false
}

async function isBeforeRedaction(sql: Database, receiptId: string, at: Date): Promise<boolean> {
  const receipt = await findReceipt(sql, receiptId)
  return receipt !== undefined && at < plusDays(receipt.erasedAt, periods.stripeRedactionAfterDays)
}

/**
 * Makes a step that was left to operators, and still has what it needs, pending again.
 * @returns what its run is started or found by, or why the step cannot be tried again
 */
export async function openStepAgain(
  sql: Database,
  step: StepOfReceipt,
  at: Date,
): Promise<{ accountRef: string; reason: DeletionReason } | StepConflict> {
  const { receiptId, processor } = step
  return sql.begin(async (tx) => {
    const [deletion] = await tx<Pick<Deletions, 'account_ref' | 'reason'>[]>`
      select account_ref, reason from deletions where receipt_id = ${receiptId} and completed_at is null`
    const known = await lockStep(tx, step)
    if (!deletion || !known) return 'not_left'
    if (known.code === goneButListed) return 'finds_by_itself'
    if (known.state !== 'needs_operator' && known.state !== 'pending') return 'not_left'
    // Without it nobody can do the step but by hand.
    if (processor !== 'backups' && !(await hasAnyPart(tx, receiptId, neededBy(processor)))) return 'nothing_sealed'
    await recordStep(tx, { ...step, state: 'pending', at })
    return { accountRef: deletion.account_ref, reason: deletion.reason }
  })
}

const neededBy = (processor: ErasureStep) =>
  processor === 'database' || processor === 'temporal' ? (['trace'] as const) : partsOfStep[processor]

async function lockStep(tx: Transaction, { receiptId, processor }: StepOfReceipt) {
  const [step] = await tx<Pick<DeletionSteps, 'state' | 'code'>[]>`
    select state, code from deletion_steps where receipt_id = ${receiptId} and processor = ${processor} for update`
  return step
}
