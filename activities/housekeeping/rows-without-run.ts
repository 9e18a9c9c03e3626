/**
 * Rows that say that a run works on them, while none is open: it was ended by hand or has timed out, an operator has
 * deleted it, or Temporal has lost it or kept it no longer. Temporal's list cannot show those that are gone, so each
 * row is compared with the run itself. Another run goes on from the row. docs/faults.md has all kinds of rows.
 */
import { heartbeat } from '@temporalio/activity'
import type { WorkflowExecutionStatusName, WorkflowStartOptions } from '@temporalio/client'
import type { WorkerContext } from '../../context.ts'
import { listOpenBreaches } from '../../db/access/breaches.ts'
import { findClosedRestore, type LeftSubject, listLeftSubjects } from '../../db/backup/restores.ts'
import { setCampaignState } from '../../db/campaigns.ts'
import { endEmailChange } from '../../db/email-changes.ts'
import * as rows from '../../db/operation/rows-with-runs.ts'
import { setBulkActionState } from '../../db/operator/bulk-actions.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { listStatedOrders } from '../../db/order/withdrawals.ts'
import { countNotNotified } from '../../db/policy-deliveries.ts'
import { milliseconds } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import { isLost, startUnlessOpen } from '../../temporal/runs.ts'
import { accountDeletionType, deletionStart } from '../../workflows/account-deletion.contract.ts'
import { restoreStart } from '../../workflows/backup/restore.contract.ts'
import { breachStart } from '../../workflows/breach/breach.contract.ts'
import { campaignStart } from '../../workflows/campaign.contract.ts'
import { emailChangeStart } from '../../workflows/email-change.contract.ts'
import { keyRotationStart } from '../../workflows/keys/key-rotation.contract.ts'
import { bulkActionStart } from '../../workflows/order/bulk-action.contract.ts'
import { withdrawalStart } from '../../workflows/order/withdrawal.contract.ts'
import { policyNoticeStart } from '../../workflows/policy-notice.contract.ts'
import { privacyRequestStart } from '../../workflows/privacy-request.contract.ts'
import { listedAsOpen } from '../erasure/listed-runs.ts'

/** Kind of the operator task of a campaign or bulk action that waits for an operator to resume or cancel it. */
const pausedWithoutRun = 'paused_without_run'

/** A withdrawn version's notices are mailed in days. */
const withdrawnSinceMs = 60 * milliseconds.day
/** A statement that was recorded a moment ago has its caller, who starts the run. */
const graceMs = 10 * milliseconds.minute

/** Of more runs only those are asked about that Temporal does not list as open. */
const askedOneByOne = 200

type Start = WorkflowStartOptions & { type: string }

interface WorkedOn {
  start: Start
  /** what has to be done first */
  prepare?: () => Promise<void>
  /** what is left to do without a run */
  instead?: () => Promise<void>
}

interface Kind {
  list(at: Date): Promise<WorkedOn[]>
  /** how the last run has ended when another one begins, beside those that were ended by hand or have timed out */
  beginsAfter?: readonly WorkflowExecutionStatusName[]
  /**
   * a restore has brought back a row whose run had completed: another run ends the row, once an operator has settled
   * the task
   */
  beginsOnceSettled?: true
}

/**
 * Begins the run of each row once more that has none. A run that has failed would fail again: it is an operator task
 * (lost-runs.ts). @returns how many have begun
 */
