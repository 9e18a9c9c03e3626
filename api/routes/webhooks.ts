/** The payment processor's and the eSIM providers' webhooks: proven, deduplicated, handed on, and only then answered. */
import { timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { ApiContext } from '../../context.ts'
import { forgetAttention, raiseAttention } from '../../db/attention.ts'
import { findOrderOfEsim } from '../../db/esims.ts'
import { findOrder, findOrderOfPayment } from '../../db/orders.ts'
import { handleOnce } from '../../db/webhook-events.ts'
import { terms } from '../../policy/terms.ts'
import type { ProviderHint, WebhookNews } from '../../providers/esim.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { isDisputeOver } from '../../providers/stripe-refunds.ts'
import type { StripeWebhook } from '../../providers/stripe-webhooks.ts'
import { createOrderNews } from '../order-news.ts'
import { Problem } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'

/** Events hold one object of the party's; theirs are a few kB long, Stripe's larger ones of kinds that we ignore. */
const eventBody = { mediaType: 'application/json', maxBytes: 64 * 1024 }
const stripeEventBody = { mediaType: 'application/json', maxBytes: 512 * 1024 }

const received = { 200: { description: 'Received', schema: z.object({ received: z.boolean() }) } } as const
const thanks = { status: 200, body: { received: true } } as const

/** What a payment event is to its order; the rest is no news to anybody. */
const paymentEvents = new Set([
  'payment_intent.succeeded',
  'payment_intent.canceled',
  'refund.created',
  'refund.updated',
  'refund.failed',
  'charge.refund.updated',
])
const disputeEvents = /^charge\.dispute\.(created|updated|closed|funds_withdrawn|funds_reinstated)$/

export function webhookRoutes(api: ApiContext): Route[] {
  const { sql, config, esimProviders } = api
  const news = createOrderNews(api)

  return [
    defineRoute({
      method: 'post',
      path: '/v1/webhooks/stripe',
      tag: 'webhooks',
      summary: 'News from Stripe',
      promises: ['U2'],
      callers: ['public'],
      rawBody: stripeEventBody,
      unlimited: true,
      responses: received,
      problems: ['webhook_refused'],
      admit: ({ header }) => assertSigned(header('stripe-signature')),
      async handle({ raw, header }) {
        const event = proven(() => api.stripe.parseWebhook(raw, header('stripe-signature') ?? ''))
        await handleOnce(api, { source: 'stripe', eventId: event.eventId, at: new Date() }, () => stripeNews(event))
        return thanks
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/webhooks/esim-access/{secret}',
      tag: 'webhooks',
      summary: 'News from eSIM Access: unsigned, so the path holds a secret and senders may be limited by address',
      promises: ['U2', 'U3'],
      callers: ['public'],
      rawBody: eventBody,
      unlimited: true,
      params: z.strictObject({ secret: z.string().max(200) }),
      responses: received,
      admit({ params, ip }) {
        const senders = config.ESIM_ACCESS_WEBHOOK_IPS
        const allowed =
          equal(params.secret, config.ESIM_ACCESS_WEBHOOK_TOKEN) && (!senders || senders.includes(ip ?? ''))
        if (!allowed) throw new Problem('not_found')
      },
      async handle({ raw }) {
        await esimNews('esim-access', () =>
          esimProviders['esim-access'].parseWebhook({ rawBody: raw.toString('utf8'), headers: {} }),
        )
        return thanks
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/webhooks/airalo',
      tag: 'webhooks',
      summary: 'News from Airalo',
      promises: ['U2', 'U3'],
      callers: ['public'],
      rawBody: eventBody,
      unlimited: true,
      responses: received,
      problems: ['webhook_refused'],
      admit: ({ header }) => assertSigned(header('airalo-signature')),
      async handle({ raw, header }) {
        const headers = { 'airalo-signature': header('airalo-signature') }
        await esimNews('airalo', () => esimProviders.airalo.parseWebhook({ rawBody: raw.toString('utf8'), headers }))
        return thanks
      },
    }),
    defineRoute({
      method: 'head',
      path: '/v1/webhooks/airalo',
      tag: 'webhooks',
      summary: 'Airalo asks whether anybody is here before it sends news',
      callers: ['public'],
      unlimited: true,
      responses: { 200: { description: 'Here' } },
      handle: () => ({ status: 200 }),
    }),
  ]

  async function stripeNews(event: StripeWebhook): Promise<void> {
    const isDispute = disputeEvents.test(event.type)
    if (!isDispute && !paymentEvents.has(event.type)) return
    // That we asked for it is no news.
    if (event.type === 'refund.created' && event.refundKey) return
    const orderId = event.orderId ?? (event.paymentIntentId && (await findOrderOfPayment(sql, event.paymentIntentId)))
    const disputeId = event.disputeId ?? event.objectId
    // A payment that is none of our orders': made by hand at the processor, or its customer was erased. Whose deletion
    // it is looks after the money by itself, and no run may begin that bears the order's name.
    if (!orderId || !(await findOrder(sql, orderId))) return isDispute ? untiedDispute(disputeId) : undefined
    if (isDispute) await news.dispute(orderId, disputeId)
    else await news.payment(orderId)
  }

  /**
   * The bank wants an answer, whoever the customer was; nothing is kept of a dispute once it is decided. Stripe is asked
   * how it stands, since events come in any order: what is said of one that is over must not open it again.
   */
  async function untiedDispute(disputeId: string): Promise<void> {
    const matter = { kind: 'dispute_open', subjectId: disputeId }
    const { status } = await api.stripe.getDispute(disputeId)
    if (isDisputeOver(status)) await forgetAttention(sql, matter)
    else await raiseAttention(sql, { ...matter, detail: 'erased', at: new Date() })
  }

  async function esimNews(source: 'esim-access' | 'airalo', parse: () => WebhookNews): Promise<void> {
    const { eventId, hints } = proven(parse)
    // Only a delivered eSIM has a run that waits for news; provisioning asks by itself.
    const orders = new Set<string>()
    for (const hint of hints) {
      const order = isNews(hint) ? await findOrderOfEsim(sql, api, source, hint.esimRef) : undefined
      if (order?.delivered && tellsSomething(hint, order.usedShare)) orders.add(order.orderId)
    }
    if (orders.size === 0) return
    await handleOnce(api, { source, eventId, at: new Date() }, async () => {
      for (const orderId of orders) await news.provider(orderId)
    })
  }
}

/** Validity is followed by the calendar; an order that was placed is asked for anyway. */
const isNews = (hint: ProviderHint): hint is ProviderHint & { esimRef: string } =>
  hint.esimRef !== undefined && (hint.kind === 'esim' || hint.kind === 'usage')

/** U3: usage is told once, when little is left; what comes before and after would only cost a look. */
function tellsSomething({ kind, usedShare }: ProviderHint, knownShare: number): boolean {
  if (kind !== 'usage' || usedShare === undefined) return true
  return usedShare >= terms.order.lowDataShare && knownShare < terms.order.lowDataShare
}

function proven<News>(parse: () => News): News {
  try {
    return parse()
  } catch (error) {
    if (isProviderFailure(error)) throw new Problem('webhook_refused', { detail: `Reason: ${error.code}` })
    throw error
  }
}

/** Whether the signature is right, only the body can tell. */
function assertSigned(signature: string | undefined): void {
  if (!signature) throw new Problem('webhook_refused', { detail: 'Reason: bad_signature' })
}

function equal(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
