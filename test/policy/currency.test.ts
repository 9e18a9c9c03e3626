import { expect, test } from 'vitest'
import { minorOf } from '../../api/routes/console/order-acts.ts'
import { whyASecondOne } from '../../api/views/second-operator.ts'
import { canPriceIn, majorUnits, minorDigits } from '../../policy/currency.ts'

test.each([
  ['EUR', 1, 0.01],
  ['EUR', 4999, 49.99],
  ['JPY', 990, 990],
  ['KWD', 9900, 9.9],
  // Intl shows these without hundredths, but a payment of 990 is 9.90.
  ['ALL', 990, 9.9],
  ['HUF', 990, 9.9],
])('an amount of %s %d is %d in major units', (currency, minor, major) => {
  expect(majorUnits(minor, currency)).toBe(major)
})

test('prices are possible only in currencies with hundredths or without a minor unit', () => {
  const priced = Intl.supportedValuesOf('currency').filter(canPriceIn)
  expect(priced.length).toBeGreaterThan(100)
  for (const currency of priced) expect([0, 2], currency).toContain(minorDigits(currency))
})

test.each([
  ['EUR', true],
  ['JPY', true],
  ['ALL', true],
  ['KWD', false],
  ['ISK', false],
  ['UGX', false],
  ['XYZ', false],
])('a price in %s is possible: %s', (currency, expected) => {
  expect(canPriceIn(currency)).toBe(expected)
})

test.each([
  ['EUR', 'up to 1000.00, all currencies added. You, or a key that may be yours, refunded 550.00 before'],
  ['JPY', 'up to 100000, all currencies added. You, or a key that may be yours, refunded 55000 before'],
])('in a shop of %s an operator reads sums in its unit', (SHOP_CURRENCY, words) => {
  const sums = { of: 'operator', act: 'refund', beforeMinor: 55_000, minor: 60_000 } as const
  expect(whyASecondOne({ SECOND_OPERATOR_ABOVE_MINOR: 100_000, SHOP_CURRENCY }, sums)).toContain(words)
})

test.each([
  ['4.50', 'EUR', 450],
  ['0,01', 'EUR', 1],
  ['0', 'EUR', undefined],
  ['4.505', 'EUR', undefined],
  // What an order of ten may cost.
  ['9999999.90', 'IDR', 999_999_990],
  ['9999999.91', 'IDR', undefined],
  ['12500000', 'VND', 12_500_000],
  ['999999990', 'VND', 999_999_990],
  ['999999991', 'VND', undefined],
])('an operator who types %s for a part of an order in %s means %s minor units', (typed, currency, minor) => {
  expect(minorOf(typed, currency)).toBe(minor)
})
