/** From checkout to a payment, or to the certainty that there is none. */
import { condition, sleep } from '@temporalio/workflow'
import { periods } from '../../policy/periods.ts'
import { msUntil, plusMs } from '../../shared/calendar.ts'
import { clock, now } from '../run/now.ts'
import { charge, localFirst, type OrderRun } from './run.ts'

const contradictionPassesMs = 10_000

export type PaymentOutcome = { state: 'paid'; review: string | null } | { state: 'cancelled' | 'unpaid' }

/** Waits for the webhook, looks the payment up in case the webhook was lost, and cancels it at the deadline. */
export async function waitForPayment(run: OrderRun): Promise<PaymentOutcome> {
  const lookups = periods.order.paymentLookupsMs.map((ms) => plusMs(run.startedAt, ms))
  for (const lookup of [...lookups, run.paymentDueAt]) {
    do {
      await condition(() => run.hints.payment || run.requested.cancel, msUntil(lookup, now()))
      if (run.requested.cancel) return closePayment(run, 'cancelled', 'cancelled_by_customer')
      if (!run.hints.payment && lookup === run.paymentDueAt) break
      run.hints.payment = false
      const payment = await lookUpPayment(run)
      if (payment.state === 'paid') return payment
      if (payment.state === 'cancelled') return closePayment(run, 'cancelled', 'cancelled_at_processor')
    } while (now() < lookup)
  }
  return closePayment(run, 'unpaid', 'not_paid_in_time')
}

function lookUpPayment({ orderId }: OrderRun) {
  const deliverBy = plusMs(now(), periods.order.deliverWithinMs).toISOString()
  return localFirst.confirmPayment({ orderId, ...clock(), deliverBy })
}

/** The customer may pay while we cancel: the payment processor decides which came first. */
async function closePayment(run: OrderRun, status: 'cancelled' | 'unpaid', reason: string): Promise<PaymentOutcome> {
  const outcome = await charge.cancelPayment({ orderId: run.orderId, ...clock(), status, reason })
  if (outcome === 'cancelled') return { state: status }
  const payment = await lookUpPayment(run)
  if (payment.state === 'paid') return payment
  // Paid, and not to be taken for ours: an operator's already.
  if (payment.state === 'cancelled') return closePayment(run, 'cancelled', 'cancelled_at_processor')
  // Two of the processor's machines may differ for a moment; money that may be there must keep its run.
  await sleep(contradictionPassesMs)
  return closePayment(run, status, reason)
}
