/** Hands what webhooks say about an order to its run. Only hints: the run asks for the truth. */
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
    async payment(orderId: string): Promise<void> {
      if (await signalled(() => temporal.workflow.getHandle(orderWorkflowId(orderId)).signal(paymentSignal))) return
      await temporal.workflow.signalWithStart('orderAftercare', { ...aftercare(orderId), signal: paymentSignal })
    },
    async dispute(orderId: string, disputeId: string): Promise<void> {
      const news = { disputeId }
      if (await signalled(() => temporal.workflow.getHandle(orderWorkflowId(orderId)).signal(disputeSignal, news)))
        return
      await temporal.workflow.signalWithStart('orderAftercare', {
        ...aftercare(orderId),
        signal: disputeSignal,
        signalArgs: [news],
      })
    },
    /** When the run has ended there is nothing left to follow. */
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
