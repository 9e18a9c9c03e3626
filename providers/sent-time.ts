/** Times and waits that outside parties send. */

/** The end of the year 9999, which is the last that ISO 8601 writes with four digits, as PostgreSQL reads it. */
const lastMs = Date.UTC(10_000, 0, 1) - 1

/** The time of Unix milliseconds; undefined for a number that is no time between 1970 and 9999. */
export function timeOfMs(ms: number): Date | undefined {
  return ms >= 0 && ms <= lastMs ? new Date(ms) : undefined
}

/** The time of a reported event. A time in the future, by the clock of its sender, is replaced by the current time. */
export const eventTimeOfMs = (ms: number): Date | undefined => timeOfMs(Math.min(ms, Date.now()))

/**
 * The wait that a party asks for by its header Retry-After, which has seconds or a date (RFC 9110, sections 10.2.3 and
 * 5.6.7); nothing for another text, and for a time that is over.
 */
export function waitAskedFor(header: string | null | undefined): { retryAfterMs?: number } {
  if (!header) return {}
  const milliseconds = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return milliseconds > 0 ? { retryAfterMs: milliseconds } : {}
}
