/** Runs that a schedule starts: how they end, and what they leave to the next. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startWorker } from '../../worker/run-worker.ts'
import { type BackupResult, backupType, restoreDrillType } from '../../workflows/backup/backup.contract.ts'
import { catalogueSyncType } from '../../workflows/catalogue-sync.contract.ts'
import { draftSweepType } from '../../workflows/draft-sweep.contract.ts'
import { housekeepingType } from '../../workflows/housekeeping.contract.ts'
import { keyCheckType } from '../../workflows/keys/key-rotation.contract.ts'
import { inactivitySweepType } from '../../workflows/retention/account-inactivity.contract.ts'
import { booksCohortsType } from '../../workflows/retention/invoice-retention.contract.ts'
import { always } from '../harness/checks/placements.ts'
import type { Stage } from '../harness/product.ts'
import { orderSteps, runSteps, type Scenario } from './scenario.ts'

export const dailyRuns: Record<string, Scenario> = {
  'catalogue-sync-done': async (stage) => {
    const { start, untilClosed } = runSteps(stage)
    return untilClosed(await start(catalogueSyncType))
  },
  'catalogue-sync-left-to-the-next': async (stage) => {
    const { forward, untilClosed } = runSteps(stage)
    return untilClosed(await forward(await syncWithoutAiralo(stage), '1 hour'))
  },
  'catalogue-sync-waits-for-a-provider': async (stage) => {
    const { forward, untilIt } = runSteps(stage)
    return forward(await untilIt(await syncWithoutAiralo(stage), 'asking_again'), '2 minutes')
  },
  'inactivity-sweep-done': async (stage) => ended(stage, inactivitySweepType),
  'inactivity-sweep-given-up': async (stage) => withoutTable(stage, inactivitySweepType, 'inactivity'),
  'books-cohorts-done': async (stage) => {
    await orderSteps(stage).bought('delivered')
    return ended(stage, booksCohortsType)
  },
  'books-cohorts-given-up': async (stage) => withoutTable(stage, booksCohortsType, 'order_facts'),
  'key-check-done': async (stage) => ended(stage, keyCheckType),
  'key-check-given-up': async (stage) => withoutTable(stage, keyCheckType, 'encryption_keys'),
  'draft-sweep-done': async (stage) => ended(stage, draftSweepType),
  'draft-sweep-given-up': async (stage) => withoutTable(stage, draftSweepType, 'campaigns'),
  'housekeeping-done': async (stage) => ended(stage, housekeepingType),
  'housekeeping-given-up': async (stage) => withoutTable(stage, housekeepingType, 'webhook_events'),
  'backup-kept': async (stage) => ended(stage, backupType),
  'backup-failed': async (stage) => {
    const empty = await mkdtemp(join(tmpdir(), 'no-tools-'))
    const TEMPORAL_TASK_QUEUE = 'without-tools'
    const config = { ...stage.config, PG_TOOLS_FOLDER: empty, TEMPORAL_TASK_QUEUE }
    const { temporal } = stage
    const worker = await startWorker(
      { ...stage.context, config, temporal },
      { environment: stage.settings, drainMs: 1_000 },
    )
    const { start, untilClosed } = runSteps({ ...stage, config })
    const workflowId = await untilClosed(await start(backupType))
    await worker.stop()
    await rm(empty, { recursive: true })
    return workflowId
  },
  'restore-drill-done': async (stage) => {
    await backUp(stage)
    return ended(stage, restoreDrillType)
  },
  'restore-drill-of-a-damaged-backup': async (stage) => {
    const { id } = await backUp(stage)
    const damaged = join(stage.config.BACKUP_FOLDER, `dump-${id}.enc`)
    await writeFile(damaged, '')
    const workflowId = await ended(stage, restoreDrillType, [{ backupId: id }])
    await rm(damaged)
    return workflowId
  },
}

async function ended(stage: Stage, type: string, args: unknown[] = []): Promise<string> {
  const { start, untilClosed } = runSteps(stage)
  return untilClosed(await start(type, args))
}

/** What the run needs is away for longer than it tries. */
async function withoutTable(stage: Stage, type: string, table: string): Promise<string> {
  const { start, forward, untilClosed } = runSteps(stage)
  const { sql } = stage.context
  await sql`alter table ${sql(table)} rename to away`
  try {
    return await untilClosed(await forward(await start(type), '1 day'))
  } finally {
    await sql`alter table away rename to ${sql(table)}`
  }
}

async function backUp(stage: Stage): Promise<BackupResult> {
  return stage.temporal.workflow.getHandle(await ended(stage, backupType)).result()
}

async function syncWithoutAiralo(stage: Stage): Promise<string> {
  await stage.sims.airalo.fault({ match: { path: '/v2/packages' }, times: always, status: 503 })
  return runSteps(stage).start(catalogueSyncType)
}
