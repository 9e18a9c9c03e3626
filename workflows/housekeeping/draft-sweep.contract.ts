/**
 * Contract of the draft sweep, for rows whose run was never started, or has ended without an outcome. Code outside of
 * workflows may import it.
 */

export const draftSweepType = 'draftSweep'
/** Temporal adds the time to the ids of scheduled runs. */
export const draftSweepWorkflowId = 'draft-sweep'

export interface DraftSweepReport {
  /** drafts whose run was started, and rows whose run was gone and has begun once more */
  started: number
  /** campaigns, changes of address and key rotations whose caller never got an answer */
  dropped: number
  /** runs that ended without an outcome and are new operator tasks; sweeps of before have none */
  lost?: number
  /** the time of the sweep; the next one looks for runs that ended since */
  asOf?: string
}

/**
 * All times are ISO 8601. `asOf` is the workflow's time, by which activities decide, `lastAsOf` that of the sweep
 * before.
 */
export interface DraftSweepActivities {
  /** Also sends open runs again the updates that only their rows show. */
  settleDrafts(input: { asOf: string; lastAsOf?: string | undefined }): Promise<DraftSweepReport>
}
