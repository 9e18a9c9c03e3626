/** The latest end of the withdrawal period in any time zone, by hand for each day of the week. */
import { expect, test } from 'vitest'
import { refundDueAfter, withdrawalPeriodEnds } from '../../shared/withdrawal-period.ts'

/**
 * Of two days on which it was concluded somewhere, the later counts 14 days from the next, skips a weekend, and ends at
 * midnight of the westernmost zone in which that day was: twelve hours after UTC, or where the day had just begun. Five
 * days more are for public holidays (docs/decisions).
 */
test.each([
  // Wednesday noon UTC: it is Wednesday in all zones up to +11:59, and Thursday beyond.
  ['2026-07-01T12:00:00.000Z', '2026-07-21T12:00:00.000Z'],
  // Thursday 00:00 UTC: Wednesday in the west, whose end is at -12:00; Thursday from UTC on.
  ['2026-07-02T00:00:00.000Z', '2026-07-22T00:00:00.000Z'],
  // Friday in some zones: the fourteenth day is a Friday.
  ['2026-07-03T12:00:00.000Z', '2026-07-25T12:00:00.000Z'],
  // Saturday and Sunday: the period ends with the Monday after.
  ['2026-07-04T12:00:00.000Z', '2026-07-26T12:00:00.000Z'],
  ['2026-07-05T12:00:00.000Z', '2026-07-26T12:00:00.000Z'],
  ['2026-07-05T23:59:59.999Z', '2026-07-26T12:00:00.000Z'],
  ['2026-07-06T12:00:00.000Z', '2026-07-26T12:00:00.000Z'],
])('of a contract of %s ends at %s', (concludedAt, expected) => {
  expect(withdrawalPeriodEnds(new Date(concludedAt)).toISOString()).toBe(expected)
})

test('a refund is due within fourteen days of the statement', () => {
  expect(refundDueAfter(new Date('2026-07-01T10:00:00.000Z'))).toEqual(new Date('2026-07-15T10:00:00.000Z'))
})
