/**
 * The kinds of differences between our books and those of outside parties, and the rules that explain one. An
 * unexplained difference is an operator task of the same kind. docs/reconciliation.md shows both tables.
 */

export interface DifferenceKind {
  meaning: string
  acts: 'operators' | 'developers'
  cure: { name: string; how: string }
}

const cures = {
  refund_payment: 'Refund the payment in Stripe’s dashboard: it is not the payment of an order',
  ask_about_payment:
    'Look for the payment in Stripe’s dashboard, and ask its support; until then the order is not paid',
  deliver_or_refund:
    'POST /v1/orders/{id}/cancel, or POST /v1/orders/{id}/refund of one that is refunded by our books: what Stripe still has is refunded',
  issue_credit_note:
    'Wait until the order’s refunds are read again; if the note is still missing, its run needs a developer',
  repeat_refund: 'POST /v1/orders/{id}/refund: the money has not left',
  correct_credit_note: 'Compare the refunds in Stripe’s dashboard with the credit notes, and refund the rest',
  answer_dispute: 'Answer the dispute in Stripe’s dashboard before its deadline',
  return_esim: 'Cancel the eSIM at its provider, or ask its support for a refund',
  ask_provider: 'Ask the provider’s support with the reference of the placement',
  claim_cost: 'Compare the provider’s price list with our offer, and claim the difference',
  issue_invoice: 'The invoice has to be issued by hand; find out why the delivery did not',
  correct_invoice: 'Cancel the invoice by a credit note and issue one with the paid amount',
  ask_processor: 'Compare the payout in Stripe’s dashboard, and ask its support',
  deliver_again:
    'Look for the order’s eSIMs at the provider and have a developer record them, or refund the customer by POST /v1/orders/{id}/refund; of an order that has ended, refund all of it with a body',
  refund_ended:
    'POST /v1/orders/{id}/refund: the eSIM is gone, and the customer has not used it; of an order that has ended, refund all of it with a body',
  correct_bank_account:
    'Look in Stripe’s dashboard why, and correct the bank account there: Stripe pays nothing out until then',
  wait_for_run:
    'Its order’s run has been asked to read it again; if it still differs the next night, the run needs a developer',
  find_remainder: 'Compare the day’s transactions in the party’s own report with ours',
} as const

type CureName = keyof typeof cures

const kind = (meaning: string, cure: CureName, acts: DifferenceKind['acts'] = 'operators'): DifferenceKind => ({
  meaning,
  acts,
  cure: { name: cure, how: cures[cure] },
})

export const differenceKinds = {
  payment_without_order: kind('A payment of ours at Stripe that no order has', 'refund_payment'),
  payment_unknown: kind('Paid in our books, and not at Stripe', 'ask_about_payment'),
  paid_not_settled: kind(
    'Paid at Stripe, past its hour, neither delivered nor refunded, whatever our status says',
    'deliver_or_refund',
  ),
  delivered_without_esim: kind(
    'Delivered and paid, and our books have no placement or fewer eSIMs than were bought',
    'deliver_again',
  ),
  charged_twice: kind('A second payment for an order that has its own', 'refund_payment'),
  refund_without_credit_note: kind('Refunded at Stripe, and not in our books', 'issue_credit_note', 'developers'),
  credit_note_without_refund: kind('Refunded in our books, and not at Stripe', 'repeat_refund'),
  refund_amount_differs: kind('Stripe has refunded another amount than our books say', 'correct_credit_note'),
  dispute_unknown: kind('A dispute at Stripe that we do not know', 'answer_dispute'),
  dispute_state_differs: kind(
    'A dispute of which our books have another state than Stripe',
    'wait_for_run',
    'developers',
  ),
  invoice_missing: kind('A delivered and paid order without an invoice', 'issue_invoice', 'developers'),
  invoice_amount_differs: kind('The invoice has another amount than the payment', 'correct_invoice'),
  esim_without_order: kind('An eSIM at the provider that no order of ours has', 'return_esim'),
  placement_unknown: kind('A placement of ours that the provider does not know', 'ask_provider'),
  placed_twice: kind('An order for which we pay eSIMs twice', 'return_esim'),
  provider_cost_differs: kind('The provider has charged another price than the one we bought at', 'claim_cost'),
  esim_alive_after_refund: kind(
    'The eSIM of an order that was refunded is alive at its provider, or the data of its top-up is',
    'return_esim',
  ),
  esim_ended_unpaid_back: kind(
    'The provider has ended the eSIMs of a delivered order unused, and the customer does not have the money back',
    'refund_ended',
  ),
  payout_failed: kind(
    'A payout that has not reached our bank account: it has failed, or was cancelled',
    'correct_bank_account',
  ),
  payout_differs: kind('A payout whose transactions do not add up to it', 'ask_processor'),
  processor_remainder: kind(
    'Stripe’s balance has changed by another amount than its transactions, in one currency',
    'find_remainder',
  ),
  provider_remainder: kind('A provider’s balance has fallen by more than we have bought', 'find_remainder'),
} as const satisfies Record<string, DifferenceKind>

