/**
 * U2, paid means delivered or refunded, and U3, package updates are sent: the run of a delivered order follows its
 * eSIMs. Nobody else notices that data runs out, or that their provider has ended them unused.
 */
import { heartbeat } from '@temporalio/activity'
import type { WorkerContext } from '../../context.ts'
import { restoreUndecided } from '../../db/backup/restores.ts'
import { type FollowedOrder, listFollowedOrders } from '../../db/operation/rows-with-runs.ts'
import { listSubjectsOfTasks } from '../../db/operator-tasks.ts'
import { findOrder, runInputOf } from '../../db/order/orders.ts'
import { createOrderSignals } from '../../temporal/order-signals.ts'
import { isLost } from '../../temporal/runs.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { listedAsOpen } from '../erasure/listed-runs.ts'

const pageSize = 200

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

/**
 * Compares all delivered orders with Temporal, and has those followed whose run is gone: the sweep of lost runs sees
 * none that was deleted, or that Temporal keeps no longer. There are many, so that only those are asked about of which
 * Temporal lists no open run. @returns how many
 */
export async function followAllWithoutRun(context: WorkerContext): Promise<number> {
  const { sql, temporal } = context
  const undecided = new Set(await listSubjectsOfTasks(sql, restoreUndecided))
  let followed = 0
  for (let after: FollowedOrder | undefined; ; ) {
    const page = await listFollowedOrders(sql, { after, limit: pageSize })
    const workflowIds = page.map(({ id }) => orderWorkflowId(id))
    const open = await listedAsOpen(temporal, workflowIds, heartbeat)
    for (const { id } of page) {
      heartbeat()
      const workflowId = orderWorkflowId(id)
      if (open.has(workflowId) || undecided.has(id)) continue
      if ((await isLost(temporal, workflowId)) && (await followAgain(context, workflowId))) followed += 1
    }
    after = page.at(-1)
    if (page.length < pageSize) return followed
  }
}
