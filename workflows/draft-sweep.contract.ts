/** The face of the draft sweep: rows that a crash left without their run. Import-safe for everybody. */

export const draftSweepType = 'draftSweep'
/** The schedule's runs carry their time after it. */
export const draftSweepWorkflowId = 'draft-sweep'

export interface DraftSweepReport {
  /** privacy requests whose run was started */
  started: number
  /** campaigns, changes of address and key rotations of which nobody was told */
  dropped: number
}

/** Every time in is ISO 8601. `asOf` is the workflow's clock, the only clock that decides. */
export interface DraftSweepActivities {
  settleDrafts(input: { asOf: string }): Promise<DraftSweepReport>
}
