/** Terminates and deletes an erased person's runs, in Temporal's database and in its visibility store. */
import { setTimeout as pause } from 'node:timers/promises'
import { heartbeat } from '@temporalio/activity'
import pMap from 'p-map'
import type { WorkerContext } from '../../context.ts'
import { deleteEmptySeal, deleteTraceUnlessNeeded } from '../../db/erasure/deletion-seals.ts'
import { recordStep } from '../../db/erasure/deletions.ts'
import { goneButListed, operatorTaskOf } from '../../db/erasure/step-tasks.ts'
import { deleteOperatorTask, resolveOperatorTask } from '../../db/operator-tasks.ts'
import { periods } from '../../policy/periods.ts'
import { failure } from '../../shared/failures.ts'
import { isNotFound } from '../../temporal/grpc-status.ts'
import { deleteFromList, findRun, listRuns, type Run } from '../../temporal/listed-runs.ts'
import { terminateIfOpen } from '../../temporal/runs.ts'
import { terminationReasons } from '../../temporal/termination-reasons.ts'
import type { DeletionActivities } from '../../workflows/account-deletion.contract.ts'
import { recordedAt, sinceScheduledMs } from '../failures.ts'
import { lostRunTask } from '../housekeeping/lost-runs.ts'
import { knownWorkflowIds } from './known-runs.ts'
import { ofAccount, queriesOfIds, runsOfTask } from './listed-runs.ts'
import { leaveStepToOperator } from './step.ts'

type Activities = Pick<DeletionActivities, 'endRuns' | 'deleteRuns'>

/** Temporal deletes in the background, within milliseconds on an idle server */
const pollMs = 200
const maxPolls = 25
/** The list is written behind the histories: a row of a run that is gone is usual for as long. */
const lagPolls = 10
const atOnce = 20

export function createDeletionRunActivities(context: WorkerContext): Activities {
  const { sql, temporal, dataKeys, log } = context
  const { namespace } = temporal.options
  const processor = 'temporal'

  return {
    async endRuns({ receiptId, accountRef }) {
      const running = await listRuns(temporal, `${ofAccount(accountRef)} and ExecutionStatus = 'Running'`)
      // The visibility store may lag behind, so runs are also terminated by their workflow ids.
      const workflowIds = new Set([
        ...running.map((run) => run.workflowId),
        ...(await knownWorkflowIds(context, receiptId)),
      ])
      await eachOf([...workflowIds], terminate)
    },

    async deleteRuns({ receiptId, accountRef, final, asOf }) {
      const listed = await deleteAll(accountRef, await knownWorkflowIds(context, receiptId))
      // Rows of runs that are gone wait for the final look.
      if (!final) return { state: 'pending' }
      const at = recordedAt(asOf)
      if (listed.length > 0) {
        if (sinceScheduledMs() < periods.deletion.listedRunsMs)
          throw failure('ErasureIncomplete', { code: `listed_${listed.length}` })
        const attributes = runsOfTask(listed)
        const left = await leaveStepToOperator(context, { receiptId, processor, code: goneButListed, at, attributes })
        await forgetTrace(receiptId)
        return left
      }
      await recordStep(sql, { receiptId, processor, state: 'done', at })
      await forgetTrace(receiptId)
      await resolveOperatorTask(sql, { ...operatorTaskOf(receiptId, processor), by: 'deletion', at })
      return { state: 'done' }
    },
  }

  /** The database has been verified before, in runs of this build. */
  async function forgetTrace(receiptId: string): Promise<void> {
    const isEmpty = await sql.begin(async (tx) => {
      await deleteTraceUnlessNeeded(tx, receiptId)
      return deleteEmptySeal(tx, receiptId)
    })
    if (isEmpty) dataKeys.evict(receiptId)
  }

  /**
   * @returns the runs that are gone and still listed
   * @throws ErasureIncomplete while a run has a history
   */
  async function deleteAll(accountRef: string, knownWorkflowIds: string[]): Promise<Run[]> {
    let workflowIds = knownWorkflowIds
    let left: Run[] = []
    const polls = new Map<string, number>()
    for (let poll = 1; ; poll += 1) {
      const listed = await findListed(accountRef, workflowIds)
      const kept = await findKept([...left, ...listed], workflowIds)
      left = distinct([...listed, ...kept])
      if (left.length === 0) return []
      const isKept = new Set(kept.map(keyOf))
      for (const run of left) polls.set(keyOf(run), isKept.has(keyOf(run)) ? 0 : (polls.get(keyOf(run)) ?? 0) + 1)
      // Only ids with a run are read again: most of the thousands have none.
      workflowIds = [...new Set(left.map(({ workflowId }) => workflowId))]
      if (poll === maxPolls) {
        if (kept.length > 0) throw failure('ErasureIncomplete', { code: `runs_${left.length}` })
        return left
      }
      await eachOf(left, async (run) => {
        if (polls.get(keyOf(run)) === lagPolls) await removeRow(run)
        else await deleteRun(run)
      })
      await pause(pollMs)
    }
  }

  /** The runs in the list, by account and by workflow id. */
  async function findListed(accountRef: string, workflowIds: string[]): Promise<Run[]> {
    const listed = await listRuns(temporal, ofAccount(accountRef))
    for (const query of queriesOfIds('WorkflowId', workflowIds)) {
      listed.push(...(await listRuns(temporal, query)))
      heartbeat()
    }
    return distinct(listed)
  }

  /** The runs that have a history: of these runs, and the newest run of each workflow id. */
  async function findKept(runs: Run[], workflowIds: string[]): Promise<Run[]> {
    const named = [...distinct(runs), ...workflowIds.map((workflowId) => ({ workflowId }))]
    const found = await eachOf(named, (run) => findRun(temporal, run))
    return distinct(found.filter((run) => run !== undefined))
  }

  async function terminate(workflowId: string): Promise<void> {
    await terminateIfOpen(temporal, workflowId, terminationReasons.accountDeleted)
  }

  async function deleteRun({ workflowId, runId }: Run): Promise<void> {
    try {
      await temporal.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId, runId } })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
    await deleteOperatorTask(sql, { kind: lostRunTask, subjectId: runId })
  }

  async function removeRow(run: Run): Promise<void> {
    const refusedAs = await deleteFromList(temporal, run)
    log.warn({ runId: run.runId, refusedAs }, 'a run that is gone is listed')
  }
}

const keyOf = ({ workflowId, runId }: Run): string => `${workflowId}\0${runId}`

const distinct = (runs: Run[]): Run[] => [...new Map(runs.map((run) => [keyOf(run), run])).values()]

/** In the order of the items. */
const eachOf = <Item, Result>(items: Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> =>
  pMap(
    items,
    async (item) => {
      const result = await work(item)
      heartbeat()
      return result
    },
    { concurrency: atOnce },
  )
