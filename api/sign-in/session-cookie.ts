/** Session cookies of the web pages: HttpOnly, SameSite=Strict, and over HTTPS bound to this host. */
import type { Context } from '../../context.ts'

export type SessionKind = 'visitor' | 'console'

const isSecure = (publicUrl: string): boolean => publicUrl.startsWith('https:')

/** With the prefix `__Host-` a browser accepts a cookie only with Secure, from this host and for this host (RFC 6265bis). */
export const cookieName = (kind: SessionKind, publicUrl: string): string =>
  `${isSecure(publicUrl) ? '__Host-' : ''}ama-${kind === 'visitor' ? 'account' : 'console'}`

/** The `Set-Cookie` value for a session's secret. */
export function sessionCookie(kind: SessionKind, secret: string, maxAgeMs: number, publicUrl: string): string {
  const attributes = ['Path=/', `Max-Age=${Math.floor(maxAgeMs / 1000)}`, 'HttpOnly', 'SameSite=Strict']
  if (isSecure(publicUrl)) attributes.push('Secure')
  return [`${cookieName(kind, publicUrl)}=${secret}`, ...attributes].join('; ')
}

export const endedCookie = (kind: SessionKind, publicUrl: string): string => sessionCookie(kind, '', 0, publicUrl)

/** The secret in a `Cookie` header. */
export function secretIn(header: string | undefined, kind: SessionKind, publicUrl: string): string | undefined {
  const name = cookieName(kind, publicUrl)
  for (const pair of header?.split(';') ?? []) {
    const [key, value] = pair.trim().split('=', 2)
    if (key === name && value && /^[\w-]{43}$/.test(value)) return value
  }
  return undefined
}

/** The CSRF token of a session. Every form carries it; another site cannot read it from our pages. */
export const csrfTokenOf = ({ cipher }: Pick<Context, 'cipher'>, secret: string): string =>
  cipher.fingerprint('csrf', secret).toString('base64url')
