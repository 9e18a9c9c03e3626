/** Which packages the list leaves out, held against the definition for drawn catalogues. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Comparable, dominated, dominates } from '../../db/catalogue/dominated.ts'

const offer: fc.Arbitrary<Omit<Comparable, 'code'>> = fc.record({
  group: fc.constantFrom('base', 'top_up a'),
  destinations: fc.subarray(['DE', 'FR', 'IT'], { minLength: 1 }),
  dataBytes: fc.constantFrom(1n, 2n, null),
  daily: fc.boolean(),
  days: fc.constantFrom(7, 30),
  priceMinor: fc.integer({ min: 1, max: 3 }),
  currency: fc.constantFrom('EUR', 'USD'),
  takesTopUps: fc.boolean(),
  startsAtFirstUse: fc.boolean(),
})
const catalogue = fc
  .array(offer, { maxLength: 25 })
  .map((offers) => offers.map((each, index): Comparable => ({ ...each, code: `p${index}` })))

/** The respects in which a customer would prefer `a`. */
function better(a: Comparable, b: Comparable): string[] {
  return [
    ...(a.priceMinor < b.priceMinor ? ['price'] : []),
    ...(a.days > b.days ? ['days'] : []),
    ...((a.dataBytes ?? 99n) > (b.dataBytes ?? 99n) ? ['data'] : []),
    ...(a.takesTopUps && !b.takesTopUps ? ['top-ups'] : []),
    ...(a.startsAtFirstUse && !b.startsAtFirstUse ? ['start'] : []),
    ...(a.destinations.some((code) => !b.destinations.includes(code)) ? ['destinations'] : []),
  ]
}

const comparable = (a: Comparable, b: Comparable): boolean =>
  a.group === b.group && a.currency === b.currency && a.daily === b.daily

test('a package is left out exactly when a listed one is worse in no respect and better in one', () => {
  fc.assert(
    fc.property(catalogue, (packages) => {
      const left = dominated(packages)
      const listed = packages.filter(({ code }) => !left.has(code))
      for (const each of packages) {
        const beatenBy = listed.filter(
          (other) => comparable(other, each) && better(each, other).length === 0 && better(other, each).length > 0,
        )
        expect(left.has(each.code)).toBe(beatenBy.length > 0)
      }
    }),
  )
})

test('no two packages dominate each other, and equal ones stay', () => {
  fc.assert(
    fc.property(catalogue, (packages) => {
      for (const a of packages) {
        expect(dominates(a, { ...a, code: 'equal' })).toBe(false)
        for (const b of packages) expect(dominates(a, b) && dominates(b, a)).toBe(false)
      }
    }),
  )
})
