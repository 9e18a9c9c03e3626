/** What a deletion is recorded under, and whom it has to reach. */

/** `sign_in_account_deleted`: Apple told us that the Apple Account is gone; `child`: K1 */
export const deletionReasons = ['requested', 'inactivity', 'sign_in_account_deleted', 'child'] as const
export type DeletionReason = (typeof deletionReasons)[number]

/** Who held something of the person. `database`: our own tables; `backups`: the last one made before. */
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
  /** there was nothing of the person with them */
  'nothing_held',
  /** only the person can do it */
  'by_hand',
  /** we have no access to the means */
  'not_enabled',
  'needs_operator',
] as const
export type StepState = (typeof stepStates)[number]
