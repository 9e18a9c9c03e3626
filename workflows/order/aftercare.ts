/** Handles disputes and failed refunds of an order whose own run has closed. */
import { ActivityFailure, allHandlersFinished, condition, workflowInfo } from '@temporalio/workflow'
import { failure, failureCode, failureType } from '../../shared/failures.ts'
import { nothing, onSignal, onUpdate } from '../run/messages.ts'
import { clock } from '../run/now.ts'
import { showStatus } from '../run/run-status.ts'
import { disputeSignal, type OrderState, paymentSignal, refund } from './order.contract.ts'
import { isListed, orderStates } from './order-states.ts'
import { charge, disputeNotice, localFirst, noteDispute } from './run.ts'

export async function orderAftercare({ orderId }: { orderId: string }): Promise<void> {
  const state: OrderState = { status: 'refunded', waitingFor: 'the payment processor', dueAt: null }
  let paymentsToCheck = 0
  let refundRequested = false
  let refunds = 0
  onSignal(disputeSignal, disputeNotice, ({ disputeId }) => noteDispute(orderId, disputeId))
  onSignal(paymentSignal, nothing, () => {
    paymentsToCheck += 1
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
  showStatus({ status: 'aftercare', waitingFor: state.waitingFor, dueAt: null })
  // A signal comes with the start of this run; a signal after its end starts another run.
  do {
    await condition(() => paymentsToCheck > 0, 1)
    if (paymentsToCheck > 0) {
      paymentsToCheck = 0
      if ((await localFirst.checkRefunds({ orderId, ...clock() })) === 'failed') await repeatRefund()
    }
    await condition(allHandlersFinished)
  } while (paymentsToCheck > 0)

  /** Waits for an operator to repeat the refund, as the order's own run does. */
  async function repeatRefund(): Promise<void> {
    for (let code: string | undefined = 'refund_bounced'; code; ) {
      refundRequested = false
      moveTo('refund_failed')
      const { reason } = await localFirst.recordRefundFailure({ orderId, ...clock(), code })
      await condition(() => refundRequested)
      await localFirst.startRefund({ orderId, ...clock(), reason })
      moveTo('refunding')
      code = await refundOnce(reason)
    }
    await localFirst.endOrder({ orderId, ...clock(), status: 'refunded' })
    moveTo('refunded', 'the payment processor')
  }

  /** Returns the code of the failure, or undefined when the processor has accepted the refund. */
  async function refundOnce(reason: Parameters<typeof charge.refundPayment>[0]['reason']): Promise<string | undefined> {
    refunds += 1
    try {
      await charge.refundPayment({ orderId, ...clock(), reason, attempt: `${workflowInfo().runId}-${refunds}` })
      return undefined
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error
      return failureCode(error) ?? failureType(error) ?? 'unknown'
    }
  }

  function moveTo(status: OrderState['status'], waitingFor = orderStates[status].waitsFor): void {
    Object.assign(state, { status, waitingFor })
    showStatus({ status, waitingFor, dueAt: null })
  }
}
