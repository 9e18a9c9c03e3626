/** Amounts that partial refunds of an order have reserved, and that nobody will refund any more. */
import type { WorkerContext } from '../../../context.ts'
import { listRefunds, refuseRefund, requested } from '../../../db/order/refunds.ts'
import { milliseconds } from '../../../policy/periods.ts'
import { plusMs } from '../../../shared/calendar.ts'
import { describeRun } from '../../../temporal/runs.ts'
import { partialRefundWorkflowId, refundIdOf } from '../../../workflows/order/partial-refund.contract.ts'

/** Longer than the last attempt of a terminated run takes: it does not notice the end of its run. */
const attemptEndsWithinMs = milliseconds.minute

/**
 * Releases what was reserved by runs that were terminated: nobody would, and a refund of what is left would wait for
 * it. What such a run has refunded all the same, Stripe's list of refunds says.
 * @returns whether a partial refund is under way
 */
export async function releaseAbandoned(context: WorkerContext, orderId: string, at: Date): Promise<boolean> {
  const { sql } = context
  const reserved = (await listRefunds(sql, orderId)).filter(({ state }) => state === requested)
  const underWay = await Promise.all(
    reserved.map(async ({ refund_key: refundKey }) => {
      const refundId = refundIdOf(refundKey)
      if (refundId === undefined || !(await isOver(context, refundId, at))) return true
      await refuseRefund(sql, refundKey)
      return false
    }),
  )
  return underWay.includes(true)
}

async function isOver({ temporal }: WorkerContext, refundId: string, at: Date): Promise<boolean> {
  const run = await describeRun(temporal, partialRefundWorkflowId(refundId))
  // Temporal keeps closed runs for days.
  if (!run) return true
  const { status, closeTime } = run
  return status.name !== 'RUNNING' && closeTime !== undefined && plusMs(closeTime, attemptEndsWithinMs) < at
}
