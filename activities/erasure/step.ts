import type { Context } from '../../context.ts'
import {
  type DeletionPart,
  type DeletionSecrets,
  deleteEmptySeal,
  deleteSecret,
  deleteTraceUnlessNeeded,
  hasSeal,
  openSecret,
} from '../../db/erasure/deletion-seals.ts'
import { findStep, recordStep } from '../../db/erasure/deletions.ts'
import { operatorTaskOf } from '../../db/erasure/step-tasks.ts'
import { raiseOperatorTask, resolveOperatorTask, type TaskAttributes } from '../../db/operator-tasks.ts'
import type { ErasureStep, StepOutcome } from '../../policy/deletion.ts'
import { recordedAt } from '../failures.ts'

interface Step<Part extends DeletionPart> {
  receiptId: string
  /** ISO 8601 */
  asOf: string
  processor: ErasureStep
  part: Part
}

/**
 * Does one erasure step with the part of the seal that it needs. Then, in one transaction, deletes that part and writes
 * the outcome into the receipt. Repeatable: a step that is done is skipped. The outcome `later` changes neither.
 * @returns what became of the step, so that the run's history has it: a restored receipt may be older
 */
export async function withSecret<Part extends DeletionPart>(
  context: Context,
  { receiptId, asOf, processor, part }: Step<Part>,
  work: (secret: NonNullable<DeletionSecrets[Part]>) => Promise<StepOutcome | 'later'>,
): Promise<StepOutcome> {
  const { sql } = context
  const known = await findStep(sql, receiptId, processor)
  const state = known?.state
  const secret = await openSecret(sql, context, receiptId, part)
  // A restore has lost the receipt, and with it whether this step was done.
  if (state === undefined)
    return leaveStepToOperator(context, { receiptId, processor, code: 'receipt_lost', at: recordedAt(asOf) })
  if (secret === null && state !== 'pending') return { state, ...(known?.code != null && { code: known.code }) }
  // The seal is deleted after the last step, so before that a restore has lost it.
  if (secret === null && !(await hasSeal(sql, receiptId))) {
    return leaveStepToOperator(context, { receiptId, processor, code: 'sealed_part_lost', at: recordedAt(asOf) })
  }
  const outcome = secret === null ? ({ state: 'done' } as const) : await work(secret)
  if (outcome === 'later') return { state }
  const at = recordedAt(asOf)
  const isEmpty = await sql.begin(async (tx) => {
    if (state === 'pending') await recordStep(tx, { receiptId, processor, ...outcome, at })
    // Temporal's list may have to be searched for longer.
    if (part === 'trace') await deleteTraceUnlessNeeded(tx, receiptId)
    else await deleteSecret(tx, receiptId, part)
    return deleteEmptySeal(tx, receiptId)
  })
  if (isEmpty) context.dataKeys.evict(receiptId)
  if (outcome.state === 'needs_operator') {
    return leaveStepToOperator(context, { receiptId, processor, code: outcome.code ?? 'unknown', at })
  }
  if (state === 'pending')
    await resolveOperatorTask(sql, { ...operatorTaskOf(receiptId, processor), by: 'deletion', at })
  return outcome
}

/** Records in the receipt that the step needs an operator, and makes the operator task. @returns that outcome */
export async function leaveStepToOperator(
  { sql }: Pick<Context, 'sql'>,
  step: { receiptId: string; processor: ErasureStep; code: string; at: Date; attributes?: TaskAttributes },
): Promise<StepOutcome> {
  const { receiptId, processor, code, at, attributes } = step
  await recordStep(sql, { receiptId, processor, state: 'needs_operator', code, at })
  await raiseOperatorTask(sql, {
    ...operatorTaskOf(receiptId, processor),
    detail: code,
    at,
    ...(attributes && { attributes }),
  })
  return { state: 'needs_operator', code }
}
