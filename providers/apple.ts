/** Sign in with Apple. Source: developer.apple.com/documentation/signinwithapplerestapi */
import { createHash } from 'node:crypto'
import { importPKCS8, type JWTPayload, SignJWT } from 'jose'
import { z } from 'zod'
import type { CallWatch } from './call-watch.ts'
import { appleCodes, appleEvents, olderAppleEvents } from './codes/apple.ts'
import { codeFrom, documented, isListed, lookUp, undocumented } from './codes/meaning.ts'
import { ProviderFailure } from './failure.ts'
import { createTokenVerifier } from './id-token.ts'
import { callProvider, checkEmpty, jsonOf } from './provider-call.ts'
import { eventTimeOfMs } from './sent-time.ts'

export interface AppleSettings {
  /** default https://appleid.apple.com */
  baseUrl?: string
  /** the issuer in tokens; default https://appleid.apple.com */
  issuer?: string
  teamId: string
  keyId: string
  /** P-256, PKCS #8 in PEM */
  privateKeyPem: string
  /** bundle ids and services ids */
  clientIds: string[]
  keyCooldownMs?: number
  /** for each request, in milliseconds; default 15 s, and 5 s for keys */
  timeoutMs?: number | undefined
  watch?: CallWatch | undefined
}

export interface AppleIdentity {
  /** stable per developer team */
  subject: string
  email?: string
  emailVerified: boolean
  clientId: string
}

export type AppleNotificationType = keyof typeof appleEvents

export interface AppleNotification {
  /** the same for each repetition of a notification */
  eventId: string
  type: AppleNotificationType
  subject: string
  /** the relay address of which `email-disabled` and `email-enabled` speak */
  email?: string
  at: Date
}

const provider = 'apple'
const call = { provider, method: 'POST', changes: true } as const
const defaultTimeoutMs = 15_000
const appleIssuer = 'https://appleid.apple.com'
const tokenReply = z.object({ refresh_token: z.string().min(1), id_token: z.string() })
const errorReply = z.object({ error: z.string().regex(/^[a-z_]{1,40}$/) })
const isTheirs = (text: string): boolean => errorReply.safeParse(jsonOf(text)).success
/** `events` is JSON text inside the JSON. */
const notificationEvent = z.object({
  type: z.string().transform((type) => lookUp(olderAppleEvents, type) ?? type),
  sub: z.string().min(1),
  email: z.string().optional().catch(undefined),
  event_time: z.number(),
})

/**
 * Every call throws ProviderFailure: as codes/apple.ts has it for what Apple refuses, `rejected` for an invalid token,
 * `unavailable` and `unknown_outcome` as in provider-call.ts.
 */
