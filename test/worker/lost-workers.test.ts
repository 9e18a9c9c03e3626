/**
 * The cost of a worker that dies in the middle: each policy of activities notices it within seconds, or says why it may
 * take longer.
 */
import { msToNumber } from '@temporalio/common/lib/time.js'
import { expect, test } from 'vitest'
import * as retry from '../../workflows/run/retry.ts'

/** Nobody waits for these: an attempt that is lost with its worker may be noticed at the end of its time. */
const mayBeLate: Partial<Record<keyof typeof retry, string>> = {
  duty: 'due in days',
  watch: 'asks again after a minute or more anyway',
  message: 'its send is taken by the next attempt only when its lease has ended',
  hourlyStep: 'the next hour does what is left',
  manyRows: 'works through the night',
  hourlySweep: 'the next hour does what is left',
  dailyStep: 'the next day does what is left',
  wholeDatabase: 'takes hours',
}
const fewSeconds = 5_000

test.each(Object.entries(retry))(
  '%s: a worker that dies is noticed within seconds, or nobody waits for it',
  (name, policy) => {
    const within = 'heartbeatTimeout' in policy ? policy.heartbeatTimeout : policy.startToCloseTimeout
    const isLate = msToNumber(within) > fewSeconds
    expect(isLate).toBe(name in mayBeLate)
  },
)
