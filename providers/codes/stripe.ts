/**
 * The meanings of Stripe's errors that our calls can meet. Statuses, reasons and events are in stripe-values.ts.
 *
 * Sources: docs.stripe.com/error-codes, docs.stripe.com/api/errors, docs.stripe.com/declines/codes, and the codes that
 * the types of stripe 23.1 list (resources/PaymentIntents.d.ts, `LastPaymentError.Code`).
 */
import { type CodeMeaning, tableOf } from './meaning.ts'

const waits = 'waits: a payment, refund or deletion goes on when it has passed'
const notMade = 'the checkout is refused; nothing is paid'
const refundFails = 'is notified that the refund has failed; an operator pays the money back'

const passes = (says: string, customer = waits) =>
  ({ kind: 'unavailable', says, acts: 'nobody', customer }) satisfies Partial<CodeMeaning>
const operators = (says: string) =>
  ({ kind: 'misconfigured', says, acts: 'operator', customer: waits }) satisfies Partial<CodeMeaning>
const ours = (says: string, customer = 'the checkout is refused; a refund is an operator task') =>
  ({ kind: 'rejected', says, acts: 'developers', customer }) satisfies Partial<CodeMeaning>
const final = (says: string, customer: string) =>
  ({ kind: 'rejected', says, acts: 'nobody', customer }) satisfies Partial<CodeMeaning>

/** By `error.code`. */
export const stripeCodes = tableOf({
  amount_too_large: ours('The amount is greater than the maximum amount', notMade),
  amount_too_small: ours('The amount is less than the minimum amount', notMade),
  api_key_expired: operators('The API key has expired'),
  balance_insufficient: operators('The account’s balance is too low'),
  card_declined: final(
    'The card has been declined; the decline code has the reason',
    'may pay again, with another card',
  ),
  charge_already_refunded: final('The charge has been refunded already', 'has the money back'),
  charge_disputed: final('The charge has been charged back', 'has the money from the bank, or the dispute decides'),
  charge_not_refundable: final('The charge is no longer refundable', refundFails),
  dispute_evidence_page_limit_exceeded: final(
    'The evidence, with what was added at Stripe, has more pages than the card network takes',
    'nothing: the operator who submits it is told, and shortens it',
  ),
  idempotency_key_in_use: passes('Another request with the same key is under way'),
  livemode_mismatch: operators('Keys and objects are of different modes, test and live'),
  lock_timeout: passes('Another request or process has the object at the moment'),
  parameter_invalid_empty: ours('A required value is missing'),
  parameter_invalid_integer: ours('A parameter is no integer'),
  parameter_invalid_string_blank: ours('A value has only white space'),
  parameter_invalid_string_empty: ours('A required text is empty'),
  parameter_missing: ours('A required value is missing'),
  parameter_unknown: ours('The request has an unexpected parameter'),
  parameters_exclusive: ours('Parameters exclude one another'),
  payment_intent_invalid_parameter: ours('A parameter is not allowed for this operation on the PaymentIntent'),
  payment_intent_unexpected_state: final(
    'The PaymentIntent’s state does not allow the operation',
    'nothing changes: the payment is read again, and its state decides',
  ),
  payment_method_unactivated: operators('The payment method is not activated for the account'),
  payment_method_unexpected_state: final('The card’s state does not allow the operation', 'the card stays as it is'),
  payout_reconciliation_not_ready: passes('The reconciliation of the payout is under way', 'nothing'),
  platform_api_key_expired: operators('The platform’s API key has expired'),
  rate_limit: passes('Too many requests'),
  refund_disputed_payment: {
    ...final('A disputed payment cannot be refunded', 'has the money from the bank, or the dispute decides'),
    code: 'charge_disputed',
  },
  resource_missing: final(
    'There is no such object',
    'an erased object counts as deleted; of a payment of ours Stripe is asked again',
  ),
  secret_key_required: operators('The key is a publishable one'),
  status_transition_invalid: final('The object’s status does not allow the change', 'nothing changes'),
  testmode_charges_only: operators('The account is not activated'),
  tls_version_unsupported: operators('The TLS version is too old'),
  url_invalid: ours('A URL is invalid', notMade),
})

/**
 * By `error.type`, for an error without a code. `ours` is the HTTP status. Wrong keys (401) and missing permissions
 * (403) have the type of a wrong request: their status decides.
 */
