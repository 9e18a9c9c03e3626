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
import { failure, failureCode } from '../../shared/failures.ts'
import { goOnAfterFailures } from '../../shared/go-on-after-failures.ts'
import { searchAttributes } from '../../shared/search-attributes.ts'
import { errorOfOneCall } from '../../temporal/grpc-status.ts'
import { deleteFromList, isGone, type Run } from '../../temporal/listed-runs.ts'
import { finishDeletion } from './end.ts'
import { operatorTaskOf } from './step.ts'

/** The code of the step `temporal`, and the detail of its task. */
export const goneButListed = 'gone_runs_listed'

/** A task has room for so many; `AccountRef` finds the others. */
const mostNamed = 50
/** The service for administrators does not answer: the other rows of the deletion wait for the next day. */
const noAnswer: readonly (string | undefined)[] = ['UNAVAILABLE', 'DEADLINE_EXCEEDED']

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

/**
 * Removes the rows that the server lets us remove, and completes the deletions of which none is left. A deletion whose rows
 * cannot be read waits for the next day, and keeps no other one from being looked at.
 * @param beat is called for each deletion and each row: one that is not answered takes ten seconds
 */
export async function reviewListedRuns(context: WorkerContext, at: Date, beat: () => void): Promise<void> {
  const { sql, temporal, log } = context
  const processor = 'temporal'
  const others = goOnAfterFailures()
  await others.each(await listStepsLeft(sql, processor, goneButListed), review, async ({ receiptId }, error) => {
    log.warn({ receiptId, code: failureCode(error) }, 'the listed runs of an erased person could not be looked at')
  })
  others.end()

  async function review({ receiptId, accountRef }: { receiptId: string; accountRef: string }): Promise<void> {
    beat()
    const task = operatorTaskOf(receiptId, processor)
    const named = String((await findTaskAttributes(sql, task))?.runs ?? '').split(' ')
    const runIds = named.filter((id) => id !== '').map(quoted)
    const query =
      runIds.length > 0 ? `${ofAccount(accountRef)} or RunId in (${runIds.join(', ')})` : ofAccount(accountRef)
    const left = await ofOneDeletion(async () => {
      for (const run of await listed(query)) if ((await removeIfGone(run)) === 'no_answer') break
      return listed(query)
    })
    if (left.length > 0) {
      await raiseOperatorTask(sql, { ...task, detail: goneButListed, attributes: runsOfTask(left), at })
      return
    }
    await recordStep(sql, { receiptId, processor, state: 'done', at })
    await resolveOperatorTask(sql, { ...task, by: 'rows_gone', at })
    // The run of the deletion may have ended without it.
    await finishDeletion(context, receiptId, at)
  }

  async function removeIfGone(run: Run): Promise<'no_answer' | undefined> {
    beat()
    if (!(await isGone(temporal, run))) return undefined
    return noAnswer.includes(await deleteFromList(temporal, run)) ? 'no_answer' : undefined
  }

  async function listed(query: string): Promise<Run[]> {
    const runs: Run[] = []
    for await (const { workflowId, runId } of temporal.workflow.list({ query })) runs.push({ workflowId, runId })
    return runs
  }
}

/** @throws ErasureIncomplete when Temporal has refused what it was asked for */
async function ofOneDeletion<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask()
  } catch (error) {
    const code = errorOfOneCall(error)
    throw code === undefined ? error : failure('ErasureIncomplete', { code })
  }
}
