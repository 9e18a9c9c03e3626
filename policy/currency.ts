/**
 * What an amount in minor units is in money, as Stripe counts it (docs.stripe.com/currencies). Not as Intl does: for
 * display it knows no hundredths of a lek or forint, and Stripe charges them.
 */
const withoutMinorUnit = new Set('BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF'.split(' '))
const withThousandths = new Set('BHD JOD KWD OMR TND'.split(' '))

/** Decimal places of the minor unit. @param currency ISO 4217, upper case */
export function minorDigits(currency: string): 0 | 2 | 3 {
  if (withoutMinorUnit.has(currency)) return 0
  return withThousandths.has(currency) ? 3 : 2
}

/** 990 EUR cents are 9.9; 990 JPY are 990. For reports only: sums are made of minor units. */
export const majorUnits = (minor: number, currency: string): number => minor / 10 ** minorDigits(currency)

/**
 * Whether our prices can be charged in it. Stripe takes thousandths by the ten only, and wants ISK and UGX in hundredths
 * that are none: prices that end in 49 and 99 would be refused there, or mean something else.
 */
export function canPriceIn(currency: string): boolean {
  return (
    Intl.supportedValuesOf('currency').includes(currency) && !withThousandths.has(currency) && !odd.includes(currency)
  )
}
const odd = ['ISK', 'UGX']
