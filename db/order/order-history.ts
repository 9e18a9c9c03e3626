/**
 * Entries of an order's history that no other row shows. A trigger writes reviews:
 * db/migrations/0421-order-history.sql.
 */
import type { Queryable } from '../connection/database.ts'

/**
 * Notes once that something happened to an order, if there is one.
 * @param entry.source the event or warning at the payment processor, by which it is noted once
 */
export async function noteInHistory(
  sql: Queryable,
  entry: {
    orderId: string
    kind: 'payment_declined' | 'fraud_warning'
    source: string
    at: Date
    detail: string | null
  },
): Promise<void> {
  const { orderId, kind, source, at, detail } = entry
  await sql`
    insert into order_history (order_id, kind, source, at, detail)
    select id, ${kind}, ${source}, ${at}::timestamptz, ${detail} from orders where id = ${orderId} on conflict do nothing`
}

/** Dates the review of an order, which the database dates by its own clock: a restore writes it again later. */
export async function dateReview(sql: Queryable, orderId: string, at: Date): Promise<void> {
  await sql`update order_history set at = ${at} where order_id = ${orderId} and kind = 'review'`
}
