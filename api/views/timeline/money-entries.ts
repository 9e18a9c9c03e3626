/** The part of an order's timeline about its money: refunds, documents, withdrawals and disputes. */
import type { OrderRows } from '../../../db/operator/order-rows.ts'
import type { OrderRow } from '../../../db/order/orders.ts'
import { notMade } from '../../../db/order/refunds.ts'
import { money } from '../../../mails/format.ts'
import { dayOf } from '../../../shared/calendar.ts'
import { orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { partialRefundWorkflowId, refundIdOf } from '../../../workflows/order/partial-refund.contract.ts'
import { plain } from '../plain.ts'
import { because, type Entry } from './timeline-entry.ts'

/** Refunds, documents and withdrawals. */
export function ofMoney(order: OrderRow, { refunds, documents, withdrawals }: OrderRows): Entry[] {
  const { id, currency } = order
  /** Documents have a day only: each gets the time of what it is about. */
  const timeOf = ({ number, issued_on }: OrderRows['documents'][number]): Date => {
    const refund = refunds.find(({ credit_note }) => credit_note === number)
    const about = refund ? refund.created_at : order.delivered_at
    return about && dayOf(about) === dayOf(issued_on) ? about : issued_on
  }
  return [
    ...refunds.map((refund): Entry => {
      const partial = refundIdOf(refund.refund_key)
      const amount = money({ minor: refund.amount_minor, currency })
      return {
        at: refund.created_at,
        source: 'refund',
        actor: 'us',
        words: `refunded ${amount}${because(refund.reason)}; ${refund.stripe_refund_id ?? 'not made yet'}, ${plain(refund.state)}`,
        isFault: notMade.includes(refund.state),
        workflowId: partial === undefined ? orderWorkflowId(id) : partialRefundWorkflowId(partial),
      }
    }),
    ...documents.map(
      (document): Entry => ({
        at: timeOf(document),
        dayOnly: true,
        source: 'document',
        actor: 'us',
        words: `issued ${plain(document.kind)} ${document.number} over ${money({ minor: Math.abs(document.gross_minor), currency: document.currency })}`,
      }),
    ),
    ...withdrawals.flatMap(({ opened_at, stated_at }): Entry[] => [
      { at: opened_at, source: 'withdrawal', actor: 'customer', words: 'opened a withdrawal' },
      { at: stated_at, source: 'withdrawal', actor: 'customer', words: 'withdrew from the contract' },
    ]),
  ]
}

/** What the bank and we did about each dispute. */
export function ofDisputes({ disputes }: OrderRows): Entry[] {
  return disputes.flatMap((dispute): Entry[] => {
    const { amount_minor: minor, currency } = dispute
    const amount = minor === null || currency === null ? '' : ` over ${money({ minor, currency })}`
    const name = dispute.stripe_dispute_id
    return [
      {
        source: 'dispute',
        at: dispute.opened_at,
        actor: 'the bank',
        words: `opened dispute ${name}${amount}${because(dispute.reason)}`,
        isFault: true,
      },
      { source: 'dispute', at: dispute.evidence_staged_at, actor: 'us', words: `put evidence beside dispute ${name}` },
      {
        source: 'dispute',
        at: dispute.evidence_submitted_at,
        actor: 'us',
        words: `submitted the evidence of dispute ${name}`,
      },
      {
        source: 'dispute',
        at: dispute.closed_at,
        actor: 'the bank',
        words: `closed dispute ${name}: ${plain(dispute.state)}`,
        isFault: dispute.taken_back,
      },
    ]
  })
}
