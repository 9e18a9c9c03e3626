/** Nightly: what was promised and done is appended to the transparency log, copied outside, and shown. */
import { proxyActivities } from '@temporalio/workflow'
import * as retry from '../run/retry.ts'
import { showStatusDetails } from '../run/run-status.ts'
import type { TransparencyNightActivities, TransparencyNightReport } from './transparency-night.contract.ts'

const { appendToLog, publishLog } = proxyActivities<TransparencyNightActivities>(retry.dailyStep)

export async function transparencyNight(): Promise<TransparencyNightReport> {
  showStatusDetails({ status: 'appending', waitingFor: 'the database', dueAt: null })
  const clock = { asOf: new Date().toISOString() }
  const { appended } = await appendToLog(clock)
  return { appended, head: await publishLog(clock) }
}
