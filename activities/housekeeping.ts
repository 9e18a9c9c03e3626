/** What is past its day goes, what stands too long is shown. */
import { heartbeat } from '@temporalio/activity'
import type { WorkerContext } from '../context.ts'
import { forgetIdempotencyKeys, forgetTokens, forgetWebhookEvents } from '../db/expired.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../db/operator-tasks.ts'
import { listOverdueOrders, listSubjectsOfOpenTasks } from '../db/overdue.ts'
import { dropPartitions, ensurePartitions } from '../db/security-log.ts'
import { milliseconds, periods } from '../policy/periods.ts'
import { plusDays, plusMs } from '../shared/calendar.ts'
import type { HousekeepingActivities } from '../workflows/housekeeping.contract.ts'

const batchSize = 5_000
/** beyond this many nobody reads on, and the cause is one */
const reportedAtMost = 500
/** a deadline is met a little late when many fall together, or after a restart */
const graceMs = 15 * milliseconds.minute

export function createHousekeepingActivities(context: WorkerContext): HousekeepingActivities {
  const { sql, temporal } = context

  return {
    async turnSecurityLog({ asOf }) {
      const at = new Date(asOf)
      const { keepDays, partitionsAheadDays } = periods.securityLog
      await ensurePartitions(sql, at, partitionsAheadDays + 1)
      // The next run is a day away: nothing may come of age until then.
      return { partitionsDropped: await dropPartitions(sql, plusDays(at, 1 - keepDays)) }
    },

    async forgetExpired({ asOf }) {
      const at = new Date(asOf)
      return {
        idempotencyKeys: await inBatches((limit) =>
          forgetIdempotencyKeys(sql, plusMs(at, -periods.idempotencyKeysMs), limit),
        ),
        webhookEvents: await inBatches((limit) =>
          forgetWebhookEvents(sql, plusMs(at, -periods.webhookDedupeMs), limit),
        ),
        tokens: await forgetTokens(sql, at),
      }
    },

    async reportOverdue({ asOf }) {
      const at = new Date(asOf)
      const before = plusMs(at, -graceMs)
      const orders = await listOverdueOrders(sql, {
        before,
        reviewedSince: plusMs(before, -periods.order.reviewWindowMs),
        limit: reportedAtMost,
      })
      const runs = await overdueRuns(before)
      await report('order_overdue', new Map(orders.map(({ id, status }) => [id, status])), at)
      await report('run_overdue', runs, at)
      return { orders: orders.length, runs: runs.size }
    },
  }

  /** Runs that are tied to nobody: an account's are known by their orders, or wait for its owner. */
  async function overdueRuns(before: Date): Promise<Map<string, string>> {
    const query = `ExecutionStatus = "Running" AND DueAt < "${before.toISOString()}" AND AccountRef IS NULL`
    const runs = new Map<string, string>()
    for await (const { workflowId, type } of temporal.workflow.list({ query, pageSize: reportedAtMost })) {
      runs.set(workflowId, type)
      heartbeat()
      if (runs.size === reportedAtMost) break
    }
    return runs
  }

  async function report(kind: string, found: ReadonlyMap<string, string>, at: Date): Promise<void> {
    for (const [subjectId, detail] of found) await raiseOperatorTask(sql, { kind, subjectId, detail, at })
    for (const subjectId of await listSubjectsOfOpenTasks(sql, kind)) {
      if (!found.has(subjectId)) await resolveOperatorTask(sql, { kind, subjectId, by: 'moved_on', at })
    }
  }
}

async function inBatches(forget: (limit: number) => Promise<number>): Promise<number> {
  for (let all = 0; ; ) {
    const gone = await forget(batchSize)
    all += gone
    heartbeat({ gone: all })
    if (gone < batchSize) return all
  }
}
