import { setTimeout as delay } from 'node:timers/promises'

export interface UntilOptions {
  /** default 60 s */
  timeoutMs?: number
  /** wait between two looks; grows from 5 to 100 ms unless given */
  everyMs?: number
}

/**
 * Looks until `look` finds something (anything but undefined, null and false) and resolves to it. What it throws counts
 * as not found yet.
 * @param description what is awaited, for the error
 * @throws after the time limit, with what was seen last
 */
export async function until<Found>(
  description: string,
  look: () => Promise<Found> | Found,
  { timeoutMs = 60_000, everyMs }: UntilOptions = {},
): Promise<Exclude<Found, undefined | null | false>> {
  const deadline = Date.now() + timeoutMs
  let pauseMs = everyMs ?? 5
  for (;;) {
    let last: unknown
    try {
      const found = await look()
      if (found !== undefined && found !== null && found !== false) {
        return found as Exclude<Found, undefined | null | false>
      }
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

/**
 * Looks until the value satisfies the condition; the error holds the last value.
 * @throws after the time limit
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
