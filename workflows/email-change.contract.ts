/**
 * Contract of the change of an e-mail address: ids, messages and activities. Code outside of workflows may import it.
 */
import { defineQuery, defineUpdate } from '@temporalio/workflow'
import { initialSearchAttributes } from '../shared/search-attributes.ts'

export const emailChangeType = 'emailChange'
export const emailChangeWorkflowId = (changeId: string): string => `email-change-${changeId}`

export interface EmailChangeInput {
  changeId: string
  /** ISO 8601 */
  expiresAt: string
  /** The run makes the draft current. */
  draft: true
}

/**
 * Options that start the run of a draft, or another run of a change whose run is gone.
 * @param change.accountRef account reference
 */
export const emailChangeStart = (
  { id, expiresAt, accountRef }: { id: string; expiresAt: Date; accountRef: string },
  taskQueue: string,
) => ({
  type: emailChangeType,
  workflowId: emailChangeWorkflowId(id),
  taskQueue,
  args: [{ changeId: id, expiresAt: expiresAt.toISOString(), draft: true }] satisfies [EmailChangeInput],
  workflowIdConflictPolicy: 'USE_EXISTING' as const,
  typedSearchAttributes: initialSearchAttributes(
    { status: 'open', waitingFor: 'the old and the new address to agree', dueAt: expiresAt },
    accountRef,
  ),
  staticSummary: 'Change of address',
})

export type EmailSide = 'old' | 'new'

export type EmailChangeStatus = 'open' | 'changed' | 'expired' | 'cancelled' | 'replaced' | 'taken' | 'gone'

export interface EmailChangeState {
  status: EmailChangeStatus
  confirmed: Record<EmailSide, boolean>
}

/**
 * Completes once the draft is current. `gone`: erased or deleted; `replaced`: another change of the account is open.
 */
export const opened = defineUpdate<EmailChangeState>('opened')
/** Returns the state after the confirmation: `changed` once both addresses have confirmed. */
export const confirmEmail = defineUpdate<EmailChangeState, [{ side: EmailSide }]>('confirm')
/** An operator who has identified the person confirms instead of the old address. */
export const waiveOldEmail = defineUpdate<EmailChangeState, [{ by: string }]>('waive-old')
export const cancelEmailChange = defineUpdate<EmailChangeState, [{ status: 'cancelled' | 'replaced' }]>('cancel')

export const emailChangeState = defineQuery<EmailChangeState>('state')

/** All times are ISO 8601. `asOf` is the workflow's time, by which activities decide. */
export interface EmailChangeActivities {
  /**
   * Makes a draft current. `replaced`: another change of the account is open, and the draft was deleted. `changed`: an
   * earlier run, which is gone, has changed the address; the rest is still to be done.
   */
  openEmailChange(input: { changeId: string }): Promise<'open' | 'gone' | 'replaced' | 'changed'>
  /** Returns whether the change is in the database. */
  findEmailChange(input: { changeId: string }): Promise<boolean>
  /** Mails the link to one of the addresses. `failed`: the mail server refuses the address. @throws MailUnavailable */
  askForConfirmation(input: { changeId: string; side: EmailSide; asOf: string }): Promise<'sent' | 'failed' | 'gone'>
  /** Makes an operator task: the address cannot be reached by mail. */
  reportUnreachableSide(input: { changeId: string; side: EmailSide; asOf: string }): Promise<void>
  recordConfirmation(input: { changeId: string; side: EmailSide; asOf: string; waivedBy?: string }): Promise<void>
  /**
   * Replaces the old address and ends all sessions. `taken`: the new address belongs to another account now;
   * `cancelled`, `replaced`: the change was ended before.
   */
  applyEmailChange(input: {
    changeId: string
    asOf: string
  }): Promise<'changed' | 'taken' | 'gone' | 'cancelled' | 'replaced'>
  /**
   * Has Firebase sign the person in with the new address, where that is by password and with the old one: whoever has
   * the old mailbox would else be mailed a new password. A refusal becomes an operator task.
   * @throws SignInPartyUnavailable
   */
  moveSignIn(input: { changeId: string; asOf: string }): Promise<void>
  /** Mails the old address that it was replaced. @throws MailUnavailable */
  tellOldAddress(input: { changeId: string; asOf: string }): Promise<void>
  /** Records the end of the change and deletes its addresses. */
  endEmailChange(input: { changeId: string; status: Exclude<EmailChangeStatus, 'gone'>; asOf: string }): Promise<void>
}
