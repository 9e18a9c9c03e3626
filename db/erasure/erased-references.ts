/**
 * Keyed hashes of the ids under which outside parties go on listing what an erased person bought. They show a
 * comparison of the books that something was an erased person's, and not whose.
 */
import { periods } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import type { Queryable } from '../connection/database.ts'
import type { ErasedReferences, Orders } from '../connection/schema.ts'
import type { FieldCipher } from '../crypto/field-cipher.ts'

const hashOf = (cipher: FieldCipher, id: string): Buffer => cipher.fingerprint('erased-reference', id)

/**
 * References of an account that outside parties go on listing: payments, placements, disputes. Read before its rows are
 * erased.
 */
export async function listedElsewhere(sql: Queryable, accountId: string): Promise<string[]> {
  const rows = await sql<{ id: Orders['payment_intent_id'] }[]>`
    select payment_intent_id as id from orders where account_id = ${accountId} and payment_intent_id is not null
    union select client_ref from provider_orders p join orders o on o.id = p.order_id where o.account_id = ${accountId}
    union select stripe_dispute_id from disputes d join orders o on o.id = d.order_id
      where o.account_id = ${accountId}`
  return rows.flatMap(({ id }) => id ?? [])
}

/** Remembers references as hashes, for as long as outside parties go on listing them. */
export async function noteErasedReferences(
  sql: Queryable,
  cipher: FieldCipher,
  ids: readonly string[],
  at: Date,
): Promise<void> {
  if (ids.length === 0) return
  const forgetAfter = plusMs(at, periods.erasedReferenceMs)
  const rows = ids.map((id) => ({ reference: hashOf(cipher, id), forget_after: forgetAfter }))
  await sql`insert into erased_references ${sql(rows)} on conflict do nothing`
}

/**
 * Finds the ids of an outside party's list that were an erased person's. An id that is still listed will be listed
 * again: its hash is kept until the id has left the time that is compared.
 */
export async function findErased(
  sql: Queryable,
  cipher: FieldCipher,
  ids: readonly string[],
  at: Date,
): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const byHash = new Map(ids.map((id) => [hashOf(cipher, id).toString('hex'), id]))
  const listedUntil = plusMs(at, periods.reconciliation.lookBackMs)
  const found = await sql<Pick<ErasedReferences, 'reference'>[]>`
    update erased_references set forget_after = greatest(forget_after, ${listedUntil})
    where reference = any(array(select decode(hash, 'hex') from unnest(${[...byHash.keys()]}::text[]) as hash))
    returning reference`
  return new Set(found.flatMap(({ reference }) => byHash.get(reference.toString('hex')) ?? []))
}

/** Forgets the references that no outside party lists any more. */
export async function deleteErasedReferences(sql: Queryable, at: Date): Promise<void> {
  await sql`delete from erased_references where forget_after < ${at}`
}
