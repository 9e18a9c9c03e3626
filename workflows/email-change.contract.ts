/** The face of a change of address (G2): ids, messages, and the effects it needs. Import-safe for everybody. */
import { defineQuery, defineUpdate } from '@temporalio/workflow'

export const emailChangeType = 'emailChange'
export const emailChangeWorkflowId = (changeId: string): string => `email-change-${changeId}`

export interface EmailChangeInput {
  changeId: string
  /** ISO 8601 */
  expiresAt: string
  /** The row is a draft, which the run makes current. Not so of runs that were started inside the row's transaction. */
  draft?: true
}

export type EmailSide = 'old' | 'new'

export type EmailChangeStatus = 'open' | 'changed' | 'expired' | 'cancelled' | 'replaced' | 'taken' | 'gone'

export interface EmailChangeState {
  status: EmailChangeStatus
  confirmed: Record<EmailSide, boolean>
}

/** Answered once the row is current. `gone`: erased or dropped; `replaced`: another change of the account is open. */
export const opened = defineUpdate<EmailChangeState>('opened')
/** Answered with how it stands then: `changed` once both have agreed. */
export const confirmEmail = defineUpdate<EmailChangeState, [{ side: EmailSide }]>('confirm')
/** An operator vouches for the person, where the old address takes no mail. */
export const waiveOldEmail = defineUpdate<EmailChangeState, [{ by: string }]>('waive-old')
export const cancelEmailChange = defineUpdate<EmailChangeState, [{ status: 'cancelled' | 'replaced' }]>('cancel')

export const emailChangeState = defineQuery<EmailChangeState>('state')

/** Every time in is ISO 8601. `asOf` is the workflow's clock, the only clock that decides. */
export interface EmailChangeActivities {
  /** Makes a draft current. `replaced`: another change of the account is open, and the draft is gone. */
  openEmailChange(input: { changeId: string }): Promise<'open' | 'gone' | 'replaced'>
  /** Whether the change is in the database; waits a moment for it. */
  findEmailChange(input: { changeId: string }): Promise<boolean>
  /** Mails one side its link. `failed`: that address takes no mail. @throws MailUnavailable */
  askForConfirmation(input: { changeId: string; side: EmailSide; asOf: string }): Promise<'sent' | 'failed' | 'gone'>
  /** Shows operators that only they can vouch for the old address. */
  reportUnreachableSide(input: { changeId: string; side: EmailSide; asOf: string }): Promise<void>
  recordConfirmation(input: { changeId: string; side: EmailSide; asOf: string; waivedBy?: string }): Promise<void>
  /** Puts the new address in the old one's place, signs the person out everywhere. `taken`: it has an account now. */
  applyEmailChange(input: { changeId: string; asOf: string }): Promise<'changed' | 'taken' | 'gone'>
  /** Tells the old address. @throws MailUnavailable */
  tellOldAddress(input: { changeId: string; asOf: string }): Promise<void>
  /** Forgets the addresses of a change that is over. */
  endEmailChange(input: { changeId: string; status: Exclude<EmailChangeStatus, 'gone'>; asOf: string }): Promise<void>
}
