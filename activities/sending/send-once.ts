import type { Context } from '../../context.ts'
import {
  claimSend,
  recordSendResult,
  renewClaim,
  renewClaimEveryMs,
  type Send,
  unknownOutcome,
} from '../../db/sends.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { type FailureType, failure } from '../../shared/failures.ts'
import { retryDelay } from '../failures.ts'

export interface OnceOptions {
  at: Date
  unavailable: FailureType
  /**
   * The action after an unknown outcome. `repeat`: send again, because the message must arrive, even twice; `skip`: do
   * not send again, because it must not come twice, even if it is lost.
   */
  unknown: 'repeat' | 'skip'
}

/**
 * Sends a message unless the send ledger says that it was sent. `deliver` returns `skipped` when there is no recipient.
 * While an attempt is under way no other one begins, even when its activity has timed out meanwhile. A final refusal is
 * recorded and not thrown, because a repeat would be refused again.
 * @throws the `unavailable` failure when the message may be sent later
 */
export async function sendOnce(
  { sql }: Pick<Context, 'sql'>,
  send: Send,
  options: OnceOptions,
  deliver: () => Promise<'sent' | 'skipped'>,
): Promise<'sent' | 'skipped' | 'failed' | 'done'> {
  const claim = await claimSend(sql, send, options.at)
  // A refusal is told again: the attempt that met it may not have come to what follows from it.
  if (claim === 'done' || claim === 'failed') return claim
  if (claim === 'busy') throw failure(options.unavailable, { code: 'being_sent' })
  if (claim === 'repeat' && options.unknown === 'skip') {
    await recordSendResult(sql, send, 'failed', options.at, unknownOutcome)
    return 'failed'
  }
  const renewal = setInterval(() => void renewClaim(sql, send).catch(() => undefined), renewClaimEveryMs)
  try {
    const outcome = await deliver()
    await recordSendResult(sql, send, outcome, options.at)
    return outcome
  } catch (error) {
    if (!isProviderFailure(error)) throw error
    if (error.kind === 'rejected') {
      await recordSendResult(sql, send, 'failed', options.at, error.code)
      return 'failed'
    }
    const code = error.kind === 'unknown_outcome' ? unknownOutcome : error.code
    await recordSendResult(sql, send, 'due', options.at, code)
    throw failure(options.unavailable, {
      code: error.code,
      ...retryDelay(error),
    })
  } finally {
    clearInterval(renewal)
  }
}
