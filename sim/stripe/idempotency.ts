/**
 * The idempotency store (docs.stripe.com/api/idempotent_requests). The first answer to a key is repeated for 24 hours,
 * even a 500. Refusals before the endpoint runs and conflicts of simultaneous requests are not stored.
 */
import { fill } from '../keeping.ts'
import { Refusal } from './refusal.ts'

const keptSeconds = 24 * 3600

export interface Answer {
  status: number
  body: string
  requestId: string
}

export interface Entry {
  fingerprint: string
  answer: Answer | null
  storedAt: number
}

export function createIdempotencyStore(now: () => number) {
  // A Map iterates in the order of insertion: the oldest entries come first.
  const entries = new Map<string, Entry>()

  return {
    /** The stored answer, or undefined for the first request with a key, which must call `finish` or `abandon`. */
    begin(key: string, fingerprint: string): Answer | undefined {
      for (const [oldKey, old] of entries) {
        if (old.storedAt > now() - keptSeconds) break
        entries.delete(oldKey)
      }
      const entry = entries.get(key)
      if (!entry) {
        entries.set(key, { fingerprint, answer: null, storedAt: now() })
        return undefined
      }
      if (entry.fingerprint !== fingerprint) {
        const message = 'This idempotency key was first used with other parameters or another endpoint.'
        throw new Refusal(400, { type: 'idempotency_error', message }, true)
      }
      if (!entry.answer) {
        const message = 'Another request with this idempotency key is in progress.'
        throw new Refusal(409, { type: 'idempotency_error', code: 'idempotency_key_in_use', message }, true)
      }
      return entry.answer
    },
    finish(key: string, answer: Answer): void {
      const entry = entries.get(key)
      if (entry) entry.answer = answer
    },
    abandon(key: string): void {
      entries.delete(key)
    },
    /** Requests that are being answered end with the process. */
    save: () => new Map([...entries].filter(([, { answer }]) => answer !== null)),
    load(saved: Map<string, Entry>): void {
      fill(entries, saved)
    },
    clear(): void {
      entries.clear()
    },
  }
}
