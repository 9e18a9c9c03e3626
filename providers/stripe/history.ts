/** Stripe's payments, refunds, disputes and events, for comparing them with our books. */

import { type PaymentStatus, paymentStatuses } from '../codes/stripe-values.ts'
import type { StripeClient } from './client.ts'
import { orderEventTypes } from './event-types.ts'
import { orderIdIn } from './order-id.ts'
import { createPages, seconds } from './pages.ts'
import { readEvent, type StripeWebhook } from './webhooks.ts'

/** A payment as a list has it: without the attempts to pay. */
export interface ListedPayment {
  paymentIntentId: string
  status: PaymentStatus
  /** metadata.order_id */
  orderId: string | null
  /** metadata.mark */
  mark: string | null
}

export function createHistory({ sdk, call, statusIn }: StripeClient) {
  const pages = createPages(call)

  return {
    /**
     * Reads the events about orders since a time, the newest first; Stripe keeps events for 30 days. Their webhooks may
     * have been lost: docs.stripe.com/webhooks/process-undelivered-events
     */
    async *orderEvents(since: Date): AsyncGenerator<StripeWebhook> {
      const created = { gte: seconds(since) }
      for await (const events of pages((page) => sdk.events.list({ ...page, created, types: [...orderEventTypes] }))) {
        for (const event of events) yield readEvent(event)
      }
    },

    /** Reads the payments that were created between two times, the newest first. */
    async *paymentsCreated(from: Date, to: Date): AsyncGenerator<ListedPayment> {
      const created = { gte: seconds(from), lte: seconds(to) }
      for await (const intents of pages((page) => sdk.paymentIntents.list({ ...page, created }))) {
        for (const { id, status, metadata } of intents) {
          yield {
            paymentIntentId: id,
            status: statusIn('payment', paymentStatuses, status, 'processing'),
            orderId: orderIdIn(metadata) ?? null,
            mark: metadata.mark ?? null,
          }
        }
      }
    },
  }
}
