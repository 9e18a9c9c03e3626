/** Tells outages from refusals: whether calls to an outside party are answered at all. */
import { foreignCode, isProviderFailure, type ProviderFailure } from './failure.ts'
import { badCertificate } from './http-request.ts'

/** Is notified of every call to an outside party. It must neither throw nor wait. */
export interface CallWatch {
  answered(party: string): void
  failed(party: string, code: string): void
  /** the party has answered with a status that no table has, or that waits for an operator; its calls go on */
  unlisted?(party: string, code: string): void
}

/**
 * Waits for a call and reports to the watch how it ended.
 * @param calling fails with ProviderFailure; any other error is a bug of ours and says nothing about the party
 */
export async function watched<Result>(
  watch: CallWatch | undefined,
  party: string,
  calling: Promise<Result>,
): Promise<Result> {
  try {
    const result = await calling
    watch?.answered(party)
    return result
  } catch (error) {
    if (isProviderFailure(error)) reportFailure(watch, party, error)
    throw error
  }
}

/** Reports a failed call to the watch: a refusal is an answer. */
export function reportFailure(watch: CallWatch | undefined, party: string, failure: ProviderFailure): void {
  if (isOutage(failure)) watch?.failed(party, failure.code)
  else watch?.answered(party)
}

/**
 * Failures that every call meets and not this order alone: no connection, TLS, no answer in time, 5xx, 429, and what
 * only a proxy in front of the party answers. Node's error codes begin with an e. SMTP 421 and 4.3.x are about the mail
 * system.
 */
const outageCodes =
  /^(?:e[a-z]+|und_err_\w+|unreachable|bad_certificate|timed_out|timeout|connection_lost|no_reply|reply_too_large|invalid_reply|unexpected_reply|rate_limit(?:ed)?|quota_exceeded|(?:token_endpoint_)?http_(?:429|5\d\d)|(?:token_)?foreign_http_\d+|token_endpoint_(?:unreachable|unreadable)|smtp_421|smtp_4\.3\.\d+)$/

/**
 * Whether a failure says that the party cannot be reached or does not work, and not that it refused this call. A code
 * that nobody knows is an answer, however it is called.
 */
export function isOutage({ kind, code, needsOperator }: ProviderFailure): boolean {
  if (needsOperator && code !== badCertificate && !code.includes(foreignCode)) return false
  return (kind === 'unavailable' || kind === 'unknown_outcome') && outageCodes.test(code)
}
