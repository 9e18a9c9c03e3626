/** The undo of everything: what a provider holds goes back, and so does the money. */
import { ActivityFailure, condition, proxyActivities } from '@temporalio/workflow'
import { periods } from '../../policy/periods.ts'
import { msUntil, plusMs } from '../../shared/calendar.ts'
import { failureCode, failureType } from '../../shared/failures.ts'
import { clock, now } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import type { OrderActivities, RefundReason } from './order.contract.ts'
import { charge, codeOf, localFirst, type OrderRun } from './run.ts'

const giveBack = proxyActivities<OrderActivities>(retry.money)

/** Returns when the refund has settled; a refund that fails or bounces waits for an operator's `refund`. */
export async function refundAll(run: OrderRun, reason: RefundReason): Promise<void> {
  const { orderId } = run
  await localFirst.startRefund({ orderId, ...clock(), reason })
  run.moveTo('refunding', null)
  const released = run.stopProvisioning ? release(run) : undefined
  for (let attempt = 1; ; attempt += 1) {
    const fault = await refundOnce(run, reason, attempt)
    if (!fault) break
    run.requested.retryRefund = false
    run.moveTo('refund_failed', null)
    await localFirst.recordRefundFailure({ orderId, ...clock(), code: fault })
    run.announce('refund_failed')
    await condition(() => run.requested.retryRefund)
    await localFirst.startRefund({ orderId, ...clock(), reason })
    run.moveTo('refunding', null)
  }
  await released
}

/** Undefined when the money is back and stayed back, else a code saying why not. */
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

async function release({ orderId }: OrderRun): Promise<void> {
  try {
    await giveBack.releaseProvision({ orderId, ...clock() })
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
    await localFirst.raiseAttention({ orderId, kind: 'provider_order_unreturned', ...clock(), ...codeOf(error) })
  }
}
