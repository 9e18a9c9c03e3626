/**
 * U2, paid means delivered or refunded: Stripe's books are the truth about money. Once an hour they are read for what
 * no run has noticed: lost webhooks, orders whose run is gone, payments without an order.
 */
import { activityInfo, heartbeat } from '@temporalio/activity'
import type { WorkerContext } from '../context.ts'
import { openPayments } from '../db/erasure/deletion-seals.ts'
import {
  deleteOperatorTask,
  listSubjectsOfOpenTasks,
  raiseOperatorTask,
  raiseUnlessSettled,
  resolveOperatorTask,
} from '../db/operator-tasks.ts'
import { listWarningTasks, recordOrphanedWarning, type WarningTask } from '../db/order/fraud-warnings.ts'
import { findOrder, findOrderOfEvent, findOrderOfPayment, hasPayment } from '../db/order/orders.ts'
import { findReadUntil, listUnsettledOrders, recordSweep, type UnsettledOrder } from '../db/order/payment-sweeps.ts'
import { listRefundsOnTheirWay, type RefundOnItsWay } from '../db/order/refunds.ts'
import { isHandled, recordEvent } from '../db/webhook-events.ts'
import { milliseconds, periods } from '../policy/periods.ts'
import { concernsOrder, isAboutDispute, isAboutFraudWarning, isAboutSuccess } from '../providers/stripe/event-types.ts'
import type { ListedPayment } from '../providers/stripe/history.ts'
import type { StripeWebhook } from '../providers/stripe/webhooks.ts'
import { plusMs } from '../shared/calendar.ts'
import { failureType } from '../shared/failures.ts'
import { goOnAfterFailures } from '../shared/go-on-after-failures.ts'
import { createOrderSignals } from '../temporal/order-signals.ts'
import type { OrderActivities } from '../workflows/order/order.contract.ts'
import type { PaymentSweepActivities } from '../workflows/order/payment-sweep.contract.ts'
import { paymentFailureTypes, withFailureTypes } from './failures.ts'
import { followAllWithoutRun } from './housekeeping/followed-orders.ts'
import { recordUntilCurrent } from './order/dispute-record.ts'
import { paymentMark } from './order/payment/payment-mark.ts'
import { askAboutPayment } from './order/provider-alarm.ts'
import { isFullyReturned } from './order/refunds/lost-disputes.ts'
import { isReceived, leftOf } from './order/refunds/refund.ts'
import { createOutOfStep, differsFromRun } from './out-of-step/orders.ts'

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

/** Stripe sends a webhook within seconds; a burst of them, or a restart of ours, may delay it. */
const webhookWithinMs = 10 * minute
/** The sweep before was of the hour before, and ended within its own hour. */
const sweptWithinMs = 130 * minute
/** so many events without a webhook in an hour, and none with one, are no accident */
const fewestMissed = 3
const noWebhooks = { kind: 'webhooks_missing', subjectId: 'stripe' } as const

/** Kind of the operator task of a payment that was paid and that no order of the database explains. */
export const paymentWithoutOrder = 'payment_without_order'

/** The task of a dispute or a warning that Stripe refuses to show. */
const unreadTask = (event: StripeWebhook): { kind: string; subjectId: string } =>
  isAboutFraudWarning(event)
    ? { kind: 'fraud_warning_unread', subjectId: event.objectId }
    : { kind: 'dispute_unrecorded', subjectId: event.disputeId ?? event.objectId }

/** Reads one object at Stripe. @throws PaymentRefused when Stripe shows nothing */
const shown = <Answer>(call: () => Promise<Answer>): Promise<Answer> => withFailureTypes(paymentFailureTypes, call)
const isRefusal = (error: unknown): boolean => failureType(error) === 'PaymentRefused'

/**
 * Whether an id is among those of all pages. Every page is a seal that has to be opened, and there are as many as
 * persons were erased in 90 days: they are read again only for an id that was in none of them the last time.
 */
export function knownAmong(read: () => AsyncIterable<readonly string[]>): (id: string) => Promise<boolean> {
  let known: ReadonlySet<string> = new Set()
  return async (id) => {
    if (known.has(id)) return true
    const now = new Set<string>()
    for await (const page of read()) for (const each of page) now.add(each)
    known = now
    return now.has(id)
  }
}

/** From when a part of the sweep reads. @param readUntil how far the one before has read */
const startOf = (readUntil: Date | undefined, at: Date): Date =>
  readUntil ? plusMs(readUntil, -overlapMs) : plusMs(at, -firstLookBackMs)

