/** The undo of everything: what a provider holds goes back, and so does the money. */
import { ActivityFailure, condition, proxyActivities } from '@temporalio/workflow'
import { terms } from '../../policy/periods.ts'
import { msUntil, plusMs } from '../../shared/calendar.ts'
import { failureCode, failureType } from '../../shared/failures.ts'
import { clock, now } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import type { OrderActivities, RefundReason } from './order.contract.ts'
import { charge, codeOf, type OrderRun, quick } from './run.ts'

const giveBack = proxyActivities<OrderActivities>(retry.giveBack)

/** Returns when the refund has settled; a refund that fails or bounces waits for an operator's `refund`. */
export async function refundAll(run: OrderRun, reason: RefundReason): Promise<void> {
  const { orderId } = run
  await quick.startRefund({ orderId, ...clock(), reason })
  run.moveTo('refunding', 'the payment processor', null)
  const released = run.stopProvisioning ? release(run) : undefined
  for (let attempt = 1; ; attempt += 1) {
    const fault = await refundOnce(run, reason, attempt)
    if (!fault) break
    run.wish.retryRefund = false
    run.moveTo('refund_failed', 'an operator to repeat the refund', null)
    await quick.recordRefundFailure({ orderId, ...clock(), code: fault })
    run.announce('refund_failed')
    await condition(() => run.wish.retryRefund)
    await quick.startRefund({ orderId, ...clock(), reason })
    run.moveTo('refunding', 'the payment processor', null)
  }
  await released
}

/** Undefined when the money is back and stayed back, else a code saying why not. */
async function refundOnce(run: OrderRun, reason: RefundReason, attempt: number): Promise<string | undefined> {
  const { orderId, news } = run
  try {
    await charge.refundPayment({ orderId, ...clock(), reason, attempt })
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
    return failureCode(error) ?? failureType(error) ?? 'unknown'
  }
  const settledBy = plusMs(now(), terms.order.refundSettlesWithinMs)
  run.moveTo('refunded', 'the refund to settle', settledBy)
  run.announce('refunded')
  while (now() < settledBy) {
    await condition(() => news.payment, msUntil(settledBy, now()))
    if (!news.payment) break
    news.payment = false
    if ((await quick.checkRefunds({ orderId, ...clock() })) === 'failed') return 'refund_bounced'
  }
  return undefined
}

async function release({ orderId }: OrderRun): Promise<void> {
  try {
    await giveBack.releaseProvision({ orderId, ...clock() })
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
    await quick.raiseAttention({ orderId, kind: 'provider_order_unreturned', ...clock(), ...codeOf(error) })
  }
}
