/** Resets runs as an operator does in Temporal's Web UI (docs/runbooks/why-is-a-run-wedged.md). */
import { randomUUID } from 'node:crypto'
import type { Client } from '@temporalio/client'
import proto from '@temporalio/proto'
import type { History } from './histories.ts'

const { RESET_REAPPLY_TYPE_ALL_ELIGIBLE, RESET_REAPPLY_TYPE_NONE } = proto.temporal.api.enums.v1.ResetReapplyType

type EventId = NonNullable<NonNullable<History['events']>[number]['eventId']>

/** A run, and the workflow tasks by which it can be reset, the oldest first. */
export interface Resettable {
  workflowId: string
  runId: string
  taskIds: EventId[]
  /** to which the runbook resets */
  lastTaskId: EventId
}

/** The newest run of an id. */
export async function resettable(client: Client, workflowId: string): Promise<Resettable> {
  const { runId } = await client.workflow.getHandle(workflowId).describe()
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory()
  const taskIds = (events ?? []).flatMap(({ eventId, workflowTaskCompletedEventAttributes: completed }) =>
    completed && eventId ? [eventId] : [],
  )
  const lastTaskId = taskIds.at(-1)
  if (lastTaskId === undefined) throw new Error(`${workflowId} has no completed workflow task`)
  return { workflowId, runId, taskIds, lastTaskId }
}

/**
 * Resets a run: another one goes on from before a workflow task, and the open one of its id is terminated.
 * @param messages whether it gets the signals and updates again that came later
 */
export async function resetRun(
  client: Client,
  { workflowId, runId }: Pick<Resettable, 'workflowId' | 'runId'>,
  { taskId, messages }: { taskId: EventId; messages: boolean },
): Promise<void> {
  await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId, runId },
    workflowTaskFinishEventId: taskId,
    requestId: randomUUID(),
    reason: 'reset by hand',
    resetReapplyType: messages ? RESET_REAPPLY_TYPE_ALL_ELIGIBLE : RESET_REAPPLY_TYPE_NONE,
  })
}
