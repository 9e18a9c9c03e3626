/** Placements: the requests to eSIM providers for an order, each under a random reference, and their states. */
import { randomUUID } from 'node:crypto'
import type { EsimProviderId } from '../../policy/outside-parties.ts'
import type { Queryable } from '../connection/database.ts'
import type { Orders, PackageOffers, Packages, ProviderOrders } from '../connection/schema.ts'

/** `daily`: the package is sold by the day, and the order has the number of days */
export type Offer = Pick<PackageOffers, 'provider' | 'provider_package_code'> & OfferedAt

/** `cost_micros`: the price that we know; null when the provider does not offer the package any more */
type OfferedAt = Pick<Packages, 'daily' | 'kind' | 'destinations'> & {
  cost_micros: PackageOffers['cost_micros'] | null
}

/**
 * `placed_after`: real time of the first attempt, to compare with times of the provider's clock. `last_asked_at`: real
 * time of the last request that may have been applied.
 */
export type Placement = Omit<
  ProviderOrders,
  'order_id' | 'reason' | 'expected_cost_micros' | 'charged_micros' | 'confirmed_at' | 'return_asking_until'
> &
  OfferedAt

/** A placement as a provider knows it; without personal data. Deletion seals hold it in this form. */
export interface HeldPlacement {
  provider: EsimProviderId
  clientRef: string
  packageCode: string
  quantity: number
  /** only of packages sold by the day */
  days: number | null
  /** null: unknown outcome, the reply was lost */
  orderNo: string | null
  /** ISO 8601, real time: tests cannot skip it */
  placedAfter: string
  /** null before the eSIMs were allocated; without those that were returned already */
  esimRefs: string[] | null
  /** the eSIMs for whose return the provider was asked (activities/order/provider-returns.ts); missing: none */
  returnsAsked?: string[]
}

/** The eSIMs that the provider of a placement holds for an order. */
export const heldPlacement = (
  order: Pick<Orders, 'quantity' | 'days'>,
  placement: Pick<
    Placement,
    | 'provider'
    | 'client_ref'
    | 'provider_package_code'
    | 'provider_order_no'
    | 'placed_after'
    | 'daily'
    | 'returns_asked'
  >,
  esimRefs: string[] | null,
): HeldPlacement => ({
  provider: placement.provider,
  clientRef: placement.client_ref,
  packageCode: placement.provider_package_code,
  quantity: order.quantity,
  days: placement.daily ? order.days : null,
  orderNo: placement.provider_order_no,
  placedAfter: placement.placed_after.toISOString(),
  esimRefs,
  ...(placement.returns_asked.length > 0 && { returnsAsked: placement.returns_asked }),
})

/** The available offers for a package, in the order in which to ask their providers. */
export async function listOffers(sql: Queryable, packageCode: string): Promise<Offer[]> {
  return sql<Offer[]>`
    select o.provider, o.provider_package_code, o.cost_micros, p.daily, p.kind, p.destinations
    from package_offers o join packages p on p.code = o.package_code
    where o.package_code = ${packageCode} and o.available
    order by o.rank nulls last, o.cost_micros, o.provider`
}

/** The placements of an order, the oldest first. */
export async function listPlacements(sql: Queryable, orderId: string): Promise<Placement[]> {
  return sql<Placement[]>`
    select po.id, po.client_ref, po.provider, po.provider_package_code, po.provider_order_no, po.state, po.placed_after,
      po.last_asked_at, po.returns_asked, p.daily, p.kind, p.destinations, offer.cost_micros
    from provider_orders po join orders o on o.id = po.order_id join packages p on p.code = o.package_code
      left join package_offers offer on offer.package_code = p.code and offer.provider = po.provider
    where po.order_id = ${orderId} order by po.placed_after`
}

/**
 * Stores a placement before its provider is asked. Undefined when the order's eSIMs are being returned, or when the
 * answer to another placement is still open. The order keeps its status until the placement is stored: whoever moves it
 * to its refund finds the placement, and returns what it brings.
 */
export async function claimPlacement(
  sql: Queryable,
  orderId: string,
  offer: Offer,
  clientRef: string,
): Promise<Placement | undefined> {
  const [row] = await sql<Omit<Placement, keyof OfferedAt>[]>`
    insert into provider_orders
      (id, order_id, provider, provider_package_code, client_ref, state, placed_after, last_asked_at, expected_cost_micros)
    select ${randomUUID()}, id, ${offer.provider}, ${offer.provider_package_code}, ${clientRef}, 'placing', at, at,
      ${offer.cost_micros === null ? null : String(offer.cost_micros)}::bigint * quantity
    from orders, (select clock_timestamp() as at) moment where id = ${orderId} and status = 'provisioning'
    for share of orders
    on conflict do nothing
    returning id, client_ref, provider, provider_package_code, provider_order_no, state, placed_after, last_asked_at,
      returns_asked`
  const { daily, kind, destinations, cost_micros } = offer
  return row && { ...row, daily, kind, destinations, cost_micros }
}

/** Records what the eSIMs of a placement will cost, when it is another price than that of the offer. */
export async function expectCost(sql: Queryable, id: string, costMicros: number): Promise<void> {
  await sql`update provider_orders set expected_cost_micros = ${String(costMicros)}::bigint
    where id = ${id} and expected_cost_micros is distinct from ${String(costMicros)}::bigint`
}

