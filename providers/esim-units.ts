/** Converts the providers' units to ours: millionths of a currency unit, bytes, ISO 8601 times. */
import { ProviderFailure } from './failure.ts'

/** Airalo's megabyte in bytes: its "1 GB" is 1024 of them. */
export const MEGABYTE = 1024 ** 2

const places = 6
const belowAmount = 1e9

/**
 * A decimal amount (`'4.50'`, `4.5`) in millionths. That of a text is computed from the digits; a number is rounded,
 * since it may be the inexact result of a calculation, such as 4.1000000000000005.
 * @throws RangeError for a text that is no plain decimal with at most 6 places, and for what is a billion or more
 */
export function toMicros(amount: string | number): number {
  if (typeof amount === 'number' && Math.abs(amount) < belowAmount) return Math.round(amount * 10 ** places)
  const match = /^(-?)(\d{1,9})(?:\.(\d{1,6}))?$/.exec(String(amount))
  if (!match) throw new RangeError('not a decimal amount')
  const [, sign, whole = '', fraction = ''] = match
  const micros = Number(whole + fraction.padEnd(places, '0'))
  return sign ? -micros : micros
}

/**
 * `2026-09-27T19:29:36+0000`, `2026-09-27T19:29:36+00:00` or `2026-09-27 19:29:36` (UTC assumed) as ISO 8601 in UTC.
 * @throws RangeError for anything else, and for a year that PostgreSQL does not know as ISO 8601 writes it
 */
export function toIso(time: string): string {
  const withZone = /^\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?$/.test(time)
    ? `${time.replace(' ', 'T')}Z`
    : time.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')
  const iso = new Date(withZone).toISOString()
  if (!/^(?!0000)\d{4}-/.test(iso)) throw new RangeError('not a year of four digits')
  return iso
}

/** Reads a time of a reply by `toIso`. @throws ProviderFailure `malformed_reply` */
export function readTime(provider: string, time: string): string {
  try {
    return toIso(time)
  } catch {
    throw new ProviderFailure(provider, 'unavailable', 'malformed_reply')
  }
}
