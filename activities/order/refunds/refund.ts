/** Activities that refund an order, with its credit note, and follow the refund. */
import { activityInfo } from '@temporalio/activity'
import type { WorkerContext } from '../../../context.ts'
import type { Queryable } from '../../../db/connection/database.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../../../db/operator-tasks.ts'
import { listDocuments, settleFact, settleRefunded } from '../../../db/order/books.ts'
import { returnedNotRefunded } from '../../../db/order/esims/returned-esims.ts'
import { findOrder, lockOrder, moveOrder, type OrderRow } from '../../../db/order/orders.ts'
import {
  givesMoneyBack,
  hasBounced,
  isOfWhole,
  isOnItsWay,
  isPaidAnotherWay,
  leftOfPrice,
  listRefunds,
  loseRefund,
  type RefundRow,
  refundFailed,
  sumOf,
} from '../../../db/order/refunds.ts'
import { milliseconds } from '../../../policy/periods.ts'
import type { Payment } from '../../../providers/stripe/payments.ts'
import type { Refund } from '../../../providers/stripe/refunds.ts'
import { dayIn } from '../../../shared/calendar.ts'
import { failure } from '../../../shared/failures.ts'
import {
  type FoundRefund,
  type OrderActivities,
  type OrderStatus,
  orderStates,
  type RefundReason,
  refundReasonOf,
} from '../../../workflows/order/order.contract.ts'
import { asNotFoundYet, recordedAt, withFailureTypes } from '../../failures.ts'
import { knownOrder, paymentIntentOf } from '../known-order.ts'
import { paymentUnsettled } from '../payment/late-payment.ts'
import { askAboutPayment } from '../provider-alarm.ts'
import { isFullyReturned, isTakenBack, listTakenBack, refundUnlessTakenBack } from './lost-disputes.ts'
import { hasNotFailed, listedWith, recordRefunds, refundBounced, refundedMinorOf } from './refund-records.ts'
import { releaseAbandoned } from './reserved-refunds.ts'
import { areOlder, isPastFailing, raiseUnsettled, refundUnsettled } from './unsettled.ts'

type Activities = Pick<
  OrderActivities,
  'startRefund' | 'refundPayment' | 'recordRefundFailure' | 'isPaidBack' | 'checkRefunds'
>

const refunding = { unavailable: 'PaymentUnavailable', rejected: 'RefundRefused' } as const

