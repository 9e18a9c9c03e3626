/**
 * Daily, for R1 (accounts unused for three years are erased): starts a run for each account whose first warning is
 * near.
 */
import { proxyActivities } from '@temporalio/workflow'
import * as retry from '../run/retry.ts'
import { showStatusDetails } from '../run/run-status.ts'
import type { InactivityActivities } from './account-inactivity.contract.ts'

const { openInactivityRuns } = proxyActivities<InactivityActivities>(retry.dailyStep)

export async function inactivitySweep(): Promise<{ opened: number }> {
  showStatusDetails({ status: 'looking', waitingFor: 'the database', dueAt: null })
  return openInactivityRuns({ asOf: new Date().toISOString() })
}
