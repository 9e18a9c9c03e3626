/** Calendar arithmetic in UTC, but for `dayIn`. It reads no clock, so workflows may use it. */

/** A time so many milliseconds later, or earlier if they are negative. */
export const plusMs = (at: Date, ms: number): Date => new Date(at.getTime() + ms)

/** A time so many days of 24 hours later, or earlier if they are negative. */
export const plusDays = (at: Date, days: number): Date => plusMs(at, days * 86_400_000)

/** The same day and time years later; 29 February becomes 28 February in other than leap years. */
export function plusYears(at: Date, years: number): Date {
  const later = new Date(at)
  later.setUTCFullYear(at.getUTCFullYear() + years)
  return later.getUTCMonth() === at.getUTCMonth() ? later : plusDays(later, -1)
}

/** Milliseconds from one time to a later one; 0 when it has passed. */
export const msUntil = (to: Date, from: Date): number => Math.max(0, to.getTime() - from.getTime())

/** The later one of two times. */
export const later = (one: Date, other: Date): Date => (one > other ? one : other)

/** Midnight at the start of the day, UTC. */
export const startOfDay = (at: Date): Date => new Date(Math.floor(at.getTime() / 86_400_000) * 86_400_000)

/** Days from one time to a later one, rounded to the nearest; 0 when it has passed. */
export const daysUntil = (to: Date, from: Date): number => Math.round(msUntil(to, from) / 86_400_000)

/** A day as `YYYY-MM-DD`, UTC. */
export const dayOf = (at: Date): string => at.toISOString().slice(0, 10)

/** The day (YYYY-MM-DD) that it is in a time zone (IANA) at a time. @throws RangeError for a zone that nobody knows */
export function dayIn(timeZone: string, at: Date): string {
  const format = new Intl.DateTimeFormat('en', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
  const [month, day, year] = format.formatToParts(at).flatMap(({ type, value }) => (type === 'literal' ? [] : value))
  return `${year}-${month}-${day}`
}

/** A time in ISO 8601, if there is one. */
export const isoOrNull = (at: Date | null | undefined): string | null => at?.toISOString() ?? null

/** A month as `YYYY-MM`. */
export const monthOf = (at: Date): string => at.toISOString().slice(0, 7)

export interface BooksPeriod {
  years: number
  /** `year_end`: the period begins at the end of the calendar year, as in many tax laws */
  countFrom: 'issue' | 'year_end'
}

/**
 * R2: the books are kept for 7 years. Returns the end of the period of this day's rows, at which they must be purged.
 */
export function booksPeriodEnds(day: Date, { years, countFrom }: BooksPeriod): Date {
  if (countFrom === 'year_end') return new Date(Date.UTC(day.getUTCFullYear() + years + 1, 0, 1))
  return plusDays(plusYears(startOfDay(day), years), 1)
}
