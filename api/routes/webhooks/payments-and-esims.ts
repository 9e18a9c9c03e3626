/**
 * Webhooks of Stripe and the eSIM providers: each is verified, signalled to its order, recorded, and only then
 * answered.
 */
import { timingSafeEqual } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { recordDisputeTasks } from '../../../db/order/disputes.ts'
import { findDeliveredOrder, findOrderOfEsim } from '../../../db/order/esims.ts'
import { recordOrphanedWarning } from '../../../db/order/fraud-warnings.ts'
import { noteInHistory } from '../../../db/order/order-history.ts'
import { findOrder, findOrderOfEvent, findOrderOfPayment, hasPayment } from '../../../db/order/orders.ts'
import type { EsimProviderId } from '../../../policy/outside-parties.ts'
import { periods } from '../../../policy/periods.ts'
import type { ProviderHint, WebhookEvent } from '../../../providers/esim.ts'
import {
  concernsOrder,
  isAboutDecline,
  isAboutDispute,
  isAboutFraudWarning,
  isAboutSuccess,
} from '../../../providers/stripe/event-types.ts'
import type { StripeWebhook } from '../../../providers/stripe/webhooks.ts'
import { createOrderSignals } from '../../../temporal/order-signals.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import type { Handled, WebhookInbox } from '../../runs/webhook-inbox.ts'
import { verified } from './verified.ts'

/**
 * An event holds one object: a few kB from an eSIM provider; Stripe's largest are of types that we ignore, but accept.
 */
const eventBody = { mediaType: 'application/json', maxBytes: 64 * 1024 }
const stripeEventBody = { mediaType: 'application/json', maxBytes: 512 * 1024 }

const received = { 200: { description: 'Received', schema: z.object({ received: z.boolean() }) } } as const
const accepted = { status: 200, body: { received: true } } as const

