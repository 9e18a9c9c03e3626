/** The face of the daily housekeeping: what is past its day goes, what stands too long is shown. Import-safe. */

export const housekeepingType = 'housekeeping'
/** Of runs that somebody asks for; the schedule's carry its own id and their time. */
export const housekeepingWorkflowId = 'housekeeping'

export interface HousekeepingReport {
  securityLog: { partitionsDropped: number }
  forgotten: { idempotencyKeys: number; webhookEvents: number; tokens: number }
  overdue: { orders: number; runs: number }
}

/** Every time in and out is ISO 8601. `asOf` is the workflow's clock, the only clock that decides. */
export interface HousekeepingActivities {
  /** R4: makes the partitions of the coming days, and drops those whose oldest row would grow too old. */
  turnSecurityLog(input: { asOf: string }): Promise<HousekeepingReport['securityLog']>
  /** Requests and events that are too old to be repeated, links and sessions that are over. */
  forgetExpired(input: { asOf: string }): Promise<HousekeepingReport['forgotten']>
  /** Orders and runs whose deadline has passed stand before an operator until they have moved on. */
  reportOverdue(input: { asOf: string }): Promise<HousekeepingReport['overdue']>
}
