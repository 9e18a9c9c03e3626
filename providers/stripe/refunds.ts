/** Refunds of payments. */
import type Stripe from 'stripe'
import { pendingReasons, type RefundStatus, refundStatuses } from '../codes/stripe-values.ts'
import { isProviderFailure, ProviderFailure } from '../failure.ts'
import type { StripeClient } from './client.ts'
import { createPages, toTheEnd } from './pages.ts'

export type { RefundStatus } from '../codes/stripe-values.ts'

export interface Refund {
  refundId: string
  status: RefundStatus
  amountMinor: number
  /**
   * the idempotency key of our request; null for a refund that was made elsewhere, for example in Stripe's dashboard
   */
  refundKey: string | null
}

const stripeReasons = ['duplicate', 'fraudulent', 'requested_by_customer'] as const

export function createRefunds({ sdk, call, create, statusIn, noteReason }: StripeClient) {
  const pages = createPages(call)
  function toRefund(refund: Stripe.Refund): Refund {
    const status = statusIn('refund', refundStatuses, refund.status, 'pending')
    // Stripe makes a refund once our balance is filled, and nothing else shows that it has not.
    if (status === 'pending' && refund.pending_reason)
      noteReason('refund_pending', pendingReasons, refund.pending_reason)
    return {
      refundId: refund.id,
      status,
      amountMinor: refund.amount,
      refundKey: refund.metadata?.refund_key ?? null,
    }
  }

  /** The refunds of a payment, the newest first. */
  async function listRefunds(paymentIntentId: string): Promise<Refund[]> {
    const all = pages((page) => sdk.refunds.list({ ...page, payment_intent: paymentIntentId }))
    return (await toTheEnd(all)).map(toRefund)
  }

  return {
    listRefunds,

    /**
     * Refunds `amountMinor` once for each key. Stripe forgets keys after 24 hours: with `lookFirst` an existing refund
     * with this key is returned in any state; to try a failed one again needs a new key.
     * @throws ProviderFailure rejected: `charge_disputed`, or `http_400` when the amount exceeds what is left
     */
    async refund(order: {
      paymentIntentId: string
      /**
       * `rest`: all that is left, as Stripe has it when it makes the refund. An amount that was read before may be more
       * than that, or another one the next time, and Stripe refuses both for good.
       */
      amountMinor: number | 'rest'
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
        ...(order.amountMinor === 'rest' ? {} : { amount: order.amountMinor }),
        metadata: { refund_key: order.idempotencyKey, reason_code: order.reasonCode },
        ...(reason ? { reason } : {}),
      }
      // Stripe refuses a key that comes with other parameters. Earlier builds sent an amount with this one.
      const key = order.amountMinor === 'rest' ? `${order.idempotencyKey}:rest` : order.idempotencyKey
      try {
        return await create(
          key,
          async (idempotencyKey) =>
            toRefund(await call('writes', () => sdk.refunds.create(parameters, { idempotencyKey }))),
          made,
        )
      } catch (error) {
        if (!isProviderFailure(error, 'charge_already_refunded')) throw error
        const gone = ['failed', 'canceled']
        const refunds = (await listRefunds(order.paymentIntentId)).filter(({ status }) => !gone.includes(status))
        const last = refunds.find((refund) => refund.refundKey === order.idempotencyKey) ?? refunds[0]
        // The machine that lists the refunds does not know what the one that refuses knows.
        if (!last) throw new ProviderFailure('stripe', 'unavailable', error.code)
        return last
      }
    },
  }
}
