import type { Context } from '../../context.ts'
import { claimSend, recordSendResult, type Send, unknownOutcome } from '../../db/sends.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { type FailureType, failure } from '../../shared/failures.ts'
import { retryDelay } from '../failures.ts'

export interface OnceOptions {
  at: Date
  unavailable: FailureType
  /**
   * What to do when an earlier attempt may have been sent. `repeat`: what must arrive, at the price of a possible copy
   * under the same Message-ID; `skip`: what must not come twice, at the price of a possible loss.
   */
  unknown: 'repeat' | 'skip'
}

/**
 * Sends a message of the ledger unless it was sent before. `deliver` answers `skipped` when there was nobody to send to.
 * A refusal for good is recorded and not thrown: repeating it would help nobody.
 * @throws the `unavailable` failure when it may go through later
 */
export async function sendOnce(
  { sql }: Pick<Context, 'sql'>,
  send: Send,
  options: OnceOptions,
  deliver: () => Promise<'sent' | 'skipped'>,
): Promise<'sent' | 'skipped' | 'failed' | 'done'> {
  const claim = await claimSend(sql, send, options.at)
  if (claim === 'done') return 'done'
  if (claim === 'busy') throw failure(options.unavailable, { code: 'being_sent' })
  if (claim === 'repeat' && options.unknown === 'skip') {
    await recordSendResult(sql, send, 'failed', options.at, unknownOutcome)
    return 'failed'
  }
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
  }
}
