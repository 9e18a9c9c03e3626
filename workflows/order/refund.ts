/** Refunds the customer and returns the eSIMs that a provider holds for the order. */
import { ActivityFailure, condition, proxyActivities } from '@temporalio/workflow'
import { periods } from '../../policy/periods.ts'
import { msUntil, plusMs } from '../../shared/calendar.ts'
import { failureCode, failureType } from '../../shared/failures.ts'
import { clock, now } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import type { OrderActivities, RefundReason } from './order.contract.ts'
import { charge, codeOf, localFirst, type OrderRun } from './run.ts'

const { releaseProvision } = proxyActivities<OrderActivities>(retry.money)

/** Resolves when the refund has settled. After a refund that failed, it waits for an operator's `refund` update. */
export async function refundAll(run: OrderRun, reason: RefundReason): Promise<void> {
  const { orderId } = run
  await localFirst.startRefund({ orderId, ...clock(), reason })
  run.moveTo('refunding', null)
  const returned = run.stopProvisioning ? returnEsims(run) : undefined
  for (let attempt = 1; ; attempt += 1) {
    const failedWith = await refundOnce(run, reason, attempt)
    if (!failedWith) break
    run.requested.retryRefund = false
    run.moveTo('refund_failed', null)
    await localFirst.recordRefundFailure({ orderId, ...clock(), code: failedWith })
    run.announce('refund_failed')
    await condition(() => run.requested.retryRefund)
    await localFirst.startRefund({ orderId, ...clock(), reason })
    run.moveTo('refunding', null)
  }
  await returned
}

/**
 * Returns the code of the failure, or undefined when the refund was accepted and did not fail until it had to settle.
 */
async function refundOnce(run: OrderRun, reason: RefundReason, attempt: number): Promise<string | undefined> {
  const { orderId, hints } = run
  try {
    await charge.refundPayment({ orderId, ...clock(), reason, attempt })
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
    return failureCode(error) ?? failureType(error) ?? 'unknown'
  }
  const settledBy = plusMs(now(), periods.order.refundSettlesWithinMs)
  run.moveTo('refunded', settledBy)
  run.announce('refunded')
  while (now() < settledBy) {
    await condition(() => hints.payment, msUntil(settledBy, now()))
    if (!hints.payment) break
    hints.payment = false
    if ((await localFirst.checkRefunds({ orderId, ...clock() })) === 'failed') return 'refund_bounced'
  }
  return undefined
}

async function returnEsims({ orderId }: OrderRun): Promise<void> {
  try {
    await releaseProvision({ orderId, ...clock() })
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
    await localFirst.raiseAttention({ orderId, kind: 'provider_order_unreturned', ...clock(), ...codeOf(error) })
  }
}
