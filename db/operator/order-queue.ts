/** The orders that wait for something, by what they wait for. */
import type { OrderStatus } from '../../workflows/order/order.contract.ts'
import type { Fragment, Queryable } from '../connection/database.ts'
import type { OrderRow } from '../order/orders.ts'

/** The states in which an operator has to act or a customer waits, the most urgent first. */
export const waitingStates = [
  'refund_failed',
  'in_review',
  'provisioning',
  'refunding',
  'awaiting_payment',
] as const satisfies readonly OrderStatus[]
export type WaitingState = (typeof waitingStates)[number]

export interface StateCount {
  status: WaitingState
  count: number
  /** since the payment or, before it, the order */
  oldest: Date
}

/** A part of the orders that wait; what is undefined does not limit it. */
export interface QueueFilter {
  /** that was asked for the eSIM */
  provider?: string | undefined
  /** ISO 4217, upper case */
  currency?: string | undefined
  /** of the card */
  country?: string | undefined
  /** they have waited since then or longer */
  waitsSince?: Date | undefined
}

const within = (sql: Queryable, { provider, currency, country, waitsSince }: QueueFilter): Fragment => sql`
  ${provider === undefined ? sql`` : sql`and exists (select from provider_orders p where p.order_id = orders.id and p.provider = ${provider})`}
  ${currency === undefined ? sql`` : sql`and currency = ${currency}`}
  ${country === undefined ? sql`` : sql`and card_country = ${country}`}
  ${waitsSince === undefined ? sql`` : sql`and coalesce(paid_at, created_at) <= ${waitsSince}`}`

/** How many orders wait in each state; a state without orders is missing. */
export async function countWaitingOrders(sql: Queryable, filter: QueueFilter = {}): Promise<StateCount[]> {
  const rows = await sql<(Pick<OrderRow, 'status'> & Omit<StateCount, 'status'>)[]>`
    select status, count(*)::int as count, min(coalesce(paid_at, created_at)) as oldest from orders
    where ended_at is null and status = any(${[...waitingStates]}) ${within(sql, filter)} group by status`
  return waitingStates.flatMap((status) => {
    const row = rows.find((each) => each.status === status)
    return row ? { ...row, status } : []
  })
}

/** The sort keys of an order in its queue. */
export type QueuePosition = readonly [since: string, id: string]
/** Where an order is in the list of those that wait. */
export const queuePositionOf = (order: OrderRow): QueuePosition => [
  (order.paid_at ?? order.created_at).toISOString(),
  order.id,
]

/** A page of the orders of one state, those that wait longest first. */
export async function listWaitingOrders(
  sql: Queryable,
  page: { status: WaitingState; after: QueuePosition | undefined; limit: number; filter?: QueueFilter },
): Promise<OrderRow[]> {
  const { status, after, limit, filter = {} } = page
  // The cursor has milliseconds, the database has microseconds.
  const since = sql`date_trunc('milliseconds', coalesce(paid_at, created_at))`
  return sql<OrderRow[]>`
    select * from orders where ended_at is null and status = ${status} ${within(sql, filter)}
      ${after ? sql`and (${since}, id) > (${after[0]}::timestamptz, ${after[1]}::uuid)` : sql``}
    order by ${since}, id limit ${limit}`
}
