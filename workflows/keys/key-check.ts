/** Daily, S1: notes which keys there are, and shows operators one that has been in use for too long. */
import { proxyActivities } from '@temporalio/workflow'
import * as retry from '../run/retry.ts'
import { showStatusDetails } from '../run/run-status.ts'
import type { KeyRotationActivities } from './key-rotation.contract.ts'

const { checkKeys } = proxyActivities<KeyRotationActivities>(retry.dailyStep)

export async function keyCheck(): Promise<void> {
  showStatusDetails({ status: 'checking', waitingFor: 'the database', dueAt: null })
  await checkKeys({ asOf: new Date().toISOString() })
}
