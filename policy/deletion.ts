/** Reasons of a deletion, and its erasure steps. */

/**
 * `sign_in_account_deleted`: Apple notified us that the Apple Account was deleted; `child`: the person is under 13 (K1:
 * data of a child is deleted)
 */
export const deletionReasons = ['requested', 'inactivity', 'sign_in_account_deleted', 'child'] as const
export type DeletionReason = (typeof deletionReasons)[number]

/** The holders of a person's data. `database`: our tables; `backups`: the last backup from before the erasure. */
export const erasureSteps = [
  'database',
  'temporal',
  'apple',
  'google',
  'firebase',
  'stripe',
  'esim_provider',
  'mail',
  'backups',
  'stripe_redaction',
] as const
export type ErasureStep = (typeof erasureSteps)[number]

export const stepStates = [
  'pending',
  'done',
  /** the holder had no data of the person */
  'nothing_held',
  /** only the person can do it */
  'by_hand',
  /** our account at the outside party lacks the function */
  'not_enabled',
  'needs_operator',
] as const
export type StepState = (typeof stepStates)[number]

/** The outcome of an erasure step; `code` is machine-readable, for the receipt. */
export interface StepOutcome {
  state: StepState
  code?: string
}
