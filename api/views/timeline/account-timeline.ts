/** Everything that happened to an account and to its orders, the newest first, in words for an operator. */
import type { AccountRows } from '../../../db/operator/account-rows.ts'
import { privacyReference } from '../../../policy/privacy-reference.ts'
import { emailChangeWorkflowId } from '../../../workflows/email-change.contract.ts'
import { privacyRequestWorkflowId } from '../../../workflows/privacy-request.contract.ts'
import { plain } from '../plain.ts'
import { ofEvent, ofSend } from './message-entries.ts'
import { ofOperators } from './operator-entries.ts'
import { timelineOf } from './order-timeline.ts'
import { because, type Entry, inOrderOfTime, type TimelineEntry } from './timeline-entry.ts'

export interface AccountTimelineEntry extends TimelineEntry {
  /** null: it is about no order */
  orderId: string | null
}

export function accountTimelineOf(
  { createdAt }: { createdAt: Date },
  rows: AccountRows,
  asOf: Date,
): AccountTimelineEntry[] {
  const ofOrders = rows.orders.flatMap(({ order, rows: its }) =>
    timelineOf(order, its, asOf).map((entry) => ({ ...entry, orderId: order.id })),
  )
  /** Entries that the timelines of the orders have already. */
  const shown = new Set(
    rows.orders.flatMap(({ rows: { sends, acts, tasks } }) => [
      ...sends.map((send) => `${send.subject_id} ${send.kind}`),
      ...acts.map(({ id }) => id),
      ...tasks.map(({ id }) => id),
    ]),
  )
  const own: Entry[] = [
    { at: createdAt, source: 'account', actor: 'customer', words: 'signed up' },
    ...rows.identities.map(
      ({ provider, linked_at }): Entry => ({
        at: linked_at,
        source: 'account',
        actor: 'customer',
        words: `connected ${provider}`,
      }),
    ),
    ...rows.consents.map(
      ({ granted, source, at }): Entry => ({
        at,
        source: 'account',
        actor: 'customer',
        words: `${granted ? 'agreed to' : 'refused'} promotions, at ${plain(source)}`,
      }),
    ),
    ...rows.emailChanges.flatMap(ofEmailChange),
    ...rows.requests.flatMap(ofRequest),
    ...rows.sends.filter((send) => !shown.has(`${send.subject_id} ${send.kind}`)).flatMap(ofSend),
    ...ofOperators(
      { acts: rows.acts.filter(({ id }) => !shown.has(id)), tasks: rows.tasks.filter(({ id }) => !shown.has(id)) },
      // No act on an account alone has an amount.
      'EUR',
    ),
    ...rows.events.map(ofEvent),
  ]
  const ofAccount = inOrderOfTime(own, null).map((entry) => ({ ...entry, orderId: null }))
  return [...ofOrders, ...ofAccount].sort((a, b) => b.at.getTime() - a.at.getTime())
}

function ofEmailChange(change: AccountRows['emailChanges'][number]): Entry[] {
  const entry = (at: Date | null, actor: string, words: string): Entry => ({
    at,
    source: 'account',
    actor,
    words,
    workflowId: emailChangeWorkflowId(change.id),
  })
  return [
    entry(change.requested_at, 'customer', 'asked to change the e-mail address'),
    change.old_waived_by === null
      ? entry(change.old_confirmed_at, 'customer', 'agreed from the old address')
      : entry(change.old_confirmed_at, change.old_waived_by, 'waived the consent of the old address'),
    entry(change.new_confirmed_at, 'customer', 'agreed from the new address'),
    entry(change.ended_at, 'us', `the change of the address ended: ${plain(change.state)}`),
  ]
}

function ofRequest(row: AccountRows['requests'][number]): Entry[] {
  const name = privacyReference(row.id)
  const entry = (at: Date | null, actor: string, words: string, isFault = false): Entry => ({
    at,
    source: 'privacy request',
    actor,
    words,
    isFault,
    workflowId: privacyRequestWorkflowId(row.id),
  })
  return [
    entry(row.received_at, 'customer', `asked about ${row.kind}: ${name}`),
    entry(row.acknowledged_at, 'us', `acknowledged ${name}`),
    entry(row.escalated_at, 'us', `asked operators to answer ${name}`),
    entry(row.late_at, 'us', `has not answered ${name} in time`, true),
    entry(row.answered_at, 'us', `answered ${name}${because(row.answer_kind)}`),
  ]
}
