/** What happens by the clock. Temporal's Schedules are made to agree with this list whenever a worker starts. */
import {
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type ScheduleSpec,
} from '@temporalio/client'
import type { Duration } from '@temporalio/common'
import { backupType, backupWorkflowId } from '../workflows/backup/backup.contract.ts'
import { catalogueSyncType, catalogueSyncWorkflowId } from '../workflows/catalogue-sync.contract.ts'
import { draftSweepType, draftSweepWorkflowId } from '../workflows/draft-sweep.contract.ts'
import { housekeepingType, housekeepingWorkflowId } from '../workflows/housekeeping.contract.ts'
import { keyCheckType, keyCheckWorkflowId } from '../workflows/keys/key-rotation.contract.ts'
import { inactivitySweepType, inactivitySweepWorkflowId } from '../workflows/retention/account-inactivity.contract.ts'
import { booksCohortsType, booksCohortsWorkflowId } from '../workflows/retention/invoice-retention.contract.ts'

export interface ScheduleEntry {
  /** in Temporal it is prefixed, so that other people's schedules are never touched */
  id: string
  workflowType: string
  /** five fields in UTC, or a period */
  when: { cron: string } | { every: Duration }
  args?: unknown[]
  /** of the workflow's runs; the worker's own unless given */
  taskQueue?: string
  /** runs once as soon as the schedule is made, too */
  atOnce?: boolean
}

const schedules: readonly ScheduleEntry[] = [
  { id: catalogueSyncWorkflowId, workflowType: catalogueSyncType, when: { every: '1 hour' }, atOnce: true },
  { id: backupWorkflowId, workflowType: backupType, when: { cron: '0 3 * * *' } },
  { id: inactivitySweepWorkflowId, workflowType: inactivitySweepType, when: { cron: '15 2 * * *' } },
  { id: booksCohortsWorkflowId, workflowType: booksCohortsType, when: { cron: '45 2 * * *' } },
  { id: keyCheckWorkflowId, workflowType: keyCheckType, when: { cron: '35 2 * * *' }, atOnce: true },
  { id: draftSweepWorkflowId, workflowType: draftSweepType, when: { every: '10 minutes' } },
  { id: housekeepingWorkflowId, workflowType: housekeepingType, when: { cron: '5 0 * * *' } },
]

const prefix = 'ama-'
/** as Temporal knows them */
export const scheduleIds = schedules.map(({ id }) => prefix + id)

/** After an outage: each run looks at all that is due, so that one catches up for all that were missed. */
const catchupWindow = '1 day' as const

/**
 * Makes missing schedules, brings changed ones up to date and deletes those no longer listed. A schedule that an
 * operator has paused stays paused.
 */
export async function reconcileSchedules(
  client: Client,
  defaultTaskQueue: string,
  wanted: readonly ScheduleEntry[] = schedules,
): Promise<void> {
  for (const entry of wanted) await reconcile(client, entry, defaultTaskQueue)
  const ids = new Set(wanted.map(({ id }) => prefix + id))
  for await (const { scheduleId } of client.schedule.list()) {
    if (scheduleId.startsWith(prefix) && !ids.has(scheduleId)) await remove(client, scheduleId)
  }
}

async function reconcile(client: Client, entry: ScheduleEntry, defaultTaskQueue: string): Promise<void> {
  const { id, workflowType, when, args = [], taskQueue = defaultTaskQueue, atOnce = false } = entry
  const spec: ScheduleSpec = 'cron' in when ? { cronExpressions: [when.cron] } : { intervals: [{ every: when.every }] }
  const definition = {
    spec,
    action: { type: 'startWorkflow' as const, workflowType, workflowId: prefix + id, args, taskQueue },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow },
  }
  try {
    await client.schedule.create({
      scheduleId: prefix + id,
      ...definition,
      ...(atOnce && { state: { triggerImmediately: true } }),
    })
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error
    await client.schedule.getHandle(prefix + id).update(({ state }) => ({ ...definition, state }))
  }
}

async function remove(client: Client, scheduleId: string): Promise<void> {
  try {
    await client.schedule.getHandle(scheduleId).delete()
  } catch (error) {
    // Another worker that starts at the same time was first.
    if (!(error instanceof ScheduleNotFoundError)) throw error
  }
}
