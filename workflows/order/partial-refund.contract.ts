/** Contract of the run of one partial refund. Code outside of workflows may import it. */
import { defineSignal, defineUpdate } from '@temporalio/workflow'
import type { RunStatus } from '../../shared/search-attributes.ts'

export const partialRefundType = 'partialRefund'
export const partialRefundWorkflowId = (refundId: string): string => `partial-refund-${refundId}`

/** Stripe's idempotency key of a partial refund, by which it is made once and recognised. */
export const partialRefundKey = (orderId: string, refundId: string): string => `order-${orderId}:part-${refundId}`
/** The id of the partial refund that has this key; undefined for another refund. */
export const refundIdOf = (refundKey: string | null | undefined): string | undefined =>
  /^order-[^:]+:part-(.+)$/.exec(refundKey ?? '')?.[1]

/** Why money is refunded: words, since a text could name a person. */
export const partialRefundReasons = [
  'goodwill',
  'service_fault',
  'price_correction',
  'returned_unused',
  'other',
] as const
export type PartialRefundReason = (typeof partialRefundReasons)[number]

export interface PartialRefundInput {
  refundId: string
  orderId: string
  /** in the minor unit of the order's currency; null: all that is left of the payment */
  amountMinor: number | null
  reason: PartialRefundReason
  /** whether the customer keeps the eSIMs, or they are returned to the provider first */
  esims: 'kept' | 'returned'
}

export interface PartialRefundState {
  status: 'requested' | 'refunded' | 'failed'
}

export const firstPartialRefundState = {
  status: 'requested',
  waitingFor: 'the payment processor',
  dueAt: null,
} as const satisfies RunStatus

/** Answered once Stripe has taken the refund. Rejected with RefundExceedsPayment, OrderStateConflict, ... */
export const partialRefundMade = defineUpdate<PartialRefundState>('made')
/** Hint that the refund changed; the run then asks the payment processor. */
export const refundSignal = defineSignal('refund')

interface Named {
  refundId: string
  orderId: string
  /** ISO 8601, the workflow's time */
  asOf: string
}

export interface PartialRefundActivities {
  /**
   * Reserves the amount, so that all refunds of an order together never exceed its payment.
   * @param input.isReset an operator has reset the run: what was released meanwhile is not reserved again. A request
   * that is repeated begins another run, and reserves it again
   * @throws OrderStateConflict unless the order was delivered and is not being refunded; RefundExceedsPayment;
   * RefundRefused for what was released
   */
  reservePartialRefund(input: PartialRefundInput & { asOf: string; isReset?: boolean }): Promise<void>
  /**
   * Refunds what was reserved, with its credit note, whose number, day and amount it returns for a restore. Activities
   * of earlier builds returned nothing, or no amount.
   * @throws RefundRefused
   */
  makePartialRefund(
    input: Named,
  ): Promise<{ creditNote: string | null; issuedOn?: string; creditedMinor?: number } | undefined>
  /** Releases what was reserved. @param code set when nobody waits for the answer: it becomes an operator task then */
  releasePartialRefund(input: Named & { code?: string }): Promise<void>
  /** Reads the state of the refund from the payment processor. */
  checkPartialRefund(input: Named): Promise<'settled' | 'pending' | 'failed'>
  sendPartialRefundMail(input: Named & { mail: 'refunded' | 'failed'; esims: 'kept' | 'returned' }): Promise<void>
}
