/**
 * A module of workflow interceptors, which worker/bundle.ts puts into each bundle. "Request cancellation" of the Web UI would
 * end a run in the midst of what it has to do, and fail each handler of its messages from then on. What can be stopped has an
 * update for it, which says what becomes of it; a run that has to end is terminated, which operators are told of.
 */
import { CancellationScope, type WorkflowInterceptors, workflowInfo } from '@temporalio/workflow'

/** It takes a cancellation for that of its customer. */
const knowsCancellations = 'order'

const going = <Result>(work: () => Promise<Result>): Promise<Result> => CancellationScope.nonCancellable(work)

export const interceptors = (): WorkflowInterceptors => ({
  inbound: [
    {
      execute: (input, next) =>
        workflowInfo().workflowType === knowsCancellations ? next(input) : going(() => next(input)),
      handleSignal: (input, next) => going(() => next(input)),
      handleUpdate: (input, next) => going(() => next(input)),
    },
  ],
})