export function webhookRoutes(api: ApiContext, inbox: WebhookInbox): Route[] {
  const { sql, config, esimProviders } = api
  const signals = createOrderSignals(api)

  return [
    defineRoute({
      method: 'post',
      path: '/v1/webhooks/stripe',
      tag: 'webhooks',
      summary: 'Events from Stripe',
      promises: ['U2'],
      callers: ['public'],
      rawBody: stripeEventBody,
      unlimited: true,
      responses: received,
      problems: ['webhook_refused'],
      admit: ({ header }) => assertSigned(header('stripe-signature')),
      async handle({ raw, header }) {
        const event = verified(() => api.stripe.parseWebhook(raw, header('stripe-signature') ?? ''))
        if (isAboutDecline(event)) await noteDecline(event)
        if (concernsOrder(event))
          await inbox.handle({ source: 'stripe', eventId: event.eventId }, () => handleStripeEvent(event))
        return accepted
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/webhooks/esim-access/{secret}',
      tag: 'webhooks',
      summary:
        'Notifications from eSIM Access, which are unsigned: the path holds a secret, and the IP addresses of senders may be limited',
      promises: ['U2', 'U3'],
      callers: ['public'],
      rawBody: eventBody,
      unlimited: true,
      params: z.strictObject({ secret: z.string().max(200) }),
      responses: received,
      problems: ['not_found', 'webhook_refused'],
      admit({ params, ip }) {
        const senders = config.ESIM_ACCESS_WEBHOOK_IPS
        const allowed =
          equal(params.secret, config.ESIM_ACCESS_WEBHOOK_TOKEN) && (!senders || senders.includes(ip ?? ''))
        if (!allowed) throw new Problem('not_found')
      },
      async handle({ raw }) {
        await handleEsimHints('esim-access', () =>
          esimProviders['esim-access'].parseWebhook({ rawBody: raw.toString('utf8'), headers: {} }),
        )
        return accepted
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/webhooks/airalo',
      tag: 'webhooks',
      summary: 'Notifications from Airalo',
      promises: ['U2', 'U3'],
      callers: ['public'],
      rawBody: eventBody,
      unlimited: true,
      responses: received,
      problems: ['webhook_refused'],
      admit: ({ header }) => assertSigned(header('airalo-signature')),
      async handle({ raw, header }) {
        const headers = { 'airalo-signature': header('airalo-signature') }
        await handleEsimHints('airalo', () =>
          esimProviders.airalo.parseWebhook({ rawBody: raw.toString('utf8'), headers }),
        )
        return accepted
      },
    }),
    defineRoute({
      method: 'head',
      path: '/v1/webhooks/airalo',
      tag: 'webhooks',
      summary: 'Airalo checks that the webhook exists before it sends notifications',
      callers: ['public'],
      unlimited: true,
      responses: { 200: { description: 'The webhook exists' } },
      handle: () => ({ status: 200 }),
    }),
  ]

  /** Each event is noted once, so it needs no inbox. */
  async function noteDecline({ eventId, orderId: named, paymentIntentId, declineCode, createdAt }: StripeWebhook) {
    const orderId = named ?? (paymentIntentId && (await findOrderOfPayment(sql, paymentIntentId)))
    if (!orderId) return
    const entry = { orderId, kind: 'payment_declined', source: eventId, at: new Date(createdAt) } as const
    await noteInHistory(sql, { ...entry, detail: declineCode ?? null })
  }

  async function handleStripeEvent(event: StripeWebhook): Promise<Handled> {
    if (isAboutFraudWarning(event)) return handleFraudWarning(event)
    const isDispute = isAboutDispute(event)
    const orderId = await findOrderOfEvent(sql, event, isDispute)
    const disputeId = event.disputeId ?? event.objectId
    const order = orderId ? await findOrder(sql, orderId) : undefined
    // The payment was made by hand at Stripe, or its order was erased. The deletion's own run refunds an erased order;
    // an aftercare run started here would have no order.
    if (!order) {
      if (isDispute) await handleDisputeWithoutOrder(disputeId)
    } else if (isDispute) await signals.dispute(order.id, disputeId)
    // The run has found its payment by itself: a signal would have it ask Stripe whether it was given back.
    else if (isAboutSuccess(event) && order.paid_at && hasPayment(order, event.paymentIntentId))
      await signals.settle(order.id)
    else await signals.payment(order.id, event.refundKey)
    // The payment sweep reads it once more: it makes an operator task of a payment of ours that no order has.
    const isStray = isAboutSuccess(event) && !(order && hasPayment(order, event.paymentIntentId))
    return isStray ? 'nothing_to_do' : 'handled'
  }

  /**
   * The event may name the charge alone, so Stripe is asked whose it is, and whether the warning is still actionable.
   */
  async function handleFraudWarning({ objectId, paymentIntentId }: StripeWebhook): Promise<Handled> {
    const known = paymentIntentId && (await findOrderOfPayment(sql, paymentIntentId))
    const warning = known ? undefined : await api.stripe.getFraudWarning(objectId)
    const orderId =
      known || (warning?.paymentIntentId && (await findOrderOfPayment(sql, warning.paymentIntentId))) || undefined
    if (orderId) await signals.fraudWarning(orderId)
    else if (warning) await recordOrphanedWarning(sql, warning, new Date())
    return 'handled'
  }

  /**
   * A dispute without an order: an operator must answer the bank all the same. Stripe is asked for its status, since
   * events arrive in any order and an old one must not open a decided dispute again. It is asked until nothing has
   * changed: of two events that are handled at the same time, who writes last has read last.
   */
  async function handleDisputeWithoutOrder(disputeId: string): Promise<void> {
    for (let dispute = await api.stripe.getDispute(disputeId); ; ) {
      await recordDisputeTasks(sql, dispute, undefined, new Date())
      const now = await api.stripe.getDispute(disputeId)
      if (isDeepStrictEqual(now, dispute)) return
      dispute = now
    }
  }

  async function handleEsimHints(source: EsimProviderId, parse: () => WebhookEvent): Promise<void> {
    const { eventId, hints, unnamed } = verified(parse)
    const esimHints = hints.filter(isEsimHint)
    if (esimHints.length === 0) return
    const name = unnamed ? [eventId, ...(await volumesOf(source, esimHints))].join(' ') : eventId
    await inbox.handle({ source, eventId: name }, () => signalOrders(source, esimHints))
  }

  /** After a top-up the same words are another notice: 90 % of another volume. */
  function volumesOf(source: EsimProviderId, hints: EsimHint[]): Promise<string[]> {
    return Promise.all(
      hints.map(async ({ esimRef }) => {
        const order = esimRef === undefined ? undefined : await findOrderOfEsim(sql, api, source, esimRef)
        return String(order?.totalBytes ?? 'unlimited')
      }),
    )
  }

  /** Only the run of a delivered eSIM waits for hints; provisioning polls the provider. */
  async function signalOrders(source: EsimProviderId, hints: EsimHint[]): Promise<Handled> {
    const orders = new Set<string>()
    for (const hint of hints) {
      const order =
        hint.esimRef === undefined
          ? await findDeliveredOrder(sql, source, hint.orderNo)
          : await findOrderOfEsim(sql, api, source, hint.esimRef)
      if (order?.delivered && changesWhatIsKnown(hint, order.usedShare)) orders.add(order.orderId)
    }
    for (const orderId of orders) await signals.provider(orderId)
    return orders.size > 0 ? 'handled' : 'nothing_to_do'
  }
}

/** Some notifications of eSIM Access name the order and not the eSIM. */
type EsimHint = ProviderHint & ({ esimRef: string } | { esimRef?: never; orderNo: string })

/** Other hints are not needed: the run follows an eSIM's validity by timers, and polls a placed order. */
const isEsimHint = (hint: ProviderHint): hint is EsimHint =>
  (hint.esimRef !== undefined || hint.orderNo !== undefined) && (hint.kind === 'esim' || hint.kind === 'usage')

/**
 * U3, package updates are sent once: usage concerns the run only when it passes the threshold of the low-data notice.
 */
function changesWhatIsKnown({ kind, usedShare }: ProviderHint, knownShare: number): boolean {
  if (kind !== 'usage' || usedShare === undefined) return true
  return usedShare >= periods.order.lowDataShare && knownShare < periods.order.lowDataShare
}

/** The signature can only be verified with the body; a request without one is refused before its body is read. */
function assertSigned(signature: string | undefined): void {
  if (!signature) throw new Problem('webhook_refused', { detail: 'Reason: bad_signature' })
}

function equal(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
