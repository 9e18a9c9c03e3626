/** Terminates and deletes an erased person's runs, in Temporal's database and in its visibility store. */
import { setTimeout as pause } from 'node:timers/promises'
import { heartbeat } from '@temporalio/activity'
import pMap from 'p-map'
import type { WorkerContext } from '../../context.ts'
import { openSecret } from '../../db/erasure/deletion-seals.ts'
import { recordStep } from '../../db/erasure/deletions.ts'
import { withoutOthers } from '../../db/erasure/erased-rows.ts'
import { deleteOperatorTask } from '../../db/operator-tasks.ts'
import { failure } from '../../shared/failures.ts'
import { searchAttributes } from '../../shared/search-attributes.ts'
import { isNotFound } from '../../temporal/grpc-status.ts'
import { terminateIfOpen } from '../../temporal/runs.ts'
import { terminationReasons } from '../../temporal/termination-reasons.ts'
import type { DeletionActivities } from '../../workflows/account-deletion.contract.ts'
import { emailChangeWorkflowId } from '../../workflows/email-change.contract.ts'
import { orderAftercareWorkflowId, orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { privacyRequestWorkflowId } from '../../workflows/privacy-request.contract.ts'
import { recordedAt } from '../failures.ts'
import { lostRunTask } from '../housekeeping/lost-runs.ts'

type Activities = Pick<DeletionActivities, 'endRuns' | 'deleteRuns'>

interface Run {
  workflowId: string
  runId: string
}

/** Temporal deletes in the background, within milliseconds on an idle server */
const pollMs = 200
const maxPolls = 25
const atOnce = 20

export function createDeletionRunActivities(context: WorkerContext): Activities {
  const { sql, temporal } = context
  const { namespace } = temporal.options

  return {
    async endRuns({ receiptId, accountRef }) {
      const running = await find(`${ofAccount(accountRef)} and ExecutionStatus = 'Running'`)
      // The visibility store may lag behind, so runs are also terminated by their workflow ids.
      const workflowIds = new Set([...running.map((run) => run.workflowId), ...(await knownIds(receiptId))])
      await eachOf([...workflowIds], terminate)
    },

    async deleteRuns({ receiptId, accountRef, final, asOf }) {
      let workflowIds = await knownIds(receiptId)
      let left: Run[] = []
      for (let poll = 1; ; poll += 1) {
        left = await findLeft(accountRef, workflowIds, left)
        if (left.length === 0) break
        // Only ids with a run are read again: most of the thousands have none.
        workflowIds = [...new Set(left.map(({ workflowId }) => workflowId))]
        if (poll === maxPolls) throw failure('ErasureIncomplete', { code: `runs_${left.length}` })
        await eachOf(left, deleteRun)
        await pause(pollMs)
      }
      if (final) await recordStep(sql, { receiptId, processor: 'temporal', state: 'done', at: recordedAt(asOf) })
    },
  }

  async function knownIds(receiptId: string): Promise<string[]> {
    const trace = await openSecret(sql, context, receiptId, 'trace')
    if (!trace) return []
    const { ids: [accountId = ''] = [], orderIds, requestIds = [], emailChangeIds = requestIds } = trace
    // A caller chooses ids of orders and requests, so another account may have a run under the same id by now.
    const free = (ids: string[]) => withoutOthers(sql, accountId, ids)
    return [
      ...(await free(orderIds)).flatMap((id) => [orderWorkflowId(id), orderAftercareWorkflowId(id)]),
      ...(await free(requestIds)).map(privacyRequestWorkflowId),
      ...(await free(emailChangeIds)).map(emailChangeWorkflowId),
    ]
  }

  /** Finds runs by account and workflow id in the visibility store, and by workflow id and run id in the database. */
  async function findLeft(accountRef: string, workflowIds: string[], before: Run[]): Promise<Run[]> {
    const left = await find(ofAccount(accountRef))
    for (let index = 0; index < workflowIds.length; index += atOnce) {
      const some = workflowIds.slice(index, index + atOnce).map(quoted)
      left.push(...(await find(`WorkflowId in (${some.join(', ')})`)))
      heartbeat()
    }
    const named = [...before, ...workflowIds.map((workflowId) => ({ workflowId }))]
    const inHistory = await eachOf(named, findInHistory)
    return distinct([...left, ...inHistory.filter((run) => run !== undefined)])
  }

  async function find(query: string): Promise<Run[]> {
    const runs: Run[] = []
    for await (const { workflowId, runId } of temporal.workflow.list({ query })) runs.push({ workflowId, runId })
    return runs
  }

  /** Finds the run, or the newest run of the workflow id. */
  async function findInHistory(execution: Partial<Run> & { workflowId: string }): Promise<Run | undefined> {
    try {
      const { workflowExecutionInfo } = await temporal.workflowService.describeWorkflowExecution({
        namespace,
        execution,
      })
      return { workflowId: execution.workflowId, runId: workflowExecutionInfo?.execution?.runId ?? '' }
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
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
}

const quoted = (text: string): string => `'${text}'`
const ofAccount = (accountRef: string): string => `${searchAttributes.accountRef.name} = ${quoted(accountRef)}`

const distinct = (runs: Run[]): Run[] => [
  ...new Map(runs.map((run) => [`${run.workflowId}\0${run.runId}`, run])).values(),
]

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
