import type { Client } from '@temporalio/client'
import proto from '@temporalio/proto'

const { PendingActivityState } = proto.temporal.api.enums.v1

/**
 * Whether a run only waits for time: no worker has, or is about to get, a task of it. False for a run that cannot be
 * asked.
 */
export async function isWaiting({ workflow }: Client, workflowId: string): Promise<boolean> {
  const description = await workflow
    .getHandle(workflowId)
    .describe()
    .catch(() => undefined)
  if (!description) return false
  const { pendingActivities, pendingWorkflowTask } = description.raw
  return (
    !pendingWorkflowTask &&
    !pendingActivities?.some(({ attempt, scheduledTime, lastStartedTime, state }) => {
      const isUnderWay = state === PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
      return isUnderWay || ((attempt ?? 1) <= 1 && !lastStartedTime && scheduledTime)
    })
  )
}
