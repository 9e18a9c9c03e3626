/** Contract of the transparency log's nightly run. Code outside of workflows may import it. */

export const transparencyNightType = 'transparencyNight'
/** Id of runs that are started by hand; Temporal adds the time to the ids of scheduled runs. */
export const transparencyNightWorkflowId = 'transparency-night'

export interface TransparencyNightReport {
  appended: number
  /** the end of the log, kept outside of the database by this result, too */
  head: { seq: number; hash: string }
}

/** All times are ISO 8601. `asOf` is the workflow's time, by which activities decide. */
export interface TransparencyNightActivities {
  /**
   * Appends what is not in the log yet: deletions, posted policies, signing keys, and the evidence of the day.
   * Repeatable.
   */
  appendToLog(input: { asOf: string }): Promise<{ appended: number }>
  /** Copies the log to the backup folder, and shows the entries that are in the copy. Repeatable. */
  publishLog(input: { asOf: string }): Promise<TransparencyNightReport['head']>
}
