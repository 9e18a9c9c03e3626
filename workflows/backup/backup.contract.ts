/** The face of R3: a backup a day, none older than thirty days, and drills that show what a restore does. Import-safe. */

export const backupType = 'backup'
/** Of runs that somebody asks for; the schedule's carry its own id and their time. */
export const backupWorkflowId = 'backup'

/** A backup's id from the time of its run; in order of time, and fit for a file name. */
export const backupIdOf = (at: Date): string => at.toISOString().replaceAll(/[:.]/g, '-')

export const restoreDrillType = 'restoreDrill'
/** One at a time: each restores a whole database. */
export const restoreDrillWorkflowId = 'restore-drill'

export interface BackupResult {
  id: string
  made: { state: 'kept'; bytes: number } | { state: 'failed'; code: string }
  pruned: number
}

export interface RestoreDrillInput {
  /** the newest unless given */
  backupId?: string
}

export interface DrillResult {
  backupId: string
  accounts: number
  cameBack: number
  readable: number
  erasedAgain: number
  left: number
  erasedTwice: number
  seconds: number
}

/** Every time in and out is ISO 8601. `asOf` is the workflow's clock, the only clock that decides. */
export interface BackupActivities {
  /**
   * Dumps the database without its data keys, then writes the snapshot of the keys and the copy of the ledger, and
   * removes the older ones. Repeatable. @throws BackupToolMissing, BackupFailed
   */
  makeBackup(input: { id: string; asOf: string }): Promise<{ bytes: number }>
  /** Shows operators that there is no backup of this day. */
  noteBackupFailure(input: { id: string; code: string; asOf: string }): Promise<void>
  /** Removes what would be older than thirty days before the next run, whatever the catalogue says. Repeatable. */
  pruneBackups(input: { asOf: string }): Promise<{ pruned: number }>
  /** Restores into a database of its own, which is dropped afterwards. @throws BackupToolMissing, BackupFailed */
  drillRestore(input: RestoreDrillInput & { asOf: string }): Promise<DrillResult>
}
