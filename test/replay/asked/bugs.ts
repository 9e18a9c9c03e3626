/**
 * Kept histories in which an activity fails, with a bug in place of its failures: what a run takes for the failure of
 * an activity must be one. A bug fails the workflow task, so that mended code goes on.
 */
import type { Kept } from '../kept.ts'
import type { Played } from './play.ts'

/** The run's id has the activity's name: test/replay/asked/recorder.ts */
export function withBugs(kept: readonly Kept[]): Kept[] {
  return kept.flatMap((one) =>
    [...failedActivities(one)].sort().map((activity) => ({ ...one, workflowId: `${one.workflowId}!${activity}` })),
  )
}

/** Activities that failed for good, or whose time was up. */
function failedActivities({ history }: Kept): Set<string> {
  const names = new Map<string, string>()
  const failed = new Set<string>()
  for (const event of history.events ?? []) {
    const name = event.activityTaskScheduledEventAttributes?.activityType?.name
    if (name) names.set(String(event.eventId), name)
    const { scheduledEventId } =
      event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes ?? {}
    const its = names.get(String(scheduledEventId))
    if (its) failed.add(its)
  }
  return failed
}

/** The outcome of the bug. */
export const outcomeOfBug = ({ error }: Played): string =>
  error?.includes('a bug') ? 'fails the workflow task' : 'is taken for a failure'
