/** Formats amounts, data, days and places for people. */
import { majorUnits, minorDigits } from '../policy/currency.ts'
import type { ValidityStart } from '../providers/esim.ts'

export interface Money {
  /** in the currency's smallest unit */
  minor: number
  /** ISO 4217 */
  currency: string
}

const locale = 'en-GB'
const tenths = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 })

/** kept, since making one takes longer than rendering a mail's text */
const currencyFormats = new Map<string, Intl.NumberFormat>()

export function money({ minor, currency }: Money): string {
  const digits = minorDigits(currency)
  const options = { style: 'currency', currency, minimumFractionDigits: digits, maximumFractionDigits: digits } as const
  const format = currencyFormats.get(currency) ?? new Intl.NumberFormat(locale, options)
  currencyFormats.set(currency, format)
  return format.format(majorUnits(minor, currency))
}

const megabyte = 1024 ** 2
const gigabyte = 1024 ** 3

/** An amount of data in the units in which both providers sell packages: 1 GB is 1,024 MB, or 2^30 bytes. */
export function dataAmount(bytes: number | null): string {
  if (bytes === null) return 'unlimited'
  if (bytes >= gigabyte) return `${tenths.format(bytes / gigabyte)} GB`
  return `${bytes > 0 && bytes < megabyte ? 'less than 1' : tenths.format(bytes / megabyte)} MB`
}

/** When the days of a package begin, as half a sentence; null: the provider does not say. */
export const validityStart = (starts: ValidityStart | null): string =>
  starts === 'installation'
    ? 'from its installation on a phone'
    : starts === 'first_use'
      ? 'from its first connection to a network at your destination'
      : 'from the start that the network sets'

const dayFormat = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' })
const timeFormat = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })

/** A day, for example 5 December 2026. */
export const day = (date: Date): string => dayFormat.format(date)

/** A time in UTC, since the reader's time zone is unknown. */
export const moment = (date: Date): string => `${timeFormat.format(date)} UTC`

export const days = (count: number): string => (count === 1 ? '1 day' : `${count} days`)

const regions = new Intl.DisplayNames('en', { type: 'region', fallback: 'code' })

/** The name of an ISO 3166 code. A destination without a code is a name already. */
export const placeName = (destination: string): string =>
  /^[A-Z]{2}$/.test(destination) ? (regions.of(destination) ?? destination) : destination
