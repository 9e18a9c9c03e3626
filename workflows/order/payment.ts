/** From checkout to a payment, or to the certainty that there is none. */
import { condition, proxyActivities, sleep } from '@temporalio/workflow'
import { periods } from '../../policy/periods.ts'
import { msUntil, plusMs } from '../../shared/calendar.ts'
import { clock, now } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import type { OrderActivities, Paid } from './order.contract.ts'
import { limitOf } from './order-states.ts'
import { codeOf, localFirst, type OrderRun, ranOutOfTime } from './run.ts'

const { cancelPayment } = proxyActivities<OrderActivities>(retry.decidedByOthers)

const contradictionPassesMs = 10_000

export type PaymentOutcome = Paid | { state: 'cancelled' | 'unpaid' }

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
  const deliverBy = limitOf('provisioning', now()).toISOString()
  return localFirst.confirmPayment({ orderId, ...clock(), deliverBy })
}

/** The customer may pay while we cancel: the payment processor decides which came first. */
async function closePayment(run: OrderRun, status: 'cancelled' | 'unpaid', reason: string): Promise<PaymentOutcome> {
  const outcome = await cancelUntilDecided(run, status, reason)
  if (outcome === 'cancelled') return { state: status }
  const payment = await lookUpPayment(run)
  if (payment.state === 'paid') return payment
  // Paid, but not acceptable as a payment of this order: it is an operator task already.
  if (payment.state === 'cancelled') return closePayment(run, 'cancelled', 'cancelled_at_processor')
  // Two of Stripe's servers may differ for a moment; money that may be there must keep its run.
  await sleep(contradictionPassesMs)
  return closePayment(run, status, reason)
}

/**
 * U2, paid means delivered or refunded: the run must not end before Stripe has decided. Operators see a payment that is
 * undecided for a day.
 */
async function cancelUntilDecided({ orderId }: OrderRun, status: 'cancelled' | 'unpaid', reason: string) {
  for (;;) {
    try {
      return await cancelPayment({ orderId, ...clock(), status, reason })
    } catch (error) {
      if (!ranOutOfTime(error)) throw error
      await localFirst.raiseAttention({ orderId, kind: 'payment_unresolved', ...clock(), ...codeOf(error) })
    }
  }
}
