import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * The ways in which a call to an outside party can fail. Messages contain no personal data, no secret and no free text
 * of the outside party.
 */
export type ProviderFailureKind =
  /** certainly not applied; can be repeated: connection refused, 429, 503 */
  | 'unavailable'
  /** may have been applied: time-out, lost connection, other 5xx; ask before repeating */
  | 'unknown_outcome'
  /** refused for good; `code` has the reason */
  | 'rejected'
  /** our credentials, balance or request are wrong: an operator has to act, while the customer only waits */
  | 'misconfigured'

export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure'
  readonly provider: string
  readonly kind: ProviderFailureKind
  /** machine-readable, snake_case: `out_of_stock`, `still_allocating`, `http_503`, ... */
  readonly code: string
  /** what the party asked us to wait, whole milliseconds; undefined where that is no time at all */
  readonly retryAfterMs: number | undefined
  /** an operator has to look at it, even if it goes away */
  readonly needsOperator: boolean

  constructor(
    provider: string,
    kind: ProviderFailureKind,
    code: string,
    options: { retryAfterMs?: number; needsOperator?: boolean; cause?: unknown } = {},
  ) {
    super(`${provider}: ${kind} (${code})`, options.cause === undefined ? undefined : { cause: options.cause })
    this.provider = provider
    this.kind = kind
    this.code = code
    const { retryAfterMs = 0 } = options
    this.retryAfterMs = retryAfterMs > 0 ? Math.ceil(retryAfterMs) : undefined
    this.needsOperator = options.needsOperator ?? kind === 'misconfigured'
  }
}

/** Begins the codes of refusals that are not the party's; the HTTP status ends them. */
export const foreignCode = 'foreign_http_'

/** Whether an error is a ProviderFailure. @param code if given, the failure must have this code */
export function isProviderFailure(error: unknown, code?: string): error is ProviderFailure {
  return error instanceof ProviderFailure && (code === undefined || error.code === code)
}

/** Too many requests, by the adapters' codes and by Stripe's, and a system that is busy. */
const limitCodes = new Set(['rate_limited', 'rate_limit', 'http_429', 'lock_timeout', 'provider_busy'])
/** Airalo counts by the minute. */
const longestWaitMs = 60_000
const firstWaitMs = 1_000
/** of one call; a party that refuses more often is busy with others than us */
const mostWaits = 10

/** Called before each wait, so that whoever watches the work knows that it goes on. */
const waiting = new AsyncLocalStorage<() => void>()

/**
 * Does work that reads long lists: a question that a party refuses since it was asked too much waits there, and is asked
 * again. The failed work would begin anew, ask as much again, and meet the limit again.
 */
export const waitingForLimits = <Result>(onWait: () => void, work: () => Promise<Result>): Promise<Result> =>
  waiting.run(onWait, work)

/** A call that changes nothing, which may wait for a limit. */
export async function withinLimits<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  const onWait = waiting.getStore()
  if (!onWait) return ask()
  for (let waits = 0; ; waits += 1) {
    try {
      return await ask()
    } catch (error) {
      if (!isProviderFailure(error) || !limitCodes.has(error.code) || waits === mostWaits) throw error
      onWait()
      await pause(Math.min(error.retryAfterMs ?? firstWaitMs * 2 ** waits, longestWaitMs), undefined, { ref: false })
    }
  }
}
