/** Contract of the run that completes a restore. Code outside of workflows may import it. */

export const restoreType = 'restore'
export const restoreWorkflowId = (restoreId: string): string => `restore-${restoreId}`

export interface RestoreInput {
  restoreId: string
}

export interface RestoreResult {
  /** items that only an operator can settle */
  undecided: number
}

/** How a restore's run is started. A run that exists, open or closed, stays the only one. */
export const restoreStart = (restoreId: string, taskQueue: string) => ({
  type: restoreType,
  workflowId: restoreWorkflowId(restoreId),
  taskQueue,
  args: [{ restoreId }] satisfies [RestoreInput],
  workflowIdConflictPolicy: 'USE_EXISTING' as const,
  staticSummary: 'Completes a restored database',
})

/** All times are ISO 8601. `asOf` is the workflow's time, by which activities decide. */
export interface RestoreActivities {
  /**
   * Refunds or cancels the payments that no order explains, and returns eSIMs that nobody gets. Repeatable: what has
   * failed is tried again by the next call. @returns the numbers of what is left: `payments` keep the API closed; the
   * others, among them payments whose refund was refused, do not
   */
  settleRestored(input: { restoreId: string; asOf: string }): Promise<{ payments: number; esims: number }>
  /** Lets the API take requests, and has the payment processor's events read again. */
  openTraffic(input: { restoreId: string; asOf: string }): Promise<void>
  /** Makes operator tasks of what is left. */
  leaveRestoredToOperators(input: { restoreId: string; asOf: string }): Promise<RestoreResult>
}
