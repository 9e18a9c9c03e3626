/** The privacy request's face (G6): ids, messages, and the effects it needs. Import-safe for everybody. */
import { defineQuery, defineUpdate } from '@temporalio/workflow'
import { periods } from '../policy/periods.ts'
import { plusDays } from '../shared/calendar.ts'
import { initialSearchAttributes } from '../shared/search-attributes.ts'

export const privacyRequestType = 'privacyRequest'
export const privacyRequestWorkflowId = (requestId: string): string => `privacy-request-${requestId}`

/** When a request has to be answered that arrived then. */
export const answerByOf = (receivedAt: Date): Date => plusDays(receivedAt, periods.privacyRequest.answerWithinDays)

export interface PrivacyRequestInput {
  requestId: string
  /** ISO 8601; of a mail that lay around it may be days ago */
  receivedAt: string
  /** The row is a draft, which the run makes current. Not so of runs that were started inside the row's transaction. */
  draft?: true
}

/** How the run of a draft is started, by the API or by the sweep of drafts. @param request.accountRef a pseudonym */
export function privacyRequestStart(
  request: { id: string; kind: string; receivedAt: Date; accountRef: string | undefined },
  taskQueue: string,
) {
  const { id, kind, receivedAt, accountRef } = request
  return {
    type: privacyRequestType,
    workflowId: privacyRequestWorkflowId(id),
    taskQueue,
    args: [{ requestId: id, receivedAt: receivedAt.toISOString(), draft: true }] as [PrivacyRequestInput],
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    typedSearchAttributes: initialSearchAttributes(
      { status: 'open', waitingFor: 'an operator to answer', dueAt: answerByOf(receivedAt) },
      accountRef,
    ),
    staticSummary: `Privacy request: ${kind}`,
  }
}

export type PrivacyRequestStatus =
  | 'open'
  /** the answer is on its way */
  | 'answering'
  /** not answered in time: the promise is broken until it is */
  | 'late'
  | 'answered'
  /** erased with its person, which answers it */
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

/** Answered once the row is current, or gone. */
export const opened = defineUpdate<PrivacyRequestState>('opened')

export interface Answer {
  answerKind: AnswerKind
  byMail: boolean
  /** which stored answer is meant; absent from calls that stored it in a transaction which was still open */
  answerId?: string
}

/**
 * Takes the answer that was stored before, and sends it or notes that it was given elsewhere. Answered at once; the mail
 * follows. Refused when another answer was taken, or is the one that is stored.
 */
export const resolve = defineUpdate<PrivacyRequestState, [Answer]>('resolve')
/** Once, and before the first deadline: the person is told why. */
export const extend = defineUpdate<PrivacyRequestState, [{ reason: ExtensionReason }]>('extend')

export const privacyRequestState = defineQuery<PrivacyRequestState>('state')

/** How loudly operators are told. */
export type Urgency = 'reminder' | 'escalation' | 'late'

export type Reached = 'sent' | 'failed' | 'gone'

/** Every time in and out is ISO 8601. `asOf` is the workflow's clock, the only clock that decides. */
export interface PrivacyRequestActivities {
  /** Makes a draft current. False when there is no such request. */
  openRequest(input: { requestId: string }): Promise<boolean>
  /** Takes the stored answer, once. False when another one is stored, or the request is not open. */
  takeAnswer(input: { requestId: string; answerId: string; asOf: string }): Promise<boolean>
  /** Whether the request is in the database; waits a moment for it. */
  findRequest(input: { requestId: string }): Promise<boolean>
  /** @throws MailUnavailable */
  acknowledgeRequest(input: { requestId: string; asOf: string }): Promise<Reached>
  /** Attention, and a mail to support. `occasion` names the message: each is sent once. @throws MailUnavailable */
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
  /** @throws MailUnavailable, PrivacyRequestUnrecorded while an answer without an id is not there yet */
  sendAnswer(input: { requestId: string; asOf: string; attempt: number }): Promise<Reached>
  /** False when the request is gone. */
  recordAnswer(input: { requestId: string; asOf: string }): Promise<boolean>
  /** An operator has to reach the person some other way. */
  reportUnreachable(input: { requestId: string; asOf: string; mail: 'acknowledgement' | 'answer' }): Promise<void>
  forgetRequest(input: { requestId: string }): Promise<void>
}
