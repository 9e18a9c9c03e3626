/**
 * A workflow task whose time is over is tried again with what has come meanwhile. A worker that still waits for a local
 * activity of the attempt before takes the next one into it: messages come behind what the run has done by then, and
 * before it in a replay, so that the run could not go on (TMPRL1100). The task is failed instead, and its next attempt
 * does everything from the beginning. docs/decisions/0962-attempts-of-a-task-are-not-mixed.md
 */
import { type WorkflowInternalsInterceptor, workflowInfo } from '@temporalio/workflow'
import { now } from './now.ts'
import { isLocalEnd } from './one-local-activity.ts'

/** @param isLocalActivityUnderWay whether the run waits for one */
export function wholeTasks(isLocalActivityUnderWay: () => boolean): WorkflowInternalsInterceptor {
  /** when the newest task was begun, by the clock of the server */
  let begunAt = now()
  return {
    activate(input, next) {
      const { jobs, isReplaying } = input.activation
      if (jobs?.some((job) => !isLocalEnd(job) && !job.queryWorkflow)) {
        const at = now()
        const isInTheMiddle = !isReplaying && isLocalActivityUnderWay()
        // A task that was begun sooner after the one before is no second attempt at it, but follows its heartbeat.
        if (isInTheMiddle && at.getTime() - begunAt.getTime() >= workflowInfo().taskTimeoutMs)
          throw new Error('An attempt at this workflow task has come in the middle of the one before')
        begunAt = at
      }
      next(input)
    },
  }
}