export function createApple(settings: AppleSettings) {
  const { baseUrl = appleIssuer, issuer = appleIssuer, clientIds, timeoutMs = defaultTimeoutMs, watch } = settings
  const verify = createTokenVerifier({
    provider,
    jwksUrl: `${baseUrl}/auth/keys`,
    issuers: [issuer],
    audiences: clientIds,
    timeoutMs: settings.timeoutMs,
    watch,
    ...(settings.keyCooldownMs === undefined ? {} : { keyCooldownMs: settings.keyCooldownMs }),
  })

  let privateKey: ReturnType<typeof importPKCS8> | undefined

  /** Apple allows six months; five minutes is enough for one call. */
  async function clientSecret(clientId: string): Promise<string> {
    privateKey ??= importPKCS8(settings.privateKeyPem, 'ES256')
    const key = await privateKey.catch(() => {
      throw new ProviderFailure(provider, 'misconfigured', 'unreadable_private_key')
    })
    return new SignJWT()
      .setProtectedHeader({ alg: 'ES256', kid: settings.keyId })
      .setIssuer(settings.teamId)
      .setSubject(clientId)
      .setAudience(issuer)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(key)
  }

  async function post(path: string, clientId: string, fields: Record<string, string>): Promise<string> {
    const form = { client_id: clientId, client_secret: await clientSecret(clientId), ...fields }
    const body = new URLSearchParams(form)
    const { status, text } = await callProvider({ ...call, timeoutMs, url: baseUrl + path, body, isTheirs, watch })
    if (status === 200) return text
    const code = errorReply.safeParse(jsonOf(text)).data?.error
    // A refusal without Apple's words is not Apple's.
    if (code === undefined) throw undocumented(provider, `http_${status}`, true)
    const meaning = lookUp(appleCodes, code)
    throw meaning ? documented(provider, meaning, true) : undocumented(provider, code, true)
  }

  return {
    /**
     * Verifies an ID token.
     * @param options.nonce the nonce of this sign-in; the token must contain it, or its SHA-256 in hexadecimal, which
     * iOS apps pass to Apple. A mismatch is rejected as `wrong_nonce`
     */
    async verifyIdToken(token: string, options: { nonce?: string } = {}): Promise<AppleIdentity> {
      const claims = await verify(token)
      if (options.nonce !== undefined && !holdsNonce(claims, options.nonce)) {
        throw new ProviderFailure(provider, 'rejected', 'wrong_nonce')
      }
      return {
        subject: String(claims.sub),
        ...(typeof claims.email === 'string' ? { email: claims.email } : {}),
        emailVerified: isTrue(claims.email_verified),
        clientId: [claims.aud].flat().find((id) => id !== undefined && clientIds.includes(id)) ?? '',
      }
    },

    /**
     * Exchanges the app's authorisation code, once and within five minutes, for the refresh token that `revoke` needs.
     * @returns also the Apple user of the code, to compare with the subject of an ID token
     */
    async exchangeCode(code: string, clientId: string): Promise<{ refreshToken: string; subject: string }> {
      const reply = await post('/auth/token', clientId, { code, grant_type: 'authorization_code' })
      const parsed = tokenReply.safeParse(jsonOf(reply))
      // The code is spent: repeating cannot help.
      if (!parsed.success) throw new ProviderFailure(provider, 'unknown_outcome', 'unreadable_reply')
      const { sub } = await verify(parsed.data.id_token)
      return { refreshToken: parsed.data.refresh_token, subject: String(sub) }
    },

    /** Revokes a refresh token. Safe to repeat: Apple gives the same answer for a token that is already invalid. */
    async revoke(given: { refreshToken: string; clientId: string }): Promise<'revoked'> {
      const fields = { token: given.refreshToken, token_type_hint: 'refresh_token' }
      checkEmpty(provider, await post('/auth/revoke', given.clientId, fields))
      return 'revoked'
    },

    /** Verifies and reads a notification. @param payload the JWS in the body's field `payload` */
    async parseNotification(payload: string): Promise<AppleNotification> {
      const claims = await verify(payload, ['jti', 'events'])
      const event =
        typeof claims.events === 'string' ? notificationEvent.safeParse(jsonOf(claims.events)).data : undefined
      const at = event && timeOf(event.event_time)
      if (!event || !at) throw new ProviderFailure(provider, 'rejected', 'unreadable_notification')
      const { type, email } = event
      if (!isListed(appleEvents, type)) {
        watch?.unlisted?.(provider, `event_${codeFrom(type, 'unreadable')}`)
        throw new ProviderFailure(provider, 'rejected', 'unknown_notification')
      }
      return { eventId: String(claims.jti), type, subject: event.sub, ...(email !== undefined && { email }), at }
    },
  }
}

export type Apple = ReturnType<typeof createApple>

/** Milliseconds by Apple's documentation; field reports also have seconds, which would be a day of January 1970. */
const timeOf = (eventTime: number): Date | undefined =>
  eventTimeOfMs(eventTime < 1e11 ? eventTime * 1000 + 999 : eventTime)

function holdsNonce(claims: JWTPayload, nonce: string): boolean {
  return claims.nonce === nonce || claims.nonce === createHash('sha256').update(nonce).digest('hex')
}

/** Apple sends booleans as such or as text. */
const isTrue = (value: unknown): boolean => value === true || value === 'true'
