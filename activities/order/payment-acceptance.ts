/** Which payments an order takes for its own: what was paid for something else, or has gone back, buys nothing. */
import type { OrderRow } from '../../db/order/orders.ts'
import type { Payment } from '../../providers/stripe/payments.ts'

/** The reason that an order is closed with when its payment is not accepted. */
export const notAccepted = 'payment_not_accepted'

/** How far Stripe's clock and ours may differ: as much as Stripe itself allows where it compares the two. */
const clocksDifferMs = 5 * 60_000

export type Objection = 'of_another_order' | 'older_than_order' | 'refunded' | 'disputed'

/** Why the order must not take the payment for its own; undefined when nothing speaks against it. */
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
