/** On demand, R3: what a restore brings back, and that the ledger takes it away again. */
import { proxyActivities } from '@temporalio/workflow'
import type { BackupActivities, DrillResult, RestoreDrillInput } from './backup.contract.ts'
import * as retry from './retry.ts'
import { describe } from './standing.ts'

const { drillRestore } = proxyActivities<BackupActivities>(retry.drill)

export async function restoreDrill(input: RestoreDrillInput = {}): Promise<DrillResult> {
  describe({ status: 'restoring', waitingFor: 'the database', dueAt: null })
  return drillRestore({ ...input, asOf: new Date().toISOString() })
}