export const stripeErrorTypes: Readonly<Record<string, Omit<CodeMeaning, 'code'>>> = {
  api_error: {
    kind: 'unknown_outcome',
    says: 'Another problem, such as a temporary one of Stripe’s servers',
    acts: 'nobody',
    customer: waits,
  },
  card_error: final('The card cannot be charged', 'may pay again, with another card'),
  idempotency_error: ours('The key was used for another request'),
  invalid_request_error: final(
    'The request has invalid parameters, such as a refund of more than is left',
    'a refused refund becomes an operator task; a refused checkout makes no order',
  ),
}

const asksIssuer = 'may pay again; Stripe’s payment sheet says: ask the card’s issuer'
const another = 'may pay again; Stripe’s payment sheet says: use another card'
const correct = 'may pay again; Stripe’s payment sheet says what to correct'
const again = 'may pay again; Stripe’s payment sheet says: try again'
/** Stripe: do not tell the customer more, and present it as a `generic_decline`. */
const generic = 'may pay again; is shown no more than of `generic_decline`'

const declined = (says: string, customer = asksIssuer) => final(says, customer)
const unknownReason = 'Declined for an unknown reason'

/**
 * By `error.decline_code`, and by `error.code` where Stripe uses the same word for both. Each leaves the payment open,
 * and Stripe's payment sheet or page tells the customer. We neither store nor show them.
 */
export const stripeDeclineCodes = tableOf({
  approve_with_id: declined('The payment cannot be authorised', again),
  authentication_required: declined('The transaction needs authentication, such as 3D Secure', again),
  call_issuer: declined(unknownReason),
  card_not_supported: declined('The card does not support this kind of purchase'),
  card_velocity_exceeded: declined('The balance or a limit of the card is exceeded'),
  currency_not_supported: declined('The card does not support the currency'),
  do_not_honor: declined(unknownReason),
  do_not_try_again: declined(unknownReason),
  duplicate_transaction: declined(
    'The same amount was charged to the card a moment ago',
    'is shown whether it is paid',
  ),
  expired_card: declined('The card has expired', another),
  fraudulent: declined('Stripe suspects fraud', generic),
  generic_decline: declined('Declined for an unknown reason, or blocked by Radar'),
  incorrect_cvc: declined('The security code is wrong', correct),
  incorrect_number: declined('The card number is wrong', correct),
  incorrect_pin: declined('The PIN is wrong (card readers only)', correct),
  incorrect_zip: declined('The postal code is wrong', correct),
  insufficient_funds: declined('The card has too little money', another),
  invalid_account: declined('The card or its account is invalid'),
  invalid_amount: declined('The amount is invalid or exceeds what is allowed'),
  invalid_cvc: declined('The security code is wrong', correct),
  invalid_expiry_month: declined('The month of expiry is wrong', correct),
  invalid_expiry_year: declined('The year of expiry is wrong', correct),
  invalid_number: declined('The card number is wrong', correct),
  invalid_pin: declined('The PIN is wrong (card readers only)', correct),
  issuer_not_available: declined('The issuer could not be reached', again),
  lost_card: declined('The card is reported lost', generic),
  merchant_blacklist: declined('It matches a value on our block list', generic),
  new_account_information_available: declined('The card or its account is invalid'),
  no_action_taken: declined(unknownReason),
  not_permitted: declined('The payment is not permitted'),
  offline_pin_required: declined('A PIN is required (card readers only)', correct),
  online_or_offline_pin_required: declined('A PIN is required (card readers only)', correct),
  pickup_card: declined('The card cannot be used; it may be reported lost or stolen'),
  pin_try_exceeded: declined('Too many wrong PINs', another),
  processing_error: declined('An error while the card was processed', again),
  reenter_transaction: declined('The issuer could not process it, for an unknown reason', again),
  restricted_card: declined('The card cannot be used; it may be reported lost or stolen'),
  revocation_of_all_authorizations: declined(unknownReason),
  revocation_of_authorization: declined(unknownReason),
  security_violation: declined(unknownReason),
  service_not_allowed: declined(unknownReason),
  stolen_card: declined('The card is reported stolen', generic),
  stop_payment_order: declined(unknownReason),
  testmode_decline: declined('A test card was used', another),
  transaction_not_allowed: declined(unknownReason),
  try_again_later: declined(unknownReason, again),
  withdrawal_count_limit_exceeded: declined('The balance or a limit of the card is exceeded', another),
})
