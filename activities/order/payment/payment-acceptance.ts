/** Decides whether a payment pays for an order. */
import type { OrderRow } from '../../../db/order/orders.ts'
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
