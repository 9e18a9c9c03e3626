/**
 * U2, paid means delivered or refunded: a payment that is given back before its order was delivered, by hand at the
 * processor or by a dispute that was lost. Its order is not delivered any more: the customer would have both.
 */
import { patched, proxyLocalActivities, TemporalFailure } from '@temporalio/workflow'
import { clock } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import type { OrderActivities, OrderStatus } from './order.contract.ts'
import type { OrderRun } from './run.ts'

const asking = proxyLocalActivities<OrderActivities>(retry.localWhileCallerWaits)
const beforeDelivery: readonly OrderStatus[] = ['in_review', 'provisioning']

/** A hint that the payment changed, or that a dispute of it is over. Hints that come meanwhile are one. */
export async function notePaidBack(run: OrderRun): Promise<void> {
  const { requested, paidBack } = run
  if (!beforeDelivery.includes(run.state.status) || requested.paidBack || !patched('paid-back-hint')) return
  paidBack.hinted = true
  if (paidBack.looking) return
  paidBack.looking = true
  while (paidBack.hinted && !requested.paidBack) {
    paidBack.hinted = false
    if (!(await ask(run.orderId))) continue
    requested.paidBack = true
    run.stopProvisioning?.()
  }
  paidBack.looking = false
}

/** Whether an order that was approved has lost its payment meanwhile: a hint may have been lost. */
export const wasPaidBackInReview = async ({ orderId }: OrderRun): Promise<boolean> =>
  patched('paid-back-before-approval') && (await ask(orderId))

/** The same of an order whose eSIMs took longer than usual. */
export const wasPaidBackMeanwhile = async ({ orderId }: OrderRun): Promise<boolean> =>
  patched('paid-back-before-late-delivery') && (await ask(orderId))

/**
 * Asks the processor. One that does not answer keeps no customer waiting: the order goes on, and what was refunded is
 * found once it is delivered.
 */
async function ask(orderId: string): Promise<boolean> {
  try {
    return await asking.isPaidBack({ orderId, ...clock() })
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error
    return false
  }
}
