/**
 * Daily: deletes rows whose period is over (R4: security logs are kept for at most 90 days), and makes operator tasks of
 * what is overdue.
 */
import { proxyActivities } from '@temporalio/workflow'
import type { HousekeepingActivities, HousekeepingReport } from './housekeeping.contract.ts'
import * as retry from './run/retry.ts'
import { showStatusDetails } from './run/run-status.ts'

const { turnSecurityLog, forgetExpired, reportOverdue } = proxyActivities<HousekeepingActivities>(retry.dailyStep)

export async function housekeeping(): Promise<HousekeepingReport> {
  showStatusDetails({ status: 'tidying', waitingFor: 'the database', dueAt: null })
  const clock = { asOf: new Date().toISOString() }
  // A failed step must not prevent the others.
  const [securityLog, forgotten, overdue] = await Promise.allSettled([
    turnSecurityLog(clock),
    forgetExpired(clock),
    reportOverdue(clock),
  ])
  return { securityLog: valueOrThrow(securityLog), forgotten: valueOrThrow(forgotten), overdue: valueOrThrow(overdue) }
}

function valueOrThrow<Value>(result: PromiseSettledResult<Value>): Value {
  if (result.status === 'rejected') throw result.reason
  return result.value
}
