/**
 * The notice on the page after a redirect. It is in a cookie and not in the address, so that nobody can make a link to
 * a page that says something was done. It names a sentence of ours; the next page deletes it.
 */
import { cookieIn, cookieOf } from './cookies.ts'

const name = 'ama-notice'
const lifeSeconds = 60

const withLife = (value: string, maxAgeSeconds: number, publicUrl: string): string =>
  cookieOf({ name, value, maxAgeSeconds, sameSite: 'strict', publicUrl })

/** The header `Set-Cookie` by which the next page says what was done. */
export const noticeCookie = (notice: string, publicUrl: string): string => withLife(notice, lifeSeconds, publicUrl)
/** The header `Set-Cookie` that deletes the notice. */
export const endedNotice = (publicUrl: string): string => withLife('', 0, publicUrl)

/** The name of the notice in a `Cookie` header. */
export const noticeIn = (header: string | undefined, publicUrl: string): string | undefined =>
  cookieIn(header, name, publicUrl)
