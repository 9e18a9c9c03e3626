/**
 * A run handles its updates after the signals that come with them. Temporal hands them over so, and so does each
 * replay. A reset gives a run its later messages again, and live each of those updates comes where its event is, among
 * the signals: what the handlers do would come in another order in a replay, and the run could not go on (TMPRL1100).
 * docs/decisions/0900-updates-come-after-signals.md
 */
import type { ActivateInput, WorkflowInternalsInterceptor } from '@temporalio/workflow'

type Jobs = NonNullable<ActivateInput['activation']['jobs']>

/** Makes the order that of each replay, which stays as it is: no run needs a patch. */
export function updatesAfterSignals(): WorkflowInternalsInterceptor {
  return {
    activate(input, next) {
      const { activation } = input
      next({ ...input, activation: { ...activation, jobs: inOrder(activation.jobs ?? []) } })
    },
  }
}

/** Everything else keeps its place: what starts a run comes before its messages, and answers come after them. */
function inOrder(jobs: Jobs): Jobs {
  const end = jobs.findLastIndex(({ signalWorkflow }) => signalWorkflow) + 1
  const upToSignals = jobs.slice(0, end)
  return [
    ...upToSignals.filter(({ doUpdate }) => !doUpdate),
    ...upToSignals.filter(({ doUpdate }) => doUpdate),
    ...jobs.slice(end),
  ]
}
