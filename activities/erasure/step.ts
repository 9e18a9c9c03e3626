import type { Context } from '../../context.ts'
import {
  type DeletionPart,
  type DeletionSecrets,
  dropEmptySeal,
  hasSeal,
  openSecret,
  wipeSecret,
} from '../../db/erasure/deletion-seals.ts'
import { findStep, recordStep } from '../../db/erasure/deletions.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../../db/operator-tasks.ts'
import type { ErasureStep, StepState } from '../../policy/deletion.ts'
import { recordedAt } from '../failures.ts'

export interface StepOutcome {
  state: StepState
  /** machine-readable, for the receipt */
  code?: string
}

interface Step<Part extends DeletionPart> {
  receiptId: string
  /** ISO 8601 */
  asOf: string
  processor: ErasureStep
  part: Part
}

/**
 * Does one erasure step with the part of the seal that it needs. Then, in one transaction, wipes that part and writes
 * the outcome into the receipt. Repeatable: a step that is done is skipped. The outcome `later` changes neither.
 */
export async function withSecret<Part extends DeletionPart>(
  context: Context,
  { receiptId, asOf, processor, part }: Step<Part>,
  work: (secret: NonNullable<DeletionSecrets[Part]>) => Promise<StepOutcome | 'later'>,
): Promise<void> {
  const { sql } = context
  const state = (await findStep(sql, receiptId, processor))?.state
  const secret = await openSecret(sql, context, receiptId, part)
  // A restore has lost the receipt, and with it whether this step was done.
  if (state === undefined)
    return leaveStepToOperator(context, { receiptId, processor, code: 'receipt_lost', at: recordedAt(asOf) })
  if (secret === null && state !== 'pending') return
  // The seal is deleted after the last step, so before that a restore has lost it.
  if (secret === null && !(await hasSeal(sql, receiptId))) {
    return leaveStepToOperator(context, { receiptId, processor, code: 'sealed_part_lost', at: recordedAt(asOf) })
  }
  const outcome = secret === null ? ({ state: 'done' } as const) : await work(secret as NonNullable<typeof secret>)
  if (outcome === 'later') return
  const at = recordedAt(asOf)
  const isEmpty = await sql.begin(async (tx) => {
    await wipeSecret(tx, receiptId, part)
    if (state === 'pending') await recordStep(tx, { receiptId, processor, ...outcome, at })
    return dropEmptySeal(tx, receiptId)
  })
  if (isEmpty) context.dataKeys.forget(receiptId)
  if (outcome.state === 'needs_operator') {
    return leaveStepToOperator(context, { receiptId, processor, code: outcome.code ?? 'unknown', at })
  }
  if (state === 'pending')
    await resolveOperatorTask(sql, { ...operatorTaskOf(receiptId, processor), by: 'deletion', at })
}

/** Records in the receipt that the step needs an operator, and makes the operator task. */
export async function leaveStepToOperator(
  { sql }: Pick<Context, 'sql'>,
  step: { receiptId: string; processor: ErasureStep; code: string; at: Date },
): Promise<void> {
  const { receiptId, processor, code, at } = step
  await recordStep(sql, { receiptId, processor, state: 'needs_operator', code, at })
  await raiseOperatorTask(sql, { ...operatorTaskOf(receiptId, processor), detail: code, at })
}

/**
 * Kind and subject of the operator task of an erasure step. The subject is the receipt, because it does not identify
 * the person.
 */
export const operatorTaskOf = (receiptId: string, processor: ErasureStep) => ({
  kind: `deletion_${processor}`,
  subjectId: receiptId,
})
