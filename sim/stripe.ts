/**
 * A simulator of one Stripe account with the parts of API version 2026-10-28.endive that this project uses. A person
 * pays by a test card at `/pay/<client secret>` (sim/stripe/confirm/), or at the address of a Checkout Session
 * (sim/stripe/hosted/).
 *
 * Actions (`POST /_control/do/<name>` with JSON). A payment is named by `paymentIntent` (id or client secret) or by
 * `orderId` (metadata.order_id).
 *   pay              method: card|apple_pay|google_pay, riskLevel, riskScore, fingerprint (of the card)
 *   fail-payment     declineCode, riskLevel; the payment can be tried again
 *   process, require-action, cancel
 *   save-card        the customer of a paid payment keeps its card
 *   late-success     the payment succeeds just before the next cancellation
 *   auto-pay         enabled, delayMs, riskLevel: each new payment is paid at once
 *   pending-refunds  enabled, reason?: new refunds stay pending until `settle-refund` (refund | payment | none for all)
 *   fail-refund      refund or payment: fails its refunds, or the next refund when there is none yet
 *   open-dispute     payment, reason, amount, dueInDays (null: the bank takes no answer), networkReasonCode, inquiry;
 *                    review-dispute;  close-dispute  outcome: won|lost  (dispute or payment)
 *   warn-fraud       payment, fraudType, withIntent (false: the warning names the charge alone)
 *   pay-out          currency, early (also what is not available yet), differsBy, parts
 *   unlisted         currency, amount: money in the balance that no transaction explains
 *   plant            payments: many paid ones at once, without events (sim/stripe/planting.ts)
 *   webhooks         drop, copies, delayMs, hold, url, events (subscription, ['*'] for everything)
 *   release          order: indexes of held webhooks; also ends `hold`
 *   resend           eventId
 *   send-raw         eventId or body; signature (whole header, null for none), secret, timestamp (unix s);
 *                    returns the receiver's answer
 *   clock            advanceSeconds
 *   age              seconds: all that was paid becomes so much older
 *   misbehave-next   path (regular expression), times, delayMs, status, applied: a fault within the endpoint, so that
 *                    the idempotency store keeps a 500 and sees simultaneous requests
 *   redaction-access enabled: whether the account has access to the redaction preview
 */
import type Stripe from 'stripe'
import { type RunningSimulator, startSimulator } from './simulator.ts'
import { createAccount, type KeptAccount, type StoredEvent } from './stripe/account.ts'
import { createActions, type StripeReplies } from './stripe/actions.ts'
import { createConfirm } from './stripe/confirm/confirm.ts'
import { createDisputes } from './stripe/disputes.ts'
import { createEvents } from './stripe/events.ts'
import { createFraudWarnings } from './stripe/fraud-warnings.ts'
import { createSessions } from './stripe/hosted/sessions.ts'
import type { Entry } from './stripe/idempotency.ts'
import { createLedger } from './stripe/ledger.ts'
import { createPayments } from './stripe/payments.ts'
import { createProtocol } from './stripe/protocol.ts'
import { createRedactions, type Redactable, type RedactionJob } from './stripe/redaction.ts'
import { createRefunds } from './stripe/refunds.ts'
import { mountRoutes } from './stripe/routes.ts'
import type { Delivery } from './webhooks.ts'

/** The contents of the account, as Stripe would show them. */
export interface StripeState {
  customers: (Stripe.Customer | Stripe.DeletedCustomer)[]
  paymentIntents: (Stripe.PaymentIntent & Redactable)[]
  sessions: (Stripe.Checkout.Session & Redactable)[]
  cards: Stripe.PaymentMethod[]
  charges: (Stripe.Charge & Redactable)[]
  refunds: Stripe.Refund[]
  disputes: Stripe.Dispute[]
  fraudWarnings: Stripe.Radar.EarlyFraudWarning[]
  redactions: RedactionJob[]
  balanceTransactions: Stripe.BalanceTransaction[]
  payouts: Stripe.Payout[]
  events: Omit<StoredEvent, 'body'>[]
  deliveries: Delivery[]
  /** ids of the events that are held back */
  held: string[]
}

/**
 * Starts the simulator.
 * @param options.webhookUrl the registered endpoint; without it events are kept and not delivered
 * @param options.webhookRetryDelayMs between the three attempts of a delivery; default one second (at Stripe about an
 * hour)
 */
export async function startStripe(options: {
  port?: number
  /** keeps the account over a restart */
  file?: string | undefined
  secretKey: string
  /** with it an app confirms payments */
  publishableKey?: string | undefined
  webhookSecret: string
  webhookUrl?: string | undefined
  webhookRetryDelayMs?: number
}): Promise<RunningSimulator<StripeState, StripeReplies>> {
  const account = createAccount()
  const events = createEvents(account, {
    url: options.webhookUrl,
    secret: options.webhookSecret,
    retryDelayMs: options.webhookRetryDelayMs ?? 1000,
  })
  const protocol = createProtocol(account, options.secretKey, options.publishableKey)
  const warnings = createFraudWarnings(account, events)
  const ledger = createLedger(account)
  const payments = createPayments(account, events, ledger)
  const disputes = createDisputes(account, events, warnings, ledger)
  const parts = {
    account,
    protocol,
    ledger,
    payments,
    refunds: createRefunds(account, events, warnings, ledger),
    disputes,
    confirm: createConfirm({ account, payments, disputes, warnings }),
    sessions: createSessions(account, events, payments),
    warnings,
    redactions: createRedactions(account),
  }

  return startSimulator(
    {
      name: 'stripe',
      refusal: ({ code, status = 400, as = status === 402 ? 'card_error' : 'invalid_request_error' }) => ({
        status,
        // docs.stripe.com/api/errors
        body: { error: { type: as, code, message: 'Refused by the simulator.' } },
      }),
      routes: (router) => mountRoutes(router, parts),
      state: () => ({
        customers: account.customers.all().map((customer) => account.deletedCustomers.get(customer.id) ?? customer),
        paymentIntents: account.paymentIntents.all(),
        sessions: account.sessions.all(),
        cards: account.cards.all(),
        charges: account.charges.all(),
        refunds: account.refunds.all(),
        disputes: account.disputes.all(),
        fraudWarnings: account.fraudWarnings.all(),
        redactions: account.redactions.all(),
        balanceTransactions: account.balanceTransactions.all(),
        payouts: account.payouts.all(),
        events: account.events.all().map(({ body: _body, ...event }) => event),
        deliveries: events.sender.deliveries,
        held: events.sender.heldIds(),
      }),
      reset() {
        account.reset()
        events.reset()
        protocol.reset()
      },
      kept: {
        save: () => ({ account: account.kept.save(), answers: protocol.answers.save() }),
        load(state: { account: KeptAccount; answers: Map<string, Entry> }) {
          account.kept.load(state.account)
          protocol.answers.load(state.answers)
        },
      },
      actions: createActions(parts, events),
    },
    options.port,
    options.file,
  )
}
