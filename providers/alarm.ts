/** Reports failures that only an operator can end, at one place for all calls of an adapter. */
import { isProviderFailure, type ProviderFailure } from './failure.ts'

/** Reports a failure. An alarm must not throw: the failure itself has to reach the caller. */
export type Alarm = (failure: ProviderFailure) => Promise<void>

/**
 * An adapter whose failures with `needsOperator` are reported before its caller gets them, so that no caller can forget
 * it: wrong credentials, an empty balance, a code that nobody knows.
 */
export const withAlarm = <Adapter extends object>(adapter: Adapter, alarm: Alarm): Adapter =>
  wrapCalls(adapter, (call) => watching(call, alarm))

export type Call = (...args: unknown[]) => unknown

/** An adapter with each of its calls wrapped. */
export const wrapCalls = <Adapter extends object>(adapter: Adapter, wrap: (call: Call) => Call): Adapter =>
  Object.fromEntries(
    Object.entries(adapter).map(([name, value]) => [name, typeof value === 'function' ? wrap(value) : value]),
  ) as Adapter

function watching(call: Call, alarm: Alarm): Call {
  return function (this: unknown, ...args: unknown[]): unknown {
    const result = call.apply(this, args)
    if (result instanceof Promise)
      return result.then(
        // A sender of many mails is a function itself.
        (value: unknown) => (typeof value === 'function' ? watching((...sent) => value(...sent), alarm) : value),
        (error: unknown) => reportAndThrow(error, alarm),
      )
    return isAsyncIterable(result) ? watchingPages(result, alarm) : result
  }
}

async function* watchingPages(pages: AsyncIterable<unknown>, alarm: Alarm): AsyncGenerator<unknown> {
  try {
    yield* pages
  } catch (error) {
    await reportAndThrow(error, alarm)
  }
}

async function reportAndThrow(error: unknown, alarm: Alarm): Promise<never> {
  if (isProviderFailure(error) && error.needsOperator) await alarm(error)
  throw error
}

/** Whether a call has answered with a list that is read page by page. */
export const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value
