/** Creates events, signs them as Stripe does, and sends those that the endpoint is subscribed to. */
import { createHmac } from 'node:crypto'
import { type WebhookRequest, WebhookSender } from '../webhooks.ts'
import { type Account, newId, type StoredEvent } from './account.ts'

/** The account's default version, which stripe 23.1.0 uses. */
export const apiVersion = '2026-10-28.endive'

/** The default subscription of the webhook endpoint; the action `webhooks` changes it, `*` means all events. */
export const defaultSubscription = [
  'payment_intent.succeeded',
  'payment_intent.payment_failed',
  'payment_intent.processing',
  'payment_intent.requires_action',
  'payment_intent.canceled',
  'charge.refunded',
  'refund.created',
  'refund.updated',
  'refund.failed',
  'charge.dispute.created',
  'charge.dispute.updated',
  'charge.dispute.closed',
  'charge.dispute.funds_withdrawn',
  'charge.dispute.funds_reinstated',
  'radar.early_fraud_warning.created',
  'radar.early_fraud_warning.updated',
]

export interface WebhookEndpoint {
  url: string | undefined
  secret: string
  subscription: string[]
}

export type Events = ReturnType<typeof createEvents>

/**
 * The signature header: `t=<Unix seconds>,v1=<HMAC-SHA256 of "t.body">`. It has the real time, even after the account's
 * clock was moved, since the receiver checks the age with its own clock.
 */
export function sign(body: string, secret: string, timestamp = Math.floor(Date.now() / 1000)): string {
  return `t=${timestamp},v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`
}

export function createEvents(
  account: Account,
  given: { url?: string | undefined; secret: string; retryDelayMs: number },
) {
  // A sandbox makes three attempts: docs.stripe.com/webhooks/process-undelivered-events
  const sender = new WebhookSender({ retries: 2, retryDelayMs: given.retryDelayMs })
  const endpoint: WebhookEndpoint = {
    url: given.url || undefined,
    secret: given.secret,
    subscription: defaultSubscription,
  }

  function emit(type: string, object: { id: string }, previousAttributes?: Record<string, unknown>): void {
    const id = newId('evt')
    const created = account.now()
    const body = JSON.stringify({
      id,
      object: 'event',
      api_version: apiVersion,
      created,
      data: { object, ...(previousAttributes ? { previous_attributes: previousAttributes } : {}) },
      livemode: false,
      pending_webhooks: 1,
      request: { id: null, idempotency_key: null },
      type,
    })
    const event = account.events.add({ id, type, created, objectId: object.id, body })
    if (endpoint.subscription.includes('*') || endpoint.subscription.includes(type)) deliver(event)
  }

  function deliver(event: StoredEvent): void {
    if (endpoint.url) sender.send(event.id, () => request(event.body, sign(event.body, endpoint.secret)))
  }

  function request(body: string, signature: string | null): WebhookRequest {
    const headers = { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'Stripe/1.0 (simulated)' }
    return {
      url: endpoint.url ?? '',
      headers: signature === null ? headers : { ...headers, 'stripe-signature': signature },
      body,
    }
  }

  return {
    emit,
    deliver,
    request,
    sender,
    endpoint,
    reset: () => {
      sender.reset()
      // The endpoint's URL is a setting and stays.
      endpoint.subscription = defaultSubscription
    },
  }
}
