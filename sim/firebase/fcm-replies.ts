/** FCM's replies: firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode */
import type { Response } from 'express'
import type { Refusing } from '../simulator.ts'

const fcmError = 'type.googleapis.com/google.firebase.fcm.v1.FcmError'
const badRequest = 'type.googleapis.com/google.rpc.BadRequest'

interface Reply {
  code: number
  status: string
  message: string
  /** the code of FcmError; without it the reply says nothing about the token */
  errorCode?: string
  /** the field of a BadRequest detail */
  field?: string
}

const replies = {
  unregistered: {
    code: 404,
    status: 'NOT_FOUND',
    message: 'Requested entity was not found.',
    errorCode: 'UNREGISTERED',
  },
  'bare-404': { code: 404, status: 'NOT_FOUND', message: 'Requested entity was not found.' },
  invalid: {
    code: 400,
    status: 'INVALID_ARGUMENT',
    message: 'The registration token is not a valid FCM registration token',
    errorCode: 'INVALID_ARGUMENT',
  },
  'invalid-field': {
    code: 400,
    status: 'INVALID_ARGUMENT',
    message: "Invalid value at 'message.data[0].value' (TYPE_STRING), 12",
    field: 'message.data[0].value',
  },
  'too-big': {
    code: 400,
    status: 'INVALID_ARGUMENT',
    message: 'Android message is too big',
    errorCode: 'INVALID_ARGUMENT',
  },
  'sender-mismatch': {
    code: 403,
    status: 'PERMISSION_DENIED',
    message: 'SenderId mismatch',
    errorCode: 'SENDER_ID_MISMATCH',
  },
  'bare-403': {
    code: 403,
    status: 'PERMISSION_DENIED',
    message: "Permission 'cloudmessaging.messages.create' denied on resource.",
  },
  'third-party-auth': {
    code: 401,
    status: 'UNAUTHENTICATED',
    message: 'Auth error from APNS or Web Push Service',
    errorCode: 'THIRD_PARTY_AUTH_ERROR',
  },
  'bare-401': {
    code: 401,
    status: 'UNAUTHENTICATED',
    message: 'Request had invalid authentication credentials.',
  },
  quota: {
    code: 429,
    status: 'RESOURCE_EXHAUSTED',
    message: 'Quota exceeded for quota metric.',
    errorCode: 'QUOTA_EXCEEDED',
  },
  unavailable: {
    code: 503,
    status: 'UNAVAILABLE',
    message: 'The service is currently unavailable.',
    errorCode: 'UNAVAILABLE',
  },
  internal: { code: 500, status: 'INTERNAL', message: 'Internal error encountered.', errorCode: 'INTERNAL' },
} satisfies Record<string, Reply>

/** `legacy-*`: error names of the retired API, which the SDK still maps. `not-json`: the answer of a broken proxy. */
export type Behaviour =
  | 'ok'
  | keyof typeof replies
  | 'legacy-not-registered'
  | 'legacy-invalid-registration'
  | 'not-json'

export const isBehaviour = (value: unknown): value is Behaviour =>
  ['ok', 'legacy-not-registered', 'legacy-invalid-registration', 'not-json', ...Object.keys(replies)].includes(
    String(value),
  )

/** Refuses a message. @param retryAfter seconds, sent as Retry-After */
export function refuse(response: Response, behaviour: Exclude<Behaviour, 'ok'>, retryAfter?: number): void {
  if (retryAfter !== undefined) response.set('retry-after', String(retryAfter))
  if (behaviour === 'not-json') return void response.status(502).type('html').send('<html>Bad Gateway</html>')
  if (behaviour === 'legacy-not-registered') return void response.status(400).json({ error: 'NotRegistered' })
  if (behaviour === 'legacy-invalid-registration') {
    return void response.status(400).json({ error: 'InvalidRegistration' })
  }
  const reply: Reply = replies[behaviour]
  refuseWith(response, reply)
}

/** The reply to a message that does not fit the schema. */
export function refuseField(response: Response, field: string): void {
  refuseWith(response, { code: 400, status: 'INVALID_ARGUMENT', message: `Invalid value at '${field}'`, field })
}

/** The answer with a code: `as` is `fcm`, or `users` (Identity Toolkit), or `token` (the OAuth token endpoint). */
export function refusal({ code, status = 400, as = 'fcm' }: Refusing): { status: number; body: unknown } {
  const message = 'Refused by the simulator'
  if (as === 'token') return { status, body: { error: code, error_description: message } }
  if (as === 'users')
    return { status, body: { error: { code: status, message: code, errors: [{ message: code, domain: 'global' }] } } }
  const details = [{ '@type': fcmError, errorCode: code }]
  return { status, body: { error: { code: status, message, status: 'FAILED_PRECONDITION', details } } }
}

function refuseWith(response: Response, reply: Reply): void {
  response.status(reply.code).json(bodyOf(reply))
}

function bodyOf({ code, status, message, errorCode, field }: Reply) {
  const details = [
    ...(errorCode ? [{ '@type': fcmError, errorCode }] : []),
    ...(field ? [{ '@type': badRequest, fieldViolations: [{ field, description: message }] }] : []),
  ]
  return { error: { code, message, status, ...(details.length > 0 ? { details } : {}) } }
}

/** The body of a refusal. */
export const refusalBody = (behaviour: keyof typeof replies) => bodyOf(replies[behaviour])
