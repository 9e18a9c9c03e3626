/** Sends updates to the runs of orders, for the API and for activities. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import type { UpdateDefinition } from '@temporalio/common'
import {
  type OrderState,
  orderAftercareWorkflowId,
  orderWorkflowId,
  refund,
} from '../workflows/order/order.contract.ts'
import { sendUpdate } from './runs.ts'

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
  try {
    await sendUpdate(temporal, orderWorkflowId(orderId), definition, args, updateId)
  } catch (error) {
    if (definition.name !== refund.name || !(error instanceof WorkflowNotFoundError)) throw error
    await sendUpdate(temporal, orderAftercareWorkflowId(orderId), definition, args, updateId)
  }
}
