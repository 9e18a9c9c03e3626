/** The time until which a request is worked on. Its caller has the answer by then, and nobody waits for the rest. */
import { AsyncLocalStorage } from 'node:async_hooks'

const deadlines = new AsyncLocalStorage<number>()

export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed'
  readonly code = 'DEADLINE_PASSED'
}

/** @param at in the time of `performance.now()` */
export const runUntil = <Result>(at: number, work: () => Result): Result => deadlines.run(at, work)

/** Code that begins work for a request calls this before. @throws DeadlinePassed */
export function assertBeforeDeadline(): void {
  const at = deadlines.getStore()
  if (at !== undefined && performance.now() > at) throw new DeadlinePassed('the request was answered as unavailable')
}
