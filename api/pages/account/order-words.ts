/** By which words a customer reads the states of orders, refunds and mails. */
import { purchase } from '../../../messages/en/order-pages.ts'
import type { Texts } from '../../../messages/texts.ts'
import type { HostedPayment } from '../../../providers/stripe/hosted.ts'
import { isKeyOf } from '../../../shared/keys-of.ts'
import type { OrderMail, OrderStatus } from '../../../workflows/order/order.contract.ts'
import { limitOf } from '../../../workflows/order/order-states.ts'

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

export interface OrderLife {
  status: OrderStatus
  isTopUp: boolean
  paidAt: Date | null
  deliveredAt: Date | null
}

/** The page of Stripe on which an unpaid order is paid: Stripe hears of a payment before we do. */
export type PayPage = { state: HostedPayment['status'] | 'unreachable'; url: string | null }

/** What the state of an order means for its customer. */
export function meaningOf(
  { t, moment }: Pick<Texts, 't' | 'moment'>,
  { status, isTopUp, paidAt, deliveredAt }: OrderLife,
  payPage: PayPage | null = null,
): string {
  if (status === 'in_review' && paidAt) return t('purchase.heldUntil', { at: moment(limitOf('in_review', paidAt)) })
  if (payPage?.state === 'complete') return t('purchase.meaning.confirming')
  if (payPage?.state === 'expired') return t('purchase.meaning.unpaid')
  if (payPage) return t('purchase.meaning.hosted')
  if (status === 'provisioning' && isTopUp) return t('purchase.meaning.toppingUp')
  if (status === 'delivered' && isTopUp) return t('purchase.meaning.toppedUp')
  // The eSIM of a top-up goes on; what was never delivered has none.
  if (status === 'refunded' && (isTopUp || !deliveredAt)) return t('purchase.meaning.moneyBack')
  return t(`purchase.meaning.${status}`)
}

/** @param state Stripe's, or one of db/order/refunds.ts */
export const refundState = (state: string): NamesUnder<'refund'> => (isRefundState(state) ? state : 'failed')
const isRefundState = (state: string): state is NamesUnder<'refund'> => Object.hasOwn(purchase, `refund.${state}`)

export const refundWasRefused = 'refused'

type MailOccasion = OrderMail | 'withdrawal_acknowledged' | 'partial_refund_refunded' | 'partial_refund_failed'
const mailNames: Readonly<Record<MailOccasion, NamesUnder<'mail'>>> = {
  confirmation: 'confirmation',
  held: 'held',
  delayed: 'delayed',
  refunded: 'refunded',
  cancelled: 'cancelled',
  refund_failed: 'refund_failed',
  apology: 'apology',
  withdrawal_acknowledged: 'withdrawal_acknowledged',
  partial_refund_refunded: 'refunded',
  partial_refund_failed: 'refund_failed',
}

/** @param occasion of a row of the send ledger, which may be of another version */
export const mailName = (occasion: string): NamesUnder<'mail'> =>
  isKeyOf(mailNames, occasion) ? mailNames[occasion] : 'other'

/** The data and days of a package, in the reader's language: its name is the provider's, in English. */
export interface Holds {
  /** null: unlimited */
  dataBytes: number | null
  /** the volume is per day */
  daily: boolean
  days: number
}

/** The data of a package: for each day, where it is so. */
export function dataOf(
  { t, dataAmount }: Pick<Texts, 't' | 'dataAmount'>,
  of: Pick<Holds, 'dataBytes' | 'daily'>,
): string {
  const amount = dataAmount(of.dataBytes)
  return of.daily ? t('order.aDay', { amount }) : amount
}

/** Data and days of a package. */
export const heldBy = (texts: Texts, of: Holds): string => `${dataOf(texts, of)}, ${texts.validity(of.days)}`
