/**
 * U2, paid means delivered or refunded, and U3, package updates are sent: the run of a delivered order follows its
 * eSIMs. Nobody else notices that data runs out, or that their provider has ended them unused.
 */
import type { WorkerContext } from '../../context.ts'
import { findOrder, runInputOf } from '../../db/order/orders.ts'
import { createOrderSignals, orderStart } from '../../temporal/order-signals.ts'
import { isOpen, startUnlessOpen } from '../../temporal/runs.ts'
import { orderAftercareWorkflowId, orderWorkflowId } from '../../workflows/order/order.contract.ts'

/**
 * Starts the run of a delivered order once more, unless the order has ended. It finds the payment and the eSIMs that
 * are recorded; what was sent is not sent again.
 * @returns false for another order, and while its aftercare works on it: that may be returning the eSIMs
 */
export async function followAgain(context: WorkerContext, workflowId: string): Promise<boolean> {
  const { sql, temporal, cipher, config } = context
  const order = await findOrder(sql, workflowId.slice(orderWorkflowId('').length))
  if (order?.status !== 'delivered' || order.ended_at || order.parent_order_id) return false
  if (await isOpen(temporal, orderAftercareWorkflowId(order.id))) return false
  await startUnlessOpen(temporal, orderStart(config, runInputOf(order), cipher.accountRef(order.account_id)))
  // It looks the payment up at once.
  await createOrderSignals(context).payment(order.id)
  return true
}
