/** Everything that happened to an order, in the order of time, in words for an operator. */
import { z } from 'zod'
import type { Sends } from '../../db/connection/schema.ts'
import type { OrderRows } from '../../db/operator/order-rows.ts'
import type { OrderRow } from '../../db/order/orders.ts'
import { money } from '../../mails/format.ts'
import { dayOf } from '../../shared/calendar.ts'
import { bulkActionWorkflowId } from '../../workflows/order/bulk-action.contract.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { partialRefundWorkflowId, refundIdOf } from '../../workflows/order/partial-refund.contract.ts'

const timelineSources = [
  'order',
  'payment',
  'provider',
  'esim',
  'mail',
  'push',
  'document',
  'refund',
  'dispute',
  'withdrawal',
  'operator',
  'task',
  'event',
  'account',
  'privacy request',
] as const

export const timelineEntry = z
  .object({
    at: z.iso.datetime(),
    dayOnly: z.boolean().describe('only the day is known'),
    source: z.enum(timelineSources),
    actor: z.string().describe('`customer`, `us`, an outside party, or `operator:` and an id'),
    words: z.string(),
    isFault: z.boolean().describe('something did not work'),
    workflowId: z.string().nullable().describe('the run that did it'),
  })
  .meta({ id: 'TimelineEntry' })

export interface TimelineEntry {
  at: Date
  dayOnly: boolean
  source: (typeof timelineSources)[number]
  actor: string
  words: string
  isFault: boolean
  workflowId: string | null
}

export type Entry = Pick<TimelineEntry, 'source' | 'actor' | 'words'> & {
  at: Date | null
  dayOnly?: boolean
  isFault?: boolean
  workflowId?: string | null
}

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

/** @param run of entries that name none */
export function inOrderOfTime(entries: readonly Entry[], run: string | null): TimelineEntry[] {
  return entries
    .flatMap(({ at, dayOnly = false, isFault = false, workflowId = run, ...entry }) =>
      at === null ? [] : [{ ...entry, at, dayOnly, isFault, workflowId }],
    )
    .sort((a, b) => a.at.getTime() - b.at.getTime())
}

export const plain = (word: string): string => word.replaceAll(/[_-]/g, ' ')
export const because = (reason: string | null): string => (reason === null ? '' : `: ${plain(reason)}`)

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

/** An event for the app backend, and whether its endpoints have it. */
export function ofEvent({ type, at, wanted, taken }: OrderRows['events'][number]): Entry {
  const missing = wanted - taken
  const state =
    missing === 0 ? `, all ${wanted} endpoints have it` : `, not taken yet by ${missing} of ${wanted} endpoints`
  return {
    at,
    source: 'event',
    actor: 'us',
    words: `notified the app backend: ${type}${wanted === 0 ? '' : state}`,
    isFault: missing > 0,
    workflowId: null,
  }
}

function ofProviders({ placements }: OrderRows): Entry[] {
  return placements.flatMap((placement): Entry[] => {
    const number = placement.provider_order_no === null ? '' : `, number ${placement.provider_order_no}`
    const hasFailed = placement.state === 'refused'
    return [
      {
        at: placement.placed_after,
        source: 'provider',
        actor: 'us',
        words: `asked ${placement.provider} for ${placement.provider_package_code}`,
      },
      {
        at: placement.confirmed_at ?? placement.last_asked_at,
        source: 'provider',
        actor: placement.provider,
        words: `${placement.state}${because(placement.reason)}${number}`,
        isFault: hasFailed,
      },
    ]
  })
}

