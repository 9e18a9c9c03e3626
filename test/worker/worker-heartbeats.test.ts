import { MockActivityEnvironment } from '@temporalio/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { lostAfterMs, workerHeartbeatEveryMs } from '../../shared/lost-worker.ts'
import { workerHeartbeats } from '../../worker/worker-heartbeats.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))
afterEach(() => void vi.useRealTimers())

/** How often an activity has heartbeat when it ends after `ms`, and how often a while later. */
async function beatsWithin(ms: number, info: { heartbeatTimeoutMs?: number }, ends: 'well' | 'badly' = 'well') {
  const environment = new MockActivityEnvironment(info, { interceptors: [workerHeartbeats] })
  let beats = 0
  environment.on('heartbeat', () => (beats += 1))
  await environment
    .run(async () => {
      vi.advanceTimersByTime(ms)
      if (ends === 'badly') throw new Error('it fails')
    })
    .catch(() => undefined)
  const atItsEnd = beats
  vi.advanceTimersByTime(10 * workerHeartbeatEveryMs)
  return { atItsEnd, later: beats - atItsEnd }
}

test('the worker heartbeats for an activity that asks for it, and no longer than it runs', async () => {
  const asked = { heartbeatTimeoutMs: lostAfterMs }
  expect(await beatsWithin(3.5 * workerHeartbeatEveryMs, asked)).toEqual({ atItsEnd: 3, later: 0 })
  expect(await beatsWithin(3.5 * workerHeartbeatEveryMs, asked, 'badly')).toEqual({ atItsEnd: 3, later: 0 })
})

test('a short activity heartbeats not at all, nor one that shows its progress itself', async () => {
  expect(await beatsWithin(workerHeartbeatEveryMs - 1, { heartbeatTimeoutMs: lostAfterMs })).toEqual({
    atItsEnd: 0,
    later: 0,
  })
  expect(await beatsWithin(60_000, { heartbeatTimeoutMs: 120_000 })).toEqual({ atItsEnd: 0, later: 0 })
  expect(await beatsWithin(60_000, {})).toEqual({ atItsEnd: 0, later: 0 })
})
