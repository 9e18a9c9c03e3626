/** The face of R2: one run for each month of the books, which purges them at the end of their term. Import-safe. */
import { defineQuery, defineSignal } from '@temporalio/workflow'
import type { RunStatus } from '../../shared/search-attributes.ts'

export const invoiceRetentionType = 'invoiceRetention'
/** @param month `YYYY-MM` */
export const invoiceRetentionWorkflowId = (month: string): string => `invoice-retention-${month}`

export const booksCohortsType = 'booksCohorts'
/** Of runs that somebody asks for; the schedule's carry its own id and their time. */
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
/** An operator held the month, or lets it go: the run looks again. */
export const holdSignal = defineSignal('hold')

export interface Purge {
  purged: { invoices: number; orderFacts: number }
  /** past their term and still there: 0 unless the month is held */
  left: number
  held: boolean
  /** ISO 8601; null when the books of the month are empty */
  nextPurgeAt: string | null
}

/** Every time in and out is ISO 8601. `asOf` is the workflow's clock, the only clock that decides. */
export interface InvoiceRetentionActivities {
  /** Opens a run for every month of which the books hold anything. Repeatable. */
  openRetentionRuns(): Promise<{ months: number }>
  /** Deletes what is past its term, counts what is left of it, and says when the next part is due. Repeatable. */
  purgeBooks(input: InvoiceRetentionInput & { asOf: string }): Promise<Purge>
  /** Shows operators what should be gone. */
  raiseUnpurged(input: InvoiceRetentionInput & { asOf: string; left: number }): Promise<void>
}
