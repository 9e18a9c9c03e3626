import { expect, test } from 'vitest'
import { dayIn } from '../../shared/calendar.ts'
import { timeZone } from '../../shared/settings/formats.ts'

test.each([
  ['UTC', '2026-12-31T23:59:59.999Z', '2026-12-31'],
  ['Europe/Berlin', '2026-12-31T22:59:59.999Z', '2026-12-31'],
  ['Europe/Berlin', '2026-12-31T23:00:00.000Z', '2027-01-01'],
  // Summer time begins an hour later on that day, and the day is two hours ahead of UTC from then on.
  ['Europe/Berlin', '2026-03-29T22:00:00.000Z', '2026-03-30'],
  ['Europe/Berlin', '2026-10-25T22:59:59.999Z', '2026-10-25'],
  ['Europe/Belgrade', '2027-02-28T23:30:00.000Z', '2027-03-01'],
  ['Atlantic/Azores', '2027-01-01T00:30:00.000Z', '2026-12-31'],
  ['Pacific/Kiritimati', '2026-12-31T10:00:00.000Z', '2027-01-01'],
])('in %s at %s it is the day %s', (zone, at, day) => {
  expect(dayIn(zone, new Date(at))).toBe(day)
})

test.each(['', 'Berlin', 'Europe/Nowhere', '+25:00', 'Europe/Berlin '])('%j is no time zone', (name) => {
  expect(timeZone.safeParse(name).success).toBe(false)
})
