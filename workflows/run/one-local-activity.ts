/**
 * A run has one local activity under way at a time. Of several, each one's end would be an activation of its own live
 * and one of all together in a replay: what two branches do next would come in another order, and the run could not go
 * on (TMPRL1100). docs/decisions/0002-local-activities.md
 */
import {
  type ActivateInput,
  ApplicationFailure,
  CancellationScope,
  condition,
  type LocalActivityInput,
  type Next,
  patched,
  type WorkflowInternalsInterceptor,
  type WorkflowOutboundCallsInterceptor,
} from '@temporalio/workflow'
import { ranOutOfTries } from './local-first.ts'

/** The handler of an update, what waits for its effect, what waits for that, and more than any run has. */
const rounds = 5

type Job = NonNullable<ActivateInput['activation']['jobs']>[number]

/** Whether a job of an activation is the end of a local activity: it comes from the worker itself. */
export const isLocalEnd = ({ resolveActivity }: Job): boolean => resolveActivity?.isLocal ?? false

interface LocalActivities {
  calls: WorkflowOutboundCallsInterceptor
  activations: WorkflowInternalsInterceptor
  isUnderWay(): boolean
}

/** Keeps the last one of its run. */
export function oneLocalActivityAtATime(): LocalActivities {
  /** resolves when the local activity that was begun last has ended: to whether it ran out of tries */
  let last: Promise<boolean> | undefined
  /** whether a local activity ends in this activation beside anything else */
  let isShared = false
  const activations: WorkflowInternalsInterceptor = {
    activate(input, next) {
      const jobs = input.activation.jobs ?? []
      const ends = jobs.filter(isLocalEnd).length
      isShared = ends > 0 && ends < jobs.length
      next(input)
    },
  }
  const calls: WorkflowOutboundCallsInterceptor = {
    // No `async` and no `await`: a local activity that waits for none is begun in the step that kept histories have.
    scheduleLocalActivity(
      input: LocalActivityInput,
      next: Next<WorkflowOutboundCallsInterceptor, 'scheduleLocalActivity'>,
    ) {
      const before = last && patched('one-local-activity') ? last : undefined
      const result = (before ? before.then((ranOut) => (ranOut ? notTried() : next(input))) : next(input)).finally(
        () => (isShared ? behindAllElse() : undefined),
      )
      const ended: Promise<boolean> = result.then(
        () => end(false),
        (error: unknown) => end(ranOutOfTries(error)),
      )
      last = ended
      return result

      function end(ranOut: boolean): boolean {
        if (last === ended) last = undefined
        return ranOut
      }
    },
  }
  return { calls, activations, isUnderWay: () => last !== undefined }
}

/**
 * A message that comes between the heartbeat of a workflow task and the end of a local activity is an activation of its
 * own live, and one with that end in a replay. So that both do the same, what follows the local activity waits until
 * everything else in its activation has done what it does at once. No event is written.
 */
async function behindAllElse(): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    let isOver = false
    // A condition that is made now is looked at when all that was begun in this round has come to a wait.
    const over = CancellationScope.nonCancellable(() => condition(() => isOver))
    isOver = true
    await over
  }
}

/**
 * During an outage those that wait would each take their whole time, one after the other, and the workflow task would
 * heartbeat. Their regular activities go on instead.
 */
function notTried(): never {
  throw ApplicationFailure.retryable('A local activity before it ran out of tries', 'LocalActivityNotTried')
}
