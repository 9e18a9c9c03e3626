import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  checkPrice,
  costCurrency,
  costMinor,
  type ExchangeRate,
  exchangeRateOf,
  firstPriceMinor,
  isAnotherPrice,
  maxPriceMinor,
  mayBuyAt,
} from '../../policy/pricing.ts'

const euro: ExchangeRate = { currency: 'EUR', ratePerUsdMicros: 920_000 }
const yen: ExchangeRate = { currency: 'JPY', ratePerUsdMicros: 151_320_000 }

test('the shop converts costs by the currency and the rate of its settings', () => {
  expect(exchangeRateOf({ SHOP_CURRENCY: 'EUR', SHOP_RATE_PER_USD_MICROS: 920_000 })).toEqual(euro)
})

const costs = fc.integer({ min: 0, max: 2_000_000_000 })
const markups = fc.integer({ min: 0, max: 1000 })
const exchanges = fc.record({
  currency: fc.constantFrom('EUR', 'USD', 'JPY', 'KWD', 'ALL'),
  ratePerUsdMicros: fc.integer({ min: 1, max: 1_000_000_000 }),
})

test.each([
  // 0.90 USD × 0.92 × 1.6 = 1.3248 EUR
  [[900_000], euro, 60, 149],
  // exactly 4.99 EUR before rounding stays 4.99 EUR
  [[4_990_000], { currency: 'EUR', ratePerUsdMicros: 1_000_000 }, 0, 499],
  [[4_990_001], { currency: 'EUR', ratePerUsdMicros: 1_000_000 }, 0, 549],
  // costs below Stripe's minimum charge are priced at the minimum
  [[0], euro, 60, 99],
  [[250_000], euro, 60, 99],
  [[0], yen, 60, 149],
  // the more expensive offer costs 1.656 EUR, the cheaper one with its markup 1.3248
  [[900_000, 1_800_000], euro, 60, 199],
  [[1_200_000, 900_000, 1_300_000], euro, 60, 149],
  // 0.90 USD × 151.32 × 1.6 = 217.9 yen, which have no minor unit
  [[900_000], yen, 60, 249],
  // 0.90 USD × 95 × 1.6 = 136.8 leks, which Stripe counts in hundredths
  [[900_000], { currency: 'ALL', ratePerUsdMicros: 95_000_000 }, 60, 13_699],
])(
  'the first price of offers at %j micro-dollars, in %o, plus %d %%, is %d',
  (costsMicros, exchange, markup, expected) => {
    expect(firstPriceMinor(costsMicros, exchange, markup)).toBe(expected)
  },
)

test('a first price is a whole number at a price point and covers the cost of every offer', () => {
  fc.assert(
    fc.property(fc.array(costs, { minLength: 1, maxLength: 3 }), exchanges, markups, (offers, exchange, markup) => {
      const minor = firstPriceMinor(offers, exchange, markup)
      expect(Number.isSafeInteger(minor)).toBe(true)
      expect([49, 99]).toContain(minor % 100)
      for (const cost of offers) {
        expect(minor).toBeGreaterThanOrEqual(costMinor(cost, exchange))
        expect(checkPrice({ minor, currency: exchange.currency }, cost, exchange)).toBeUndefined()
      }
    }),
  )
})

test('a first price is less than one price point above cost and markup', () => {
  fc.assert(
    fc.property(fc.integer({ min: 750_000, max: 2_000_000_000 }), markups, (costMicros, markup) => {
      const asked = (costMicros * 0.92 * (100 + markup)) / 1_000_000
      expect(firstPriceMinor([costMicros], euro, markup) - asked).toBeLessThan(50)
    }),
  )
})

test('a higher cost or a higher markup never lowers the first price', () => {
  fc.assert(
    fc.property(costs, costs, exchanges, markups, markups, (costA, costB, exchange, markupA, markupB) => {
      const lower = firstPriceMinor([Math.min(costA, costB)], exchange, Math.min(markupA, markupB))
      expect(firstPriceMinor([Math.max(costA, costB)], exchange, Math.max(markupA, markupB))).toBeGreaterThanOrEqual(
        lower,
      )
    }),
  )
})

test('a price below the cost is refused, a price equal to the cost is accepted', () => {
  fc.assert(
    fc.property(fc.integer({ min: 750_000, max: 2_000_000_000 }), exchanges, (costMicros, exchange) => {
      const cost = costMinor(costMicros, exchange)
      expect(checkPrice({ minor: cost, currency: exchange.currency }, costMicros, exchange)).toBeUndefined()
      expect(checkPrice({ minor: cost - 1, currency: exchange.currency }, costMicros, exchange)).toMatch(
        /^price \d+, cost/,
      )
    }),
  )
})

test('a price below Stripe’s minimum charge is refused, however low the cost', () => {
  expect(checkPrice({ minor: 69, currency: 'EUR' }, 1, euro)).toBeUndefined()
  expect(checkPrice({ minor: 68, currency: 'EUR' }, 1, euro)).toBe(
    'price 68, least that can be charged 69, minor units of EUR',
  )
})

test('costs are in US dollars', () => {
  expect(costCurrency).toBe('USD')
})

test('a price in another currency than the shop’s is refused', () => {
  expect(checkPrice({ minor: maxPriceMinor, currency: 'USD' }, 1, euro)).toBe('price in USD, the shop sells in EUR')
})

test('an order is filled at any cost up to its price, and in another currency at every cost', () => {
  const sold = { grossMinor: 1_000, currency: 'EUR', units: 2 }
  // 5.43 USD are 4.9956 EUR, and 5.44 USD are 5.0048 EUR.
  expect(mayBuyAt(5_430_000, sold, euro)).toBe(true)
  expect(mayBuyAt(5_440_000, sold, euro)).toBe(false)
  expect(mayBuyAt(5_440_000, { ...sold, units: 1 }, euro)).toBe(true)
  expect(mayBuyAt(5_440_000, { ...sold, currency: 'USD' }, euro)).toBe(true)
})

test('an order has another price than its customer has seen if the amount or the currency differs', () => {
  const amount = { minor: 500, currency: 'EUR' }
  expect(
    [undefined, amount, { ...amount, minor: 499 }, { ...amount, currency: 'USD' }].map((seen) =>
      isAnotherPrice(amount, seen),
    ),
  ).toEqual([false, false, true, true])
})
