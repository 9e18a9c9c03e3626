/** Converts the providers' units to ours: millionths of a currency unit, bytes, ISO 8601 times. */
import { ProviderFailure } from './failure.ts'

/** Airalo's megabyte in bytes: its "1 GB" is 1024 of them. */
export const MEGABYTE = 1024 ** 2

/**
 * A decimal amount (`'4.50'`, `4.5`) in millionths. It is computed from the digits, since 4.35 × 10⁶ is inexact in
 * floating point.
 * @throws RangeError for anything but a plain decimal with at most 6 places
 */
export function toMicros(amount: string | number): number {
  const match = /^(-?)(\d{1,9})(?:\.(\d{1,6}))?$/.exec(String(amount))
  if (!match) throw new RangeError('not a decimal amount')
  const [, sign, whole = '', places = ''] = match
  const micros = Number(whole + places.padEnd(6, '0'))
  return sign ? -micros : micros
}

/**
 * `2026-09-27T19:29:36+0000`, `2026-09-27T19:29:36+00:00` or `2026-09-27 19:29:36` (UTC assumed) as ISO 8601 in UTC.
 * @throws RangeError for anything else
 */
export function toIso(time: string): string {
  const withZone = /^\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?$/.test(time)
    ? `${time.replace(' ', 'T')}Z`
    : time.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')
  return new Date(withZone).toISOString()
}

/** Reads a time of a reply by `toIso`. @throws ProviderFailure `malformed_reply` */
export function readTime(provider: string, time: string): string {
  try {
    return toIso(time)
  } catch {
    throw new ProviderFailure(provider, 'unavailable', 'malformed_reply')
  }
}
