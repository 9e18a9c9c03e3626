/** Begins and ends a reconciliation, and reads the backup store. */
import { heartbeat } from '@temporalio/activity'
import type { WorkerContext } from '../../context.ts'
import { openBackupFolder } from '../../db/backup/backup-folder.ts'
import { recordStore } from '../../db/backup/backup-store.ts'
import { deleteErasedReferences } from '../../db/erasure/erased-references.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../../db/operator-tasks.ts'
import { deleteReadings, recordProcessorBalances } from '../../db/reconciliation/balances.ts'
import { listHeldTwice } from '../../db/reconciliation/placements.ts'
import {
  acceptDecided,
  carryOver,
  countDifferences,
  deleteReconciliations,
  endInFlight,
  finishReconciliation,
  insertReconciliation,
  lastCompleteStart,
  raiseDifferences,
  recordDifferences,
  resolveGone,
} from '../../db/reconciliation/reconciliations.ts'
import { periods } from '../../policy/periods.ts'
import { waitingForLimits } from '../../providers/failure.ts'
import { plusMs } from '../../shared/calendar.ts'
import { entriesOf } from '../../shared/keys-of.ts'
import type {
  ReconciliationActivities,
  ReconciliationReport,
} from '../../workflows/reconciliation/reconciliation.contract.ts'
import { createBalanceReadings } from './balances.ts'
import { createPaymentComparison } from './payments.ts'
import { createProviderComparison } from './providers.ts'
import { balanceReadUntil, createStripeComparison } from './stripe.ts'
import { differs } from './tally.ts'

const incompleteTask = 'reconciliation_incomplete'

/** A comparison that waits for the limits of the party that it reads: it may ask a thousand questions. */
const patient =
  <Input, Compared>(compare: (input: Input) => Promise<Compared>) =>
  (input: Input): Promise<Compared> =>
    waitingForLimits(heartbeat, () => compare(input))

export function createReconciliationActivities(context: WorkerContext): ReconciliationActivities {
  const { sql, config } = context

  const { comparePayments, compareRefunds, compareOlderPayments } = createPaymentComparison(context)
  const { compareDisputes, compareProcessorBalance, comparePayouts } = createStripeComparison(context)
  const { compareProvider } = createProviderComparison(context)

  return {
    comparePayments: patient(comparePayments),
    compareRefunds: patient(compareRefunds),
    compareOlderPayments: patient(compareOlderPayments),
    compareDisputes: patient(compareDisputes),
    compareProcessorBalance: patient(compareProcessorBalance),
    comparePayouts: patient(comparePayouts),
    compareProvider: patient(compareProvider),
    ...createBalanceReadings(context),

    async openReconciliation({ reconciliationId, asOf }) {
      const at = new Date(asOf)
      const { lookBackMs, staleAfterMs } = periods.reconciliation
      // After a long silence it reads from where the last one has read to, and as much before.
      const last = await lastCompleteStart(sql)
      const isOverdue = last !== undefined && plusMs(last, staleAfterMs) < at
      const readFrom = plusMs(isOverdue ? last : at, -lookBackMs)
      await insertReconciliation(sql, { id: reconciliationId, at, readFrom })
      return { from: readFrom.toISOString() }
    },

    async readBackupStore({ asOf }) {
      const files = await openBackupFolder(config.BACKUP_FOLDER, config.BACKUP_KEYS).list('dump')
      await recordStore(sql, files, new Date(asOf))
      return { files: files.length }
    },

    async closeReconciliation({ reconciliationId, from, asOf, findings }) {
      const at = new Date(asOf)
      const readFrom = new Date(from)
      const twice = await listHeldTwice(sql, readFrom)
      await recordDifferences(
        sql,
        reconciliationId,
        twice.map(({ order_id, placed_after }) =>
          differs('placed_twice', { id: order_id, part: 'both', at: placed_after }, 'both providers hold eSIMs of it'),
        ),
      )
      heartbeat()
      await carryOver(sql, reconciliationId, readFrom)
      await endInFlight(sql, reconciliationId, plusMs(at, -periods.reconciliation.inFlightMs))
      await acceptDecided(sql, reconciliationId)
      await raiseDifferences(sql, reconciliationId, at)
      heartbeat()
      const report: ReconciliationReport = { ...findings, explained: {}, unexplained: {} }
      for (const [kind, { in_flight: _, ...others }] of entriesOf(findings.explained))
        if (Object.keys(others).length > 0) report.explained[kind] = others
      // What was in flight for too long is another line now.
      for (const { kind, explainedBy, count } of await countDifferences(sql, reconciliationId)) {
        if (explainedBy === null) report.unexplained[kind] = count
        else report.explained[kind] = { ...report.explained[kind], [explainedBy]: count }
      }
      const task = { kind: incompleteTask, subjectId: 'nightly', at }
      if (findings.failed.length > 0) await raiseOperatorTask(sql, { ...task, detail: findings.failed.join(', ') })
      else {
        await resolveGone(sql, reconciliationId, { startedAt: at, at })
        await resolveOperatorTask(sql, { ...task, by: 'reconciliation' })
      }
      await recordProcessorBalances(sql, findings.sums, balanceReadUntil(at))
      await finishReconciliation(sql, { id: reconciliationId, at: new Date(), report })
      await deleteReconciliations(sql, plusMs(at, -periods.reconciliationsMs))
      await deleteReadings(sql, plusMs(at, -periods.reconciliationsMs))
      await deleteErasedReferences(sql, at)
      return report
    },
  }
}
