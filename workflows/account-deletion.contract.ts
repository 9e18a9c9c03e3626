/**
 * Contract of the account deletion: ids, messages and activities. Code outside of workflows may import it. The run
 * outlives the account, so nothing in it may identify the person: it has the account reference and the id of the
 * receipt.
 */
import { defineSignal, defineUpdate } from '@temporalio/workflow'
import type { DeletionReason, ErasureStep, StepOutcome } from '../policy/deletion.ts'
import { initialSearchAttributes } from '../shared/search-attributes.ts'

export const accountDeletionType = 'accountDeletion'
export const accountDeletionWorkflowId = (accountRef: string): string => `account-deletion-${accountRef}`

/** The status that a run shows until it has erased its account. */
export const notErased = 'erasing'

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
  /** the erasure steps that are not done */
  pending: ErasureStep[]
}

/**
 * Completes once the erasure is committed. Fails with AccountMissing when there was no such account, or with
 * AccountInUse.
 */
export const erased = defineUpdate<Erased>('erased')
export const erasedUpdateId = 'erased'

/** An operator has removed the cause: a step that was left to operators is tried again. Its receipt says `pending`. */
export const tryAgain = defineSignal<[{ processor: ErasureStep }]>('try-again')

/**
 * Options that start a deletion, at most once for an account. A deletion must not be a child workflow: its history
 * would hold the workflow id of its parent, which contains the account's id.
 */
export function deletionStart({ accountRef, reason }: DeletionInput, taskQueue: string) {
  return {
    workflowId: accountDeletionWorkflowId(accountRef),
    taskQueue,
    args: [{ accountRef, reason }] satisfies [DeletionInput],
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' as const,
    // The search attribute AccountRef is not set: the deletion deletes all runs that have it.
    typedSearchAttributes: initialSearchAttributes({ status: notErased, waitingFor: 'the database', dueAt: null }),
    staticSummary: `Deletion of an account: ${reason}`,
  }
}

/** All times are ISO 8601. `asOf` is the workflow's time, by which activities decide. */
interface Step {
  receiptId: string
  asOf: string
}

/**
 * The outcome of an erasure step. The run goes on without it; a restore reads it in the history. Undefined in the
 * histories of earlier builds.
 */
type StepAnswer = Promise<StepOutcome | undefined>

export interface DeletionActivities {
  /**
   * In one transaction, writes the seal, erases the person's rows, and writes deletion ledger and receipt. Repeatable.
   * Null when there never was such an account. `in_use` only for the reason `inactivity`, when the account has been
   * used.
   */
  eraseAccount(input: {
    accountRef: string
    receiptId: string
    reason: DeletionReason
    asOf: string
    backupsGoneBy: string
  }): Promise<Erasure | 'in_use' | null>
  /** Terminates the person's open runs. */
  endRuns(input: Step & { accountRef: string }): Promise<void>
  /**
   * Deletes the person's closed runs from Temporal's database and from its visibility store.
   * @param final calls that were under way at the erasure have ended, and the database is verified
   * @returns `needs_operator` when runs that are gone have been listed for a day and the server does not let us remove
   * them
   * @throws ErasureIncomplete while a run is still there, and in the final look until then
   */
  deleteRuns(input: Step & { accountRef: string; final: boolean }): StepAnswer
  /** Erases rows that were written after the erasure, and counts the rest in all tables. @throws ErasureIncomplete */
  verifyErasure(input: Step & { final: boolean }): StepAnswer
  /**
   * Cancels unpaid payments, and refunds paid orders that were not delivered, with credit notes. `watch`: a refund may
   * still fail, so the activity has to run again.
   * `trouble`: why an operator has to refund one of them.
   * @param giveUp makes operator tasks of the refunds that have not settled
   * @throws PaymentPending, PaymentUnavailable
   */
  settlePayments(input: Step & { giveUp: boolean }): Promise<{ watch: boolean; trouble?: string }>
  deleteStripeCustomer(input: Step): StepAnswer
  releaseProviderOrders(input: Step): StepAnswer
  revokeApple(input: Step): StepAnswer
  revokeGoogle(input: Step): StepAnswer
  deleteFirebaseUser(input: Step): StepAnswer
  sendFarewell(input: Step): StepAnswer
  /** @throws ErasureIncomplete while a backup from before the erasure exists */
  noteBackupsGone(input: Step): Promise<void>
  redactAtStripe(input: Step): StepAnswer
  /** Makes operator tasks of the erasure steps that are overdue. */
  raiseOverdue(input: Step): Promise<void>
  /**
   * Makes an operator task of an erasure step that failed for good. @returns which one: a local activity's input is in
   * no history
   */
  leaveToOperator(
    input: Step & { processor: ErasureStep; code: string },
  ): Promise<(StepOutcome & { processor: ErasureStep }) | undefined>
  /** Completes the receipt, unless an erasure step is not done. */
  completeDeletion(input: Step): Promise<{ complete: boolean }>
}
