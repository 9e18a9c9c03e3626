/**
 * Prices of our packages, in integer arithmetic. A price is set once; later changes of providers' costs do not change
 * it.
 */
import { type Money, minorDigits } from './currency.ts'
import { periods } from './periods.ts'

/** Both providers charge US dollars. Packages with costs in another currency are not sold. */
export const costCurrency = 'USD'

/** Stripe accepts amounts of up to eight digits (docs.stripe.com/api/payment_intents/object, `amount`). */
export const maxPriceMinor = 99_999_999
/** Of an order of several: Stripe takes more digits in currencies with small units, such as IDR. */
export const maxOrderMinor = maxPriceMinor * periods.order.maxQuantity

/**
 * The highest of Stripe's minimum charges, about half a dollar (docs.stripe.com/currencies, minimum charge amounts),
 * plus a margin for exchange rates that differ from ours. Millionths of a dollar.
 */
const minChargeMicros = 750_000

export interface ExchangeRate {
  /** the shop's currency, ISO 4217 */
  currency: string
  /** millionths of the shop's currency for one US dollar */
  ratePerUsdMicros: number
}

/** The rate by which the shop converts the providers' costs, from its settings. */
export const exchangeRateOf = (config: { SHOP_CURRENCY: string; SHOP_RATE_PER_USD_MICROS: number }): ExchangeRate => ({
  currency: config.SHOP_CURRENCY,
  ratePerUsdMicros: config.SHOP_RATE_PER_USD_MICROS,
})

/**
 * The first price of a new package: the cost of the cheapest offer in the shop's currency plus the markup, rounded up
 * to the next x.49 or x.99. At least the cost of the most expensive offer, so that every provider can replace another,
 * and at least Stripe's minimum. The markup has to cover tax and Stripe's fees as well.
 * @param costsMicros the cost of each provider's offer, at least one, in millionths of a US dollar, not negative
 * @returns minor units of the shop's currency; may exceed `maxPriceMinor`
 */
export function firstPriceMinor(costsMicros: readonly number[], exchange: ExchangeRate, markupPercent: number): number {
  const withMarkup = BigInt(Math.min(...costsMicros)) * BigInt(100 + markupPercent)
  const floor = BigInt(Math.max(minChargeMicros, ...costsMicros)) * 100n
  const priceMicros = (withMarkup > floor ? withMarkup : floor) * BigInt(exchange.ratePerUsdMicros)
  const minMinor = ceilDivide(priceMicros, microsPerUnit * microsPerMinor(exchange.currency) * 100n)
  return Number(ceilDivide(minMinor + 1n, pricePoint) * pricePoint - 1n)
}

/** The cost of an offer in minor units of the shop's currency, rounded up. */
export function costMinor(costMicros: number, exchange: ExchangeRate): number {
  const cost = BigInt(costMicros) * BigInt(exchange.ratePerUsdMicros)
  return Number(ceilDivide(cost, microsPerUnit * microsPerMinor(exchange.currency)))
}

/** Whether an order costs something else than its customer was shown. An app that says nothing expects nothing. */
export const isAnotherPrice = (price: Money, expected: Money | undefined): boolean =>
  expected !== undefined && (expected.minor !== price.minor || expected.currency !== price.currency)

/**
 * Compares a price with the cost of the cheapest offer. Returns why the package cannot be sold, for operators, or
 * undefined when it can. A price in a currency that the shop had before is not valid.
 */
export function checkPrice(price: Money, costMicros: number, exchange: ExchangeRate): string | undefined {
  if (price.currency !== exchange.currency) return `price in ${price.currency}, the shop sells in ${exchange.currency}`
  const cost = costMinor(costMicros, exchange)
  const minMinor = costMinor(minChargeMicros, exchange)
  const units = `minor units of ${exchange.currency}`
  if (price.minor < cost) return `price ${price.minor}, cost ${cost}, ${units}`
  return price.minor < minMinor ? `price ${price.minor}, least that can be charged ${minMinor}, ${units}` : undefined
}

/**
 * Whether an order may be filled at this cost. A provider may raise its price after we have sold: we then earn less,
 * but nothing is lost beyond tax and Stripe's fees. An order in a currency that the shop had before is filled at any
 * cost.
 * @param unitCostMicros for one package, or for one day of a package sold by the day
 */
export function mayBuyAt(
  unitCostMicros: number,
  sold: { grossMinor: number; currency: string; units: number },
  exchange: ExchangeRate,
): boolean {
  return sold.currency !== exchange.currency || costMinor(unitCostMicros * sold.units, exchange) <= sold.grossMinor
}

const microsPerUnit = 1_000_000n
/** prices are multiples of this, less one: 49, 99, 149, ... */
const pricePoint = 50n

const microsPerMinor = (currency: string): bigint => 10n ** BigInt(6 - minorDigits(currency))

const ceilDivide = (amount: bigint, divisor: bigint): bigint => (amount + divisor - 1n) / divisor
