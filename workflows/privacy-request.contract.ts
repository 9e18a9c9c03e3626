/** The privacy request's face (G6): ids, messages, and the effects it needs. Import-safe for everybody. */
import { defineQuery, defineUpdate } from '@temporalio/workflow'
import { terms } from '../policy/terms.ts'
import { plusDays } from './clock.ts'

export const privacyRequestType = 'privacyRequest'
export const privacyRequestWorkflowId = (requestId: string): string => `privacy-request-${requestId}`

/** When a request has to be answered that arrived then. */
export const answerByOf = (receivedAt: Date): Date => plusDays(receivedAt, terms.privacyRequest.answerWithinDays)

export interface PrivacyRequestInput {
  requestId: string
  /** ISO 8601; of a mail that lay around it may be days ago */
  receivedAt: string
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

/** Sends the answer that was stored before, or notes that it was given elsewhere. Answered at once; the mail follows. */
export const resolve = defineUpdate<PrivacyRequestState, [{ answerKind: AnswerKind; byMail: boolean }]>('resolve')
/** Once, and before the first deadline: the person is told why. */
export const extend = defineUpdate<PrivacyRequestState, [{ reason: ExtensionReason }]>('extend')

export const privacyRequestState = defineQuery<PrivacyRequestState>('state')

/** How loudly operators are told. */
export type Urgency = 'reminder' | 'escalation' | 'late'

export type Reached = 'sent' | 'failed' | 'gone'

/** Every time in and out is ISO 8601. `asOf` is the workflow's clock, the only clock that decides. */
export interface PrivacyRequestActivities {
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
  /** @throws MailUnavailable, PrivacyRequestUnrecorded while the answer is not there yet */
  sendAnswer(input: { requestId: string; asOf: string; attempt: number }): Promise<Reached>
  /** False when the request is gone. */
  recordAnswer(input: { requestId: string; asOf: string }): Promise<boolean>
  /** An operator has to reach the person some other way. */
  reportUnreachable(input: { requestId: string; asOf: string; mail: 'acknowledgement' | 'answer' }): Promise<void>
  forgetRequest(input: { requestId: string }): Promise<void>
}
