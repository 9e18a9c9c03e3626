/** All schedules. Each start of a worker updates Temporal's schedules to this list. */
import { setTimeout as pause } from 'node:timers/promises'
import {
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type ScheduleSpec,
} from '@temporalio/client'
import type { Duration } from '@temporalio/common'
import { schedulePrefix } from '../api/evidence/silent-schedules.ts'
import type { Log } from '../shared/log.ts'
import { backupType, backupWorkflowId } from '../workflows/backup/backup.contract.ts'
import { catalogueSyncType, catalogueSyncWorkflowId } from '../workflows/catalogue/catalogue-sync.contract.ts'
import { draftSweepType, draftSweepWorkflowId } from '../workflows/housekeeping/draft-sweep.contract.ts'
import { housekeepingType, housekeepingWorkflowId } from '../workflows/housekeeping/housekeeping.contract.ts'
import { keyCheckType, keyCheckWorkflowId } from '../workflows/keys/key-rotation.contract.ts'
import { paymentSweepType, paymentSweepWorkflowId } from '../workflows/order/payment-sweep.contract.ts'
import {
  providerBalancesWorkflowId,
  type ReconciliationInput,
  reconciliationType,
  reconciliationWorkflowId,
} from '../workflows/reconciliation/reconciliation.contract.ts'
import { inactivitySweepType, inactivitySweepWorkflowId } from '../workflows/retention/account-inactivity.contract.ts'
import { booksCohortsType, booksCohortsWorkflowId } from '../workflows/retention/invoice-retention.contract.ts'
import {
  transparencyNightType,
  transparencyNightWorkflowId,
} from '../workflows/transparency/transparency-night.contract.ts'

export interface ScheduleEntry {
  /** In Temporal the id has a prefix, so that schedules of other applications are left alone. */
  id: string
  workflowType: string
  /** what its runs do, as Temporal's Web UI lists them */
  summary: string
  /** a cron expression of five fields in UTC, or an interval */
  when: { cron: string } | { every: Duration }
  args?: unknown[]
  /** by default the worker's task queue */
  taskQueue?: string
  /** also runs once when the schedule is created */
  atOnce?: boolean
}

const schedules: readonly ScheduleEntry[] = [
  {
    id: catalogueSyncWorkflowId,
    workflowType: catalogueSyncType,
    summary: 'The offers of the providers',
    when: { every: '1 hour' },
    atOnce: true,
  },
  { id: backupWorkflowId, workflowType: backupType, summary: 'The nightly backup', when: { cron: '0 3 * * *' } },
  {
    id: inactivitySweepWorkflowId,
    workflowType: inactivitySweepType,
    summary: 'Looks for accounts that nobody uses',
    when: { cron: '15 2 * * *' },
  },
  {
    id: booksCohortsWorkflowId,
    workflowType: booksCohortsType,
    summary: 'Starts the runs that keep the books',
    when: { cron: '45 2 * * *' },
  },
  {
    id: keyCheckWorkflowId,
    workflowType: keyCheckType,
    summary: 'Looks for data under old keys',
    when: { cron: '35 2 * * *' },
    atOnce: true,
  },
  {
    id: draftSweepWorkflowId,
    workflowType: draftSweepType,
    summary: 'Looks for rows without a run',
    when: { every: '10 minutes' },
  },
  {
    id: paymentSweepWorkflowId,
    workflowType: paymentSweepType,
    summary: 'Reads what Stripe has seen',
    when: { every: '1 hour' },
    atOnce: true,
  },
  {
    id: transparencyNightWorkflowId,
    workflowType: transparencyNightType,
    summary: 'The entries of the transparency log',
    when: { cron: '30 1 * * *' },
  },
  {
    id: reconciliationWorkflowId,
    workflowType: reconciliationType,
    summary: 'Compares our books with those outside',
    when: { cron: '30 4 * * *' },
  },
  {
    id: providerBalancesWorkflowId,
    workflowType: reconciliationType,
    summary: 'Reads the balances at the providers',
    when: { every: '1 hour' },
    args: [{ only: 'provider_balances' } satisfies ReconciliationInput],
  },
  {
    id: housekeepingWorkflowId,
    workflowType: housekeepingType,
    summary: 'Deletes what has expired',
    when: { cron: '5 0 * * *' },
  },
]

/** The ids in Temporal. */
export const scheduleIds = schedules.map(({ id }) => schedulePrefix + id)

/** After an outage a missed run is started late. One is enough, because each run does all that is due. */
const catchupWindow = '1 day' as const

/**
 * Creates missing schedules, updates changed ones and deletes those that are no longer listed. A schedule that an
 * operator has paused stays paused.
 */
export async function reconcileSchedules(
  client: Client,
  defaultTaskQueue: string,
  wanted: readonly ScheduleEntry[] = schedules,
): Promise<void> {
  for (const entry of wanted) await reconcile(client, entry, defaultTaskQueue)
  const ids = new Set(wanted.map(({ id }) => schedulePrefix + id))
  for await (const { scheduleId } of client.schedule.list()) {
    if (scheduleId.startsWith(schedulePrefix) && !ids.has(scheduleId)) await deleteSchedule(client, scheduleId)
  }
}

/**
 * Reconciles the schedules of a worker that may write them, and goes on trying while Temporal refuses or does not
 * answer: the open runs need the worker all the same. Never rejects.
 * @param mayWrite whether this build's schedules count
 */
export async function keepSchedules(
  client: Client,
  taskQueue: string,
  { mayWrite, log, signal, askAgainMs = 30_000 }: KeepOptions,
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      if (await mayWrite()) await reconcileSchedules(client, taskQueue)
      return
    } catch (error) {
      if (attempt % 10 === 0) log.error({ error }, 'the schedules could not be written; they are as they were')
    }
    await pause(askAgainMs, undefined, { signal }).catch(() => undefined)
  }
}

interface KeepOptions {
  mayWrite(): Promise<boolean>
  log: Log
  /** ends the tries */
  signal: AbortSignal
  askAgainMs?: number
}

async function reconcile(client: Client, entry: ScheduleEntry, defaultTaskQueue: string): Promise<void> {
  const { id, workflowType, summary, when, args = [], taskQueue = defaultTaskQueue, atOnce = false } = entry
  const spec: ScheduleSpec = 'cron' in when ? { cronExpressions: [when.cron] } : { intervals: [{ every: when.every }] }
  const definition = {
    spec,
    action: {
      type: 'startWorkflow' as const,
      workflowType,
      workflowId: schedulePrefix + id,
      args,
      taskQueue,
      staticSummary: summary,
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow },
  }
  try {
    await client.schedule.create({
      scheduleId: schedulePrefix + id,
      ...definition,
      ...(atOnce && { state: { triggerImmediately: true } }),
    })
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error
    await client.schedule.getHandle(schedulePrefix + id).update(({ state }) => ({ ...definition, state }))
  }
}

async function deleteSchedule(client: Client, scheduleId: string): Promise<void> {
  try {
    await client.schedule.getHandle(scheduleId).delete()
  } catch (error) {
    // Another worker, started at the same time, has deleted it.
    if (!(error instanceof ScheduleNotFoundError)) throw error
  }
}
