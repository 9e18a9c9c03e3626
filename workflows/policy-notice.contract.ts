/** The face of N1 and N2: a version of the policy is posted, told to everybody, and takes effect when it may. Import-safe. */
import { defineQuery, defineUpdate } from '@temporalio/workflow'

export const policyNoticeType = 'policyNotice'
export const policyNoticeWorkflowId = (version: string): string => `policy-notice-${version}`

export interface PolicyNoticeInput {
  version: string
  /** where an earlier run of the chain has come to */
  mailing?: Mailing
}

/** One pass over everybody whom a notice concerns and who has not been told. */
export interface Mailing {
  /** as in the delivery ledger: `announced`, `moved:<n>`, `withdrawn` */
  notice: string
  /** 1 for the first */
  pass: number
  /** the next one, from 0 on */
  page: number
  pages: number
}

export type PolicyNoticeStatus = 'posting' | 'telling' | 'waiting' | 'in_force' | 'withdrawn'

export interface PolicyNoticeState {
  status: PolicyNoticeStatus
  /** ISO 8601; moves rather than break the promise */
  effectiveAt: string | null
  mailing: Mailing | null
}

/** Answered once the version stands on the public page. Rejected with PolicyStateConflict when another one is coming. */
export const post = defineUpdate<PolicyNoticeState>('post')
/** Answered once it is certain that it never takes effect. */
export const withdraw = defineUpdate<PolicyNoticeState>('withdraw')
export const policyNoticeState = defineQuery<PolicyNoticeState>('state')

/** What is to be done next, as the database has it at this time. */
export type NextStep =
  | { step: 'mail'; notice: string; pages: number; effectiveAt: string }
  | { step: 'wait'; until: string }
  | { step: 'end'; status: 'in_force' | 'withdrawn'; effectiveAt: string }

/** Every time in and out is ISO 8601. `asOf` is the workflow's clock, the only clock that decides. */
export interface PolicyActivities {
  /** @throws PolicyStateConflict */
  postPolicy(input: { version: string; asOf: string }): Promise<{ effectiveAt: string }>
  /** Unless it is in force already: the row decides, and says what it stands at now. */
  withdrawPolicy(input: { version: string; asOf: string }): Promise<{ state: string }>
  /** Moves the date if it has to, and brings the version into force if it may. Repeatable. */
  nextPolicyStep(input: { version: string; asOf: string }): Promise<NextStep>
  /** Mails those of one page who have not been told. Repeatable. @throws MailUnavailable */
  mailPolicyPage(input: { version: string; notice: string; page: number; pages: number }): Promise<{
    sent: number
    failed: number
    /** to be tried again */
    due: number
  }>
  /** Whom mail has not reached by now, the page has to tell. Shown to operators. */
  giveUpPolicyMails(input: { version: string; notice: string; asOf: string }): Promise<void>
}
