/** U2: paid means delivered or refunded. */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  proxyActivities,
  proxyLocalActivities,
  TemporalFailure,
  uuid4,
} from '@temporalio/workflow'
import { periods } from '../../policy/periods.ts'
import { msUntil } from '../../shared/calendar.ts'
import { failure, failureCode, failureType } from '../../shared/failures.ts'
import { clock, now } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import { noteFraudWarning } from './fraud-warning.ts'
import { takeMessages } from './messages.ts'
import {
  type OrderActivities,
  type OrderInput,
  type OrderState,
  type OrderStatus,
  orderWorkflowId,
  type Paid,
  providerSignal,
  type RefundReason,
} from './order.contract.ts'
import { limitOf, orderStates } from './order-states.ts'
import { wasPaidBackInReview, wasPaidBackMeanwhile } from './paid-back.ts'
import { waitForPayment } from './payment.ts'
import { refundAll } from './refund.ts'
import { codeOf, localFirst, type OrderRun, ranOutOfTime, startRun } from './run.ts'
import { track } from './tracking.ts'

const checkingOut = proxyLocalActivities<OrderActivities>(retry.localWhileCallerWaits)

export async function order(input: OrderInput): Promise<OrderState> {
  const run = startRun(input)
  takeMessages(run)
  // A cancelled run would leave a paid order without an outcome; it is handled as if the customer had cancelled.
  CancellationScope.current().cancelRequested.catch(() => {
    run.requested.cancel = true
    run.stopProvisioning?.()
  })
  return CancellationScope.nonCancellable(() =>
    carryOut(run).catch(async (error: unknown) => {
      await reportFailure(run, error)
      throw error
    }),
  )
}

/** An operator is notified of a run that fails; the payment sweep settles what it leaves behind. */
async function reportFailure({ orderId, checkout }: OrderRun, error: unknown): Promise<void> {
  const type = failureType(error)
  // Other errors are bugs: they fail the workflow task, and the run goes on with mended code.
  if (!(error instanceof TemporalFailure) || !checkout.done || type === 'OrderMissing') return
  const code = failureCode(error) ?? type ?? 'unknown'
  await localFirst.raiseAttention({ orderId, kind: 'order_run_failed', ...clock(), code })
}

async function carryOut(run: OrderRun): Promise<OrderState> {
  await openCheckout(run)
  const payment = await waitForPayment(run)
  if (payment.state !== 'paid') return finish(run, payment.state)
  const refundReason =
    (run.requested.cancel ? 'paid_after_cancel' : undefined) ??
    (run.requested.suspect ? 'fraud_warning' : undefined) ??
    (payment.review ? await review(run) : undefined) ??
    (await provisionInTime(run, payment))
  if (refundReason) return refunded(run, refundReason)
  const expiresBy = await deliver(run)
  if (run.input.parentOrderId) {
    await signalParentOrder(run.input.parentOrderId)
    return end(run, 'delivered')
  }
  const ending = await track(run, expiresBy)
  if (ending === 'returned') return refunded(run, returnReason(run))
  if (ending === 'ended_by_provider') return refunded(run, 'ended_by_provider')
  return ending === 'recorded' ? finish(run, 'ended') : end(run, 'ended')
}

/** Why the eSIMs went back. */
function returnReason({ requested }: OrderRun): RefundReason {
  if (requested.suspect) return 'fraud_warning'
  return requested.withdrawn ? 'withdrawn' : 'returned_unused'
}

/** Fails the run when the checkout cannot be opened: the caller may then start it again under the same id. */
async function openCheckout({ input, startedAt, paymentDueAt, checkout }: OrderRun): Promise<void> {
  try {
    await checkingOut.openCheckout({
      ...input,
      asOf: startedAt.toISOString(),
      paymentDueAt: paymentDueAt.toISOString(),
    })
    checkout.done = true
  } catch (error) {
    checkout.fault = failure(failureType(error) ?? 'PaymentUnavailable', codeOf(error))
    await condition(allHandlersFinished)
    throw checkout.fault
  }
}

/**
 * U5, fraud is prevented: an operator reviews risky orders. Returns the reason for a refund, or undefined when the
 * order is approved.
 */
