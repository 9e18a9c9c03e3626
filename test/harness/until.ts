import { setTimeout as delay } from 'node:timers/promises'
import { countVerified } from './checks/verified.ts'

export interface UntilOptions {
  /** default two minutes: a busy machine needs several times as long as an idle one */
  timeoutMs?: number
  /** wait between two calls; default: it grows from 5 to 100 ms */
  everyMs?: number
}

/**
 * Calls `look` until it returns something other than undefined, null and false. An error of `look` counts as nothing.
 * @param description the condition, for the error
 * @throws after the time limit, with the last result
 */
export async function until<Found>(
  description: string,
  look: () => Promise<Found> | Found,
  { timeoutMs = 120_000, everyMs }: UntilOptions = {},
): Promise<Exclude<Found, undefined | null | false>> {
  countVerified()
  const deadline = Date.now() + timeoutMs
  let pauseMs = everyMs ?? 5
  for (;;) {
    let last: unknown
    try {
      const found = await look()
      if (isFound(found)) return found
      last = found
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline) {
      throw new Error(`not within ${timeoutMs} ms: ${description} (last: ${String(last)})`, {
        ...(last instanceof Error && { cause: last }),
      })
    }
    await delay(pauseMs)
    pauseMs = everyMs ?? Math.min(100, pauseMs * 1.5)
  }
}

const isFound = <Found>(found: Found): found is Exclude<Found, undefined | null | false> =>
  found !== undefined && found !== null && found !== false

/**
 * Reads until the value satisfies the condition.
 * @throws after the time limit, with the last value
 */
export async function untilValue<Value>(
  description: string,
  read: () => Promise<Value> | Value,
  satisfies: (value: Value) => boolean,
  options: UntilOptions = {},
): Promise<Value> {
  let seen: unknown = 'nothing'
  const { value } = await until(
    description,
    async () => {
      const value = await read()
      seen = value
      return satisfies(value) && { value }
    },
    options,
  ).catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : error}; last value: ${JSON.stringify(seen)}`)
  })
  return value
}
