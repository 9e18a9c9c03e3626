/**
 * U2, paid means delivered or refunded, and U3, package updates are sent: the run of a delivered order follows its
 * eSIMs. Nobody else notices that data runs out, or that their provider has ended them unused.
 */
import type { WorkerContext } from '../../context.ts'
import { findOrder, runInputOf } from '../../db/order/orders.ts'
import { createOrderSignals } from '../../temporal/order-signals.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'

/**
 * Starts the run of a delivered order once more, unless the order has ended. It finds the payment and the eSIMs that
 * are recorded; what was sent is not sent again.
 * @returns false for another order, and while its aftercare works on it
 */
export async function followAgain(context: WorkerContext, workflowId: string): Promise<boolean> {
  const { sql, cipher } = context
  const order = await findOrder(sql, workflowId.slice(orderWorkflowId('').length))
  if (order?.status !== 'delivered' || order.ended_at || order.parent_order_id) return false
  return createOrderSignals(context).beginAgain(runInputOf(order), cipher.accountRef(order.account_id))
}
