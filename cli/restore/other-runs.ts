/**
 * Runs of which only the lost database had the rows, or the texts. What a run shows of its own outcome is written into
 * the row of the dump: nobody can end a row whose run has ended. The rest is left to operators.
 */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client'
import { insertItem, restoreUndecided } from '../../db/backup/restores.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { isKeyOf } from '../../shared/keys-of.ts'
import { searchAttributes } from '../../shared/search-attributes.ts'
import type { IsolateFailure } from './failure-isolation.ts'
import { openSince } from './order-runs.ts'
import { afterRestore, leftToOperators, type ShownByRun } from './run-types.ts'
import type { RepeatingContext } from './until-answered.ts'

/** Settles each row whose run says how it has ended, and raises an operator task for the others. */
export async function leaveOtherRuns(
  context: RepeatingContext,
  client: Client,
  { restoreId, since, isolate }: { restoreId: string; since: Date; isolate: IsolateFailure },
): Promise<void> {
  const { sql } = context
  const types = leftToOperators.map((type) => `'${type}'`).join(', ')
  const query = `WorkflowType IN (${types}) AND ExecutionStatus IN ('Running', 'Completed') AND ${openSince(since)}`
  for await (const run of client.workflow.list({ query }))
    await isolate({ kind: 'run', subjectId: run.workflowId }, async () => {
      const outcome = await outcomeOf(context, run)
      if (outcome === 'as_in_the_dump') return
      const { workflowId: subjectId, type: detail } = run
      await insertItem(sql, restoreId, { kind: 'run', subjectId, outcome, detail })
      if (outcome === 'rebuilt') return
      const dueAt = shownBy(run).dueAt
      const task = { kind: restoreUndecided, subjectId, detail, at: new Date() }
      await raiseOperatorTask(sql, { ...task, ...(dueAt && { dueAt }) })
    })
}

const shownBy = ({ status, typedSearchAttributes, closeTime }: WorkflowExecutionInfo): ShownByRun => ({
  isClosed: status.name === 'COMPLETED',
  stage: typedSearchAttributes.get(searchAttributes.stage),
  dueAt: typedSearchAttributes.get(searchAttributes.dueAt),
  at: closeTime ?? new Date(),
})

/** What becomes of a run's row: the dump may lack it, or have it unsettled although the run has done its work since. */
async function outcomeOf(
  context: RepeatingContext,
  run: WorkflowExecutionInfo,
): Promise<'as_in_the_dump' | 'rebuilt' | 'undecided'> {
  const entry = isKeyOf(afterRestore, run.type) ? afterRestore[run.type] : undefined
  if (entry?.outcome !== 'operator') return 'as_in_the_dump'
  const row = await entry.row(context.sql, run.workflowId)
  if (!row) return 'undecided'
  const shown = shownBy(run)
  const isDone = shown.isClosed || (entry.doneAs !== undefined && shown.stage === entry.doneAs)
  if (!isDone || row.settled) return 'as_in_the_dump'
  return (await entry.settle?.(context, run.workflowId, shown)) ? 'rebuilt' : 'undecided'
}
