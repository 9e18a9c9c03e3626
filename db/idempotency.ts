import type { Queryable } from './database.ts'

export interface IdempotencyClaim {
  /** the operation, for example `POST /v1/orders` */
  scope: string
  /** keyed hash of the caller and the key */
  keyHash: Buffer
  /** keyed hash of what was asked */
  requestHash: Buffer
  /** the resource this request would make */
  resourceId: string
  at: Date
}

export type IdempotencyOutcome =
  /** nobody came before */
  | { state: 'fresh'; resourceId: string }
  /** the same request came before, and made or is making this resource */
  | { state: 'repeated'; resourceId: string; firstAt: Date }
  /** the key came before with another request */
  | { state: 'reused' }

/** One statement decides, however many of the same request arrive at once. */
export async function claimIdempotencyKey(sql: Queryable, claim: IdempotencyClaim): Promise<IdempotencyOutcome> {
  const made = await sql`
    insert into idempotency_keys (scope, key_hash, request_hash, resource_id, created_at)
    values (${claim.scope}, ${claim.keyHash}, ${claim.requestHash}, ${claim.resourceId}, ${claim.at})
    on conflict do nothing`
  if (made.count === 1) return { state: 'fresh', resourceId: claim.resourceId }
  const [row] = await sql<{ request_hash: Buffer; resource_id: string; created_at: Date }[]>`
    select request_hash, resource_id, created_at from idempotency_keys
    where scope = ${claim.scope} and key_hash = ${claim.keyHash}`
  // Only housekeeping and erasure delete: this one was there a moment ago.
  if (!row) return claimIdempotencyKey(sql, claim)
  if (!row.request_hash.equals(claim.requestHash)) return { state: 'reused' }
  return { state: 'repeated', resourceId: row.resource_id, firstAt: row.created_at }
}

export async function releaseIdempotencyKey(
  sql: Queryable,
  key: Pick<IdempotencyClaim, 'scope' | 'keyHash'>,
): Promise<void> {
  await sql`delete from idempotency_keys where scope = ${key.scope} and key_hash = ${key.keyHash}`
}
