/** Which of Stripe's events concern the run of an order; others are ignored. */
import { lookUp } from '../codes/meaning.ts'
import { eventTypes } from '../codes/stripe-values.ts'
import type { StripeWebhook } from './webhooks.ts'

export const orderEventTypes: readonly string[] = Object.keys(eventTypes)

const isAbout = (subject: string, { type }: Pick<StripeWebhook, 'type'>): boolean =>
  lookUp(eventTypes, type)?.about === subject

export const isAboutDispute = (event: Pick<StripeWebhook, 'type'>): boolean => isAbout('dispute', event)

export const isAboutFraudWarning = (event: Pick<StripeWebhook, 'type'>): boolean => isAbout('fraud warning', event)

/** Whether an event says that a payment has succeeded. */
export const isAboutSuccess = ({ type }: Pick<StripeWebhook, 'type'>): boolean => type === 'payment_intent.succeeded'

/** A try of a payment that failed: the order waits on, and its timeline says so. */
export const isAboutDecline = ({ type }: Pick<StripeWebhook, 'type'>): boolean =>
  type === 'payment_intent.payment_failed'

/** The creation of a refund that we requested ourselves is known already. */
export const concernsOrder = ({ type, refundKey }: StripeWebhook): boolean =>
  orderEventTypes.includes(type) && !(type === 'refund.created' && refundKey)
