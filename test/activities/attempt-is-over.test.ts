/** What an attempt writes after its time is up, its run does not know of: it has told its caller that it failed. */
import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, test } from 'vitest'
import { attemptIsOver } from '../../activities/failures.ts'

const isOver = (scheduledAgoMs: number, attemptAgoMs: number): Promise<boolean> =>
  new MockActivityEnvironment({
    startToCloseTimeoutMs: 4_000,
    scheduleToCloseTimeoutMs: 5_000,
    scheduledTimestampMs: Date.now() - scheduledAgoMs,
    currentAttemptScheduledTimestampMs: Date.now() - attemptAgoMs,
  }).run(async () => attemptIsOver()())

test.each([
  ['has just begun', 10, 10, false],
  ['has waited for this process longer than an attempt may take', 4_100, 4_100, true],
  ['is the last, for which the activity has no time left', 5_100, 800, true],
  ['is the second, and in time', 4_300, 100, false],
  ['is in skipped time, ahead of this machine’s', -86_400_000, -86_400_000, false],
])('an attempt that %s (%i ms, %i ms) is over: %s', async (_what, scheduledAgoMs, attemptAgoMs, expected) => {
  expect(await isOver(scheduledAgoMs, attemptAgoMs)).toBe(expected)
})
