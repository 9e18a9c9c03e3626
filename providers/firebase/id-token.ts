/**
 * Firebase ID tokens. Source: firebase.google.com/docs/auth/admin/verify-id-tokens, "using a third-party JWT library"
 */

import { propertyOf } from '../../shared/keys-of.ts'
import type { CallWatch } from '../call-watch.ts'
import { ProviderFailure } from '../failure.ts'
import { createTokenVerifier } from '../id-token.ts'

export interface FirebaseIdTokenSettings {
  projectId: string
  /** default: Google's JWK set of securetoken@system.gserviceaccount.com */
  jwksUrl?: string
  keyCooldownMs?: number
  /** for each request, in milliseconds; default 5 s */
  timeoutMs?: number | undefined
  watch?: CallWatch | undefined
}

export interface FirebaseSignIn {
  uid: string
  /** when the person last signed in; a refresh of the token does not change it */
  authTime: Date
  /** `password`, `apple.com`, `google.com`, ... */
  signInProvider: string
  /** only when Firebase has verified that the person reads its mails */
  verifiedEmail: string | undefined
}

const defaultJwksUrl = 'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com'

/**
 * Creates a function that verifies a token's signature, issuer, project and age, but not whether the Firebase user was
 * disabled since. It throws ProviderFailure as in id-token.ts.
 */
export function createFirebaseIdTokens({
  projectId,
  jwksUrl = defaultJwksUrl,
  keyCooldownMs,
  timeoutMs,
  watch,
}: FirebaseIdTokenSettings) {
  const verify = createTokenVerifier({
    provider: 'firebase',
    jwksUrl,
    issuers: [`https://securetoken.google.com/${projectId}`],
    audiences: [projectId],
    timeoutMs,
    watch,
    ...(keyCooldownMs === undefined ? {} : { keyCooldownMs }),
  })

  return {
    async verifyFirebaseIdToken(token: string): Promise<FirebaseSignIn> {
      const claims = await verify(token, ['exp', 'iat', 'sub', 'auth_time'])
      const authTime = claims.auth_time
      const signInProvider = propertyOf(claims.firebase, 'sign_in_provider')
      if (!claims.sub || typeof authTime !== 'number' || authTime < 0 || authTime * 1000 > Date.now() + 60_000) {
        throw new ProviderFailure('firebase', 'rejected', 'invalid_token')
      }
      return {
        uid: claims.sub,
        authTime: new Date(authTime * 1000),
        verifiedEmail: claims.email_verified === true && typeof claims.email === 'string' ? claims.email : undefined,
        signInProvider: typeof signInProvider === 'string' ? signInProvider : 'unknown',
      }
    },
  }
}

export type FirebaseIdTokens = ReturnType<typeof createFirebaseIdTokens>
