/** Amounts that partial refunds of an order have reserved, and that nobody will refund any more. */
import type { WorkerContext } from '../../../context.ts'
import { listRefunds, refuseRefund, requested, reserveAgain } from '../../../db/order/refunds.ts'
import { milliseconds } from '../../../policy/periods.ts'
import { plusMs } from '../../../shared/calendar.ts'
import { describeRun } from '../../../temporal/runs.ts'
import { partialRefundWorkflowId, refundIdOf } from '../../../workflows/order/partial-refund.contract.ts'

/** Longer than the last attempt of a terminated run takes: it does not notice the end of its run. */
const attemptEndsWithinMs = milliseconds.minute

/**
 * Releases what was reserved by runs that were terminated: nobody would, and a refund of what is left would wait for
 * it. What such a run has refunded all the same, Stripe's list of refunds says. A run that begins again does not refund
 * what was released.
 * @returns whether a partial refund is under way; `ending`: the run of one has just ended, and may have made it
 */
export async function releaseAbandoned(
  context: WorkerContext,
  orderId: string,
  at: Date,
): Promise<'under_way' | 'ending' | 'none'> {
  const { sql } = context
  const reserved = (await listRefunds(sql, orderId)).filter(({ state }) => state === requested)
  const found = await Promise.all(
    reserved.map(async ({ refund_key: refundKey }) => {
      const refundId = refundIdOf(refundKey)
      if (refundId === undefined) return 'under_way'
      const stage = await stageOf(context, refundId, at)
      if (stage !== 'over') return stage
      await refuseRefund(sql, refundKey)
      // An operator may have reset its run meanwhile, which has found its amount reserved.
      const stageNow = await stageOf(context, refundId, at)
      if (stageNow !== 'over') await reserveAgain(sql, refundKey)
      return stageNow === 'over' ? 'none' : stageNow
    }),
  )
  return found.find((stage) => stage === 'ending') ?? found.find((stage) => stage === 'under_way') ?? 'none'
}

async function stageOf(
  { temporal }: WorkerContext,
  refundId: string,
  at: Date,
): Promise<'under_way' | 'ending' | 'over'> {
  const run = await describeRun(temporal, partialRefundWorkflowId(refundId))
  // Temporal keeps closed runs for days.
  if (!run) return 'over'
  const { status, closeTime } = run
  if (status.name === 'RUNNING' || closeTime === undefined) return 'under_way'
  return plusMs(closeTime, attemptEndsWithinMs) < at ? 'over' : 'ending'
}
