/** Whose data a text is about that names people by ids alone, for the access log. */
import type { Queryable } from '../connection/database.ts'
import type { OwnedIds } from '../connection/schema.ts'

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g
/** Of Stripe's payments, pages, refunds and disputes. */
const stripeId = /\b(?:pi|cs|re|pyr|du|dp)_\w{5,250}/g
/** An account reference is a JSON string of its own. */
const accountRef = /"([\w-]{20})"/g

/** The living accounts that the ids in a text belong to: their own, or those of what they have. */
export async function accountsNamedIn(sql: Queryable, text: string): Promise<string[]> {
  const ids = found(text.matchAll(uuid))
  const ofStripe = found(text.matchAll(stripeId))
  const refs = found(text.matchAll(accountRef))
  if (ids.length + ofStripe.length + refs.length === 0) return []
  const rows = await sql<Pick<OwnedIds, 'account_id'>[]>`
    select account_id from owned_ids where id = any(${ids}::uuid[])
    union select id from accounts where account_ref = any(${refs}::text[])
    union select account_id from orders where id in (
      select id from orders where payment_intent_id = any(${ofStripe}::text[])
      union select id from orders where checkout_session_id = any(${ofStripe}::text[])
      union select order_id from refunds where stripe_refund_id = any(${ofStripe}::text[])
      union select order_id from disputes where stripe_dispute_id = any(${ofStripe}::text[]))`
  return rows.map(({ account_id: accountId }) => accountId)
}

const found = (matches: Iterable<RegExpMatchArray>): string[] => [
  ...new Set([...matches].map(([whole, part]) => part ?? whole)),
]
