/** Contract of the draft sweep, for drafts that a crash left without a run. Code outside of workflows may import it. */

export const draftSweepType = 'draftSweep'
/** Temporal adds the time to the ids of scheduled runs. */
export const draftSweepWorkflowId = 'draft-sweep'

export interface DraftSweepReport {
  /** privacy requests and restores whose run was started */
  started: number
  /** campaigns, changes of address and key rotations whose caller never got an answer */
  dropped: number
}

/** All times are ISO 8601. `asOf` is the workflow's time, by which activities decide. */
export interface DraftSweepActivities {
  settleDrafts(input: { asOf: string }): Promise<DraftSweepReport>
}
