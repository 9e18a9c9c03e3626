import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Stack } from '../dev/stack.ts'

/** A client of ours repeats what the API refuses for now, with the same key. Within a minute it says why not. */
const answerWithinMs = 50_000

/** Calls a stack's API as the app's backend does. */
export function serviceOf({ urls, keys }: Pick<Stack, 'urls' | 'keys'>) {
  const headers = { authorization: `Bearer ${keys.service}`, 'content-type': 'application/json' }
  /** @throws with the answer unless it is a success, or with a timeout */
  return async function call(method: string, path: string, body?: unknown): Promise<Response> {
    const key = randomUUID()
    for (const deadline = Date.now() + answerWithinMs; ; ) {
      const response = await fetch(urls.api + path, {
        method,
        headers: { ...headers, 'idempotency-key': key },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(Math.max(1, deadline - Date.now())),
      }).catch((cause: unknown) => {
        throw new Error(`${method} ${path}: no answer within ${answerWithinMs / 1_000} s`, { cause })
      })
      if (response.ok) return response
      const said = `${method} ${path}: ${response.status} ${await response.text()}`
      const waitMs = 1_000 * Number(response.headers.get('retry-after') ?? 1)
      if (response.status !== 503 || Date.now() + waitMs >= deadline) throw new Error(said)
      await pause(waitMs)
    }
  }
}
