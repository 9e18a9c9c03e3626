/** Contract of the privacy request: ids, messages and activities. Code outside of workflows may import it. */
import { defineQuery, defineUpdate } from '@temporalio/workflow'
import { periods } from '../policy/periods.ts'
import { plusDays } from '../shared/calendar.ts'
import { initialSearchAttributes } from '../shared/search-attributes.ts'

export const privacyRequestType = 'privacyRequest'
export const privacyRequestWorkflowId = (requestId: string): string => `privacy-request-${requestId}`

const { answerWithinDays, extensionDays } = periods.privacyRequest

/** When a request has to be answered that arrived then. */
export const answerByOf = (receivedAt: Date, extended = false): Date =>
  plusDays(receivedAt, answerWithinDays + (extended ? extensionDays : 0))

export interface PrivacyRequestInput {
  requestId: string
  /** ISO 8601; days ago for a mail that was entered late */
  receivedAt: string
  /** The run makes the draft current. */
  draft: true
  /** an earlier run, which is gone, has extended the deadline */
  extended?: true
}

/**
 * Options that start the run of a draft, or another run of a request whose run is gone.
 * @param request.accountRef account reference
 */
export function privacyRequestStart(
  request: { id: string; kind: string; receivedAt: Date; accountRef: string | undefined; extended?: boolean },
  taskQueue: string,
) {
  const { id, kind, receivedAt, accountRef, extended = false } = request
  return {
    type: privacyRequestType,
    workflowId: privacyRequestWorkflowId(id),
    taskQueue,
    args: [
      { requestId: id, receivedAt: receivedAt.toISOString(), draft: true, ...(extended && { extended }) },
    ] satisfies [PrivacyRequestInput],
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    typedSearchAttributes: initialSearchAttributes(
      { status: 'open', waitingFor: 'an operator to answer', dueAt: answerByOf(receivedAt, extended) },
      accountRef,
    ),
    staticSummary: `Privacy request: ${kind}`,
  }
}

export type PrivacyRequestStatus =
  | 'open'
  /** the answer is being sent */
  | 'answering'
  /** not answered in time: the promise is broken */
  | 'late'
  | 'answered'
  /** erased together with the account */
  | 'gone'

export interface PrivacyRequestState {
  status: PrivacyRequestStatus
  /** ISO 8601 */
  answerBy: string
  extended: boolean
}

export const answerKinds = ['granted', 'partly_granted', 'refused', 'not_identified', 'withdrawn'] as const
export type AnswerKind = (typeof answerKinds)[number]

export const extensionReasons = ['complexity', 'number_of_requests'] as const
export type ExtensionReason = (typeof extensionReasons)[number]

/** Completes once the draft is current or deleted. */
export const opened = defineUpdate<PrivacyRequestState>('opened')

export interface Answer {
  answerKind: AnswerKind
  byMail: boolean
  /** id of the stored answer */
  answerId: string
}

/**
 * Sends the stored answer, or records that it was given elsewhere. Completes before the mail is sent. Rejected when
 * another answer was taken or is stored.
 */
export const resolve = defineUpdate<PrivacyRequestState, [Answer]>('resolve')
/** Extends the deadline, once and before it has passed. The person gets a mail with the reason. */
export const extend = defineUpdate<PrivacyRequestState, [{ reason: ExtensionReason }]>('extend')

export const privacyRequestState = defineQuery<PrivacyRequestState>('state')

/** How urgent the mail to operators is. */
export type Urgency = 'reminder' | 'escalation' | 'late'

export type Reached = 'sent' | 'failed' | 'gone'

/** All times are ISO 8601. `asOf` is the workflow's time, by which activities decide. */
export interface PrivacyRequestActivities {
  /** Makes a draft current. Returns false when there is no such request. */
  openRequest(input: { requestId: string }): Promise<boolean>
  /** Takes the stored answer, once. Returns false when another answer is stored, or the request is not open. */
  takeAnswer(input: { requestId: string; answerId: string; asOf: string }): Promise<boolean>
  /** Returns whether the request is in the database. */
  findRequest(input: { requestId: string }): Promise<boolean>
  /** @throws MailUnavailable */
  acknowledgeRequest(input: { requestId: string; asOf: string }): Promise<Reached>
  /** Makes an operator task and mails support. Each `occasion` is sent once. @throws MailUnavailable */
  urgeOperators(input: {
    requestId: string
    asOf: string
    urgency: Urgency
    occasion: string
    answerBy: string
  }): Promise<Reached>
  recordExtension(input: { requestId: string; answerBy: string; reason: ExtensionReason }): Promise<void>
  /** @throws MailUnavailable */
  tellOfExtension(input: { requestId: string; asOf: string }): Promise<Reached>
  /** `failed` also when no answer is stored. @throws MailUnavailable */
  sendAnswer(input: { requestId: string; asOf: string; attempt: number }): Promise<Reached>
  /** Returns false when the request is gone. */
  recordAnswer(input: { requestId: string; asOf: string }): Promise<boolean>
  /** Makes an operator task: the person cannot be reached by mail. */
  reportUnreachable(input: { requestId: string; asOf: string; mail: 'acknowledgement' | 'answer' }): Promise<void>
  forgetRequest(input: { requestId: string }): Promise<void>
}
