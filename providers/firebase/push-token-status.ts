/**
 * Reads from FCM's raw reply whether a push token is dead. Only an explicit FcmError (or its older names) proves it.
 */
import { z } from 'zod'
import { fcmCodes, quotaWaitMs } from '../codes/firebase.ts'
import { codeFrom, documented, lookUp, undocumented } from '../codes/meaning.ts'
import { ProviderFailure } from '../failure.ts'
import type { RawReply } from './app.ts'

/**
 * `unregistered`: the app was uninstalled; `invalid`: not a token; `other_sender`: a token of another Firebase project.
 */
export type DeadToken = 'unregistered' | 'invalid' | 'other_sender'

export type PushTokenStatus =
  | { token: 'good' }
  | { token: 'dead'; reason: DeadToken }
  | { token: 'unknown'; failure: ProviderFailure }

const provider = 'fcm'

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

/** The code of the FcmError in a reply, if it has one. */
export function fcmCodeIn(body: unknown): string | undefined {
  return fcmDetails(body).find(({ errorCode }) => errorCode !== undefined)?.errorCode
}

/** Reads a reply. @param reply the answer to a message with nothing but the token */
export function pushTokenStatusOf({ status, body, retryAfterMs }: RawReply): PushTokenStatus {
  if (status === 200) return { token: 'good' }
  const reason = deadReason(body)
  if (reason) return { token: 'dead', reason }

  const waitMs = retryAfterMs ?? (status === 429 ? quotaWaitMs : undefined)
  const options = waitMs === undefined ? {} : { retryAfterMs: waitMs }
  const bare = `http_${status}`
  // Nothing was delivered: the message was refused, and this was a dry run. Repeating is safe.
  if (status === 429 || status >= 500)
    return { token: 'unknown', failure: new ProviderFailure(provider, 'unavailable', bare, options) }
  const code = fcmCodeIn(body)
  const meaning = code === undefined ? undefined : lookUp(fcmCodes, code)
  if (meaning) return { token: 'unknown', failure: documented(provider, meaning, false, options) }
  // A 404, 403 or 401 that does not name the token is about our project or credentials.
  if ([401, 403, 404].includes(status))
    return { token: 'unknown', failure: new ProviderFailure(provider, 'misconfigured', codeFrom(code, bare), options) }
  return { token: 'unknown', failure: undocumented(provider, codeFrom(code, bare), false, options) }
}

const fcmDetails = (body: unknown) =>
  (errorReply.safeParse(body).data?.error.details ?? []).filter((detail) =>
    detail['@type'].endsWith('google.firebase.fcm.v1.FcmError'),
  )

function deadReason(body: unknown): DeadToken | undefined {
  const legacy = legacyError.safeParse(body).data?.error
  if (legacy) return legacy === 'NotRegistered' ? 'unregistered' : 'invalid'
  const details = errorReply.safeParse(body).data?.error.details ?? []
  const codes = fcmDetails(body).map(({ errorCode }) => errorCode)
  if (codes.includes('UNREGISTERED')) return 'unregistered'
  if (codes.includes('SENDER_ID_MISMATCH')) return 'other_sender'
  const fields = details.flatMap(({ fieldViolations = [] }) => fieldViolations.map(({ field }) => field))
  if (fields.some((field) => field !== 'message.token')) return undefined
  return codes.includes('INVALID_ARGUMENT') || fields.length > 0 ? 'invalid' : undefined
}
