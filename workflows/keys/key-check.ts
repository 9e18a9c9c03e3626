/**
 * Daily, for S1 (data is encrypted): records the keys, and makes an operator task of a key that has been in use for too
 * long.
 */
import { proxyActivities } from '@temporalio/workflow'
import * as retry from '../run/retry.ts'
import { showStatusDetails } from '../run/run-status.ts'
import type { KeyRotationActivities } from './key-rotation.contract.ts'

const { checkKeys } = proxyActivities<KeyRotationActivities>(retry.dailyStep)

export async function keyCheck(): Promise<void> {
  showStatusDetails({ status: 'checking', waitingFor: 'the database', dueAt: null })
  await checkKeys({ asOf: new Date().toISOString() })
}
