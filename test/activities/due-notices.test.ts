/**
 * U3: package updates are sent once. The consequences of an eSIM's status at a time: notices, the next check, and its
 * end.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  dueNotices,
  endingOf,
  isOver,
  isUnused,
  storedStatus,
  untilNextDate,
} from '../../activities/order/esim-rules.ts'
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
  totalBytes: fc.option(fc.integer({ min: 0, max: 100 * gigabyte })),
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

describe('the notices that are due for an eSIM that is', () => {
  test.each<[string, Partial<EsimStatus>, string[]]>([
    ['delivered', { state: 'new' }, []],
    ['installed', { state: 'installed' }, []],
    ['online', {}, ['in_use']],
    ['used before the provider calls it in use', { state: 'installed', usedBytes: 1 }, ['in_use']],
    ['used to a byte below 80 %', { usedBytes: Math.ceil(lowDataShare * gigabyte) - 1 }, ['in_use']],
    ['used to 80 %', { usedBytes: Math.ceil(lowDataShare * gigabyte) }, ['in_use', 'low_data']],
    ['used to exactly 80 %', { totalBytes: 1_000, usedBytes: 800 }, ['in_use', 'low_data']],
    ['used up', { state: 'used_up', usedBytes: gigabyte }, ['in_use', 'used_up']],
    ['delivered, and of a volume that its provider does not know yet', { state: 'new', totalBytes: 0 }, []],
    ['unlimited, much used', { totalBytes: null, usedBytes: 500 * gigabyte }, ['in_use']],
    ['a day and a moment before its end', { expiresAt: from(lastDayMs + 1) }, ['in_use']],
    ['a day before its end', { expiresAt: from(lastDayMs) }, ['in_use', 'last_day']],
    ['over, although its provider does not report it', { expiresAt: from(0) }, ['in_use']],
    ['expired', { state: 'expired', usedBytes: gigabyte, expiresAt: from(-1) }, ['expired']],
    ['returned', { state: 'cancelled', usedBytes: gigabyte, expiresAt: from(1) }, []],
    ['not known', { state: 'unknown', usedBytes: gigabyte, expiresAt: from(1) }, []],
  ])('%s', (_name, change, notices) => {
    expect(dueNotices(status(change), at)).toEqual(notices)
  })
})

test('a notice is due once at a time, and `low_data` never together with `used_up`', () => {
  holds((each) => {
    const due = dueNotices(each, at)
    expect(new Set(due).size).toBe(due.length)
    expect(due.includes('low_data') && due.includes('used_up')).toBe(false)
  })
})

test('`expired` is due alone, and no notice is due for a returned or unknown eSIM', () => {
  holds((each) => {
    if (!lives(each)) expect(dueNotices(each, at)).toEqual(each.state === 'expired' ? ['expired'] : [])
    else expect(dueNotices(each, at)).not.toContain('expired')
  })
})

test('`in_use` is not due for an unused eSIM, nor `low_data` for unlimited data', () => {
  holds((each) => {
    if (each.usedBytes === 0 && each.state !== 'in_use') expect(dueNotices(each, at)).not.toContain('in_use')
    if (each.totalBytes === null) expect(dueNotices(each, at)).not.toContain('low_data')
  })
})

test('`last_day` is due within the last day of an eSIM that has not ended', () => {
  holds((each) => {
    const leftMs = each.expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(each.expiresAt) - at.getTime()
    const isLastDay = lives(each) && leftMs > 0 && leftMs <= lastDayMs
    expect(dueNotices(each, at).includes('last_day')).toBe(isLastDay)
  })
})

test('more used data does not withdraw a notice that was due', () => {
  fc.assert(
    fc.property(anyStatus, fc.nat(10 * gigabyte), (each, more) => {
      const before = dueNotices(each, at)
      const after = dueNotices({ ...each, usedBytes: each.usedBytes + more }, at)
      expect(after).toEqual(expect.arrayContaining(before))
    }),
  )
})

describe('the next check of an eSIM', () => {
  const secondMs = 1_000
  const { esimPollMs } = periods.order

  test.each<[string, string | null, number]>([
    ['that does not expire', null, esimPollMs],
    ['that expires in a week', from(7 * lastDayMs), esimPollMs],
    ['an hour before its last day', from(lastDayMs + 3_600_000), 3_600_000 + secondMs],
    ['half a second into its last day', from(lastDayMs - 500), 500],
    ['a second into its last day', from(lastDayMs - secondMs), lastDayMs],
    ['two hours before its end', from(2 * 3_600_000), 2 * 3_600_000 + secondMs],
    ['a millisecond before its end', from(1), 1 + secondMs],
    ['at its end, which its provider may report late', from(0), 3_600_000],
    ['after its end', from(-1), 3_600_000],
  ])('%s is in time for what comes', (_name, expiresAt, ms) => {
    expect(untilNextDate(expiresAt, at)).toBe(ms)
  })
})

test.each<[EsimState, boolean, string | undefined]>([
  ['expired', false, 'expired'],
  ['expired', true, 'expired'],
  ['cancelled', true, 'returned'],
  ['cancelled', false, 'by_provider'],
  ...states
    .filter((state) => state !== 'expired' && state !== 'cancelled')
    .map((state): [EsimState, boolean, undefined] => [state, true, undefined]),
])('an eSIM that is %s, with a return asked for: %s, has ended: %s', (state, returnAsked, ending) => {
  expect(endingOf({ returnAsked }, status({ state }))).toBe(ending)
  expect(isOver(state)).toBe(ending !== undefined)
})

describe('U2: an eSIM that its provider has ended is paid back if it was unused, which it', () => {
  const untouched = { usedBytes: 0n, activatedAt: null, expiresAt: null, unusedUntil: null }
  const delivered_at = new Date(at.getTime() - 10 * 86_400_000)
  const validMs = periods.order.unusedValidMs
  const since = (ms: number) => ({ delivered_at: new Date(at.getTime() - ms) })

  test.each<
    [string, Partial<Parameters<typeof isUnused>[0]>, Partial<EsimStatus>, { delivered_at: Date | null }, boolean]
  >([
    ['is', {}, {}, { delivered_at }, true],
    ['is, when nobody knows the delivery', {}, {}, { delivered_at: null }, true],
    ['is not, after a byte', { usedBytes: 1n }, {}, { delivered_at }, false],
    ['is not, after a byte that only its provider knows', {}, { usedBytes: 1 }, { delivered_at }, false],
    ['is not, once it was activated', { activatedAt: at }, {}, { delivered_at }, false],
    ['is not, once it has an end', { expiresAt: at }, {}, { delivered_at }, false],
    ['is not, once its provider says it was activated', {}, { activatedAt: from(0) }, { delivered_at }, false],
    ['is not, once its provider says it has an end', {}, { expiresAt: from(1) }, { delivered_at }, false],
    ['is, until it could no longer be installed', {}, {}, since(validMs - 1), true],
    ['is not, when it could no longer be installed', {}, {}, since(validMs), false],
    ['is, until the day its provider names', { unusedUntil: new Date(at.getTime() + 1) }, {}, since(2 * validMs), true],
    ['is not, after the day its provider names', { unusedUntil: at }, {}, { delivered_at }, false],
  ])('%s', (_name, esim, change, order, expected) => {
    expect(isUnused({ ...untouched, ...esim }, status({ state: 'cancelled', ...change }), order, at)).toBe(expected)
  })
})

test('the status in which an eSIM was last seen has numbers and times as a provider tells them', () => {
  const stored = {
    id: 'esim-1',
    provider: 'airalo',
    esimRef: 'ref-1',
    iccid: '8900000000000000001',
    activationCode: 'LPA:1$smdp.example$code',
    confirmationCode: null,
    apn: null,
    state: 'in_use',
    suspended: false,
    totalBytes: 3n,
    usedBytes: 2n,
    activatedAt: new Date('2031-05-01T00:00:00Z'),
    unusedUntil: null,
    validityStarts: null,
    checkedAt: new Date('2031-05-02T00:00:00Z'),
    expiresAt: new Date('2031-06-01T00:00:00Z'),
    returnAsked: false,
  } as const
  expect(storedStatus(stored)).toEqual({
    state: 'in_use',
    totalBytes: 3,
    usedBytes: 2,
    activatedAt: '2031-05-01T00:00:00.000Z',
    expiresAt: '2031-06-01T00:00:00.000Z',
  })
  expect(storedStatus({ ...stored, totalBytes: null, expiresAt: null })).toMatchObject({
    totalBytes: null,
    expiresAt: null,
  })
})
