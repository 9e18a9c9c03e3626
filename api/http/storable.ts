/**
 * Limits of PostgreSQL for values that callers send: it stores no NUL and no half of a surrogate pair, and knows no
 * year 0. It finds an id in capital letters, but run ids and encryption need its one spelling, so such an id is read in
 * lower case.
 */
import { z } from 'zod'
import { asOneLine, isOneLine, withoutDirections } from '../../shared/text/one-line.ts'
import type { FieldError } from './problem.ts'

const unstorable = /[\0\p{Cs}]/u

/** A time that a caller sends. */
export const sentTime = z.iso.datetime().refine((time) => !time.startsWith('0000'), 'must not be in the year 0')

/** A time in UTC as people write it, as programs do; what is none stays as it is. */
export const timeAsTyped = (typed: string): string =>
  typed.replace(
    /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(:\d\d(?:\.\d+)?)?Z?)?$/,
    (_all, day: string, minute = '00:00', rest = ':00') => `${day}T${minute}${rest}Z`,
  )

/** A day that a caller sends. */
export const sentDay = z.iso.date().refine((day) => !day.startsWith('0000'), 'must not be in the year 0')

/** Clocks of phones are wrong by hours. */
const clocksDifferMs = 24 * 60 * 60_000

/** A time at which something has happened, as a caller says. */
export const pastTime = sentTime.refine(
  (time) => Date.parse(time) <= Date.now() + clocksDifferMs,
  'must not be in the future',
)

/**
 * A text that a person writes, and that is shown on a line with ours: at the console, in mails and in files.
 * @param longest in characters
 */
export const oneLine = (longest: number) => asLine(z.string(), longest)

/** The same of a name: what phones add for the direction in which it is read is left out. */
export const oneLineOfName = (longest: number) => asLine(z.string().overwrite(withoutDirections), longest)

const asLine = (text: z.ZodString, longest: number) =>
  text
    .trim()
    .min(1)
    .max(longest)
    .refine(isOneLine, 'must be one line, without characters that change the order in which it is shown')

/** The same of what a program sends, such as the name of a phone: what it must not have is left out. */
export const oneLineOfProgram = (longest: number) => z.string().overwrite(asOneLine).trim().min(1).max(longest)

/** An id that a caller sends, as we write it. */
export const sentId = z.uuid().toLowerCase()

/** The parameters of a path with one id: `/v1/orders/{id}`. */
export const idParams = z.strictObject({ id: sentId })

/**
 * Each text in a parsed value that could not be stored, by its path. @param place names the value itself: `body`,
 * `query`
 */
export function unstorableTexts(value: unknown, place: string): FieldError[] {
  return textsIn(value, []).flatMap(({ text, path }) =>
    unstorable.test(text)
      ? [{ field: path.join('.') || place, reason: 'must not hold NUL or half of a surrogate pair' }]
      : [],
  )
}

interface Text {
  text: string
  path: readonly string[]
}

function textsIn(value: unknown, path: readonly string[]): Text[] {
  if (typeof value === 'string') return [{ text: value, path }]
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([name, part]) => [
    ...(Array.isArray(value) ? [] : [{ text: name, path }]),
    ...textsIn(part, [...path, name]),
  ])
}
