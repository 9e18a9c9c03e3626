/** Contract of the order's workflows: ids, messages and activities. Code outside of workflows may import it. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow'
import type { Money } from '../../policy/currency.ts'
import type { RunStatus } from '../../shared/search-attributes.ts'
import { type OrderUpdate, orderStates } from './order-states.ts'

export const orderWorkflowId = (orderId: string): string => `order-${orderId}`
/** Id of the run that handles disputes and failed refunds which arrive after an order's run has closed. */
export const orderAftercareWorkflowId = (orderId: string): string => `order-aftercare-${orderId}`

export interface OrderInput {
  orderId: string
  accountId: string
  /** set for a top-up: the delivered order whose eSIM gets the data */
  parentOrderId: string | null
  /** set for a top-up: that eSIM */
  esimId: string | null
  packageCode: string
  quantity: number
  /** what the customer was shown, for all eSIMs: another amount is refused. Without it any is taken */
  expectedAmount?: Money | undefined
  /** what the customer agreed to: the version of the text, and ISO 8601 */
  performanceConsent?: { version: string; at: string } | undefined
  /** ISO 3166, of the IP address from which the order came, if the CDN says it */
  ipCountry?: string | undefined
  /** ISO 8601, when the order's id was made; absent from runs that began before this field existed */
  orderedAt?: string
  /** prepares a payment sheet that offers and keeps saved cards */
  savedCards: boolean
  /** paid on Stripe's own page instead of the app's payment sheet; absent from runs of before */
  hosted?: boolean
  measurement: { adUserData: boolean; adPersonalization: boolean }
}

/** The meaning of each status, and the ways from one to another: workflows/order/order-states.ts */
export type OrderStatus =
  | 'awaiting_payment'
  | 'in_review'
  | 'provisioning'
  | 'delivered'
  | 'refunding'
  | 'refund_failed'
  | 'refunded'
  | 'cancelled'
  | 'unpaid'
  | 'ended'

export const refundReasons = [
  'not_delivered_in_time',
  'out_of_stock',
  'rejected_in_review',
  'review_timed_out',
  'cancelled_by_customer',
  'returned_unused',
  'paid_after_cancel',
  /** the provider has ended the unused eSIMs */
  'ended_by_provider',
  /** the card's issuer has warned of fraud */
  'fraud_warning',
  'withdrawn',
  /** given back before the delivery: by hand at the payment processor, or by a dispute that was lost */
  'refunded_elsewhere',
] as const
export type RefundReason = (typeof refundReasons)[number]

/** An order's reason if it is that of a refund, and not of a cancellation or a review. */
export const refundReasonOf = (reason: unknown): RefundReason | undefined =>
  refundReasons.find((known) => known === reason)

export interface OrderState extends Omit<RunStatus, 'dueAt'> {
  status: OrderStatus
  dueAt: string | null
}

export { orderStates }

/** The state in which a run begins; the starter sets its first due date. */
export const firstState = {
  status: 'awaiting_payment',
  waitingFor: orderStates.awaiting_payment.waitsFor,
} as const satisfies Pick<OrderState, 'status' | 'waitingFor'>

/** Whether an order in this state takes the request at all; its guards may still refuse it. */
export const takesUpdate = (status: OrderStatus, update: OrderUpdate): boolean =>
  orderStates[status].on[update] !== undefined

/** Answered once the order exists and can be paid. Rejected with PackageUnavailable, PaymentUnavailable, ... */
export const checkout = defineUpdate<OrderState>('checkout')
/** Cancels an order before its delivery: the payment is cancelled, or refunded in full. */
export const cancel = defineUpdate<OrderState>('cancel')
/** Returns the unused eSIMs of a delivered order and refunds it; or repeats a refund that failed, for an operator. */
export const refund = defineUpdate<OrderState>('refund')
/** The argument that `refund` may have: the customer has withdrawn from the contract. */
export interface RefundCause {
  reason: 'withdrawn'
}
/** The same update, for the run that takes it and for the run of a withdrawal, which sends it with a reason. */
export const refundFor = defineUpdate<OrderState, [RefundCause | undefined]>('refund')
/**
 * Returns the unused eSIMs of a delivered order whose own run is gone, and refunds it. The run that looks after it
 * takes it.
 */
export const returnDelivered = defineUpdate<OrderState, [ReturnCause]>('return-delivered')
export interface ReturnCause {
  reason: 'returned_unused' | 'withdrawn'
}
/** Sends the delivery mail again. Where the order's own run has closed, the run that looks after it takes this, too. */
export const resend = defineUpdate<OrderState, [{ requestId: string }]>('resend')
export const approve = defineUpdate<OrderState>('approve')
export const reject = defineUpdate<OrderState>('reject')

