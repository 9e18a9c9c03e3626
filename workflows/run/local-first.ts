/**
 * Calls of a few database statements, as local activities: they write fewer events than regular activities. When the
 * database is down, a local activity would occupy one of the worker's slots and make the workflow task heartbeat, which
 * writes three events each time; a regular activity of the same name goes on instead.
 */
import {
  ActivityFailure,
  ApplicationFailure,
  scheduleActivity,
  scheduleLocalActivity,
  TimeoutFailure,
} from '@temporalio/workflow'
import * as retry from './retry.ts'

/** Activities that are slow only during an outage. Non-retryable failures and cancellation are thrown unchanged. */
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

/**
 * A retryable failure or a timeout. The SDK throws a local activity's ApplicationFailure without an ActivityFailure
 * around it.
 */
export function ranOutOfTries(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : error
  return cause instanceof TimeoutFailure || (cause instanceof ApplicationFailure && !cause.nonRetryable)
}
