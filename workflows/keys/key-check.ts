/** Daily, S1: notes which keys there are, and shows operators one that has been in use for too long. */
import { proxyActivities } from '@temporalio/workflow'
import * as retry from '../run/retry.ts'
import { describe } from '../run/run-status.ts'
import type { KeyRotationActivities } from './key-rotation.contract.ts'

const { checkKeys } = proxyActivities<KeyRotationActivities>(retry.untilTomorrow)

export async function keyCheck(): Promise<void> {
  describe({ status: 'checking', waitingFor: 'the database', dueAt: null })
  await checkKeys({ asOf: new Date().toISOString() })
}
