/** U3, confirmations and package updates are sent once: mails about an order, other than its delivery. */
import type { ReactNode } from 'react'
import type { Texts } from '../../messages/texts.ts'
import type { Money } from '../../policy/currency.ts'
import type { RefundReason } from '../../workflows/order/order.contract.ts'
import { Action, Facts, Paragraph, Title } from '../elements.tsx'
import { Layout, type Site } from '../layout.tsx'
import { type RenderedMail, renderMail } from '../render.ts'
import { consentFacts, greet, type OrderSummary, orderFacts } from './order.tsx'

interface OrderProps {
  site: Site
  texts: Texts
  firstName?: string
  order: OrderSummary
}

const placeOf = ({ texts, order }: OrderProps) => ({ place: texts.place(order.destination) })

/** The delivery of a paid order takes longer than usual. */
export function renderOrderDelayed(props: OrderProps & { deliverBy: Date; isTopUp: boolean }): RenderedMail {
  const { t, moment } = props.texts
  return orderMail(props, t('order.delayed.subject', placeOf(props)), [
    props.isTopUp ? t('order.delayed.topUp') : t('order.delayed.text', { count: props.order.quantity }),
    t('order.delayed.until', { at: moment(props.deliverBy) }),
  ])
}

/** An operator looks at the order before its delivery. */
export function renderOrderHeld(props: OrderProps & { decideBy: Date }): RenderedMail {
  const { t, moment } = props.texts
  return orderMail(props, t('order.held.subject', placeOf(props)), [
    t('order.held.text'),
    t('order.held.why'),
    t('order.held.until', { at: moment(props.decideBy) }),
  ])
}

/** An outage on our side has hurt the order; separate mails say what becomes of it. */
export function renderOrderApology(props: OrderProps): RenderedMail {
  const { t } = props.texts
  return orderMail(props, t('order.apology.subject', placeOf(props)), [
    t('order.apology.text'),
    t('order.apology.write', { address: props.site.supportMail }),
  ])
}

/** Why the customer gets money back, as a mail says it. */
export type RefundCause = RefundReason | 'cancelled_by_operator' | 'returned_by_operator'

/** After these the eSIMs of the order, which were delivered, are the customer's no more. */
const takeEsims: ReadonlySet<RefundCause> = new Set([
  'returned_unused',
  'returned_by_operator',
  'ended_by_provider',
  'withdrawn',
])

const gone = ({ texts, order }: OrderProps): string => texts.t('order.refund.gone', { count: order.quantity })

/** A top-up is data on an eSIM that stays: nothing of it is installed. */
const textsOfTopUp = {
  not_delivered_in_time: 'order.refund.topUp',
  out_of_stock: 'order.refund.topUp',
  rejected_in_review: 'order.refund.rejected_in_review',
  review_timed_out: 'order.refund.review_timed_out',
  cancelled_by_customer: 'order.refund.cancelled_by_customer',
  cancelled_by_operator: 'order.refund.cancelled_by_operator',
  paid_after_cancel: 'order.refund.paid_after_cancel',
  returned_unused: 'order.refund.topUpTakenBack',
  returned_by_operator: 'order.refund.topUpTakenBack',
  ended_by_provider: 'order.refund.topUpEnded',
  fraud_warning: 'order.refund.topUpWarned',
  withdrawn: 'order.refund.topUpWithdrawn',
  refunded_elsewhere: 'order.refund.topUpElsewhere',
} as const satisfies Record<RefundCause, string>

/** @param props.creditNoteNumber if there was an invoice */
export function renderOrderRefunded(
  props: OrderProps & { amount: Money; cause: RefundCause; isTopUp: boolean; creditNoteNumber?: string },
): RenderedMail {
  const { cause, isTopUp, texts } = props
  if (isTopUp) return refundMail(props, texts.t(textsOfTopUp[cause]))
  const text = texts.t(`order.refund.${cause}`)
  return refundMail(props, takeEsims.has(cause) ? `${text} ${gone(props)}` : text)
}

/** A part of the price, or all of it, is given back although the order was delivered. */
export function renderPartialRefund(
  props: OrderProps & { amount: Money; esimsReturned: boolean; creditNoteNumber?: string },
): RenderedMail {
  const { t, money } = props.texts
  const amount = money(props.amount)
  return refundMail(
    props,
    props.esimsReturned
      ? `${t('order.partial.returned', { amount })} ${gone(props)}`
      : t('order.partial.kept', { amount }),
  )
}

