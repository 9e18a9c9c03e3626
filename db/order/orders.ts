/**
 * C3, we keep what was bought: the orders of customers, which an erasure deletes. db/order/books.ts has what the books
 * keep.
 */
import type { OrderStatus } from '../../workflows/order/order.contract.ts'
import type { Queryable, Transaction } from '../connection/database.ts'
import type { Orders } from '../connection/schema.ts'
import type { ColumnEncryption } from '../crypto/column-encryption.ts'

export type OrderRow = Orders

/** Paid, and neither delivered nor refunded: the customer has neither eSIM nor money. */
export const paidWithoutOutcome: readonly OrderStatus[] = ['in_review', 'provisioning', 'refunding', 'refund_failed']

/** The customer and the purchase, as the input of an order's run has them. */
export const orderedOf = (order: OrderRow) => ({
  orderId: order.id,
  accountId: order.account_id,
  parentOrderId: order.parent_order_id,
  esimId: order.esim_id,
  packageCode: order.package_code,
  quantity: order.quantity,
  measurement: { adUserData: order.ad_user_data, adPersonalization: order.ad_personalization },
})

/**
 * The input of an order's run that is started once more. What only the opening of a checkout needs is the same for all.
 */
export function runInputOf(order: OrderRow) {
  const { performance_consent: version, performance_consent_at: at } = order
  return {
    ...orderedOf(order),
    performanceConsent: version !== null && at ? { version, at: at.toISOString() } : undefined,
    ipCountry: order.ip_country ?? undefined,
    orderedAt: order.created_at.toISOString(),
    savedCards: false,
    hosted: order.checkout_session_id !== null,
  }
}

/** The order, or undefined when it is missing or erased. */
export async function findOrder(sql: Queryable, orderId: string): Promise<OrderRow | undefined> {
  const [row] = await sql<OrderRow[]>`select * from orders where id = ${orderId}`
  return row
}

/** The orders that have one of the given statuses, the oldest first. */
export const listOrdersWith = (sql: Queryable, statuses: readonly OrderStatus[]): Promise<OrderRow[]> =>
  sql<OrderRow[]>`select * from orders where status in ${sql(statuses)} order by created_at, id`

/** Locks an order's row until the transaction ends. Undefined when the order is missing or erased. */
export async function lockOrder(tx: Transaction, orderId: string): Promise<OrderRow | undefined> {
  const [row] = await tx<OrderRow[]>`select * from orders where id = ${orderId} for update`
  return row
}

export type NewOrder = Omit<
  Orders,
  | 'request_hash'
  | 'status'
  | 'reason'
  | 'payment_kind'
  | 'card_country'
  | 'install_token'
  | 'install_token_index'
  | 'fact_id'
  | 'paid_at'
  | 'deliver_by'
  | 'delivered_at'
  | 'ended_at'
>

/** Stores an order. An order that exists already stays as it is. */
export async function insertOrder(sql: Queryable, order: NewOrder): Promise<void> {
  await sql`insert into orders ${sql({ ...order, status: 'awaiting_payment' } satisfies Partial<Orders>)} on conflict (id) do nothing`
}

/** Changes an order that has one of the given statuses. @returns false when it has another one */
export async function moveOrder(
  sql: Queryable,
  orderId: string,
  from: readonly OrderStatus[],
  change: Partial<Omit<OrderRow, 'id' | 'account_id'>> & { status: OrderStatus },
): Promise<boolean> {
  const rows = await sql`
    update orders set ${sql(change)} where id = ${orderId} and status in ${sql(from)} returning id`
  return rows.length > 0
}

/**
 * U5, fraud is prevented: the paid orders of an account since a time, by which the review recognises unusual frequency.
 */
export async function paidSince(
  sql: Queryable,
  accountId: string,
  since: Date,
): Promise<{ orders: number; grossMinor: number }> {
  const [row] = await sql<{ orders: number; gross: number }[]>`
    select count(*)::int as orders, coalesce(sum(gross_minor), 0)::float8 as gross
    from orders where account_id = ${accountId} and paid_at > ${since}`
  return { orders: row?.orders ?? 0, grossMinor: row?.gross ?? 0 }
}

