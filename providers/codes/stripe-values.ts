/**
 * The meanings of Stripe's statuses, reasons and events. A value in no table may pass: a payment or a refund counts as
 * pending, a dispute as open, a redaction job as at work, and another event is ignored. The tables of reasons, which no code
 * reads, are documentation: a reason decides nothing, and an unlisted one raises no alarm.
 *
 * Sources: the types of stripe 23.1 (resources/PaymentIntents.d.ts, Refunds.d.ts, Disputes.d.ts,
 * Radar/EarlyFraudWarnings.d.ts), docs.stripe.com/payments/paymentintents/lifecycle, docs.stripe.com/refunds,
 * docs.stripe.com/disputes/categories, docs.stripe.com/disputes/how-disputes-work,
 * docs.stripe.com/api/privacy/redaction-job/object and docs.stripe.com/api/privacy/redaction-job-validation-error/object.
 */
import type { ValueMeaning } from './meaning.ts'

const passing = (says: string, customer: string, acts: ValueMeaning['acts'] = 'nobody') =>
  ({ says, lasts: 'may pass', acts, customer }) satisfies ValueMeaning
const final = (says: string, customer: string, acts: ValueMeaning['acts'] = 'nobody') =>
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

const endsUnpaid = 'the order is cancelled; pays nothing'

/** Why a payment was cancelled. The order is cancelled for each of these reasons. */
export const cancellationReasons: Readonly<Record<string, ValueMeaning>> = {
  abandoned: final('Ours: not paid in time, or cancelled by the customer', endsUnpaid),
  automatic: final('Stripe’s own', endsUnpaid),
  duplicate: final('In Stripe’s dashboard: a duplicate', endsUnpaid),
  expired: final('Stripe’s own: the time to pay is over', endsUnpaid),
  failed_invoice: final('Stripe’s own: of an invoice, which we have none of', endsUnpaid),
  fraudulent: final('In Stripe’s dashboard: fraud', endsUnpaid),
  requested_by_customer: final('In Stripe’s dashboard: the customer has asked for it', endsUnpaid),
  void_invoice: final('Stripe’s own: of an invoice, which we have none of', endsUnpaid),
}

export const refundStatuses = {
  canceled: final('Cancelled', 'is told that the refund has failed', 'operator'),
  failed: final('The bank has sent the money back', 'is told that the refund has failed', 'operator'),
  pending: passing('On its way', 'waits for the bank'),
  requires_action: passing('The customer has to do something', 'Stripe tells what; after 30 days an operator looks'),
  succeeded: final('Made; it can still fail, within 30 days', 'has the money in some days'),
} as const satisfies Record<string, ValueMeaning>

export type RefundStatus = keyof typeof refundStatuses

const otherWay = 'is told that the refund has failed; an operator pays the money back another way'
const reasonOfFailure = (says: string, customer = otherWay) => final(says, customer, 'operator')

/** Why a refund has failed. */
export const refundFailures: Readonly<Record<string, ValueMeaning>> = {
  charge_for_pending_refund_disputed: reasonOfFailure('The customer has disputed the payment', 'the dispute decides'),
  declined: reasonOfFailure('The bank has declined it'),
  expired_or_canceled_card: reasonOfFailure('The card has expired or was cancelled'),
  insufficient_funds: reasonOfFailure(
    'Our balance is too low',
    'gets the money once an operator has filled the balance',
  ),
  lost_or_stolen_card: reasonOfFailure('The card was lost or stolen'),
  merchant_request: reasonOfFailure('We have asked for it, in Stripe’s dashboard'),
  unknown: reasonOfFailure('No reason is known'),
}

const suspended = 'the eSIM is suspended while the bank decides'
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

const claims = (says: string) => passing(says, suspended, 'operator')

/** The customer's claims to the bank. The operator task shows them; evidence and consequences are the same for all. */
export const disputeReasons: Readonly<Record<string, ValueMeaning>> = {
  bank_cannot_process: claims('The bank cannot process the charge'),
  check_returned: claims('A cheque was returned'),
  credit_not_processed: claims('A promised refund has not come'),
  customer_initiated: claims('The customer has begun it, without a reason'),
  debit_not_authorized: claims('The debit was not authorised'),
  duplicate: claims('Charged twice'),
  fraudulent: claims('The cardholder has not authorised the payment'),
  general: claims('No category'),
  incorrect_account_details: claims('The account is the wrong one'),
  insufficient_funds: claims('The account has too little money'),
  noncompliant: claims('A rule of the card network was broken'),
  product_not_received: claims('The product has not come'),
  product_unacceptable: claims('The product is not as described'),
  subscription_canceled: claims('Charged after the end of a subscription'),
  unrecognized: claims('The customer does not recognise the payment'),
}

const mayBeFraud = 'what was not delivered is refunded; an unused eSIM is returned'
const warns = (says: string) => passing(says, mayBeFraud, 'operator')

/** The suspicions of an issuer. The operator task shows them; the consequences are the same for all. */
export const fraudTypes: Readonly<Record<string, ValueMeaning>> = {
  card_never_received: warns('The card has never reached the cardholder'),
  fraudulent_card_application: warns('The card was applied for by fraud'),
  made_with_counterfeit_card: warns('Made with a counterfeit card'),
  made_with_lost_card: warns('Made with a lost card'),
  made_with_stolen_card: warns('Made with a stolen card'),
  misc: warns('Another reason'),
  unauthorized_use_of_card: warns('The card was used without authorisation'),
}

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

const later = 'is erased already; tried weekly for half a year, then an operator acts'

/** Why the objects of a redaction job cannot be redacted. */
export const redactionProblems: Readonly<Record<string, ValueMeaning>> = {
  invalid_cascading_source: passing('The state of a related object does not allow it', later),
  invalid_file_purpose: passing('A related file cannot be redacted', later),
  invalid_state: passing('Its own state does not allow it: younger than 90 days, unpaid or disputed', later),
  locked_by_other_job: passing('Another job holds the object', later),
  too_many_objects: passing('The job has too many objects', later),
}

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
  'charge.dispute.funds_reinstated': disputed('The disputed money was given back'),
  'radar.early_fraud_warning.created': { about: 'fraud warning', says: 'An issuer warns', customer: mayBeFraud },
  'radar.early_fraud_warning.updated': { about: 'fraud warning', says: 'A warning has changed', customer: mayBeFraud },
}
