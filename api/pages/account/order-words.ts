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
  /** of its eSIMs */
  quantity: number
  paidAt: Date | null
  deliveredAt: Date | null
}

/** The page of Stripe on which an unpaid order is paid: Stripe hears of a payment before we do. */
export type PayPage = { state: HostedPayment['status'] | 'unreachable'; url: string | null }

/** What the state of an order means for its customer. */
export function meaningOf(
  { t, moment }: Pick<Texts, 't' | 'moment'>,
  { status, isTopUp, quantity: count, paidAt, deliveredAt }: OrderLife,
  payPage: PayPage | null = null,
): string {
  if (status === 'in_review' && paidAt) return t('purchase.heldUntil', { at: moment(limitOf('in_review', paidAt)) })
  if (payPage?.state === 'complete') return t('purchase.meaning.confirming')
  if (payPage?.state === 'expired') return t('purchase.meaning.unpaid')
  if (payPage) return t('purchase.meaning.hosted')
  if (status === 'provisioning')
    return isTopUp ? t('purchase.meaning.toppingUp') : t('purchase.meaning.provisioning', { count })
  if (status === 'delivered')
    return isTopUp ? t('purchase.meaning.toppedUp') : t('purchase.meaning.delivered', { count })
  // The eSIM of a top-up goes on; what was never delivered has none.
  if (status === 'refunded')
    return isTopUp || !deliveredAt ? t('purchase.meaning.moneyBack') : t('purchase.meaning.refunded', { count })
  if (status === 'ended') return t('purchase.meaning.ended', { count })
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

/** Which one an eSIM is of those of its order. */
export interface EsimPlace {
  /** from 1 */
  number: number
  count: number
}

/** The name of an eSIM: where it is for, and which one of its order it is. */
export function esimName({ t, place }: Pick<Texts, 't' | 'place'>, destination: string, of: EsimPlace): string {
  const name = place(destination)
  return of.count === 1 ? name : t('account.esims.nameOf', { place: name, esim: t('common.esimOf', of) })
}

/** @returns undefined for an eSIM that is none of these */
export function placeAmong(esims: readonly { id: string }[], esimId: string | null): EsimPlace | undefined {
  const index = esims.findIndex(({ id }) => id === esimId)
  return index === -1 ? undefined : { number: index + 1, count: esims.length }
}

/** What an order is for: as often as there are eSIMs in it. */
export const boughtBy = (texts: Texts, { holds, quantity }: { holds: Holds; quantity: number }): string =>
  quantity === 1 ? heldBy(texts, holds) : `${quantity}\u00a0× ${heldBy(texts, holds)}`
