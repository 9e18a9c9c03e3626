/** Decides whether a payment pays for an order. */
import type { Queryable } from '../../../db/connection/database.ts'
import { raiseOperatorTask } from '../../../db/operator-tasks.ts'
import { moveOrder, type OrderRow } from '../../../db/order/orders.ts'
import type { Payment } from '../../../providers/stripe/payments.ts'

/** Reason of an order that was closed because its payment was not accepted. */
export const notAccepted = 'payment_not_accepted'

/** How far Stripe's clock and ours may differ: the default tolerance of Stripe's webhook signatures. */
const clocksDifferMs = 5 * 60_000

export type Objection = 'of_another_order' | 'older_than_order' | 'refunded' | 'disputed'

/** Returns why the payment does not pay for the order, or undefined when it does. */
export function objectionTo(
  payment: Pick<Payment, 'orderId' | 'createdAt' | 'refundedMinor' | 'disputed'>,
  order: Pick<OrderRow, 'id' | 'created_at'>,
): Objection | undefined {
  if (payment.orderId !== order.id) return 'of_another_order'
  if (Date.parse(payment.createdAt) < order.created_at.getTime() - clocksDifferMs) return 'older_than_order'
  if (payment.refundedMinor > 0) return 'refunded'
  if (payment.disputed) return 'disputed'
  return undefined
}

/** Closes the order without a refund, because the payment may be another order's. An operator decides. */
export async function refusePayment(sql: Queryable, order: OrderRow, objection: Objection, at: Date): Promise<void> {
  await raiseOperatorTask(sql, { kind: notAccepted, subjectId: order.id, detail: objection, at })
  const refused = { reason: notAccepted, ended_at: at }
  await moveOrder(sql, order.id, ['awaiting_payment'], { ...refused, status: 'cancelled' })
  // The order was closed before: its customer knows.
  for (const status of ['cancelled', 'unpaid'] as const)
    await moveOrder(sql, order.id, [status], { ...refused, status })
}
