/** Reads our books about payments that Stripe lists. */

import { paymentKinds } from '../../policy/reconciliation.ts'
import { dayOf, plusDays } from '../../shared/calendar.ts'
import type { Queryable } from '../connection/database.ts'
import type { Attention, Disputes, Orders } from '../connection/schema.ts'
import { lastComparisons } from './reconciliations.ts'

type OrderColumns = Pick<
  Orders,
  'id' | 'payment_intent_id' | 'status' | 'currency' | 'paid_at' | 'deliver_by' | 'delivered_at'
>

export interface BookedOrder extends OrderColumns {
  invoice_minor: number | null
  invoice_currency: string | null
  credited_minor: number
  /** in the order facts */
  refunded_minor: number
  /** what the customer's bank has taken back by a dispute */
  taken_back_minor: number
  /** `releasing`: it is being returned to its provider */
  placement: 'held' | 'releasing' | 'none'
  /** our books have each eSIM that was bought, or that it has topped up */
  has_esims: boolean
  /** kinds of the open operator tasks about it */
  tasks: string[]
}

/** The orders of a page of payments, found by payment or by their own id. */
export async function findBookedOrders(
  sql: Queryable,
  page: { paymentIntentIds: readonly string[]; orderIds: readonly string[] },
): Promise<BookedOrder[]> {
  return sql<BookedOrder[]>`
    select o.id, o.payment_intent_id, o.status, o.currency, o.paid_at, o.deliver_by, o.delivered_at,
      documents.invoice_minor, documents.invoice_currency, coalesce(documents.credited_minor, 0) as credited_minor,
      coalesce(f.refunded_minor, 0) as refunded_minor,
      (select coalesce(sum(r.amount_minor), 0)::int from refunds r
        where r.order_id = o.id and r.reason = 'dispute_lost') as taken_back_minor,
      (select case when bool_or(p.state in ('placed', 'provided')) then 'held' when count(*) > 0 then 'releasing' else 'none' end
        from provider_orders p where p.order_id = o.id and p.state in ('placed', 'provided', 'releasing')) as placement,
      case when o.parent_order_id is null
        then (select count(*) from esims e where e.order_id = o.id) >= o.quantity
        else exists (select from esims e where e.id = o.esim_id) end as has_esims,
      array(select kind from attention a where a.subject_id = o.id::text and a.resolved_at is null) as tasks
    from orders o
    left join order_facts f on f.id = o.fact_id
    left join lateral (
      select (sum(i.gross_minor) filter (where i.kind = 'invoice'))::int as invoice_minor,
        min(i.currency) filter (where i.kind = 'invoice') as invoice_currency,
        (-sum(i.gross_minor) filter (where i.kind = 'credit_note'))::int as credited_minor
      from invoice_links l join invoices i on i.number = l.number where l.order_id = o.id) documents on true
    where o.id in (
      select id from orders where payment_intent_id = any(${[...page.paymentIntentIds]})
      union select id from orders where id = any(${[...page.orderIds]}::uuid[]))`
}

export interface OldPayment {
  orderId: string
  paymentIntentId: string
}

/**
 * A page of orders whose payment is older than the comparison reads, and that were credited since or differed the last
 * time.
 * @param page.after the last order of the page before
 */
export async function listOldPayments(
  sql: Queryable,
  page: { before: Date; reconciliationId: string; after: string | undefined; limit: number },
): Promise<OldPayment[]> {
  const rows = await sql<Pick<Orders, 'id' | 'payment_intent_id'>[]>`
    select o.id, o.payment_intent_id from orders o
    where o.created_at < ${page.before} and o.payment_intent_id is not null and o.id in (
      select l.order_id from invoices i join invoice_links l on l.number = i.number
        -- It may be a day earlier where the seller is.
        where i.issued_on >= ${dayOf(plusDays(page.before, -1))}::date and i.kind = 'credit_note'
      union select uuid_or_null(d.subject_id) from reconciliation_differences d
        where d.kind = any(${[...paymentKinds]}) and d.reconciliation_id in (${lastComparisons(sql, page.reconciliationId)}))
      ${page.after ? sql`and o.id > ${page.after}` : sql``}
    order by o.id limit ${page.limit}`
  return rows.flatMap(({ id, payment_intent_id: paymentIntentId }) =>
    paymentIntentId === null ? [] : { orderId: id, paymentIntentId },
  )
}

export interface PaidOrder {
  id: string
  /** null: our books name no payment */
  paymentIntentId: string | null
  paidAt: Date
}

/**
 * A page of the orders that were paid between two times by our books: they say so, or the order was delivered, or has an
 * invoice. @param page.after the last order of the page before
 */
export async function listPaidOrders(
  sql: Queryable,
  page: { from: Date; to: Date; after: string | undefined; limit: number },
): Promise<PaidOrder[]> {
  const rows = await sql<(Pick<Orders, 'id' | 'payment_intent_id'> & { at: Date })[]>`
    select id, payment_intent_id, coalesce(paid_at, delivered_at, created_at) as at from orders o
    where coalesce(paid_at, delivered_at, created_at) >= ${page.from}
      and coalesce(paid_at, delivered_at, created_at) < ${page.to}
      and (paid_at is not null or delivered_at is not null
        or exists (select from invoice_links l where l.order_id = o.id))
      ${page.after ? sql`and id > ${page.after}` : sql``}
    order by id limit ${page.limit}`
  return rows.map(({ id, payment_intent_id: paymentIntentId, at: paidAt }) => ({ id, paymentIntentId, paidAt }))
}

/** The disputes that are undecided by our books. */
export const listOpenDisputes = (sql: Queryable): Promise<Pick<Disputes, 'stripe_dispute_id' | 'order_id'>[]> =>
  sql<Pick<Disputes, 'stripe_dispute_id' | 'order_id'>[]>`
    select stripe_dispute_id, order_id from disputes where closed_at is null order by stripe_dispute_id`

/** Finds the disputes that we know, with their state in our books, and the orders of the payments. */
export async function findDisputed(
  sql: Queryable,
  page: { disputeIds: readonly string[]; paymentIntentIds: readonly string[] },
): Promise<{
  known: Map<string, { state: string; orderId: string }>
  orderOf: Map<string, string>
  withTask: Set<string>
}> {
  const ids = [...page.disputeIds]
  const known = await sql<Pick<Disputes, 'stripe_dispute_id' | 'state' | 'order_id'>[]>`
    select stripe_dispute_id, state, order_id from disputes where stripe_dispute_id = any(${ids})`
  const orders = await sql<Pick<Orders, 'id' | 'payment_intent_id'>[]>`
    select id, payment_intent_id from orders where payment_intent_id = any(${[...page.paymentIntentIds]})`
  const tasks = await sql<Pick<Attention, 'subject_id'>[]>`
    select subject_id from attention where kind = 'dispute_open' and subject_id = any(${ids}) and resolved_at is null`
  return {
    known: new Map(
      known.flatMap(({ stripe_dispute_id, state, order_id: orderId }) =>
        orderId === null ? [] : [[stripe_dispute_id, { state, orderId }] as const],
      ),
    ),
    orderOf: new Map(
      orders.flatMap(({ id, payment_intent_id }) =>
        payment_intent_id === null ? [] : [[payment_intent_id, id] as const],
      ),
    ),
    withTask: new Set(tasks.map(({ subject_id }) => subject_id)),
  }
}
