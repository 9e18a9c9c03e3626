import { randomUUID } from 'node:crypto'
import type { Stack } from '../dev/stack.ts'

export type Service = ReturnType<typeof serviceOf>

/** Calls a stack's API as the app's backend does. */
export function serviceOf({ urls, keys }: Pick<Stack, 'urls' | 'keys'>) {
  const headers = { authorization: `Bearer ${keys.service}`, 'content-type': 'application/json' }
  /** @throws with the answer unless it is a success */
  return async function call(method: string, path: string, body?: unknown): Promise<Response> {
    const response = await fetch(urls.api + path, {
      method,
      headers: { ...headers, 'idempotency-key': randomUUID() },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return response
  }
}
