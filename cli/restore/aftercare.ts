/** Reads the runs that look after closed orders: their refunds and credit notes are nowhere else. */
import type { Client } from '@temporalio/client'
import { type OrderRow, orderedOf } from '../../db/order/orders.ts'
import { orderAftercareWorkflowId } from '../../workflows/order/order.contract.ts'
import type { IsolateFailure } from './failure-isolation.ts'
import { runInputs } from './history-forms.ts'
import { type IsWanted, type OrderRun, openSince } from './order-runs.ts'
import { checkOrderActivities } from './orders/run-reports.ts'
import { HistoryUnreadable, listHistories, type RecordedActivity, readAs } from './run-history.ts'

export interface Aftercare {
  /** by order, the oldest first */
  activities: Map<string, RecordedActivity[]>
  /** the orders of runs that nobody can read */
  unreadable: string[]
}

/** The aftercare that has done something since a time, or is open. An order may have had several runs of it. */
export async function listAftercare(
  client: Client,
  { since, isolate, isWanted }: { since: Date; isolate: IsolateFailure; isWanted: IsWanted },
): Promise<Aftercare> {
  const prefix = orderAftercareWorkflowId('')
  const orderOf = (workflowId: string): string => workflowId.slice(prefix.length)
  const query = `WorkflowType = 'orderAftercare' AND ${openSince(since)}`
  const histories = await listHistories(client, query, {
    isolate,
    isWanted: (workflowId) => isWanted(orderOf(workflowId)),
    subjectOf: (workflowId) => ({ kind: 'order', subjectId: orderOf(workflowId) }),
    read(history, workflowId) {
      if (!history) return []
      if (readAs(runInputs.orderAftercare, history.input).orderId !== orderOf(workflowId)) throw new HistoryUnreadable()
      checkOrderActivities(history.activities)
      return history.activities
    },
  })
  const aftercare: Aftercare = { activities: new Map(), unreadable: [] }
  for (const { workflowId, found } of histories) {
    const orderId = orderOf(workflowId)
    const known = aftercare.activities.get(orderId) ?? []
    if (found) aftercare.activities.set(orderId, [...known, ...found.result])
    else aftercare.unreadable.push(orderId)
  }
  return aftercare
}

/** The run of an order whose own run was closed before the dump, as far as a restore needs it. */
export const closedRunOf = (order: OrderRow): OrderRun => ({
  orderId: order.id,
  runId: '',
  isOpen: false,
  status: order.status,
  startedAt: order.created_at,
  input: {
    ...orderedOf(order),
    savedCards: false,
  },
  activities: [],
})
