/** Activities that refund an order, with its credit note, and follow the refund. */
import { activityInfo } from '@temporalio/activity'
import type { Context } from '../../context.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../../db/operator-tasks.ts'
import { issueCreditNote, settleFact } from '../../db/order/books.ts'
import { moveOrder } from '../../db/order/orders.ts'
import { listRefunds, upsertRefund } from '../../db/order/refunds.ts'
import { isProviderFailure, ProviderFailure } from '../../providers/failure.ts'
import type { OrderActivities, RefundReason } from '../../workflows/order/order.contract.ts'
import { withFailureTypes } from '../failures.ts'
import { knownOrder, paymentIntentOf } from './known-order.ts'
import { paymentUnsettled } from './late-payment.ts'
import { askAboutPayment } from './provider-alarm.ts'

type Activities = Pick<OrderActivities, 'startRefund' | 'refundPayment' | 'recordRefundFailure' | 'checkRefunds'>

const refunding = { unavailable: 'PaymentUnavailable', rejected: 'RefundRefused' } as const
const failedStates = ['failed', 'canceled']

export function createOrderRefundActivities(context: Context): Activities {
  const { sql, stripe } = context

  return {
    async startRefund({ orderId, reason }) {
      const from = ['in_review', 'provisioning', 'delivered', 'refund_failed'] as const
      await moveOrder(sql, orderId, [...from], { status: 'refunding', reason })
    },

    /** Each `attempt` has its own idempotency key, so repeats of one attempt are one refund. */
    async refundPayment({ orderId, asOf, reason, attempt }) {
      const order = await knownOrder(sql, orderId)
      const at = new Date(asOf)
      const refundKey = `order-${orderId}:refund-${attempt}`
      const askForRefund = () =>
        stripe.refund({
          paymentIntentId: paymentIntentOf(order),
          amountMinor: order.gross_minor,
          idempotencyKey: refundKey,
          reasonCode: reason,
          // Stripe keeps idempotency keys for a day; this activity may run for a week.
          lookFirst: attempt !== 1 || activityInfo().attempt > 1,
        })
      const refund = await withFailureTypes(refunding, () =>
        askForRefund().catch((error: unknown) => {
          // It was paid, so the processor knows it, whatever it says at the moment.
          if (!isProviderFailure(error, 'resource_missing')) throw error
          throw new ProviderFailure(error.provider, 'unavailable', error.code)
        }),
      )
      await sql.begin(async (tx) => {
        await upsertRefund(tx, {
          orderId,
          refundKey,
          stripeRefundId: refund.refundId,
          amountMinor: order.gross_minor,
          state: refund.status,
          reason,
          at,
        })
        if (order.fact_id) await settleFact(tx, order.fact_id, 'refunded', order.gross_minor)
        await moveOrder(tx, orderId, ['refunding', 'refund_failed'], { status: 'refunded', reason })
        await issueCreditNote(tx, orderId, at)
      })
      for (const kind of ['refund_failed', paymentUnsettled])
        await resolveOperatorTask(sql, { kind, subjectId: orderId, by: 'order', at })
    },

    async recordRefundFailure({ orderId, asOf, code }) {
      await moveOrder(sql, orderId, ['refunding', 'refunded'], { status: 'refund_failed', ended_at: null })
      await raiseOperatorTask(sql, { kind: 'refund_failed', subjectId: orderId, detail: code, at: new Date(asOf) })
      return { reason: ((await knownOrder(sql, orderId)).reason ?? 'returned_unused') as RefundReason }
    },

    async checkRefunds({ orderId, asOf }) {
      const order = await knownOrder(sql, orderId)
      const at = new Date(asOf)
      const atStripe = await askAboutPayment(context, () => stripe.listRefunds(paymentIntentOf(order)))
      const ours = await listRefunds(sql, orderId)
      for (const refund of atStripe) {
        const known = ours.find(({ refund_key }) => refund_key === refund.refundKey)
        if (known) await upsertRefund(sql, { ...refundOf(known, orderId), state: refund.status, at })
        // The refund was made in Stripe's dashboard; only an operator knows its reason.
        else await raiseOperatorTask(sql, { kind: 'refund_made_elsewhere', subjectId: orderId, at })
      }
      const last = ours.at(-1)
      const state = atStripe.find(({ refundKey }) => refundKey === last?.refund_key)?.status
      if (state === 'succeeded' || (state && failedStates.includes(state)))
        await resolveOperatorTask(sql, { kind: 'refund_unsettled', subjectId: orderId, by: 'order', at })
      if (state && failedStates.includes(state)) return 'failed'
      return state === 'succeeded' ? 'settled' : 'pending'
    },
  }
}

function refundOf(row: Awaited<ReturnType<typeof listRefunds>>[number], orderId: string) {
  return {
    orderId,
    refundKey: row.refund_key,
    stripeRefundId: row.stripe_refund_id,
    amountMinor: row.amount_minor,
    reason: row.reason,
  }
}
