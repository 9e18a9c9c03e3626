/**
 * Runs that ended without an outcome: terminated or cancelled by hand, timed out, or failed by a fault. The run of a
 * delivered order begins once more, as the runs of other rows have (rows-without-run.ts). Nothing does the remaining
 * work of the others, so each is an operator task until it goes on. The subject is the run id: a workflow id holds the
 * id of an order.
 */
import { heartbeat } from '@temporalio/activity'
import type { WorkflowExecutionInfo } from '@temporalio/client'
import type { temporal as protocol } from '@temporalio/proto'
import type { WorkerContext } from '../../context.ts'
import {
  listSubjectsOfOpenTasks,
  listSubjectsOfTasks,
  raiseOperatorTask,
  resolveOperatorTask,
} from '../../db/operator-tasks.ts'
import { milliseconds } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import { type FailureType, failures } from '../../shared/failures.ts'
import { isRunMissing } from '../../temporal/listed-runs.ts'
import { describeRun } from '../../temporal/runs.ts'
import { terminationReasons } from '../../temporal/termination-reasons.ts'
import { accountDeletionType } from '../../workflows/account-deletion.contract.ts'
import { bulkActionStarted, bulkActionType } from '../../workflows/order/bulk-action.contract.ts'
import { partialRefundMade, partialRefundType } from '../../workflows/order/partial-refund.contract.ts'
import { withdrawalStated, withdrawalType } from '../../workflows/order/withdrawal.contract.ts'
import { policyNoticeType, post } from '../../workflows/policy-notice.contract.ts'
import { queriesOfIds } from '../erasure/listed-runs.ts'
import { followAgain } from './followed-orders.ts'

export const lostRunTask = 'run_lost'

/** for the first reading: as long as a namespace keeps closed runs by default */
const firstLookBackMs = 7 * milliseconds.day
/** Temporal lists a closed run a little later, and its clock may differ. */
const overlapMs = milliseconds.hour
/** A run of this type that fails has notified operators itself: `order_run_failed`. */
const order = 'order'
/** Failures of a run whose order or account was erased: nothing is left to do. */
const goneMeanwhile: readonly string[] = ['OrderMissing', 'AccountMissing'] satisfies FailureType[]
/** Answers of a deletion whose caller waits for its result. */
const deletionRefusals: readonly string[] = ['AccountMissing', 'AccountInUse'] satisfies FailureType[]
/**
 * The runs that fail by design, with the update whose answer it is, so that the same request may be made again. A run of
 * another type, or one that has accepted another message alone, has left something undone.
 */
const failsAsItsAnswer: ReadonlyMap<string, string> = new Map([
  [bulkActionType, bulkActionStarted.name],
  [partialRefundType, partialRefundMade.name],
  [policyNoticeType, post.name],
  [withdrawalType, withdrawalStated.name],
])
const ownReasons: readonly string[] = Object.values(terminationReasons)

/**
 * @param times.readUntil the time of the last reading: ordinary refusals of checkouts are many, and each is asked about
 * once
 * @returns how many runs became operator tasks, and how many orders are followed again
 */
