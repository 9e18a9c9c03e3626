/** Which of Stripe's events concern the run of an order; others are ignored. */
import type { StripeWebhook } from './webhooks.ts'

const paymentEvents = [
  'payment_intent.succeeded',
  'payment_intent.canceled',
  'refund.created',
  'refund.updated',
  'refund.failed',
  'charge.refund.updated',
]
const disputeEvents = ['created', 'updated', 'closed', 'funds_withdrawn', 'funds_reinstated'].map(
  (change) => `charge.dispute.${change}`,
)
const fraudWarningEvents = ['radar.early_fraud_warning.created', 'radar.early_fraud_warning.updated']

/** At most 20, which is the most that Stripe lists at once: docs.stripe.com/api/events/list */
export const orderEventTypes: readonly string[] = [...paymentEvents, ...disputeEvents, ...fraudWarningEvents]

export const isAboutDispute = ({ type }: Pick<StripeWebhook, 'type'>): boolean => disputeEvents.includes(type)

export const isAboutFraudWarning = ({ type }: Pick<StripeWebhook, 'type'>): boolean => fraudWarningEvents.includes(type)

/** The creation of a refund that we requested ourselves is known already. */
export const concernsOrder = ({ type, refundKey }: StripeWebhook): boolean =>
  orderEventTypes.includes(type) && !(type === 'refund.created' && refundKey)
