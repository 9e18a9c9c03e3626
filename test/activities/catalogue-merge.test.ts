import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mergeLists } from '../../activities/catalogue/merge.ts'
import type { OperatorFamily } from '../../db/catalogue/catalogue.ts'
import { periods } from '../../policy/periods.ts'
import { maxPriceMinor } from '../../policy/pricing.ts'
import type { ProviderPackage } from '../../providers/esim.ts'

const gigabyte = 2 ** 30

/** Fields that a provider may leave out; eSIMs of the package take top-ups. */
const unsaid = { validityStarts: null, supportsTopUp: true, networks: null }

const offered = (fields: Partial<ProviderPackage> = {}): ProviderPackage => ({
  code: 'a',
  kind: 'base',
  name: 'theirs',
  destinations: ['DE'],
  dataBytes: 3 * gigabyte,
  daily: false,
  days: 30,
  costMicros: 2_000_000,
  costCurrency: 'USD',
  validityStarts: null,
  family: 'DE',
  supportsTopUp: true,
  networks: null,
  ...fields,
})

function merge(lists: Record<string, ProviderPackage[]>, known: OperatorFamily[] = []) {
  const named = Object.entries(lists).map(([provider, packages]) => ({ provider, packages }))
  return mergeLists(named, known, (costs) => Math.ceil(Math.min(...costs) / 10_000) + costs.length)
}

test('equal packages of two providers become one, with the price of the cheaper offer', () => {
  const { packages } = merge({
    first: [offered({ code: 'dear', costMicros: 2_500_000 })],
    second: [offered({ code: 'cheap', costMicros: 2_000_000, family: '17' })],
  })
  expect(packages).toEqual([
    {
      code: 'de-3gb-30d',
      name: 'Germany 3 GB, 30 days',
      kind: 'base',
      destinations: ['DE'],
      dataBytes: 3 * gigabyte,
      daily: false,
      days: 30,
      firstPriceMinor: 202,
      offers: [
        { provider: 'second', providerPackageCode: 'cheap', family: '17', costMicros: 2_000_000, ...unsaid },
        { provider: 'first', providerPackageCode: 'dear', family: 'DE', costMicros: 2_500_000, ...unsaid },
      ],
    },
  ])
})

test('an offer says whether eSIMs of it take top-ups, also among others of its family', () => {
  const { packages } = merge({ one: [offered(), offered({ code: 'b', days: 7, supportsTopUp: false })] })
  expect(packages.flatMap(({ offers }) => offers.map((offer) => [offer.family, offer.supportsTopUp]))).toEqual([
    ['DE', true],
    ['DE', false],
  ])
})

test.each<[Partial<ProviderPackage>, string, string]>([
  [{}, 'de-3gb-30d', 'Germany 3 GB, 30 days'],
  [{ kind: 'top_up' }, 'de-3gb-30d-topup', 'Germany 3 GB, 30 days, top-up'],
  [{ dataBytes: 500 * 2 ** 20, days: 1 }, 'de-500mb-1d', 'Germany 500 MB, 1 day'],
  [{ dataBytes: 1_000_000_000 }, 'de-1000000000b-30d', 'Germany 1000000000 B, 30 days'],
  [{ dataBytes: null, days: 7 }, 'de-unlimited-7d', 'Germany unlimited data, 7 days'],
  [{ destinations: ['XK'] }, 'xk-3gb-30d', 'Kosovo 3 GB, 30 days'],
  [{ destinations: ['US', 'CA', 'MX'] }, 'na3-289a4d-3gb-30d', 'North America (3 countries) 3 GB, 30 days'],
  [{ destinations: ['DE', 'FR', 'IT', 'ES', 'TR'] }, 'eu5-6e3f4a-3gb-30d', 'Europe (5 countries) 3 GB, 30 days'],
  [{ destinations: ['DE', 'US', 'JP'] }, 'gl3-050a09-3gb-30d', 'Global (3 countries) 3 GB, 30 days'],
])('a package with %o is sold as %s', (fields, code, name) => {
  expect(merge({ one: [offered(fields)] }).packages).toMatchObject([{ code, name }])
})

