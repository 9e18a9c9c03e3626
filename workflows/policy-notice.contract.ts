/** Contract of the policy notice: ids, messages and activities. Code outside of workflows may import it. */
import { defineQuery, defineUpdate } from '@temporalio/workflow'
import type { Notice } from '../db/policy-deliveries.ts'
import { initialSearchAttributes } from '../shared/search-attributes.ts'

export const policyNoticeType = 'policyNotice'
export const policyNoticeWorkflowId = (version: string): string => `policy-notice-${version}`

export interface PolicyNoticeInput {
  version: string
  /** mailing of the run that this one continues (continue-as-new) */
  mailing?: Mailing
  /** an earlier run, which is gone, has posted the version; it may be withdrawn meanwhile */
  posted?: true
}

/** Options that start the run of a version: at most once, unless it could not be posted or its run is gone. */
export const policyNoticeStart = (input: PolicyNoticeInput, taskQueue: string) => ({
  type: policyNoticeType,
  workflowId: policyNoticeWorkflowId(input.version),
  taskQueue,
  args: [input] satisfies [PolicyNoticeInput],
  workflowIdConflictPolicy: 'USE_EXISTING' as const,
  workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' as const,
  typedSearchAttributes: initialSearchAttributes({ status: 'posting', waitingFor: 'the database', dueAt: null }),
  staticSummary: `Privacy policy ${input.version}`,
})

/** One pass over all accounts that have not received a notice. */
export interface Mailing {
  /** as in the send ledger: `announced`, `moved:<n>`, `withdrawn` */
  notice: Notice
  /** 1 for the first */
  pass: number
  /** the next page, from 0 */
  page: number
  pages: number
}

export type PolicyNoticeStatus = 'posting' | 'telling' | 'waiting' | 'in_force' | 'withdrawn'

export interface PolicyNoticeState {
  status: PolicyNoticeStatus
  /** ISO 8601; postponed when the notices go out late */
  effectiveAt: string | null
  mailing: Mailing | null
}

/** Completes once the version is on the public page. Fails with PolicyStateConflict while another one is announced. */
export const post = defineUpdate<PolicyNoticeState>('post')
/** Completes once the version can no longer take effect. */
export const withdraw = defineUpdate<PolicyNoticeState>('withdraw')
export const policyNoticeState = defineQuery<PolicyNoticeState>('state')

/** The next step, by the state of the database. */
export type NextStep =
  | { step: 'mail'; notice: Notice; pages: number; effectiveAt: string }
  | { step: 'wait'; until: string }
  | { step: 'end'; status: 'in_force' | 'withdrawn'; effectiveAt: string }

/** All times are ISO 8601. `asOf` is the workflow's time, by which activities decide. */
export interface PolicyActivities {
  /** @throws PolicyStateConflict */
  postPolicy(input: { version: string; asOf: string }): Promise<{ effectiveAt: string }>
  /** Withdraws the version unless it is in force. Returns the state of its row. */
  withdrawPolicy(input: { version: string; asOf: string }): Promise<{ state: string }>
  /** Postpones the date if notices are late, and brings the version into force if it is time. Repeatable. */
  nextPolicyStep(input: { version: string; asOf: string }): Promise<NextStep>
  /** Mails the accounts of one page that have not received the notice. Repeatable. @throws MailUnavailable */
  mailPolicyPage(input: { version: string; notice: Notice; page: number; pages: number }): Promise<{
    sent: number
    failed: number
    /** to be sent again */
    due: number
  }>
  /** Stops mailing the accounts that could not be reached, and makes an operator task. */
  giveUpPolicyMails(input: { version: string; notice: Notice; asOf: string }): Promise<void>
}