async function review(run: OrderRun): Promise<RefundReason | undefined> {
  const { requested } = run
  const decideBy = limitOf('in_review', now())
  run.moveTo('in_review', decideBy)
  if (patched('held-mail')) run.announce('held')
  const isDecided = () =>
    requested.approve || requested.reject || requested.cancel || requested.suspect || requested.paidBack
  await condition(isDecided, msUntil(decideBy, now()))
  if (requested.cancel) return 'cancelled_by_customer'
  if (requested.suspect) return 'fraud_warning'
  if (requested.paidBack) return paidBack
  if (requested.reject) return 'rejected_in_review'
  if (!requested.approve) return 'review_timed_out'
  if (await wasPaidBackInReview(run)) return paidBack
  const deliverBy = limitOf('provisioning', now()).toISOString()
  await localFirst.startProvisioning({ orderId: run.orderId, ...clock(), deliverBy })
  return undefined
}

/** Returns the reason for a refund, or undefined when the eSIMs are there. */
async function provisionInTime(run: OrderRun, payment: Paid): Promise<RefundReason | undefined> {
  const { orderId, requested } = run
  if (requested.suspect) return 'fraud_warning'
  if (requested.paidBack) return paidBack
  // It came while the approval was carried out, when there was no provisioning yet that it could stop.
  if (requested.cancel && patched('cancelled-at-approval')) return 'cancelled_by_customer'
  // The hour of an order that was approved begins with that.
  const { review: wasHeld, deliverBy } = payment
  const dueAt = wasHeld || deliverBy === undefined ? limitOf('provisioning', now()) : new Date(deliverBy)
  const scope = new CancellationScope()
  run.moveTo('provisioning', dueAt)
  run.stopProvisioning = () => scope.cancel()
  const attempt = (scheduleToCloseTimeout: number): Promise<void> => {
    const { provision } = proxyActivities<OrderActivities>({ ...retry.untilDone, scheduleToCloseTimeout })
    return scope.run(() => provision({ orderId, ...clock(), reference: uuid4() }))
  }
  try {
    try {
      await attempt(periods.order.delayNoticeMs)
    } catch (error) {
      if (!ranOutOfTime(error)) throw error
      run.announce('delayed')
      await attempt(Math.max(1, msUntil(dueAt, now())))
      if (await wasPaidBackMeanwhile(run)) return paidBack
    }
    if (run.paidBack.looking) await condition(() => !run.paidBack.looking)
  } catch (error) {
    if (isCancellation(error)) return stoppedBy(run)
    if (ranOutOfTime(error)) return 'not_delivered_in_time'
    if (failureType(error) === 'OutOfStock') return 'out_of_stock'
    throw error
  }
  return requested.cancel || requested.suspect || requested.paidBack ? stoppedBy(run) : undefined
}

const paidBack: RefundReason = 'refunded_elsewhere'

function stoppedBy({ requested }: OrderRun): RefundReason {
  if (requested.suspect) return 'fraud_warning'
  return requested.paidBack ? paidBack : 'cancelled_by_customer'
}

async function deliver(run: OrderRun): Promise<Date> {
  const { livesUntil, sent } = await localFirst.recordDelivery({ orderId: run.orderId, ...clock() })
  const expiresBy = new Date(livesUntil)
  if (!run.input.parentOrderId) run.moveTo('delivered', expiresBy)
  run.announce('confirmation', sent)
  run.measurePurchase(sent)
  run.noteEarlyDisputes()
  run.progress.delivered = true
  if (run.requested.suspect) {
    // The warning came too late to stop the provisioning: the eSIMs are to be returned.
    run.requested.suspect = false
    run.doAside(noteFraudWarning(run))
  }
  return expiresBy
}

/** A top-up changes when its eSIM expires, which the first order's run waits for. That run may have closed already. */
async function signalParentOrder(parentOrderId: string): Promise<void> {
  try {
    await getExternalWorkflowHandle(orderWorkflowId(parentOrderId)).signal(providerSignal)
  } catch {
    // It has closed, and waits for nothing any more.
  }
}

async function refunded(run: OrderRun, reason: RefundReason): Promise<OrderState> {
  await refundAll(run, reason)
  return end(run, 'refunded')
}

async function end(run: OrderRun, status: OrderStatus): Promise<OrderState> {
  await localFirst.endOrder({ orderId: run.orderId, ...clock(), status })
  return finish(run, status)
}

async function finish(run: OrderRun, status: OrderStatus): Promise<OrderState> {
  run.moveTo(status, null, 'nothing')
  if (status === 'cancelled') run.announce('cancelled')
  await run.announced()
  // A refund that was made at Stripe meanwhile: nobody else is notified of it.
  while (orderStates[status].customerHas === 'eSIMs' && run.hints.payment && patched('payment-hint-at-the-end')) {
    run.hints.payment = false
    await localFirst.checkRefunds({ orderId: run.orderId, ...clock() })
  }
  await condition(allHandlersFinished)
  return run.state
}
