/**
 * A sign-in at the OpenID provider that has begun. Its secret is in a cookie, and what the provider is sent is made from
 * it: only the browser that has begun it can end it, and nothing is stored.
 */
import { parseCookie, stringifySetCookie } from 'cookie'
import type { Context } from '../../context.ts'
import { newSecret } from '../../db/crypto/one-time.ts'
import { periods } from '../../policy/periods.ts'
import type { SignInAttempt } from '../../providers/operator-sign-in.ts'
import { isSecure } from './session-cookie.ts'

const nameOf = (publicUrl: string): string => `${isSecure(publicUrl) ? '__Host-' : ''}ama-operator-sign-in`

/** @returns the attempt, and the `Set-Cookie` value that the browser needs to end it */
export function beginAttempt({ cipher, config }: Pick<Context, 'cipher' | 'config'>): {
  attempt: SignInAttempt
  cookie: string
} {
  const secret = newSecret()
  const cookie = stringifySetCookie({
    name: nameOf(config.PUBLIC_URL),
    value: secret,
    path: '/',
    maxAge: periods.operatorSignInMs / 1000,
    httpOnly: true,
    // The provider's page leads back: a browser would not send a strict cookie along.
    sameSite: 'lax',
    secure: isSecure(config.PUBLIC_URL),
  })
  return { attempt: attemptOf({ cipher }, secret), cookie }
}

/** The attempt in a `Cookie` header. */
export function attemptIn(
  { cipher, config }: Pick<Context, 'cipher' | 'config'>,
  header: string | undefined,
): SignInAttempt | undefined {
  const secret = parseCookie(header ?? '')[nameOf(config.PUBLIC_URL)]
  return secret && /^[\w-]{43}$/.test(secret) ? attemptOf({ cipher }, secret) : undefined
}

function attemptOf({ cipher }: Pick<Context, 'cipher'>, secret: string): SignInAttempt {
  const part = (purpose: string): string => cipher.fingerprint(`openid-${purpose}`, secret).toString('base64url')
  return { state: part('state'), nonce: part('nonce'), verifier: part('verifier') }
}
