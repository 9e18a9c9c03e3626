/** Whether our schedules start their runs. Temporal says of a schedule that starts none neither that nor why. */
import type { Client, ScheduleSummary } from '@temporalio/client'
import { milliseconds } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'

/** The ids of our schedules begin with it, so that those of other applications are left alone. */
export const schedulePrefix = 'ama-'

/** After so many periods without a run, and no sooner than after `leastMs`: one run may be long, or late. */
const periodsWithout = 2
const leastMs = 2 * milliseconds.hour
const graceMs = 15 * milliseconds.minute

interface SilentSchedule {
  id: string
  isPaused: boolean
  /** undefined when it has never started a run */
  lastRunAt: Date | undefined
}

/**
 * Lists the schedules that have started no run for longer than two of their periods: an operator has paused them, each
 * run waits for the end of an earlier one, or Temporal does not start them.
 * @throws when Temporal does not answer within `answerWithinMs`
 */
export async function listSilentSchedules(
  temporal: Client,
  { at, answerWithinMs }: { at: Date; answerWithinMs: number },
): Promise<SilentSchedule[]> {
  return temporal.withDeadline(Date.now() + answerWithinMs, async () => {
    const silent: SilentSchedule[] = []
    for await (const schedule of temporal.schedule.list()) {
      const { scheduleId: id, state, info } = schedule
      if (!id.startsWith(schedulePrefix)) continue
      const lastRunAt = info.recentActions.at(-1)?.takenAt
      const since = lastRunAt ?? (await temporal.schedule.getHandle(id).describe()).info.createdAt
      const longestMs = Math.max(leastMs, periodsWithout * periodOf(schedule)) + graceMs
      if (plusMs(since, longestMs) < at) silent.push({ id, isPaused: state.paused, lastRunAt })
    }
    return silent
  })
}

/** Between two of its runs. A schedule by the calendar is daily unless its next times say otherwise. */
function periodOf({ spec, info }: ScheduleSummary): number {
  const [interval] = spec?.intervals ?? []
  if (interval) return interval.every
  const [next, afterNext] = info.nextActionTimes
  return next && afterNext ? afterNext.getTime() - next.getTime() : milliseconds.day
}
