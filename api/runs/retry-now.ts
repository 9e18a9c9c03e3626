/** Repeats at once what a run would repeat later. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client'

/**
 * Starts the waiting attempts of a run's activities now.
 * @returns how many; 0 also for a run that has closed or never was
 */
export async function retryNow(temporal: Client, workflowId: string): Promise<number> {
  const { namespace } = temporal.options
  const run = await temporal.workflow
    .getHandle(workflowId)
    .describe()
    .catch((error: unknown) => {
      if (error instanceof WorkflowNotFoundError) return undefined
      throw error
    })
  if (run?.status.name !== 'RUNNING') return 0
  const waiting = (run.raw.pendingActivities ?? []).flatMap(({ activityId, nextAttemptScheduleTime }) =>
    activityId && nextAttemptScheduleTime ? [activityId] : [],
  )
  for (const id of waiting) {
    await temporal.workflowService.resetActivity({
      namespace,
      execution: { workflowId, runId: run.runId },
      identity: temporal.options.identity,
      id,
    })
  }
  return waiting.length
}
