/** Stripe's webhooks: verified with the raw body, then reduced to the ids by which the objects can be read. */
import type Stripe from 'stripe'
import { z } from 'zod'
import { propertyOf } from '../../shared/keys-of.ts'
import { ProviderFailure } from '../failure.ts'
import { jsonOf } from '../provider-call.ts'
import { timeOfMs } from '../sent-time.ts'
import { orderIdIn } from './order-id.ts'

/** Stripe's recommendation against replay attacks: docs.stripe.com/webhooks/signature */
const toleranceSeconds = 300

export interface StripeWebhook {
  eventId: string
  type: string
  objectId: string
  paymentIntentId?: string
  /** metadata.order_id, if the event's object has it */
  orderId?: string
  /** metadata.mark of a payment */
  mark?: string
  /** the idempotency key of our refund; missing for one that was made elsewhere */
  refundKey?: string
  disputeId?: string
  /** why a payment failed, as the bank or the processor says */
  declineCode?: string
  /** ISO 8601, when Stripe made the event; events may arrive in any order */
  createdAt: string
}

/** Verifies and reads events. @param secret of the endpoint */
export function createWebhookParser(sdk: Stripe, secret: string) {
  /**
   * Verifies and reads an event.
   * @param signatureHeader the `stripe-signature` header as received
   * @param nowSeconds Unix time, for the age of the signature
   * @throws ProviderFailure rejected: `bad_signature`, `old_signature` (older than 5 minutes) or `bad_payload`
   */
  return function parseWebhook(
    rawBody: Buffer | string,
    signatureHeader: string | string[] | undefined,
    nowSeconds?: number,
  ): StripeWebhook {
    const receivedAt = nowSeconds === undefined ? undefined : nowSeconds * 1000
    const passes = (tolerance: number): boolean => {
      try {
        const header = String(signatureHeader ?? '')
        // A time that is no number has no age: the SDK would take it as new.
        return (
          timesAreNumbers(header) &&
          sdk.webhooks.signature?.verifyHeader(rawBody, header, secret, tolerance, undefined, receivedAt) === true
        )
      } catch {
        return false
      }
    }
    // Tolerance 0 ignores the age: two checks tell a forged signature from an old one without the SDK's error texts.
    if (!passes(0)) throw new ProviderFailure('stripe', 'rejected', 'bad_signature')
    if (!passes(toleranceSeconds)) throw new ProviderFailure('stripe', 'rejected', 'old_signature')
    return readEvent(jsonOf(rawBody.toString()))
  }
}

const timesAreNumbers = (header: string): boolean =>
  header.split(',').every((part) => !part.startsWith('t=') || /^t=\d{1,12}$/.test(part))

/** Reads an event object. @throws ProviderFailure rejected: `bad_payload` */
export function readEvent(sent: unknown): StripeWebhook {
  const event = record.parse(sent)
  const object = record.parse(propertyOf(event.data, 'object'))
  const { id: eventId, type, created } = event
  // Some objects, such as a balance, have no id; no event that we follow is about one.
  const objectId = typeof object.id === 'string' ? object.id : ''
  const createdAt = typeof created === 'number' ? timeOfMs(created * 1000) : undefined
  if (typeof eventId !== 'string' || typeof type !== 'string' || !createdAt) {
    throw new ProviderFailure('stripe', 'rejected', 'bad_payload')
  }
  const kind = object.object
  const paymentIntentId = kind === 'payment_intent' ? objectId : idOf(object.payment_intent)
  const metadata = record.parse(object.metadata)
  const { refund_key: refundKey, mark } = metadata
  const orderId = orderIdIn(metadata)
  return {
    eventId,
    type,
    objectId,
    ...(paymentIntentId ? { paymentIntentId } : {}),
    ...(orderId ? { orderId } : {}),
    ...(typeof mark === 'string' ? { mark } : {}),
    ...(kind === 'refund' && typeof refundKey === 'string' ? { refundKey } : {}),
    ...(kind === 'dispute' ? { disputeId: objectId } : {}),
    ...(type === 'payment_intent.payment_failed' ? { declineCode: declineCodeOf(object) } : {}),
    createdAt: createdAt.toISOString(),
  }
}

function declineCodeOf(payment: Record<string, unknown>): string {
  const { last_payment_error: fault } = payment
  const said = [propertyOf(fault, 'decline_code'), propertyOf(fault, 'code')].find(
    (each) => typeof each === 'string' && /^[a-z0-9_]{1,60}$/.test(each),
  )
  return typeof said === 'string' ? said : 'unknown'
}

function idOf(field: unknown): string | undefined {
  if (typeof field === 'string') return field
  const id = propertyOf(field, 'id')
  return typeof id === 'string' ? id : undefined
}

/** The fields of an object; of anything else none. */
const record = z.record(z.string(), z.unknown()).catch({})
