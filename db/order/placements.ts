/** Which providers were asked for an order, under which random reference, and how far each of them got. */
import { randomUUID } from 'node:crypto'
import type { Queryable } from '../connection/database.ts'

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
  /** real time of the last request that may have been applied */
  last_asked_at: Date
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
      po.last_asked_at, p.daily
    from provider_orders po join orders o on o.id = po.order_id join packages p on p.code = o.package_code
    where po.order_id = ${orderId} order by po.placed_after`
}

/**
 * Writes down that a provider is about to be asked. Undefined when the order is being released, or another attempt has
 * asked a provider whose answer is still open.
 */
export async function claimPlacement(
  sql: Queryable,
  orderId: string,
  offer: Offer,
  clientRef: string,
): Promise<Placement | undefined> {
  const [row] = await sql<Omit<Placement, 'daily'>[]>`
    insert into provider_orders
      (id, order_id, provider, provider_package_code, client_ref, state, placed_after, last_asked_at)
    select ${randomUUID()}, id, ${offer.provider}, ${offer.provider_package_code}, ${clientRef}, 'placing', at, at
    from orders, (select clock_timestamp() as at) moment where id = ${orderId} and status = 'provisioning'
    on conflict do nothing
    returning id, client_ref, provider, provider_package_code, provider_order_no, state, placed_after, last_asked_at`
  return row && { ...row, daily: offer.daily }
}

/** One request under a placement's reference, named by its time as text, since a Date has no microseconds; `before`: the one before it. */
export interface Request {
  at: string
  before: string
}

/** Writes down that a provider is about to be asked again. Undefined when the placement stands elsewhere meanwhile. */
export async function noteRequest(sql: Queryable, id: string): Promise<Request | undefined> {
  const [row] = await sql<Request[]>`
    with earlier as (select id, last_asked_at from provider_orders where id = ${id} for update)
    update provider_orders po set last_asked_at = clock_timestamp() from earlier
    where po.id = earlier.id and po.state = 'placing'
    returning po.last_asked_at::text as at, earlier.last_asked_at::text as before`
  return row
}

/** The request was surely not applied: what counts is the one before it, unless another one was made since. */
export async function forgetRequest(sql: Queryable, id: string, request: Request): Promise<void> {
  await sql`update provider_orders set last_asked_at = ${request.before}::text::timestamptz
    where id = ${id} and state = 'placing' and last_asked_at = ${request.at}::text::timestamptz`
}

/**
 * Nothing that was asked under this reference was applied: refused for good, or the row goes, so that this provider may
 * be asked anew. False when another request was made since, of which that is not certain.
 * @param request the last one; undefined for the one that came with the claim
 */
export async function closePlacement(
  sql: Queryable,
  id: string,
  request: Request | undefined,
  refusal: string | null,
): Promise<boolean> {
  const unchanged = sql`id = ${id} and state = 'placing'
    and last_asked_at = ${request ? sql`${request.at}::text::timestamptz` : sql`placed_after`}`
  const closed =
    refusal === null
      ? await sql`delete from provider_orders where ${unchanged}`
      : await sql`update provider_orders set state = 'refused', reason = ${refusal} where ${unchanged}`
  return closed.count > 0
}

/** Known to be applied, under the provider's number. False when the customer is not waited for any more; kept even so. */
export async function notePlaced(sql: Queryable, id: string, orderNo: string): Promise<boolean> {
  const [row] = await sql<{ state: string }[]>`
    update provider_orders set provider_order_no = ${orderNo},
      state = case state when 'placing' then 'placed' else state end
    where id = ${id} returning state`
  return row?.state === 'placed'
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
