import type { Request } from 'express'
import type { Context } from '../../context.ts'
import { activityGrainMs, findAccountOfFirebaseUser, touchActivity } from '../../db/accounts.ts'
import { looksLikeApiKey, verifyApiKey } from '../../db/api-keys.ts'
import { recordSecurityEvent } from '../../db/security-log.ts'
import { userEndedAt } from '../../db/sign-in-events.ts'
import { findSession, sessionIdOf } from '../../db/web-sessions.ts'
import { defaultLanguage } from '../../messages/languages.ts'
import { periods } from '../../policy/periods.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { createOpenIdConfirmation } from '../sign-in/openid-confirmation.ts'
import { csrfTokenOf, keysMaySignIn, type SessionKind, secretIn, sessionNameOf } from '../sign-in/session-cookie.ts'
import { addressOf } from './address.ts'
import type { Caller } from './caller.ts'
import type { Limiter } from './limits.ts'
import { Problem } from './problem.ts'

export type Authenticate = ReturnType<typeof createAuthenticator>

/** The parts of a request that identify its caller. */
type Incoming = Pick<Request, 'headers'> & Parameters<typeof addressOf>[0]

/**
 * Authenticates requests by `Authorization: Bearer`, with an API key or a Firebase ID token, or by a session cookie.
 */
export function createAuthenticator(context: Context, limiter: Limiter) {
  const { sql } = context
  const confirmed = createOpenIdConfirmation(context)

  /**
   * @param sessions the kinds of session whose cookies the route accepts beside the header
   * @returns the caller; `public` when the request carries no credentials
   * @throws Problem unauthenticated or too_many_requests
   */
  return async function authenticate(
    request: Incoming,
    requestId: string,
    sessions: readonly SessionKind[] = [],
  ): Promise<Caller> {
    const header = request.headers.authorization
    if (header === undefined) return callerOfSession(request, requestId, sessions)
    const token = /^Bearer +([\w.~+/=-]+)$/i.exec(header)?.[1]
    if (!token) throw await refusal(request, requestId, 'malformed', 'anonymous')
    return looksLikeApiKey(token) ? callerOfKey(token, request, requestId) : callerOfPerson(token, request, requestId)
  }

  async function callerOfSession(request: Incoming, requestId: string, kinds: readonly SessionKind[]): Promise<Caller> {
    for (const kind of kinds) {
      const secret = secretIn(request.headers.cookie, kind, context.config.PUBLIC_URL)
      const now = new Date()
      const found = secret && (await findSession(sql, secret, now))
      if (!secret || !found) continue
      const session = await confirmed(secret, found, { ip: addressOf(request), requestId })
      if (!session) continue
      // A session of a key does not outlast the setting that let the key open it.
      if (session.isOfKey && !keysMaySignIn(context.config)) continue
      const csrf = csrfTokenOf(context, secret)
      const name = sessionNameOf(context, secret)
      const sessionId = sessionIdOf(secret)
      if (kind === 'visitor' && session.accountId !== null) {
        await touchActivity(sql, session.accountId, now)
        const { accountId, language, signedInAt } = session
        return { kind, accountId, language: language ?? defaultLanguage, signedInAt, session: name, sessionId, csrf }
      }
      if (kind === 'console' && session.operator) {
        const { operator, signedInAt } = session
        return { kind, ...operator, signedInAt, session: name, sessionId, csrf }
      }
    }
    return { kind: 'public' }
  }

  async function callerOfKey(token: string, request: Incoming, requestId: string): Promise<Caller> {
    const key = await verifyApiKey(sql, token)
    if ('refused' in key) {
      throw await refusal(request, requestId, `key_${key.refused}`, key.id ? `key:${key.id}` : 'anonymous')
    }
    return key.kind === 'operator'
      ? { kind: 'operator', keyId: key.id, label: key.label }
      : { kind: 'service', keyId: key.id, scopes: key.scopes }
  }

  async function callerOfPerson(token: string, request: Incoming, requestId: string): Promise<Caller> {
    const user = await context.firebaseIdToken.verifyFirebaseIdToken(token).catch(async (error: unknown) => {
      if (!isProviderFailure(error) || error.kind !== 'rejected') throw error
      // Every app sends an expired token now and then: it is no attack, hence neither counted nor recorded.
      if (error.code === 'expired_token') throw invalidToken('expired_token')
      throw await refusal(request, requestId, error.code, 'anonymous')
    })
    // Firebase makes an anonymous user of anybody who opens the app: it proves no person.
    if (user.signInProvider === 'anonymous') throw await refusal(request, requestId, 'anonymous_user', 'anonymous')
    const account = await findAccountOfFirebaseUser(sql, context, user.uid)
    const known = { firebaseUid: user.uid, signedInAt: user.authTime }
    // A security event ends the app's tokens as well as our sessions; so does the deletion of the account.
    const endedAt = account ? account.signedOutAt : await userEndedAt(sql, context, user.uid)
    if (endedAt && user.authTime <= endedAt) throw invalidToken('sign_in_ended')
    if (!account) return { kind: 'newcomer', ...known, verifiedEmail: user.verifiedEmail }
    const now = new Date()
    // R1, an account is kept until it is unused for 3 years: the person of this account uses it.
    if (now.getTime() - account.lastActiveAt.getTime() >= activityGrainMs) await touchActivity(sql, account.id, now)
    return { kind: 'person', accountId: account.id, ...known }
  }

  async function refusal(request: Incoming, requestId: string, reason: string, actor: string): Promise<Problem> {
    const ip = addressOf(request)
    // Counted only after the credentials were checked: behind a proxy many callers may share an address, and valid
    // credentials have to pass.
    limiter.countFailure(ip)
    context.metrics.authenticationFailures.inc({ reason })
    await recordSecurityEvent(sql, context, {
      kind: 'authentication_failed',
      actor,
      ip,
      detail: reason,
      requestId,
      at: new Date(),
    })
    return invalidToken(reason)
  }
}

const tokenFaults: Record<string, string | undefined> = {
  expired_token: 'The sign-in token has expired.',
  sign_in_ended: 'The sign-in was ended. Sign in again.',
}

/** The refusal of a token. */
export function invalidToken(reason: string): Problem {
  return new Problem('unauthenticated', {
    detail: tokenFaults[reason],
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
  })
}

/** Whether a caller who signs in has done so within `periods.freshSignInMs`. */
export const isFresh = (caller: Caller, now: Date): boolean =>
  !('signedInAt' in caller) || now.getTime() - caller.signedInAt.getTime() <= periods.freshSignInMs

/**
 * Refuses a person whose last sign-in is older than `periods.freshSignInMs`, so that an unlocked phone is not enough.
 * The challenge is that of RFC 9470. Keys have no sign-in and always pass.
 * @throws Problem fresh_sign_in_required
 */
export function assertFreshSignIn(caller: Caller, now: Date): void {
  if (isFresh(caller, now)) return
  const maxAge = periods.freshSignInMs / 1000
  throw new Problem('fresh_sign_in_required', {
    headers: { 'WWW-Authenticate': `Bearer error="insufficient_user_authentication", max_age=${maxAge}` },
  })
}