export async function beginRowsWithoutRun(context: WorkerContext, at: Date): Promise<number> {
  const { sql, temporal, config, cipher } = context
  const taskQueue = config.TEMPORAL_TASK_QUEUE
  const restores: Kind = {
    list: async () => (await rows.listUnfinishedRestores(sql)).map((id) => ({ start: restoreStart(id, taskQueue) })),
    // Nobody is served before it is complete.
    beginsAfter: ['FAILED'],
  }
  const kinds: readonly Kind[] = [
    restores,
    {
      async list() {
        const open = await rows.listUnfinishedDeletions(sql, at)
        return open.map(({ account_ref: accountRef, reason }) => ({
          start: {
            type: accountDeletionType,
            ...deletionStart({ accountRef, reason }, taskQueue),
            workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          },
        }))
      },
      // An operator has had a step tried again, and nobody has told the run.
      beginsAfter: ['COMPLETED'],
    },
    {
      async list() {
        const stated = await listStatedOrders(sql, { until: plusMs(at, -graceMs) })
        return stated.map(({ id: orderId, account_id }) => ({
          start: withdrawalStart({ orderId, accountRef: cipher.accountRef(account_id) }, taskQueue),
        }))
      },
      // U2, paid means delivered or refunded: an attempt has recorded the statement when its time was over.
      beginsAfter: ['FAILED'],
    },
    {
      async list() {
        const open = await rows.listOpenRequests(sql)
        return open.map(({ id, kind, account_id, received_at: receivedAt, extended_because: because }) => ({
          start: privacyRequestStart(
            {
              id,
              kind,
              receivedAt,
              accountRef: account_id === null ? undefined : cipher.accountRef(account_id),
              extended: because !== null,
            },
            taskQueue,
          ),
        }))
      },
    },
    {
      async list() {
        const open = await listOpenBreaches(sql)
        return open.map(({ id, authority_due_at: authorityDueAt }) => ({
          start: breachStart({ id, authorityDueAt }, taskQueue),
        }))
      },
      beginsOnceSettled: true,
    },
    {
      async list() {
        const open = await rows.listUnendedChanges(sql)
        return open.map(({ id, account_id, expires_at: expiresAt, state }) => ({
          start: emailChangeStart({ id, expiresAt, accountRef: cipher.accountRef(account_id) }, taskQueue),
          // Its addresses have to go.
          ...(state !== 'open' &&
            state !== 'changed' &&
            state !== 'draft' && { instead: () => endEmailChange(sql, id, state, at) }),
        }))
      },
      beginsOnceSettled: true,
    },
    { list: announcedPolicies, beginsOnceSettled: true },
    {
      async list() {
        const open = await rows.listOpenRotations(sql)
        return open.map(({ id: rotationId, purpose, to_key: toKey }) => ({
          start: keyRotationStart({ rotationId, purpose, toKey }, taskQueue),
        }))
      },
      beginsOnceSettled: true,
    },
    { list: campaigns, beginsOnceSettled: true },
    { list: bulkActions, beginsOnceSettled: true },
  ]
  // Runs and rows of a restored database agree once it is complete.
  if (await findClosedRestore(sql)) return begin(restores, new Map())
  // What was done since the dump is lost: an operator decides, and not its row.
  const undecided = new Map((await listLeftSubjects(sql)).map((task) => [task.subject_id, task]))
  let begun = 0
  for (const kind of kinds) begun += await begin(kind, undecided)
  return begun

  async function begin(kind: Kind, undecided: ReadonlyMap<string, LeftSubject>): Promise<number> {
    const lost = new Set<string>()
    const workflowIds = (await kind.list(at)).map(({ start }) => start.workflowId)
    const open = workflowIds.length > askedOneByOne ? await listedAsOpen(temporal, workflowIds, heartbeat) : undefined
    for (const workflowId of workflowIds) {
      heartbeat()
      const restored = undecided.get(workflowId)
      if (open?.has(workflowId) || (restored && !(restored.is_settled && kind.beginsOnceSettled))) continue
      const more = { or: kind.beginsAfter ?? [], completedBefore: restored?.opened_at }
      if (await isLost(temporal, workflowId, more)) lost.add(workflowId)
    }
    if (lost.size === 0) return 0
    // A run that has completed meanwhile has settled its row.
    const still = (await kind.list(at)).filter(({ start }) => lost.has(start.workflowId))
    for (const { start, prepare, instead } of still) {
      heartbeat()
      await prepare?.()
      // Some have one run alone, unless it fails; here it has completed, and its row is from before.
      const again = undecided.has(start.workflowId) && ({ workflowIdReusePolicy: 'ALLOW_DUPLICATE' } as const)
      await (instead ? instead() : startUnlessOpen(temporal, { ...start, ...again }))
    }
    return still.length
  }

  /** Those that wait to take effect, and those whose withdrawal not everybody has heard of. */
  async function announcedPolicies(): Promise<WorkedOn[]> {
    const open: WorkedOn[] = []
    for (const { version, state } of await rows.listAnnouncedPolicies(sql, plusMs(at, -withdrawnSinceMs))) {
      const isOver = state === 'withdrawn' && (await countNotNotified(sql, { version, notice: 'withdrawn' })) === 0
      if (!isOver) open.push({ start: policyNoticeStart({ version, posted: true }, taskQueue) })
    }
    return open
  }

  /** What an operator has ordered, and perhaps stopped in this way, goes on when an operator says so. */
  function paused(subjectId: string, detail: string, pause: () => Promise<unknown>): () => Promise<void> {
    return async () => {
      await raiseOperatorTask(sql, { kind: pausedWithoutRun, subjectId, detail, at })
      await pause()
    }
  }

  async function campaigns(): Promise<WorkedOn[]> {
    const progress = { page: 0, pages: 0, lookedAt: 0, sent: 0, paused: true }
    return (await rows.listOpenCampaigns(sql)).map(({ id, state }) => ({
      start: campaignStart({ campaignId: id, progress }, taskQueue),
      ...(state === 'sending' && { prepare: paused(id, 'campaign', () => setCampaignState(sql, id, 'paused', null)) }),
    }))
  }

  async function bulkActions(): Promise<WorkedOn[]> {
    const progress = { isPaused: true, waits: 0 }
    return (await rows.listOpenBulkActions(sql)).map(({ id, state, started_by, act, order_count: count }) => ({
      start: bulkActionStart(
        { bulkActionId: id, startedBy: started_by ?? '', progress },
        `${act} ${count} orders`,
        taskQueue,
      ),
      ...(state === 'running' && {
        prepare: paused(id, 'bulk_action', () => setBulkActionState(sql, { id, state: 'paused', at })),
      }),
    }))
  }
}
