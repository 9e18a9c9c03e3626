/** The states and reasons of orders, eSIMs, payments and refunds, with their meanings for those who call the API. */
import type { EsimState, ValidityStart } from '../../providers/esim.ts'
import { keysOf, tableOf } from '../../shared/keys-of.ts'
import { type OrderStatus, orderStates, type RefundReason } from '../../workflows/order/order.contract.ts'
import type { PartialRefundReason } from '../../workflows/order/partial-refund.contract.ts'
import { enumeration } from './enumeration.ts'

export const orderStatus = enumeration<OrderStatus>(
  'OrderStatus',
  'What an order waits for, or how it has ended',
  tableOf(keysOf(orderStates), (status) => orderStates[status].meaning),
)

const refundReasonMeanings = {
  not_delivered_in_time: 'The eSIM was not there within the promised hour',
  out_of_stock: 'No provider could fill the order; of a top-up: its eSIM took no more data',
  rejected_in_review: 'An operator has rejected the order',
  review_timed_out: 'No operator has decided within the time for a review',
  cancelled_by_customer: 'The customer has cancelled before the delivery',
  returned_unused: 'The customer has returned unused eSIMs',
  paid_after_cancel: 'The payment arrived after the order had been cancelled',
  ended_by_provider: 'The provider has ended the unused eSIMs',
  fraud_warning: "The card's issuer has warned of fraud",
  withdrawn: 'The customer has withdrawn from the contract',
  refunded_elsewhere:
    'The payment was given back before the delivery: by hand at the payment processor, or by a dispute that was lost',
} as const satisfies Record<RefundReason, string>

export const orderReason = enumeration('OrderReason', 'Why the order has its status', {
  ...refundReasonMeanings,
  not_paid_in_time: 'Nobody paid within the time for the payment',
  cancelled_at_processor: 'The payment was cancelled at the payment processor',
  payment_not_accepted: 'The payment could not be accepted; the customer gets a mail',
  payment_differs_from_order: 'In review: amount or currency of the payment differ from the order',
  payment_risk: 'In review: the payment processor reports a raised risk',
  velocity: 'In review: the account has bought a lot in a short time',
  velocity_across_accounts: 'In review: the same card, device or address has bought a lot in a short time',
  other: 'Another reason',
})

export const refundReason = enumeration('RefundReason', 'Why a payment was refunded', {
  ...refundReasonMeanings,
  goodwill: 'As a courtesy',
  service_fault: 'The service had a fault',
  price_correction: 'The price was wrong',
  made_elsewhere: 'Made at the payment processor and not through this API',
  dispute_lost: "The customer's bank has taken the payment back, and a refund of ours was not possible any more",
  other: 'Another reason',
} satisfies Record<PartialRefundReason | RefundReason, string> & Record<string, string>)

export const refundState = enumeration('RefundState', 'How far a refund is; from `pending` on as Stripe says', {
  requested: 'Reserved here, not confirmed by the payment processor yet',
  refused: 'The payment processor has not made it',
  pending: 'On its way to the customer',
  requires_action: 'The customer has to do something, as the payment processor has asked them',
  succeeded: 'The payment processor has given the money back',
  failed: 'The bank has returned the money: the order becomes `refund_failed` until an operator repeats the refund',
  canceled: 'Cancelled at the payment processor',
  other: 'A state that this version of the API does not know',
})

export const validityStart = enumeration<ValidityStart>('ValidityStart', 'When the days of an eSIM begin', {
  installation: 'At its installation on a phone',
  first_use: 'When it connects to a network for the first time',
})

export const esimState = enumeration<EsimState>('EsimState', 'What the provider says of an eSIM', {
  new: 'Not installed yet',
  installed: 'On a phone, and not used yet',
  in_use: 'In use',
  used_up: 'All data is used',
  expired: 'Its validity has ended',
  removed: 'Deleted from the phone: it cannot be installed again',
  cancelled: 'Returned, or ended by the provider',
  suspended: 'Blocked for the time being',
  unknown: 'The provider does not know at the moment',
})

/** docs.stripe.com/api/disputes/object, `status` */
export const disputeState = enumeration('DisputeState', 'What the payment processor says of a dispute', {
  needs_response: 'The bank waits for evidence',
  under_review: 'The bank decides',
  won: 'The bank has decided for us',
  lost: 'The bank has decided for the customer',
  prevented: 'Settled before it became a dispute',
  warning_needs_response: 'An inquiry: the bank waits for an answer',
  warning_under_review: 'An inquiry: the bank decides',
  warning_closed: 'An inquiry that did not become a dispute',
  other: 'A state that this version of the API does not know',
})

export const orderMailState = enumeration('OrderMailState', 'What became of a mail', {
  sending: 'It is being sent',
  due: 'Not sent yet: it is tried again',
  sent: 'The mail server has taken it',
  failed: 'The mail server has refused it for good, or it was given up',
  skipped: 'Not sent, because there was no need any more',
  bounced: 'It came back: the address does not take it',
})
