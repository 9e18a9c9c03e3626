/** Everything that happened to an order, in the order of time, in words for an operator. */
import type { OrderRows } from '../../../db/operator/order-rows.ts'
import type { OrderRow } from '../../../db/order/orders.ts'
import { money } from '../../../mails/format.ts'
import { orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { plain } from '../plain.ts'
import { ofEsims, ofProviders } from './esim-entries.ts'
import { ofEvent, ofSend } from './message-entries.ts'
import { ofDisputes, ofMoney } from './money-entries.ts'
import { ofOperators } from './operator-entries.ts'
import { because, type Entry, inOrderOfTime, type TimelineEntry } from './timeline-entry.ts'

/** The timeline, the oldest first. What has not happened yet has no entry. */
export function timelineOf(order: OrderRow, rows: OrderRows, asOf: Date): TimelineEntry[] {
  const entries = [
    ...ofOrder(order),
    ...ofProviders(rows),
    ...ofEsims(rows, order.delivered_at, asOf),
    ...rows.sends.flatMap(ofSend),
    ...ofMoney(order, rows),
    ...ofDisputes(rows),
    ...ofOperators(rows, order.currency),
    ...ofHistory(rows),
    ...ofTopUps(rows),
    ...rows.events.map(ofEvent),
  ]
  return inOrderOfTime(entries, orderWorkflowId(order.id))
}

function ofOrder(order: OrderRow): Entry[] {
  const amount = money({ minor: order.gross_minor, currency: order.currency })
  const kind = order.parent_order_id === null ? '' : 'top-up '
  const card = order.card_country === null ? '' : ` (${order.card_country})`
  const isGood = ['delivered', 'ended'].includes(order.status)
  return [
    {
      at: order.created_at,
      source: 'order',
      actor: 'customer',
      words: `ordered ${kind}${order.quantity} × ${order.package_name} for ${amount}`,
    },
    {
      at: order.performance_consent_at,
      source: 'order',
      actor: 'customer',
      words: `agreed to delivery at once, text ${order.performance_consent ?? ''}`,
    },
    {
      at: order.paid_at,
      source: 'payment',
      actor: 'customer',
      words: `paid ${amount}${order.payment_kind === null ? '' : ` by ${plain(order.payment_kind)}`}${card}`,
    },
    { at: order.delivered_at, source: 'order', actor: 'us', words: 'delivered' },
    {
      at: order.ended_at,
      source: 'order',
      actor: 'us',
      words: `closed as ${plain(order.status)}${isGood ? '' : because(order.reason)}`,
      isFault: order.status === 'refund_failed',
    },
  ]
}

const happenings = {
  review: { source: 'order', actor: 'us', words: 'held for a review', isFault: false },
  payment_declined: { source: 'payment', actor: 'the bank', words: 'declined a payment', isFault: true },
  fraud_warning: { source: 'payment', actor: 'the bank', words: 'warned of fraud', isFault: true },
} as const

const ofHistory = ({ history }: OrderRows): Entry[] =>
  history.map(({ kind, at, detail }) => ({
    ...happenings[kind],
    at,
    words: `${happenings[kind].words}${because(detail)}`,
  }))

function ofTopUps({ topUps }: OrderRows): Entry[] {
  return topUps.flatMap((topUp): Entry[] => {
    const { id, gross_minor: minor, currency } = topUp
    const name = `${topUp.package_name}, order ${id}`
    const workflowId = orderWorkflowId(id)
    return [
      {
        at: topUp.created_at,
        source: 'esim',
        actor: 'customer',
        words: `ordered a top-up for ${money({ minor, currency })}: ${name}`,
        workflowId,
      },
      { at: topUp.delivered_at, source: 'esim', actor: 'us', words: `topped the eSIM up: ${name}`, workflowId },
    ]
  })
}
