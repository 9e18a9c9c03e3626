import type { Queryable } from '../connection/database.ts'
import type { Refunds } from '../connection/schema.ts'

export type RefundRow = Pick<Refunds, 'refund_key' | 'stripe_refund_id' | 'amount_minor' | 'state' | 'reason'>

/** The refunds of an order, the oldest first. */
export async function listRefunds(sql: Queryable, orderId: string): Promise<RefundRow[]> {
  return sql<RefundRow[]>`
    select refund_key, stripe_refund_id, amount_minor, state, reason from refunds
    where order_id = ${orderId} order by created_at, refund_key`
}

export async function upsertRefund(
  sql: Queryable,
  refund: {
    orderId: string
    refundKey: string
    stripeRefundId: string | null
    amountMinor: number
    state: string
    reason: string
    at: Date
  },
): Promise<void> {
  await sql`insert into refunds (order_id, refund_key, stripe_refund_id, amount_minor, state, reason, created_at)
    values (${refund.orderId}, ${refund.refundKey}, ${refund.stripeRefundId}, ${refund.amountMinor}, ${refund.state},
      ${refund.reason}, ${refund.at})
    on conflict (order_id, refund_key) do update
      set state = excluded.state, stripe_refund_id = excluded.stripe_refund_id`
}
