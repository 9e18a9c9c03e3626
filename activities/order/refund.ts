/** Activities that refund an order, with its credit note, and follow the refund. */
import { activityInfo } from '@temporalio/activity'
import type { Context } from '../../context.ts'
import type { Transaction } from '../../db/connection/database.ts'
import type { Orders } from '../../db/connection/schema.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../../db/operator-tasks.ts'
import { creditRefunded, listDocuments, settleFact } from '../../db/order/books.ts'
import { moveOrder } from '../../db/order/orders.ts'
import { listRefunds, upsertRefund } from '../../db/order/refunds.ts'
import { isProviderFailure, ProviderFailure } from '../../providers/failure.ts'
import type { Payment } from '../../providers/stripe/payments.ts'
import type { Refund } from '../../providers/stripe/refunds.ts'
import type { OrderActivities, OrderStatus, RefundReason } from '../../workflows/order/order.contract.ts'
import { withFailureTypes } from '../failures.ts'
import { knownOrder, paymentIntentOf } from './known-order.ts'
import { paymentUnsettled } from './late-payment.ts'
import { askAboutPayment } from './provider-alarm.ts'

type Activities = Pick<OrderActivities, 'startRefund' | 'refundPayment' | 'recordRefundFailure' | 'checkRefunds'>

const refunding = { unavailable: 'PaymentUnavailable', rejected: 'RefundRefused' } as const

export function createOrderRefundActivities(context: Context): Activities {
  const { sql, stripe } = context

  return {
    async startRefund({ orderId, reason }) {
      const from = ['in_review', 'provisioning', 'delivered', 'refund_failed'] as const
      await moveOrder(sql, orderId, [...from], { status: 'refunding', reason })
    },

    /**
     * Refunds what is left of the payment: a part may have been refunded in Stripe's dashboard. Each `attempt` has its own
     * idempotency key, so repeats of one attempt are one refund.
     */
    async refundPayment({ orderId, asOf, reason, attempt }) {
      const order = await knownOrder(sql, orderId)
      const at = new Date(asOf)
      const paymentIntentId = paymentIntentOf(order)
      const left = leftOf(await askAboutPayment(context, () => stripe.getPayment(paymentIntentId)))
      const askForRefund = () =>
        stripe.refund({
          paymentIntentId,
          amountMinor: left,
          idempotencyKey: `order-${orderId}:refund-${attempt}`,
          reasonCode: reason,
          // Stripe keeps idempotency keys for a day; this activity may run for a week.
          lookFirst: attempt !== 1 || activityInfo().attempt > 1,
        })
      if (left > 0) {
        await withFailureTypes(refunding, () =>
          askForRefund().catch((error: unknown) => {
            // It was paid, so the processor knows it, whatever it says at the moment.
            if (!isProviderFailure(error, 'resource_missing')) throw error
            throw new ProviderFailure(error.provider, 'unavailable', error.code)
          }),
        )
      }
      const refunds = await askAboutPayment(context, () => stripe.listRefunds(paymentIntentId))
      await sql.begin(async (tx) => {
        await recordRefunds(tx, order, refunds, reason, at)
        if (order.fact_id) await settleFact(tx, order.fact_id, 'refunded', standingMinor(refunds))
        await moveOrder(tx, orderId, ['refunding', 'refund_failed'], { status: 'refunded', reason })
      })
      for (const kind of ['refund_failed', paymentUnsettled])
        await resolveOperatorTask(sql, { kind, subjectId: orderId, by: 'order', at })
      const documents = await listDocuments(sql, orderId)
      return { creditNotes: documents.filter(({ kind }) => kind === 'credit_note').map(({ number }) => number) }
    },

    async recordRefundFailure({ orderId, asOf, code }) {
      await moveOrder(sql, orderId, ['refunding', 'refunded'], { status: 'refund_failed', ended_at: null })
      await raiseOperatorTask(sql, { kind: 'refund_failed', subjectId: orderId, detail: code, at: new Date(asOf) })
      return { reason: ((await knownOrder(sql, orderId)).reason ?? 'returned_unused') as RefundReason }
    },

    async checkRefunds({ orderId, asOf }) {
      const order = await knownOrder(sql, orderId)
      const at = new Date(asOf)
      const paymentIntentId = paymentIntentOf(order)
      const refunds = await askAboutPayment(context, () => stripe.listRefunds(paymentIntentId))
      const standing = refunds.filter(stands)
      const missesSome =
        standing.length < refunds.length &&
        leftOf(await askAboutPayment(context, () => stripe.getPayment(paymentIntentId))) > 0
      await sql.begin(async (tx) => {
        await recordRefunds(tx, order, refunds, (order.reason ?? 'returned_unused') as RefundReason, at)
        const isGivenBack = refundStatuses.includes(order.status) && !missesSome
        const outcome = isGivenBack ? 'refunded' : order.delivered_at ? 'delivered' : 'paid'
        if (order.fact_id && refunds.length > 0) await settleFact(tx, order.fact_id, outcome, standingMinor(refunds))
      })
      const isSettled = standing.length > 0 && standing.every(({ status }) => status === 'succeeded')
      if (missesSome || isSettled)
        await resolveOperatorTask(sql, { kind: 'refund_unsettled', subjectId: orderId, by: 'order', at })
      if (missesSome) return 'failed'
      return isSettled ? 'settled' : 'pending'
    },
  }
}

/** Records all refunds of the payment as Stripe has them, and credits what was refunded. */
export async function recordRefunds(
  tx: Transaction,
  order: Orders,
  refunds: Refund[],
  reason: RefundReason,
  at: Date,
): Promise<void> {
  const known = await listRefunds(tx, order.id)
  // Stripe lists the newest first.
  for (const refund of refunds.toReversed()) {
    const { refundId, refundKey, amountMinor, status: state } = refund
    const isOurs = refundKey?.startsWith(`order-${order.id}:`) === true
    const row = known.find(
      ({ stripe_refund_id, refund_key }) => stripe_refund_id === refundId || refund_key === refundKey,
    )
    const key = row?.refund_key ?? (isOurs ? refundKey : `elsewhere:${refundId}`)
    const recorded = { orderId: order.id, refundKey: key, stripeRefundId: refundId, amountMinor, state, at }
    await upsertRefund(tx, { ...recorded, reason: row?.reason ?? (isOurs ? reason : madeElsewhere) })
    if (isOurs) continue
    // Only an operator knows its reason, and made it: the task of a failure is beside that of the refund.
    const task = { subjectId: order.id, detail: refundId, at }
    if (!row) await raiseOperatorTask(tx, { ...task, kind: 'refund_made_elsewhere' })
    if (!stands(refund) && row?.state !== state)
      await raiseOperatorTask(tx, { ...task, kind: 'refund_elsewhere_failed' })
  }
  await creditRefunded(tx, order.id, standingMinor(refunds), at)
}

/** Reason of a refund that was made in Stripe's dashboard. */
const madeElsewhere = 'made_elsewhere'
const refundStatuses: OrderStatus[] = ['refunding', 'refund_failed', 'refunded']

const stands = ({ status }: Pick<Refund, 'status'>): boolean => status !== 'failed' && status !== 'canceled'

/** What the customer has back, or gets back unless it fails. */
export const standingMinor = (refunds: Refund[]): number =>
  refunds.filter(stands).reduce((sum, { amountMinor }) => sum + amountMinor, 0)

/** What is left of a payment to refund. */
export const leftOf = ({ amountReceivedMinor, refundedMinor }: Payment): number => amountReceivedMinor - refundedMinor
