/** Reads of outside parties during a restore, which nothing repeats but an operator. */
import { setTimeout as pause } from 'node:timers/promises'
import { isProviderFailure } from '../../providers/failure.ts'

const attempts = 6

/**
 * Repeats a read for about a minute, whatever the outside party says: what it does not know at one moment, it may know at the
 * next. Only an operator ends what is misconfigured.
 */
export async function untilAnswered<Answer>(call: () => Promise<Answer>, firstPauseMs = 1_000): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call()
    } catch (error) {
      if (!isProviderFailure(error) || error.kind === 'misconfigured' || attempt === attempts) throw error
      await pause(firstPauseMs * 2 ** (attempt - 1))
    }
  }
}
