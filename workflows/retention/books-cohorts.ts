/** Daily, R2: a run for every month of the books, so that no order has to open one. */
import { proxyActivities } from '@temporalio/workflow'
import * as retry from '../run/retry.ts'
import { showStatusDetails } from '../run/run-status.ts'
import type { InvoiceRetentionActivities } from './invoice-retention.contract.ts'

const { openRetentionRuns } = proxyActivities<InvoiceRetentionActivities>(retry.dailyStep)

export async function booksCohorts(): Promise<{ months: number }> {
  showStatusDetails({ status: 'opening', waitingFor: 'the database', dueAt: null })
  return openRetentionRuns()
}
