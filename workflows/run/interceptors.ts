/** The interceptors of all runs (worker/bundle.ts). */
import type { WorkflowInterceptors } from '@temporalio/workflow'
import { oneLocalActivityAtATime } from './one-local-activity.ts'
import { updatesAfterSignals } from './updates-after-signals.ts'
import { wholeTasks } from './whole-tasks.ts'

/** Called by the SDK for each run. */
export function interceptors(): WorkflowInterceptors {
  const localActivities = oneLocalActivityAtATime()
  return {
    outbound: [localActivities.calls],
    internals: [localActivities.activations, wholeTasks(localActivities.isUnderWay), updatesAfterSignals()],
  }
}
