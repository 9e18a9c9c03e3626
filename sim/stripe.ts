/**
 * A stateful fake of one Stripe account, as far as this project uses Stripe: API version 2026-10-28.endive.
 *
 * Control actions, `POST /_control/do/<name>` with JSON. A payment is named by `paymentIntent` (id or client secret) or
 * by `orderId` (metadata.order_id).
 *   pay              method: card|apple_pay|google_pay, riskLevel, riskScore
 *   fail-payment     declineCode, riskLevel; the payment may be tried again
 *   process, require-action, cancel
 *   late-success     the next cancel finds the payment succeeded meanwhile
 *   auto-pay         enabled, delayMs, riskLevel: each new payment pays itself
 *   pending-refunds  enabled: new refunds stay pending until `settle-refund` (refund | payment | none for all)
 *   fail-refund      refund or payment: fails what was refunded, or the next refund when there is none yet
 *   open-dispute     payment, reason, amount;  review-dispute;  close-dispute  outcome: won|lost  (dispute or payment)
 *   webhooks         drop, copies, delayMs, hold, url, events (subscription, ['*'] for everything)
 *   release          order: indexes into what was held; holding ends
 *   resend           eventId
 *   send-raw         eventId or body; signature (whole header, null for none), secret, timestamp (unix s);
 *                    answers what the receiver answered
 *   clock            advanceSeconds
 *   misbehave-next   path (regular expression), times, delayMs, status, applied: from within the endpoint, so that the
 *                    idempotency store keeps a 500 and sees two requests at once
 *   redaction-access enabled: whether the account was let into the redaction preview
 */
import { type RunningParty, startParty } from './simulator.ts'
import { createAccount } from './stripe/account.ts'
import { createActions } from './stripe/actions.ts'
import { createDisputes } from './stripe/disputes.ts'
import { createEvents } from './stripe/events.ts'
import { createPayments } from './stripe/payments.ts'
import { createProtocol } from './stripe/protocol.ts'
import { createRedactions } from './stripe/redaction.ts'
import { createRefunds } from './stripe/refunds.ts'
import { mountRoutes } from './stripe/routes.ts'

/**
 * `webhookUrl`: where the endpoint is registered; without it events are kept and not delivered.
 * `webhookRetryDelayMs`: between the three attempts at a delivery, a second where Stripe takes an hour or so.
 */
export async function startStripe(options: {
  port?: number
  secretKey: string
  webhookSecret: string
  webhookUrl?: string | undefined
  webhookRetryDelayMs?: number
}): Promise<RunningParty> {
  const account = createAccount()
  const events = createEvents(account, {
    url: options.webhookUrl,
    secret: options.webhookSecret,
    retryDelayMs: options.webhookRetryDelayMs ?? 1000,
  })
  const protocol = createProtocol(account, options.secretKey)
  const parts = {
    account,
    protocol,
    payments: createPayments(account, events),
    refunds: createRefunds(account, events),
    disputes: createDisputes(account, events),
    redactions: createRedactions(account),
  }

  return startParty(
    {
      name: 'stripe',
      routes: (router) => mountRoutes(router, parts),
      books: () => ({
        customers: account.customers.all().map((customer) => account.deletedCustomers.get(customer.id) ?? customer),
        paymentIntents: account.paymentIntents.all(),
        charges: account.charges.all(),
        refunds: account.refunds.all(),
        disputes: account.disputes.all(),
        redactions: account.redactions.all(),
        events: account.events.all().map(({ body: _body, ...event }) => event),
        deliveries: events.sender.deliveries,
        held: events.sender.heldIds(),
      }),
      reset() {
        account.reset()
        events.reset()
        protocol.reset()
      },
      actions: createActions(parts, events),
    },
    options.port,
  )
}
