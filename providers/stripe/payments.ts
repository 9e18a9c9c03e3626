/**
 * P2, the payment processor takes the payment: each order has one PaymentIntent, paid by card, Apple Pay or Google Pay
 * in the app's PaymentSheet.
 */
import type Stripe from 'stripe'
import { type PaymentStatus, paymentStatuses } from '../codes/stripe-values.ts'
import { isProviderFailure, ProviderFailure } from '../failure.ts'
import type { StripeClient, StripeReply } from './client.ts'
import type { HostedPayments } from './hosted.ts'
import { orderIdIn } from './order-id.ts'

export type { PaymentStatus } from '../codes/stripe-values.ts'

export type RiskLevel = 'normal' | 'elevated' | 'highest' | 'not_assessed' | 'unknown'
export type MethodKind = 'card' | 'apple_pay' | 'google_pay' | 'other'

export interface Payment {
  paymentIntentId: string
  status: PaymentStatus
  amountMinor: number
  amountReceivedMinor: number
  /** ISO 4217, upper case */
  currency: string
  /** metadata.order_id; null for a payment that is not of an order or that was redacted */
  orderId: string | null
  /** of the latest attempt; `not_assessed` before the first */
  riskLevel: RiskLevel
  /** whose saved cards it may be paid with */
  customerId: string | null
  /** the same for each payment by one card; it must be stored as a keyed hash only */
  cardFingerprint?: string
  /** of the latest attempt */
  methodKind: MethodKind
  /** of the card's issuer (payment_method_details.card.country: docs.stripe.com/api/charges/object), ISO 3166 */
  cardCountry: string | null
  /** ISO 8601, by our clock: it is compared with times of ours, and Stripe's clock may be minutes behind */
  createdAt: string
  /** ISO 8601 */
  paidAt?: string
  /** how long ago it was paid by card, by Stripe's clock; other ways of paying take days, and Stripe does not say when */
  paidAgoMs?: number
  /** the refunded amount of the latest attempt, pending refunds included */
  refundedMinor: number
  /** the latest attempt has a dispute, open or lost */
  disputed: boolean
  /** a secret for the app; it must not reach a run's history or a log */
  clientSecret: string
}

/** Stripe's refusal has a text, and no code. */
const refusedForPage = 'http_400'

/** `processing`: the payment cannot be cancelled now and may still succeed. */
export type CancelResult = 'cancelled' | 'already_cancelled' | 'already_paid' | 'processing'

export function createPayments(
  { sdk, call, create, statusIn }: StripeClient,
  { pageOf, endHostedPayment }: Pick<HostedPayments, 'pageOf' | 'endHostedPayment'>,
) {
  async function getPayment(paymentIntentId: string): Promise<Payment> {
    const intent = await call('reads', () =>
      sdk.paymentIntents.retrieve(paymentIntentId, { expand: ['latest_charge'] }),
    )
    return toPayment(intent, statusIn('payment', paymentStatuses, intent.status, 'processing'), aheadMsOf(intent))
  }

  return {
    getPayment,

    /** Creates a PaymentIntent, for cards and their wallets. For 24 hours a repeated key returns the first one. */
    async createPayment(order: {
      orderId: string
      amountMinor: number
      currency: string
      customerId?: string | undefined
      /** by which a payment without an order is recognised as ours */
      mark: string
      idempotencyKey: string
    }): Promise<{ paymentIntentId: string; clientSecret: string }> {
      const parameters: Stripe.PaymentIntentCreateParams = {
        amount: order.amountMinor,
        currency: order.currency.toLowerCase(),
        // Apple Pay and Google Pay are cards. What else the account has switched on would bring other parties to the
        // sheet, such as PayPal and Klarna, and ways of paying that are decided some days later.
        allowed_payment_method_types: ['card'],
        metadata: { order_id: order.orderId, mark: order.mark },
        ...(order.customerId ? { customer: order.customerId } : {}),
      }
      // A PaymentIntent behind a spent key can never be paid, since its client secret was not returned. The payment
      // sweep cancels it.
      // Stripe refuses a key that comes with other parameters. Earlier builds let it choose the ways of paying with this.
      const intent = await create(`${order.idempotencyKey}:cards`, (idempotencyKey) =>
        call('writes', () => sdk.paymentIntents.create(parameters, { idempotencyKey })),
      )
      return { paymentIntentId: intent.id, clientSecret: intent.client_secret ?? '' }
    },

    /**
     * Cancels an unpaid payment. Safe to repeat with the same key, also after `processing`. Stripe refuses to cancel one
     * that was made on its page: then the page is ended, and the payment with it
     * (docs.stripe.com/api/payment_intents/cancel).
     */
    async cancelPayment(paymentIntentId: string, key: string): Promise<CancelResult> {
      const cancel = (options: Stripe.RequestOptions): Promise<ProviderFailure | 'cancelled'> =>
        call('writes', () =>
          sdk.paymentIntents.cancel(paymentIntentId, { cancellation_reason: 'abandoned' }, options),
        ).then(
          () => 'cancelled',
          (error: unknown) => {
            if (isProviderFailure(error, 'payment_intent_unexpected_state') || isProviderFailure(error, refusedForPage))
              return error
            throw error
          },
        )
      const refusal = await create(key, (idempotencyKey) => cancel({ idempotencyKey }))
      if (refusal === 'cancelled') return 'cancelled'
      if (refusal.code === refusedForPage) {
        const page = await pageOf(paymentIntentId)
        if (page === null) throw refusal
        return endHostedPayment(page, `${key}:page`)
      }
      const { status } = await getPayment(paymentIntentId)
      if (status === 'succeeded') return 'already_paid'
      if (status === 'canceled') return 'already_cancelled'
      if (status === 'processing') return 'processing'
      // The payment can be cancelled: the refusal was the stored answer to an earlier attempt with this key. Without a
      // key the answer to the next one is never an earlier one.
      if ((await cancel({})) === 'cancelled') return 'cancelled'
      throw new ProviderFailure('stripe', 'unavailable', 'payment_intent_unexpected_state')
    },
  }
}

