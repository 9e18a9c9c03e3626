/** A sum of money. */
export interface Money {
  /** in the currency's minor unit */
  minor: number
  /** ISO 4217 */
  currency: string
}

/**
 * Minor units as Stripe counts them (docs.stripe.com/currencies). `Intl` differs: for display it has no hundredths of a
 * lek or forint, which Stripe charges.
 */
const withoutMinorUnit = new Set('BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF'.split(' '))
const withThousandths = new Set('BHD JOD KWD OMR TND'.split(' '))

/** Decimal places of the minor unit. @param currency ISO 4217, upper case */
export function minorDigits(currency: string): 0 | 2 | 3 {
  if (withoutMinorUnit.has(currency)) return 0
  return withThousandths.has(currency) ? 3 : 2
}

/** 990 EUR cents are 9.9; 990 JPY are 990. For reports only: amounts are added in minor units. */
export const majorUnits = (minor: number, currency: string): number => minor / 10 ** minorDigits(currency)

/**
 * Whether our prices, which end in 49 and 99, can be charged in a currency. Stripe refuses them in currencies with
 * thousandths, which it takes in multiples of ten only, and reads them differently in ISK and UGX, which it takes with
 * two zero decimals (docs.stripe.com/currencies).
 */
export function canPriceIn(currency: string): boolean {
  return (
    Intl.supportedValuesOf('currency').includes(currency) &&
    !withThousandths.has(currency) &&
    !withZeroDecimals.includes(currency)
  )
}
const withZeroDecimals = ['ISK', 'UGX']
