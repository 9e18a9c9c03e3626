/**
 * Early fraud warnings: a card issuer reports that a payment may be fraudulent, before any dispute.
 * Sources: docs.stripe.com/api/early_fraud_warnings/object, docs.stripe.com/disputes/how-disputes-work
 */
import type Stripe from 'stripe'
import type { StripeClient } from './client.ts'
import { createPages, toTheEnd } from './pages.ts'

export interface FraudWarning {
  warningId: string
  /** the payment has no dispute and is not fully refunded */
  actionable: boolean
  /** Stripe's code, such as `made_with_stolen_card` */
  fraudType: string
  paymentIntentId: string | null
  amountMinor: number
  /** ISO 4217, upper case */
  currency: string
  /** ISO 8601 */
  createdAt: string
}

export function createFraudWarnings({ sdk, call }: StripeClient) {
  const pages = createPages(call)

  return {
    async getFraudWarning(warningId: string): Promise<FraudWarning> {
      return toWarning(
        await call('reads', () => sdk.radar.earlyFraudWarnings.retrieve(warningId, { expand: ['charge'] })),
      )
    },

    /** The warnings about a payment, the newest first. */
    async listFraudWarnings(paymentIntentId: string): Promise<FraudWarning[]> {
      const of = { payment_intent: paymentIntentId, expand: ['data.charge'] }
      const all = pages((page) => sdk.radar.earlyFraudWarnings.list({ ...page, ...of }))
      return (await toTheEnd(all)).map(toWarning)
    },
  }
}

function toWarning(warning: Stripe.Radar.EarlyFraudWarning): FraudWarning {
  const charge = typeof warning.charge === 'string' ? undefined : warning.charge
  // The field is optional; the charge has it as well.
  const intent = warning.payment_intent ?? charge?.payment_intent ?? null
  return {
    warningId: warning.id,
    actionable: warning.actionable,
    fraudType: warning.fraud_type,
    paymentIntentId: intent === null || typeof intent === 'string' ? intent : intent.id,
    amountMinor: (charge?.amount ?? 0) - (charge?.amount_refunded ?? 0),
    currency: (charge?.currency ?? '').toUpperCase(),
    createdAt: new Date(warning.created * 1000).toISOString(),
  }
}
