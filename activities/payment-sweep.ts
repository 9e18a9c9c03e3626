/**
 * U2: the processor's books are the truth about money. Once an hour they are read for what no run has noticed: lost
 * webhooks, orders whose run is gone, payments without an order.
 */
import { heartbeat } from '@temporalio/activity'
import type { WorkerContext } from '../context.ts'
import { openPayments } from '../db/erasure/deletion-seals.ts'
import {
  forgetOperatorTask,
  listSubjectsOfOpenTasks,
  raiseOperatorTask,
  resolveOperatorTask,
} from '../db/operator-tasks.ts'
import { recordDisputeTasks } from '../db/order/disputes.ts'
import { listWarningTasks, recordOrphanedWarning } from '../db/order/fraud-warnings.ts'
import { findOrder, findOrderOfEvent, findOrderOfPayment } from '../db/order/orders.ts'
import {
  findReadUntil,
  listUnsettledOrders,
  type PaymentSweepPart,
  recordSweep,
  type UnsettledOrder,
} from '../db/order/payment-sweeps.ts'
import { isHandled, recordEvent } from '../db/webhook-events.ts'
import { milliseconds, periods } from '../policy/periods.ts'
import { isProviderFailure } from '../providers/failure.ts'
import { concernsOrder, isAboutDispute, isAboutFraudWarning } from '../providers/stripe/event-types.ts'
import type { ListedPayment } from '../providers/stripe/history.ts'
import type { StripeWebhook } from '../providers/stripe/webhooks.ts'
import { plusMs } from '../shared/calendar.ts'
import { failureType } from '../shared/failures.ts'
import { createOrderSignals } from '../temporal/order-signals.ts'
import type { PaymentSweepActivities } from '../workflows/order/payment-sweep.contract.ts'
import { paymentMark } from './order/payment/payment-mark.ts'
import { askAboutPayment } from './order/provider-alarm.ts'
import { isGivenBack } from './order/refunds/lost-disputes.ts'
import { leftOf } from './order/refunds/refund.ts'

const { minute, hour, day } = milliseconds

/** Read again each time, because Stripe's clock may differ and its lists may lag behind. */
const overlapMs = 2 * hour
/** Stripe retries webhooks for three days. */
const firstLookBackMs = 3 * day
/** A checkout ends within seconds: after this its order exists, or never will. */
const checkoutEndedMs = 10 * minute
/** many deadlines at the same time, or a restart, delay a run a little */
const graceMs = 5 * minute
const pageSize = 200

/** Kind of the operator task of a payment that was paid and that no order of the database explains. */
export const paymentWithoutOrder = 'payment_without_order'

/** The task of a dispute or a warning that Stripe refuses to show. */
const unreadTask = (event: StripeWebhook): { kind: string; subjectId: string } =>
  isAboutFraudWarning(event)
    ? { kind: 'fraud_warning_unread', subjectId: event.objectId }
    : { kind: 'dispute_unrecorded', subjectId: event.disputeId ?? event.objectId }

