/**
 * R2: the books are kept for 7 years. Activities that start a run for each month, and delete it at the end of its
 * period.
 */

import { heartbeat } from '@temporalio/activity'
import type { WorkerContext } from '../../context.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../../db/operator-tasks.ts'
import {
  countBooks,
  deleteInvoices,
  deleteOrderFacts,
  isMonthHeld,
  listBookDays,
  listBookMonths,
} from '../../db/order/books-retention.ts'
import { booksPeriodEnds, isoOrNull } from '../../shared/calendar.ts'
import { initialSearchAttributes } from '../../shared/search-attributes.ts'
import { startUnlessOpen } from '../../temporal/runs.ts'
import {
  type InvoiceRetentionActivities,
  type InvoiceRetentionInput,
  invoiceRetentionType,
  invoiceRetentionWorkflowId,
} from '../../workflows/retention/invoice-retention.contract.ts'
import { inBatches } from '../housekeeping/in-batches.ts'

/** small enough not to hold locks for long */
const batchSize = 1_000
const task = 'books_past_term'

export function createInvoiceRetentionActivities(context: WorkerContext): InvoiceRetentionActivities {
  const { sql, config, temporal } = context
  const period = { years: config.BOOKS_YEARS, countFrom: config.BOOKS_COUNT_FROM }

  return {
    async openRetentionRuns() {
      const months = await listBookMonths(sql)
      for (const month of months) {
        await startUnlessOpen(temporal, {
          type: invoiceRetentionType,
          workflowId: invoiceRetentionWorkflowId(month),
          taskQueue: config.TEMPORAL_TASK_QUEUE,
          args: [{ month } satisfies InvoiceRetentionInput],
          typedSearchAttributes: initialSearchAttributes({
            status: 'looking',
            waitingFor: 'the database',
            dueAt: null,
          }),
          staticSummary: `The books of ${month}`,
        })
        heartbeat()
      }
      return { months: months.length }
    },

    async purgeBooks({ month, asOf }) {
      const at = new Date(asOf)
      const days = (await listBookDays(sql, month)).map((day) => ({ day, ends: booksPeriodEnds(day, period) }))
      const due = days.filter(({ ends }) => ends <= at).map(({ day }) => day)
      const next = days.find(({ ends }) => ends > at)?.ends
      const held = due.length > 0 && (await isMonthHeld(sql, month))
      const purged = { invoices: 0, orderFacts: 0 }
      if (due.length > 0 && !held) {
        purged.invoices = await inBatches(batchSize, (limit) => deleteInvoices(sql, due, limit))
        purged.orderFacts = await inBatches(batchSize, (limit) => deleteOrderFacts(sql, due, limit))
      }
      const left = due.length > 0 ? await countBooks(sql, due) : 0
      if (left === 0) await resolveOperatorTask(sql, { kind: task, subjectId: month, by: 'retention', at })
      return { purged, left, held, nextPurgeAt: isoOrNull(next) }
    },

    async raiseUnpurged({ month, asOf, left }) {
      await raiseOperatorTask(sql, { kind: task, subjectId: month, detail: `${left} left`, at: new Date(asOf) })
    },
  }
}
