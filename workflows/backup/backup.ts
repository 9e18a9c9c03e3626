/** Daily, for R3: an encrypted backup is made, and no backup gets older than thirty days. */
import { ActivityFailure, isCancellation, proxyActivities } from '@temporalio/workflow'
import { failureCode, failureType } from '../../shared/failures.ts'
import * as retry from '../run/retry.ts'
import { showStatusDetails } from '../run/run-status.ts'
import { type BackupActivities, type BackupResult, backupIdOf } from './backup.contract.ts'

const { makeBackup } = proxyActivities<BackupActivities>(retry.wholeDatabase)
const { noteBackupFailure, pruneBackups } = proxyActivities<BackupActivities>(retry.dailyStep)

export async function backup(): Promise<BackupResult> {
  const now = new Date()
  const asOf = now.toISOString()
  const id = backupIdOf(now)
  showStatusDetails({ status: 'dumping', waitingFor: 'the database', dueAt: null })
  const made = await make()
  // R3: backups are kept for at most 30 days, also when the new backup failed.
  const { pruned } = await pruneBackups({ asOf })
  return { id, made, pruned }

  async function make(): Promise<BackupResult['made']> {
    try {
      return { state: 'kept', bytes: (await makeBackup({ id, asOf })).bytes }
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error
      const code = failureCode(error) ?? failureType(error) ?? 'not_in_time'
      await noteBackupFailure({ id, code, asOf: new Date().toISOString() })
      return { state: 'failed', code }
    }
  }
}
