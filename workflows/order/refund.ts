/** Refunds the customer and returns the eSIMs that a provider holds for the order. */
import { ActivityFailure, condition, patched, proxyActivities } from '@temporalio/workflow'
import { msUntil } from '../../shared/calendar.ts'
import { failureCode, failureType } from '../../shared/failures.ts'
import { clock, now } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import type { FoundRefund, OrderActivities, RefundReason } from './order.contract.ts'
import { limitOf } from './order-states.ts'
import { codeOf, localFirst, type OrderRun } from './run.ts'

const { refundPayment, releaseProvision } = proxyActivities<OrderActivities>(retry.money)

/** Resolves when the refund has settled. After a refund that failed, it waits for an operator's `refund` update. */
export async function refundAll(run: OrderRun, reason: RefundReason): Promise<void> {
  const { orderId } = run
  await localFirst.startRefund({ orderId, ...clock(), reason })
  run.moveTo('refunding')
  const returned = run.stopProvisioning ? returnHeldEsims(run) : undefined
  for (let attempt = 1; ; attempt += 1) {
    run.requested.disputeOver = false
    const made = await requestRefund(orderId, reason, attempt)
    let failedWith = made.failedWith ?? (made.isTakenBack ? undefined : await follow(run))
    while (failedWith && (await recordFailure(run, failedWith)) === 'refunded') failedWith = await follow(run)
    if (!failedWith) break
    await condition(() => run.requested.retryRefund || run.requested.disputeOver)
    await localFirst.startRefund({ orderId, ...clock(), reason })
    run.moveTo('refunding')
  }
  await returned
}

/** @returns what a run that was reset finds instead: another refund, whose end nobody else follows */
async function recordFailure(run: OrderRun, code: string): Promise<FoundRefund | undefined> {
  run.requested.retryRefund = false
  run.moveTo('refund_failed')
  const { found } = await localFirst.recordRefundFailure({ orderId: run.orderId, ...clock(), code })
  if (!found) run.announce('refund_failed')
  return found
}

async function follow(run: OrderRun): Promise<string | undefined> {
  let isAnnounced = false
  return untilSettled(run.orderId, run.hints, (until) => {
    run.moveTo('refunded', until)
    if (!isAnnounced) run.announce('refunded')
    isAnnounced = true
  })
}

/**
 * Refunds what is left of the payment. @returns the code of the failure, if it was not accepted; `isTakenBack`: the
 * bank has given the customer the money, and no refund has to settle
 * @param isReset the run was reset, and nobody has asked for the refund since
 */
export async function requestRefund(
  orderId: string,
  reason: RefundReason,
  attempt: number | string,
  isReset = false,
): Promise<{ failedWith?: string; isTakenBack?: boolean }> {
  try {
    const made = await refundPayment({ orderId, ...clock(), reason, attempt, ...(isReset && { isReset }) })
    return { isTakenBack: made?.isTakenBack === true }
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
    return { failedWith: failureCode(error) ?? failureType(error) ?? 'unknown' }
  }
}

/**
 * Follows a refund that was accepted.
 * @param hints `payment` is set by a signal
 * @param onWait gets the time at which Stripe is asked next
 * @returns the code of the failure, or undefined once Stripe says that the customer has the money
 */
export async function untilSettled(
  orderId: string,
  hints: { payment: boolean },
  onWait: (until: Date) => void,
): Promise<string | undefined> {
  const check = () => localFirst.checkRefunds({ orderId, ...clock() })
  for (;;) {
    const settledBy = limitOf('refunded', now())
    onWait(settledBy)
    while (now() < settledBy) {
      await condition(() => hints.payment, msUntil(settledBy, now()))
      if (!hints.payment) break
      hints.payment = false
      if ((await check()) === 'failed') return 'refund_bounced'
    }
    // The webhook of a refund that failed may have been lost.
    if (!patched('refund-asked-at-the-end')) return undefined
    const state = await check()
    if (state === 'failed') return 'refund_bounced'
    if (state === 'settled') return undefined
    await localFirst.raiseAttention({ orderId, kind: 'refund_unsettled', ...clock() })
  }
}

/**
 * Returns all eSIMs that a provider holds for the order. An eSIM that cannot be returned for a week becomes an operator
 * task.
 */
export async function returnHeldEsims({ orderId }: { orderId: string }): Promise<void> {
  try {
    await releaseProvision({ orderId, ...clock() })
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
    await localFirst.raiseAttention({ orderId, kind: 'provider_order_unreturned', ...clock(), ...codeOf(error) })
  }
}