export async function reportLostRuns(
  context: WorkerContext,
  { at, readUntil }: { at: Date; readUntil: Date | undefined },
): Promise<{ reported: number; followed: number }> {
  const { sql, temporal } = context
  const known = new Set(await listSubjectsOfTasks(sql, lostRunTask))
  // All workers may have been down for any time.
  const since = (readUntil ? plusMs(readUntil, -overlapMs) : plusMs(at, -firstLookBackMs)).toISOString()
  let reported = 0
  let followed = 0
  for await (const run of list(
    `ExecutionStatus IN ('Failed', 'TimedOut', 'Terminated', 'Canceled') AND CloseTime > '${since}'`,
  )) {
    heartbeat()
    if (known.has(run.runId) || (await goesOn(run))) continue
    const why = await unlessGone(() => causeOf(run))
    if (why === undefined || (await follow(run))) continue
    await raiseOperatorTask(sql, { kind: lostRunTask, subjectId: run.runId, detail: `${run.type}: ${why}`, at })
    reported += 1
  }
  for (const query of queriesOfIds('RunId', await listSubjectsOfOpenTasks(sql, lostRunTask))) {
    heartbeat()
    // A run that Temporal does not list any more, after its retention, is as lost as before.
    for await (const run of list(query)) {
      // One that begins now may fail at its checkout: the next sweep sees whether it goes on.
      if (!(await goesOn(run))) {
        await follow(run)
        continue
      }
      await resolveOperatorTask(sql, { kind: lostRunTask, subjectId: run.runId, by: 'goes_on', at })
    }
  }
  return { reported, followed }

  /** Begins the run of a delivered order again. One that has failed would fail again. @returns whether it has begun */
  async function follow({ type, status, workflowId }: WorkflowExecutionInfo): Promise<boolean> {
    if (type !== order || status.name === 'FAILED' || !(await followAgain(context, workflowId))) return false
    followed += 1
    return true
  }

  /** A run that is gone, by its retention or an erasure, may still be listed: nobody can say any more how it ended. */
  async function unlessGone(read: () => Promise<string | undefined>): Promise<string | undefined> {
    try {
      return await read()
    } catch (error) {
      if (isRunMissing(error)) return undefined
      throw error
    }
  }

  function list(query: string): AsyncIterable<WorkflowExecutionInfo> {
    return temporal.workflow.list({ query })
  }

  /** A later run of the same id or of the same schedule has taken over what was left to do. */
  async function goesOn({ workflowId, runId, closeTime, searchAttributes }: WorkflowExecutionInfo): Promise<boolean> {
    const schedule = searchAttributes?.TemporalScheduledById?.[0]
    if (schedule !== undefined) {
      const later = `TemporalScheduledById = '${schedule}' AND StartTime > '${closeTime?.toISOString()}'`
      return (await temporal.workflow.count(`${later} AND ExecutionStatus = 'Completed'`)).count > 0
    }
    const newest = await describeRun(temporal, workflowId)
    // The erasure of a person deletes it, and its task.
    if (!newest) return true
    return newest.runId !== runId && ['RUNNING', 'COMPLETED'].includes(newest.status.name)
  }

  /** Undefined for a run that we ended ourselves, or whose failure is the answer to its caller. */
  async function causeOf(run: WorkflowExecutionInfo): Promise<string | undefined> {
    const { workflowId, runId, status } = run
    const { history } = await temporal.workflowService.getWorkflowExecutionHistoryReverse({
      namespace: temporal.options.namespace,
      execution: { workflowId, runId },
      maximumPageSize: 1,
    })
    const [end] = history?.events ?? []
    const reason = end?.workflowExecutionTerminatedEventAttributes?.reason ?? ''
    if (ownReasons.includes(reason)) return undefined
    const type = end?.workflowExecutionFailedEventAttributes?.failure?.applicationFailureInfo?.type ?? ''
    return (await isAnswer(run, type)) ? undefined : status.name.toLowerCase()
  }

  /**
   * Whether a failure of ours is no loss. It is not enough that its type is one of ours: that of a local activity,
   * halfway through a run, looks the same.
   */
  async function isAnswer({ workflowId, runId, type: workflowType }: WorkflowExecutionInfo, type: string) {
    if (!(type in failures)) return false
    if (workflowType === order || goneMeanwhile.includes(type)) return true
    if (workflowType === accountDeletionType && deletionRefusals.includes(type)) return true
    const update = failsAsItsAnswer.get(workflowType)
    if (update === undefined) return false
    const { events } = await temporal.workflow.getHandle(workflowId, runId).fetchHistory()
    const outcomes = (events ?? []).flatMap(({ workflowExecutionUpdateCompletedEventAttributes: completed }) => {
      const id = completed?.meta?.updateId
      return completed && isUpdate(events ?? [], id, update) ? [completed.outcome] : []
    })
    // Who had the answer relies on the rest.
    return outcomes.length > 0 && outcomes.every((outcome) => !outcome?.success)
  }
}

/** Whether an update of this id has that name. */
const isUpdate = (
  events: readonly protocol.api.history.v1.IHistoryEvent[],
  id: string | null | undefined,
  name: string,
): boolean =>
  events.some(({ workflowExecutionUpdateAcceptedEventAttributes: accepted }) => {
    const { meta, input } = accepted?.acceptedRequest ?? {}
    return meta?.updateId === id && input?.name === name
  })
