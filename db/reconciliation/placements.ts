/** Our placements, compared with the books of an eSIM provider. */
import { periods } from '../../policy/periods.ts'
import type { Queryable } from '../connection/database.ts'
import type { Orders, ProviderOrders } from '../connection/schema.ts'

export type BookedPlacement = Pick<
  ProviderOrders,
  'id' | 'order_id' | 'client_ref' | 'provider_order_no' | 'state' | 'reason' | 'placed_after' | 'expected_cost_micros'
> &
  Pick<Orders, 'quantity' | 'gross_minor'> & {
    order_status: Orders['status']
    /** in the order facts */
    refunded_minor: number
    /** its customer's bank has taken the money back by a dispute */
    taken_back: boolean
    /** nothing of its eSIMs was used when we last asked, and they could still be installed */
    is_unused: boolean
    /** we have asked its provider for the return of each eSIM */
    returned: boolean
    /** another placement of the order holds its eSIMs */
    filled_elsewhere: boolean
    /** when we last asked about its eSIMs */
    checked_at: Date | null
    tasks: string[]
  }

/** What we have booked of a provider's orders, by our references. */
export async function findPlacements(
  sql: Queryable,
  provider: string,
  clientRefs: readonly string[],
): Promise<BookedPlacement[]> {
  return sql<BookedPlacement[]>`
    select p.id, p.order_id, p.client_ref, p.provider_order_no, p.state, p.reason, p.placed_after, p.expected_cost_micros,
      o.quantity, o.gross_minor, o.status as order_status, coalesce(f.refunded_minor, 0) as refunded_minor,
      exists (select from disputes d where d.order_id = o.id and d.taken_back) as taken_back,
      coalesce(e.is_unused, true) as is_unused, coalesce(e.returned, false) as returned, e.checked_at,
      exists (select from provider_orders other where other.order_id = o.id and other.id <> p.id
        and other.state in ('placed', 'provided')) as filled_elsewhere,
      array(select kind from attention a where a.subject_id = o.id::text and a.resolved_at is null) as tasks
    from provider_orders p join orders o on o.id = p.order_id
    left join order_facts f on f.id = o.fact_id
    left join lateral (
      select bool_and(used_bytes = 0 and activated_at is null and expires_at is null
          and checked_at < coalesce(unused_until,
            coalesce(o.delivered_at, checked_at) + ${periods.order.unusedValidMs} * interval '1 millisecond')) as is_unused,
        bool_and(return_asked_at is not null) as returned, max(checked_at) as checked_at
      from esims where order_id = o.id) e on true
    where p.provider = ${provider} and p.client_ref = any(${[...clientRefs]})`
}

/** Notes that the provider's books have these placements, with what they say that each has cost. */
export async function confirmPlacements(
  sql: Queryable,
  placements: readonly { id: string; chargedMicros: number | null }[],
  at: Date,
): Promise<void> {
  if (placements.length === 0) return
  const ids = placements.map(({ id }) => id)
  const charged = placements.map(({ chargedMicros }) => (chargedMicros === null ? null : String(chargedMicros)))
  await sql`
    update provider_orders p set confirmed_at = ${at}, charged_micros = coalesce(c.charged::bigint, p.charged_micros)
    from unnest(${ids}::uuid[], ${charged}::text[]) as c (id, charged) where p.id = c.id`
}

export type UnconfirmedPlacement = Pick<
  ProviderOrders,
  'id' | 'order_id' | 'client_ref' | 'provider_order_no' | 'placed_after'
> &
  Pick<Orders, 'account_id' | 'parent_order_id' | 'esim_id'> & { order_status: Orders['status'] }

/** A page of placements that we take for filled and the provider's list did not have, the oldest first. */
export async function listUnconfirmed(
  sql: Queryable,
  page: {
    provider: string
    from: Date
    to: Date
    confirmedSince: Date
    after: Pick<UnconfirmedPlacement, 'id' | 'placed_after'> | undefined
    limit: number
  },
): Promise<UnconfirmedPlacement[]> {
  const { after } = page
  return sql<UnconfirmedPlacement[]>`
    select p.id, p.order_id, p.client_ref, p.provider_order_no, p.placed_after, o.account_id, o.parent_order_id, o.esim_id,
      o.status as order_status
    from provider_orders p join orders o on o.id = p.order_id
    where p.provider = ${page.provider} and p.placed_after >= ${page.from} and p.placed_after < ${page.to}
      and p.state in ('placed', 'provided') and (p.confirmed_at is null or p.confirmed_at < ${page.confirmedSince})
      ${after ? sql`and (p.placed_after, p.id) > (${after.placed_after}, ${after.id})` : sql``}
    order by p.placed_after, p.id limit ${page.limit}`
}

/** Orders that hold eSIMs of more than one provider. */
export async function listHeldTwice(
  sql: Queryable,
  from: Date,
): Promise<Pick<ProviderOrders, 'order_id' | 'placed_after'>[]> {
  return sql<Pick<ProviderOrders, 'order_id' | 'placed_after'>[]>`
    select order_id, min(placed_after) as placed_after from provider_orders
    where order_id in (
      select order_id from provider_orders where placed_after >= ${from} and state in ('placed', 'provided'))
      and state in ('placed', 'provided')
    group by order_id having count(*) > 1`
}
