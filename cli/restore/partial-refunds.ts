/** Partial refunds since the dump: each has a separate run, which does not repeat what it has done. */
import type { Client } from '@temporalio/client'
import { leftOfPaid } from '../../activities/order/refunds/refund.ts'
import { raiseUnlessRefunded } from '../../activities/order/returned-esims.ts'
import type { Context } from '../../context.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { noteReturnAsked } from '../../db/order/esims/returned-esims.ts'
import { listEsims, setEsimsCancelled } from '../../db/order/esims.ts'
import type { OrderRow } from '../../db/order/orders.ts'
import { isReservedOrMade, listRefunds, reserveRefund, sumOf, upsertRefund } from '../../db/order/refunds.ts'
import type { Payment } from '../../providers/stripe/payments.ts'
import type { Refund } from '../../providers/stripe/refunds.ts'
import { dayOf } from '../../shared/calendar.ts'
import type { LeftToOperators } from '../../workflows/order/order.contract.ts'
import {
  type PartialRefundInput,
  partialRefundKey,
  partialRefundType,
} from '../../workflows/order/partial-refund.contract.ts'
import type { IsolateFailure } from './failure-isolation.ts'
import { makePartialRefundResult, orderResults, runInputs } from './history-forms.ts'
import { type IsWanted, openSince } from './order-runs.ts'
import { raiseAgain } from './orders/raised-again.ts'
import { findCompleted, hasCompleted, listHistories, type RunHistory, readAs } from './run-history.ts'

/** The amount of a credit note, which runs of earlier builds do not say. */
export interface Credited {
  creditedMinor?: number | undefined
}

/** The facts of a partial refund, from the history of its run. */
export interface PartialRefund {
  input: PartialRefundInput
  refundKey: string
  reservedAt: Date
  /** when the eSIMs were returned to the provider, if they were */
  returnedAt: Date | undefined
  /**
   * undefined while the processor may not have made it; `issuedOn`: of the credit note; `creditNote`: null when there
   * was none, or it is not known
   */
  made: ({ issuedOn: string; creditNote: string | null } & Credited) | undefined
  /** what its return has left to operators */
  tasks: LeftToOperators['tasks']
  /** the processor has refused it, after the eSIMs had gone back: nothing is reserved */
  isReleased: boolean
}

/** The partial refunds that were made since a time or are open, by order, the oldest first. */
export async function listPartialRefunds(
  client: Client,
  { since, isolate, isWanted }: { since: Date; isolate: IsolateFailure; isWanted: IsWanted },
): Promise<Map<string, PartialRefund[]>> {
  const found = new Map<string, PartialRefund[]>()
  const query = `WorkflowType = '${partialRefundType}' AND ${openSince(since)}`
  const read = (history: RunHistory | undefined) => history && readPartialRefund(history)
  for (const each of await listHistories(client, query, { isolate, read })) {
    const partialRefund = each.found?.result
    if (!partialRefund || !isWanted(partialRefund.input.orderId)) continue
    const { orderId } = partialRefund.input
    const ofOrder = [...(found.get(orderId) ?? []), partialRefund]
    found.set(
      orderId,
      ofOrder.sort((a, b) => a.reservedAt.getTime() - b.reservedAt.getTime()),
    )
  }
  return found
}

/** @returns undefined when nothing is reserved, and no eSIM went back */
function readPartialRefund(history: RunHistory): PartialRefund | undefined {
  const input = readAs(runInputs.partialRefund, history.input)
  const { activities } = history
  const reserved = findCompleted(activities, 'reservePartialRefund')
  const returned = findCompleted(activities, 'withdrawEsims')
  const isReleased = hasCompleted(activities, 'releasePartialRefund')
  if (!reserved || (isReleased && !returned)) return undefined
  const made = findCompleted(activities, 'makePartialRefund')
  const result = made && readAs(makePartialRefundResult, made.completed.result)
  return {
    input,
    refundKey: partialRefundKey(input.orderId, input.refundId),
    reservedAt: reserved.at,
    returnedAt: returned?.at,
    tasks: (returned && readAs(orderResults.withdrawEsims, returned.completed.result)?.tasks) ?? [],
    isReleased,
    made: made && {
      issuedOn: result?.issuedOn ?? dayOf(made.at),
      creditNote: result?.creditNote ?? null,
      creditedMinor: result?.creditedMinor,
    },
  }
}

/** Records that eSIMs went back: the order's run would take them for ended by the provider, and refund the rest. */
export async function redoReturns(
  context: Context,
  order: OrderRow,
  partialRefunds: readonly PartialRefund[],
): Promise<void> {
  for (const { returnedAt, isReleased, tasks } of partialRefunds) {
    if (!returnedAt) continue
    // The state first: only one that is gone is noted beside a paid top-up, which its own run settles.
    await setEsimsCancelled(context.sql, order.id, returnedAt)
    for (const { id } of await listEsims(context, order)) await noteReturnAsked(context.sql, id, returnedAt)
    for (const task of tasks) await raiseAgain(context.sql, { ...task, subjectId: order.id, at: returnedAt })
    if (isReleased) await raiseUnlessRefunded(context.sql, order.id, returnedAt)
  }
}

/**
 * Writes the reservation, or the refund as Stripe has it, so that the run goes on and nobody refunds the same amount.
 */
export async function redoReservation(
  tx: Transaction,
  order: OrderRow,
  payment: Payment,
  { input, refundKey, reservedAt, isReleased }: PartialRefund,
  refunds: readonly Refund[],
): Promise<void> {
  if (isReleased) return
  const { reason } = input
  const reserved = { orderId: order.id, refundKey, reason, at: reservedAt, returnsEsims: input.esims === 'returned' }
  const made = refunds.find((refund) => refund.refundKey === refundKey)
  if (made) {
    const { refundId: stripeRefundId, amountMinor, status: state } = made
    await reserveRefund(tx, { ...reserved, amountMinor })
    await upsertRefund(tx, { ...reserved, stripeRefundId, amountMinor, state })
    return
  }
  const others = (await listRefunds(tx, order.id)).filter(
    ({ refund_key, state }) => refund_key !== refundKey && isReservedOrMade(state),
  )
  // What is reserved beside it is not left, though the processor has none of it yet.
  const left = Math.min(leftOfPaid(payment), payment.amountReceivedMinor - sumOf(others))
  const amountMinor = input.amountMinor ?? left
  if (amountMinor > 0) await reserveRefund(tx, { ...reserved, amountMinor })
}
