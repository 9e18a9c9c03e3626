/** U6, invoices: net and tax add up to the cent. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitTax } from '../../db/order/books.ts'
import { maxPriceMinor } from '../../policy/pricing.ts'

const gross = fc.integer({ min: 1, max: maxPriceMinor })
/** the range of config.ts */
const rate = fc.integer({ min: 0, max: 5_000 })

test.each([
  [500, 1_800, 424, 76],
  [499, 1_800, 423, 76],
  [119, 1_900, 100, 19],
  [107, 700, 100, 7],
  [1, 1_900, 1, 0],
  [4, 1_900, 3, 1],
  [3, 5_000, 2, 1],
  [990, 0, 990, 0],
])(
  'a price of %i with a tax of %i basis points has net %i and tax %i',
  (grossMinor, taxRateBps, netMinor, taxMinor) => {
    expect(splitTax(grossMinor, taxRateBps)).toEqual({ netMinor, taxMinor })
  },
)

test('net and tax are whole numbers, not negative, and add up to the price', () => {
  fc.assert(
    fc.property(gross, rate, (grossMinor, taxRateBps) => {
      const { netMinor, taxMinor } = splitTax(grossMinor, taxRateBps)
      expect(netMinor + taxMinor).toBe(grossMinor)
      expect([netMinor, taxMinor].every((part) => Number.isSafeInteger(part) && part >= 0)).toBe(true)
    }),
  )
})

test('the tax is the exact value, rounded half up', () => {
  fc.assert(
    fc.property(gross, rate, (grossMinor, taxRateBps) => {
      const divisor = 10_000n + BigInt(taxRateBps)
      const exactTwice = 2n * BigInt(grossMinor) * BigInt(taxRateBps)
      expect(BigInt(splitTax(grossMinor, taxRateBps).taxMinor)).toBe((exactTwice + divisor) / (2n * divisor))
    }),
    { numRuns: 1_000 },
  )
})

test('a higher price or rate never lowers the tax, and one cent more price adds at most one cent of tax', () => {
  fc.assert(
    fc.property(gross, rate, (grossMinor, taxRateBps) => {
      const { taxMinor, netMinor } = splitTax(grossMinor, taxRateBps)
      const dearer = splitTax(grossMinor + 1, taxRateBps)
      expect([0, 1]).toContain(dearer.taxMinor - taxMinor)
      expect([0, 1]).toContain(dearer.netMinor - netMinor)
      expect(splitTax(grossMinor, taxRateBps + 1).taxMinor).toBeGreaterThanOrEqual(taxMinor)
    }),
  )
})