/** What our clock is ahead of Stripe's, which says its time with each answer (RFC 9110, section 6.6.1). */
function aheadMsOf({ lastResponse }: StripeReply): number {
  const itsTime = Date.parse(lastResponse.headers.date ?? '')
  return Number.isNaN(itsTime) ? 0 : Date.now() - itsTime
}

function toPayment(intent: Stripe.PaymentIntent, status: PaymentStatus, aheadMs: number): Payment {
  const charge = intent.latest_charge !== null && typeof intent.latest_charge === 'object' ? intent.latest_charge : null
  const cardFingerprint = charge?.payment_method_details?.card?.fingerprint
  return {
    paymentIntentId: intent.id,
    status,
    amountMinor: intent.amount,
    amountReceivedMinor: intent.amount_received,
    currency: intent.currency.toUpperCase(),
    orderId: orderIdIn(intent.metadata) ?? null,
    riskLevel: riskLevelOf(charge),
    customerId: typeof intent.customer === 'string' ? intent.customer : (intent.customer?.id ?? null),
    ...(cardFingerprint ? { cardFingerprint } : {}),
    methodKind: methodKindOf(charge),
    cardCountry: charge?.payment_method_details?.card?.country ?? null,
    createdAt: new Date(intent.created * 1000 + aheadMs).toISOString(),
    refundedMinor: charge?.amount_refunded ?? 0,
    disputed: charge?.disputed ?? false,
    ...(charge?.paid ? { paidAt: new Date(charge.created * 1000).toISOString() } : {}),
    ...(charge?.paid && charge.payment_method_details?.card
      ? { paidAgoMs: Math.max(0, Date.now() - aheadMs - charge.created * 1000) }
      : {}),
    clientSecret: intent.client_secret ?? '',
  }
}

function riskLevelOf(charge: Stripe.Charge | null): RiskLevel {
  const known: RiskLevel[] = ['normal', 'elevated', 'highest', 'not_assessed', 'unknown']
  if (!charge?.outcome?.risk_level) return 'not_assessed'
  return known.find((level) => level === charge.outcome?.risk_level) ?? 'unknown'
}

function methodKindOf(charge: Stripe.Charge | null): MethodKind {
  const card = charge?.payment_method_details?.card
  if (!card) return 'other'
  if (!card.wallet) return 'card'
  const known: MethodKind[] = ['apple_pay', 'google_pay']
  return known.find((kind) => kind === card.wallet?.type) ?? 'other'
}
