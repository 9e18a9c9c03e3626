/**
 * Work of a few statements: within the workflow task while the database answers, which is what keeps an order cheap;
 * as a patient activity of the same name when it does not. A local activity that goes on and on keeps one of the
 * worker's slots, and has the workflow task heartbeat at three events each: a day would fill the history.
 */
import {
  ActivityFailure,
  ApplicationFailure,
  scheduleActivity,
  scheduleLocalActivity,
  TimeoutFailure,
} from '@temporalio/workflow'
import * as retry from './retry.ts'

/** Activities that take longer only when something is away. Final failures and cancellation come through unchanged. */
export function proxyLocalFirst<Activities extends object>(): Activities {
  const activities = new Proxy(
    {},
    {
      get:
        (_target, name) =>
        (...input: unknown[]) =>
          scheduleLocalActivity(String(name), input, retry.local).catch((error: unknown) => {
            if (!ranOutOfTries(error)) throw error
            return scheduleActivity(String(name), input, retry.untilDone)
          }),
    },
  )
  return activities as Activities
}

/** It failed in a way that may pass, or did not answer. A local activity's failure comes bare, without an ActivityFailure. */
function ranOutOfTries(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : error
  return cause instanceof TimeoutFailure || (cause instanceof ApplicationFailure && !cause.nonRetryable)
}
