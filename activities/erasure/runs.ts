/** Trap 8 and 12: an erased person's runs are ended, deleted, and looked for in both of Temporal's stores. */
import { heartbeat } from '@temporalio/activity'
import { isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client'
import type { WorkerContext } from '../../context.ts'
import { openSecret } from '../../db/erasure/deletion-seals.ts'
import { recordStep } from '../../db/erasure/deletions.ts'
import { withoutOthers } from '../../db/erasure/erased-rows.ts'
import { failure } from '../../shared/failures.ts'
import { searchAttributes } from '../../shared/search-attributes.ts'
import type { DeletionActivities } from '../../workflows/account-deletion.contract.ts'
import { emailChangeWorkflowId } from '../../workflows/email-change.contract.ts'
import { orderAftercareWorkflowId, orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { privacyRequestWorkflowId } from '../../workflows/privacy-request.contract.ts'

type Activities = Pick<DeletionActivities, 'endRuns' | 'deleteRuns'>

interface Run {
  workflowId: string
  runId: string
}

const notFound = 5
/** deletions take milliseconds on an idle server */
const lookAgainMs = 200
const looks = 25
const atOnce = 20

export function createDeletionRunActivities(context: WorkerContext): Activities {
  const { sql, temporal } = context
  const { namespace } = temporal.options

  return {
    async endRuns({ receiptId, accountRef }) {
      const running = await find(`${ofAccount(accountRef)} and ExecutionStatus = 'Running'`)
      // Visibility lags behind: the orders' own runs are known by name.
      const workflowIds = new Set([...running.map((run) => run.workflowId), ...(await knownIds(receiptId))])
      await eachOf([...workflowIds], terminate)
    },

    async deleteRuns({ receiptId, accountRef, final, asOf }) {
      let names = await knownIds(receiptId)
      let left: Run[] = []
      for (let look = 1; ; look += 1) {
        left = await whatIsLeft(accountRef, names, left)
        if (left.length === 0) break
        // What was not there is not looked for again and again: of thousands of names most have no run any more.
        names = [...new Set(left.map(({ workflowId }) => workflowId))]
        if (look === looks) throw failure('ErasureIncomplete', { code: `runs_${left.length}` })
        await eachOf(left, remove)
        await new Promise((resolve) => setTimeout(resolve, lookAgainMs))
      }
      if (final) await recordStep(sql, { receiptId, processor: 'temporal', state: 'done', at: new Date(asOf) })
    },
  }

  async function knownIds(receiptId: string): Promise<string[]> {
    const trace = await openSecret(sql, context, receiptId, 'trace')
    if (!trace) return []
    const { ids: [accountId = ''] = [], orderIds, requestIds = [], emailChangeIds = requestIds } = trace
    // A run of this name may be a living account's by now.
    const free = (ids: string[]) => withoutOthers(sql, accountId, ids)
    return [
      ...(await free(orderIds)).flatMap((id) => [orderWorkflowId(id), orderAftercareWorkflowId(id)]),
      ...(await free(requestIds)).map(privacyRequestWorkflowId),
      ...(await free(emailChangeIds)).map(emailChangeWorkflowId),
    ]
  }

  /** In the visibility store by account and by name, in the history store by name and by run. */
  async function whatIsLeft(accountRef: string, names: string[], before: Run[]): Promise<Run[]> {
    const left = await find(ofAccount(accountRef))
    for (let index = 0; index < names.length; index += atOnce) {
      const some = names.slice(index, index + atOnce).map(quoted)
      left.push(...(await find(`WorkflowId in (${some.join(', ')})`)))
      heartbeat()
    }
    const named = [...before, ...names.map((workflowId) => ({ workflowId }))]
    const inHistory = await eachOf(named, findInHistory)
    return distinct([...left, ...inHistory.filter((run) => run !== undefined)])
  }

  async function find(query: string): Promise<Run[]> {
    const runs: Run[] = []
    for await (const { workflowId, runId } of temporal.workflow.list({ query })) runs.push({ workflowId, runId })
    return runs
  }

  /** The run, or the newest of that name. */
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
    try {
      await temporal.workflow.getHandle(workflowId).terminate('the account is deleted')
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error
    }
  }

  async function remove({ workflowId, runId }: Run): Promise<void> {
    try {
      await temporal.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId, runId } })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}

const quoted = (text: string): string => `'${text}'`
const ofAccount = (accountRef: string): string => `${searchAttributes.accountRef.name} = ${quoted(accountRef)}`

const isNotFound = (error: unknown): boolean => isGrpcServiceError(error) && Number(error.code) === notFound

const distinct = (runs: Run[]): Run[] => [
  ...new Map(runs.map((run) => [`${run.workflowId}\0${run.runId}`, run])).values(),
]

async function eachOf<Item, Result>(items: Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (let index = 0; index < items.length; index += atOnce) {
    results.push(...(await Promise.all(items.slice(index, index + atOnce).map(work))))
    heartbeat()
  }
  return results
}
