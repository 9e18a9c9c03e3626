/** The operator tasks of wedged runs. Their subject is the run id: a workflow id holds the id of an order. */
import type { Database } from '../connection/database.ts'
import { listSubjectsOfOpenTasks, raiseOperatorTask, resolveOperatorTask } from '../operator-tasks.ts'

const wedgedTask = 'run_wedged'

/**
 * Opens a task for each run, and closes those of runs that are listed no more: they went on, or have ended.
 * @param isComplete false when there may be more such runs than those: then no task is closed
 */
export async function reportWedgedRuns(
  sql: Database,
  runs: readonly { runId: string; type: string; problem: string }[],
  { isComplete, at }: { isComplete: boolean; at: Date },
): Promise<void> {
  for (const { runId, type, problem } of runs) {
    await raiseOperatorTask(sql, { kind: wedgedTask, subjectId: runId, detail: `${type}: ${problem}`, at })
  }
  if (!isComplete) return
  const listed = new Set(runs.map(({ runId }) => runId))
  for (const subjectId of await listSubjectsOfOpenTasks(sql, wedgedTask)) {
    if (!listed.has(subjectId)) await resolveOperatorTask(sql, { kind: wedgedTask, subjectId, by: 'moved_on', at })
  }
}
