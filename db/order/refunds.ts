import { milliseconds } from '../../policy/periods.ts'
import { refundIdOf } from '../../workflows/order/partial-refund.contract.ts'
import type { Fragment, Queryable, Transaction } from '../connection/database.ts'
import type { Orders, Refunds } from '../connection/schema.ts'
import { wasClosedByOperator } from '../operator-tasks.ts'

export type RefundRow = Pick<
  Refunds,
  'refund_key' | 'stripe_refund_id' | 'amount_minor' | 'state' | 'reason' | 'credit_note' | 'created_at'
>

/** State of a refund that is reserved here and that the processor has not confirmed yet. */
export const requested = 'requested'
/** State of a reserved refund that the processor did not make. */
const refused = 'refused'

const bounced: readonly string[] = ['failed', 'canceled']
/** Whether the processor has said that a refund failed, which is its last word about it. */
export const hasBounced = (state: string): boolean => bounced.includes(state)

/** States of refunds that were not made, or have failed: the money is ours. */
export const notMade: readonly string[] = [...bounced, refused]

/** Whether the amount of a refund in this state is not left of the payment any more. */
export const isReservedOrMade = (state: string): boolean => !notMade.includes(state)

/** Whether the customer has the money of a refund in this state, or gets it unless the refund fails. */
export const givesMoneyBack = (state: string): boolean => state !== requested && isReservedOrMade(state)

const onTheirWay: readonly string[] = ['pending', 'requires_action']
/** Whether the processor has accepted a refund, and the bank has not said yet whether it has arrived. */
export const isOnItsWay = ({ state }: Pick<RefundRow, 'state'>): boolean => onTheirWay.includes(state)

/**
 * Kind of the operator task of a refund that has failed. An operator who has settled it has found another way for the
 * money: nothing refunds the order by itself any more.
 */
export const refundFailed = 'refund_failed'

/** Code of a refund whose amount was released before its run was reset. */
export const refundReleased = 'refund_released'

/** Whether an operator has found another way for the money of an order. */
export const isPaidAnotherWay = async (
  sql: Queryable,
  { id, status }: Pick<Orders, 'id' | 'status'>,
): Promise<boolean> =>
  status === refundFailed && (await wasClosedByOperator(sql, { kind: refundFailed, subjectId: id }))

/** Whether a refund is of all that was left of its order's payment: no part, and none that was made elsewhere. */
export const isOfWhole = (orderId: string, { refund_key: key }: Pick<RefundRow, 'refund_key'>): boolean =>
  key.startsWith(`order-${orderId}:`) && refundIdOf(key) === undefined

/** The sum of refunds, in minor units. */
export const sumOf = (refunds: readonly Pick<RefundRow, 'amount_minor'>[]): number =>
  refunds.reduce((sum, { amount_minor }) => sum + amount_minor, 0)

/**
 * What is left of the price of an order to give back.
 * @param before when to reckon: later refunds do not count
 */
export const leftOfPrice = (
  { gross_minor }: Pick<Orders, 'gross_minor'>,
  refunds: readonly RefundRow[],
  before?: Date,
): number => {
  const made = refunds.filter(
    ({ state, created_at }) => givesMoneyBack(state) && (before === undefined || created_at < before),
  )
  return Math.max(0, gross_minor - sumOf(made))
}

/** The refunds of an order, the oldest first. */
export async function listRefunds(sql: Queryable, orderId: string): Promise<RefundRow[]> {
  return sql<RefundRow[]>`
    select refund_key, stripe_refund_id, amount_minor, state, reason, credit_note, created_at from refunds
    where order_id = ${orderId} order by created_at, refund_key`
}

/**
 * A page of the refunds that the processor has accepted before a time, and of which nobody knows whether they have
 * arrived, the oldest first, after the given one. Each is listed during one hour of a day, counted from when it was
 * made. Those of a refunded order are found with it (payment-sweeps.ts).
 */