/** @param recordDelivery writes the delivery that a row has missed */
export function createPaymentSweepActivities(
  context: WorkerContext,
  recordDelivery: OrderActivities['recordDelivery'],
): PaymentSweepActivities {
  const { sql, cipher, stripe } = context
  const signals = createOrderSignals(context)
  const outOfStep = createOutOfStep(context, recordDelivery)
  const isOfErased = knownAmong(() => openPayments(sql, context))

  return {
    async readMissedEvents({ asOf }) {
      const at = new Date(asOf)
      const missed = new Set<string>()
      const readBefore = await findReadUntil(sql, 'events')
      // Events that no earlier sweep can have handled, nor an earlier attempt of this one. After a restore, or a sweep that
      // has failed, nobody knows which of them webhooks have brought.
      const isFirst =
        activityInfo().attempt === 1 && readBefore !== undefined && readBefore > plusMs(at, -sweptWithinMs)
      const fresh = { byWebhook: 0, missed: 0 }
      const isFresh = ({ createdAt }: StripeWebhook): boolean =>
        isFirst && new Date(createdAt) > readBefore && new Date(createdAt) < plusMs(at, -webhookWithinMs)
      const others = goOnAfterFailures()
      const handle = async (event: StripeWebhook): Promise<void> => {
        heartbeat()
        if (!concernsOrder(event)) return
        const record = { source: 'stripe', eventId: event.eventId } as const
        const isKnown = await isHandled(context, record)
        if (isFresh(event)) fresh[isKnown ? 'byWebhook' : 'missed'] += 1
        if (isKnown) return
        missed.add(event.eventId)
        await handleMissed(event, await findOrderOfEvent(sql, event, isAboutDispute(event)), at)
        await recordEvent(context, record, at)
      }
      await others.each(stripe.orderEvents(startOf(readBefore, at)), handle, async (event, error) => {
        if (!isRefusal(error)) throw error
        // The next sweep asks again as well.
        await raiseUnlessSettled(sql, { ...unreadTask(event), at })
      })
      others.end()
      if (fresh.byWebhook > 0) await resolveOperatorTask(sql, { ...noWebhooks, by: 'webhook', at })
      else if (fresh.missed >= fewestMissed) await raiseOperatorTask(sql, { ...noWebhooks, at })
      await recordSweep(sql, { part: 'events', readUntil: at, at })
      return missed.size
    },

    async settleOrdersWithoutRun({ asOf }) {
      const at = new Date(asOf)
      const due = {
        at,
        dueBefore: plusMs(at, -graceMs),
        // The order's own run asks at the end of this time.
        refundedBefore: plusMs(at, -periods.order.refundSettlesWithinMs - hour),
        limit: pageSize,
      }
      let started = 0
      const unexplained: string[] = []
      const others = goOnAfterFailures()
      await others.each(unsettledOrders(due), async (order) => {
        heartbeat()
        const stage = await outOfStep.stageOfOrder(order.id)
        if (stage === undefined && (await signals.settle(order.id))) started += 1
        // Operators have made the refund by hand: it is recorded with its credit note once the run finds nothing left.
        if (order.status === 'refund_failed' && order.status === stage && (await isGivenBack(order.id)))
          await outOfStep.askForRefund(order.id)
        // The page was read before the stage, and both may have moved since.
        const now = differsFromRun(order.status, stage) && (await findOrder(sql, order.id))
        if (now && differsFromRun(now.status, stage) && (await outOfStep.repeatUpdate(now, stage, at)))
          unexplained.push(order.id)
      })
      await outOfStep.reportOutOfStep(unexplained, at)
      // Of an order that keeps its state: its run, or that of the refund, asks the processor, and tells operators.
      await others.each(refundsOnTheirWay(at, due.refundedBefore), async ({ order_id, refund_key }) => {
        heartbeat()
        await signals.payment(order_id, refund_key)
      })
      started += await followAllWithoutRun(context)
      others.end()
      await recordSweep(sql, { part: 'orders', readUntil: at, at })
      return started
    },

    async settleUnknownPayments({ asOf }) {
      const at = new Date(asOf)
      const readUntil = plusMs(at, -checkoutEndedMs)
      const others = goOnAfterFailures()
      const found = { cancelled: 0, paid: 0 }
      const created = stripe.paymentsCreated(startOf(await findReadUntil(sql, 'unknown_payments'), at), readUntil)
      await others.each(created, async (payment) => {
        heartbeat()
        const outcome = await settleUnknown(payment, at)
        if (outcome) found[outcome] += 1
      })
      await others.each(await listSubjectsOfOpenTasks(sql, paymentWithoutOrder), (id) => resolveSettled(id, at))
      // Without an answer the task stays.
      await others.each(
        await listWarningTasks(sql),
        (task) => resolveWarning(task, at),
        async (_task, error) => {
          if (!isRefusal(error)) throw error
        },
      )
      others.end()
      await recordSweep(sql, { part: 'unknown_payments', readUntil, at })
      return found
    },
  }

  async function* unsettledOrders(due: Omit<Parameters<typeof listUnsettledOrders>[1], 'after'>) {
    for (let after: UnsettledOrder | undefined; ; ) {
      const page = await listUnsettledOrders(sql, { ...due, after })
      yield* page
      after = page.at(-1)
      if (page.length < due.limit) return
    }
  }

  async function* refundsOnTheirWay(at: Date, before: Date) {
    for (let after: RefundOnItsWay | undefined; ; ) {
      const page = await listRefundsOnTheirWay(sql, { at, before, after, limit: pageSize })
      yield* page
      after = page.at(-1)
      if (page.length < pageSize) return
    }
  }

  function isOurs(orderId: string | null | undefined, mark: string | null | undefined): boolean {
    return typeof orderId === 'string' && mark === paymentMark(cipher, orderId)
  }

  /**
   * Handles an event as its webhook would have been handled. @throws PaymentRefused when Stripe does not show the
   * event's object
   */
  async function handleMissed(event: StripeWebhook, orderId: string | undefined, at: Date): Promise<void> {
    const { paymentIntentId, disputeId, mark, refundKey } = event
    if (isAboutFraudWarning(event)) return handleMissedWarning(event, at)
    const order = orderId ? await findOrder(sql, orderId) : undefined
    if (order && isAboutDispute(event)) return signals.dispute(order.id, disputeId ?? event.objectId)
    if (order) await signals.payment(order.id, refundKey)
    if (isAboutDispute(event)) {
      const dispute = await shown(() => stripe.getDispute(disputeId ?? event.objectId))
      await recordUntilCurrent(context, dispute, undefined, at, undefined, shown)
      await deleteOperatorTask(sql, unreadTask(event))
      return
    }
    const isKnown = order && hasPayment(order, paymentIntentId)
    if (isAboutSuccess(event) && paymentIntentId && !isKnown && isOurs(event.orderId, mark))
      await raiseWithoutOrder(paymentIntentId, at)
  }

  async function handleMissedWarning(event: StripeWebhook, at: Date): Promise<void> {
    const warning = await shown(() => stripe.getFraudWarning(event.objectId))
    const orderId = warning.paymentIntentId && (await findOrderOfPayment(sql, warning.paymentIntentId))
    if (orderId) await signals.fraudWarning(orderId)
    else await recordOrphanedWarning(sql, warning, at)
    await deleteOperatorTask(sql, unreadTask(event))
  }

  /**
   * Settles the task of a fraud warning that is not actionable any more: an operator has refunded, or the bank
   * disputes.
   */
  async function resolveWarning({ subjectId, warningId }: WarningTask, at: Date): Promise<void> {
    heartbeat()
    const warning = await shown(() => stripe.getFraudWarning(warningId))
    if (warning.actionable) return
    if (subjectId === warningId) await recordOrphanedWarning(sql, warning, at)
    else await resolveOperatorTask(sql, { kind: 'fraud_warning', subjectId, by: 'payment_sweep', at })
  }

  /** @returns what the payment was, if no order has it */
  async function settleUnknown(payment: ListedPayment, at: Date): Promise<'cancelled' | 'paid' | undefined> {
    const { paymentIntentId, status, orderId, mark } = payment
    if (status === 'canceled' || !isOurs(orderId, mark)) return undefined
    if (await findOrderOfPayment(sql, paymentIntentId)) return undefined
    // Paid on Stripe's page: the order's run reads it there, and ends the page.
    const order = orderId ? await findOrder(sql, orderId) : undefined
    if (order && hasPayment(order, paymentIntentId)) return undefined
    if (status !== 'succeeded') {
      const outcome = await askAboutPayment(context, () =>
        stripe.cancelPayment(paymentIntentId, `unknown-${paymentIntentId}:cancel`),
      )
      if (outcome === 'cancelled') return 'cancelled'
      // The event of its success is left to this sweep, also by its webhook.
      if (outcome !== 'already_paid') return undefined
    }
    return (await raiseWithoutOrder(paymentIntentId, at)) ? 'paid' : undefined
  }

  /**
   * Only an operator can tell what was bought. The payments of erased persons are known from their deletion, which
   * refunds them.
   */
  async function raiseWithoutOrder(paymentIntentId: string, at: Date): Promise<boolean> {
    if (await isReturned(paymentIntentId)) return false
    if (await isOfErased(paymentIntentId)) return false
    await raiseUnlessSettled(sql, { kind: paymentWithoutOrder, subjectId: paymentIntentId, at })
    return true
  }

  /** Resolves the task of a payment that an operator has refunded, or whose order is in the database again. */
  async function resolveSettled(paymentIntentId: string, at: Date): Promise<void> {
    heartbeat()
    const isKnown = (await findOrderOfPayment(sql, paymentIntentId)) !== undefined
    if (!isKnown && !(await isReturned(paymentIntentId))) return
    await resolveOperatorTask(sql, { kind: paymentWithoutOrder, subjectId: paymentIntentId, by: 'payment_sweep', at })
  }

  async function isGivenBack(orderId: string): Promise<boolean> {
    const paymentIntentId = (await findOrder(sql, orderId))?.payment_intent_id
    return typeof paymentIntentId === 'string' && (await isReturned(paymentIntentId))
  }

  async function isReturned(paymentIntentId: string): Promise<boolean> {
    const payment = await askAboutPayment(context, () => stripe.getPayment(paymentIntentId))
    // One of Stripe's machines may not know a new payment yet.
    return isReceived(payment) && isFullyReturned(context, payment, leftOf(payment))
  }
}
