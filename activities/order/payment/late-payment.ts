/** U2, paid means delivered or refunded: settles the money of an order whose own run has closed. */
import type { WorkerContext } from '../../../context.ts'
import { raiseOperatorTask, raiseUnlessSettled, resolveOperatorTask } from '../../../db/operator-tasks.ts'
import { recordPaid } from '../../../db/order/books.ts'
import { listEsims } from '../../../db/order/esims.ts'
import { findOrder, moveOrder, type OrderRow, paidWithoutOutcome } from '../../../db/order/orders.ts'
import { isHeldAtProvider } from '../../../db/order/payment-sweeps.ts'
import { isPaidAnotherWay } from '../../../db/order/refunds.ts'
import { milliseconds } from '../../../policy/periods.ts'
import { evidenceOf } from '../../../policy/vat.ts'
import type { Payment, PaymentStatus } from '../../../providers/stripe/payments.ts'
import { dayIn, plusMs } from '../../../shared/calendar.ts'
import { isOpen } from '../../../temporal/runs.ts'
import {
  type LateOutcome,
  type OrderActivities,
  type OrderStatus,
  orderWorkflowId,
  type RefundReason,
  refundReasonOf,
} from '../../../workflows/order/order.contract.ts'
import { endingOf, isUnused, storedStatus } from '../esim-rules.ts'
import { endPayment, readPayment } from './hosted-payment.ts'
import { factsOf } from './payment.ts'
import { notAccepted, refusePayment } from './payment-acceptance.ts'

type Activities = Pick<OrderActivities, 'settleWithoutRun'>

/** Kind of the operator task of a payment that no run has settled; `refundPayment` resolves it. */
export const paymentUnsettled = 'payment_unsettled'

/** States without a recorded payment. */
const notRecorded: OrderStatus[] = ['awaiting_payment', 'unpaid', 'cancelled']

const reasonOf = ({ reason }: OrderRow): RefundReason => refundReasonOf(reason) ?? 'returned_unused'

const endedByProvider = 'ended_by_provider' satisfies RefundReason

const settled: LateOutcome = { state: 'settled' }
const undecided = (askAt: Date): LateOutcome => ({ state: 'undecided', askAt: askAt.toISOString() })

