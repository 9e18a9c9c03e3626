/** Leaves to operators the runs whose rows only the lost database had. */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client'
import { insertItem, restoreUndecided } from '../../db/backup/restores.ts'
import type { Queryable } from '../../db/connection/database.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { isKeyOf } from '../../shared/keys-of.ts'
import { searchAttributes } from '../../shared/search-attributes.ts'
import { openSince } from './order-runs.ts'
import { afterRestore, leftToOperators } from './run-types.ts'

/** Raises an operator task for each run that has done something since a time and has no row. */
export async function leaveOtherRuns(sql: Queryable, client: Client, restoreId: string, since: Date): Promise<void> {
  const types = leftToOperators.map((type) => `'${type}'`).join(', ')
  const query = `WorkflowType IN (${types}) AND ExecutionStatus IN ('Running', 'Completed') AND ${openSince(since)}`
  for await (const run of client.workflow.list({ query })) {
    const { workflowId, type, typedSearchAttributes } = run
    if (!(await isLost(sql, run))) continue
    const dueAt = typedSearchAttributes.get(searchAttributes.dueAt)
    await insertItem(sql, restoreId, { kind: 'run', subjectId: workflowId, outcome: 'undecided', detail: type })
    await raiseOperatorTask(sql, {
      kind: restoreUndecided,
      subjectId: workflowId,
      detail: type,
      at: new Date(),
      ...(dueAt && { dueAt }),
    })
  }
}

/** Whether the dump lacks a run's row, or has it unsettled although the run has done its work since. */
async function isLost(sql: Queryable, run: WorkflowExecutionInfo): Promise<boolean> {
  const entry = isKeyOf(afterRestore, run.type) ? afterRestore[run.type] : undefined
  if (entry?.outcome !== 'operator') return false
  const row = await entry.row(sql, run.workflowId)
  if (!row) return true
  const status = run.typedSearchAttributes.get(searchAttributes.stage)
  const isDone = run.status.name === 'COMPLETED' || (entry.doneAs !== undefined && status === entry.doneAs)
  return isDone && !row.settled
}
