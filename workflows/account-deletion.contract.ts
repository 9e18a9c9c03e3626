/**
 * The face of the account deletion (G3, K1, R1). Import-safe for everybody. The run knows the account by its keyed
 * pseudonym only, and outlives it: nothing that goes in or out may lead back to the person.
 */
import { defineUpdate } from '@temporalio/workflow'
import type { DeletionReason, ErasureStep } from '../policy/deletion.ts'
import { initialSearchAttributes } from '../shared/search-attributes.ts'

export const accountDeletionType = 'accountDeletion'
export const accountDeletionWorkflowId = (accountRef: string): string => `account-deletion-${accountRef}`

export interface DeletionInput {
  /** the field cipher's `accountRef` of the account's id */
  accountRef: string
  reason: DeletionReason
}

/** ISO 8601. */
export interface Erased {
  receiptId: string
  erasedAt: string
  backupsGoneBy: string
}

export interface Erasure extends Erased {
  /** those who still have something to do */
  pending: ErasureStep[]
}

/** Answered once the erasure is committed. Rejected with AccountMissing when there was no such account, and with AccountInUse. */
export const erased = defineUpdate<Erased>('erased')
export const erasedUpdateId = 'erased'

/**
 * How a deletion is started, by whomever: once per account, since an account's id never comes back. Never as a child of
 * another run, whose name would stand in this one's history.
 */
export function deletionStart({ accountRef, reason }: DeletionInput, taskQueue: string) {
  return {
    workflowId: accountDeletionWorkflowId(accountRef),
    taskQueue,
    args: [{ accountRef, reason }] as [DeletionInput],
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' as const,
    // No AccountRef: the run deletes every run that has this one.
    typedSearchAttributes: initialSearchAttributes({ status: 'erasing', waitingFor: 'the database', dueAt: null }),
    staticSummary: `Deletion of an account: ${reason}`,
  }
}

/** Every time in and out is ISO 8601. `asOf` is the workflow's clock, the only clock that decides. */
interface Step {
  receiptId: string
  asOf: string
}

export interface DeletionActivities {
  /**
   * One transaction: what others must be told is sealed, the person's rows go, ledger and receipt are written.
   * Repeatable. Null when there is no such account and never was one; `in_use`, which only `inactivity` meets, when it was
   * used since it was found unused.
   */
  eraseAccount(input: {
    accountRef: string
    receiptId: string
    reason: DeletionReason
    asOf: string
    backupsGoneBy: string
  }): Promise<Erasure | 'in_use' | null>
  /** Nothing of the person's goes on from here. */
  endRuns(input: Step & { accountRef: string }): Promise<void>
  /**
   * The person's closed runs go from both of Temporal's stores.
   * @param final whether whatever was under way at the erasure has ended
   * @throws ErasureIncomplete while something is still there
   */
  deleteRuns(input: Step & { accountRef: string; final: boolean }): Promise<void>
  /** Counts over the live schema; what late work left is deleted. @throws ErasureIncomplete */
  verifyErasure(input: Step & { final: boolean }): Promise<void>
  /**
   * Unpaid: cancelled. Paid and not delivered: refunded, with its place in the books. Looked at again while `watch`.
   * @param giveUp what is not settled by now is an operator's alone
   * @throws PaymentPending, PaymentUnavailable
   */
  settlePayments(input: Step & { giveUp: boolean }): Promise<{ watch: boolean }>
  deleteStripeCustomer(input: Step): Promise<void>
  releaseProviderOrders(input: Step): Promise<void>
  revokeApple(input: Step): Promise<void>
  revokeGoogle(input: Step): Promise<void>
  deleteFirebaseUser(input: Step): Promise<void>
  sendFarewell(input: Step): Promise<void>
  /** @throws ErasureIncomplete while a backup from before the erasure exists */
  noteBackupsGone(input: Step): Promise<void>
  redactAtStripe(input: Step): Promise<void>
  /** Shows operators which processors hold the deletion up. */
  raiseOverdue(input: Step): Promise<void>
  /** A processor's step ended in a way that only an operator can settle. */
  leaveToOperator(input: Step & { processor: ErasureStep; code: string }): Promise<void>
  /** Closes the receipt, unless somebody has not done their part. */
  completeDeletion(input: Step): Promise<{ complete: boolean }>
}
