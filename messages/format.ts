/** Amounts of money, numbers, days and places as a language writes them (Unicode CLDR, by Intl). */
import { type Money, majorUnits, minorDigits } from '../policy/currency.ts'
import { type Language, locales } from './languages.ts'

/** UN M49 codes, by which CLDR names the regions of policy/regions.ts. `Global` has a text of its own. */
const continents: Record<string, string> = {
  Africa: '002',
  'North America': '003',
  'South America': '005',
  Oceania: '009',
  Asia: '142',
  Europe: '150',
}

export type Format = ReturnType<typeof createFormat>

/** Neither the locale nor the time zone of the machine has a part in it. */
export function createFormat(language: Language) {
  const locale = locales[language]
  // Kept, since making one takes longer than rendering a mail's text.
  const currencies = new Map<string, Intl.NumberFormat>()
  const tenths = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 })
  const dayFormat = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' })
  const timeFormat = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })
  const regions = new Intl.DisplayNames(locale, { type: 'region', fallback: 'code' })

  return {
    /** @param currencyDisplay the currency's sign, or its ISO 4217 code, which has only letters that each font has */
    money({ minor, currency }: Money, currencyDisplay: 'symbol' | 'code' = 'symbol'): string {
      const digits = minorDigits(currency)
      const options = {
        style: 'currency',
        currency,
        currencyDisplay,
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      } as const
      const key = `${currency} ${currencyDisplay}`
      const format = currencies.get(key) ?? new Intl.NumberFormat(locale, options)
      currencies.set(key, format)
      return format.format(majorUnits(minor, currency))
    },

    /** At most one decimal. */
    number: (value: number): string => tenths.format(value),

    /** A day, for example 5 December 2026. */
    day: (date: Date): string => dayFormat.format(date),

    /** A time in UTC, since the reader's time zone is unknown. */
    moment: (date: Date): string => `${timeFormat.format(date)} UTC`,

    /** The name of an ISO 3166 code or of a continent. Any other destination is a name already. */
    region(destination: string): string {
      const code = /^[A-Z]{2}$/.test(destination) ? destination : continents[destination]
      return (code && regions.of(code)) ?? destination
    },
  }
}
