/** The operator tasks of schedules that start no runs. */
import type { Database } from '../connection/database.ts'
import { listSubjectsOfOpenTasks, raiseUnlessSettled, resolveOperatorTask } from '../operator-tasks.ts'

const silentTask = 'schedule_silent'

/**
 * Opens a task for each schedule, and closes those of schedules that run again. One that an operator has closed stays
 * closed until it has run and is silent once more.
 */
export async function reportSilentSchedules(
  sql: Database,
  schedules: readonly { id: string; isPaused: boolean; lastRunAt: Date | undefined }[],
  at: Date,
): Promise<void> {
  for (const { id, isPaused, lastRunAt } of schedules) {
    const last = lastRunAt ? `the last run began at ${lastRunAt.toISOString()}` : 'it has never run'
    const detail = isPaused ? `paused, ${last}` : last
    await raiseUnlessSettled(sql, { kind: silentTask, subjectId: id, detail, at })
  }
  const silent = new Set(schedules.map(({ id }) => id))
  for (const subjectId of await listSubjectsOfOpenTasks(sql, silentTask)) {
    if (!silent.has(subjectId)) await resolveOperatorTask(sql, { kind: silentTask, subjectId, by: 'runs_again', at })
  }
}
