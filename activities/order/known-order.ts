import type { Queryable } from '../../db/connection/database.ts'
import { findOrder, type OrderRow } from '../../db/order/orders.ts'
import { failure } from '../../shared/failures.ts'

/** Finds the order's row. @throws OrderMissing when it was erased, which ends the order's run */
export async function knownOrder(sql: Queryable, orderId: string): Promise<OrderRow> {
  const order = await findOrder(sql, orderId)
  if (!order) throw failure('OrderMissing')
  return order
}

/**
 * Stripe's PaymentIntent id of an order.
 * @throws OrderStateConflict when the order has none, which only a fault can cause
 */
export function paymentIntentOf(order: Pick<OrderRow, 'payment_intent_id'>): string {
  if (!order.payment_intent_id) throw failure('OrderStateConflict', { code: 'order_without_payment' })
  return order.payment_intent_id
}
