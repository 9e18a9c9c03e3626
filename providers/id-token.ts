/** Verifies tokens of outside parties with the keys that these publish. */
import { setTimeout as pause } from 'node:timers/promises'
import { createRemoteJWKSet, customFetch, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { assertOutsideTransaction } from '../shared/transaction-scope.ts'
import type { CallWatch } from './call-watch.ts'
import { ProviderFailure } from './failure.ts'
import { connectionFault, replyTooLarge, sendRequest } from './http-request.ts'

export interface TokenVerifierSettings {
  /** the name of the outside party in failures */
  provider: string
  jwksUrl: string
  issuers: string[]
  audiences: string[]
  /** those of the signatures that are accepted; default RS256, which Apple and Google use */
  algorithms?: string[]
  /** false for security events, whose expiry receivers must ignore according to Google; default true */
  expires?: boolean
  /** least time between two fetches of the keys for tokens with an unknown key, in milliseconds; default 2,000 */
  keyCooldownMs?: number
  /** for each request, in milliseconds; default 5 s */
  timeoutMs?: number | undefined
  watch?: CallWatch | undefined
}

export type TokenVerifier = ReturnType<typeof createTokenVerifier>

/** How far the clocks may differ, in seconds. */
const clockTolerance = 10
const never = Number.MAX_SAFE_INTEGER

/**
 * Creates a function that returns the claims of a valid token. It throws ProviderFailure: `rejected` with `expired_token`, `wrong_issuer`, `wrong_audience`, `unknown_key` or `invalid_token`,
 * for each fault of the token; `unavailable` only when the keys cannot be fetched.
 */
export function createTokenVerifier(settings: TokenVerifierSettings) {
  const { provider, expires = true, algorithms = ['RS256'] } = settings
  const cooldownMs = settings.keyCooldownMs ?? 2_000
  const keys = createRemoteJWKSet(new URL(settings.jwksUrl), {
    cooldownDuration: cooldownMs,
    [customFetch]: (url: string) => {
      fetches += 1
      return fetchKeys(url, settings)
    },
  })
  let fetches = 0

  /** Waits out the cooldown for an unknown key, which may have been published since the last fetch began. */
  const keyOf: JWTVerifyGetKey = async (header, token) => {
    const before = fetches
    try {
      return await keys(header, token).catch(async (error: unknown) => {
        if (!(error instanceof errors.JWKSNoMatchingKey) || fetches > before) throw error
        await pause(cooldownMs)
        return await keys(header, token)
      })
    } catch (error) {
      if (faultsOfHeader.some((fault) => error instanceof fault)) throw error
      const isTooLarge = connectionFault(error).code === replyTooLarge
      throw new ProviderFailure(provider, 'unavailable', isTooLarge ? 'keys_too_large' : 'keys_unavailable')
    }
  }

  return async (token: string, requiredClaims = ['exp', 'iat', 'sub']): Promise<JWTPayload> => {
    assertOutsideTransaction(`The keys of ${provider}`)
    try {
      const { payload } = await jwtVerify(token, keyOf, {
        algorithms,
        issuer: settings.issuers,
        audience: settings.audiences,
        requiredClaims,
        clockTolerance: expires ? clockTolerance : never,
      })
      if (!namesAreTexts(payload)) throw new ProviderFailure(provider, 'rejected', 'invalid_token')
      return payload
    } catch (error) {
      if (error instanceof ProviderFailure) throw error
      throw new ProviderFailure(provider, 'rejected', refusalCode(error))
    }
  }
}

/** The library checks the types of times alone; as text, all objects would be one person. */
const namesAreTexts = ({ sub = 'nobody', jti = 'none' }: JWTPayload): boolean =>
  [sub, jti].every((name: unknown) => typeof name === 'string' && name !== '')

const keysTimeoutMs = 5_000

async function fetchKeys(url: string, settings: TokenVerifierSettings): Promise<Response> {
  const { provider, timeoutMs = keysTimeoutMs, watch } = settings
  const { status, text } = await sendRequest({ method: 'GET', url, timeoutMs }).catch((error: unknown) => {
    watch?.failed(provider, connectionFault(error).code)
    throw error
  })
  if (status === 429 || status >= 500) watch?.failed(provider, `http_${status}`)
  else watch?.answered(provider)
  return new Response(text, { status })
}

/**
 * Errors of the choice of a key that the token causes: no key, several keys, or a kind of key that is not supported.
 */
const faultsOfHeader = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported]

function refusalCode(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'expired_token'
  if (error instanceof errors.JWKSNoMatchingKey) return 'unknown_key'
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'iss') return 'wrong_issuer'
    return error.claim === 'aud' ? 'wrong_audience' : 'invalid_token'
  }
  return 'invalid_token'
}
