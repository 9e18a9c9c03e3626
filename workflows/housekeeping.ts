/** Daily, R4 and more: what is past its day goes, what stands too long is shown. */
import { proxyActivities } from '@temporalio/workflow'
import type { HousekeepingActivities, HousekeepingReport } from './housekeeping.contract.ts'
import * as retry from './run/retry.ts'
import { showStatusDetails } from './run/run-status.ts'

const { turnSecurityLog, forgetExpired, reportOverdue } = proxyActivities<HousekeepingActivities>(retry.dailyStep)

export async function housekeeping(): Promise<HousekeepingReport> {
  showStatusDetails({ status: 'tidying', waitingFor: 'the database', dueAt: null })
  const clock = { asOf: new Date().toISOString() }
  // One that cannot be done must not keep the others from being done.
  const [securityLog, forgotten, overdue] = await Promise.allSettled([
    turnSecurityLog(clock),
    forgetExpired(clock),
    reportOverdue(clock),
  ])
  return { securityLog: settled(securityLog), forgotten: settled(forgotten), overdue: settled(overdue) }
}

function settled<Value>(result: PromiseSettledResult<Value>): Value {
  if (result.status === 'rejected') throw result.reason
  return result.value
}
