/**
 * Runs of an erased person that are gone and that Temporal's list keeps. The deletion has left them to operators; they
 * are looked at again each day, so that the deletion completes once the rows are gone, whoever has removed them.
 */
import type { Client } from '@temporalio/client'
import type { WorkerContext } from '../../context.ts'
import { deleteTraceUnlessNeeded } from '../../db/erasure/deletion-seals.ts'
import { listStepsLeft, recordStep } from '../../db/erasure/deletions.ts'
import { finishDeletion } from '../../db/erasure/finishing.ts'
import { UnreadablePart } from '../../db/erasure/sealed-parts.ts'
import { goneButListed, operatorTaskOf } from '../../db/erasure/step-tasks.ts'
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
import { deleteFromList, isGone, listRuns, type Run } from '../../temporal/listed-runs.ts'
import { knownWorkflowIds } from './known-runs.ts'

/** So many are named, and all that have no `AccountRef`, by which the others are found. */
const mostNamed = 50
const idsOfQuery = 20
/** The service for administrators does not answer: the other rows of the deletion wait for the next day. */
const noAnswer: readonly (string | undefined)[] = ['UNAVAILABLE', 'DEADLINE_EXCEEDED']

const quoted = (text: string): string => `'${text}'`
export const ofAccount = (accountRef: string): string => `${searchAttributes.accountRef.name} = ${quoted(accountRef)}`

/** What an operator needs to find the rows. Run ids are Temporal's: a workflow id would name the person's order. */
export function runsOfTask(runs: readonly Run[]): TaskAttributes {
  const bare = runs.filter(({ isOfAccount }) => !isOfAccount)
  const others = runs.filter(({ isOfAccount }) => isOfAccount).slice(0, Math.max(0, mostNamed - bare.length))
  return { rows: runs.length, runs: [...bare, ...others].map(({ runId }) => runId).join(' ') }
}

/**
 * Removes the rows that the server lets us remove, and completes the deletions of which none is left. A deletion whose
 * rows cannot be read waits for the next day, and keeps no other one from being looked at.
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
    const runIds = named.filter((id) => id !== '')
    const left = await ofOneDeletion(async () => {
      // A restore may have lost the task, and has brought the seal back.
      const workflowIds = await knownWorkflowIds(context, receiptId)
      const queries = [
        ofAccount(accountRef),
        ...queriesOfIds('RunId', runIds),
        ...queriesOfIds('WorkflowId', workflowIds),
      ]
      for (const run of await listed(queries)) if ((await removeIfGone(run)) === 'no_answer') break
      return listed(queries)
    })
    if (left.length > 0) {
      await raiseOperatorTask(sql, { ...task, detail: goneButListed, attributes: runsOfTask(left), at })
      return
    }
    await recordStep(sql, { receiptId, processor, state: 'done', at })
    await resolveOperatorTask(sql, { ...task, by: 'rows_gone', at })
    await deleteTraceUnlessNeeded(sql, receiptId)
    // The run of the deletion may have ended without it.
    await finishDeletion(context, receiptId, at)
  }

  async function removeIfGone(run: Run): Promise<'no_answer' | undefined> {
    beat()
    if (!(await isGone(temporal, run))) return undefined
    return noAnswer.includes(await deleteFromList(temporal, run)) ? 'no_answer' : undefined
  }

  async function listed(queries: readonly string[]): Promise<Run[]> {
    const runs = new Map<string, Run>()
    for (const query of queries) {
      for (const run of await listRuns(temporal, query)) runs.set(run.runId, run)
      beat()
    }
    return [...runs.values()]
  }
}

/** Queries for many ids. */
export function queriesOfIds(field: 'RunId' | 'WorkflowId', ids: readonly string[]): string[] {
  const parts = Array.from({ length: Math.ceil(ids.length / idsOfQuery) }, (_, index) =>
    ids.slice(index * idsOfQuery, (index + 1) * idsOfQuery),
  )
  return parts.map((part) => `${field} in (${part.map(quoted).join(', ')})`)
}

/**
 * Which of many runs Temporal lists as open. One that it does not list may be open all the same, and has to be asked
 * about.
 */
export async function listedAsOpen(
  temporal: Client,
  workflowIds: readonly string[],
  beat: () => void,
): Promise<ReadonlySet<string>> {
  const open = new Set<string>()
  for (const ids of queriesOfIds('WorkflowId', workflowIds)) {
    beat()
    const listed = await listRuns(temporal, `${ids} AND ExecutionStatus = 'Running'`)
    for (const { workflowId } of listed) open.add(workflowId)
  }
  return open
}

/** @throws ErasureIncomplete when Temporal has refused what it was asked for, or nobody can read the seal */
async function ofOneDeletion<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask()
  } catch (error) {
    const code = error instanceof UnreadablePart ? 'seal_unreadable' : errorOfOneCall(error)
    throw code === undefined ? error : failure('ErasureIncomplete', { code })
  }
}
