/** Reads from FCM's raw reply whether a push token is dead. Only an explicit FcmError (or its older names) proves it. */
import { z } from 'zod'
import type { ProviderFailureKind } from '../failure.ts'
import type { RawReply } from './app.ts'

/** `unregistered`: the app was uninstalled; `invalid`: not a token; `other_sender`: a token of another Firebase project. */
export type DeadToken = 'unregistered' | 'invalid' | 'other_sender'

export type PushTokenStatus =
  | { token: 'good' }
  | { token: 'dead'; reason: DeadToken }
  | { token: 'unknown'; kind: ProviderFailureKind; code: string; options: { retryAfterMs?: number } }

const legacyError = z.object({ error: z.enum(['NotRegistered', 'InvalidRegistration']) })
const errorReply = z.object({
  error: z.object({
    details: z
      .array(
        z.object({
          '@type': z.string(),
          errorCode: z.string().optional(),
          fieldViolations: z.array(z.object({ field: z.string().optional() })).optional(),
        }),
      )
      .default([]),
  }),
})

/** Reads a reply. @param reply the answer to a message with nothing but the token */
export function pushTokenStatusOf({ status, body, retryAfterMs }: RawReply): PushTokenStatus {
  if (status === 200) return { token: 'good' }
  const reason = deadReason(body)
  if (reason) return { token: 'dead', reason }

  const options = retryAfterMs === undefined ? {} : { retryAfterMs }
  const unknown = (kind: ProviderFailureKind, code: string): PushTokenStatus => ({
    token: 'unknown',
    kind,
    code,
    options,
  })
  // Nothing was delivered: the message was refused, and this was a dry run. Repeating is safe.
  if (status === 429 || status >= 500) return unknown('unavailable', `http_${status}`)
  // A 404, 403 or 401 that does not name the token is about our project or credentials.
  if ([401, 403, 404].includes(status)) return unknown('misconfigured', `http_${status}`)
  return unknown('rejected', `http_${status}`)
}

function deadReason(body: unknown): DeadToken | undefined {
  const legacy = legacyError.safeParse(body).data?.error
  if (legacy) return legacy === 'NotRegistered' ? 'unregistered' : 'invalid'
  const details = errorReply.safeParse(body).data?.error.details ?? []
  const codes = details
    .filter((detail) => detail['@type'].endsWith('google.firebase.fcm.v1.FcmError'))
    .map(({ errorCode }) => errorCode)
  if (codes.includes('UNREGISTERED')) return 'unregistered'
  if (codes.includes('SENDER_ID_MISMATCH')) return 'other_sender'
  const fields = details.flatMap(({ fieldViolations = [] }) => fieldViolations.map(({ field }) => field))
  if (fields.some((field) => field !== 'message.token')) return undefined
  return codes.includes('INVALID_ARGUMENT') || fields.length > 0 ? 'invalid' : undefined
}
