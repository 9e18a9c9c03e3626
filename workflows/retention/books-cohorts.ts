/** Daily, for R2 (the books are purged after seven years): starts the run of every month of the books that has none. */
import { proxyActivities } from '@temporalio/workflow'
import * as retry from '../run/retry.ts'
import { showStatusDetails } from '../run/run-status.ts'
import type { InvoiceRetentionActivities } from './invoice-retention.contract.ts'

const { openRetentionRuns } = proxyActivities<InvoiceRetentionActivities>(retry.dailyStep)

export async function booksCohorts(): Promise<{ months: number }> {
  showStatusDetails({ status: 'opening', waitingFor: 'the database', dueAt: null })
  return openRetentionRuns()
}