function ofEsims({ esims }: OrderRows, delivered: Date | null, asOf: Date): Entry[] {
  return esims.flatMap((esim): Entry[] => [
    { at: esim.activated_at, source: 'esim', actor: 'customer', words: 'first used the eSIM' },
    {
      at: esim.return_asked_at,
      source: 'esim',
      actor: 'us',
      words: `asked ${esim.provider} for the return of the eSIM`,
    },
    {
      at: esim.expires_at !== null && esim.expires_at <= asOf ? esim.expires_at : null,
      source: 'esim',
      actor: esim.provider,
      words: 'the eSIM expired',
    },
    {
      // Before the run's first check of the eSIM, `checked_at` is the time at which the eSIM was stored.
      at: delivered !== null && esim.checked_at > delivered ? esim.checked_at : null,
      source: 'esim',
      actor: esim.provider,
      words: `says that the eSIM is ${plain(esim.state)}`,
    },
  ])
}

/** An enhanced status code (RFC 3463) alone is of a bounce; codes of refusals begin with `smtp_`. */
const bounce = /^[245][.]\d{1,3}[.]\d{1,3}$/

export function ofSend(send: Sends): Entry[] {
  const [channel = '', occasion = ''] = send.kind.split(':')
  const source = channel === 'push' ? 'push' : 'mail'
  const name = `${source === 'push' ? 'push' : 'mail'} “${plain(occasion)}”`
  const code = send.code ?? 'no reason'
  const hasBounced = send.state === 'failed' && bounce.test(code)
  const words = {
    due: `could not send the ${name} yet: ${code}`,
    sending: `sends the ${name}`,
    sent: `sent the ${name}`,
    skipped: `left out the ${name}: ${plain(code)}`,
    failed: hasBounced ? `the ${name} came back: ${code}` : `could not send the ${name}: ${code}`,
  }[send.state]
  return [
    {
      at: send.done_at ?? send.first_at,
      source,
      actor: hasBounced ? 'the mail server' : 'us',
      words,
      isFault: ['due', 'failed'].includes(send.state),
    },
  ]
}

function ofMoney(order: OrderRow, { refunds, documents, withdrawals }: OrderRows): Entry[] {
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
        isFault: ['failed', 'canceled', 'refused'].includes(refund.state),
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

function ofDisputes({ disputes }: OrderRows): Entry[] {
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

export function ofOperators({ acts, tasks }: Pick<OrderRows, 'acts' | 'tasks'>, currency: string): Entry[] {
  const hasAct = (name: string, kind: string, by: string | null): boolean =>
    acts.some(({ act, subject, operator }) => act === name && subject === kind && operator === by)
  return [
    ...acts.map((act): Entry => {
      const subject = act.subject === null ? '' : ` ${act.act.endsWith('-task') ? plain(act.subject) : act.subject}`
      const amount =
        act.amount_minor === null ? subject : `${subject} of ${money({ minor: act.amount_minor, currency })}`
      const end = {
        planned: ' (planned)',
        asked: ' (not known yet)',
        done: '',
        refused: ` (not done${because(act.code)})`,
      }[act.state]
      return {
        at: act.asked_at,
        source: 'operator',
        actor: act.operator,
        words: `${plain(act.act)}${amount}${end}${act.reason === null ? '' : `: ${act.reason}`}`,
        isFault: act.state !== 'done',
        workflowId: act.bulk_action_id === null ? null : bulkActionWorkflowId(act.bulk_action_id),
      }
    }),
    ...tasks.flatMap((task): Entry[] => [
      {
        at: task.opened_at,
        source: 'task',
        actor: 'us',
        words: `asked operators: ${plain(task.kind)}${because(task.detail)}`,
        isFault: task.resolved_at === null,
        workflowId: null,
      },
      {
        // An operator's act has an entry of its own, unless it is older than such entries.
        at: hasAct('take-task', task.kind, task.owner) ? null : task.taken_at,
        source: 'task',
        actor: task.owner ?? '',
        words: `took the task ${plain(task.kind)}${task.note === null ? '' : `; note: ${task.note}`}`,
        workflowId: null,
      },
      {
        at: hasAct('settle-task', task.kind, task.resolved_by) ? null : task.resolved_at,
        source: 'task',
        actor: task.resolved_by ?? '',
        words: `closed the task ${plain(task.kind)}`,
        workflowId: null,
      },
    ]),
  ]
}
