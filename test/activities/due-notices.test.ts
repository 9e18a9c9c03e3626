/** U3: what the person is told of an eSIM, as a function of what the provider says and of the time. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dueNotices } from '../../activities/order/esim-tracking.ts'
import { periods } from '../../policy/periods.ts'
import type { EsimState, EsimStatus } from '../../providers/esim.ts'

const { lowDataShare, lastDayMs } = periods.order
const at = new Date('2026-07-01T12:00:00.000Z')
const gigabyte = 2 ** 30
const from = (ms: number): string => new Date(at.getTime() + ms).toISOString()

const states: EsimState[] = [
  'new',
  'installed',
  'in_use',
  'used_up',
  'expired',
  'removed',
  'cancelled',
  'suspended',
  'unknown',
]
const anyStatus: fc.Arbitrary<EsimStatus> = fc.record({
  state: fc.constantFrom(...states),
  totalBytes: fc.option(fc.integer({ min: 1, max: 100 * gigabyte })),
  usedBytes: fc.oneof(fc.constant(0), fc.nat(100 * gigabyte)),
  activatedAt: fc.constant(null),
  expiresAt: fc.option(fc.integer({ min: -3 * lastDayMs, max: 30 * lastDayMs }).map(from)),
})
const lives = ({ state }: EsimStatus): boolean => !['expired', 'cancelled', 'unknown'].includes(state)
const holds = (check: (status: EsimStatus) => void): void => fc.assert(fc.property(anyStatus, check))

const status = (change: Partial<EsimStatus>): EsimStatus => ({
  state: 'in_use',
  totalBytes: gigabyte,
  usedBytes: 0,
  activatedAt: null,
  expiresAt: null,
  ...change,
})

describe('at the edges', () => {
  test.each<[string, Partial<EsimStatus>, string[]]>([
    ['delivered', { state: 'new' }, []],
    ['installed', { state: 'installed' }, []],
    ['online', {}, ['in_use']],
    ['used before the provider calls it in use', { state: 'installed', usedBytes: 1 }, ['in_use']],
    ['a byte below 80 %', { usedBytes: Math.ceil(lowDataShare * gigabyte) - 1 }, ['in_use']],
    ['80 %', { usedBytes: Math.ceil(lowDataShare * gigabyte) }, ['in_use', 'low_data']],
    ['used up', { state: 'used_up', usedBytes: gigabyte }, ['in_use', 'used_up']],
    ['unlimited, much used', { totalBytes: null, usedBytes: 500 * gigabyte }, ['in_use']],
    ['a day and a moment left', { expiresAt: from(lastDayMs + 1) }, ['in_use']],
    ['a day left', { expiresAt: from(lastDayMs) }, ['in_use', 'last_day']],
    ['over, though the provider has not said so', { expiresAt: from(0) }, ['in_use']],
    ['expired', { state: 'expired', usedBytes: gigabyte, expiresAt: from(-1) }, ['expired']],
    ['given back', { state: 'cancelled', usedBytes: gigabyte, expiresAt: from(1) }, []],
    ['not known', { state: 'unknown', usedBytes: gigabyte, expiresAt: from(1) }, []],
  ])('%s', (_name, change, notices) => {
    expect(dueNotices(status(change), at)).toEqual(notices)
  })
})

test('nothing is told twice at once, and never that data is low where it is gone', () => {
  holds((each) => {
    const due = dueNotices(each, at)
    expect(new Set(due).size).toBe(due.length)
    expect(due.includes('low_data') && due.includes('used_up')).toBe(false)
  })
})

test('its end is told alone, and of what has ended otherwise or is unknown nothing', () => {
  holds((each) => {
    if (!lives(each)) expect(dueNotices(each, at)).toEqual(each.state === 'expired' ? ['expired'] : [])
    else expect(dueNotices(each, at)).not.toContain('expired')
  })
})

test('what nobody used is not said to be used', () => {
  holds((each) => {
    if (each.usedBytes === 0 && each.state !== 'in_use') expect(dueNotices(each, at)).not.toContain('in_use')
    if (each.totalBytes === null) expect(dueNotices(each, at)).not.toContain('low_data')
  })
})

test('the last day is the day before the end', () => {
  holds((each) => {
    const leftMs = each.expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(each.expiresAt) - at.getTime()
    const isLastDay = lives(each) && leftMs > 0 && leftMs <= lastDayMs
    expect(dueNotices(each, at).includes('last_day')).toBe(isLastDay)
  })
})

test('more use takes nothing back that was due', () => {
  fc.assert(
    fc.property(anyStatus, fc.nat(10 * gigabyte), (each, more) => {
      const before = dueNotices(each, at)
      const after = dueNotices({ ...each, usedBytes: each.usedBytes + more }, at)
      expect(after).toEqual(expect.arrayContaining(before))
    }),
  )
})
