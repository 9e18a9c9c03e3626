/**
 * Every night, and when an operator asks: compares our books with those of Stripe and the eSIM providers, and the
 * catalogue of backups with the store. The differences show whether who paid is delivered or refunded (U2), the books
 * are complete (U6) and backups end in time (R3). Hourly it reads the providers' balances only.
 */
import { ActivityFailure, isCancellation, proxyActivities, uuid4 } from '@temporalio/workflow'
import { keysOf } from '../../shared/keys-of.ts'
import * as retry from '../run/retry.ts'
import { showStatusDetails } from '../run/run-status.ts'
import type {
  Compared,
  ReconciliationActivities,
  ReconciliationFindings,
  ReconciliationInput,
  ReconciliationReport,
  ReconciliationStep,
} from './reconciliation.contract.ts'

const compare = proxyActivities<ReconciliationActivities>(retry.dailyStep)
const hourly = proxyActivities<ReconciliationActivities>(retry.hourlyStep)

/** @returns undefined when only the balances were read */
export async function reconciliation({ only }: ReconciliationInput = {}): Promise<ReconciliationReport | undefined> {
  const asOf = new Date().toISOString()
  if (only === 'provider_balances') {
    showStatusDetails({ status: 'reading', waitingFor: 'the eSIM providers', dueAt: null })
    await hourly.readProviderBalances({ reconciliationId: null, asOf })
    return undefined
  }
  showStatusDetails({ status: 'comparing', waitingFor: 'Stripe and the eSIM providers', dueAt: null })
  const reconciliationId = uuid4()
  const { from } = await compare.openReconciliation({ reconciliationId, asOf })
  const input = { reconciliationId, from, asOf }
  const findings: ReconciliationFindings = { compared: {}, failed: [], explained: {}, sums: [], balances: [] }

  // A party that is down must not prevent the comparison with the others.
  await Promise.all([
    step('payments', () => compare.comparePayments(input)),
    step('refunds', () => compare.compareRefunds(input)),
    step('older_payments', () => compare.compareOlderPayments(input)),
    step('disputes', () => compare.compareDisputes(input)),
    step('processor_balance', async () => {
      const { sums, ...compared } = await compare.compareProcessorBalance(input)
      findings.sums = sums
      return compared
    }),
    step('payouts', () => compare.comparePayouts(input)),
    step('esim-access', () => compare.compareProvider({ ...input, provider: 'esim-access' })),
    step('airalo', () => compare.compareProvider({ ...input, provider: 'airalo' })),
    step('provider_balances', async () => {
      const { balances, ...compared } = await compare.readProviderBalances({ reconciliationId, asOf })
      findings.balances = balances
      return compared
    }),
    step('backup_store', async () => ({
      records: (await compare.readBackupStore({ asOf })).files,
      explained: {},
    })),
  ])
  findings.failed.sort()
  return compare.closeReconciliation({ ...input, findings })

  async function step(name: ReconciliationStep, run: () => Promise<Compared>): Promise<void> {
    try {
      const { records, explained } = await run()
      findings.compared[name] = records
      for (const kind of keysOf(explained)) {
        const all = findings.explained[kind] ?? {}
        const its = explained[kind] ?? {}
        for (const rule of keysOf(its)) all[rule] = (all[rule] ?? 0) + (its[rule] ?? 0)
        findings.explained[kind] = all
      }
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error
      findings.failed.push(name)
    }
  }
}