export function createPaymentSweepActivities(context: WorkerContext): PaymentSweepActivities {
  const { sql, cipher, stripe } = context
  const signals = createOrderSignals(context)

  return {
    async readMissedEvents({ asOf }) {
      const at = new Date(asOf)
      let missed = 0
      const refused: { event: StripeWebhook; orderId: string | undefined }[] = []
      for await (const event of stripe.orderEvents(await readFrom('events', at))) {
        heartbeat()
        if (!concernsOrder(event)) continue
        const record = { source: 'stripe', eventId: event.eventId } as const
        if (await isHandled(context, record)) continue
        missed += 1
        const orderId = await findOrderOfEvent(sql, event, isAboutDispute(event))
        if (await handleMissed(event, orderId, at)) await recordEvent(context, record, at)
        else refused.push({ event, orderId })
      }
      // One of Stripe's machines may not know an object at the moment. The next sweep asks again as well.
      for (const { event, orderId } of refused) {
        if (await handleMissed(event, orderId, at))
          await recordEvent(context, { source: 'stripe', eventId: event.eventId }, at)
        else await raiseOperatorTask(sql, { ...unreadTask(event), at })
      }
      await recordSweep(sql, { part: 'events', readUntil: at, at })
      return missed
    },

    async settleOrdersWithoutRun({ asOf }) {
      const at = new Date(asOf)
      const due = {
        dueBefore: plusMs(at, -graceMs),
        // The order's own run asks at the end of this time.
        refundedBefore: plusMs(at, -periods.order.refundSettlesWithinMs - hour),
        limit: pageSize,
      }
      let started = 0
      for (let after: UnsettledOrder | undefined; ; ) {
        const page = await listUnsettledOrders(sql, { ...due, after })
        for (const { id } of page) {
          heartbeat()
          if (await signals.settle(id)) started += 1
        }
        after = page.at(-1)
        if (page.length < pageSize) break
      }
      await recordSweep(sql, { part: 'orders', readUntil: at, at })
      return started
    },

    async settleUnknownPayments({ asOf }) {
      const at = new Date(asOf)
      const readUntil = plusMs(at, -checkoutEndedMs)
      const others = goOnAfterFailures()
      const found = { cancelled: 0, paid: 0 }
      for await (const payment of stripe.paymentsCreated(await readFrom('unknown_payments', at), readUntil)) {
        heartbeat()
        const outcome = await others.each(() => settleUnknown(payment, at))
        if (outcome) found[outcome] += 1
      }
      others.end()
      await resolveSettled(at)
      await resolveWarnings(at)
      await recordSweep(sql, { part: 'unknown_payments', readUntil, at })
      return found
    },
  }

  function isOurs(orderId: string | null | undefined, mark: string | null | undefined): boolean {
    return typeof orderId === 'string' && mark === paymentMark(cipher, orderId)
  }

  async function readFrom(part: PaymentSweepPart, at: Date): Promise<Date> {
    const readUntil = await findReadUntil(sql, part)
    return readUntil ? plusMs(readUntil, -overlapMs) : plusMs(at, -firstLookBackMs)
  }

  /** As the webhook would have been handled. @returns false when Stripe refuses to show what it is about */
  async function handleMissed(event: StripeWebhook, orderId: string | undefined, at: Date): Promise<boolean> {
    const { paymentIntentId, disputeId, mark, refundKey } = event
    if (isAboutFraudWarning(event)) return handleMissedWarning(event, at)
    if (orderId && (await findOrder(sql, orderId))) {
      await (isAboutDispute(event)
        ? signals.dispute(orderId, disputeId ?? event.objectId)
        : signals.payment(orderId, refundKey))
      return true
    }
    if (isAboutDispute(event)) {
      const dispute = await unlessRefused(() => stripe.getDispute(disputeId ?? event.objectId))
      if (!dispute) return false
      await recordDisputeTasks(sql, dispute, undefined, at)
      await forgetOperatorTask(sql, unreadTask(event))
      return true
    }
    if (event.type === 'payment_intent.succeeded' && paymentIntentId && isOurs(orderId, mark))
      await raiseWithoutOrder(paymentIntentId, at)
    return true
  }

  async function handleMissedWarning(event: StripeWebhook, at: Date): Promise<boolean> {
    const warning = await unlessRefused(() => stripe.getFraudWarning(event.objectId))
    if (!warning) return false
    const orderId = warning.paymentIntentId && (await findOrderOfPayment(sql, warning.paymentIntentId))
    if (orderId) await signals.fraudWarning(orderId)
    else await recordOrphanedWarning(sql, warning, at)
    await forgetOperatorTask(sql, unreadTask(event))
    return true
  }

  /** What Stripe refuses to show of one object keeps no other one waiting. @returns undefined then */
  async function unlessRefused<Answer>(call: () => Promise<Answer>): Promise<Answer | undefined> {
    return askAboutPayment(context, async () => {
      try {
        return await call()
      } catch (error) {
        if (!isProviderFailure(error) || error.kind !== 'rejected') throw error
        return undefined
      }
    })
  }

  /** Settles the tasks of fraud warnings that are not actionable any more: an operator has refunded, or the bank disputes. */
  async function resolveWarnings(at: Date): Promise<void> {
    for (const { subjectId, warningId } of await listWarningTasks(sql)) {
      heartbeat()
      const warning = await unlessRefused(() => stripe.getFraudWarning(warningId))
      // Without an answer the task stays.
      if (!warning || warning.actionable) continue
      if (subjectId === warningId) await recordOrphanedWarning(sql, warning, at)
      else await resolveOperatorTask(sql, { kind: 'fraud_warning', subjectId, by: 'payment_sweep', at })
    }
  }

  /** @returns what the payment was, if no order has it */
  async function settleUnknown(payment: ListedPayment, at: Date): Promise<'cancelled' | 'paid' | undefined> {
    const { paymentIntentId, status, orderId, mark } = payment
    if (status === 'canceled' || !isOurs(orderId, mark)) return undefined
    if (await findOrderOfPayment(sql, paymentIntentId)) return undefined
    // Paid on Stripe's page: the order's run reads it there, and ends the page.
    const order = orderId ? await findOrder(sql, orderId) : undefined
    if (order?.checkout_session_id && order.payment_intent_id === null) return undefined
    if (status !== 'succeeded') {
      const outcome = await askAboutPayment(context, () =>
        stripe.cancelPayment(paymentIntentId, `unknown-${paymentIntentId}:cancel`),
      )
      if (outcome === 'cancelled') return 'cancelled'
      // It is found again by the event of its success.
      if (outcome !== 'already_paid') return undefined
    }
    return (await raiseWithoutOrder(paymentIntentId, at)) ? 'paid' : undefined
  }

  /**
   * Only an operator can tell what was bought. The payments of erased persons are known from their deletion, which
   * refunds them.
   */
  async function raiseWithoutOrder(paymentIntentId: string, at: Date): Promise<boolean> {
    if (await hasGivenBack(paymentIntentId)) return false
    for await (const erased of openPayments(sql, context)) {
      if (erased.includes(paymentIntentId)) return false
    }
    await raiseOperatorTask(sql, { kind: paymentWithoutOrder, subjectId: paymentIntentId, at })
    return true
  }

  /** Resolves the tasks of payments that an operator has refunded, or whose order is in the database again. */
  async function resolveSettled(at: Date): Promise<void> {
    for (const paymentIntentId of await listSubjectsOfOpenTasks(sql, paymentWithoutOrder)) {
      heartbeat()
      const isKnown = (await findOrderOfPayment(sql, paymentIntentId)) !== undefined
      if (!isKnown && !(await hasGivenBack(paymentIntentId))) continue
      await resolveOperatorTask(sql, { kind: paymentWithoutOrder, subjectId: paymentIntentId, by: 'payment_sweep', at })
    }
  }

  async function hasGivenBack(paymentIntentId: string): Promise<boolean> {
    const payment = await askAboutPayment(context, () => stripe.getPayment(paymentIntentId))
    return isGivenBack(context, payment, leftOf(payment))
  }
}

/** One that cannot be settled now must not stop the others. It is read again by the next sweep. */
function goOnAfterFailures() {
  let first: unknown
  return {
    async each<Outcome>(work: () => Promise<Outcome>): Promise<Outcome | undefined> {
      try {
        return await work()
      } catch (error) {
        // Of the database, or of Temporal: the others would fail as well.
        if (failureType(error) === undefined) throw error
        first ??= error
        return undefined
      }
    },
    /** @throws the first failure */
    end(): void {
      if (first !== undefined) throw first
    },
  }
}
