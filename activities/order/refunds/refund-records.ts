/**
 * U2, paid means delivered or refunded, and U6, accounting: our records of an order's refunds, as Stripe has them, with
 * their credit notes.
 */
import type { Transaction } from '../../../db/connection/database.ts'
import type { Orders } from '../../../db/connection/schema.ts'
import { raiseOperatorTask } from '../../../db/operator-tasks.ts'
import { creditRefunds } from '../../../db/order/books.ts'
import { lockOrder } from '../../../db/order/orders.ts'
import { raiseForRefund } from '../../../db/order/part-tasks.ts'
import { givesMoneyBack, listRefunds, noteCreditNote, sumOf, upsertRefund } from '../../../db/order/refunds.ts'
import type { Refund } from '../../../providers/stripe/refunds.ts'
import { refundIdOf } from '../../../workflows/order/partial-refund.contract.ts'
import { isTakenBack } from './lost-disputes.ts'

/** Reason of a refund that was made in Stripe's dashboard. */
const madeElsewhere = 'made_elsewhere'
/** Reason of what the customer's bank has taken back. */
const disputeLost = 'dispute_lost'
/** Kind of the operator task of a partial refund that failed. */
export const partialRefundFailed = 'partial_refund_failed'

/** Code of a refund that was made, and has failed. */
export const refundBounced = 'refund_bounced'

/** Whether the customer has the money of a refund back, or gets it back. */
export const hasNotFailed = ({ status }: Pick<Refund, 'status'>): boolean => givesMoneyBack(status)

/** The sum of the refunds that have not failed: the customer has this money back, or gets it back. */
export const refundedMinorOf = (refunds: Refund[]): number =>
  refunds.filter(hasNotFailed).reduce((sum, { amountMinor }) => sum + amountMinor, 0)

/**
 * Stripe's list of refunds with the one that was made a moment ago: one of its machines may not list it yet, or not know
 * that it has failed.
 */
export function listedWith(made: Refund | undefined, listed: Refund[]): Refund[] {
  if (made === undefined) return listed
  const others = listed.filter(({ refundId }) => refundId !== made.refundId)
  return others.length === listed.length || !hasNotFailed(made) ? [made, ...others] : listed
}

/**
 * Records all refunds of a payment, and issues the credit notes that are missing. Refunds of one order may be recorded
 * at the same time from lists of different age: each takes the order's lock, and an older list takes nothing back.
 * @param how `reason`: of those that this order's run has made; `at`: of a refund that is new to us; `issuedOn`: the
 * day of a new credit note
 * @returns what the customer has back of the order
 */
export async function recordRefunds(
  tx: Transaction,
  order: Orders,
  refunds: Refund[],
  { reason, at, issuedOn }: { reason: string; at: Date; issuedOn: string },
): Promise<number> {
  await lockOrder(tx, order.id)
  const known = await listRefunds(tx, order.id)
  // Stripe lists the newest first.
  for (const refund of refunds.toReversed()) {
    const { refundId, refundKey, amountMinor, status: state } = refund
    const isTaken = isTakenBack(refundKey)
    const isOurs = refundKey?.startsWith(`order-${order.id}:`) === true
    const row = known.find(
      ({ stripe_refund_id, refund_key }) => stripe_refund_id === refundId || refund_key === refundKey,
    )
    const key = row?.refund_key ?? (refundKey !== null && (isOurs || isTaken) ? refundKey : `elsewhere:${refundId}`)
    const recorded = { orderId: order.id, refundKey: key, stripeRefundId: refundId, amountMinor, state, at }
    await upsertRefund(tx, {
      ...recorded,
      reason: row?.reason ?? (isOurs ? reason : isTaken ? disputeLost : madeElsewhere),
    })
    const hasFailed = !hasNotFailed(refund) && row?.state !== state
    const task = { subjectId: order.id, detail: refundId, at }
    if (isOurs) {
      if (hasFailed && refundIdOf(refundKey))
        await raiseForRefund(tx, { ...task, kind: partialRefundFailed }, { as: 'refunds', refundKey: key }, at)
      continue
    }
    if (isTaken) continue
    // Only an operator knows its reason, and made it: the task of a failure is beside that of the refund.
    if (!row) await raiseOperatorTask(tx, { ...task, kind: 'refund_made_elsewhere' })
    if (hasFailed)
      await raiseForRefund(tx, { ...task, kind: 'refund_elsewhere_failed' }, { as: 'refunds', refundKey: key }, at)
  }
  const accepted = (await listRefunds(tx, order.id)).filter(({ state }) => givesMoneyBack(state))
  for (const [refundKey, number] of await creditRefunds(tx, order.id, accepted, issuedOn))
    await noteCreditNote(tx, refundKey, number)
  return sumOf(accepted)
}
