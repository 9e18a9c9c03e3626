/**
 * Runs of an erased person that are gone and that Temporal's list keeps. The deletion has left them to operators; they are
 * looked at again each day, so that the deletion completes once the rows are gone, whoever has removed them.
 */
import type { WorkerContext } from '../../context.ts'
import { listStepsLeft, recordStep } from '../../db/erasure/deletions.ts'
import {
  findTaskAttributes,
  raiseOperatorTask,
  resolveOperatorTask,
  type TaskAttributes,
} from '../../db/operator-tasks.ts'
import { searchAttributes } from '../../shared/search-attributes.ts'
import { deleteFromList, isGone, type Run } from '../../temporal/listed-runs.ts'
import { finishDeletion } from './end.ts'
import { operatorTaskOf } from './step.ts'

/** The code of the step `temporal`, and the detail of its task. */
export const goneButListed = 'gone_runs_listed'

/** A task has room for so many; `AccountRef` finds the others. */
const mostNamed = 50

export const quoted = (text: string): string => `'${text}'`
export const ofAccount = (accountRef: string): string => `${searchAttributes.accountRef.name} = ${quoted(accountRef)}`

/** What an operator needs to find the rows. Run ids are Temporal's: a workflow id would name the person's order. */
export const runsOfTask = (runs: readonly Run[]): TaskAttributes => ({
  rows: runs.length,
  runs: runs
    .slice(0, mostNamed)
    .map(({ runId }) => runId)
    .join(' '),
})

/** Removes the rows that the server lets us remove, and completes the deletions of which none is left. */
export async function reviewListedRuns(context: WorkerContext, at: Date): Promise<void> {
  const { sql, temporal } = context
  const processor = 'temporal'
  for (const { receiptId, accountRef } of await listStepsLeft(sql, processor, goneButListed)) {
    const task = operatorTaskOf(receiptId, processor)
    const named = String((await findTaskAttributes(sql, task))?.runs ?? '').split(' ')
    const runIds = named.filter((id) => id !== '').map(quoted)
    const query =
      runIds.length > 0 ? `${ofAccount(accountRef)} or RunId in (${runIds.join(', ')})` : ofAccount(accountRef)
    for (const run of await listed(query)) if (await isGone(temporal, run)) await deleteFromList(temporal, run)
    const left = await listed(query)
    if (left.length > 0) {
      await raiseOperatorTask(sql, { ...task, detail: goneButListed, attributes: runsOfTask(left), at })
      continue
    }
    await recordStep(sql, { receiptId, processor, state: 'done', at })
    await resolveOperatorTask(sql, { ...task, by: 'rows_gone', at })
    // The run of the deletion may have ended without it.
    await finishDeletion(context, receiptId, at)
  }

  async function listed(query: string): Promise<Run[]> {
    const runs: Run[] = []
    for await (const { workflowId, runId } of temporal.workflow.list({ query })) runs.push({ workflowId, runId })
    return runs
  }
}
