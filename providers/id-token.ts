/** Verifies tokens of outside parties with the keys that these publish. */
import { createRemoteJWKSet, customFetch, errors, type JWTPayload, jwtVerify } from 'jose'
import { assertOutsideTransaction } from '../shared/transaction-scope.ts'
import { ProviderFailure } from './failure.ts'
import { connectionFault, replyTooLarge, sendRequest } from './http-request.ts'

export interface TokenVerifierSettings {
  /** the name of the outside party in failures */
  provider: string
  jwksUrl: string
  issuers: string[]
  audiences: string[]
  /** false for security events, whose expiry receivers must ignore according to Google; default true */
  expires?: boolean
  /** least time between two fetches of the keys for tokens with an unknown key, in milliseconds; default 30,000 */
  keyCooldownMs?: number
}

export type TokenVerifier = ReturnType<typeof createTokenVerifier>

/** How far the clocks may differ, in seconds. */
const clockTolerance = 10
const never = Number.MAX_SAFE_INTEGER

/**
 * Creates a function that returns the claims of a valid token (RS256, which Apple and Google use). It throws
 * ProviderFailure: `rejected` with `expired_token`, `wrong_issuer`, `wrong_audience`, `unknown_key` or `invalid_token`;
 * `unavailable` when the keys cannot be fetched.
 */
export function createTokenVerifier(settings: TokenVerifierSettings) {
  const { provider, expires = true } = settings
  const keys = createRemoteJWKSet(new URL(settings.jwksUrl), {
    cooldownDuration: settings.keyCooldownMs ?? 30_000,
    [customFetch]: fetchKeys,
  })

  return async (token: string, requiredClaims = ['exp', 'iat', 'sub']): Promise<JWTPayload> => {
    assertOutsideTransaction(`The keys of ${provider}`)
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['RS256'],
        issuer: settings.issuers,
        audience: settings.audiences,
        requiredClaims,
        clockTolerance: expires ? clockTolerance : never,
      })
      return payload
    } catch (error) {
      const code = refusalCode(error)
      if (code) throw new ProviderFailure(provider, 'rejected', code)
      const isTooLarge = connectionFault(error).code === replyTooLarge
      throw new ProviderFailure(provider, 'unavailable', isTooLarge ? 'keys_too_large' : 'keys_unavailable')
    }
  }
}

const keysTimeoutMs = 5_000

async function fetchKeys(url: string): Promise<Response> {
  const { status, text } = await sendRequest({ method: 'GET', url, timeoutMs: keysTimeoutMs })
  return new Response(text, { status })
}

/** Undefined when the token is not at fault, because the keys could not be fetched. */
function refusalCode(error: unknown): string | undefined {
  if (error instanceof errors.JWTExpired) return 'expired_token'
  if (error instanceof errors.JWKSNoMatchingKey) return 'unknown_key'
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'iss') return 'wrong_issuer'
    return error.claim === 'aud' ? 'wrong_audience' : 'invalid_token'
  }
  const faults = [errors.JWTInvalid, errors.JWSInvalid, errors.JWSSignatureVerificationFailed, errors.JOSEAlgNotAllowed]
  return faults.some((fault) => error instanceof fault) ? 'invalid_token' : undefined
}
