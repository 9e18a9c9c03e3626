/** The interceptors of all runs (worker/bundle.ts). */
import type { WorkflowInterceptors } from '@temporalio/workflow'
import { oneLocalActivityAtATime } from './one-local-activity.ts'
import { updatesAfterSignals } from './updates-after-signals.ts'

/** Called by the SDK for each run. */
export const interceptors = (): WorkflowInterceptors => ({
  outbound: [oneLocalActivityAtATime()],
  internals: [updatesAfterSignals()],
})
