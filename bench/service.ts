import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Stack } from '../dev/stack.ts'

/** Of attempts that the API refuses for now; a client of ours repeats these, with the same key. */
const attempts = 6
const answerWithinMs = 60_000

export type Service = ReturnType<typeof serviceOf>

/** Calls a stack's API as the app's backend does. */
export function serviceOf({ urls, keys }: Pick<Stack, 'urls' | 'keys'>) {
  const headers = { authorization: `Bearer ${keys.service}`, 'content-type': 'application/json' }
  /** @throws with the answer unless it is a success, or with a timeout */
  return async function call(method: string, path: string, body?: unknown): Promise<Response> {
    const key = randomUUID()
    for (let attempt = 1; ; attempt += 1) {
      const response = await fetch(urls.api + path, {
        method,
        headers: { ...headers, 'idempotency-key': key },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(answerWithinMs),
      })
      if (response.ok) return response
      const said = `${method} ${path}: ${response.status} ${await response.text()}`
      if (response.status !== 503 || attempt === attempts) throw new Error(said)
      await pause(1_000 * Number(response.headers.get('retry-after') ?? 1))
    }
  }
}