/** Hint that the payment or a refund changed; the run then asks the payment processor. */
export const paymentSignal = defineSignal('payment')
/** Hint that an eSIM changed; the run then asks the eSIM provider. */
export const providerSignal = defineSignal('provider')
/** A dispute was opened, changed or closed. */
export const disputeSignal = defineSignal<[{ disputeId: string }]>('dispute')

/** Hint that the card's issuer has warned about the order's payment; the run then asks the payment processor. */
export const fraudWarningSignal = defineSignal('fraud-warning')

export const orderState = defineQuery<OrderState>('state')

/**
 * `deliverBy`, ISO 8601: an hour after the payment, of which nobody may have heard before now. Activities of earlier
 * builds do not say it.
 */
export interface Paid {
  state: 'paid'
  review: string | null
  deliverBy?: string
}
export type PaymentTruth = { state: 'pending' | 'cancelled' } | Paid

export type AttentionKind =
  | 'mail_undelivered'
  | 'provider_order_unreturned'
  | 'dispute_unrecorded'
  /** the bank's date passes without evidence unless an operator gives some */
  | 'dispute_evidence_unstaged'
  /** Stripe has not said for a day whether the order was paid */
  | 'payment_unresolved'
  /** Stripe has not said for 30 days whether the refund has arrived */
  | 'refund_unsettled'
  /** Stripe has not said for a week whether a fraud warning is to be acted on */
  | 'fraud_warning_unread'
  /** the run has failed */
  | 'order_run_failed'

/** The rest of the work for an order whose run has closed. */
export type LateOutcome =
  | { state: 'settled' }
  /** it may still be paid; `askAt`: ISO 8601 */
  | { state: 'undecided'; askAt: string }
  /** `holdsEsims`: a provider may hold eSIMs that nobody gets */
  | { state: 'refund'; reason: RefundReason; holdsEsims: boolean }

/**
 * The consequence of an order's fraud warnings. `nothing`: none is actionable, or the money is on its way back.
 * `refund`: nobody has the eSIMs. `take_back`: the eSIMs were delivered, and may be unused. `operator`: what was sold
 * cannot be returned.
 */
export type FraudWarningOutcome = 'nothing' | 'refund' | 'take_back' | 'operator'

/** What a run that takes a refund for failed finds instead. */
export const foundRefunds = ['refunded', 'paid_another_way'] as const
export type FoundRefund = (typeof foundRefunds)[number]

/**
 * The open operator tasks about what providers have, or may have, of an order: for a restore, which finds them in the
 * history. Activities of earlier builds returned nothing.
 */
export interface LeftToOperators {
  tasks: { kind: string; detail?: string }[]
}

export type OrderMail = 'confirmation' | 'held' | 'delayed' | 'refunded' | 'cancelled' | 'refund_failed' | 'apology'
/** The mails that a push announces, too. */
export type OrderPush = Exclude<OrderMail, 'apology'>

/**
 * The announcements of a delivery: the mail and the push of `confirmation`, and the purchase for the advertising
 * services.
 */
export const deliveryMessages = ['mail', 'push', 'purchase'] as const
export type DeliveryMessage = (typeof deliveryMessages)[number]

