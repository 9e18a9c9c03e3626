/** The cookies of our pages: hidden from scripts, and over HTTPS Secure and bound to this host. */
import { parseCookie, stringifySetCookie } from 'cookie'

/** Whether cookies can be bound to this host. */
const isSecure = (publicUrl: string): boolean => publicUrl.startsWith('https:')

/**
 * With the prefix `__Host-` a browser accepts a cookie only with Secure, from this host and for this host (RFC
 * 6265bis).
 */
export const cookieName = (name: string, publicUrl: string): string => `${isSecure(publicUrl) ? '__Host-' : ''}${name}`

interface Cookie {
  /** without the prefix */
  name: string
  value: string
  maxAgeSeconds: number
  /** `lax`: a browser sends it along when a link of another site leads here */
  sameSite: 'strict' | 'lax'
  publicUrl: string
}

/** The `Set-Cookie` value of a cookie. */
export const cookieOf = ({ name, value, maxAgeSeconds, sameSite, publicUrl }: Cookie): string =>
  stringifySetCookie({
    name: cookieName(name, publicUrl),
    value,
    path: '/',
    maxAge: maxAgeSeconds,
    httpOnly: true,
    sameSite,
    secure: isSecure(publicUrl),
  })

/** The value of a cookie in a `Cookie` header. */
export const cookieIn = (header: string | undefined, name: string, publicUrl: string): string | undefined =>
  parseCookie(header ?? '')[cookieName(name, publicUrl)]