test('a package sold by the day becomes one for each of a few lengths, each at its total cost', () => {
  const daily = offered({ destinations: ['JP'], dataBytes: gigabyte, daily: true, days: 1, costMicros: 950_000 })
  const { packages } = merge({ one: [daily, { ...daily, code: 'more', kind: 'top_up' }] })
  const base = packages.filter(({ kind }) => kind === 'base')
  expect(base.map(({ code }) => code)).toEqual(periods.catalogue.dailyLengths.map((days) => `jp-1gb-${days}d-daily`))
  expect(base.map(({ offers }) => offers[0]?.costMicros)).toEqual(
    periods.catalogue.dailyLengths.map((days) => days * 950_000),
  )
  expect(base[0]?.name).toBe('Japan 1 GB a day, 3 days')
  expect(packages.map(({ code }) => code)).toContain('jp-1gb-7d-daily-topup')
})

test('the package code of several countries depends on the countries only', () => {
  const countries = 'AT BE BG CH DE DK ES FI FR GB GR IT NL NO PL PT SE'.split(' ')
  const codeOf = (destinations: string[]) => merge({ one: [offered({ destinations })] }).packages[0]?.code
  const whole = codeOf(countries)
  fc.assert(
    fc.property(fc.shuffledSubarray(countries, { minLength: 1 }), (some) => {
      expect(codeOf([...some, ...some.slice(0, 2)]) === whole).toBe(some.length === countries.length)
    }),
  )
})

test('packages for other countries stay two packages when the hash of their countries is the same', () => {
  const first = ['AT', 'GR', 'PL', 'SE']
  const second = ['BG', 'FI', 'LT', 'SK']
  const { packages } = merge({
    one: [offered({ code: 'a', destinations: first }), offered({ code: 'b', destinations: second, costMicros: 1 })],
  })
  expect(packages.map(({ code }) => code)).toEqual(Array(2).fill('eu4-23c9b1-3gb-30d'))
  expect(packages.map(({ destinations, offers }) => [destinations, offers.length])).toEqual([
    [first, 1],
    [second, 1],
  ])
})

test('one of several mobile operators for a place is sold: the current one, or the one with most packages', () => {
  const small = [offered({ code: 's1', family: 'small' })]
  const large = [
    offered({ code: 'l1', family: 'large', costMicros: 9_000_000 }),
    offered({ code: 'l2', family: 'large', days: 7 }),
  ]
  const codes = (known: OperatorFamily[]) => {
    const { packages, leftOut } = merge({ one: [...small, ...large] }, known)
    return [packages.flatMap(({ offers }) => offers.map((offer) => offer.providerPackageCode)), leftOut.get('one')]
  }
  const sold = (provider: string) => [{ provider, destinations: ['DE'], family: 'small' }]
  expect(codes([])).toEqual([['l1', 'l2'], { other_operator: 1 }])
  expect(codes(sold('one'))).toEqual([['s1'], { other_operator: 2 }])
  expect(codes(sold('another'))).toEqual([['l1', 'l2'], { other_operator: 1 }])
})

test('an operator has as many packages as it has eSIMs to sell, without their top-ups', () => {
  const topUp = offered({ family: 'a', kind: 'top_up' })
  const { packages } = merge({
    one: [
      offered({ code: 'a1', family: 'a' }),
      ...[7, 15, 30].map((days) => ({ ...topUp, code: `at${days}`, days })),
      ...[7, 30].map((days) => offered({ code: `b${days}`, family: 'b', days })),
    ],
  })
  expect(packages.flatMap(({ offers }) => offers.map(({ family }) => family))).toEqual(['b', 'b'])
})

test('the operator that is sold already stays, wherever the list has it, and of equal ones the first by name', () => {
  const [a, b] = ['a', 'b'].map((family) => offered({ code: family, family }))
  const soldOf = (list: (ProviderPackage | undefined)[], known: OperatorFamily[] = []) =>
    merge({ one: list.flatMap((each) => each ?? []) }, known).packages.flatMap(({ offers }) =>
      offers.map(({ family }) => family),
    )
  const sold = [{ provider: 'one', destinations: ['DE'], family: 'b' }]
  expect([soldOf([a, b], sold), soldOf([b, a], sold)]).toEqual([['b'], ['b']])
  expect([soldOf([a, b]), soldOf([b, a])]).toEqual([['a'], ['a']])
})

