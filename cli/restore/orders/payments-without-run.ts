/** Payments and pages of Stripe of which no order is left: they are settled after the restore, or an operator decides. */
import type { Client } from '@temporalio/client'
import { leftOf } from '../../../activities/order/refunds/refund.ts'
import { paymentWithoutOrder } from '../../../activities/payment-sweep.ts'
import { insertItem } from '../../../db/backup/restores.ts'
import type { Database } from '../../../db/connection/database.ts'
import { erasedSince } from '../../../db/erasure/deletion-ledger.ts'
import { raiseOperatorTask } from '../../../db/operator-tasks.ts'
import { findOrder, findOrderOfPayment } from '../../../db/order/orders.ts'
import type { OpenPage } from '../../../providers/stripe/hosted.ts'
import type { Payment } from '../../../providers/stripe/payments.ts'
import { failure } from '../../../shared/failures.ts'
import { describeRun } from '../../../temporal/runs.ts'
import { orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { olderThanRuns } from './undecided-order.ts'

/** What the restore knows of runs. */
interface KnownRuns {
  restoreId: string
  /** undefined: Temporal is lost as well */
  temporal: Client | undefined
  /** the time since which Temporal has the closed runs; undefined with `temporal` */
  remembered: Date | undefined
  hasListedRun(orderId: string): boolean
}

/** A payment of which no run and no row is left. */
export async function leavePayment(
  sql: Database,
  payment: Payment,
  { restoreId, temporal, remembered, hasListedRun }: KnownRuns,
): Promise<void> {
  const { paymentIntentId, status, createdAt } = payment
  if (status === 'canceled' || (await findOrderOfPayment(sql, paymentIntentId))) return
  if (status === 'succeeded' && leftOf(payment) <= 0) return
  const item = { kind: 'payment', subjectId: paymentIntentId } as const
  const order = payment.orderId === null ? undefined : await findOrder(sql, payment.orderId)
  // Paid on Stripe's page: it is the order's own, whose run reads it there, or the payment sweep.
  if (order?.payment_intent_id === null) return
  // An order that is there has another payment, and its run goes on.
  const orderId = order ? null : payment.orderId
  // Temporal's list may be a moment behind.
  const isHidden = temporal && orderId !== null && !hasListedRun(orderId)
  if (isHidden && (await describeRun(temporal, orderWorkflowId(orderId))))
    throw failure('OrderStateConflict', { code: 'run_not_listed' })
  const doubt =
    status === 'succeeded' && orderId !== null && (await mayBeDelivered(sql, new Date(createdAt), remembered))
  if (doubt) {
    await insertItem(sql, restoreId, { ...item, outcome: 'undecided', detail: doubt })
    await raiseOperatorTask(sql, { kind: paymentWithoutOrder, subjectId: paymentIntentId, at: new Date() })
    return
  }
  const plan = { paymentIntentId, orderId, factId: null, invoiceNumber: null, placement: null }
  await insertItem(sql, restoreId, { ...item, outcome: 'to_settle', detail: 'no_run', plan })
}

/** A page of an order that is not there: nobody is to pay on it. */
export async function leavePage(
  sql: Database,
  { sessionId, orderId }: OpenPage,
  { restoreId, undecided }: { restoreId: string; undecided: ReadonlySet<string> },
): Promise<void> {
  if (orderId === null || (await findOrder(sql, orderId))) return
  const nothing = { paymentIntentId: null, factId: null, invoiceNumber: null, placement: null }
  await insertItem(sql, restoreId, {
    kind: 'payment',
    subjectId: sessionId,
    outcome: 'to_settle',
    detail: 'page_without_order',
    plan: { ...nothing, pageId: sessionId, orderId: undecided.has(orderId) ? null : orderId },
  })
}

/** Why a payment without a run may be for something that was delivered, if it may. */
async function mayBeDelivered(
  sql: Database,
  createdAt: Date,
  remembered: Date | undefined,
): Promise<string | undefined> {
  if (remembered && createdAt < remembered) return olderThanRuns
  // The run of a person who was erased since is gone.
  return (await erasedSince(sql, createdAt)) ? 'perhaps_of_an_erased_person' : undefined
}
