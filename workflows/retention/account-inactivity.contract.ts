/** The face of R1: an account unused for three years is deleted, its owner warned before. Import-safe for everybody. */
import { defineQuery } from '@temporalio/workflow'
import type { RunStatus } from '../../shared/search-attributes.ts'

export const accountInactivityType = 'accountInactivity'
export const inactivityWorkflowId = (accountId: string): string => `inactivity-${accountId}`

export const inactivitySweepType = 'inactivitySweep'
/** Of runs that somebody asks for; the schedule's carry its own id and their time. */
export const inactivitySweepWorkflowId = 'inactivity-sweep'

export interface InactivityInput {
  accountId: string
}

export type InactivityStatus = 'waiting' | 'warning' | 'warned' | 'deleting' | 'active' | 'gone'

export interface InactivityState extends Omit<RunStatus, 'dueAt'> {
  status: InactivityStatus
  dueAt: string | null
  /** moves on while the first warning cannot be sent; null before the run has looked for the first time */
  deletesAt: string | null
}

export const inactivityState = defineQuery<InactivityState>('state')

/** What is known of an account that nobody uses. ISO 8601. */
export interface Inactivity {
  lastActiveAt: string
  firstWarnedAt: string | null
  deletesAt: string
}

/** Every time in and out is ISO 8601. `asOf` is the workflow's clock, the only clock that decides. */
export interface InactivityActivities {
  /** Opens a run for every account whose first warning is near. Repeatable. */
  openInactivityRuns(input: { asOf: string }): Promise<{ opened: number }>
  /** The first look, or that of a run which takes over from a lost one. `gone` when there is no such account. */
  beginInactivity(input: { accountId: string; asOf: string }): Promise<Inactivity | 'gone'>
  /** Asks again. @param checkBy when the run looks the next time at the latest */
  stillInactive(input: {
    accountId: string
    lastActiveAt: string
    checkBy: string
    asOf: string
  }): Promise<'inactive' | 'active' | 'gone'>
  /** Until it is sent, or refused for good, the deletion date moves on with it. @throws MailUnavailable */
  sendFirstWarning(input: { accountId: string; lastActiveAt: string }): Promise<Inactivity>
  /** @throws MailUnavailable */
  sendLaterWarning(input: {
    accountId: string
    lastActiveAt: string
    daysBefore: number
    deletesAt: string
  }): Promise<void>
  /** Asks a last time, and starts the deletion. */
  deleteUnused(input: {
    accountId: string
    lastActiveAt: string
    asOf: string
  }): Promise<'deleting' | 'active' | 'gone'>
}
