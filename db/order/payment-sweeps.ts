/** Rows that the hourly payment sweep reads and writes. */
import type { AttentionKind } from '../../workflows/order/order.contract.ts'
import type { Fragment, Queryable } from '../connection/database.ts'
import type { Orders, PaymentSweeps } from '../connection/schema.ts'
import { inHourOfDay, refundFailed } from './refunds.ts'

export const paymentSweepParts = ['events', 'orders', 'unknown_payments'] as const
export type PaymentSweepPart = (typeof paymentSweepParts)[number]

/** Until when a part has read; undefined before its first time. */
export async function findReadUntil(sql: Queryable, part: PaymentSweepPart): Promise<Date | undefined> {
  const [row] = await sql<
    Pick<PaymentSweeps, 'read_until'>[]
  >`select read_until from payment_sweeps where part = ${part}`
  return row?.read_until
}

/** Records until when a part of the payment sweep has read, so that the next one goes on there. */
export async function recordSweep(
  sql: Queryable,
  sweep: { part: PaymentSweepPart; readUntil: Date; at: Date },
): Promise<void> {
  await sql`insert into payment_sweeps (part, read_until, done_at) values (${sweep.part}, ${sweep.readUntil}, ${sweep.at})
    on conflict (part) do update set read_until = excluded.read_until, done_at = excluded.done_at`
}

export interface UnsettledOrder extends Pick<Orders, 'id' | 'status' | 'reason'> {
  createdAt: Date
}

const unreturned = 'provider_order_unreturned' satisfies AttentionKind

/**
 * Whether providers hold, or may hold, something of a refunded order `o`, and operators were not told so. A delivered
 * one that was returned keeps the state of its placement where no run was left that gave it back.
 */
const mayBeHeld = (sql: Queryable): Fragment => sql`(
  exists (
    select from provider_orders p where p.order_id = o.id and (p.state in ('placing', 'placed', 'releasing')
      or (p.state = 'provided' and (o.delivered_at is null or exists (
        select from esims e where e.order_id = o.id and e.state not in ('cancelled', 'expired'))))))
  and not exists (select from attention t where t.kind = ${unreturned} and t.subject_id = o.id::text))`

/** Whether providers hold something of a refunded order, or may hold it, which no operator knows. */
export async function isHeldAtProvider(sql: Queryable, orderId: string): Promise<boolean> {
  const rows = await sql`select from orders o where id = ${orderId} and status = 'refunded' and ${mayBeHeld(sql)}`
  return rows.length > 0
}

/**
 * A page of orders that are not delivered, refunded or closed, the oldest first, after the given one. An order whose
 * refund has failed, and was paid back another way as an operator says, is none of them. A refunded one of which
 * providers still hold something is: its run goes on to return it, unless it was ended.
 * @param dueBefore orders that wait for their payment count when it was due before this time
 * @param refundedBefore refunded orders count when their refund was requested before this time and has not settled:
 *   each in one hour of a day, as nothing is known but that the bank is late
 */
export async function listUnsettledOrders(
  sql: Queryable,
  page: {
    at: Date
    dueBefore: Date
    refundedBefore: Date
    after: Pick<UnsettledOrder, 'id' | 'createdAt'> | undefined
    limit: number
  },
): Promise<UnsettledOrder[]> {
  const { at, dueBefore, refundedBefore, after, limit } = page
  const rows = await sql<Pick<Orders, 'id' | 'created_at' | 'status' | 'reason'>[]>`
    select id, created_at, status, reason from orders o
    where ended_at is null and (
      (status = 'awaiting_payment' and payment_due_at < ${dueBefore})
      or status in ('in_review', 'provisioning', 'refunding')
      or (status = 'refund_failed' and not exists (
        select from attention t where t.kind = ${refundFailed} and t.subject_id = o.id::text
          and t.resolved_by like 'operator:%'))
      or (status = 'refunded' and ${mayBeHeld(sql)})
      or (status = 'refunded' and (
        select coalesce(max(r.created_at) < ${refundedBefore}, true)
          and ${inHourOfDay(sql, sql`coalesce(max(r.created_at), o.created_at)`, at)}
        from refunds r where r.order_id = o.id)))
      ${after ? sql`and (created_at, id) > (${after.createdAt}, ${after.id})` : sql``}
    order by created_at, id limit ${limit}`
  return rows.map(({ created_at: createdAt, ...row }) => ({ ...row, createdAt }))
}