function refundMail(props: OrderProps & { amount: Money; creditNoteNumber?: string }, text: string): RenderedMail {
  const { t, money } = props.texts
  const amount = money(props.amount)
  return orderMail(
    props,
    t('order.refund.subject', { amount }),
    [text, t('order.refund.bank')],
    [
      [t('order.fact.refunded'), amount],
      ...(props.creditNoteNumber
        ? [[t('order.fact.creditNote'), props.creditNoteNumber] satisfies [string, ReactNode]]
        : []),
    ],
  )
}

/** The bank returned the refund: an operator has to find another way. */
export function renderOrderRefundFailed(props: OrderProps & { amount: Money }): RenderedMail {
  const { t, money } = props.texts
  return orderMail(
    props,
    t('order.refundFailed.subject', { amount: money(props.amount) }),
    [t('order.refundFailed.text'), t('order.refundFailed.write', { address: props.site.supportMail })],
    [],
    null,
  )
}

/** A payment does not match the order: an operator decides about the money. */
export function renderOrderPaymentNotAccepted(props: OrderProps): RenderedMail {
  const { t } = props.texts
  return orderMail(
    props,
    t('order.cancelled.subject', placeOf(props)),
    [t('order.notAccepted.text'), t('order.notAccepted.write', { address: props.site.supportMail })],
    [],
    null,
  )
}

/** The order was cancelled before a payment. */
export function renderOrderCancelled(props: OrderProps): RenderedMail {
  const { t } = props.texts
  return orderMail(props, t('order.cancelled.subject', placeOf(props)), [t('order.cancelled.text')])
}

/** Directive 2011/83/EU, Article 11a(4): acknowledges a withdrawal, with its content, date and time. */
export function renderWithdrawalAcknowledged(
  props: OrderProps & {
    orderId: string
    /** as the statement names the consumer */
    name: string
    confirmationBy: string
    statement: string
    statedAt: Date
    refundBy: Date
    amount: Money
  },
): RenderedMail {
  const { t, moment, money, day } = props.texts
  return orderMail(
    props,
    t('order.withdrawal.subject'),
    [t('order.withdrawal.text'), `${t('order.withdrawal.money')} ${gone(props)}`],
    [
      [t('order.withdrawal.statement'), props.statement],
      [t('order.withdrawal.name'), props.name],
      [t('order.withdrawal.contract'), props.orderId],
      [t('order.withdrawal.confirmedTo'), props.confirmationBy],
      [t('order.withdrawal.received'), moment(props.statedAt)],
      [t('order.withdrawal.youGetBack'), money(props.amount)],
      [t('order.withdrawal.by'), day(props.refundBy)],
    ],
  )
}

export interface TopUpConfirmedProps extends OrderProps {
  total: Money
  invoiceNumber: string
  /** Directive 2011/83/EU, Article 8(7), as in the confirmation of an order */
  consent?: { text: string; at: Date }
  expiresAt?: Date
  /** the page that shows the usage */
  orderUrl: string
}

export function renderTopUpConfirmed(props: TopUpConfirmedProps): RenderedMail {
  const { t, moment, money } = props.texts
  return orderMail(
    props,
    t('order.topUp.subject', placeOf(props)),
    [t('order.topUp.text')],
    [
      ...(props.expiresAt ? [[t('order.fact.validUntil'), moment(props.expiresAt)] satisfies [string, ReactNode]] : []),
      [t('order.fact.total'), money(props.total)],
      [t('order.fact.invoice'), props.invoiceNumber],
      ...consentFacts(props.texts, props.consent),
    ],
    { url: props.orderUrl, label: t('order.seeEsim') },
  )
}

interface MailAction {
  url: string
  label: string
}

/** The page that shows how the order is now. */
const seeOrder = ({ site, texts: { t }, order: { id } }: OrderProps): MailAction => ({
  url: `${site.publicUrl}/account/orders/${id}`,
  label: t('purchase.back.order'),
})

/** @param action null: there is nothing to see, and the mail asks to write to us */
function orderMail(
  props: OrderProps,
  subject: string,
  paragraphs: string[],
  facts: [string, ReactNode][] = [],
  action: MailAction | null = seeOrder(props),
): RenderedMail {
  const { site, texts, firstName, order } = props
  return renderMail(
    subject,
    <Layout site={site} texts={texts} preview={paragraphs[0] ?? ''} reason={texts.t('order.reason')}>
      <Title>{subject}</Title>
      {paragraphs.map((text, index) => (
        <Paragraph key={text}>{index === 0 ? greet(texts, firstName, text) : text}</Paragraph>
      ))}
      {action ? <Action href={action.url}>{action.label}</Action> : null}
      <Facts of={[...orderFacts(texts, order), ...facts]} />
    </Layout>,
  )
}
