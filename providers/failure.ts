/**
 * How a call to an outside party can fail, in the terms the callers decide by. Messages hold no personal data, no
 * secret and none of the party's free text.
 */
export type ProviderFailureKind =
  /** surely not applied, worth repeating: connection refused, 429, 503 */
  | 'unavailable'
  /** perhaps applied: time-out, connection cut, other 5xx. Look before repeating */
  | 'unknown_outcome'
  /** refused for good; `code` says why */
  | 'rejected'
  /** our credentials, balance or request are wrong: an operator has to act, customers must not notice more than a wait */
  | 'misconfigured'

export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure'
  readonly provider: string
  readonly kind: ProviderFailureKind
  /** machine-readable, snake_case: `out_of_stock`, `still_allocating`, `http_503`, ... */
  readonly code: string
  /** what the party asked us to wait, whole milliseconds; undefined where that is no time at all */
  readonly retryAfterMs: number | undefined
  /** somebody has to look at it, whether or not it passes */
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

/** True for a ProviderFailure, optionally with this code. */
export function isProviderFailure(error: unknown, code?: string): error is ProviderFailure {
  return error instanceof ProviderFailure && (code === undefined || error.code === code)
}
