/**
 * Daily: deletes rows whose period is over (R4: security logs are kept for at most 90 days), makes operator tasks of
 * what is overdue, mails notices that people have missed, and retires builds that no run needs.
 */
import { patched, proxyActivities } from '@temporalio/workflow'
import { valueOrThrow } from '../../shared/failures.ts'
import * as retry from '../run/retry.ts'
import { showStatusDetails } from '../run/run-status.ts'
import type { HousekeepingActivities, HousekeepingReport } from './housekeeping.contract.ts'

const { turnSecurityLog, forgetExpired, reportOverdue, retireDrainedBuilds, sendMissedNotices } =
  proxyActivities<HousekeepingActivities>(retry.dailyStep)

export async function housekeeping(): Promise<HousekeepingReport> {
  showStatusDetails({ status: 'tidying', waitingFor: 'the database', dueAt: null })
  const clock = { asOf: new Date().toISOString() }
  // A failed step must not prevent the others.
  const [securityLog, forgotten, overdue, builds, missed] = await Promise.allSettled([
    turnSecurityLog(clock),
    forgetExpired(clock),
    reportOverdue(clock),
    patched('retire-builds') ? retireDrainedBuilds() : undefined,
    patched('missed-notices') ? sendMissedNotices(clock) : undefined,
  ])
  const retired = valueOrThrow(builds)
  const missedNotices = valueOrThrow(missed)
  return {
    securityLog: valueOrThrow(securityLog),
    forgotten: valueOrThrow(forgotten),
    overdue: valueOrThrow(overdue),
    ...(retired && { builds: retired }),
    ...(missedNotices && { missedNotices }),
  }
}
