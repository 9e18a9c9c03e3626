/** What the runs of orders have done, read from their histories: it outlives the database. */
import type { Client } from '@temporalio/client'
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js'
import type { temporal as protocol } from '@temporalio/proto'
import { searchAttributes } from '../../shared/search-attributes.ts'
import { type OrderInput, type OrderStatus, orderWorkflowId } from '../../workflows/order/order.contract.ts'

/** A run, as Temporal lists it. */
export interface ListedOrderRun {
  orderId: string
  runId: string
  isOpen: boolean
  /** the status that the run shows; undefined when it never showed one */
  status: OrderStatus | undefined
  startedAt: Date
}

/** An activity that a run has scheduled. */
export interface RecordedActivity {
  type: string
  /** undefined for a local activity: histories hold only its result */
  input: Record<string, unknown> | undefined
  /** the time by which it decided */
  at: Date
  /** undefined while it has not completed */
  completed: { result: unknown } | undefined
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
  const time = since.toISOString()
  const prefix = orderWorkflowId('')
  const newest = new Map<string, ListedOrderRun>()
  const query = `WorkflowType = 'order' AND (ExecutionStatus = 'Running' OR CloseTime >= '${time}' OR StartTime >= '${time}')`
  for await (const { workflowId, runId, status, startTime, typedSearchAttributes } of client.workflow.list({ query })) {
    const orderId = workflowId.slice(prefix.length)
    const known = newest.get(orderId)
    if (known && known.startedAt >= startTime) continue
    newest.set(orderId, {
      orderId,
      runId,
      isOpen: status.name === 'RUNNING',
      status: typedSearchAttributes.get(searchAttributes.stage) as OrderStatus | undefined,
      startedAt: startTime,
    })
  }
  return [...newest.values()].sort((a, b) => a.startedAt.getTime() - b.startedAt.getTime())
}

/** Reads a run's history. @throws when Temporal does not answer or the run is gone */
export async function readOrderRun(client: Client, run: ListedOrderRun): Promise<OrderRun> {
  const handle = client.workflow.getHandle(orderWorkflowId(run.orderId), run.runId)
  const { events = [] } = await handle.fetchHistory()
  const decode = async (payloads: protocol.api.common.v1.IPayloads | null | undefined): Promise<unknown> =>
    (await decodeArrayFromPayloads(client.options.loadedDataConverter, payloads?.payloads ?? []))[0]
  const started = events?.[0]?.workflowExecutionStartedEventAttributes
  const activities: (RecordedActivity & { order: number })[] = []
  const scheduled = new Map<string, RecordedActivity>()
  for (const event of events ?? []) {
    const { activityTaskScheduledEventAttributes: begun, activityTaskCompletedEventAttributes: done } = event
    if (begun) {
      const input = (await decode(begun.input)) as RecordedActivity['input']
      const at = typeof input?.asOf === 'string' ? new Date(input.asOf) : dateOf(event.eventTime)
      const activity = { type: begun.activityType?.name ?? '', input, at, completed: undefined }
      activities.push({ ...activity, order: Number(begun.activityId) })
      scheduled.set(String(event.eventId), activities.at(-1) as RecordedActivity)
    }
    const ended = done && scheduled.get(String(done.scheduledEventId))
    if (ended) ended.completed = { result: await decode(done.result) }
    const marker = event.markerRecordedEventAttributes
    if (marker?.markerName !== 'core_local_activity' || marker.failure) continue
    const data = (await decode(marker.details?.data)) as LocalActivity
    activities.push({
      type: data.activity_type,
      input: undefined,
      at: dateOf(data.original_schedule_time ?? data.complete_time),
      completed: { result: await decode(marker.details?.result) },
      order: data.seq,
    })
  }
  return {
    ...run,
    input: (await decode(started?.input)) as OrderInput,
    activities: activities.sort((a, b) => a.order - b.order),
  }
}

/** What the SDK's core records of a local activity. */
interface LocalActivity {
  seq: number
  activity_type: string
  complete_time: Time
  original_schedule_time: Time | null
}

type Time = { seconds?: unknown; nanos?: number | null } | null | undefined

const dateOf = (time: Time): Date => new Date(Number(time?.seconds ?? 0) * 1000 + Math.floor((time?.nanos ?? 0) / 1e6))
