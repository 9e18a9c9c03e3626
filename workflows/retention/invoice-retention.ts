/** R2: the books are kept for seven years and then purged. */
import { condition, proxyActivities } from '@temporalio/workflow'
import { milliseconds } from '../../policy/periods.ts'
import { msUntil, plusMs } from '../../shared/calendar.ts'
import { nothing, onQuery, onSignal } from '../run/messages.ts'
import * as retry from '../run/retry.ts'
import { showStatus } from '../run/run-status.ts'
import {
  holdSignal,
  type InvoiceRetentionActivities,
  type InvoiceRetentionInput,
  type InvoiceRetentionState,
  type InvoiceRetentionStatus,
  invoiceRetentionState,
} from './invoice-retention.contract.ts'

const { purgeBooks, raiseUnpurged } = proxyActivities<InvoiceRetentionActivities>({
  ...retry.duty,
  ...retry.manyRows,
})

/** The run reads a held month again after this, in case the signal that lifts the hold gets lost. */
const holdLookMs = 30 * milliseconds.day
/** After this, rows that could not be deleted are tried again; operators have a task for them. */
const againMs = milliseconds.day

export async function invoiceRetention({ month }: InvoiceRetentionInput): Promise<InvoiceRetentionState> {
  const state: InvoiceRetentionState = {
    status: 'looking',
    waitingFor: 'the database',
    dueAt: null,
    purged: { invoices: 0, orderFacts: 0 },
  }
  let holdChanged = false
  onQuery(invoiceRetentionState, () => state)
  onSignal(holdSignal, nothing, () => {
    holdChanged = true
  })
  for (;;) {
    holdChanged = false
    const asOf = new Date()
    const { purged, left, held, nextPurgeAt } = await purgeBooks({ month, asOf: asOf.toISOString() })
    state.purged.invoices += purged.invoices
    state.purged.orderFacts += purged.orderFacts
    if (left > 0 && !held) {
      await raiseUnpurged({ month, asOf: asOf.toISOString(), left })
      await waitUntil('keeping', 'another try: something is left', plusMs(new Date(), againMs))
    } else if (left > 0) {
      await waitUntil('held', 'an operator to let the month go', plusMs(new Date(), holdLookMs))
    } else if (nextPurgeAt !== null) {
      await waitUntil('keeping', 'the end of the period', new Date(nextPurgeAt))
    } else {
      moveTo('purged', 'nothing', null)
      return state
    }
  }

  async function waitUntil(status: InvoiceRetentionStatus, waitingFor: string, at: Date): Promise<void> {
    moveTo(status, waitingFor, at)
    await condition(() => holdChanged, Math.max(1, msUntil(at, new Date())))
  }

  function moveTo(status: InvoiceRetentionStatus, waitingFor: string, dueAt: Date | null): void {
    Object.assign(state, { status, waitingFor, dueAt: dueAt?.toISOString() ?? null })
    showStatus({ status, waitingFor, dueAt })
  }
}
