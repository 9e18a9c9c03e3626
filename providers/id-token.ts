/** Verifies tokens that others signed, against the keys they publish. */
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'
import { assertOutsideTransaction } from '../shared/transaction-scope.ts'
import { ProviderFailure } from './failure.ts'

export interface TokenVerifierSettings {
  /** names the party in failures */
  provider: string
  jwksUrl: string
  issuers: string[]
  audiences: string[]
  /** false for security events, whose expiry Google tells receivers to ignore; default true */
  expires?: boolean
  /** least time between two fetches of the keys, for a token that names an unknown one; default 30,000 */
  keyCooldownMs?: number
}

export type TokenVerifier = ReturnType<typeof createTokenVerifier>

/** How far clocks may differ, seconds. */
const clockTolerance = 10
const never = Number.MAX_SAFE_INTEGER

/**
 * Answers the claims of a good token (RS256, as Apple and Google sign). Throws ProviderFailure: `rejected` with
 * `expired_token`, `wrong_issuer`, `wrong_audience`, `unknown_key` or `invalid_token`; `unavailable` where the keys
 * cannot be had.
 */
export function createTokenVerifier(settings: TokenVerifierSettings) {
  const { provider, expires = true } = settings
  const keys = createRemoteJWKSet(new URL(settings.jwksUrl), {
    cooldownDuration: settings.keyCooldownMs ?? 30_000,
    timeoutDuration: 5_000,
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
      throw new ProviderFailure(provider, code ? 'rejected' : 'unavailable', code ?? 'keys_unavailable')
    }
  }
}

/** undefined where not the token is at fault but the way to the keys */
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
