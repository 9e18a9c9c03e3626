/** Signals an order's run that a webhook concerns it. A signal is only a hint: the run asks the outside party itself. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import type { Config } from '../config.ts'
import {
  disputeSignal,
  fraudWarningSignal,
  orderAftercareWorkflowId,
  orderWorkflowId,
  paymentSignal,
  providerSignal,
} from '../workflows/order/order.contract.ts'
import { partialRefundWorkflowId, refundIdOf, refundSignal } from '../workflows/order/partial-refund.contract.ts'

export interface OrderSignalsContext {
  temporal: Client
  config: Pick<Config, 'TEMPORAL_TASK_QUEUE'>
}

export function createOrderSignals({ temporal, config }: OrderSignalsContext) {
  return {
    /**
     * Stripe reports a change of the order's payment or refund.
     * @param refundKey of the refund: a partial one has a separate run, which records it
     */
    async payment(orderId: string, refundKey?: string): Promise<void> {
      const refundId = refundIdOf(refundKey)
      const partialRefund = temporal.workflow.getHandle(partialRefundWorkflowId(refundId ?? ''))
      if (refundId && (await signalled(() => partialRefund.signal(refundSignal)))) return
      if (await signalled(() => temporal.workflow.getHandle(orderWorkflowId(orderId)).signal(paymentSignal))) return
      await temporal.workflow.signalWithStart('orderAftercare', { ...aftercare(orderId), signal: paymentSignal })
    },
    /** Stripe reports a change of a dispute of the order's payment. */
    async dispute(orderId: string, disputeId: string): Promise<void> {
      const hint = { disputeId }
      if (await signalled(() => temporal.workflow.getHandle(orderWorkflowId(orderId)).signal(disputeSignal, hint)))
        return
      await temporal.workflow.signalWithStart('orderAftercare', {
        ...aftercare(orderId),
        signal: disputeSignal,
        signalArgs: [hint],
      })
    },
    /** Stripe reports a fraud warning about the order's payment. */
    async fraudWarning(orderId: string): Promise<void> {
      if (await signalled(() => temporal.workflow.getHandle(orderWorkflowId(orderId)).signal(fraudWarningSignal)))
        return
      await temporal.workflow.signalWithStart('orderAftercare', { ...aftercare(orderId), signal: fraudWarningSignal })
    },
    /** Starts the aftercare run of an order, unless it or the order's own run is open. @returns whether none was */
    async settle(orderId: string): Promise<boolean> {
      if ((await isOpen(orderWorkflowId(orderId))) || (await isOpen(orderAftercareWorkflowId(orderId)))) return false
      await temporal.workflow.signalWithStart('orderAftercare', { ...aftercare(orderId), signal: paymentSignal })
      return true
    },
    /** An eSIM has ended that nobody has used: its top-ups are settled beside its order, whose runs may have closed or not. */
    async settleTopUp(orderId: string): Promise<void> {
      await temporal.workflow.signalWithStart('orderAftercare', { ...aftercare(orderId), signal: paymentSignal })
    },
    /** An eSIM provider reports a change. Once the run has closed, no run needs it any more. */
    async provider(orderId: string): Promise<void> {
      await signalled(() => temporal.workflow.getHandle(orderWorkflowId(orderId)).signal(providerSignal))
    },
  }

  async function isOpen(workflowId: string): Promise<boolean> {
    try {
      return (await temporal.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING'
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false
      throw error
    }
  }

  function aftercare(orderId: string) {
    return {
      workflowId: orderAftercareWorkflowId(orderId),
      taskQueue: config.TEMPORAL_TASK_QUEUE,
      args: [{ orderId }] as [{ orderId: string }],
      staticSummary: 'What happens to a closed order',
    }
  }
}

async function signalled(signal: () => Promise<void>): Promise<boolean> {
  try {
    await signal()
    return true
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false
    throw error
  }
}
