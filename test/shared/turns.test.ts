/** The order of turns and who is refused; the clock decides only whether a caller has waited too long. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { assertBeforeDeadline, DeadlinePassed, runUntil } from '../../shared/deadline.ts'
import { shareReading } from '../../shared/shared-reading.ts'
import { createTurns, NoTurn } from '../../shared/turns.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** Whether a promise has settled, once all that is ready has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  promise.then(
    () => (settled = true),
    () => (settled = true),
  )
  await vi.advanceTimersByTimeAsync(0)
  return settled
}

test('as many callers have a turn as are allowed, and the next follow in their order', async () => {
  const turns = createTurns({ what: 'a lane', atOnce: 2, waitMs: 1_000 })
  const [first, second] = [await turns.take(), await turns.take()]
  const third = turns.take()
  const fourth = turns.take()
  expect(await isSettled(third)).toBe(false)
  first()
  const endThird = await third
  expect(await isSettled(fourth)).toBe(false)
  // Ended already: it gives nobody a second turn.
  first()
  expect(await isSettled(fourth)).toBe(false)
  second()
  const endFourth = await fourth
  endThird()
  endFourth()
  await turns.take()
  await turns.take()
  expect(await isSettled(turns.take())).toBe(false)
})

test('a caller who waits too long is refused, and takes no turn later', async () => {
  const turns = createTurns({ what: 'a lane', atOnce: 1, waitMs: 1_000 })
  const end = await turns.take()
  const waiting = turns.take()
  const refused = expect(waiting).rejects.toThrow(new NoTurn('a lane: none within 1000 ms'))
  await vi.advanceTimersByTimeAsync(999)
  expect(await isSettled(waiting)).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  await refused
  end()
  expect(await isSettled(turns.take())).toBe(true)
  expect(await isSettled(turns.take())).toBe(false)
})

test('a caller who got a turn is not refused afterwards', async () => {
  const turns = createTurns({ what: 'a lane', atOnce: 1, waitMs: 1_000 })
  const end = await turns.take()
  const waiting = turns.take()
  end()
  await waiting
  await vi.advanceTimersByTimeAsync(2_000)
  expect(vi.getTimerCount()).toBe(0)
  expect(turns.standstillMs()).toBe(0)
})

test('no more callers wait for their turn than are allowed', async () => {
  const turns = createTurns({ what: 'a lane', atOnce: 1, waitMs: 1_000, mostWaiting: 1 })
  await turns.take()
  expect(await isSettled(turns.take().catch(() => 'in time'))).toBe(false)
  await expect(turns.take()).rejects.toMatchObject({
    name: 'NoTurn',
    code: 'NO_TURN',
    message: 'a lane: 1 callers wait already',
  })
  await vi.advanceTimersByTimeAsync(2_000)
})

test('the standstill of turns is the time in which callers wait and none begins or ends', async () => {
  const turns = createTurns({ what: 'a lane', atOnce: 1, waitMs: 10_000, mostWaiting: 1 })
  expect(turns.standstillMs()).toBe(0)
  const end = await turns.take()
  await vi.advanceTimersByTimeAsync(500)
  expect(turns.standstillMs()).toBe(0)
  const next = turns.take()
  await vi.advanceTimersByTimeAsync(100)
  expect(turns.standstillMs()).toBe(600)
  end()
  const endNext = await next
  await vi.advanceTimersByTimeAsync(50)
  expect(turns.standstillMs()).toBe(0)
  const late = turns.take().catch(() => undefined)
  await expect(turns.take()).rejects.toThrow('wait already')
  await vi.advanceTimersByTimeAsync(10_000)
  await late
  // Nobody waits any more, but who did was refused since the last change.
  expect(turns.standstillMs()).toBe(10_050)
  endNext()
  await vi.advanceTimersByTimeAsync(7)
  expect(turns.standstillMs()).toBe(0)
})

test('a caller who is refused at once also counts as a standstill', async () => {
  const turns = createTurns({ what: 'a lane', atOnce: 1, waitMs: 10_000, mostWaiting: 0 })
  await turns.take()
  await vi.advanceTimersByTimeAsync(30)
  await expect(turns.take()).rejects.toThrow(NoTurn)
  await vi.advanceTimersByTimeAsync(30)
  expect(turns.standstillMs()).toBe(60)
})

test('work for a request begins until its deadline, at it too, and not after', async () => {
  expect(assertBeforeDeadline).not.toThrow()
  const at = performance.now() + 100
  expect(runUntil(at, () => 'done')).toBe('done')
  await vi.advanceTimersByTimeAsync(100)
  runUntil(at, () => expect(assertBeforeDeadline).not.toThrow())
  await vi.advanceTimersByTimeAsync(1)
  const thrown = runUntil(at, (): unknown => {
    try {
      assertBeforeDeadline()
      return 'nothing'
    } catch (error) {
      return error
    }
  })
  expect(thrown).toBeInstanceOf(DeadlinePassed)
  expect(thrown).toMatchObject({
    name: 'DeadlinePassed',
    code: 'DEADLINE_PASSED',
    message: 'the request was answered as unavailable',
  })
  expect(assertBeforeDeadline).not.toThrow()
})

test('callers share a reading until it is as old as allowed', async () => {
  let readings = 0
  const read = shareReading(1_000, async (now) => ({ reading: ++readings, now }))
  const began = Date.now()
  expect(await Promise.all([read(), read()])).toEqual([
    { reading: 1, now: new Date(began) },
    { reading: 1, now: new Date(began) },
  ])
  await vi.advanceTimersByTimeAsync(999)
  expect((await read()).reading).toBe(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(await read()).toEqual({ reading: 2, now: new Date(began + 1_000) })
})