export const listRefundsOnTheirWay = (
  sql: Queryable,
  page: { at: Date; before: Date; after: RefundOnItsWay | undefined; limit: number },
): Promise<RefundOnItsWay[]> =>
  // The states in words, as the index has them.
  sql<RefundOnItsWay[]>`
    select r.order_id, r.refund_key, r.created_at from refunds r join orders o on o.id = r.order_id
    where r.state in ('pending', 'requires_action') and r.created_at < ${page.before}
      and o.status in ('delivered', 'ended')
      and ${inHourOfDay(sql, sql`r.created_at`, page.at)}
      ${page.after ? sql`and (r.created_at, r.refund_key) > (${page.after.created_at}, ${page.after.refund_key})` : sql``}
    order by r.created_at, r.refund_key limit ${page.limit}`

export type RefundOnItsWay = Pick<Refunds, 'order_id' | 'refund_key' | 'created_at'>

const [daySeconds, hourSeconds] = [milliseconds.day / 1_000, milliseconds.hour / 1_000]

/** Whether it is the first hour of a day that begins at a time of its own: what an hourly sweep asks about once a day. */
export const inHourOfDay = (sql: Queryable, since: Fragment, at: Date): Fragment =>
  sql`mod(extract(epoch from ${at}::timestamptz - ${since})::bigint, ${daySeconds}) < ${hourSeconds}`

/** Records a refund. An answer of the processor that arrives late does not undo a later state. */
export async function upsertRefund(
  sql: Queryable,
  refund: {
    orderId: string
    refundKey: string
    stripeRefundId: string | null
    amountMinor: number
    state: string
    reason: string
    at: Date
  },
): Promise<void> {
  await sql`insert into refunds (order_id, refund_key, stripe_refund_id, amount_minor, state, reason, created_at)
    values (${refund.orderId}, ${refund.refundKey}, ${refund.stripeRefundId}, ${refund.amountMinor}, ${refund.state},
      ${refund.reason}, ${refund.at})
    on conflict (order_id, refund_key) do update
      set stripe_refund_id = excluded.stripe_refund_id, state = case
        when refunds.state in ('failed', 'canceled') then refunds.state
        when refunds.state = 'succeeded' and excluded.state in ('pending', 'requires_action') then refunds.state
        else excluded.state end`
}

/**
 * Reserves an amount for a partial refund. A refused one with this key is reserved again.
 * @param refund.returnsEsims whether the eSIMs go back to their provider with it
 */
export async function reserveRefund(
  tx: Transaction,
  refund: { orderId: string; refundKey: string; amountMinor: number; reason: string; at: Date; returnsEsims: boolean },
): Promise<void> {
  await tx`insert into refunds (order_id, refund_key, amount_minor, state, reason, created_at, returns_esims)
    values (${refund.orderId}, ${refund.refundKey}, ${refund.amountMinor}, ${requested}, ${refund.reason}, ${refund.at},
      ${refund.returnsEsims})
    on conflict (order_id, refund_key) do update
      set amount_minor = excluded.amount_minor, state = excluded.state, created_at = excluded.created_at
      where refunds.state = ${refused}`
}

/** Releases the amount of a reserved refund that was not made. */
export async function refuseRefund(sql: Queryable, refundKey: string): Promise<void> {
  await sql`update refunds set state = ${refused} where refund_key = ${refundKey} and state = ${requested}`
}

/** Takes a release back. */
export async function reserveAgain(sql: Queryable, refundKey: string): Promise<void> {
  await sql`update refunds set state = ${requested} where refund_key = ${refundKey} and state = ${refused}`
}

/**
 * Records that the processor shows no such refund: the customer does not have its money. If it shows the refund again,
 * that counts.
 */
export async function loseRefund(sql: Queryable, orderId: string, refundKey: string): Promise<void> {
  await sql`update refunds set state = ${refused} where order_id = ${orderId} and refund_key = ${refundKey}`
}

/** Records the credit note of a refund. */
export async function noteCreditNote(tx: Transaction, refundKey: string, number: string): Promise<void> {
  await tx`update refunds set credit_note = ${number} where refund_key = ${refundKey}`
}
