/** Session cookies of the web pages: HttpOnly, SameSite=Strict, and over HTTPS bound to this host. */
import type { Config } from '../../config.ts'
import type { Context } from '../../context.ts'
import { cookieIn, cookieName, cookieOf } from './cookies.ts'

export type SessionKind = 'visitor' | 'console'

export type KeySignIn = Pick<Config, 'NODE_ENV'> & Partial<Pick<Config, 'CONSOLE_KEY_SIGN_IN'>>

/** Keys are for machines: in production people sign in as themselves, unless a setting says otherwise. */
export const keysMaySignIn = ({ CONSOLE_KEY_SIGN_IN, NODE_ENV }: KeySignIn): boolean =>
  CONSOLE_KEY_SIGN_IN ?? NODE_ENV !== 'production'

const names: Readonly<Record<SessionKind, string>> = { visitor: 'ama-account', console: 'ama-console' }

export const sessionCookieName = (kind: SessionKind, publicUrl: string): string => cookieName(names[kind], publicUrl)

/** The `Set-Cookie` value for a session's secret. */
export function sessionCookie(kind: SessionKind, secret: string, maxAgeMs: number, publicUrl: string): string {
  const maxAgeSeconds = Math.floor(maxAgeMs / 1000)
  return cookieOf({ name: names[kind], value: secret, maxAgeSeconds, sameSite: 'strict', publicUrl })
}

/** The headers of a sign-out: the browser forgets the session, and what it may have kept of the pages. */
export const signOutHeaders = (kind: SessionKind, publicUrl: string) => ({
  'Set-Cookie': sessionCookie(kind, '', 0, publicUrl),
  'Clear-Site-Data': '"cache", "storage"',
})

/** The secret in a `Cookie` header. */
export function secretIn(header: string | undefined, kind: SessionKind, publicUrl: string): string | undefined {
  const value = cookieIn(header, names[kind], publicUrl)
  return value && /^[\w-]{43}$/.test(value) ? value : undefined
}

/** The CSRF token of a session. Every form carries it; another site cannot read it from our pages. */
export const csrfTokenOf = ({ cipher }: Pick<Context, 'cipher'>, secret: string): string =>
  cipher.fingerprint('csrf', secret).toString('base64url')

/** The name of a session in the access log: a keyed hash, which opens nothing. */
export const sessionNameOf = ({ cipher }: Pick<Context, 'cipher'>, secret: string): string =>
  cipher.fingerprint('session-name', secret).subarray(0, 12).toString('base64url')
