/** Sends updates to the runs of orders, for the API and for activities. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import type { UpdateDefinition } from '@temporalio/common'
import {
  type OrderState,
  orderAftercareWorkflowId,
  orderWorkflowId,
  refund,
} from '../workflows/order/order.contract.ts'

/**
 * Sends an update to an order's run. A refund that fails after that run has closed is handled by the aftercare run.
 * @param updateId the same for a repeated request, which gets the answer of the first
 * @throws WorkflowNotFoundError when neither run is open, and all errors of the update
 */
export async function updateOrder<Args extends unknown[]>(
  temporal: Client,
  orderId: string,
  definition: UpdateDefinition<OrderState, Args>,
  args: Args,
  updateId: string,
): Promise<void> {
  const [first, ...more] = args
  const ask = (workflowId: string) => {
    const run = temporal.workflow.getHandle(workflowId)
    // The SDK's overloads separate updates without arguments from updates with some.
    if (args.length === 0) return run.executeUpdate<OrderState, []>(definition.name, { updateId })
    const named: [unknown, ...unknown[]] = [first, ...more]
    return run.executeUpdate<OrderState, typeof named>(definition.name, { args: named, updateId })
  }
  try {
    await ask(orderWorkflowId(orderId))
  } catch (error) {
    if (definition.name !== refund.name || !(error instanceof WorkflowNotFoundError)) throw error
    await ask(orderAftercareWorkflowId(orderId))
  }
}
