/** Reads of outside parties during a restore, which nothing repeats but an operator. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Context } from '../../context.ts'
import { esimProviderIds } from '../../policy/outside-parties.ts'
import { type Call, isAsyncIterable, wrapCalls } from '../../providers/alarm.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { tableOf } from '../../shared/keys-of.ts'

const attempts = 6
/** Airalo counts its limits by the minute; a party that wants more time is down. */
const longestPauseMs = 60_000

/**
 * Failures of calls that were repeated as often as they may be: an `untilAnswered` around such a call does not repeat
 * them.
 */
const givenUp = new WeakSet<Error>()

type Ports = Pick<Context, 'stripe' | 'esimProviders'>

/** A context whose every call of a payment processor or eSIM provider is repeated until it is answered. */
export type RepeatingContext = Context & { readonly isRepeating: true }

/**
 * Wraps the ports, so that no read of a restore can forget to be repeated.
 * @param firstPauseMs before the second attempt; each further pause is twice as long
 */
export function repeating(context: Context, firstPauseMs?: number): RepeatingContext {
  const { stripe, esimProviders } = context
  const ports: Ports = {
    stripe: repeatingPort(stripe, firstPauseMs),
    esimProviders: tableOf(esimProviderIds, (id) => repeatingPort(esimProviders[id], firstPauseMs)),
  }
  return { ...context, ...ports, isRepeating: true }
}

/** A port whose calls are repeated until they are answered. */
export const repeatingPort = <Port extends object>(port: Port, firstPauseMs: number | undefined): Port =>
  wrapCalls(port, (call) => repeatingCall(call, firstPauseMs))

function repeatingCall(call: Call, firstPauseMs: number | undefined): Call {
  return function (this: unknown, ...args: unknown[]): unknown {
    const first = call.apply(this, args)
    if (first instanceof Promise) {
      let answer: Promise<unknown> | undefined = first
      return untilAnswered(async () => {
        const asked = answer ?? call.apply(this, args)
        answer = undefined
        return await asked
      }, firstPauseMs)
    }
    return isAsyncIterable(first) ? repeatingPages(first, () => call.apply(this, args), firstPauseMs) : first
  }
}

/** A list that has failed is read again from its beginning, without what was handed out already. */
async function* repeatingPages(
  first: AsyncIterable<unknown>,
  again: () => unknown,
  firstPauseMs: number | undefined,
): AsyncGenerator<unknown> {
  let handedOut = 0
  let pages: AsyncIterator<unknown> | undefined = first[Symbol.asyncIterator]()
  for (;;) {
    const next = await untilAnswered(async () => {
      const isAgain = pages === undefined
      pages ??= pagesOf(again())
      try {
        for (let skipped = 0; isAgain && skipped < handedOut; skipped += 1) await pages.next()
        return await pages.next()
      } catch (error) {
        pages = undefined
        throw error
      }
    }, firstPauseMs)
    if (next.done) return
    handedOut += 1
    yield next.value
  }
}

function pagesOf(list: unknown): AsyncIterator<unknown> {
  if (!isAsyncIterable(list)) throw new TypeError('a call that has answered a list answers none')
  return list[Symbol.asyncIterator]()
}

/**
 * Repeats a failed read for half a minute, also after "not found": what the outside party does not know at one moment,
 * it may know at the next. Only an operator ends what is misconfigured.
 */
export async function untilAnswered<Answer>(call: () => Promise<Answer>, firstPauseMs = 1_000): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call()
    } catch (error) {
      if (!isProviderFailure(error) || error.kind === 'misconfigured' || givenUp.has(error)) throw error
      if (attempt === attempts) {
        givenUp.add(error)
        throw error
      }
      const wanted = Math.min(error.retryAfterMs ?? 0, longestPauseMs)
      await pause(Math.max(firstPauseMs * 2 ** (attempt - 1), wanted))
    }
  }
}
