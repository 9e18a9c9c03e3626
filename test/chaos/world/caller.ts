/** Calls the API as an app does: a request without an answer, or with one that says "later", is repeated. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Answer, Caller } from '../../harness/http.ts'

export class Stuck extends Error {}

const stuckAfterMs = 600_000
const later = [408, 425, 429, 500, 502, 503, 504]

/**
 * Repeats a request until it is answered for good: with 2xx, or with a refusal that a repeat would not change.
 * @throws Stuck when it is not answered within ten minutes
 */
export async function untilAnswered(
  caller: Caller,
  method: string,
  path: string,
  body?: unknown,
  key: string = randomUUID(),
): Promise<Answer> {
  const deadline = Date.now() + stuckAfterMs
  const headers = method === 'POST' ? { 'idempotency-key': key } : {}
  for (let last = 'nothing'; ; ) {
    try {
      const answer = await caller.call(method, path, { body, headers })
      if (!later.includes(answer.status) && answer.body?.code !== 'request_in_progress') return answer
      last = `${answer.status} ${answer.body?.code}`
    } catch (error) {
      last = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    }
    if (Date.now() > deadline) throw new Stuck(`${method} ${path} is not answered: ${last}`)
    await pause(250)
  }
}
