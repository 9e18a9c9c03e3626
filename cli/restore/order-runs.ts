/** Reads the runs of orders: they outlive the database. */
import type { Client } from '@temporalio/client'
import { milliseconds } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import { isKeyOf } from '../../shared/keys-of.ts'
import { searchAttributes } from '../../shared/search-attributes.ts'
import { closedRunsAreKeptMs } from '../../temporal/payload-keys.ts'
import {
  type OrderInput,
  type OrderStatus,
  orderStates,
  orderWorkflowId,
} from '../../workflows/order/order.contract.ts'
import { runInputs } from './history-forms.ts'
import { checkOrderActivities } from './orders/run-reports.ts'
import { HistoryUnreadable, hasCompleted, type RecordedActivity, readAs, readHistory } from './run-history.ts'

/** A run, as Temporal lists it. */
export interface ListedOrderRun {
  orderId: string
  runId: string
  isOpen: boolean
  /** the status that the run shows; undefined when it never showed one */
  status: OrderStatus | undefined
  startedAt: Date
}

/** A run with its history. */
export interface OrderRun extends ListedOrderRun {
  input: OrderInput
  /** in the order in which they were scheduled */
  activities: RecordedActivity[]
}

/**
 * The runs of orders that are open, or were started or closed since a time: the newest run of each order.
 * @throws when Temporal does not answer
 */
export async function listOrderRuns(client: Client, since: Date): Promise<ListedOrderRun[]> {
  const prefix = orderWorkflowId('')
  const newest = new Map<string, ListedOrderRun>()
  const query = `WorkflowType = 'order' AND ${openSince(since)}`
  for await (const { workflowId, runId, status, startTime, typedSearchAttributes } of client.workflow.list({ query })) {
    const orderId = workflowId.slice(prefix.length)
    const stage = typedSearchAttributes.get(searchAttributes.stage)
    const known = newest.get(orderId)
    if (known && known.startedAt >= startTime) continue
    newest.set(orderId, {
      orderId,
      runId,
      isOpen: status.name === 'RUNNING',
      status: stage !== undefined && isKeyOf(orderStates, stage) ? stage : undefined,
      startedAt: startTime,
    })
  }
  return [...newest.values()].sort((a, b) => a.startedAt.getTime() - b.startedAt.getTime())
}

/** Temporal deletes closed runs a little earlier or later than it says, and a restore takes a while. */
const forgetsEarlierMs = 6 * milliseconds.hour

/**
 * Since when Temporal remembers each run, open or closed: of an earlier time, a run that is missing may have been
 * there.
 */
export async function rememberedSince(client: Client, at: Date): Promise<Date> {
  return plusMs(at, forgetsEarlierMs - (await closedRunsAreKeptMs(client)))
}

/**
 * Whether a restore rebuilds something that belongs to one of these orders or payments. A first one rebuilds
 * everything, a retry what was left undecided.
 */
export type IsWanted = (...ids: readonly string[]) => boolean

/** The part of a query for the runs that have done something since a time, or may have. */
export function openSince(since: Date): string {
  const time = since.toISOString()
  return `(ExecutionStatus = 'Running' OR CloseTime >= '${time}' OR StartTime >= '${time}')`
}

/**
 * Reads a run's history. @returns undefined when Temporal has deleted the run after it was listed
 * @throws HistoryUnreadable; another error when Temporal does not answer
 */
export async function readOrderRun(client: Client, run: ListedOrderRun): Promise<OrderRun | undefined> {
  const history = await readHistory(client, { workflowId: orderWorkflowId(run.orderId), runId: run.runId })
  if (!history) return undefined
  const input = readAs(runInputs.order, history.input)
  // Another program has made it: it would change the rows of another order.
  if (input.orderId !== run.orderId) throw new HistoryUnreadable()
  checkOrderActivities(history.activities)
  return { ...run, input, activities: history.activities }
}

/** States of a run of which nobody has the eSIMs yet. */
const beforeDelivery: readonly (OrderStatus | undefined)[] = [
  undefined,
  'awaiting_payment',
  'in_review',
  'provisioning',
]

/** Whether a run has delivered its order, or may have. @param activities undefined: nobody can read them */
export const mayHaveDelivered = (
  { isOpen, status }: ListedOrderRun,
  activities: readonly RecordedActivity[] | undefined,
): boolean =>
  !isOpen ||
  !beforeDelivery.includes(status) ||
  (activities !== undefined && hasCompleted(activities, 'recordDelivery'))