export type DifferenceKindName = keyof typeof differenceKinds

/** Kinds that are examined again by their payment, however old it is. */
export const paymentKinds = [
  'paid_not_settled',
  'delivered_without_esim',
  'refund_without_credit_note',
  'credit_note_without_refund',
  'refund_amount_differs',
  'invoice_missing',
  'invoice_amount_differs',
] as const satisfies readonly DifferenceKindName[]

/**
 * Differences that one reading of a balance leaves unexplained: no later reading finds them again, so each is tied to
 * its reading.
 */
export const remainderKinds = [
  'processor_remainder',
  'provider_remainder',
] as const satisfies readonly DifferenceKindName[]

/**
 * U2, paid means delivered or refunded: kinds in which the customer has paid, and has neither an eSIM nor the money.
 */
export const unsettledKinds = [
  'payment_without_order',
  'paid_not_settled',
  'delivered_without_esim',
  'charged_twice',
  'credit_note_without_refund',
  'placement_unknown',
  'esim_ended_unpaid_back',
] as const satisfies readonly DifferenceKindName[]

/** U6, accounting and tax duties are met: kinds in which our books do not say what was paid and refunded. */
export const unbookedKinds = [
  'payment_unknown',
  'refund_without_credit_note',
  'credit_note_without_refund',
  'refund_amount_differs',
  'invoice_missing',
  'invoice_amount_differs',
] as const satisfies readonly DifferenceKindName[]

export const explanations = {
  younger_than_promise: 'It is younger than the promise’s hour, or than the party needs to show it',
  in_review: 'The order is held for an operator’s decision, within its time',
  in_flight: 'Our run is at it: a refund, a return or a placement has begun and not ended, for days at most',
  erased_person: 'It was an erased person’s',
  given_back: 'Nothing of it is left to refund',
  not_ours: 'Another application made it: it does not have the mark of this installation',
  with_an_operator: 'An open operator task of another kind is about it',
  accepted_by_operator: 'An operator has closed the task of the same difference',
  paid_in: 'The provider’s balance was topped up',
} as const

export type Explanation = keyof typeof explanations

/** Operator tasks of other kinds that are about a difference of this kind: it becomes no second one. */
export const tasksAbout: Partial<Record<DifferenceKindName, readonly string[]>> = {
  paid_not_settled: ['refund_failed', 'payment_unsettled', 'payment_not_accepted'],
  credit_note_without_refund: ['refund_failed', 'refund_elsewhere_failed', 'refund_unsettled'],
  refund_amount_differs: ['refund_failed', 'refund_elsewhere_failed', 'refund_unsettled'],
  dispute_unknown: ['dispute_open'],
  esim_ended_unpaid_back: ['returned_not_refunded'],
  esim_alive_after_refund: ['provider_refund_requested', 'provider_order_unreturned'],
  placed_twice: ['provider_refund_requested', 'provider_order_unreturned'],
}
