/** By which words a customer reads the states of orders, refunds and mails. */
import { purchase } from '../../../messages/en/order-pages.ts'
import type { OrderStatus } from '../../../workflows/order/order.contract.ts'

type NamesUnder<Prefix extends string> = {
  [Key in keyof typeof purchase]: Key extends `${Prefix}.${infer Name}` ? Name : never
}[keyof typeof purchase]

export type MailState = NamesUnder<'mailState'>

const tones: Partial<Record<OrderStatus, 'attention' | 'over'>> = {
  awaiting_payment: 'attention',
  in_review: 'attention',
  refunding: 'attention',
  refund_failed: 'attention',
  refunded: 'over',
  cancelled: 'over',
  unpaid: 'over',
  ended: 'over',
}

export const toneOf = (status: OrderStatus): string => tones[status] ?? ''

/** @param state Stripe's, or one of db/order/refunds.ts */
export const refundState = (state: string): NamesUnder<'refund'> => (isRefundState(state) ? state : 'failed')
const isRefundState = (state: string): state is NamesUnder<'refund'> => Object.hasOwn(purchase, `refund.${state}`)

export const refundWasRefused = 'refused'

/** @param occasion of a row of the send ledger */
export const mailName = (occasion: string): NamesUnder<'mail'> => (isMail(occasion) ? occasion : 'other')
const isMail = (occasion: string): occasion is NamesUnder<'mail'> => Object.hasOwn(purchase, `mail.${occasion}`)
