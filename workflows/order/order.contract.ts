/** The order workflow's face: ids, messages, and the effects it needs. Import-safe for everybody. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow'
import type { RunStatus } from '../../shared/search-attributes.ts'
import { orderStates } from './order-states.ts'

export const orderWorkflowId = (orderId: string): string => `order-${orderId}`
/** Takes what arrives after an order's run has closed: late disputes, refunds that bounce. */
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
  /** ISO 8601, when the order's id was made; missing in runs from before this was told */
  orderedAt?: string
  /** prepares a payment sheet that offers and keeps saved cards */
  savedCards: boolean
  measurement: { adUserData: boolean; adPersonalization: boolean }
}

/** What each means, and what leads from one to another: workflows/order/order-states.ts */
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

export type RefundReason =
  | 'not_delivered_in_time'
  | 'out_of_stock'
  | 'rejected_in_review'
  | 'review_timed_out'
  | 'cancelled_by_customer'
  | 'returned_unused'
  | 'paid_after_cancel'

export interface OrderState extends Omit<RunStatus, 'dueAt'> {
  status: OrderStatus
  dueAt: string | null
}

/** What a run begins with; its first due date is the starter's. */
export const firstState = {
  status: 'awaiting_payment',
  waitingFor: orderStates.awaiting_payment.waitsFor,
} as const satisfies Pick<OrderState, 'status' | 'waitingFor'>

/** Answered once the order exists and can be paid. Rejected with PackageUnavailable, PaymentUnavailable, ... */
export const checkout = defineUpdate<OrderState>('checkout')
/** Before delivery: nothing is charged, or everything is refunded. */
export const cancel = defineUpdate<OrderState>('cancel')
/** After delivery, unused eSIMs only; or, by an operator, another try at a refund that failed. */
export const refund = defineUpdate<OrderState>('refund')
/** Sends the delivery mail again. */
export const resend = defineUpdate<OrderState, [{ requestId: string }]>('resend')
export const approve = defineUpdate<OrderState>('approve')
export const reject = defineUpdate<OrderState>('reject')

/** The processor has news about the payment or a refund; the truth is asked. */
export const paymentSignal = defineSignal('payment')
/** The provider has news about an eSIM; the truth is asked. */
export const providerSignal = defineSignal('provider')
/** A dispute was opened, changed or closed. */
export const disputeSignal = defineSignal<[{ disputeId: string }]>('dispute')

export const orderState = defineQuery<OrderState>('state')

export type PaymentTruth = { state: 'pending' | 'cancelled' } | { state: 'paid'; review: string | null }

export type AttentionKind = 'mail_undelivered' | 'provider_order_unreturned' | 'dispute_unrecorded'

export type OrderMail = 'confirmation' | 'delayed' | 'refunded' | 'cancelled' | 'refund_failed'

/** Every time in and out is ISO 8601. `asOf` is the workflow's clock, the only clock that decides. */
export interface OrderActivities {
  /** Creates the order row and its PaymentIntent; repeatable. */
  openCheckout(input: OrderInput & { asOf: string; paymentDueAt: string }): Promise<void>
  /** Asks the processor; on payment records it and says whether an operator has to look (U5). */
  confirmPayment(input: { orderId: string; asOf: string; deliverBy: string }): Promise<PaymentTruth>
  /** `paid` when the payment was faster. */
  cancelPayment(input: {
    orderId: string
    asOf: string
    status: 'cancelled' | 'unpaid'
    reason: string
  }): Promise<'cancelled' | 'paid'>
  startProvisioning(input: { orderId: string; asOf: string; deliverBy: string }): Promise<void>
  /** Gets the eSIMs from the first provider that has them. @throws OutOfStock, StillAllocating, ProviderUnavailable */
  provision(input: { orderId: string; asOf: string }): Promise<void>
  /** Undo of `provision`: whatever a provider holds for the order is given back, late allocations too. */
  releaseProvision(input: { orderId: string; asOf: string }): Promise<void>
  /** Invoice, order facts and status in one transaction. Returns the latest time at which the eSIMs can still live. */
  recordDelivery(input: { orderId: string; asOf: string }): Promise<{ livesUntil: string }>
  sendOrderMail(input: { orderId: string; mail: OrderMail; asOf: string; requestId?: string }): Promise<void>
  sendOrderPush(input: { orderId: string; push: OrderMail; asOf: string }): Promise<void>
  /** Best effort: too old or refused events are dropped. */
  measurePurchase(input: { orderId: string; asOf: string }): Promise<void>
  /** Gives unused eSIMs back to the provider. @throws EsimInUse */
  withdrawEsims(input: { orderId: string; asOf: string }): Promise<void>
  startRefund(input: { orderId: string; asOf: string; reason: RefundReason }): Promise<void>
  /** Undo of the payment: refund, credit note, order facts. @param attempt tells refunds apart; 1 is the first. @throws RefundRefused */
  refundPayment(input: { orderId: string; asOf: string; reason: RefundReason; attempt: number | string }): Promise<void>
  /** Returns why the order was refunded. */
  recordRefundFailure(input: { orderId: string; asOf: string; code: string }): Promise<{ reason: RefundReason }>
  /** Reads the refunds at the processor. */
  checkRefunds(input: { orderId: string; asOf: string }): Promise<'settled' | 'pending' | 'failed'>
  /** One look: states, usage, and the notices that became due (U3). `givenBack`: ended, since all were cancelled. */
  refreshEsims(input: { orderId: string; asOf: string }): Promise<{ ended: boolean; givenBack: boolean }>
  /**
   * Looks again and again until every eSIM of the order has ended. `recorded` says that the order is closed as ended: with
   * eSIMs that were given back, the run knows better what became of it.
   */
  watchEsims(input: { orderId: string }): Promise<{ recorded: boolean }>
  recordDispute(input: { orderId: string; disputeId: string; asOf: string }): Promise<void>
  endOrder(input: { orderId: string; asOf: string; status: OrderStatus }): Promise<void>
  /** Puts what the workflow could not settle before an operator. */
  raiseAttention(input: { orderId: string; kind: AttentionKind; asOf: string; code?: string }): Promise<void>
}
