/** Activities of a partial refund: reserve, refund, follow, and notify the customer. */
import type { WorkerContext } from '../../../context.ts'
import { resolveOperatorTask } from '../../../db/operator-tasks.ts'
import { listDocuments, settleRefunded } from '../../../db/order/books.ts'
import { returnedNotRefunded } from '../../../db/order/esims/returned-esims.ts'
import { lockOrder, type OrderRow } from '../../../db/order/orders.ts'
import { raiseForRefund } from '../../../db/order/part-tasks.ts'
import {
  givesMoneyBack,
  hasBounced,
  isOnItsWay,
  isReservedOrMade,
  listRefunds,
  type RefundRow,
  refundReleased,
  refuseRefund,
  requested,
  reserveRefund,
  sumOf,
} from '../../../db/order/refunds.ts'
import { renderOrderRefundFailed, renderPartialRefund } from '../../../mails/order/order-changes.tsx'
import type { Refund } from '../../../providers/stripe/refunds.ts'
import { dayIn } from '../../../shared/calendar.ts'
import { failure } from '../../../shared/failures.ts'
import { type PartialRefundActivities, partialRefundKey } from '../../../workflows/order/partial-refund.contract.ts'
import { asNotFoundYet, recordedAt, withFailureTypes } from '../../failures.ts'
import { sendMail, toAccount } from '../../sending/send-mail.ts'
import { knownOrder, paymentIntentOf } from '../known-order.ts'
import { summaryOf } from '../notices.ts'
import { askAboutPayment } from '../provider-alarm.ts'
import { raiseUnlessRefunded } from '../returned-esims.ts'
import { listedWith, partialRefundFailed, recordRefunds, refundBounced } from './refund-records.ts'
import { releaseAbandoned } from './reserved-refunds.ts'

const refunding = { unavailable: 'PaymentUnavailable', rejected: 'RefundRefused' } as const

