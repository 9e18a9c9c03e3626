/**
 * Starts or deletes drafts whose run was not started, because the API or Temporal crashed after the row was written.
 * Of runs that ended without an outcome it starts those of delivered orders once more, and reports the others to
 * operators. Sends runs the updates that only their rows show.
 */

import { heartbeat } from '@temporalio/activity'
import type { WorkerContext } from '../../context.ts'
import { listBreachDrafts } from '../../db/access/breaches.ts'
import { findClosedRestore } from '../../db/backup/restores.ts'
import { deleteCampaignDrafts } from '../../db/campaigns.ts'
import { deleteKeyRotationDrafts } from '../../db/crypto/key-rotations.ts'
import { deleteEmailChangeDrafts } from '../../db/email-changes.ts'
import { canWithdrawFrom, listStatedOrders } from '../../db/order/withdrawals.ts'
import { listPrivacyRequestDrafts } from '../../db/privacy-requests.ts'
import { milliseconds } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import { describeRun, startUnlessOpen } from '../../temporal/runs.ts'
import { restoreStart } from '../../workflows/backup/restore.contract.ts'
import { breachStart } from '../../workflows/breach/breach.contract.ts'
import type { DraftSweepActivities } from '../../workflows/housekeeping/draft-sweep.contract.ts'
import { withdrawalStart, withdrawalWorkflowId } from '../../workflows/order/withdrawal.contract.ts'
import { privacyRequestStart } from '../../workflows/privacy-request.contract.ts'
import { createOtherRows } from '../out-of-step/others.ts'
import { reportLostRuns } from './lost-runs.ts'

/** Much longer than a request may take, so that the draft of a request in progress is left alone. */
const graceMs = 10 * milliseconds.minute
const batchSize = 500
/** Rows that are older, as of the sweep before, have met many sweeps. */
const statedWithinMs = milliseconds.day
/** longer than all workers may be down: for the first sweep, and for that of a new Temporal */
const firstLookBackMs = 7 * milliseconds.day

export function createDraftSweepActivities(context: WorkerContext): DraftSweepActivities {
  const { sql, config, cipher, temporal } = context
  const otherRows = createOtherRows(context)

  return {
    async settleDrafts({ asOf, lastAsOf }) {
      const before = plusMs(new Date(asOf), -graceMs)
      const readUntil = lastAsOf === undefined ? undefined : new Date(lastAsOf)
      const dropped = await Promise.all([
        // Their callers got an error and may have repeated the request, so these drafts must not start late.
        deleteCampaignDrafts(sql, before),
        deleteEmailChangeDrafts(sql, before),
        deleteKeyRotationDrafts(sql, before),
      ])
      const started =
        (await startPrivacyRequests(before)) +
        (await startBreaches(before)) +
        (await startWithdrawals(before, readUntil ?? plusMs(before, -firstLookBackMs))) +
        (await completeRestore())
      const lost = await reportLostRuns(context, { at: new Date(asOf), readUntil })
      await otherRows.repeatUpdates(new Date(asOf))
      return {
        started: started + lost.followed,
        dropped: dropped.reduce((sum, count) => sum + count, 0),
        lost: lost.reported,
      }
    },
  }

  /** The 72 hours of a breach run, also when its operator got an error. */
  async function startBreaches(before: Date): Promise<number> {
    const drafts = await listBreachDrafts(sql, before)
    for (const { id, authority_due_at: authorityDueAt } of drafts) {
      await startUnlessOpen(temporal, breachStart({ id, authorityDueAt }, config.TEMPORAL_TASK_QUEUE))
    }
    return drafts.length
  }

  /**
   * U2, paid means delivered or refunded: a statement of withdrawal that an attempt has written when its time was over,
   * so that its run has failed and nobody would acknowledge it or carry it out.
   * @param readUntil the time of the last sweep: the workers may have been down for days since
   */
  async function startWithdrawals(before: Date, readUntil: Date): Promise<number> {
    const from = plusMs(readUntil, -statedWithinMs)
    let started = 0
    for (const order of await listStatedOrders(sql, { from, until: before, statuses: canWithdrawFrom })) {
      heartbeat()
      const run = await describeRun(temporal, withdrawalWorkflowId(order.id))
      if (run && run.status.name !== 'FAILED') continue
      const start = { orderId: order.id, accountRef: cipher.accountRef(order.account_id) }
      await startUnlessOpen(temporal, withdrawalStart(start, config.TEMPORAL_TASK_QUEUE))
      started += 1
    }
    return started
  }

  /**
   * U2, paid means delivered or refunded: the API refuses requests until a restored database is complete. The restore's
   * command may have been killed.
   */
  async function completeRestore(): Promise<number> {
    const closed = await findClosedRestore(sql)
    if (!closed) return 0
    await startUnlessOpen(temporal, restoreStart(closed.id, config.TEMPORAL_TASK_QUEUE))
    return 1
  }

  /** G6: privacy requests are answered within 30 days, also those whose sender got an error. */
  async function startPrivacyRequests(before: Date): Promise<number> {
    const drafts = await listPrivacyRequestDrafts(sql, before, batchSize)
    for (const { id, kind, account_id: accountId, received_at: receivedAt } of drafts) {
      heartbeat()
      const accountRef = accountId === null ? undefined : cipher.accountRef(accountId)
      await startUnlessOpen(
        temporal,
        privacyRequestStart({ id, kind, receivedAt, accountRef }, config.TEMPORAL_TASK_QUEUE),
      )
    }
    return drafts.length
  }
}
