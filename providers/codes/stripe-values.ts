/**
 * The meanings of Stripe's statuses and events. A value in no table may pass: a payment or a refund counts as pending,
 * a dispute as open, a redaction job as at work, and another event is ignored. Reasons are in stripe-reasons.ts.
 *
 * Sources: the types of stripe 23.1 (resources/PaymentIntents.d.ts, Refunds.d.ts, Disputes.d.ts),
 * docs.stripe.com/payments/paymentintents/lifecycle, docs.stripe.com/refunds,
 * docs.stripe.com/disputes/how-disputes-work and docs.stripe.com/api/privacy/redaction-job/object.
 */
import type { ValueMeaning } from './meaning.ts'

/** A value after which another one comes. */
export const passing = (says: string, customer: string, acts: ValueMeaning['acts'] = 'nobody') =>
  ({ says, lasts: 'may pass', acts, customer }) satisfies ValueMeaning
/** A value that stays. */
export const final = (says: string, customer: string, acts: ValueMeaning['acts'] = 'nobody') =>
  ({ says, lasts: 'final', acts, customer }) satisfies ValueMeaning

const canPay = 'can pay until the payment is due; then the order is cancelled'

export const paymentStatuses = {
  canceled: final('Cancelled', 'pays nothing'),
  processing: passing('The bank or the network is at it', 'waits; the order neither starts nor ends'),
  requires_action: passing('The customer has to authenticate', canPay),
  requires_capture: passing('Authorised, and not captured: we never ask for that', canPay),
  requires_confirmation: passing('Not confirmed yet', canPay),
  requires_payment_method: passing('Not paid yet, or the last card was declined', canPay),
  succeeded: final('Paid', 'gets the eSIM, or the money back'),
} as const satisfies Record<string, ValueMeaning>

export type PaymentStatus = keyof typeof paymentStatuses

export const endsUnpaid = 'the order is cancelled; pays nothing'

export const refundStatuses = {
  canceled: final('Cancelled', 'is notified that the refund has failed', 'operator'),
  failed: final('The bank has sent the money back', 'is notified that the refund has failed', 'operator'),
  pending: passing('On its way', 'waits for the bank'),
  requires_action: passing('The customer has to do something', 'Stripe says what; after 30 days an operator looks'),
  succeeded: final('Made; it can still fail, within 30 days', 'has the money in some days'),
} as const satisfies Record<string, ValueMeaning>

export type RefundStatus = keyof typeof refundStatuses

/**
 * Why a refund is pending: docs.stripe.com/changelog/basil/2025-04-30/refund-pending-reason. What operators act on is
 * shown to them as `refund_pending_...`.
 */
export const pendingReasons: Readonly<Record<string, ValueMeaning>> = {
  charge_pending: passing('The payment has not settled yet', 'waits for the bank'),
  insufficient_funds: passing('Our balance at Stripe is too low', 'waits until an operator has filled it', 'operator'),
  processing: passing('On its way', 'waits for the bank'),
}

export const suspended = 'the eSIM is suspended while the bank decides'
const undecided = (says: string, acts: ValueMeaning['acts'] = 'nobody') => passing(says, suspended, acts)

/** `answers`: the bank waits for our evidence. */
export const disputeStatuses: Readonly<Record<string, ValueMeaning & { answers?: true }>> = {
  appeal_needs_response: undecided('The bank has appealed, and waits for evidence', 'operator'),
  appeal_under_review: undecided('The appeal is under review'),
  lost: final(
    'The bank has decided for its customer',
    'has the money from the bank; the eSIM stays suspended',
    'operator',
  ),
  needs_response: { ...undecided('The bank waits for evidence', 'operator'), answers: true },
  prevented: final(
    'Settled before it became a dispute: blocked, or resolved by giving the money back (`case_type`)',
    'the eSIM works again; after a resolution the customer has the money, and it stays suspended',
  ),
  under_review: undecided('The bank looks at the evidence'),
  warning_closed: final('The bank has asked, and made no dispute of it', 'the eSIM works again'),
  warning_needs_response: { ...undecided('The bank asks, and waits for evidence', 'operator'), answers: true },
  warning_under_review: undecided('The bank looks at our answer'),
  won: final('The bank has decided for us', 'the eSIM works again'),
}

export const mayBeFraud = 'what was not delivered is refunded; an unused eSIM is returned'
const erased = 'is erased already; the receipt shows the step'
const atWork = (says: string) => passing(says, erased)

export const redactionStatuses = {
  canceled: final('Cancelled: its objects are free for another job', erased),
  canceling: atWork('Is being cancelled'),
  created: atWork('Created'),
  failed: final('The validation has found errors: it is cancelled, and tried again after a week', erased),
  ready: final('Validated: it is run now', erased),
  redacting: atWork('At work'),
  succeeded: final('Redacted', erased),
  validating: atWork('Stripe is checking the objects'),
} as const satisfies Record<string, ValueMeaning>

export type RedactionStatus = keyof typeof redactionStatuses

/** The subject of an event: it is read at Stripe before anything is done. */
export type EventSubject = 'payment' | 'refund' | 'dispute' | 'fraud warning'

interface EventMeaning {
  about: EventSubject
  says: string
  customer: string
}

const disputed = (says: string): EventMeaning => ({ about: 'dispute', says, customer: suspended })
const refunded = (says: string): EventMeaning => ({ about: 'refund', says, customer: 'the refund’s status decides' })

/**
 * The events that concern an order's run. The payment sweep lists them by type, at most 20 of them:
 * docs.stripe.com/api/events/list
 */
export const eventTypes: Readonly<Record<string, EventMeaning>> = {
  'payment_intent.succeeded': { about: 'payment', says: 'A payment was made', customer: 'gets the eSIM' },
  'payment_intent.canceled': { about: 'payment', says: 'A payment was cancelled', customer: endsUnpaid },
  'refund.created': refunded('A refund was made; of ours it is known already'),
  'refund.updated': refunded('A refund has changed'),
  'refund.failed': refunded('A refund has failed'),
  'charge.refund.updated': refunded('A refund has changed, for some ways of paying'),
  'charge.dispute.created': disputed('A dispute or an inquiry was opened'),
  'charge.dispute.updated': disputed('A dispute has changed'),
  'charge.dispute.closed': disputed('A dispute was decided'),
  'charge.dispute.funds_withdrawn': disputed('The disputed money was taken'),
  'charge.dispute.funds_reinstated': disputed('The disputed money was returned to us'),
  'radar.early_fraud_warning.created': { about: 'fraud warning', says: 'An issuer warns', customer: mayBeFraud },
  'radar.early_fraud_warning.updated': { about: 'fraud warning', says: 'A warning has changed', customer: mayBeFraud },
}