export function createPartialRefundActivities(context: WorkerContext): PartialRefundActivities {
  const { sql, stripe, config } = context
  const site = { publicUrl: config.PUBLIC_URL, supportMail: config.SUPPORT_MAIL }

  return {
    async reservePartialRefund({ refundId, orderId, asOf, amountMinor, reason, esims, isReset = false }) {
      const payment = await askAboutPayment(context, async () =>
        stripe.getPayment(paymentIntentOf(await knownOrder(sql, orderId))),
      )
      const refundKey = partialRefundKey(orderId, refundId)
      // The caller of another one had no answer, and may ask for this one instead: a minute later, the other one cannot
      // be made any more.
      if ((await releaseAbandoned(context, orderId, new Date(asOf))) === 'ending')
        throw failure('PaymentUnavailable', { code: 'refund_ending' })
      const isReserved = await sql.begin(async (tx) => {
        const order = await lockOrder(tx, orderId)
        if (!order) throw failure('OrderMissing')
        const refunds = await listRefunds(tx, orderId)
        const own = refunds.find(({ refund_key }) => refund_key === refundKey)
        // An earlier attempt has reserved it.
        if (own && isReservedOrMade(own.state)) return true
        if (own && isReset) return false
        if (order.status !== 'delivered' && order.status !== 'ended')
          throw failure('OrderStateConflict', { code: order.status })
        const takenMinor = sumOf(refunds.filter(({ state }) => isReservedOrMade(state)))
        const leftMinor = Math.min(
          payment.amountReceivedMinor - takenMinor,
          // A refund that was made at Stripe a moment ago is not in our records yet.
          payment.amountReceivedMinor - payment.refundedMinor,
        )
        const amount = amountMinor ?? leftMinor
        if (amount <= 0 || amount > leftMinor) throw failure('RefundExceedsPayment', { code: `left_${leftMinor}` })
        const returnsEsims = esims === 'returned'
        await reserveRefund(tx, { orderId, refundKey, amountMinor: amount, reason, at: new Date(asOf), returnsEsims })
        return true
      })
      if (!isReserved) throw await released(orderId, await ownRow(orderId, refundId), new Date(asOf))
    },

    async makePartialRefund({ refundId, orderId, asOf }) {
      const order = await knownOrder(sql, orderId)
      const own = await ownRow(orderId, refundId)
      const { refund_key: idempotencyKey, amount_minor: amountMinor, reason } = own
      const paymentIntentId = paymentIntentOf(order)
      if (!isReservedOrMade(own.state) && !(await isMade(paymentIntentId, idempotencyKey)))
        throw await released(orderId, own, recordedAt(asOf))
      const made = await withFailureTypes(refunding, () =>
        stripe
          .refund({
            paymentIntentId,
            amountMinor,
            idempotencyKey,
            reasonCode: reason,
            // Stripe keeps idempotency keys for a day. This activity may run for a week, and again after its run was
            // terminated.
            lookFirst: true,
          })
          .catch(asNotFoundYet),
      )
      // All of the payment was refunded elsewhere meanwhile, so Stripe has made none of ours.
      if (made.refundKey !== idempotencyKey) throw failure('RefundRefused', { code: 'charge_already_refunded' })
      const at = recordedAt(asOf)
      await record(order, at, made)
      const { state, credit_note: creditNote } = await ownRow(orderId, refundId)
      // The reply was lost, and the bank has refused the money before this attempt has found the refund.
      if (!givesMoneyBack(state)) throw failure('RefundRefused', { code: refundBounced })
      for (const kind of [partialRefundFailed, returnedNotRefunded])
        await resolveOperatorTask(sql, { kind, subjectId: orderId, by: 'order', at })
      const note = (await listDocuments(sql, orderId)).find(({ number }) => number === creditNote)
      return { creditNote, ...(note && { issuedOn: note.issuedOn, creditedMinor: -note.grossMinor }) }
    },

    async releasePartialRefund({ refundId, orderId, asOf, code }) {
      const refundKey = partialRefundKey(orderId, refundId)
      const at = new Date(asOf)
      await refuseRefund(sql, refundKey)
      await raiseUnlessRefunded(sql, orderId, at)
      if (code === undefined) return
      // The deletion of an erased account follows it.
      const own = (await listRefunds(sql, orderId)).find(({ refund_key }) => refund_key === refundKey)
      if (own) await raiseFailed(orderId, own, { as: 'refunds', code, at })
    },

    async checkPartialRefund({ refundId, orderId, asOf }) {
      const at = recordedAt(asOf)
      await record(await knownOrder(sql, orderId), at)
      if (!(await listRefunds(sql, orderId)).some(isOnItsWay))
        await resolveOperatorTask(sql, { kind: 'refund_unsettled', subjectId: orderId, by: 'order', at })
      const { state } = await ownRow(orderId, refundId)
      // Made, or the run would not ask: Stripe does not list it yet.
      if (state === requested) return 'pending'
      if (!givesMoneyBack(state)) return 'failed'
      return state === 'succeeded' ? 'settled' : 'pending'
    },

    async sendPartialRefundMail({ refundId, orderId, asOf, mail, esims }) {
      const order = await knownOrder(sql, orderId)
      const row = await ownRow(orderId, refundId)
      await sendMail(context, {
        send: {
          subjectId: orderId,
          kind: `mail:partial_refund_${mail}:${refundId}`,
          accountId: order.account_id,
        },
        at: new Date(asOf),
        compose: () =>
          toAccount(context, order.account_id, async ({ firstName }, texts) => {
            const amount = { minor: row.amount_minor, currency: order.currency }
            const common = { site, texts, firstName, order: await summaryOf(context, order), amount }
            if (mail === 'failed') return renderOrderRefundFailed(common)
            return renderPartialRefund({
              ...common,
              esimsReturned: esims === 'returned',
              ...(row.credit_note && { creditNoteNumber: row.credit_note }),
            })
          }),
      })
    },
  }

  async function isMade(paymentIntentId: string, key: string): Promise<boolean> {
    const listed = await askAboutPayment(context, () => stripe.listRefunds(paymentIntentId))
    return listed.some(({ refundKey }) => refundKey === key)
  }

  /**
   * What was reserved was released when the run of the refund had ended, and an operator may have made another one
   * instead, or it has bounced. The run that was reset makes none, and nobody waits for its answer.
   */
  async function released(orderId: string, own: RefundRow, at: Date) {
    await raiseFailed(orderId, own, { as: 'released', code: refundReleased, at })
    return failure('RefundRefused', { code: hasBounced(own.state) ? refundBounced : refundReleased })
  }

  /** @param told `released`: no erasure counts it as owed */
  async function raiseFailed(
    orderId: string,
    { refund_key: refundKey, state, created_at: since }: RefundRow,
    { as, code: detail, at }: { as: 'refunds' | 'released'; code: string; at: Date },
  ): Promise<void> {
    // That was told when it bounced, and an operator may have paid another way since.
    if (hasBounced(state)) return
    await sql.begin(async (tx) => {
      await lockOrder(tx, orderId)
      await raiseForRefund(tx, { kind: partialRefundFailed, subjectId: orderId, detail, at }, { as, refundKey }, since)
    })
  }

  /** @throws OrderMissing when the order was erased meanwhile */
  async function ownRow(orderId: string, refundId: string): Promise<RefundRow> {
    const refundKey = partialRefundKey(orderId, refundId)
    const row = (await listRefunds(sql, orderId)).find(({ refund_key }) => refund_key === refundKey)
    if (!row) throw failure('OrderMissing')
    return row
  }

  async function record(order: OrderRow, at: Date, made?: Refund): Promise<void> {
    const listed = await askAboutPayment(context, () => stripe.listRefunds(paymentIntentOf(order)))
    await sql.begin(async (tx) => {
      const refundedMinor = await recordRefunds(tx, order, listedWith(made, listed), {
        reason: order.reason ?? 'returned_unused',
        at,
        issuedOn: dayIn(context.config.SELLER_TIME_ZONE, at),
      })
      if (order.fact_id) await settleRefunded(tx, order.fact_id, refundedMinor)
    })
  }
}
