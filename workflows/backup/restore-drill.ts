/** On demand: restores a backup, and verifies that the deletion ledger erases again what the restore brought back. */
import { proxyActivities } from '@temporalio/workflow'
import * as retry from '../run/retry.ts'
import { showStatusDetails } from '../run/run-status.ts'
import type { BackupActivities, DrillResult, RestoreDrillInput } from './backup.contract.ts'

const { drillRestore } = proxyActivities<BackupActivities>({
  ...retry.wholeDatabase,
  // An operator waits for the result and can start another drill.
  retry: { ...retry.wholeDatabase.retry, maximumAttempts: 2 },
})

export async function restoreDrill(input: RestoreDrillInput = {}): Promise<DrillResult> {
  showStatusDetails({ status: 'restoring', waitingFor: 'the database', dueAt: null })
  return drillRestore({ ...input, asOf: new Date().toISOString() })
}
