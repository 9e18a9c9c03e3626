/**
 * The meanings of Stripe's reasons: documentation alone, for docs/codes/stripe.md. No adapter reads them: a reason
 * decides nothing, and an unlisted one raises no alarm.
 *
 * Sources: the types of stripe 23.1 (resources/PaymentIntents.d.ts, Refunds.d.ts, Disputes.d.ts,
 * Radar/EarlyFraudWarnings.d.ts), docs.stripe.com/disputes/categories and
 * docs.stripe.com/api/privacy/redaction-job-validation-error/object.
 */
import type { ValueMeaning } from './meaning.ts'
import { endsUnpaid, final, mayBeFraud, passing, suspended } from './stripe-values.ts'

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

const otherWay = 'is notified that the refund has failed; an operator pays the money back another way'
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

const later = 'is erased already; tried weekly for half a year, then an operator acts'

/** Why the objects of a redaction job cannot be redacted. */
export const redactionProblems: Readonly<Record<string, ValueMeaning>> = {
  invalid_cascading_source: passing('The state of a related object does not allow it', later),
  invalid_file_purpose: passing('A related file cannot be redacted', later),
  invalid_state: passing('Its own state does not allow it: younger than 90 days, unpaid or disputed', later),
  locked_by_other_job: passing('Another job holds the object', later),
  too_many_objects: passing('The job has too many objects', later),
}