export function createLatePaymentActivities(context: WorkerContext): Activities {
  const { sql, temporal, config } = context

  return {
    async settleWithoutRun({ orderId, asOf }) {
      const at = new Date(asOf)
      const order = await findOrder(sql, orderId)
      // The deletion of an erased account settles its payments.
      if (!order) return settled
      if (order.status === 'delivered' && (await hasEndedWithEsim(order))) return refundEnded(order)
      // The same request may have started the order's own run again: its payment is that run's, as long as it is open.
      if (await isOpen(temporal, orderWorkflowId(orderId))) return settled
      if (await isPaidAnotherWay(sql, order)) return settled
      // Its run was ended before it had returned what providers hold.
      if (await isHeldAtProvider(sql, orderId)) return { state: 'refund', reason: reasonOf(order), holdsEsims: true }
      if (paidWithoutOutcome.includes(order.status)) return settleRecorded(order, at)
      if (!notRecorded.includes(order.status) || order.reason === notAccepted) return settled
      const outcome = await closeUnrecorded(order, at)
      if (outcome.state !== 'undecided')
        await resolveOperatorTask(sql, { kind: 'payment_unresolved', subjectId: orderId, by: 'order', at })
      return outcome
    },
  }

  /** Whether an order is a top-up of an eSIM that has ended, or went back, before anybody used it. */
  async function hasEndedWithEsim(order: OrderRow): Promise<boolean> {
    const parent = order.parent_order_id === null ? undefined : await findOrder(sql, order.parent_order_id)
    if (!parent) return false
    if (parent.reason === endedByProvider) return true
    const esim = (await listEsims(context, parent)).find(({ id }) => id === order.esim_id)
    if (!esim) return false
    const seen = storedStatus(esim)
    const ending = endingOf(esim, seen)
    return (ending === 'by_provider' || ending === 'returned') && isUnused(esim, seen, parent, esim.checkedAt)
  }

  async function refundEnded({ id }: OrderRow): Promise<LateOutcome> {
    await moveOrder(sql, id, ['delivered'], { status: 'refunding', reason: endedByProvider, ended_at: null })
    return { state: 'refund', reason: endedByProvider, holdsEsims: false }
  }

  /** Refunds an order whose run was terminated, or has failed, after the payment was recorded. */
  async function settleRecorded(order: OrderRow, at: Date): Promise<LateOutcome> {
    await raiseOperatorTask(sql, { kind: paymentUnsettled, subjectId: order.id, detail: order.status, at })
    const isRefunding = order.status === 'refunding' || order.status === 'refund_failed'
    const reason = isRefunding ? reasonOf(order) : 'not_delivered_in_time'
    await moveOrder(sql, order.id, paidWithoutOutcome, { status: 'refunding', reason })
    return { state: 'refund', reason, holdsEsims: order.delivered_at === null || (await isUnreturned(order)) }
  }

  /** Whether a delivered order is refunded before its eSIMs are back: its run would have gone on to return them. */
  async function isUnreturned(order: OrderRow): Promise<boolean> {
    return (await listEsims(context, order)).some(({ state }) => state !== 'cancelled')
  }

  async function closeUnrecorded(order: OrderRow, at: Date): Promise<LateOutcome> {
    const payment = await readPayment(context, order)
    if (payment === 'none_yet' || payment === 'none') return closeUnpaid(order, payment, at)
    // An operator decides about a payment that is another order's.
    if (payment.orderId !== order.id) {
      await refusePayment(sql, order, 'of_another_order', at)
      return settled
    }
    if (payment.status === 'succeeded') return takePaid(order, payment, at)
    return closeUnpaid(order, payment.status, at)
  }

  async function closeUnpaid(
    order: OrderRow,
    status: PaymentStatus | 'none_yet' | 'none',
    at: Date,
  ): Promise<LateOutcome> {
    const isOver = status === 'canceled' || status === 'none'
    // Stripe reports the end of a payment after the order's run has closed, when the reply to its cancellation was
    // lost.
    if (isOver && order.status !== 'awaiting_payment') return settled
    if (at < order.payment_due_at) return undecided(order.payment_due_at)
    if (status !== 'processing') {
      const outcome = isOver ? 'already_cancelled' : await endPayment(context, order)
      if (outcome === 'already_paid') return closeUnrecorded(order, at)
      if (outcome !== 'processing') {
        const change = { status: 'unpaid', reason: 'not_paid_in_time', ended_at: at } as const
        await moveOrder(sql, order.id, ['awaiting_payment'], change)
        return settled
      }
    }
    await raiseUnlessSettled(sql, { kind: 'payment_unresolved', subjectId: order.id, at })
    return undecided(plusMs(at, milliseconds.day))
  }

  async function takePaid(order: OrderRow, payment: Payment, at: Date): Promise<LateOutcome> {
    await raiseOperatorTask(sql, { kind: paymentUnsettled, subjectId: order.id, detail: order.status, at })
    const reason = 'paid_after_cancel' satisfies RefundReason
    const paid = {
      status: 'refunding',
      reason,
      payment_kind: payment.methodKind,
      card_country: evidenceOf(payment.cardCountry),
      paid_at: at,
    } as const
    const recorded = await sql.begin((tx) =>
      recordPaid(
        tx,
        order.id,
        { ...factsOf(order), paidOn: dayIn(config.SELLER_TIME_ZONE, at) },
        { ...paid, deliver_by: null, ended_at: null },
        notRecorded,
      ),
    )
    if (recorded) return { state: 'refund', reason, holdsEsims: false }
    // The order's own run, which was started again, has taken the payment a moment ago.
    await resolveOperatorTask(sql, { kind: paymentUnsettled, subjectId: order.id, by: 'order', at })
    return settled
  }
}
