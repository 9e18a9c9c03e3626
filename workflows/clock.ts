/** Calendar arithmetic in UTC, for workflows and everybody else. Dates in, dates out; no clock is read here. */

export const plusMs = (at: Date, ms: number): Date => new Date(at.getTime() + ms)

export const plusDays = (at: Date, days: number): Date => plusMs(at, days * 86_400_000)

/** The same day and time years later; 29 February becomes 28 February where the year has none. */
export function plusYears(at: Date, years: number): Date {
  const later = new Date(at)
  later.setUTCFullYear(at.getUTCFullYear() + years)
  return later.getUTCMonth() === at.getUTCMonth() ? later : plusDays(later, -1)
}

/** Milliseconds from one time to a later one; 0 when it has passed. */
export const msUntil = (to: Date, from: Date): number => Math.max(0, to.getTime() - from.getTime())
