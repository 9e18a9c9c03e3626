import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  booksPeriodEnds,
  dayOf,
  daysUntil,
  isoOrNull,
  later,
  monthOf,
  msUntil,
  plusDays,
  plusYears,
  startOfDay,
} from '../../shared/calendar.ts'

const dayMs = 86_400_000
const time = fc.date({ min: new Date('1999-12-31'), max: new Date('2101-01-01'), noInvalidDate: true })
const years = fc.integer({ min: 0, max: 11 })
const isLeap = (year: number) => new Date(Date.UTC(year, 1, 29)).getUTCMonth() === 1

describe('years', () => {
  test.each([
    ['2024-02-29T13:14:15.678Z', 3, '2027-02-28T13:14:15.678Z'],
    ['2024-02-29T00:00:00.000Z', 4, '2028-02-29T00:00:00.000Z'],
    ['2024-03-01T00:00:00.000Z', 3, '2027-03-01T00:00:00.000Z'],
    ['2025-02-28T23:59:59.999Z', 3, '2028-02-28T23:59:59.999Z'],
    ['2027-02-28T12:00:00.000Z', -3, '2024-02-28T12:00:00.000Z'],
  ])('%s and %i years is %s', (at, count, expected) => {
    expect(plusYears(new Date(at), count)).toEqual(new Date(expected))
  })

  test('added to a time keep month, day and time of day, except that 29 February may become the 28th', () => {
    fc.assert(
      fc.property(time, years, (at, count) => {
        const result = plusYears(at, count)
        expect(result.getUTCFullYear()).toBe(at.getUTCFullYear() + count)
        const leapDay = at.getUTCMonth() === 1 && at.getUTCDate() === 29 && !isLeap(result.getUTCFullYear())
        expect(result.toISOString().slice(4)).toBe(
          leapDay ? `-02-28${at.toISOString().slice(10)}` : at.toISOString().slice(4),
        )
      }),
    )
  })

  test('added to two times change their order only around 29 February, and by less than a day', () => {
    fc.assert(
      fc.property(time, time, years, (one, other, count) => {
        const [first, second] = one <= other ? [one, other] : [other, one]
        expect(plusYears(first, count).getTime()).toBeLessThanOrEqual(
          plusYears(second, count).getTime() + (second.getTime() - first.getTime() < dayMs ? dayMs : 0),
        )
      }),
    )
  })
})

describe('days', () => {
  test('begin at midnight UTC and are rounded to the nearest when counted', () => {
    fc.assert(
      fc.property(time, fc.integer({ min: 0, max: 4_000 }), (at, count) => {
        const start = startOfDay(at)
        expect(start.toISOString().slice(10)).toBe('T00:00:00.000Z')
        expect(msUntil(at, start)).toBeLessThan(dayMs)
        expect(daysUntil(plusDays(at, count), at)).toBe(count)
        expect(daysUntil(new Date(plusDays(at, count).getTime() + dayMs / 3), at)).toBe(count)
        expect(daysUntil(new Date(plusDays(at, count).getTime() + dayMs / 1.5), at)).toBe(count + 1)
        expect([later(at, start), later(start, at)]).toEqual([at, at])
      }),
    )
  })
})

describe('the period of the books', () => {
  test.each([
    ['2026-06-20', 'issue', '2033-06-21'],
    ['2024-02-29', 'issue', '2031-03-01'],
    ['2026-12-31', 'issue', '2034-01-01'],
    ['2026-06-20', 'year_end', '2034-01-01'],
    ['2026-01-01', 'year_end', '2034-01-01'],
    ['2027-01-01', 'year_end', '2035-01-01'],
  ] as const)('of %s counted from %s ends on %s', (day, countFrom, end) => {
    expect(booksPeriodEnds(new Date(day), { years: 7, countFrom })).toEqual(new Date(end))
  })

  test('is never too short, and counted from issue at most a day too long', () => {
    fc.assert(
      fc.property(time, fc.integer({ min: 7, max: 11 }), (at, count) => {
        const day = startOfDay(at)
        const kept = plusYears(at, count)
        const end = booksPeriodEnds(day, { years: count, countFrom: 'issue' })
        expect(end.getTime()).toBeGreaterThan(kept.getTime())
        expect(end.getTime() - kept.getTime()).toBeLessThanOrEqual(dayMs)
        const byYear = booksPeriodEnds(day, { years: count, countFrom: 'year_end' })
        expect(byYear.getTime()).toBeGreaterThanOrEqual(end.getTime())
        expect(byYear.toISOString().slice(4)).toBe('-01-01T00:00:00.000Z')
      }),
    )
  })
})

test('a time is written as its day, as its month, and in ISO 8601 if there is one', () => {
  const at = new Date('2031-12-31T23:59:59.999Z')
  expect([dayOf(at), monthOf(at), isoOrNull(at)]).toEqual(['2031-12-31', '2031-12', '2031-12-31T23:59:59.999Z'])
  expect([isoOrNull(null), isoOrNull(undefined)]).toEqual([null, null])
})
