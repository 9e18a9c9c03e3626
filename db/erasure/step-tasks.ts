/** The operator tasks of erasure steps, and what each step has in the seal. */
import { type ErasureStep, erasureSteps } from '../../policy/deletion.ts'
import type { DeletionPart } from './deletion-seals.ts'
import { isUuid } from './erased-rows.ts'

/** The code of the step `temporal`, and the detail of its task, while gone runs are listed. */
export const goneButListed = 'gone_runs_listed'

export interface StepOfReceipt {
  receiptId: string
  processor: ErasureStep
}

/**
 * Kind and subject of the operator task of an erasure step. The subject is the receipt, because it does not identify
 * the person.
 */
export const operatorTaskOf = (receiptId: string, step: ErasureStep) => ({
  kind: `deletion_${step}`,
  subjectId: receiptId,
})

/** The erasure step that a task is about, if it is about one. */
export function stepOfTask({ kind, subjectId }: { kind: string; subjectId: string }): StepOfReceipt | undefined {
  const processor = erasureSteps.find((step) => operatorTaskOf(subjectId, step).kind === kind)
  return processor && isUuid(subjectId) ? { receiptId: subjectId, processor } : undefined
}

/** The parts of the seal that a step alone needs. The trace is for `database` and `temporal`. */
export const partsOfStep: Readonly<Record<ErasureStep, readonly DeletionPart[]>> = {
  database: [],
  temporal: [],
  apple: ['apple'],
  google: ['google'],
  firebase: ['firebase'],
  stripe: ['stripeCustomer', 'settlements'],
  esim_provider: ['providerOrders'],
  mail: ['address'],
  backups: [],
  stripe_redaction: ['payments'],
}
