import { randomUUID } from 'node:crypto'
import { violatedConstraint } from '../connection/constraint.ts'
import type { Queryable } from '../connection/database.ts'
import type { IdempotencyKeys } from '../connection/schema.ts'

export const accountOfKey = 'idempotency_keys_account_id_fkey'

/** The key by which a claim is found. */
export interface IdempotencyKey {
  /** the operation, for example `POST /v1/orders` */
  scope: string
  /** keyed hash of the caller, the account and the key */
  keyHash: Buffer
}

export interface IdempotencyClaim extends IdempotencyKey {
  /** keyed hash of the request's content */
  requestHash: Buffer
  /** the account that the request is about; null for none, or for one that the request creates */
  accountId: string | null
  at: Date
}

export type IdempotencyOutcome =
  /** the key is new */
  | { state: 'fresh'; resourceId: string }
  /** the same request came before, and has made or is making this resource */
  | { state: 'repeated'; resourceId: string; firstAt: Date }
  /** the key came before with another request */
  | { state: 'reused' }
  /** the account does not exist, or was erased */
  | { state: 'account_missing' }

/**
 * Claims a key. One statement decides between simultaneous equal requests, and notes that there are several. The
 * resource's id is random: a key that was erased or has expired never leads to its earlier resource again.
 */
export async function claimIdempotencyKey(sql: Queryable, claim: IdempotencyClaim): Promise<IdempotencyOutcome> {
  const resourceId = randomUUID()
  try {
    const [row] = await sql<Pick<IdempotencyKeys, 'resource_id' | 'created_at' | 'shared'>[]>`
      insert into idempotency_keys as known (scope, key_hash, request_hash, resource_id, account_id, created_at)
      values (${claim.scope}, ${claim.keyHash}, ${claim.requestHash}, ${resourceId}, ${claim.accountId}, ${claim.at})
      on conflict (scope, key_hash) do update set shared = true where known.request_hash = excluded.request_hash
      returning resource_id, created_at, shared`
    if (row) return row.shared ? repeatedOf(row) : { state: 'fresh', resourceId }
  } catch (error) {
    if (violatedConstraint(error) !== accountOfKey) throw error
    return { state: 'account_missing' }
  }
  // Housekeeping, an erasure or a refusal may delete the row between the two statements.
  return (await findIdempotencyClaim(sql, claim)) ?? claimIdempotencyKey(sql, claim)
}

const repeatedOf = (row: Pick<IdempotencyKeys, 'resource_id' | 'created_at'>) =>
  ({ state: 'repeated', resourceId: row.resource_id, firstAt: row.created_at }) as const

/** The outcome of an earlier claim of this key, or undefined. */
export async function findIdempotencyClaim(
  sql: Queryable,
  claim: IdempotencyKey & Pick<IdempotencyClaim, 'requestHash'>,
): Promise<Extract<IdempotencyOutcome, { state: 'repeated' | 'reused' }> | undefined> {
  const [row] = await sql<Pick<IdempotencyKeys, 'request_hash' | 'resource_id' | 'created_at'>[]>`
    select request_hash, resource_id, created_at from idempotency_keys
    where scope = ${claim.scope} and key_hash = ${claim.keyHash}`
  if (!row) return undefined
  if (!row.request_hash.equals(claim.requestHash)) return { state: 'reused' }
  return repeatedOf(row)
}

/**
 * Ties a claim to the account that its request created, so that an erasure deletes both.
 * @returns false when the claim is gone: the account was erased, or the request was refused
 */
export async function bindIdempotencyClaim(
  sql: Queryable,
  key: IdempotencyKey & { resourceId: string; accountId: string },
): Promise<boolean> {
  const bound = await sql`
    update idempotency_keys set account_id = ${key.accountId}
    where scope = ${key.scope} and key_hash = ${key.keyHash} and resource_id = ${key.resourceId}`
  return bound.count === 1
}

/** Lets the next request with the key act again for the same resource. */
export async function reopenIdempotencyClaim(sql: Queryable, key: IdempotencyKey, at: Date): Promise<void> {
  await sql`update idempotency_keys set created_at = ${at} where scope = ${key.scope} and key_hash = ${key.keyHash}`
}

/**
 * After a refusal: deletes a claim that no other request has. Otherwise the next one acts again for the same resource,
 * which the other may have made, or be about to make.
 */
export async function releaseIdempotencyKey(sql: Queryable, key: IdempotencyKey, at: Date): Promise<void> {
  const { count } = await sql`
    delete from idempotency_keys where scope = ${key.scope} and key_hash = ${key.keyHash} and not shared`
  if (count === 0) await reopenIdempotencyClaim(sql, key, at)
}
