/** Contract of the daily housekeeping. Code outside of workflows may import it. */

export const housekeepingType = 'housekeeping'
/** Id of runs that are started by hand; Temporal adds the time to the ids of scheduled runs. */
export const housekeepingWorkflowId = 'housekeeping'

export interface HousekeepingReport {
  securityLog: { partitionsDropped: number }
  forgotten: {
    idempotencyKeys: number
    webhookEvents: number
    tokens: number
    allowances?: number
    velocity?: number
    events?: number
    /** acts about no account, and closed tasks */
    operatorRecords?: number
    /** answered privacy requests whose run is gone */
    answeredRequests?: number
    /** eSIMs from before the index of ICCIDs, which a search would have to index */
    iccidsIndexed?: number
  }
  overdue: { orders: number; runs: number }
  /** absent in runs of earlier builds */
  builds?: { retired: string[]; workersToStop: string[] }
  /** absent in runs of earlier builds */
  missedNotices?: { policies: number; breaches: number }
}

/** All times are ISO 8601. `asOf` is the workflow's time, by which activities decide. */
export interface HousekeepingActivities {
  /**
   * R4: the security log is kept for a limited time. Creates the partitions of the coming days and drops the old ones.
   */
  turnSecurityLog(input: { asOf: string }): Promise<HousekeepingReport['securityLog']>
  /**
   * Deletes idempotency keys and webhook events that are too old to be repeated, expired links and sessions, and answered
   * privacy requests whose run is gone; indexes the ICCIDs of older eSIMs.
   */
  forgetExpired(input: { asOf: string }): Promise<HousekeepingReport['forgotten']>
  /** Makes operator tasks of orders and runs whose deadline has passed, and closes the tasks of those that went on. */
  reportOverdue(input: { asOf: string }): Promise<HousekeepingReport['overdue']>
  /**
   * N2: mails the notices of a coming policy and of breaches again that did not reach a person who has another address
   * now. @throws MailUnavailable
   */
  sendMissedNotices(input: { asOf: string }): Promise<NonNullable<HousekeepingReport['missedNotices']>>
  /** Deletes from Temporal the builds of the worker that no run needs and no worker serves. */
  retireDrainedBuilds(): Promise<NonNullable<HousekeepingReport['builds']>>
}
