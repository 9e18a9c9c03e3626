import type { Info } from '@temporalio/activity'
import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, test } from 'vitest'
import { retryDelay } from '../../activities/failures.ts'
import { ProviderFailure } from '../../providers/failure.ts'

const second = 1_000
const hour = 3_600 * second
const year = 365 * 24 * hour

function delayFor(retryAfterMs: number, info: Partial<Info>): Promise<number | undefined> {
  const failure = new ProviderFailure('stripe', 'unavailable', 'http_429', { retryAfterMs })
  return new MockActivityEnvironment(info).run(async () => retryDelay(failure).nextRetryDelay)
}

const now = Date.now()
const begun = { scheduledTimestampMs: now, currentAttemptScheduledTimestampMs: now }
const withinAnHour = { ...begun, scheduleToCloseTimeoutMs: hour }
const halfWayThrough = { ...withinAnHour, currentAttemptScheduledTimestampMs: now + hour / 2 }
const atTheEnd = { ...withinAnHour, currentAttemptScheduledTimestampMs: now + hour - second }
const everyDay = { ...begun, scheduleToCloseTimeoutMs: 0, retryPolicy: { maximumInterval: '1 day' as const } }
const everyTenMinutes = { ...everyDay, retryPolicy: { maximumInterval: '10 minutes' as const } }
const everySecond = { ...everyDay, retryPolicy: { maximumInterval: second } }

test.each([
  ['two hours within an hour: a quarter of it', 2 * hour, withinAnHour, hour / 4],
  ['a year within an hour', year, withinAnHour, hour / 4],
  ['a year, half way through the hour', year, halfWayThrough, hour / 8],
  ['a year in the last second', year, atTheEnd, second],
  ['for ever within an hour', Number.POSITIVE_INFINITY, withinAnHour, hour / 4],
  ['a year where nothing ends the tries', year, everyDay, hour],
  ['two hours where nothing ends the tries', 2 * hour, everyDay, hour],
  ['a year where tries are ten minutes apart', year, everyTenMinutes, 600 * second],
  ['a year where tries are a second apart', year, everySecond, 60 * second],
  ['seven seconds', 7 * second, withinAnHour, 7 * second],
  ['less than a millisecond', 0.2, withinAnHour, 1],
  ['no time', 0, withinAnHour, undefined],
  ['a time in the past', -5 * second, withinAnHour, undefined],
  ['no number', Number.NaN, withinAnHour, undefined],
])('a party asks to be left alone for %s', async (_, asked, info, waited) => {
  expect(await delayFor(asked, info)).toBe(waited)
})
