import { activityInfo, cancellationSignal } from '@temporalio/activity'
import { msOptionalToNumber } from '@temporalio/common/lib/time.js'
import { isProviderFailure, ProviderFailure } from '../providers/failure.ts'
import { type FailureType, failure } from '../shared/failures.ts'

/**
 * Throws an outside party's failure as one of the failure types of shared/failures.ts.
 * @param types `rejected` is the type of a final refusal; every other failure is thrown as `unavailable` and retried
 */
export async function withFailureTypes<Result>(
  types: { unavailable: FailureType; rejected: FailureType },
  call: () => Promise<Result>,
): Promise<Result> {
  try {
    return await call()
  } catch (error) {
    if (!isProviderFailure(error)) throw error
    throw asFailure(error, types)
  }
}

/**
 * The failure of a workflow for an outside party's: with its code, and with the time after which it may be asked
 * again.
 */
export function asFailure(error: ProviderFailure, types: { unavailable: FailureType; rejected: FailureType }) {
  return failure(error.kind === 'rejected' ? types.rejected : types.unavailable, {
    code: error.code,
    ...retryDelay(error),
  })
}

/**
 * For `catch` of a call about what Stripe has made: "not found" is a passing failure, since one of its machines may not
 * know it yet. @throws the error, of a refusal with `resource_missing` as an unavailability
 */
export function asNotFoundYet(error: unknown): never {
  if (!isProviderFailure(error, 'resource_missing')) throw error
  throw new ProviderFailure(error.provider, 'unavailable', error.code)
}

export const paymentFailureTypes = { unavailable: 'PaymentUnavailable', rejected: 'PaymentRefused' } as const
/** For payments that Stripe has made: a refusal is not final, because a failed run would leave a paid order behind. */
export const knownPaymentFailureTypes = { unavailable: 'PaymentUnavailable', rejected: 'PaymentUnavailable' } as const
/**
 * For queries, and for calls that may have been applied before: a provider's refusal is not final, the call is retried.
 */
export const esimFailureTypes = { unavailable: 'ProviderUnavailable', rejected: 'ProviderUnavailable' } as const

/** Milliseconds since the activity was scheduled, in the workflow's time, which tests can skip. */
export function sinceScheduledMs(): number {
  const { currentAttemptScheduledTimestampMs, scheduledTimestampMs } = activityInfo()
  return currentAttemptScheduledTimestampMs - scheduledTimestampMs
}

/**
 * The time at which an activity records what has happened: the day of a document, the time of an erasure step. `asOf`
 * is when the workflow asked for it, which is days earlier after an outage. Later than this machine's clock only where
 * tests or the sandbox have skipped the run's time.
 */
export function recordedAt(asOf: string): Date {
  const { currentAttemptScheduledTimestampMs } = activityInfo()
  return new Date(Math.max(Date.now(), Date.parse(asOf), currentAttemptScheduledTimestampMs))
}

/**
 * Whether the time of the attempt that begins now, or of the whole local activity, is up, so that its run does not get
 * to know any more what it does. The time counts from when the attempt was scheduled: it may have waited for
 * this process, and a last attempt has less than the others.
 */
export function attemptIsOver(): () => boolean {
  const info = activityInfo()
  const { startToCloseTimeoutMs, scheduleToCloseTimeoutMs, scheduledTimestampMs } = info
  const scheduledMs = info.currentAttemptScheduledTimestampMs
  const signal = cancellationSignal()
  // Tests skip the run's time: what is left of it is counted by this machine's clock.
  const waitedMs = Math.max(0, Date.now() - scheduledMs)
  const leftOfAttempt = startToCloseTimeoutMs - waitedMs
  const leftInAll =
    scheduleToCloseTimeoutMs > 0
      ? scheduledTimestampMs + scheduleToCloseTimeoutMs - scheduledMs - waitedMs
      : leftOfAttempt
  const startedAt = performance.now()
  return () => signal.aborted || performance.now() - startedAt >= Math.min(leftOfAttempt, leftInAll)
}

/** A customer waits meanwhile, so a longer delay is cut to this. */
const longestWaitMs = 60 * 60_000
const shortestCapMs = 60_000

/**
 * The delay that the outside party asked for. Of an activity with a total time at most a quarter of what is left, which
 * leaves several attempts: Temporal ends an activity at once when its next attempt would be after its total timeout. Of
 * another one at most its longest interval, but up to a minute: nothing else bounds how long a customer waits.
 */
export function retryDelay({ retryAfterMs }: ProviderFailure): { nextRetryDelay?: number } {
  if (retryAfterMs === undefined) return {}
  const { scheduleToCloseTimeoutMs, retryPolicy } = activityInfo()
  const capMs = scheduleToCloseTimeoutMs
    ? Math.max(1_000, Math.floor((scheduleToCloseTimeoutMs - sinceScheduledMs()) / 4))
    : Math.max(shortestCapMs, msOptionalToNumber(retryPolicy?.maximumInterval) ?? longestWaitMs)
  return { nextRetryDelay: Math.min(retryAfterMs, longestWaitMs, capMs) }
}
