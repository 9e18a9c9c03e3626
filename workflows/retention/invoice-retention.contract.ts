/**
 * Contract of R2: a run for each month of the books deletes it at the end of its period. Code outside of workflows may
 * import it.
 */
import { defineQuery, defineSignal } from '@temporalio/workflow'
import type { RunStatus } from '../../shared/search-attributes.ts'

export const invoiceRetentionType = 'invoiceRetention'
/** @param month `YYYY-MM` */
export const invoiceRetentionWorkflowId = (month: string): string => `invoice-retention-${month}`

export const booksCohortsType = 'booksCohorts'
/** Id of runs that are started by hand; Temporal adds the time to the ids of scheduled runs. */
export const booksCohortsWorkflowId = 'books-cohorts'

export interface InvoiceRetentionInput {
  /** `YYYY-MM`: invoices issued and orders paid in it */
  month: string
}

export type InvoiceRetentionStatus = 'looking' | 'keeping' | 'held' | 'purged'

export interface InvoiceRetentionState extends Omit<RunStatus, 'dueAt'> {
  status: InvoiceRetentionStatus
  dueAt: string | null
  purged: { invoices: number; orderFacts: number }
}

export const invoiceRetentionState = defineQuery<InvoiceRetentionState>('state')
/** An operator has put the month under a hold, or has lifted the hold: the run reads the books again. */
export const holdSignal = defineSignal('hold')

export interface Purge {
  purged: { invoices: number; orderFacts: number }
  /** rows whose period is over and that are still there; 0 unless the month is held */
  left: number
  held: boolean
  /** ISO 8601; null when the books of the month are empty */
  nextPurgeAt: string | null
}

/** All times are ISO 8601. `asOf` is the workflow's time, by which activities decide. */
export interface InvoiceRetentionActivities {
  /** Starts a run for every month in which the books have rows. Repeatable. */
  openRetentionRuns(): Promise<{ months: number }>
  /** Deletes the rows whose period is over, and returns how many are left and when the next are due. Repeatable. */
  purgeBooks(input: InvoiceRetentionInput & { asOf: string }): Promise<Purge>
  /** Makes an operator task of rows that should have been purged. */
  raiseUnpurged(input: InvoiceRetentionInput & { asOf: string; left: number }): Promise<void>
}
