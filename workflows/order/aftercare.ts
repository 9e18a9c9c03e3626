/**
 * U2, paid means delivered or refunded: settles payments, refunds and disputes of an order whose own run has closed.
 */
import {
  ActivityFailure,
  allHandlersFinished,
  condition,
  patched,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow'
import { msUntil } from '../../shared/calendar.ts'
import { failure, failureType } from '../../shared/failures.ts'
import { inBackground } from '../run/background-work.ts'
import { nothing, objectOf, oneOf, onSignal, onUpdate, shortText } from '../run/messages.ts'
import { clock, now } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import { showStatus } from '../run/run-status.ts'
import { wasReset } from '../run/was-reset.ts'
import { readOutcome, returnUnusedEsims, tellOperators, whyNot } from './fraud-warning.ts'
import {
  disputeSignal,
  fraudWarningSignal,
  type OrderActivities,
  type OrderPush,
  type OrderState,
  paymentSignal,
  type RefundReason,
  type ReturnCause,
  refund,
  resend,
  returnDelivered,
} from './order.contract.ts'
import { isListed, orderStates } from './order-states.ts'
import { requestRefund, returnHeldEsims, untilSettled } from './refund.ts'
import { charge, codeOf, disputeNotice, localFirst, noteDispute, ranOutOfTime, sendMessages } from './run.ts'

const returnCause = objectOf<ReturnCause>({ reason: oneOf(['returned_unused', 'withdrawn']) })
const resendRequest = objectOf<{ requestId: string }>({ requestId: shortText })
const { sendOrderMail, withdrawEsims } = proxyActivities<OrderActivities>(retry.whileCallerWaits)

export async function orderAftercare({ orderId }: { orderId: string }): Promise<void> {
  const state: OrderState = { status: 'refunded', waitingFor: 'the payment processor', dueAt: null }
  const hints = { payment: false, fraudWarning: false }
  const announcements: Promise<void>[] = []
  let refundRequested = false
  let disputeOver = false
  let refunds = 0
  let returning = false
  let returned: RefundReason | undefined
  /** eSIMs may have been returned although the answer said otherwise: why, and nobody has looked since */
  let unsure: RefundReason | undefined
  onSignal(disputeSignal, disputeNotice, async ({ disputeId }) => {
    if (await noteDispute(orderId, disputeId)) disputeOver = true
  })
  onSignal(fraudWarningSignal, nothing, () => {
    hints.fraudWarning = true
  })
  onSignal(paymentSignal, nothing, () => {
    hints.payment = true
  })
  onUpdate(
    refund,
    nothing,
    async () => {
      refundRequested = true
      await condition(() => !isListed('refund', state.status))
      return state
    },
    () => {
      if (!isListed('refund', state.status)) throw failure('OrderStateConflict', { code: state.status })
    },
  )
  onUpdate(
    returnDelivered,
    returnCause,
    async ({ reason }) => {
      returning = true
      try {
        await withdrawEsims({ orderId, ...clock() })
        // A run that was reset gets its messages at once: its refund has begun meanwhile, or waits for an operator.
        if (state.status !== 'refunded' && patched('aftercare-refunds-once')) return state
        await localFirst.startRefund({ orderId, ...clock(), reason })
        returned = reason
        unsure = undefined
        moveTo('refunding')
        return state
      } catch (error) {
        const type = failureType(error) ?? 'ProviderUnavailable'
        if (type !== 'EsimInUse' && patched('aftercare-looks-for-a-return')) unsure = reason
        throw failure(type, codeOf(error))
      } finally {
        returning = false
      }
    },
    () => {
      if (returning || state.status !== 'refunded') throw failure('OrderStateConflict', { code: state.status })
    },
  )
  onUpdate(
    resend,
    resendRequest,
    async ({ requestId }) => {
      await sendOrderMail({ orderId, mail: 'confirmation', ...clock(), requestId })
      return state
    },
    () => {
      if (returning || refunds > 0 || state.status !== 'refunded')
        throw failure('OrderStateConflict', { code: state.status })
    },
  )
  showStatus({ status: 'aftercare', waitingFor: state.waitingFor, dueAt: null })
  // A signal comes with the start of this run; a signal after its end starts another run.
  do {
    await condition(() => hints.payment || hints.fraudWarning, 1)
    if (unsure && !returning) await lookForReturn(unsure)
    if (returned) await refundReturned(returned)
    if (hints.fraudWarning) await actOnFraudWarning()
    if (hints.payment) {
      hints.payment = false
      if (settlesPayments()) await settlePayment()
      if ((await localFirst.checkRefunds({ orderId, ...clock() })) === 'failed') await repeatRefund('refund_bounced')
    }
    await Promise.all(announcements)
    await condition(allHandlersFinished)
  } while (hints.payment || hints.fraudWarning || returned || unsure)

  /**
   * Acts on a fraud warning as the order's run does (fraud-warning.ts). Nobody has cancelled an order whose run was
   * terminated.
   */
  async function actOnFraudWarning(): Promise<void> {
    hints.fraudWarning = false
    if (!patched('fraud-warnings')) return
    const outcome = await readOutcome(orderId)
    if (outcome === 'refund') hints.payment = true
    if (outcome === 'operator') await tellOperators(orderId, 'not_returnable')
    if (outcome !== 'take_back') return
    let held: Promise<void> | undefined
    try {
      await returnUnusedEsims(orderId)
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error
      const code = whyNot(error)
      if (!ranOutOfTime(error) || !patched('fraud-warning-decided-in-time')) return tellOperators(orderId, code)
      const decided = await readOutcome(orderId, true)
      if (decided === 'operator') return tellOperators(orderId, code)
      if (decided !== 'take_back') return
      held = inBackground(returnHeldEsims({ orderId }))
    }
    const reason = 'fraud_warning'
    await localFirst.startRefund({ orderId, ...clock(), reason })
    moveTo('refunding')
    await refundReturned(reason)
    await held
  }

  /**
   * Asks the provider about eSIMs whose return had no certain outcome: no other run follows them. After a week it is an
   * operator's.
   */
  async function lookForReturn(reason: RefundReason): Promise<void> {
    unsure = undefined
    let found: Awaited<ReturnType<OrderActivities['refreshEsims']>>
    try {
      found = await charge.refreshEsims({ orderId, ...clock(), untilKnown: true })
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error
      await localFirst.raiseAttention({ orderId, kind: 'provider_order_unreturned', ...clock(), ...codeOf(error) })
      return
    }
    // It may have been asked for once more meanwhile.
    if (returned || returning || !(found.givenBack || found.refundDue)) return
    const cause = found.givenBack ? reason : 'ended_by_provider'
    returning = true
    await localFirst.startRefund({ orderId, ...clock(), reason: cause })
    returning = false
    returned = cause
    moveTo('refunding')
  }

  /** Refunds an order whose eSIMs are back at the provider. */
  async function refundReturned(reason: RefundReason): Promise<void> {
    returned = undefined
    await refundToItsEnd(reason)
  }

  /** Refunds what is left of the payment, as often as an operator asks for it. */
  async function refundToItsEnd(reason: RefundReason): Promise<void> {
    const failedWith = await refundAgain(reason)
    if (failedWith) await repeatRefund(failedWith)
    else await end()
  }

  /** Refunds a payment that the order's own run cannot take any more. */
  async function settlePayment(): Promise<void> {
    for (;;) {
      const found = await localFirst.settleWithoutRun({ orderId, ...clock() })
      if (found.state === 'settled') return
      if (found.state === 'refund') {
        moveTo('refunding')
        const returned = found.holdsEsims ? inBackground(returnHeldEsims({ orderId })) : undefined
        await refundToItsEnd(found.reason)
        return returned
      }
      const askAt = new Date(found.askAt)
      moveTo('awaiting_payment', askAt)
      await condition(() => hints.payment, Math.max(1, msUntil(askAt, now())))
      hints.payment = false
    }
  }

  /** Waits for an operator to repeat the refund, as the order's own run does. */
  async function repeatRefund(firstCode: string): Promise<void> {
    for (let code: string | undefined = firstCode; code; ) {
      refundRequested = false
      moveTo('refund_failed')
      const { reason, found } = await localFirst.recordRefundFailure({ orderId, ...clock(), code })
      if (found === 'refunded') {
        code = await follow()
        continue
      }
      if (!found && settlesPayments()) announce('refund_failed')
      await condition(() => refundRequested || disputeOver)
      await localFirst.startRefund({ orderId, ...clock(), reason })
      moveTo('refunding')
      code = await refundAgain(reason)
    }
    await end()
  }

  function announce(mail: OrderPush): void {
    announcements.push(...sendMessages(orderId, mail).map(inBackground))
  }

  async function end(): Promise<void> {
    await localFirst.endOrder({ orderId, ...clock(), status: 'refunded' })
    moveTo('refunded', null, 'the payment processor')
  }

  async function refundAgain(reason: RefundReason): Promise<string | undefined> {
    refunds += 1
    disputeOver = false
    const attempt = `${workflowInfo().runId}-${refunds}`
    const { failedWith, isTakenBack } = await requestRefund(orderId, reason, attempt, refunds === 1 && wasReset())
    return failedWith || isTakenBack ? failedWith : follow()
  }

  async function follow(): Promise<string | undefined> {
    if (!settlesPayments()) return undefined
    let isAnnounced = false
    return untilSettled(orderId, hints, (until) => {
      moveTo('refunded', until)
      if (!isAnnounced) announce('refunded')
      isAnnounced = true
    })
  }

  function moveTo(
    status: OrderState['status'],
    dueAt: Date | null = null,
    waitingFor = orderStates[status].waitsFor,
  ): void {
    Object.assign(state, { status, waitingFor, dueAt: dueAt?.toISOString() ?? null })
    showStatus({ status, waitingFor, dueAt })
  }
}

/** False in runs from before aftercare took payments and followed its refunds. */
const settlesPayments = (): boolean => patched('payment-without-a-run')