/** U5, fraud is prevented: the orders in review that end first without a decision, and how many there are. */
export async function listOrdersInReview(
  sql: Queryable,
  limit: number,
): Promise<{ orders: OrderRow[]; count: number }> {
  const orders = await sql<OrderRow[]>`
    select * from orders where status = 'in_review' order by paid_at nulls first, id limit ${limit}`
  const [row] = await sql<{ count: number }[]>`select count(*)::int as count from orders where status = 'in_review'`
  return { orders, count: row?.count ?? 0 }
}

/** Whether a top-up of an eSIM of this order was paid. */
export async function hasPaidTopUps(sql: Queryable, orderId: string): Promise<boolean> {
  const rows = await sql`
    select 1 from orders where parent_order_id = ${orderId} and paid_at is not null
      and status in ('in_review', 'provisioning', 'delivered', 'ended') limit 1`
  return rows.length > 0
}

/** Delivered top-ups of the eSIMs of an order, the oldest first. */
export const listDeliveredTopUps = (sql: Queryable, orderId: string): Promise<Pick<Orders, 'id' | 'esim_id'>[]> =>
  sql<Pick<Orders, 'id' | 'esim_id'>[]>`
    select id, esim_id from orders where parent_order_id = ${orderId} and status = 'delivered' order by created_at, id`

/** The ids of an order's top-ups, the oldest first. */
export async function listTopUps(sql: Queryable, orderId: string): Promise<string[]> {
  const rows = await sql<Pick<Orders, 'id'>[]>`
    select id from orders where parent_order_id = ${orderId} order by created_at, id`
  return rows.map(({ id }) => id)
}

/** A page of orders, the newest first, after the given position. */
export async function listOrders(
  sql: Queryable,
  page: {
    accountId: string | undefined
    status: OrderStatus | undefined
    after: [createdAt: string, id: string] | undefined
    limit: number
  },
): Promise<OrderRow[]> {
  const { accountId, status, after, limit } = page
  return sql<OrderRow[]>`
    select * from orders where true
      ${accountId === undefined ? sql`` : sql`and account_id = ${accountId}`}
      ${status === undefined ? sql`` : sql`and status = ${status}`}
      ${after === undefined ? sql`` : sql`and (created_at, id) < (${after[0]}, ${after[1]})`}
    order by created_at desc, id desc limit ${limit}`
}

/** Keeps the payment that was made on Stripe's page for an order. */
export async function recordPaymentOf(sql: Queryable, orderId: string, paymentIntentId: string): Promise<void> {
  await sql`update orders set payment_intent_id = ${paymentIntentId} where id = ${orderId} and payment_intent_id is null`
}

/**
 * Whether a payment is the order's own. One that is made on Stripe's page is not known before the order's run has read
 * the page.
 */
export const hasPayment = (
  order: Pick<Orders, 'payment_intent_id' | 'checkout_session_id'>,
  paymentIntentId: string | undefined,
): boolean =>
  order.payment_intent_id === null ? order.checkout_session_id !== null : order.payment_intent_id === paymentIntentId

/** The id of the order that a payment is the own one of. */
export async function findOrderOfPayment(sql: Queryable, paymentIntentId: string): Promise<string | undefined> {
  const [row] = await sql<Pick<Orders, 'id'>[]>`select id from orders where payment_intent_id = ${paymentIntentId}`
  return row?.id
}

/**
 * The order that an event of Stripe is about, by the event's payment. The event's metadata can be edited in Stripe's
 * dashboard, and only finds the order of a payment on Stripe's page that is not recorded yet, which no bank disputes.
 */
export async function findOrderOfEvent(
  sql: Queryable,
  { paymentIntentId, orderId }: { paymentIntentId?: string; orderId?: string },
  isAboutDispute: boolean,
): Promise<string | undefined> {
  const ofPayment = paymentIntentId && (await findOrderOfPayment(sql, paymentIntentId))
  return ofPayment || (isAboutDispute ? undefined : orderId)
}

/** The order of an install page's token. */
export async function findOrderByInstallToken(
  sql: Queryable,
  encryption: ColumnEncryption,
  token: string,
): Promise<OrderRow | undefined> {
  const [row] = await sql<OrderRow[]>`
    select * from orders where install_token_index = ${encryption.cipher.blindIndex('orders.install_token', token)}`
  return row
}
