import { randomUUID } from 'node:crypto'
import type { Context } from '../../context.ts'
import type { Queryable } from '../../db/connection/database.ts'
import {
  bindIdempotencyClaim,
  claimIdempotencyKey,
  findIdempotencyClaim,
  type IdempotencyOutcome,
  releaseIdempotencyKey,
  reopenIdempotencyClaim,
} from '../../db/idempotency.ts'
import { type Caller, scopeOf, type Visitor } from './caller.ts'
import { Problem } from './problem.ts'
import { problems } from './problems.ts'

/**
 * One request under its Idempotency-Key. The key finds the caller's own claim and is never the id of anything: ids are
 * random and made here.
 */
export interface IdempotentRequest {
  /**
   * Writes the key down, or finds that it came before.
   * @param accountId whose request it is: the same key for another account is another request; null for nobody's
   * @throws Problem idempotency_key_reused when it came with another request, account_missing
   */
  claim(accountId: string | null): Promise<Claim>
  /** What came before under this key. @throws Problem idempotency_key_reused */
  find(accountId: string | null): Promise<Claim | undefined>
}

export interface Claim {
  /** of what this request makes; the same for each repetition */
  resourceId: string
  repeated: boolean
  firstAt: Date
  /** Ties the claim to the account that was just made under it. False when the claim is gone meanwhile. */
  bind(tx: Queryable, accountId: string): Promise<boolean>
  /** The request could not be answered: the next one under the key acts again, for the same resource. */
  reopen(): Promise<void>
  /** Forgets the key: the request was refused, so that repeating it is no repetition. */
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
  const requestHash = cipher.fingerprint('idempotent-request', canonicalJson(given.asked))
  const keyOf = (accountId: string | null) => ({
    scope: operation,
    keyHash: cipher.fingerprint(
      'idempotency-key',
      [operation, scopeOf(given.caller), accountId ?? '', header].join('\0'),
    ),
  })

  function claimOf(accountId: string | null, outcome: IdempotencyOutcome, at: Date): Claim {
    if (outcome.state === 'reused') throw new Problem('idempotency_key_reused')
    if (outcome.state === 'account_missing') throw new Problem('account_missing')
    const key = keyOf(accountId)
    const { resourceId } = outcome
    return {
      resourceId,
      repeated: outcome.state === 'repeated',
      firstAt: outcome.state === 'repeated' ? outcome.firstAt : at,
      bind: (tx, madeAccountId) => bindIdempotencyClaim(tx, { ...key, resourceId, accountId: madeAccountId }),
      reopen: () => reopenIdempotencyClaim(sql, key, new Date()),
      release: () => releaseIdempotencyKey(sql, key),
    }
  }

  return {
    async claim(accountId) {
      const at = new Date()
      return claimOf(accountId, await claimIdempotencyKey(sql, { ...keyOf(accountId), requestHash, accountId, at }), at)
    },
    async find(accountId) {
      const found = await findIdempotencyClaim(sql, { ...keyOf(accountId), requestHash })
      return found && claimOf(accountId, found, new Date())
    },
  }
}

/**
 * A form that was sent twice is one request; one that was changed before it was sent again is another.
 * @param form.once what the page put into it
 * @throws Problem account_missing
 */
export async function claimForm(
  { cipher, sql }: Context,
  form: { operation: string; caller: Visitor; once: string; asked: unknown },
): Promise<{ resourceId: string }> {
  const { operation, caller } = form
  const requestHash = cipher.fingerprint('idempotent-request', canonicalJson(form.asked))
  const key = [operation, scopeOf(caller), form.once, requestHash.toString('hex')].join('\0')
  const outcome = await claimIdempotencyKey(sql, {
    scope: operation,
    keyHash: cipher.fingerprint('idempotency-key', key),
    requestHash,
    accountId: caller.accountId,
    at: new Date(),
  })
  if (outcome.state === 'reused') throw new Problem('idempotency_key_reused')
  if (outcome.state === 'account_missing') throw new Problem('account_missing')
  return outcome
}

/**
 * Acts under ids that are the same for a repeated request, so that it gets the first one's answer, but for an outage: a
 * refusal that may go away must not be kept.
 * @param accountId whose row is acted on; null for nobody's
 * @param act gets the id of the request and that of the workflow update it makes
 */
export async function actOnce<Result>(
  request: IdempotentRequest | undefined,
  accountId: string | null,
  act: (ids: { requestId: string; updateId: string }) => Promise<Result>,
): Promise<Result> {
  if (!request) return act({ requestId: randomUUID(), updateId: randomUUID() })
  const claim = await request.claim(accountId)
  const { resourceId: requestId, firstAt } = claim
  try {
    return await act({ requestId, updateId: `${requestId}-${firstAt.getTime()}` })
  } catch (error) {
    // `unavailable` answers nothing: what was asked may have been taken, and is asked for again under the same id.
    const isAnswer = error instanceof Problem && error.code !== 'unavailable'
    if (isAnswer && problems[error.code].status === 503) await claim.reopen()
    throw error
  }
}

/** JSON that does not depend on the order in which fields were sent. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item !== null && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  )
}
