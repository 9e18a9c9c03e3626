/**
 * The customer's claim to the money of an order: an erasure settles it, even where an order's run or an operator was
 * about to.
 */
import type { Attention, Esims, Orders, Refunds, Withdrawals } from '../connection/schema.ts'
import { isRefundOfReturn, returnedNotRefunded } from '../order/esims/returned-esims.ts'
import { isPerhapsNew } from '../order/esims.ts'
import { paidWithoutOutcome } from '../order/orders.ts'
import { idsIn } from '../order/part-tasks.ts'
import { isReservedOrMade, refundFailed, refundReleased, requested, sumOf } from '../order/refunds.ts'
import type { PartToRefund, PaymentToClose } from './deletion-seals.ts'

export type Claim = Pick<PaymentToClose, 'action' | 'promisedMinor' | 'parts' | 'trouble'>

export interface ClaimRows {
  refunds: Pick<Refunds, 'order_id' | 'refund_key' | 'amount_minor' | 'state' | 'reason' | 'created_at'>[]
  esims: Pick<Esims, 'order_id' | 'return_asked_at' | 'state'>[]
  withdrawals: Pick<Withdrawals, 'order_id' | 'stated_at'>[]
  /**
   * the open ones of `moneyTasks`, the settled ones of `returned_not_refunded`, and those of `refund_failed` that an
   * operator has settled
   */
  tasks: Pick<Attention, 'subject_id' | 'kind' | 'detail' | 'attributes' | 'resolved_at'>[]
}

/** Kind of the operator task of an eSIM that its provider has ended: it was used, or is one of several. */
const endedByProvider = 'esim_ended_by_provider'

/** Kinds of operator tasks that are about a customer's money. */
export const moneyTasks = [
  'payment_not_accepted',
  'partial_refund_failed',
  'refund_elsewhere_failed',
  'withdrawal_after_use',
  returnedNotRefunded,
  endedByProvider,
]
/** Those of them by which an operator has to decide how much is owed; the deletion waits for the refund. */
export const operatorsDecide: readonly string[] = ['withdrawal_after_use', returnedNotRefunded, endedByProvider]
const delivered = ['delivered', 'ended']
/** Why a payment was not accepted that nobody got anything for. */
const heldFor = ['refunded', 'disputed', 'older_than_order']

/** Whether the customer has a claim to all that is left of the payment, and none to the eSIM. */
function isToRefund(order: Pick<Orders, 'id' | 'status'>, rows: ClaimRows): boolean {
  if (paidWithoutOutcome.includes(order.status)) return true
  const isIts = ({ order_id }: { order_id: string }): boolean => order_id === order.id
  if (delivered.includes(order.status)) {
    // A stated withdrawal was acknowledged. A return that was asked for may have been made, its reply lost.
    if (rows.withdrawals.some((each) => isIts(each) && each.stated_at !== null)) return true
    return order.status === 'delivered' && returnsOf(order, rows) === 'all'
  }
  // We hold the money of an order that was not accepted, unless another order was paid with it, or an old run may have
  // delivered it.
  return taskOf(order, rows, 'payment_not_accepted').some(({ detail }) => heldFor.includes(detail ?? ''))
}

/** Which eSIMs of an order may have gone back at our request: not one that its customer has used since. */
function returnsOf({ id }: Pick<Orders, 'id'>, { esims }: ClaimRows): 'all' | 'some' | 'none' {
  const its = esims.filter(({ order_id }) => order_id === id)
  const returned = its.filter((esim) => esim.return_asked_at !== null && isPerhapsNew(esim))
  if (returned.length === 0) return 'none'
  return returned.length === its.length ? 'all' : 'some'
}

/** @returns undefined when nobody can claim anything */
export function claimOf(order: Pick<Orders, 'id' | 'status' | 'ended_at'>, rows: ClaimRows): Claim | undefined {
  if (order.status === 'awaiting_payment') return { action: 'cancel', trouble: null }
  // Its refund would be the second one.
  if (isPaidAnotherWay(order, rows)) return { action: 'follow', promisedMinor: 0, parts: [], trouble: null }
  if (isToRefund(order, rows)) return { action: 'refund', trouble: null }
  if (order.status === 'refunded') return order.ended_at ? undefined : { action: 'watch', trouble: null }
  if (!delivered.includes(order.status)) return undefined
  const refunds = rows.refunds.filter(({ order_id }) => order_id === order.id)
  const failed = [...taskOf(order, rows, 'partial_refund_failed'), ...taskOf(order, rows, 'refund_elsewhere_failed')]
  const isUnderWay = refunds.some(({ state }) => state !== 'succeeded' && isReservedOrMade(state))
  const trouble = troubleOf(order, rows)
  if (!isUnderWay && failed.length === 0 && trouble === null) return undefined
  const promised = refunds.filter(
    (refund) => isReservedOrMade(refund.state) || failed.some((task) => isOwedBy(task, refund)),
  )
  const parts = refunds.filter(({ state }) => state === requested).map(partOf)
  return { action: 'follow', promisedMinor: sumOf(promised), parts, trouble }
}

/**
 * Whether a refund that was not made, or has failed, is one that an open task is about. One whose amount was released is
 * owed to nobody: operators may have made another one instead. Tasks from before they had facts name no refund.
 */
const isOwedBy = (
  { attributes, detail }: Pick<Attention, 'attributes' | 'detail'>,
  { refund_key }: Pick<Refunds, 'refund_key'>,
): boolean => (attributes ? idsIn(attributes, 'refunds').includes(refund_key) : detail !== refundReleased)

/** Why an operator has to decide how much of a delivered order is owed, if so. */
function troubleOf(order: Pick<Orders, 'id' | 'status'>, rows: ClaimRows): string | null {
  const [undecided] = operatorsDecide.flatMap((kind) => taskOf(order, rows, kind))
  if (undecided) return undecided.kind
  if (order.status !== 'delivered' || returnsOf(order, rows) !== 'some') return null
  return isReturnDecided(order, rows) ? null : returnedNotRefunded
}

/** Whether an operator has decided what is owed for the eSIMs that went back, or a refund was asked for with them. */
function isReturnDecided({ id }: Pick<Orders, 'id'>, { esims, refunds, tasks }: ClaimRows): boolean {
  if (tasks.some(({ subject_id, kind }) => subject_id === id && kind === returnedNotRefunded)) return true
  const asked = esims.flatMap(({ order_id, state, return_asked_at: at }) =>
    order_id === id && state === 'cancelled' && at !== null ? [at] : [],
  )
  const first = asked.toSorted((a, b) => a.getTime() - b.getTime())[0]
  return first !== undefined && refunds.some((refund) => refund.order_id === id && isRefundOfReturn(refund, first))
}

/** Whether an operator has found another way for the money of a refund that has failed. */
const isPaidAnotherWay = ({ id, status }: Pick<Orders, 'id' | 'status'>, { tasks }: ClaimRows): boolean =>
  status === refundFailed &&
  tasks.some((task) => task.subject_id === id && task.kind === refundFailed && task.resolved_at !== null)

/** Its open tasks of a kind. */
const taskOf = ({ id }: Pick<Orders, 'id'>, { tasks }: ClaimRows, kind: string) =>
  tasks.filter((task) => task.subject_id === id && task.kind === kind && task.resolved_at === null)

const partOf = ({ refund_key, amount_minor, reason }: ClaimRows['refunds'][number]): PartToRefund => ({
  refundKey: refund_key,
  amountMinor: amount_minor,
  reason,
})