test('offers of equal cost are in the order of their codes, and of equal codes in that of their providers', () => {
  const offersOf = (lists: Record<string, ProviderPackage[]>) =>
    merge(lists).packages.flatMap(({ offers }) =>
      offers.map((offer) => `${offer.provider} ${offer.providerPackageCode}`),
    )
  const [a, b] = ['a', 'b'].map((code) => offered({ code }))
  if (!a || !b) throw new Error('no offers')
  expect(offersOf({ one: [b, a] })).toEqual(['one a', 'one b'])
  expect(offersOf({ one: [a, b] })).toEqual(['one a', 'one b'])
  expect(offersOf({ one: [a], two: [a] })).toEqual(['one a', 'two a'])
})

test('a package sold by the day is sold when its longest one has a possible price', () => {
  const daily = offered({ daily: true, days: 1, costMicros: 33_333_332_666 })
  expect(merge({ one: [daily] }).packages.at(-1)?.firstPriceMinor).toBe(maxPriceMinor)
  expect(merge({ one: [{ ...daily, costMicros: 33_333_333_000 }] }).leftOut.get('one')).toEqual({ odd_cost: 1 })
  // The least cost there is.
  expect(merge({ one: [offered({ costMicros: 1 })] }).leftOut.get('one')).toEqual({})
})

test('packages that cannot be sold are counted by provider and reason', () => {
  const { packages, leftOut } = merge({
    one: [
      offered({ destinations: [] }),
      offered({ dataBytes: 0 }),
      offered({ days: 0 }),
      offered({ costCurrency: 'EUR' }),
      offered({ costMicros: 0 }),
      offered({ costMicros: 10 ** 12 }),
    ],
    two: [],
  })
  expect(packages).toEqual([])
  expect([...leftOut]).toEqual([
    ['one', { no_destination: 1, no_data: 2, other_currency: 1, odd_cost: 2 }],
    ['two', {}],
  ])
})

test('a package of ten years and of the largest number of bytes is sold, and no larger one', () => {
  const unlimited = offered({ dataBytes: null, days: 3_650 })
  const largest = offered({ dataBytes: Number.MAX_SAFE_INTEGER })
  const { packages, leftOut } = merge({
    one: [
      unlimited,
      largest,
      { ...unlimited, days: 3_651 },
      { ...largest, days: 3_651 },
      { ...largest, dataBytes: Number.MAX_SAFE_INTEGER + 1 },
    ],
  })
  expect(packages.map(({ dataBytes, days }) => [dataBytes, days])).toEqual([
    [null, 3_650],
    [Number.MAX_SAFE_INTEGER, 30],
  ])
  expect([...leftOut]).toEqual([['one', { odd_size: 3 }]])
})

test('the order of a price list does not change the catalogue', () => {
  const packages = fc.array(
    fc.record({
      code: fc.stringMatching(/^[a-z]{4}$/),
      destinations: fc.subarray(['DE', 'FR', 'JP'], { minLength: 1 }),
      days: fc.constantFrom(7, 30),
      costMicros: fc.integer({ min: 1, max: 3 }),
      family: fc.constantFrom('x', 'y'),
    }),
    { maxLength: 12 },
  )
  fc.assert(
    fc.property(packages, fc.func(fc.nat()), (list, shuffle) => {
      const lists = [...new Map(list.map((fields) => [fields.code, offered(fields)])).values()]
      const shuffled = [...lists].sort((a, b) => shuffle(a.code) - shuffle(b.code))
      const sorted = ({ packages: found }: ReturnType<typeof merge>) => found.sort((a, b) => (a.code < b.code ? -1 : 1))
      expect(sorted(merge({ one: shuffled }))).toEqual(sorted(merge({ one: lists })))
    }),
  )
})