/** All times are ISO 8601. `asOf` is the workflow's time, by which activities decide. */
export interface OrderActivities {
  /** Creates the order row and its PaymentIntent; repeatable. */
  openCheckout(input: OrderInput & { asOf: string; paymentDueAt: string }): Promise<void>
  /** Asks the payment processor and records a payment. `review` says why an operator has to review the order, if so. */
  confirmPayment(input: { orderId: string; asOf: string; deliverBy: string }): Promise<PaymentTruth>
  /** Returns `paid` when the customer paid before the cancellation. */
  cancelPayment(input: {
    orderId: string
    asOf: string
    status: 'cancelled' | 'unpaid'
    reason: string
  }): Promise<'cancelled' | 'paid'>
  /**
   * Asks the payment processor about an order whose run has closed. Closes the order when it was not paid; records a
   * payment that arrived late, makes an operator task of it, and leaves the refund to the caller.
   */
  settleWithoutRun(input: { orderId: string; asOf: string }): Promise<LateOutcome>
  startProvisioning(input: { orderId: string; asOf: string; deliverBy: string }): Promise<void>
  /**
   * Buys the eSIMs from the first provider that has them.
   * @param reference random, from which the references at providers are computed; absent in runs from before it existed
   * @throws OutOfStock, StillAllocating, ProviderUnavailable
   */
  provision(input: { orderId: string; asOf: string; reference?: string }): Promise<void>
  /** Undoes `provision`: returns all eSIMs that a provider holds for the order, also those allocated late. */
  releaseProvision(input: { orderId: string; asOf: string }): Promise<LeftToOperators | undefined>
  /**
   * Writes invoice, order facts and status in one transaction. `livesUntil`: when the last eSIM expires at the latest.
   * `invoiceNumber`, `issuedOn` (its day) and `deliveredAt` are for a restore, which finds them in the history. `sent`: the messages that
   * need no attempt any more, once the activity has tried each; activities of earlier builds try none.
   */
  recordDelivery(input: { orderId: string; asOf: string }): Promise<{
    livesUntil: string
    deliveredAt?: string
    invoiceNumber?: string
    issuedOn?: string
    sent?: DeliveryMessage[]
  }>
  sendOrderMail(input: { orderId: string; mail: OrderMail; asOf: string; requestId?: string }): Promise<void>
  sendOrderPush(input: { orderId: string; push: OrderPush; asOf: string }): Promise<void>
  /** Best effort: leaves out events that are too old or that Google Analytics refuses. */
  measurePurchase(input: { orderId: string; asOf: string }): Promise<void>
  /**
   * Returns unused eSIMs to the provider. `isForPart`: for a partial refund, which settles their return.
   * @throws EsimInUse
   */
  withdrawEsims(input: { orderId: string; asOf: string; isForPart?: true }): Promise<LeftToOperators | undefined>
  startRefund(input: { orderId: string; asOf: string; reason: RefundReason }): Promise<void>
  /**
   * Refunds the payment, with credit note and order facts.
   * @param attempt part of the idempotency key; 1 is the first.
   * @param isReset the run of aftercare was reset, and nobody has asked for the refund since: after one that has
   * bounced, an operator decides
   * @returns the numbers of the order's credit notes, with the day and the amount of each, for a restore, which finds
   * them in the history. `isTakenBack`: a dispute that was lost has given the customer the money.
   * @throws RefundRefused
   */
  refundPayment(input: {
    orderId: string
    asOf: string
    reason: RefundReason
    attempt: number | string
    isReset?: boolean
  }): Promise<
    | {
        creditNotes: string[]
        issuedOn?: Record<string, string>
        creditedMinor?: Record<string, number>
        isTakenBack?: true
      }
    | undefined
  >
  /**
   * Returns why the order was refunded. `found`: the order is further than its run, which was reset, and stays as it is:
   * `refunded`, since another refund was made; or `paid_another_way`, as an operator has said. Activities of earlier
   * builds did not look.
   */
  recordRefundFailure(input: {
    orderId: string
    asOf: string
    code: string
  }): Promise<{ reason: RefundReason; found?: FoundRefund }>
  /** Asks the payment processor whether all of the payment was given back, or is on its way. */
  isPaidBack(input: { orderId: string; asOf: string }): Promise<boolean>
  /** Reads the state of the refunds from the payment processor. */
  checkRefunds(input: { orderId: string; asOf: string }): Promise<'settled' | 'pending' | 'failed'>
  /**
   * Reads states and usage once, and sends the notices that are due. `givenBack`: all eSIMs of the order were returned.
   * `refundDue`: the provider has ended all of them, and none was used. `untilKnown`: nobody asks again, so it fails
   * until the provider has said the state of each, and operators learn of those that went back without a refund.
   */
  refreshEsims(input: {
    orderId: string
    asOf: string
    untilKnown?: true
  }): Promise<{ ended: boolean; givenBack: boolean; refundDue?: boolean }>
  /**
   * Reads the eSIMs repeatedly until all have ended. `recorded`: the activity has recorded the order as ended. It does
   * not when eSIMs were returned, because only the run knows whether the order will be refunded, nor when a refund is
   * due. `isUnsure`: a return may have been made whose answer is lost, so that the provider is asked at once.
   */
  watchEsims(input: { orderId: string; isUnsure?: boolean }): Promise<{ recorded: boolean; refundDue?: boolean }>
  /** Activities of earlier builds returned nothing. */
  recordDispute(input: {
    orderId: string
    disputeId: string
    asOf: string
  }): Promise<{ needsEvidence: boolean; isOver?: boolean } | undefined>
  /** Puts evidence from our books beside the dispute at the payment processor, once. Only an operator submits it. */
  stageDisputeEvidence(input: { orderId: string; disputeId: string; asOf: string }): Promise<void>
  /**
   * Asks the payment processor for fraud warnings about the order's payment. With `providerIsAway` our own records say
   * whether an eSIM was used, and `take_back` has noted that the eSIMs are being returned: they take no top-up any
   * more.
   */
  readFraudWarnings(input: { orderId: string; asOf: string; providerIsAway?: boolean }): Promise<FraudWarningOutcome>
  /** Makes an operator task of the order's fraud warning, with a due date, unless none is actionable any more. */
  raiseFraudWarning(input: { orderId: string; asOf: string; code: string }): Promise<void>
  endOrder(input: { orderId: string; asOf: string; status: OrderStatus }): Promise<void>
  /** Makes an operator task. */
  raiseAttention(input: {
    orderId: string
    kind: AttentionKind
    asOf: string
    code?: string
  }): Promise<{ kind: AttentionKind; code?: string } | undefined>
}
