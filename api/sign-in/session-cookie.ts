/** Cookies of the web pages: HttpOnly, SameSite=Strict, and over HTTPS bound to this host. */
import type { Context } from '../../context.ts'

export type SessionKind = 'visitor' | 'console'

const isSecure = (publicUrl: string): boolean => publicUrl.startsWith('https:')

/** `__Host-`: browsers take it only with Secure, for the whole of this host and no other (RFC 6265bis). */
export const cookieName = (kind: SessionKind, publicUrl: string): string =>
  `${isSecure(publicUrl) ? '__Host-' : ''}ama-${kind === 'visitor' ? 'account' : 'console'}`

/** `Set-Cookie` for a session's secret. */
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

/** What every form of a session carries: whoever cannot read our pages cannot make one. */
export const csrfTokenOf = ({ cipher }: Pick<Context, 'cipher'>, secret: string): string =>
  cipher.fingerprint('csrf', secret).toString('base64url')
