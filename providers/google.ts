/** Google sign-in, token revocation and Cross-Account Protection. Source: developers.google.com/identity */
import { z } from 'zod'
import type { CallWatch } from './call-watch.ts'
import { googleEvents, googleRevocationCodes } from './codes/google.ts'
import { codeFrom, documented, isListed, lookUp, undocumented } from './codes/meaning.ts'
import { ProviderFailure } from './failure.ts'
import { createTokenVerifier } from './id-token.ts'
import { callProvider, checkEmpty, jsonOf } from './provider-call.ts'
import { eventTimeOfMs } from './sent-time.ts'

export interface GoogleSettings {
  /** OAuth client ids */
  clientIds: string[]
  /** the keys of ID tokens; default https://www.googleapis.com/oauth2/v3/certs */
  certsUrl?: string
  /** the keys of security events; the same by default */
  riscCertsUrl?: string
  /** default https://oauth2.googleapis.com/revoke */
  revokeUrl?: string
  keyCooldownMs?: number
  /** for each request, in milliseconds; default 15 s, and 5 s for keys */
  timeoutMs?: number | undefined
  watch?: CallWatch | undefined
}

export interface GoogleIdentity {
  subject: string
  email?: string
  emailVerified: boolean
}

export interface GoogleSecurityEvent {
  /** the same for each repetition of an event */
  eventId: string
  /** the last part of each type's URI: `account-disabled`, `sessions-revoked`, `verification`, ... */
  types: string[]
  /** the Google users it is about; empty for `verification` and for events about a single OAuth token */
  subjects: string[]
  /** why an account was disabled, if Google says so */
  reason?: 'hijacking' | 'bulk-account'
  /** when it happened: `toe` (RFC 8417), or when Google issued the token */
  at: Date
}

const provider = 'google'
const call = { provider, method: 'POST', changes: true } as const
const defaultTimeoutMs = 15_000
const errorReply = z.object({ error: z.string() })
const isTheirs = (text: string): boolean => errorReply.safeParse(jsonOf(text)).success
const alreadyInvalid = 'invalid_token'
const defaultCertsUrl = 'https://www.googleapis.com/oauth2/v3/certs'
const securityEvents = z.record(
  z.string(),
  z.object({
    subject: z.object({ sub: z.string().optional() }).optional(),
    reason: z.string().optional(),
  }),
)

/** Every call throws ProviderFailure, as id-token.ts and provider-call.ts list. */
export function createGoogle(settings: GoogleSettings) {
  const { certsUrl = defaultCertsUrl, riscCertsUrl = certsUrl, clientIds, watch } = settings
  const { revokeUrl = 'https://oauth2.googleapis.com/revoke', timeoutMs = defaultTimeoutMs } = settings
  const shared = {
    provider,
    audiences: clientIds,
    timeoutMs: settings.timeoutMs,
    watch,
    ...(settings.keyCooldownMs === undefined ? {} : { keyCooldownMs: settings.keyCooldownMs }),
  }
  const verify = createTokenVerifier({
    ...shared,
    jwksUrl: certsUrl,
    issuers: ['https://accounts.google.com', 'accounts.google.com'],
  })
  const verifyEvent = createTokenVerifier({
    ...shared,
    jwksUrl: riscCertsUrl,
    issuers: ['https://accounts.google.com/'],
    expires: false,
  })

  return {
    /**
     * Verifies an ID token. @param options.nonce if given, the token must contain it; else it is rejected:
     * `wrong_nonce`
     */
    async verifyIdToken(token: string, options: { nonce?: string } = {}): Promise<GoogleIdentity> {
      const claims = await verify(token)
      if (options.nonce !== undefined && claims.nonce !== options.nonce) {
        throw new ProviderFailure(provider, 'rejected', 'wrong_nonce')
      }
      return {
        subject: String(claims.sub),
        ...(typeof claims.email === 'string' ? { email: claims.email } : {}),
        emailVerified: claims.email_verified === true,
      }
    },

    /** Revokes a token. Safe to repeat. @returns `unknown` for an unknown or revoked token */
    async revoke(token: string): Promise<'revoked' | 'unknown'> {
      const { status, text } = await callProvider({
        ...call,
        timeoutMs,
        url: revokeUrl,
        body: new URLSearchParams({ token }),
        isTheirs,
        watch,
      })
      if (status === 200) {
        checkEmpty(provider, text)
        return 'revoked'
      }
      const code = errorReply.safeParse(jsonOf(text)).data?.error
      if (status === 400 && code === alreadyInvalid) return 'unknown'
      const meaning = status === 400 && code !== undefined ? lookUp(googleRevocationCodes, code) : undefined
      // A refusal without Google's words is not Google's.
      throw meaning
        ? documented(provider, meaning, true)
        : undocumented(provider, codeFrom(code, `http_${status}`), true)
    },

    /** Verifies and reads a security event. @param set the request's body, a security event token (RFC 8417) */
    async parseSecurityEvent(set: string): Promise<GoogleSecurityEvent> {
      const claims = await verifyEvent(set, ['jti', 'iat', 'events'])
      const events = securityEvents.safeParse(claims.events).data
      const at = endOfSecond(Number(typeof claims.toe === 'number' ? claims.toe : claims.iat))
      if (!events || !at) throw new ProviderFailure(provider, 'rejected', 'unreadable_event')
      const details = Object.values(events)
      const reason = details.map((event) => event.reason).find(isKnownReason)
      const types = Object.keys(events).map((uri) => uri.slice(uri.lastIndexOf('/') + 1))
      for (const type of types)
        if (!isListed(googleEvents, type)) watch?.unlisted?.(provider, `event_${codeFrom(type, 'unreadable')}`)
      return {
        eventId: String(claims.jti),
        at,
        types: types.map((type) => type.replaceAll(/[^\w-]/g, '')),
        subjects: [...new Set(details.map(({ subject }) => subject?.sub).filter((sub) => sub !== undefined))],
        ...(reason ? { reason } : {}),
      }
    },
  }
}

export type Google = ReturnType<typeof createGoogle>

const isKnownReason = (reason: string | undefined): reason is 'hijacking' | 'bulk-account' =>
  reason === 'hijacking' || reason === 'bulk-account'

/** The end of the event's second: sign-ins within that second count as before the event. */
const endOfSecond = (seconds: number): Date | undefined => eventTimeOfMs(seconds * 1000 + 999)
