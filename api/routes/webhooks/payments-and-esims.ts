/** The payment processor's and the eSIM providers' webhooks: proven, handed on once, recorded, and only then answered. */
import { timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { forgetOperatorTask, raiseOperatorTask } from '../../../db/operator-tasks.ts'
import { findOrderOfEsim } from '../../../db/order/esims.ts'
import { findOrder, findOrderOfPayment } from '../../../db/order/orders.ts'
import { periods } from '../../../policy/periods.ts'
import type { ProviderHint, WebhookEvent } from '../../../providers/esim.ts'
import { isProviderFailure } from '../../../providers/failure.ts'
import { isDisputeOver } from '../../../providers/stripe/refunds.ts'
import type { StripeWebhook } from '../../../providers/stripe/webhooks.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { createOrderSignals } from '../../runs/order-signals.ts'
import type { Handled, WebhookInbox } from '../../runs/webhook-inbox.ts'

/** Events hold one object of the party's; theirs are a few kB long, Stripe's larger ones of kinds that we ignore. */
const eventBody = { mediaType: 'application/json', maxBytes: 64 * 1024 }
const stripeEventBody = { mediaType: 'application/json', maxBytes: 512 * 1024 }

const received = { 200: { description: 'Received', schema: z.object({ received: z.boolean() }) } } as const
const thanks = { status: 200, body: { received: true } } as const

/** What tells an order something; the rest is for nobody. */
const paymentEvents = new Set([
  'payment_intent.succeeded',
  'payment_intent.canceled',
  'refund.created',
  'refund.updated',
  'refund.failed',
  'charge.refund.updated',
])
const disputeEvents = /^charge\.dispute\.(created|updated|closed|funds_withdrawn|funds_reinstated)$/

/** That we asked for a refund ourselves is none. */
const isStripeNews = ({ type, refundKey }: StripeWebhook): boolean =>
  (paymentEvents.has(type) || disputeEvents.test(type)) && !(type === 'refund.created' && refundKey)

export function webhookRoutes(api: ApiContext, inbox: WebhookInbox): Route[] {
  const { sql, config, esimProviders } = api
  const news = createOrderSignals(api)

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
        if (isStripeNews(event))
          await inbox.handle({ source: 'stripe', eventId: event.eventId }, () => stripeNews(event))
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

  async function stripeNews(event: StripeWebhook): Promise<Handled> {
    const isDispute = disputeEvents.test(event.type)
    const orderId = event.orderId ?? (event.paymentIntentId && (await findOrderOfPayment(sql, event.paymentIntentId)))
    const disputeId = event.disputeId ?? event.objectId
    // A payment that is none of our orders': made by hand at the processor, or its customer was erased. Whose deletion
    // it is looks after the money by itself, and no run may begin that bears the order's name.
    if (!orderId || !(await findOrder(sql, orderId))) {
      if (isDispute) await untiedDispute(disputeId)
    } else if (isDispute) await news.dispute(orderId, disputeId)
    else await news.payment(orderId)
    return 'handled'
  }

  /**
   * The bank wants an answer, whoever the customer was; nothing is kept of a dispute once it is decided. Stripe is asked
   * how it stands, since events come in any order: what is said of one that is over must not open it again.
   */
  async function untiedDispute(disputeId: string): Promise<void> {
    const task = { kind: 'dispute_open', subjectId: disputeId }
    const { status } = await api.stripe.getDispute(disputeId)
    if (isDisputeOver(status)) await forgetOperatorTask(sql, task)
    else await raiseOperatorTask(sql, { ...task, detail: 'erased', at: new Date() })
  }

  async function esimNews(source: 'esim-access' | 'airalo', parse: () => WebhookEvent): Promise<void> {
    const { eventId, hints } = proven(parse)
    const news = hints.filter(isNews)
    if (news.length > 0) await inbox.handle({ source, eventId }, () => tellOrders(source, news))
  }

  /** Only a delivered eSIM has a run that waits for news; provisioning asks by itself. */
  async function tellOrders(source: 'esim-access' | 'airalo', hints: EsimHint[]): Promise<Handled> {
    const orders = new Set<string>()
    for (const hint of hints) {
      const order = await findOrderOfEsim(sql, api, source, hint.esimRef)
      if (order?.delivered && tellsSomething(hint, order.usedShare)) orders.add(order.orderId)
    }
    for (const orderId of orders) await news.provider(orderId)
    return orders.size > 0 ? 'handled' : 'nothing_to_do'
  }
}

type EsimHint = ProviderHint & { esimRef: string }

/** Validity is followed by the calendar; an order that was placed is asked for anyway. */
const isNews = (hint: ProviderHint): hint is EsimHint =>
  hint.esimRef !== undefined && (hint.kind === 'esim' || hint.kind === 'usage')

/** U3: usage is told once, when little is left; what comes before and after would only cost a look. */
function tellsSomething({ kind, usedShare }: ProviderHint, knownShare: number): boolean {
  if (kind !== 'usage' || usedShare === undefined) return true
  return usedShare >= periods.order.lowDataShare && knownShare < periods.order.lowDataShare
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
