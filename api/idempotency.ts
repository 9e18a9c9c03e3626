import { randomUUID } from 'node:crypto'
import type { Context } from '../context.ts'
import { claimIdempotencyKey, releaseIdempotencyKey } from '../db/idempotency.ts'
import { type Caller, scopeOf } from './caller.ts'
import { Problem } from './problem.ts'

/** One request under its Idempotency-Key. */
export interface IdempotentRequest {
  /** a UUID made of the caller and the key: whoever repeats the request computes the same one */
  resourceId: string
  /** keyed hash of what was asked, to tell the same request from another under the same key */
  requestHash: Buffer
  /**
   * Writes the key down, or finds that it came before.
   * @param resourceId what exists already and the request is about; else an id is made for what the request makes: a
   *   caller's key leads to a row of theirs and never is its id
   * @throws Problem idempotency_key_reused when it came with another request
   */
  claim(resourceId?: string): Promise<{ resourceId: string; repeated: boolean; firstAt: Date }>
  /** Forgets the key again: nothing came of the request, so that repeating it is no repetition. */
  release(): Promise<void>
}

/** Printable ASCII without spaces. */
const keyFormat = /^[\x21-\x7e]{1,255}$/

/**
 * @param operation method and route template
 * @param asked what makes two requests the same: parameters and body, parsed
 * @throws Problem when the key is missing where `required`, or not a key
 */
export function readIdempotencyKey(
  context: Context,
  given: { header: string | undefined; required: boolean; operation: string; caller: Caller; asked: unknown },
): IdempotentRequest | undefined {
  const { header, operation } = given
  if (header === undefined) {
    if (given.required) throw new Problem('idempotency_key_required')
    return undefined
  }
  if (!keyFormat.test(header)) {
    throw new Problem('invalid_request', {
      errors: [{ field: 'Idempotency-Key', reason: 'must be 1 to 255 printable ASCII characters without spaces' }],
    })
  }
  const { cipher, sql } = context
  const keyHash = cipher.fingerprint('idempotency-key', `${operation}\0${scopeOf(given.caller)}\0${header}`)
  const requestHash = cipher.fingerprint('idempotent-request', canonicalJson(given.asked))
  return {
    resourceId: uuidOf(keyHash),
    requestHash,
    async claim(resourceId: string = randomUUID()) {
      const at = new Date()
      const outcome = await claimIdempotencyKey(sql, { scope: operation, keyHash, requestHash, resourceId, at })
      if (outcome.state === 'reused') throw new Problem('idempotency_key_reused')
      return outcome.state === 'fresh'
        ? { resourceId: outcome.resourceId, repeated: false, firstAt: at }
        : { resourceId: outcome.resourceId, repeated: true, firstAt: outcome.firstAt }
    },
    release: () => releaseIdempotencyKey(sql, { scope: operation, keyHash }),
  }
}

/**
 * A form that was sent twice is one request; one that was changed before it was sent again is another.
 * @param form.once what the page put into it
 */
export async function claimForm(
  { cipher, sql }: Context,
  form: { operation: string; caller: Caller; once: string; asked: unknown },
): Promise<{ resourceId: string }> {
  const requestHash = cipher.fingerprint('idempotent-request', canonicalJson(form.asked))
  const key = `${form.operation}\0${scopeOf(form.caller)}\0${form.once}\0${requestHash.toString('hex')}`
  const outcome = await claimIdempotencyKey(sql, {
    scope: form.operation,
    keyHash: cipher.fingerprint('idempotency-key', key),
    requestHash,
    resourceId: randomUUID(),
    at: new Date(),
  })
  if (outcome.state === 'reused') throw new Problem('idempotency_key_reused')
  return outcome
}

/** A UUID of version 8 (RFC 9562, for one's own construction). */
function uuidOf(hash: Buffer): string {
  const bytes = Buffer.from(hash.subarray(0, 16))
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** JSON that does not depend on the order in which fields were sent. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item !== null && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  )
}
