/** The language of an answer, from what a request says. */
import { parseCookie } from 'cookie'
import type { Request, Response } from 'express'
import { defaultLanguage, isLanguage, type Language, languages } from '../../messages/languages.ts'
import { cookieOf } from '../sign-in/cookies.ts'

const name = 'lang'
const keptSeconds = 365 * 24 * 60 * 60

/** The language that the browser asks for (RFC 9110, section 12.5.4, with its weights). */
export const acceptedLanguage = (request: Pick<Request, 'acceptsLanguages'>): Language =>
  languages.find((language) => language === request.acceptsLanguages([...languages])) ?? defaultLanguage

/** The language that the person has chosen on our pages, in this browser. */
export function chosenLanguage(cookieHeader: string | undefined): Language | undefined {
  const cookies = parseCookie(cookieHeader ?? '')
  // Without the prefix: over HTTP, or a choice from before the cookie was bound to this host.
  const value = cookies[`__Host-${name}`] ?? cookies[name]
  return isLanguage(value) ? value : undefined
}

/** The `Set-Cookie` value of a choice. */
export const languageCookie = (language: Language, publicUrl: string): string =>
  // Who follows a link of a mail reads the page in the chosen language.
  cookieOf({ name, value: language, maxAgeSeconds: keptSeconds, sameSite: 'lax', publicUrl })

/** Sets the language of an answer. @param by the request headers that have decided it: a cache keeps those apart */
export function setContentLanguage(response: Response, language: Language, by: readonly string[]): void {
  response.set('Content-Language', language)
  response.vary(by.join(', '))
}