export function createOrderRefundActivities(context: WorkerContext): Activities {
  const { sql, stripe, config } = context
  const dayOfBooks = (at: Date): string => dayIn(config.SELLER_TIME_ZONE, at)

  return {
    /**
     * A run that was reset may be behind its order. What it would have done before the delivery does not give the money
     * of a delivered one back, whose customer has the eSIMs. An operator who has found another way for the money of an
     * order opens its task again before the run is asked for a refund (api/runs/order-client.ts): without that nobody
     * has asked but the run.
     */
    async startRefund({ orderId, reason }) {
      const before = await findOrder(sql, orderId)
      if (before && (await isPaidAnotherWay(sql, before))) return
      const from: OrderStatus[] = ['in_review', 'provisioning', 'refund_failed']
      const isDelivered = reasonsAfterDelivery.includes(reason)
      const change = { status: 'refunding', reason } as const
      if (await moveOrder(sql, orderId, isDelivered ? [...from, 'delivered'] : from, change)) return
      const order = await findOrder(sql, orderId)
      if (order && !isDelivered && orderStates[order.status].customerHas === 'eSIMs')
        throw failure('OrderStateConflict', { code: order.status })
    },

    /**
     * Refunds what is left of the payment: a part may have been refunded in Stripe's dashboard. Each `attempt` has its
     * own idempotency key, so repeats of one attempt are one refund.
     */
    async refundPayment({ orderId, asOf, reason, attempt, isReset = false }) {
      const order = await knownOrder(sql, orderId)
      const paymentIntentId = paymentIntentOf(order)
      await assertNoneReserved(orderId, recordedAt(asOf))
      const payment = await askAboutPayment(context, () => stripe.getPayment(paymentIntentId))
      const left = leftOfPaid(payment)
      const failed = (await listRefunds(sql, orderId)).filter(({ state }) => !givesMoneyBack(state))
      // The first refund of a run that was reset, though one has bounced: an operator may have paid another way since.
      const isAgain = (isReset || attempt === 1) && failed.some((refund) => isOfWhole(orderId, refund))
      if (left > 0 && isAgain) throw failure('RefundRefused', { code: refundBounced })
      const { made, takenBack } =
        left > 0 ? await giveBack(order, payment, { left, attempt, reason }) : { made: undefined, takenBack: [] }
      const listed = await askAboutPayment(context, () => stripe.listRefunds(paymentIntentId))
      // A refund that has failed: the machine that was asked for the payment does not know it yet.
      if (left <= 0 && refundedMinorOf(listed) < payment.refundedMinor)
        throw failure('PaymentUnavailable', { code: 'refunds_contradict' })
      const refunds = [...takenBack, ...listedWith(made, listed)]
      const at = recordedAt(asOf)
      const isRecorded = await sql.begin(async (tx) => {
        const refundedMinor = await recordRefunds(tx, order, refunds, { reason, at, issuedOn: dayOfBooks(at) })
        // The reply was lost, and the bank has refused the money before this attempt has found the refund. Or a run that
        // was reset counts its attempts anew, and Stripe answers as it did then: nothing is on its way.
        if (made !== undefined && (await isBounced(tx, orderId, made))) {
          if (order.fact_id) await settleRefunded(tx, order.fact_id, refundedMinor)
          return false
        }
        if (order.fact_id) await settleFact(tx, order.fact_id, 'refunded', refundedMinor)
        await moveOrder(tx, orderId, ['refunding', 'refund_failed'], { status: 'refunded', reason })
        return true
      })
      if (!isRecorded) throw failure('RefundRefused', { code: refundBounced })
      for (const kind of [refundFailed, paymentUnsettled, returnedNotRefunded])
        await resolveOperatorTask(sql, { kind, subjectId: orderId, by: 'order', at })
      const notes = (await listDocuments(sql, orderId)).filter(({ kind }) => kind === 'credit_note')
      return {
        creditNotes: notes.map(({ number }) => number),
        issuedOn: Object.fromEntries(notes.map(({ number, issuedOn }) => [number, issuedOn])),
        creditedMinor: Object.fromEntries(notes.map(({ number, grossMinor }) => [number, -grossMinor])),
        ...(takenBack.length > 0 && { isTakenBack: true }),
      }
    },

    /** A run that was reset to behind a refund that has failed does not know what was paid since. */
    async recordRefundFailure({ orderId, asOf, code }) {
      return sql.begin(async (tx) => {
        const order = await lockOrder(tx, orderId)
        if (!order) throw failure('OrderMissing')
        const reason = refundReasonOf(order.reason) ?? 'returned_unused'
        if (order.status === 'refunded' && leftOfPrice(order, await listRefunds(tx, orderId)) === 0)
          return { reason, found: 'refunded' as const }
        if (await isPaidAnotherWay(tx, order)) return { reason, found: paidAnotherWay }
        await moveOrder(tx, orderId, ['refunding', 'refunded'], { status: 'refund_failed', ended_at: null })
        await raiseOperatorTask(tx, { kind: refundFailed, subjectId: orderId, detail: code, at: new Date(asOf) })
        return { reason }
      })
    },

    async isPaidBack({ orderId }) {
      const paymentIntentId = paymentIntentOf(await knownOrder(sql, orderId))
      const payment = await askAboutPayment(context, () => stripe.getPayment(paymentIntentId))
      if (!(await isFullyReturned(context, payment, leftOfPaid(payment)))) return false
      const refundedMinor = refundedMinorOf(await askAboutPayment(context, () => stripe.listRefunds(paymentIntentId)))
      // The machine that was asked for the payment does not know yet that a refund has failed.
      if (refundedMinor < payment.refundedMinor) throw failure('PaymentUnavailable', { code: 'refunds_contradict' })
      return true
    },

    async checkRefunds({ orderId, asOf }) {
      const order = await knownOrder(sql, orderId)
      // Nobody has paid on the page of Stripe.
      if (order.payment_intent_id === null) return 'pending'
      const at = recordedAt(asOf)
      const paymentIntentId = order.payment_intent_id
      // Before Stripe lists them: one that is made meanwhile is not missing from the list.
      const recorded = await listRefunds(sql, orderId)
      const refunds = await askAboutPayment(context, () => stripe.listRefunds(paymentIntentId))
      const accepted = refunds.filter(hasNotFailed)
      const unlisted = recorded.filter(
        ({ refund_key, state, stripe_refund_id: id }) =>
          givesMoneyBack(state) && !isTakenBack(refund_key) && refunds.every(({ refundId }) => refundId !== id),
      )
      const isYoung = (refund: RefundRow): boolean => !areOlder([refund], listedWithinMs, at)
      const known = recorded.filter(({ refund_key }) => isTakenBack(refund_key))
      // Of a delivered order only a part was to be refunded: what has failed of it is no claim to the rest.
      const someBounced = refundStatuses.includes(order.status) && accepted.length < refunds.length
      const mayMiss = someBounced || (order.status === 'refunded' && areOlder(recorded, listedWithinMs, at))
      const missing = mayMiss ? await leftWithoutBank(paymentIntentId, sumOf(known)) : { minor: 0, takenBack: [] }
      const missesSome = missing.minor > sumOf(unlisted.filter(isYoung))
      const vanished = missesSome ? unlisted.filter((refund) => !isYoung(refund)) : []
      const takenMinor = sumOf(known) + refundedMinorOf(missing.takenBack)
      await sql.begin(async (tx) => {
        for (const { refund_key } of vanished) await loseRefund(tx, orderId, refund_key)
        const found = [...missing.takenBack, ...refunds]
        const refundedMinor = await recordRefunds(tx, order, found, {
          reason: order.reason ?? 'returned_unused',
          at,
          issuedOn: dayOfBooks(at),
        })
        // Stripe may have been slow, and the order has gone on.
        const { status, delivered_at } = await knownOrder(tx, orderId)
        const isRefunded = refundStatuses.includes(status) && !missesSome
        const outcome = isRefunded ? 'refunded' : delivered_at ? 'delivered' : 'paid'
        if (order.fact_id && refunds.length > 0) await settleFact(tx, order.fact_id, outcome, refundedMinor)
      })
      const isSettled =
        (accepted.length > 0 || takenMinor > 0) && accepted.every(({ status }) => status === 'succeeded')
      const task = { kind: refundUnsettled, subjectId: orderId, at }
      const onTheirWay = (await listRefunds(sql, orderId)).filter(isOnItsWay)
      if (missesSome || isSettled || onTheirWay.length === 0) await resolveOperatorTask(sql, { ...task, by: 'order' })
      // The run of a refund tells operators at the end of its wait: it may have been terminated.
      else if (onTheirWay.some((refund) => isPastFailing([refund], at))) await raiseUnsettled(sql, orderId, at)
      // The run of a failed refund would open its task again.
      if (missesSome) return (await isPaidAnotherWay(sql, order)) ? 'pending' : 'failed'
      // Its run has done so, unless it was terminated.
      if (isSettled && isPastFailing(recorded, at)) await endRefunded(order, at)
      return isSettled ? 'settled' : 'pending'
    },
  }

  /**
   * Reads the part of a payment that the customer has not got back, and the parts that lost disputes have returned.
   * @param knownMinor what our records have of that already
   */
  async function leftWithoutBank(
    paymentIntentId: string,
    knownMinor: number,
  ): Promise<{ minor: number; takenBack: Refund[] }> {
    const payment = await askAboutPayment(context, () => stripe.getPayment(paymentIntentId))
    const left = leftOfPaid(payment) - knownMinor
    if (left <= 0 || !payment.disputed || knownMinor > 0) return { minor: left, takenBack: [] }
    const takenBack = await listTakenBack(context, payment, left)
    return { minor: left - refundedMinorOf(takenBack), takenBack }
  }

  /**
   * Refunds what is left of a payment, unless lost disputes have returned it, or an operator has found another way.
   * @returns the refund that was made, and what disputes have returned
   */
  async function giveBack(
    order: OrderRow,
    payment: Payment,
    { left, attempt, reason }: { left: number; attempt: number | string; reason: RefundReason },
  ): Promise<{ made: Refund | undefined; takenBack: Refund[] }> {
    if (await isPaidAnotherWay(sql, order)) {
      const takenBack = await listTakenBack(context, payment, left)
      if (refundedMinorOf(takenBack) < left) throw failure('RefundRefused', { code: paidAnotherWay })
      return { made: undefined, takenBack }
    }
    let made: Refund | undefined
    const askForRefund = async () => {
      made = await stripe.refund({
        paymentIntentId: payment.paymentIntentId,
        amountMinor: 'rest',
        idempotencyKey: `order-${order.id}:refund-${attempt}`,
        reasonCode: reason,
        // Stripe keeps idempotency keys for a day; this activity may run for a week.
        lookFirst: attempt !== 1 || activityInfo().attempt > 1,
      })
    }
    const takenBack = await withFailureTypes(refunding, () =>
      refundUnlessTakenBack(context, payment, left, () => askForRefund().catch(asNotFoundYet)),
    )
    return { made, takenBack }
  }

  async function endRefunded({ id, status, ended_at }: OrderRow, at: Date): Promise<void> {
    if (status === 'refunded' && ended_at === null) await moveOrder(sql, id, ['refunded'], { status, ended_at: at })
  }

  /**
   * Asserts that no partial refund is on its way: only then is the rest of the payment certain, as none begins any
   * more.
   * @throws RefundUnderWay
   */
  async function assertNoneReserved(orderId: string, at: Date): Promise<void> {
    const stage = await releaseAbandoned(context, orderId, at)
    if (stage !== 'none') throw failure('RefundUnderWay', { nextRetryDelay: askAgainMs })
  }
}

