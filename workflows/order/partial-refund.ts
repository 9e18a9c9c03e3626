/**
 * U2, paid means delivered or refunded, and U6, accounting: one partial refund, from its reservation until the money
 * has arrived. It has a separate run, so that it is the same for open and closed orders and for top-ups, and so that
 * several do not wait for each other.
 */
import {
  ActivityFailure,
  allHandlersFinished,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow'
import { periods } from '../../policy/periods.ts'
import { msUntil, plusMs } from '../../shared/calendar.ts'
import { failure, failureType } from '../../shared/failures.ts'
import { inBackground } from '../run/background-work.ts'
import { proxyLocalFirst } from '../run/local-first.ts'
import { nothing, onSignal, onUpdate } from '../run/messages.ts'
import { clock, now } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import { showStatus, showStatusDetails } from '../run/run-status.ts'
import { wasReset } from '../run/was-reset.ts'
import { type OrderActivities, orderWorkflowId, providerSignal } from './order.contract.ts'
import {
  firstPartialRefundState,
  type PartialRefundActivities,
  type PartialRefundInput,
  type PartialRefundState,
  partialRefundMade,
  refundSignal,
} from './partial-refund.contract.ts'
import { codeOf } from './run.ts'

const reserving = proxyLocalActivities<PartialRefundActivities>(retry.localWhileCallerWaits)
const returning = proxyActivities<OrderActivities>(retry.whileCallerWaits)
const refunding = proxyActivities<PartialRefundActivities>(retry.money)
const localFirst = proxyLocalFirst<PartialRefundActivities & OrderActivities>()
const notify = proxyActivities<PartialRefundActivities>(retry.message)

export async function partialRefund(input: PartialRefundInput): Promise<PartialRefundState> {
  const { refundId, orderId, esims } = input
  const state: PartialRefundState = { status: 'requested' }
  const hints = { refund: false }
  let fault: Error | undefined
  let areEsimsBack = false
  onSignal(refundSignal, nothing, () => {
    hints.refund = true
  })
  onUpdate(partialRefundMade, nothing, async () => {
    await condition(() => state.status !== 'requested' || fault !== undefined)
    if (fault) throw fault
    return state
  })
  showStatusDetails(firstPartialRefundState)

  try {
    await reserving.reservePartialRefund({ ...input, ...clock(), ...(wasReset() && { isReset: true }) })
    if (esims === 'returned') {
      await releasingOnFailure(() => returning.withdrawEsims({ orderId, ...clock(), isForPart: true }))
      areEsimsBack = true
    }
    await releasingOnFailure(() => refunding.makePartialRefund({ refundId, orderId, ...clock() }))
  } catch (error) {
    // The run fails, so that the same request may be made again.
    fault = failure(failureType(error) ?? 'PaymentUnavailable', codeOf(error))
    await condition(allHandlersFinished)
    throw fault
  }
  const settledBy = plusMs(now(), periods.order.refundSettlesWithinMs)
  moveTo('refunded', settledBy)
  if (esims === 'returned') await hintOrder()
  const mail = inBackground(sendMail('refunded'))
  if ((await follow(settledBy)) === 'failed') {
    moveTo('failed', null)
    await sendMail('failed')
  }
  await mail
  await condition(allHandlersFinished)
  return state

  async function releasingOnFailure(work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error
      const isRefused = ['EsimInUse', 'ProviderUnavailable', 'RefundRefused'].includes(failureType(error) ?? '')
      // The operator hears why, and can ask again. When the customer has neither eSIM nor money, an operator task says
      // so.
      const isAnswered = isRefused && !areEsimsBack
      const unanswered = isAnswered ? {} : { code: codeOf(error).code ?? failureType(error) ?? 'unknown' }
      await localFirst.releasePartialRefund({ refundId, orderId, ...clock(), ...unanswered })
      throw error
    }
  }

  /** Asks when a hint comes, and at the end, since the webhook of a refund that failed may have been lost. */
  async function follow(firstDeadline: Date): Promise<'settled' | 'failed'> {
    for (let deadline = firstDeadline; ; ) {
      const isHint = await condition(() => hints.refund, Math.max(1, msUntil(deadline, now())))
      hints.refund = false
      const found = await localFirst.checkPartialRefund({ refundId, orderId, ...clock() })
      if (found === 'failed') return found
      if (isHint) continue
      if (found === 'settled') return found
      await localFirst.raiseAttention({ orderId, kind: 'refund_unsettled', ...clock() })
      deadline = plusMs(now(), periods.order.refundSettlesWithinMs)
      moveTo('refunded', deadline)
    }
  }

  /** The order's run follows the eSIMs; it may have closed already. */
  async function hintOrder(): Promise<void> {
    try {
      await getExternalWorkflowHandle(orderWorkflowId(orderId)).signal(providerSignal)
    } catch (error) {
      if (isCancellation(error)) throw error
    }
  }

  async function sendMail(mail: 'refunded' | 'failed'): Promise<void> {
    try {
      await notify.sendPartialRefundMail({ refundId, orderId, ...clock(), mail, esims })
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error
      await localFirst.raiseAttention({ orderId, kind: 'mail_undelivered', ...clock(), ...codeOf(error) })
    }
  }

  function moveTo(status: PartialRefundState['status'], dueAt: Date | null): void {
    state.status = status
    showStatus({ status, waitingFor: status === 'refunded' ? 'the refund to settle' : 'nothing', dueAt })
  }
}
