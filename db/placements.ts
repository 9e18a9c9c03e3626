/** Which providers were asked for an order, under which random reference, and how far each of them got. */
import { randomUUID } from 'node:crypto'
import type { Queryable } from './database.ts'

export interface Offer {
  provider: string
  provider_package_code: string
  /** sold by the day: the order says for how many */
  daily: boolean
}

export interface Placement extends Offer {
  id: string
  client_ref: string
  provider_order_no: string | null
  state: 'placing' | 'placed' | 'provided' | 'refused' | 'releasing' | 'released'
  /** real time of the first attempt: what the provider's own clock is compared with */
  placed_after: Date
}

/** Who can fill an order for this package, in the order in which to ask. */
export async function listOffers(sql: Queryable, packageCode: string): Promise<Offer[]> {
  return sql<Offer[]>`
    select o.provider, o.provider_package_code, p.daily
    from package_offers o join packages p on p.code = o.package_code
    where o.package_code = ${packageCode} and o.available
    order by o.rank nulls last, o.cost_micros, o.provider`
}

export async function listPlacements(sql: Queryable, orderId: string): Promise<Placement[]> {
  return sql<Placement[]>`
    select po.id, po.client_ref, po.provider, po.provider_package_code, po.provider_order_no, po.state, po.placed_after,
      p.daily
    from provider_orders po join orders o on o.id = po.order_id join packages p on p.code = o.package_code
    where po.order_id = ${orderId} order by po.placed_after`
}

/** Writes down that a provider is about to be asked. Undefined when the order is being released. */
export async function claimPlacement(
  sql: Queryable,
  orderId: string,
  offer: Offer,
  clientRef: string,
): Promise<Placement | undefined> {
  const [row] = await sql<Omit<Placement, 'daily'>[]>`
    insert into provider_orders (id, order_id, provider, provider_package_code, client_ref, state, placed_after)
    select ${randomUUID()}, id, ${offer.provider}, ${offer.provider_package_code}, ${clientRef}, 'placing',
      clock_timestamp()
    from orders where id = ${orderId} and status = 'provisioning'
    on conflict (order_id, provider) do nothing
    returning id, client_ref, provider, provider_package_code, provider_order_no, state, placed_after`
  return row && { ...row, daily: offer.daily }
}

/** False when the placement stands elsewhere meanwhile. */
export async function movePlacement(
  sql: Queryable,
  id: string,
  from: Placement['state'][],
  change: { state: Placement['state']; reason?: string; provider_order_no?: string },
): Promise<boolean> {
  const moved = await sql`
    update provider_orders set ${sql(change as never)} where id = ${id} and state in ${sql(from)}`
  return moved.count > 0
}
