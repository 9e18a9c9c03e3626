import type { Queryable } from '../../db/connection/database.ts'
import { findOrder, type OrderRow } from '../../db/order/orders.ts'
import { failure } from '../../shared/failures.ts'

/** The order's row. @throws OrderMissing when it was erased: its run has nothing left to do */
export async function knownOrder(sql: Queryable, orderId: string): Promise<OrderRow> {
  const order = await findOrder(sql, orderId)
  if (!order) throw failure('OrderMissing')
  return order
}

/** The processor's id of the order's payment, which every order has from its checkout on. */
export function paymentIntentOf(order: OrderRow): string {
  if (!order.payment_intent_id) throw failure('OrderStateConflict', { code: 'order_without_payment' })
  return order.payment_intent_id
}
