import { randomUUID } from 'node:crypto'
import type { Context } from '../../context.ts'
import { violatedConstraint } from '../../db/connection/constraint.ts'
import type { Queryable } from '../../db/connection/database.ts'
import {
  accountOfKey,
  bindIdempotencyClaim,
  claimIdempotencyKey,
  findIdempotencyClaim,
  type IdempotencyClaim,
  type IdempotencyOutcome,
  releaseIdempotencyKey,
  reopenIdempotencyClaim,
} from '../../db/requests/idempotency.ts'
import type { AllowanceKind } from '../../policy/allowances.ts'
import { spend } from './allowance.ts'
import { type Caller, scopeOf, type Visitor } from './caller.ts'
import { Problem } from './problem.ts'
import { problems } from './problems.ts'

/** One request under its Idempotency-Key. The key only finds the caller's claim: ids are random and made here. */
export interface IdempotentRequest {
  /**
   * Stores the key, or finds the claim that an earlier request made with it.
   * @param accountId the account that the request is about, or null; a key is unique for each account
   * @param spends what the first request with the key spends of the account's allowance
   * @throws Problem idempotency_key_reused when the key came with another request before; account_missing;
   * too_many_requests, with which the key is not stored
   */
  claim(accountId: string | null, spends?: AllowanceKind): Promise<Claim>
  /** The claim that an earlier request made. @throws Problem idempotency_key_reused */
  find(accountId: string | null): Promise<Claim | undefined>
}

export interface Claim {
  /** id of the resource that this request makes; the same for each repetition */
  resourceId: string
  repeated: boolean
  firstAt: Date
  /** Ties the claim to the account that the request has just made. False when the claim no longer exists. */
  bind(tx: Queryable, accountId: string): Promise<boolean>
  /** After an outage: the next request with this key acts again, for the same resource. */
  reopen(): Promise<void>
  /**
   * After a refusal: the next request with this key counts as the first, unless another one with it has come already,
   * which may be done.
   */
  release(): Promise<void>
}

/** Printable ASCII without spaces. */
const keyFormat = /^[\x21-\x7e]{1,255}$/

/**
 * Reads the Idempotency-Key header.
 * @param given.operation method and route template
 * @param given.content parsed parameters, query and body; two requests with the same key must have the same content
 * @returns undefined when there is no key and none is required
 * @throws Problem idempotency_key_required; invalid_request for a malformed key
 */
export function readIdempotencyKey(
  context: Context,
  given: { header: string | undefined; required: boolean; operation: string; caller: Caller; content: unknown },
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
  const requestHash = cipher.fingerprint('idempotent-request', canonicalJson(given.content))
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
      release: () => releaseIdempotencyKey(sql, key, new Date()),
    }
  }

  return {
    async claim(accountId, spends) {
      const at = new Date()
      const wanted = { ...keyOf(accountId), requestHash, accountId, at }
      return claimOf(accountId, await claimAndSpend(context, wanted, spends), at)
    },
    async find(accountId) {
      const found = await findIdempotencyClaim(sql, { ...keyOf(accountId), requestHash })
      return found && claimOf(accountId, found, new Date())
    },
  }
}

/**
 * Claims a key, and counts the request with it if it is the first, both or neither: a request that comes at the same
 * moment is let in by no claim of one that was refused.
 */
async function claimAndSpend(
  context: Context,
  wanted: IdempotencyClaim,
  spends: AllowanceKind | undefined,
): Promise<IdempotencyOutcome> {
  const { sql } = context
  const { accountId } = wanted
  if (spends === undefined || accountId === null) return claimIdempotencyKey(sql, wanted)
  try {
    return await sql.begin(async (tx) => {
      const outcome = await claimIdempotencyKey(tx, wanted)
      if (outcome.state === 'fresh') await spend(context, spends, { accountId }, tx)
      return outcome
    })
  } catch (error) {
    // A statement that has failed fails its transaction, also when its error was caught.
    if (violatedConstraint(error) === accountOfKey) return { state: 'account_missing' }
    throw error
  }
}

/**
 * Recognises a form that is sent twice. A form whose content was changed before it was sent again is another request.
 * @param form.once the one-time value that the page put into the form
 * @param form.content the parsed fields of the form
 * @param spends what the first sending spends of the person's allowance
 * @throws Problem account_missing, too_many_requests
 */
export async function claimForm(
  context: Context,
  form: { operation: string; caller: Visitor; once: string; content: unknown },
  spends: AllowanceKind,
): Promise<Pick<Claim, 'resourceId' | 'repeated' | 'firstAt'>> {
  const { cipher } = context
  const { operation, caller } = form
  const requestHash = cipher.fingerprint('idempotent-request', canonicalJson(form.content))
  const key = [operation, scopeOf(caller), form.once, requestHash.toString('hex')].join('\0')
  const claimed = { scope: operation, keyHash: cipher.fingerprint('idempotency-key', key) }
  const at = new Date()
  const wanted = { ...claimed, requestHash, accountId: caller.accountId, at }
  const outcome = await claimAndSpend(context, wanted, spends)
  if (outcome.state === 'reused') throw new Problem('idempotency_key_reused')
  if (outcome.state === 'account_missing') throw new Problem('account_missing')
  return {
    resourceId: outcome.resourceId,
    repeated: outcome.state === 'repeated',
    firstAt: outcome.state === 'repeated' ? outcome.firstAt : at,
  }
}

/**
 * Runs `act` with ids that are the same for each repetition of a request, so that Temporal answers a repeated update as
 * it answered the first. After a refusal with status 503 the next repetition gets a new update id, since Temporal would
 * otherwise repeat the refusal for ever. After any other refusal the next request with the key counts as the first,
 * unless there were several at once.
 * @param accountId the account whose rows `act` changes, or null
 * @param act gets the id of the request, the id for its workflow update, and whether an earlier request under the key
 *   was done, or may have been
 * @param spends what the first request spends of the account's allowance
 */
export async function actOnce<Result>(
  request: IdempotentRequest | undefined,
  accountId: string | null,
  act: (ids: { requestId: string; updateId: string; repeated: boolean }) => Promise<Result>,
  spends?: AllowanceKind,
): Promise<Result> {
  if (!request) return act({ requestId: randomUUID(), updateId: randomUUID(), repeated: false })
  const claim = await request.claim(accountId, spends)
  const { resourceId: requestId, firstAt, repeated } = claim
  try {
    return await act({ requestId, updateId: `${requestId}-${firstAt.getTime()}`, repeated })
  } catch (error) {
    // After `unavailable` the outcome of the update is unknown: it has to be sent again under the same id.
    if (error instanceof Problem && error.code !== 'unavailable') {
      if (problems[error.code].status === 503) await claim.reopen()
      else if (!repeated && error.code !== 'request_in_progress') await claim.release()
    }
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
