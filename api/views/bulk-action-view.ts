/** The report of a bulk action: who did what to which orders and why, what came of it, and what it cost. */
import { z } from 'zod'
import type { ApiContext } from '../../context.ts'
import type { BulkActions } from '../../db/connection/schema.ts'
import {
  type BulkChange,
  type BulkOrderRow,
  type BulkOutcome,
  countOutcomes,
  countRefundedElsewhere,
  listBulkChanges,
  maxAttempts,
  type RefundedBy,
  refundedBy,
  refundedElsewhere,
} from '../../db/operator/bulk-actions.ts'
import { esimProviderIds } from '../../policy/outside-parties.ts'
import { isoOrNull } from '../../shared/calendar.ts'
import { bulkActs } from '../../workflows/order/bulk-action.contract.ts'
import { sentId, sentTime } from '../http/storable.ts'
import { enumeration } from './enumeration.ts'
import { actOutcome, outcomeOfAct } from './operator-words.ts'
import { orderStatus } from './order-enumerations.ts'

export const bulkAct = z.enum(bulkActs).meta({ id: 'BulkAct' })

/** Which orders. */
export const bulkSelection = z
  .strictObject({
    statuses: z.array(orderStatus.schema).min(1).max(10).optional().describe('the states that they have now'),
    provider: z.enum(esimProviderIds).optional().describe('a provider that was asked for them'),
    paidFrom: sentTime.optional(),
    paidUntil: sentTime.optional(),
    sameOrdersAs: sentId.optional().describe('all orders of this bulk action, also those that it did not change'),
  })
  .refine((selection) => Object.values(selection).some((value) => value !== undefined), 'must limit the orders')
  .meta({ id: 'BulkSelection' })

const count = z.int().nonnegative()
const time = z.iso.datetime().nullable()
const sum = z.object({ currency: z.string(), minor: count })

const bulkState = enumeration('BulkActionState', 'How far a bulk action is', {
  prepared: 'Its orders are chosen; an operator has to start it',
  running: 'It goes through its orders',
  paused: 'An operator has paused it',
  done: 'Every order has its outcome',
  cancelled: 'An operator has ended it: orders whose turn had not come are left as they are',
})

export const bulkActionSummary = z
  .object({
    id: z.uuid(),
    act: bulkAct,
    selection: bulkSelection,
    reason: z.string(),
    state: bulkState.schema,
    orderCount: count,
    needsSecondOperator: z.boolean().describe('the operator who starts it must not be the one who prepared it'),
    preparedBy: z.string(),
    preparedAt: z.iso.datetime(),
    startedBy: z.string().nullable(),
    startedAt: time,
    endedAt: time,
  })
  .meta({ id: 'BulkActionSummary' })

const byWhom = {
  bulkActionId: z.uuid().nullable().describe('the bulk action that has done it'),
  operator: z
    .string()
    .nullable()
    .describe('who has done it, as the security log names them; null: the customer, or nobody'),
}

const outcome = enumeration('BulkOutcome', 'What became of one order in a bulk action', {
  planned: 'Its turn has not come',
  trying: 'It was tried and is tried again',
  unknown: 'It was tried too often; whether it was done is not known',
  done: 'Done',
  refused: 'Not done; `code` says why',
})
type Outcome = z.output<typeof outcome.schema>

const bulkChange = enumeration('BulkActionChange', 'What an operator does to a bulk action', {
  pause: 'No further order is acted upon for now',
  resume: 'It goes on',
  cancel: 'It ends for good',
} satisfies Record<BulkChange, string>)

export const bulkAction = bulkActionSummary
  .extend({
    changes: z
      .array(
        z.object({
          id: z.uuid(),
          change: bulkChange.schema,
          operator: z.string().describe('as the security log names them'),
          reason: z.string().nullable(),
          at: z.iso.datetime(),
          outcome: actOutcome.schema,
          code: z.string().nullable(),
        }),
      )
      .describe('who has paused, resumed or cancelled it, the oldest first'),
    outcomes: z.object({
      planned: count,
      trying: count,
      unknown: count,
      done: count,
      refused: count,
      erased: count.describe('orders of people who were erased since'),
    }),
    refusals: z.array(z.object({ code: z.string(), count })),
    givenBackElsewhere: z
      .array(z.object({ ...byWhom, count }))
      .describe('of the refused ones: those that another act had refunded, or was about to refund'),
    statuses: z.array(z.object({ status: orderStatus.schema, count })).describe('what has become of the orders'),
    worth: z.array(sum).describe('what the orders cost'),
    toGiveBack: z.array(sum).describe('what the act refunds if all of it is done that was not refused'),
    givenBack: z.array(sum).describe('what the payment processor has refunded because of it, and of no other act'),
  })
  .meta({ id: 'BulkAction' })