/** Stores a placement that a restored database lacks: what a provider has, or may have. */
export async function insertLostPlacement(
  sql: Queryable,
  orderId: string,
  lost: {
    provider: EsimProviderId
    clientRef: string
    orderNo: string | null
    packageCode: string
    /** of one eSIM; null: not known, or the balance has fallen by it already */
    costMicros: PackageOffers['cost_micros'] | null
    placedAt: Date
  },
): Promise<Placement> {
  const id = randomUUID()
  await sql`insert into provider_orders
      (id, order_id, provider, provider_package_code, client_ref, provider_order_no, state, placed_after, last_asked_at,
       expected_cost_micros)
    select ${id}, id, ${lost.provider}, ${lost.packageCode}, ${lost.clientRef}, ${lost.orderNo},
      ${lost.orderNo === null ? 'placing' : 'placed'}, ${lost.placedAt}::timestamptz, ${lost.placedAt}::timestamptz,
      ${lost.costMicros === null ? null : String(lost.costMicros)}::bigint * quantity
    from orders where id = ${orderId}`
  const stored = (await listPlacements(sql, orderId)).find((placement) => placement.id === id)
  if (!stored) throw new Error('a placement has no package')
  return stored
}

/**
 * Deletes the requests that a dump holds open and that were certainly not applied: a provider is asked under another
 * reference, and a second provider is asked at all, only once that is certain.
 * @param clientRef the reference of the request that was made since
 */
export async function deleteSuperseded(sql: Queryable, orderId: string, clientRef: string): Promise<void> {
  await sql`delete from provider_orders
    where order_id = ${orderId} and state = 'placing' and client_ref <> ${clientRef}`
}

/** A request under a placement's reference, identified by its time; as text, since a Date has no microseconds. */
export interface Request {
  at: string
  before: string
}

/** Records a request before the provider is asked again. Undefined when the placement has another state by now. */
export async function noteRequest(sql: Queryable, id: string): Promise<Request | undefined> {
  const [row] = await sql<Request[]>`
    with earlier as (select id, last_asked_at from provider_orders where id = ${id} for update)
    update provider_orders po set last_asked_at = clock_timestamp() from earlier
    where po.id = earlier.id and po.state = 'placing'
    returning po.last_asked_at::text as at, earlier.last_asked_at::text as before`
  return row
}

/**
 * Whether the last request under a placement was made longer ago than a time, by the clock that has noted it: each
 * process has another one.
 */
export async function wasAskedBefore(sql: Queryable, id: string, ms: number): Promise<boolean> {
  const [row] = await sql<{ before: boolean }[]>`
    select last_asked_at < clock_timestamp() - ${ms} * interval '1 millisecond' as before from provider_orders
    where id = ${id}`
  return row?.before ?? false
}

/** Takes a request back that was certainly not applied, unless a later request was recorded. */
export async function takeBackRequest(sql: Queryable, id: string, request: Request): Promise<void> {
  await sql`update provider_orders set last_asked_at = ${request.before}::text::timestamptz
    where id = ${id} and state = 'placing' and last_asked_at = ${request.at}::text::timestamptz`
}

/**
 * Closes a placement of which no request was applied: as refused for good, or by deleting it, so that its provider may
 * be asked again under a new reference.
 * @param request the last request; undefined for the one that the claim recorded
 * @returns false when a later request was recorded, which may have been applied
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

/** Stores the provider's number of an applied order. @returns false when the order's eSIMs are to be returned */
export async function notePlaced(sql: Queryable, id: string, orderNo: string): Promise<boolean> {
  const [row] = await sql<Pick<ProviderOrders, 'state'>[]>`
    update provider_orders set provider_order_no = ${orderNo},
      state = case state when 'placing' then 'placed' else state end
    where id = ${id} returning state`
  return row?.state === 'placed'
}

/**
 * Records that the provider of a placement was asked for the return of some of its eSIMs, beside what others record
 * meanwhile.
 */
export async function noteReturnsAsked(sql: Queryable, id: string, marks: readonly string[]): Promise<void> {
  await sql`update provider_orders set returns_asked = returns_asked || ${[...marks]}::text[] where id = ${id}`
}

/**
 * Begins to ask the provider of a placement for the return of eSIMs, which one worker does at a time: two would make
 * two requests.
 * @param forMs after this time a worker that has not ended it counts as dead
 * @returns what was asked for by now, and until when this worker may ask, as text: a Date has no microseconds.
 * Undefined while another worker asks
 */
export async function beginAskingForReturn(
  sql: Queryable,
  id: string,
  forMs: number,
): Promise<{ asked: string[]; until: string } | undefined> {
  const [row] = await sql<(Pick<ProviderOrders, 'returns_asked'> & { until: string })[]>`
    update provider_orders set return_asking_until = clock_timestamp() + ${forMs} * interval '1 millisecond'
    where id = ${id} and (return_asking_until is null or return_asking_until < clock_timestamp())
    returning returns_asked, return_asking_until::text as until`
  return row && { asked: row.returns_asked, until: row.until }
}

/** Ends what `beginAskingForReturn` has begun, unless another worker has begun since. */
export async function endAskingForReturn(sql: Queryable, id: string, until: string): Promise<void> {
  await sql`update provider_orders set return_asking_until = null
    where id = ${id} and return_asking_until = ${until}::text::timestamptz`
}

/** Changes the state of a placement. @returns false when it has another state by now */
export async function movePlacement(
  sql: Queryable,
  id: string,
  from: Placement['state'][],
  change: Pick<ProviderOrders, 'state'> & Partial<Pick<ProviderOrders, 'reason' | 'provider_order_no'>>,
): Promise<boolean> {
  const moved = await sql`
    update provider_orders set ${sql(change)} where id = ${id} and state in ${sql(from)}`
  return moved.count > 0
}
