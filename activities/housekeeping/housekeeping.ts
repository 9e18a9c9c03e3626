/** Activities of the daily housekeeping. */
import { heartbeat } from '@temporalio/activity'
import type { WorkerContext } from '../../context.ts'
import { dropDays, ensureDays } from '../../db/access/daily-partitions.ts'
import { deleteEvents } from '../../db/events/events.ts'
import { deleteRecipients } from '../../db/events/recipients.ts'
import {
  deleteAnsweredRequests,
  deleteIdempotencyKeys,
  deleteOperatorRecords,
  deleteTokens,
  deleteWebhookEvents,
} from '../../db/expired.ts'
import { indexOlderEsims } from '../../db/operator/iccids.ts'
import { listSubjectsOfOpenTasks, raiseOperatorTask, resolveOperatorTask } from '../../db/operator-tasks.ts'
import { deleteVelocity } from '../../db/order/velocity.ts'
import { listOverdueOrders } from '../../db/overdue.ts'
import { deleteAllowances } from '../../db/requests/allowances.ts'
import { milliseconds, periods } from '../../policy/periods.ts'
import { plusDays, plusMs, plusYears } from '../../shared/calendar.ts'
import { isGone } from '../../temporal/listed-runs.ts'
import { retireBuilds } from '../../temporal/worker-deployment.ts'
import type { HousekeepingActivities } from '../../workflows/housekeeping/housekeeping.contract.ts'
import { reviewListedRuns } from '../erasure/listed-runs.ts'
import { inBatches } from './in-batches.ts'
import { createMissedNoticeActivities } from './missed-notices.ts'

const batchSize = 5_000
/** more overdue orders or runs than this have one cause, and an operator needs no more tasks to find it */
const maxReported = 500
/** many deadlines at the same time, or a restart, delay a run a little */
const graceMs = 15 * milliseconds.minute

export function createHousekeepingActivities(context: WorkerContext): HousekeepingActivities {
  const { sql, temporal } = context

  return {
    async turnSecurityLog({ asOf }) {
      const at = new Date(asOf)
      const { keepDays, partitionsAheadDays } = periods.securityLog
      let partitionsDropped = 0
      for (const table of ['security_log', 'access_log'] as const) {
        await ensureDays(sql, table, at, partitionsAheadDays + 1)
        // The next run is a day away, so partitions that would be too old by then are dropped now.
        partitionsDropped += await dropDays(sql, table, plusDays(at, 1 - keepDays))
      }
      return { partitionsDropped }
    },

    async forgetExpired({ asOf }) {
      const at = new Date(asOf)
      return {
        idempotencyKeys: await inBatches(batchSize, (limit) =>
          deleteIdempotencyKeys(sql, plusMs(at, -periods.idempotencyKeysMs), limit),
        ),
        webhookEvents: await inBatches(batchSize, (limit) =>
          deleteWebhookEvents(sql, plusMs(at, -periods.webhookDedupeMs), limit),
        ),
        events: await inBatches(batchSize, (limit) => deleteEvents(sql, plusMs(at, -periods.eventsMs), limit)),
        tokens:
          (await deleteTokens(sql, at, plusMs(at, -periods.endedSignInMs))) +
          (await deleteRecipients(sql, plusDays(at, -periods.securityLog.keepDays))),
        allowances: await inBatches(batchSize, (limit) => deleteAllowances(sql, at, limit)),
        // The next run is a day away, so counts that would be too old by then are deleted now.
        velocity: await inBatches(batchSize, (limit) => deleteVelocity(sql, plusDays(at, 1), limit)),
        operatorRecords: await inBatches(batchSize, (limit) =>
          deleteOperatorRecords(sql, plusYears(at, -periods.operatorRecords.years), limit),
        ),
        // A day after its run would have.
        answeredRequests: await inBatches(batchSize, (limit) =>
          deleteAnsweredRequests(sql, plusDays(at, -1 - periods.privacyRequest.keepAnsweredDays), limit),
        ),
        iccidsIndexed: await indexOlderEsims(context, heartbeat),
      }
    },

    async reportOverdue({ asOf }) {
      const at = new Date(asOf)
      const before = plusMs(at, -graceMs)
      const runs = await overdueRuns(before)
      // Read just before it is reported: an order that was erased in between would get a task that no verification of
      // its deletion finds any more.
      const orders = await listOverdueOrders(sql, {
        before,
        reviewedSince: plusMs(before, -periods.order.reviewWindowMs),
        limit: maxReported,
      })
      await report('order_overdue', new Map(orders.map(({ id, status }) => [id, status])), at)
      await report('run_overdue', runs, at)
      await reviewListedRuns(context, at, heartbeat)
      return { orders: orders.length, runs: runs.size }
    },

    ...createMissedNoticeActivities(context),
    ...createBuildActivities(context),
  }

  /** Overdue runs without an account. Runs of an account are found by their orders, or wait for the person. */
  async function overdueRuns(before: Date): Promise<Map<string, string>> {
    const query = `ExecutionStatus = "Running" AND DueAt < "${before.toISOString()}" AND AccountRef IS NULL`
    const runs = new Map<string, string>()
    for await (const { workflowId, runId, type } of temporal.workflow.list({ query, pageSize: maxReported })) {
      heartbeat()
      // Temporal's list may keep the row of a run that is gone: no operator could make it go on.
      if (await isGone(temporal, { workflowId, runId })) continue
      runs.set(workflowId, type)
      if (runs.size === maxReported) break
    }
    return runs
  }

  async function report(kind: string, found: ReadonlyMap<string, string>, at: Date): Promise<void> {
    for (const [subjectId, detail] of found) await raiseOperatorTask(sql, { kind, subjectId, detail, at })
    // What is not among so many may be overdue all the same.
    if (found.size >= maxReported) return
    for (const subjectId of await listSubjectsOfOpenTasks(sql, kind)) {
      if (!found.has(subjectId)) await resolveOperatorTask(sql, { kind, subjectId, by: 'moved_on', at })
    }
  }
}

/** Builds are known to Temporal only. */
export function createBuildActivities({
  temporal,
  config,
}: Pick<WorkerContext, 'temporal'> & {
  config: Pick<WorkerContext['config'], 'WORKER_DEPLOYMENT' | 'TEMPORAL_TASK_QUEUE'>
}): Pick<HousekeepingActivities, 'retireDrainedBuilds'> {
  const { WORKER_DEPLOYMENT: deploymentName, TEMPORAL_TASK_QUEUE: taskQueue } = config
  return {
    async retireDrainedBuilds() {
      const builds = await retireBuilds({ client: temporal, deploymentName, taskQueue })
      const withOutcome = (wanted: string) =>
        builds.filter(({ outcome }) => outcome === wanted).map(({ buildId }) => buildId)
      return { retired: withOutcome('retired'), workersToStop: withOutcome('served') }
    },
  }
}