export type BulkActionView = z.output<typeof bulkAction>

export const bulkOrder = z
  .object({
    orderId: z.uuid(),
    accountId: z.uuid(),
    outcome: outcome.schema,
    code: z.string().nullable().describe('why it was not done, or not at the last try'),
    givenBackElsewhere: z.object(byWhom).nullable().describe('who has given the money back instead'),
    tries: count,
    at: time.describe('when it had its outcome'),
    status: orderStatus.schema.describe('of the order, now'),
    grossMinor: count,
    currency: z.string(),
  })
  .meta({ id: 'BulkOrder' })
export type BulkOrderView = z.output<typeof bulkOrder>

export const viewSummary = (row: BulkActions): z.output<typeof bulkActionSummary> => ({
  id: row.id,
  act: row.act,
  selection: row.selection,
  reason: row.reason,
  state: row.state,
  orderCount: row.order_count,
  needsSecondOperator: row.needs_second_operator,
  preparedBy: row.prepared_by,
  preparedAt: row.prepared_at.toISOString(),
  startedBy: row.started_by,
  startedAt: isoOrNull(row.started_at),
  endedAt: isoOrNull(row.ended_at),
})

/** Reads the report of a bulk action as it is now. */
export async function viewBulkAction({ sql }: ApiContext, row: BulkActions): Promise<BulkActionView> {
  const rows = await countOutcomes(sql, row.id)
  const changes = await listBulkChanges(sql, row.id)
  const isRefund = row.act === 'refund'
  const refunded = isRefund ? await refundedBy(sql, row.id) : []
  const elsewhere = isRefund ? await countRefundedElsewhere(sql, row.id) : []
  const isOver = row.state === 'done' || row.state === 'cancelled'
  const countOf = (wanted: Outcome): number =>
    total(rows.filter(({ state }) => (state === 'asked' ? (isOver ? 'unknown' : 'trying') : state) === wanted))
  return {
    ...viewSummary(row),
    changes: changes.map(({ id, change, operator, reason, asked_at: at, state, code }) => ({
      id,
      change,
      operator,
      reason,
      at: at.toISOString(),
      outcome: outcomeOfAct(state),
      code,
    })),
    outcomes: {
      planned: countOf('planned'),
      trying: countOf('trying'),
      unknown: countOf('unknown'),
      done: countOf('done'),
      refused: countOf('refused'),
      erased: row.order_count - total(rows),
    },
    refusals: grouped(
      rows.filter(({ state }) => state === 'refused'),
      ({ code }) => code ?? 'unknown',
    ).map(([code, of]) => ({ code, count: total(of) })),
    givenBackElsewhere: elsewhere.map(({ count: orders, ...by }) => ({ ...viewBy(by), count: orders })),
    statuses: grouped(rows, ({ status }) => status).map(([status, of]) => ({ status, count: total(of) })),
    worth: sums(rows, ({ worth }) => worth),
    toGiveBack: isRefund
      ? sums(
          rows.filter(({ state }) => state !== 'refused'),
          ({ minor }) => minor,
        )
      : [],
    givenBack: [...refunded],
  }
}

export const viewBulkOrder = (row: BulkOrderRow): BulkOrderView => ({
  orderId: row.order_id,
  accountId: row.account_id,
  outcome: row.state === 'asked' ? (row.attempts < maxAttempts ? 'trying' : 'unknown') : row.state,
  code: row.code,
  givenBackElsewhere: row.state === 'refused' && isElsewhere(row.code) ? viewBy(row) : null,
  tries: row.attempts,
  at: isoOrNull(row.done_at),
  status: row.status,
  grossMinor: row.gross_minor,
  currency: row.currency,
})

const viewBy = ({ by_bulk_action: bulkActionId, by_operator: operator }: RefundedBy) => ({ bulkActionId, operator })

const isElsewhere = (code: string | null): boolean => refundedElsewhere.some((each) => each === code)

const total = (rows: readonly BulkOutcome[]): number => rows.reduce((sum, { count }) => sum + count, 0)

const sums = (rows: readonly BulkOutcome[], of: (row: BulkOutcome) => number) =>
  grouped(rows, ({ currency }) => currency).map(([currency, some]) => ({
    currency,
    minor: some.reduce((sum, row) => sum + of(row), 0),
  }))

function grouped<Key extends string>(rows: readonly BulkOutcome[], keyOf: (row: BulkOutcome) => Key) {
  const groups = new Map<Key, BulkOutcome[]>()
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row])
  return [...groups]
}
