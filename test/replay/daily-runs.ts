/** Scenarios of scheduled runs. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ScheduleOverlapPolicy } from '@temporalio/client'
import { startWorker } from '../../worker/run-worker.ts'
import { type BackupResult, backupType, restoreDrillType } from '../../workflows/backup/backup.contract.ts'
import { catalogueSyncType } from '../../workflows/catalogue/catalogue-sync.contract.ts'
import { draftSweepType } from '../../workflows/housekeeping/draft-sweep.contract.ts'
import { housekeepingType } from '../../workflows/housekeeping/housekeeping.contract.ts'
import { keyCheckType } from '../../workflows/keys/key-rotation.contract.ts'
import { paymentSweepType } from '../../workflows/order/payment-sweep.contract.ts'
import { type ReconciliationInput, reconciliationType } from '../../workflows/reconciliation/reconciliation.contract.ts'
import { inactivitySweepType } from '../../workflows/retention/account-inactivity.contract.ts'
import { booksCohortsType } from '../../workflows/retention/invoice-retention.contract.ts'
import { transparencyNightType } from '../../workflows/transparency/transparency-night.contract.ts'
import { always } from '../harness/checks/placements.ts'
import { closeForRestore, loseOrder, startRestoreRun } from '../harness/lost.ts'
import type { Product } from '../harness/product.ts'
import { until } from '../harness/until.ts'
import { orderSteps, runSteps, type Scenario } from './scenario.ts'

export const dailyRuns: Record<string, Scenario> = {
  'catalogue-sync-done': async (product) => {
    const { start, untilClosed } = runSteps(product)
    return untilClosed(await start(catalogueSyncType))
  },
  'catalogue-sync-left-to-the-next': async (product) => {
    const { forward, untilClosed } = runSteps(product)
    return untilClosed(await forward(await syncWithoutAiralo(product), '1 hour'))
  },
  'catalogue-sync-waits-for-a-provider': async (product) => {
    const { forward, untilIt } = runSteps(product)
    return forward(await untilIt(await syncWithoutAiralo(product), 'asking_again'), '2 minutes')
  },
  'inactivity-sweep-done': async (product) => ended(product, inactivitySweepType),
  'inactivity-sweep-given-up': async (product) => withoutTable(product, inactivitySweepType, 'inactivity'),
  'books-cohorts-done': async (product) => {
    await orderSteps(product).bought('delivered')
    return ended(product, booksCohortsType)
  },
  'books-cohorts-given-up': async (product) => withoutTable(product, booksCohortsType, 'order_facts'),
  'key-check-done': async (product) => ended(product, keyCheckType),
  'key-check-given-up': async (product) => withoutTable(product, keyCheckType, 'encryption_keys'),
  'draft-sweep-done': async (product) => ended(product, draftSweepType),
  'draft-sweep-that-knows-the-one-before': async (product) => afterOneBefore(product, draftSweepType),
  'draft-sweep-given-up': async (product) => withoutTable(product, draftSweepType, 'campaigns'),
  'payment-sweep-done': async (product) => ended(product, paymentSweepType),
  'payment-sweep-given-up': async (product) => withoutTable(product, paymentSweepType, 'payment_sweeps'),
  'reconciliation-done': async (product) => {
    await orderSteps(product).bought('delivered')
    return ended(product, reconciliationType)
  },
  'reconciliation-without-a-provider': async (product) => {
    await product.sims.airalo.fault({ match: { path: '/v2/orders' }, times: always, status: 503 })
    const { start, forward, untilClosed } = runSteps(product)
    return untilClosed(await forward(await start(reconciliationType), '21 hours'))
  },
  'reconciliation-given-up': async (product) => withoutTable(product, reconciliationType, 'reconciliations'),
  'reconciliation-of-balances': async (product) =>
    ended(product, reconciliationType, [{ only: 'provider_balances' } satisfies ReconciliationInput]),
  'housekeeping-done': async (product) => ended(product, housekeepingType),
  'housekeeping-with-notices': async (product) => ended(product, housekeepingType),
  'housekeeping-given-up': async (product) => withoutTable(product, housekeepingType, 'webhook_events'),
  'transparency-night-done': async (product) => ended(product, transparencyNightType),
  'transparency-night-given-up': async (product) => withoutTable(product, transparencyNightType, 'signing_keys'),
  'backup-kept': async (product) => ended(product, backupType),
  'backup-failed': async (product) => {
    const empty = await mkdtemp(join(tmpdir(), 'no-tools-'))
    const TEMPORAL_TASK_QUEUE = 'without-tools'
    const config = { ...product.config, PG_TOOLS_FOLDER: empty, TEMPORAL_TASK_QUEUE }
    const { temporal } = product
    const worker = await startWorker(
      { ...product.context, config, temporal },
      { environment: product.settings, drainMs: 1_000 },
    )
    const { start, untilClosed } = runSteps({ ...product, config })
    const workflowId = await untilClosed(await start(backupType))
    await worker.stop()
    await rm(empty, { recursive: true })
    return workflowId
  },
  'restore-drill-done': async (product) => {
    await backUp(product)
    return ended(product, restoreDrillType)
  },
  'restore-drill-of-a-damaged-backup': async (product) => {
    const { id } = await backUp(product)
    const damaged = join(product.config.BACKUP_FOLDER, `dump-${id}.enc`)
    await writeFile(damaged, '')
    const workflowId = await ended(product, restoreDrillType, [{ backupId: id }])
    await rm(damaged)
    return workflowId
  },
  'restore-completed': async (product) => {
    const workflowId = await startedRestore(product)
    return runSteps(product).untilClosed(workflowId)
  },
  'restore-left-to-an-operator': async (product) => {
    const { forward, untilClosed } = runSteps(product)
    await refuseRefunds(product)
    return untilClosed(await forward(await startedRestore(product), '8 days'))
  },
  'restore-open-and-waits-for-the-processor': async (product) => {
    const { forward, untilIt } = runSteps(product)
    await refuseRefunds(product)
    return untilIt(await forward(await startedRestore(product), '30 minutes'), 'open')
  },
  'restore-waits-for-the-processor': async (product) => {
    await refuseRefunds(product)
    return runSteps(product).forward(await startedRestore(product), '10 minutes')
  },
}

async function ended(product: Product, type: string, args: unknown[] = []): Promise<string> {
  const { start, untilClosed } = runSteps(product)
  return untilClosed(await start(type, args))
}

/** The second run of a schedule, which has the result of the first one. */
async function afterOneBefore(product: Product, workflowType: string): Promise<string> {
  const { schedule } = product.temporal
  const workflowId = `${workflowType}-${randomUUID()}`
  const handle = await schedule.create({
    scheduleId: workflowId,
    spec: {},
    action: { type: 'startWorkflow', workflowType, workflowId, taskQueue: product.config.TEMPORAL_TASK_QUEUE },
  })
  let started: string[] = []
  for (let runs = 1; runs <= 2; runs += 1) {
    // Runs that may overlap get no result of another one.
    await handle.trigger(ScheduleOverlapPolicy.BUFFER_ONE)
    await until('the schedule has started a run', async () => {
      const { info } = await handle.describe()
      started = info.recentActions.map(({ action }) => action.workflow.workflowId)
      return started.length === runs
    })
    await runSteps(product).untilClosed(started.at(-1) ?? '')
  }
  await handle.delete()
  return started.at(-1) ?? ''
}

/** The infrastructure is down for longer than the run retries. */
async function withoutTable(product: Product, type: string, table: string): Promise<string> {
  const { start, forward, untilClosed } = runSteps(product)
  const { sql } = product.context
  await sql`alter table ${sql(table)} rename to away`
  try {
    return await untilClosed(await forward(await start(type), '1 day'))
  } finally {
    await sql`alter table away rename to ${sql(table)}`
  }
}

async function backUp(product: Product): Promise<BackupResult> {
  return product.temporal.workflow.getHandle(await ended(product, backupType)).result()
}

async function syncWithoutAiralo(product: Product): Promise<string> {
  await product.sims.airalo.fault({ match: { path: '/v2/packages' }, times: always, status: 503 })
  return runSteps(product).start(catalogueSyncType)
}

async function startedRestore(product: Product): Promise<string> {
  const order = await loseOrder(product)
  return startRestoreRun(product, await closeForRestore(product, [order]))
}

const refuseRefunds = ({ sims }: Product) =>
  sims.stripe.fault({ match: { method: 'POST', path: '^/v1/refunds' }, status: 503, times: always })
