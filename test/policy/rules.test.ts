/** The small rules of policy/, each at its limits. */
import { describe, expect, test } from 'vitest'
import { evaluate, type FigureName, figures } from '../../policy/figures.ts'
import { isInEea } from '../../policy/hosting.ts'
import { dueSoon, kindsOf, urgencies, urgencyOf } from '../../policy/operator-tasks.ts'
import { continentOfCountry, regionOf } from '../../policy/regions.ts'

describe('a figure', () => {
  const limited = (Object.keys(figures) as FigureName[]).filter((name) => 'brokenAbove' in figures[name])
  const informing = (Object.keys(figures) as FigureName[]).filter((name) => !('brokenAbove' in figures[name]))

  test.each(limited)('%s is kept at its limit and broken above it', (name) => {
    const limit = (figures[name] as { brokenAbove: number }).brokenAbove
    expect(evaluate(name, { value: limit })).toBe('kept')
    expect(evaluate(name, { value: limit + 0.1 })).toBe('broken')
  })

  test.each(informing)('%s informs only: no number breaks it', (name) => {
    expect(evaluate(name, { value: 1_000_000 })).toBe('kept')
  })

  test('that could not be read is unknown, whether it has a limit or not', () => {
    for (const name of ['late_requests', 'notice_share'] as const) {
      expect(evaluate(name, undefined)).toBe('unknown')
      expect(evaluate(name, { value: null })).toBe('unknown')
      expect(evaluate(name, { value: Number.NaN })).toBe('unknown')
    }
  })
})

test.each([
  ['de-fsn1', true],
  ['eu-central-1', true],
  ['is-1', true],
  ['us-east-1', false],
  ['gb-lon', false],
  ['ch-zrh', false],
  ['ude', false],
  ['', false],
])('P7: the hosting region %s is in the EU or EEA: %s', (region, expected) => {
  expect(isInEea(region)).toBe(expected)
})

describe('the urgency of an operator task', () => {
  const asOf = new Date('2026-07-01T00:00:00.000Z')
  const soon = new Date('2026-07-03T00:00:00.000Z')

  test.each([
    ['refund_failed', null, 'now'],
    ['placed_twice', null, 'this_week'],
    ['a kind without an entry', null, 'today'],
    ['placed_twice', soon, 'now'],
    ['placed_twice', new Date(soon.getTime() + 1), 'this_week'],
    ['placed_twice', new Date(0), 'now'],
  ] as const)('of kind %s, due %s, is %s', (kind, dueAt, expected) => {
    expect(urgencyOf(kind, dueAt, asOf)).toBe(expected)
  })

  test('is urgent for two days before the due date', () => {
    expect(dueSoon(asOf)).toEqual(soon)
  })

  test('has the same kinds, listed by urgency', () => {
    expect(urgencies.map((urgency) => kindsOf(urgency).length > 0)).toEqual([true, false, true])
    for (const urgency of urgencies) {
      for (const kind of kindsOf(urgency)) expect(urgencyOf(kind, null, asOf)).toBe(urgency)
    }
  })
})

describe('the region of a package', () => {
  test.each([
    [['DE'], 'eu'],
    [['DE', 'FR', 'IT', 'ES', 'TR'], 'eu'],
    [['DE', 'FR', 'IT', 'TR'], 'gl'],
    [['US', 'CA', 'MX'], 'na'],
    [['BR'], 'sa'],
    [['ZZ'], 'gl'],
    [['DE', 'US'], 'gl'],
    [['AU', 'NZ'], 'oc'],
    [['JP', 'KR'], 'as'],
    [['EG', 'ZA'], 'af'],
  ])('that covers %j is %s', (countries, code) => {
    expect(regionOf(countries).code).toBe(code)
  })

  test('has a name', () => {
    expect(regionOf(['JP'])).toEqual({ code: 'as', name: 'Asia' })
    expect(regionOf(['JP', 'DE'])).toEqual({ code: 'gl', name: 'Global' })
    expect(continentOfCountry('KE')).toEqual({ code: 'af', name: 'Africa' })
    expect(continentOfCountry('??')).toEqual({ code: 'gl', name: 'Global' })
  })
})
