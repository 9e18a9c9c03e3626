/**
 * Contract of R1: an account unused for three years is erased, after warnings. Code outside of workflows may import it.
 */
import { defineQuery } from '@temporalio/workflow'
import type { RunStatus } from '../../shared/search-attributes.ts'

export const accountInactivityType = 'accountInactivity'
export const inactivityWorkflowId = (accountId: string): string => `inactivity-${accountId}`

export const inactivitySweepType = 'inactivitySweep'
/** Id of runs that are started by hand; Temporal adds the time to the ids of scheduled runs. */
export const inactivitySweepWorkflowId = 'inactivity-sweep'

export interface InactivityInput {
  accountId: string
}

export type InactivityStatus = 'waiting' | 'warning' | 'warned' | 'deleting' | 'active' | 'gone'

export interface InactivityState extends Omit<RunStatus, 'dueAt'> {
  status: InactivityStatus
  dueAt: string | null
  /** ISO 8601; later while the first warning cannot be sent, null before the account was read for the first time */
  deletesAt: string | null
}

export const inactivityState = defineQuery<InactivityState>('state')

/** The times of an account that is not used, as ISO 8601. */
export interface Inactivity {
  lastActiveAt: string
  firstWarnedAt: string | null
  deletesAt: string
}

/** All times are ISO 8601. `asOf` is the workflow's time, by which activities decide. */
export interface InactivityActivities {
  /** Starts a run for every account whose first warning is near. Repeatable. */
  openInactivityRuns(input: { asOf: string }): Promise<{ opened: number }>
  /** Reads the account, for a first run or one that replaces a lost one. `gone` when there is no such account. */
  beginInactivity(input: { accountId: string; asOf: string }): Promise<Inactivity | 'gone'>
  /** Whether the account is still inactive. @param checkBy when the run asks the next time at the latest */
  stillInactive(input: {
    accountId: string
    lastActiveAt: string
    checkBy: string
    asOf: string
  }): Promise<'inactive' | 'active' | 'gone'>
  /**
   * Sends the first warning. The deletion date is counted from when it is sent, or refused for good.
   * @throws MailUnavailable
   */
  sendFirstWarning(input: { accountId: string; lastActiveAt: string }): Promise<Inactivity>
  /** @throws MailUnavailable */
  sendLaterWarning(input: {
    accountId: string
    lastActiveAt: string
    daysBefore: number
    deletesAt: string
  }): Promise<void>
  /** Starts the deletion if the account is still inactive. */
  deleteUnused(input: {
    accountId: string
    lastActiveAt: string
    asOf: string
  }): Promise<'deleting' | 'active' | 'gone'>
}
