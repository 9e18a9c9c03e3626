/**
 * U2, paid means delivered or refunded: every hour, asks the payment processor for payments, refunds and disputes that
 * no run has noticed.
 */
import { proxyActivities } from '@temporalio/workflow'
import { valueOrThrow } from '../../shared/failures.ts'
import * as retry from '../run/retry.ts'
import { showStatusDetails } from '../run/run-status.ts'
import type { PaymentSweepActivities, PaymentSweepReport } from './payment-sweep.contract.ts'

const sweep = proxyActivities<PaymentSweepActivities>(retry.hourlySweep)

export async function paymentSweep(): Promise<PaymentSweepReport> {
  showStatusDetails({ status: 'looking', waitingFor: 'the payment processor', dueAt: null })
  const clock = { asOf: new Date().toISOString() }
  // A failed step must not prevent the others.
  const [missedEvents, ordersWithoutRun, unknownPayments] = await Promise.allSettled([
    sweep.readMissedEvents(clock),
    sweep.settleOrdersWithoutRun(clock),
    sweep.settleUnknownPayments(clock),
  ])
  return {
    missedEvents: valueOrThrow(missedEvents),
    ordersWithoutRun: valueOrThrow(ordersWithoutRun),
    unknownPayments: valueOrThrow(unknownPayments),
  }
}
