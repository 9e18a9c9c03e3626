/** Signals an order's run that a webhook concerns it. A signal is only a hint: the run asks the outside party itself. */
import { WorkflowNotFoundError } from '@temporalio/client'
import type { ApiContext } from '../../context.ts'
import {
  disputeSignal,
  orderAftercareWorkflowId,
  orderWorkflowId,
  paymentSignal,
  providerSignal,
} from '../../workflows/order/order.contract.ts'

export function createOrderSignals({ temporal, config }: ApiContext) {
  return {
    /** Stripe reports a change of the order's payment or refund. */
    async payment(orderId: string): Promise<void> {
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
    /** An eSIM provider reports a change. Once the run has closed, no run needs it any more. */
    async provider(orderId: string): Promise<void> {
      await signalled(() => temporal.workflow.getHandle(orderWorkflowId(orderId)).signal(providerSignal))
    },
  }

  function aftercare(orderId: string) {
    return {
      workflowId: orderAftercareWorkflowId(orderId),
      taskQueue: config.TEMPORAL_TASK_QUEUE,
      args: [{ orderId }] as [{ orderId: string }],
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
