import { activityInfo } from '@temporalio/activity'
import { isProviderFailure, type ProviderFailure } from '../providers/failure.ts'
import { type FailureType, failure } from '../shared/failures.ts'

/**
 * Says a provider's failure in the vocabulary of the workflows.
 * @param types `rejected` names what a final refusal means here; everything else is repeated as `unavailable`
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

export function asFailure(error: ProviderFailure, types: { unavailable: FailureType; rejected: FailureType }) {
  return failure(error.kind === 'rejected' ? types.rejected : types.unavailable, {
    code: error.code,
    ...retryDelay(error),
  })
}

export const payment = { unavailable: 'PaymentUnavailable', rejected: 'PaymentRefused' } as const
/** What the processor says of a payment that it made itself, too: to fail the run would leave paid money with nobody. */
export const knownPayment = { unavailable: 'PaymentUnavailable', rejected: 'PaymentUnavailable' } as const
/** What an eSIM provider says to a look, or to what may have been done already, decides nothing: it is asked again. */
export const esimLook = { unavailable: 'ProviderUnavailable', rejected: 'ProviderUnavailable' } as const

/** How long the activity has been going on, by its workflow's clock, skipped or not. */
export function sinceScheduledMs(): number {
  const { currentAttemptScheduledTimestampMs, scheduledTimestampMs } = activityInfo()
  return currentAttemptScheduledTimestampMs - scheduledTimestampMs
}

/** Nobody who means it asks for more; a customer who has paid waits meanwhile. */
const longestWaitMs = 60 * 60_000

/**
 * What the party asked us to wait, as far as the activity's total time allows: Temporal ends an activity at once when
 * the delay lies past it. A quarter of what is left keeps several attempts.
 */
export function retryDelay({ retryAfterMs }: ProviderFailure): { nextRetryDelay?: number } {
  if (retryAfterMs === undefined) return {}
  const { scheduleToCloseTimeoutMs } = activityInfo()
  const leftMs = scheduleToCloseTimeoutMs ? scheduleToCloseTimeoutMs - sinceScheduledMs() : 4 * longestWaitMs
  return { nextRetryDelay: Math.min(retryAfterMs, longestWaitMs, Math.max(1_000, Math.floor(leftMs / 4))) }
}
