/**
 * Starts or deletes drafts whose run was not started, because the API or Temporal crashed after the row was written.
 * Begins the runs of rows once more that have none, and reports other runs that ended without an outcome to operators.
 * Sends runs the updates that only their rows show.
 */

import { heartbeat } from '@temporalio/activity'
import type { WorkerContext } from '../../context.ts'
import { listBreachDrafts } from '../../db/access/breaches.ts'
import { deleteCampaignDrafts } from '../../db/campaigns.ts'
import { deleteKeyRotationDrafts } from '../../db/crypto/key-rotations.ts'
import { deleteEmailChangeDrafts } from '../../db/email-changes.ts'
import { listPrivacyRequestDrafts } from '../../db/privacy-requests.ts'
import { milliseconds } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import { startUnlessOpen } from '../../temporal/runs.ts'
import { breachStart } from '../../workflows/breach/breach.contract.ts'
import type { DraftSweepActivities } from '../../workflows/housekeeping/draft-sweep.contract.ts'
import { privacyRequestStart } from '../../workflows/privacy-request.contract.ts'
import { createOtherRows } from '../out-of-step/others.ts'
import { reportLostRuns } from './lost-runs.ts'
import { beginRowsWithoutRun } from './rows-without-run.ts'

/** Much longer than a request may take, so that the draft of a request in progress is left alone. */
const graceMs = 10 * milliseconds.minute
const batchSize = 500

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
        (await beginRowsWithoutRun(context, new Date(asOf)))
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
