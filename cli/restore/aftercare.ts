/** What the runs that look after closed orders have done: their refunds and credit notes are nowhere else. */
import type { Client } from '@temporalio/client'
import type { OrderRow } from '../../db/order/orders.ts'
import { orderAftercareWorkflowId } from '../../workflows/order/order.contract.ts'
import { atOnce } from './at-once.ts'
import type { IsolateFailure } from './failure-isolation.ts'
import { type OrderRun, openSince } from './order-runs.ts'
import { HistoryUnreadable, inputOf, type RecordedActivity, readHistory } from './run-history.ts'

export interface Aftercare {
  /** by order, the oldest first */
  activities: Map<string, RecordedActivity[]>
  /** the orders of runs that nobody can read */
  unreadable: string[]
}

/** The aftercare that has done something since a time, or is open. An order may have had several runs of it. */
export async function listAftercare(
  client: Client,
  { since, isolate }: { since: Date; isolate: IsolateFailure },
): Promise<Aftercare> {
  const prefix = orderAftercareWorkflowId('')
  const query = `WorkflowType = 'orderAftercare' AND ${openSince(since)}`
  const listed: { workflowId: string; runId: string; orderId: string; startTime: Date }[] = []
  for await (const { workflowId, runId, startTime } of client.workflow.list({ query }))
    listed.push({ workflowId, runId, orderId: workflowId.slice(prefix.length), startTime })
  listed.sort((a, b) => a.startTime.getTime() - b.startTime.getTime())
  const read = await atOnce(listed, (run) =>
    isolate({ kind: 'order', subjectId: run.orderId }, async () => {
      const history = await readHistory(client, run)
      if (history && inputOf<{ orderId: string }>(history, 'orderId').orderId !== run.orderId)
        throw new HistoryUnreadable()
      return history?.activities ?? []
    }),
  )
  const found: Aftercare = { activities: new Map(), unreadable: [] }
  for (const [index, { orderId }] of listed.entries()) {
    const activities = read[index]
    if (activities) found.activities.set(orderId, [...(found.activities.get(orderId) ?? []), ...activities])
    else found.unreadable.push(orderId)
  }
  return found
}

/** The run of an order whose own run was closed before the dump, as far as a restore needs it. */
export const closedRunOf = (order: OrderRow): OrderRun => ({
  orderId: order.id,
  runId: '',
  isOpen: false,
  status: order.status,
  startedAt: order.created_at,
  input: {
    orderId: order.id,
    accountId: order.account_id,
    parentOrderId: order.parent_order_id,
    esimId: order.esim_id,
    packageCode: order.package_code,
    quantity: order.quantity,
    savedCards: false,
    measurement: { adUserData: order.ad_user_data, adPersonalization: order.ad_personalization },
  },
  activities: [],
})
