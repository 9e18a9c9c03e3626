/** One function of an outside party, as the pairs of faults call it. */
import type { Context } from '../../../../context.ts'
import type { FaultName } from './faults.ts'

/** One series of attempts, until one succeeds. */
export interface Series {
  /** @param tried how many attempts have failed: after an unknown outcome a caller looks before it repeats */
  attempt(ports: Context, tried: number): Promise<unknown>
  /** how often the party has done it */
  effects?: () => Promise<number>
}

export interface Call {
  /** Makes what a series is about, without faults. */
  arrange(): Promise<Series>
  /** the answer is kept for an hour, so that each series has ports of its own */
  keeps?: true
  /** how many requests an attempt makes without faults: the pairs come at each of them; default 1 */
  requests?: number
  /** it is made by a token that is kept for an hour: the pairs come at the request for the token as well */
  byToken?: true
  /** a message or request that may have arrived is not repeated */
  once?: true
  /** faults that this party's answers cannot be told from: an operator or the caller acts */
  refusedBy?: readonly FaultName[]
  /** faults after which the call succeeds, and why that is right */
  goesOnAfter?: { faults: readonly FaultName[]; why: string }
}

/** Each call of a party, with what is true of all of them. */
export const withAll = (calls: Record<string, Call>, more: Partial<Call>): Record<string, Call> =>
  Object.fromEntries(Object.entries(calls).map(([name, call]): [string, Call] => [name, { ...call, ...more }]))

/** Reads what is there: nothing happens twice. */
export const reading = (
  attempt: Series['attempt'],
  options: Pick<Call, 'keeps' | 'refusedBy' | 'requests' | 'byToken'> = {},
): Call => ({
  ...options,
  arrange: async () => ({ attempt }),
})

export async function readAll<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}

/** Asks once for all that ask at the same time: the books of a party are long. */
export function shared<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let asking: Promise<Answer> | undefined
  return () => {
    asking ??= ask().finally(() => {
      asking = undefined
    })
    return asking
  }
}
