/**
 * What our packages cost, in integers only. A price is ours from the moment it is first set: providers' costs move
 * without it.
 */
import { minorDigits } from './currency.ts'

/** Both providers charge US dollars; a cost in anything else cannot be compared and is not sold. */
export const costCurrency = 'USD'

/** Stripe takes up to eight digits in one payment (docs.stripe.com/api/payment_intents/object, `amount`). */
export const maxPriceMinor = 99_999_999

/**
 * Stripe takes no payment below half a dollar or so in any currency (docs.stripe.com/currencies, minimum charge amounts);
 * the dearest of its minima, with something for rates that are not ours: millionths of a dollar.
 */
const leastChargeMicros = 750_000

export interface ExchangeRate {
  /** ISO 4217, the shop's */
  currency: string
  /** millionths of the shop's currency for one US dollar */
  ratePerUsdMicros: number
}

/**
 * The price a new package starts with: the cheapest offer's cost in the shop's currency plus the markup, but no less than
 * the dearest offer costs, so that every provider can step in for another, and no less than can be charged; up to the
 * next x.49 or x.99. The markup has to pay for tax and the processor's fees as well.
 * @param costsMicros of each provider's offer, at least one: millionths of a US dollar, not negative
 * @returns minor units of the shop's currency; may exceed `maxPriceMinor`
 */
export function firstPriceMinor(costsMicros: readonly number[], exchange: ExchangeRate, markupPercent: number): number {
  const marked = BigInt(Math.min(...costsMicros)) * BigInt(100 + markupPercent)
  const dearest = BigInt(Math.max(leastChargeMicros, ...costsMicros)) * 100n
  const asked = (marked > dearest ? marked : dearest) * BigInt(exchange.ratePerUsdMicros)
  const least = ceilDivide(asked, microsPerUnit * microsPerMinor(exchange.currency) * 100n)
  return Number(ceilDivide(least + 1n, pricePoint) * pricePoint - 1n)
}

/** What an offer costs us in minor units of the shop's currency, the part of one counted whole. */
export function costMinor(costMicros: number, exchange: ExchangeRate): number {
  const cost = BigInt(costMicros) * BigInt(exchange.ratePerUsdMicros)
  return Number(ceilDivide(cost, microsPerUnit * microsPerMinor(exchange.currency)))
}

/**
 * Why a price cannot stand against what the cheapest offer costs us, for operators to read; undefined when it can. A price
 * in a currency that the shop had once is no price any more.
 */
export function checkPrice(
  price: { minor: number; currency: string },
  costMicros: number,
  exchange: ExchangeRate,
): string | undefined {
  if (price.currency !== exchange.currency) return `price in ${price.currency}, the shop sells in ${exchange.currency}`
  const cost = costMinor(costMicros, exchange)
  const least = costMinor(leastChargeMicros, exchange)
  const units = `minor units of ${exchange.currency}`
  if (price.minor < cost) return `price ${price.minor}, cost ${cost}, ${units}`
  return price.minor < least ? `price ${price.minor}, least that can be charged ${least}, ${units}` : undefined
}

const microsPerUnit = 1_000_000n
/** every 50th price, less one: 49, 99, 149, ... */
const pricePoint = 50n

const microsPerMinor = (currency: string): bigint => 10n ** BigInt(6 - minorDigits(currency))

const ceilDivide = (amount: bigint, divisor: bigint): bigint => (amount + divisor - 1n) / divisor
