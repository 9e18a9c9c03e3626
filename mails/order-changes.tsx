/** U3: mails about an order, other than its delivery. */
import type { ReactNode } from 'react'
import type { RefundReason } from '../workflows/order/order.contract.ts'
import { Action, Facts, Paragraph, Title } from './elements.tsx'
import { day, type Money, moment, money, placeName } from './format.ts'
import { Layout, type Site } from './layout.tsx'
import { consentFacts, greeting, type OrderSummary, orderFacts, orderReason } from './order.tsx'
import { type RenderedMail, renderMail } from './render.ts'

interface OrderProps {
  site: Site
  firstName?: string
  order: OrderSummary
}

/** The delivery of a paid order takes longer than usual. */
export function renderOrderDelayed(props: OrderProps & { deliverBy: Date }): RenderedMail {
  return orderMail(props, `Your eSIM for ${placeName(props.order.destination)} is taking a little longer`, [
    'We have your payment and are waiting for the network to hand out your eSIM. You do not need to do anything: we send it by mail as soon as we have it.',
    `If it is not there by ${moment(props.deliverBy)}, you get your money back automatically.`,
  ])
}

const causes: Record<RefundReason, string> = {
  not_delivered_in_time: 'We could not deliver your eSIM in time, so we have given your money back.',
  out_of_stock: 'The network has no more eSIMs of this kind, so we have given your money back.',
  rejected_in_review: 'We could not accept this order, so we have given your money back.',
  review_timed_out: 'We could not check this order in time, so we have given your money back.',
  cancelled_by_customer: 'You cancelled this order, so we have given your money back.',
  returned_unused: 'You returned this eSIM unused, so we have given your money back. It can no longer be installed.',
  ended_by_provider:
    'The network has ended your eSIM before you could use it, so we have given your money back. It can no longer be installed.',
  fraud_warning:
    'The bank of the card has reported this payment as possibly fraudulent, so we have given the money back. An eSIM of this order can no longer be installed.',
  withdrawn: 'You withdrew from this contract, so we have given your money back. The eSIM can no longer be installed.',
  paid_after_cancel: 'Your payment arrived after the order had ended, so we have given your money back.',
}

/** @param props.creditNoteNumber if there was an invoice */
export function renderOrderRefunded(
  props: OrderProps & { amount: Money; cause: RefundReason; creditNoteNumber?: string },
): RenderedMail {
  return orderMail(
    props,
    `Your refund of ${money(props.amount)}`,
    [causes[props.cause], 'Your bank usually shows it within 5 to 10 days, on the card or wallet you paid with.'],
    [
      ['Refunded', money(props.amount)],
      ...(props.creditNoteNumber ? [['Credit note', props.creditNoteNumber] as [string, ReactNode]] : []),
    ],
  )
}

/** A part of the price, or all of it, is given back although the order was delivered. */
export function renderPartialRefund(
  props: OrderProps & { amount: Money; esimsReturned: boolean; creditNoteNumber?: string },
): RenderedMail {
  const kept = props.esimsReturned
    ? 'Your eSIM went back unused and can no longer be installed.'
    : 'Your eSIM stays yours: nothing changes for it.'
  return orderMail(
    props,
    `Your refund of ${money(props.amount)}`,
    [
      `We have given back ${money(props.amount)} of what you paid for this order. ${kept}`,
      'Your bank usually shows it within 5 to 10 days, on the card or wallet you paid with.',
    ],
    [
      ['Refunded', money(props.amount)],
      ...(props.creditNoteNumber ? [['Credit note', props.creditNoteNumber] as [string, ReactNode]] : []),
    ],
  )
}

/** The bank returned the refund: an operator has to find another way. */
export function renderOrderRefundFailed(props: OrderProps & { amount: Money }): RenderedMail {
  return orderMail(props, `Your refund of ${money(props.amount)} did not get through`, [
    'We owe you this money and tried to give it back, but your bank did not take it. Perhaps the card has expired or the account is closed.',
    `Please write to ${props.site.supportMail}, and we will find another way. Never send us a card number by mail.`,
  ])
}

/** A payment does not match the order: an operator decides about the money. */
export function renderOrderPaymentNotAccepted(props: OrderProps): RenderedMail {
  return orderMail(props, `Your order for ${placeName(props.order.destination)} is cancelled`, [
    'We could not accept the payment for this order, so there is no eSIM. We are looking into it and write to you.',
    `If you have a question meanwhile, please write to ${props.site.supportMail}. Never send us a card number by mail.`,
  ])
}

/** The order was cancelled before a payment. */
export function renderOrderCancelled(props: OrderProps): RenderedMail {
  return orderMail(props, `Your order for ${placeName(props.order.destination)} is cancelled`, [
    'Nothing was charged. If your bank shows a reserved amount, it disappears within a few days.',
  ])
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
    total: Money
  },
): RenderedMail {
  return orderMail(
    props,
    'We have received your withdrawal',
    [
      'This mail is the acknowledgement of your withdrawal. You do not need to do anything else. Please keep it.',
      'The money goes back the way you paid, less what was given back before. The eSIM can no longer be installed.',
    ],
    [
      ['Your statement', props.statement],
      ['Name', props.name],
      ['Contract', props.orderId],
      ['Confirmed to', props.confirmationBy],
      ['Received', moment(props.statedAt)],
      ['You get back', money(props.total)],
      ['By', day(props.refundBy)],
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
  return orderMail(
    props,
    `Your eSIM for ${placeName(props.order.destination)} has more data`,
    ['Thank you. The data is on your eSIM already: there is nothing to install.'],
    [
      ...(props.expiresAt ? [['Valid until', moment(props.expiresAt)] as [string, ReactNode]] : []),
      ['Total', money(props.total)],
      ['Invoice', props.invoiceNumber],
      ...consentFacts(props.consent),
    ],
    { url: props.orderUrl, label: 'See your eSIM' },
  )
}

function orderMail(
  { site, firstName, order }: OrderProps,
  subject: string,
  paragraphs: string[],
  facts: [string, ReactNode][] = [],
  action?: { url: string; label: string },
): RenderedMail {
  return renderMail(
    subject,
    <Layout site={site} preview={paragraphs[0] ?? ''} reason={orderReason}>
      <Title>{subject}</Title>
      {paragraphs.map((text, index) => (
        <Paragraph key={text}>{index === 0 ? greeting(firstName) + text : text}</Paragraph>
      ))}
      {action ? <Action href={action.url}>{action.label}</Action> : null}
      <Facts of={[...orderFacts(order), ...facts]} />
    </Layout>,
  )
}
