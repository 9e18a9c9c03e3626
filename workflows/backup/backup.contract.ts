/** Contract of backups and restore drills. Code outside of workflows may import it. */

export const backupType = 'backup'
/** Id of runs that are started by hand; Temporal adds the time to the ids of scheduled runs. */
export const backupWorkflowId = 'backup'

/** Makes a backup's id from the time of its run. Ids sort by time and are valid file names. */
export const backupIdOf = (at: Date): string => at.toISOString().replaceAll(/[:.]/g, '-')

export const restoreDrillType = 'restoreDrill'
/** One id, so that only one drill runs at a time: it restores a whole database. */
export const restoreDrillWorkflowId = 'restore-drill'

export interface BackupResult {
  id: string
  made: { state: 'kept'; bytes: number } | { state: 'failed'; code: string }
  pruned: number
}

export interface RestoreDrillInput {
  /** by default the newest backup */
  backupId?: string
}

export interface DrillResult {
  backupId: string
  /** number of accounts in the restored backup */
  accounts: number
  /** of them: erased since the backup was made, and brought back by the restore */
  cameBack: number
  /** of those: with a data key, so that their columns could be decrypted */
  readable: number
  /** erased again by the replay of the ledger */
  erasedAgain: number
  /** left after the replay; the drill fails unless it is 0 */
  left: number
  /** erased by a second replay; the drill fails unless it is 0 */
  erasedTwice: number
  seconds: number
}

/** All times are ISO 8601. `asOf` is the workflow's time, by which activities decide. */
export interface BackupActivities {
  /**
   * Dumps the database without its data keys, writes a snapshot of the data keys and a copy of the deletion ledger, and
   * deletes the older snapshots and copies. Repeatable. @throws BackupToolMissing, BackupFailed
   */
  makeBackup(input: { id: string; asOf: string }): Promise<{ bytes: number }>
  /** Makes an operator task: there is no backup of this day. */
  noteBackupFailure(input: { id: string; code: string; asOf: string }): Promise<void>
  /**
   * Deletes backups that would be older than thirty days at the next run, also those not listed in the catalogue.
   * Repeatable.
   */
  pruneBackups(input: { asOf: string }): Promise<{ pruned: number }>
  /**
   * Restores a backup into a separate database, which is dropped afterwards.
   * @throws BackupToolMissing, BackupFailed
   */
  drillRestore(input: RestoreDrillInput & { asOf: string }): Promise<DrillResult>
}