/** Code of a refund that is not made since an operator has found another way for the money. */
const paidAnotherWay = 'paid_another_way' satisfies FoundRefund

/** Whether Stripe has said of a refund, at any time, that it has failed. */
const isBounced = async (tx: Queryable, orderId: string, { refundId }: Refund): Promise<boolean> =>
  (await listRefunds(tx, orderId)).some(
    ({ stripe_refund_id, state }) => stripe_refund_id === refundId && hasBounced(state),
  )

/** The other reasons are those of an order whose customer has no eSIMs yet. */
const reasonsAfterDelivery: readonly RefundReason[] = [
  'returned_unused',
  'withdrawn',
  'ended_by_provider',
  'fraud_warning',
]

const refundStatuses: OrderStatus[] = ['refunding', 'refund_failed', 'refunded']

const askAgainMs = 2_000

/** One of Stripe's machines may not know a refund that was made a moment ago. */
const listedWithinMs = milliseconds.hour

/** The part of a payment that is not refunded yet. */
export const leftOf = ({ amountReceivedMinor, refundedMinor }: Payment): number => amountReceivedMinor - refundedMinor

/**
 * The same of a payment that our records have as made: one of Stripe's machines may not know yet that it was.
 * @throws PaymentUnavailable when this answer does not say so
 */
export function leftOfPaid(payment: Payment): number {
  if (!isReceived(payment)) throw failure('PaymentUnavailable', { code: paymentContradicts })
  return leftOf(payment)
}

export const paymentContradicts = 'payment_contradicts'

/** Whether an answer says that the payment was made. */
export const isReceived = ({ status, amountReceivedMinor }: Payment): boolean =>
  status === 'succeeded' && amountReceivedMinor > 0
