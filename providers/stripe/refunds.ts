/** Refunds and disputes of a payment. */
import type Stripe from 'stripe'
import { isProviderFailure } from '../failure.ts'
import type { StripeClient } from './client.ts'

export type RefundStatus = 'pending' | 'requires_action' | 'succeeded' | 'failed' | 'canceled'

export interface Refund {
  refundId: string
  status: RefundStatus
  amountMinor: number
  /** ISO 4217, upper case */
  currency: string
  /** the idempotency key it was asked for with; null when it was made elsewhere, such as in Stripe's dashboard */
  refundKey: string | null
  /** Stripe's code, such as `expired_or_canceled_card` */
  failureReason?: string
  /** ISO 8601 */
  createdAt: string
}

/** The bank has decided, or will not have to. `status`: as in docs.stripe.com/api/disputes/object */
export const isDisputeOver = (status: string): boolean =>
  ['won', 'lost', 'prevented', 'warning_closed'].includes(status)

export interface Dispute {
  disputeId: string
  /** needs_response, under_review, won, lost, prevented, warning_* or appeal_* */
  status: string
  /** Stripe's code, such as `fraudulent` */
  reason: string
  amountMinor: number
  /** ISO 4217, upper case */
  currency: string
  paymentIntentId: string | null
  chargeId: string
}

const stripeReasons = ['duplicate', 'fraudulent', 'requested_by_customer'] as const

export function createRefunds({ sdk, call, create }: StripeClient) {
  /** Newest first; a payment with more than 100 refunds does not exist here. */
  async function listRefunds(paymentIntentId: string): Promise<Refund[]> {
    const page = await call('reads', () => sdk.refunds.list({ payment_intent: paymentIntentId, limit: 100 }))
    return page.data.map(toRefund)
  }

  return {
    listRefunds,

    /**
     * Refunds `amountMinor` once per key. Keys are forgotten after 24 hours: with `lookFirst` an existing refund made
     * under this key is answered instead, whatever became of it (a failed one needs a new key to be tried again).
     * A payment that has nothing left to refund answers its last refund. Rejected: `charge_disputed`, or more than is
     * left (`http_400`).
     */
    async refund(order: {
      paymentIntentId: string
      amountMinor: number
      idempotencyKey: string
      reasonCode: string
      lookFirst: boolean
    }): Promise<Refund> {
      const made = async (): Promise<Refund | undefined> =>
        (await listRefunds(order.paymentIntentId)).find((refund) => refund.refundKey === order.idempotencyKey)
      if (order.lookFirst) {
        const found = await made()
        if (found) return found
      }
      const reason = stripeReasons.find((known) => known === order.reasonCode)
      const parameters: Stripe.RefundCreateParams = {
        payment_intent: order.paymentIntentId,
        amount: order.amountMinor,
        metadata: { refund_key: order.idempotencyKey, reason_code: order.reasonCode },
        ...(reason ? { reason } : {}),
      }
      try {
        return await create(
          order.idempotencyKey,
          async (idempotencyKey) =>
            toRefund(await call('writes', () => sdk.refunds.create(parameters, { idempotencyKey }))),
          made,
        )
      } catch (error) {
        if (!isProviderFailure(error, 'charge_already_refunded')) throw error
        const gone = ['failed', 'canceled']
        const refunds = (await listRefunds(order.paymentIntentId)).filter(({ status }) => !gone.includes(status))
        const last = refunds.find((refund) => refund.refundKey === order.idempotencyKey) ?? refunds[0]
        if (!last) throw error
        return last
      }
    },

    async getRefund(refundId: string): Promise<Refund> {
      return toRefund(await call('reads', () => sdk.refunds.retrieve(refundId)))
    },

    async getDispute(disputeId: string): Promise<Dispute> {
      const dispute = await call('reads', () => sdk.disputes.retrieve(disputeId))
      const { id, status, reason, amount, currency, payment_intent: intent, charge } = dispute
      return {
        disputeId: id,
        status,
        reason,
        amountMinor: amount,
        currency: currency.toUpperCase(),
        paymentIntentId: intent === null || typeof intent === 'string' ? intent : intent.id,
        chargeId: typeof charge === 'string' ? charge : charge.id,
      }
    },
  }
}

function toRefund(refund: Stripe.Refund): Refund {
  return {
    refundId: refund.id,
    status: (refund.status ?? 'pending') as RefundStatus,
    amountMinor: refund.amount,
    currency: refund.currency.toUpperCase(),
    refundKey: refund.metadata?.refund_key ?? null,
    ...(refund.failure_reason ? { failureReason: refund.failure_reason } : {}),
    createdAt: new Date(refund.created * 1000).toISOString(),
  }
}
