/** Sends updates to the runs of orders, for the API and for activities. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import type { UpdateDefinition } from '@temporalio/common'
import {
  type OrderState,
  orderAftercareWorkflowId,
  orderWorkflowId,
  type ReturnCause,
  refund,
  refundFor,
  returnDelivered,
} from '../workflows/order/order.contract.ts'
import { aftercareStart, type OrderSignalsContext } from './order-signals.ts'
import { sendUpdate, type UpdateOptions, updateWithStart } from './runs.ts'

/** Whether an update was refused because no run takes it: it has closed, or never was. */
export const hasNoRun = (error: unknown): boolean => error instanceof WorkflowNotFoundError

/**
 * Sends an update to an order's run. A refund that fails after that run has closed is handled by the aftercare run.
 * @throws WorkflowNotFoundError when neither run is open, and all errors of the update
 */
export async function updateOrder<Args extends unknown[]>(
  temporal: Client,
  orderId: string,
  definition: UpdateDefinition<OrderState, Args>,
  args: Args,
  options: UpdateOptions,
): Promise<void> {
  try {
    await sendUpdate(temporal, orderWorkflowId(orderId), definition, args, options)
  } catch (error) {
    if (definition.name !== refund.name || !hasNoRun(error)) throw error
    await sendUpdate(temporal, orderAftercareWorkflowId(orderId), definition, args, options)
  }
}

/**
 * Has the unused eSIMs of a delivered order returned, and the order refunded. Where its own run is gone, terminated for
 * example, the order's aftercare does it.
 * @throws all errors of the update
 */
export async function refundDelivered(
  context: OrderSignalsContext,
  orderId: string,
  reason: ReturnCause['reason'],
  options: UpdateOptions,
): Promise<void> {
  const { temporal } = context
  try {
    const run = orderWorkflowId(orderId)
    if (reason === 'withdrawn') await sendUpdate(temporal, run, refundFor, [{ reason }], options)
    else await sendUpdate(temporal, run, refund, [], options)
  } catch (error) {
    if (!hasNoRun(error)) throw error
    await updateAftercare(context, orderId, returnDelivered, [{ reason }], options)
  }
}

/**
 * Sends an update to the run of a delivered order. Where that is gone, or has closed as the run of a top-up does with
 * its delivery, the run that looks after closed orders takes it, which has to know the update.
 * @throws all errors of the update
 */
export async function updateDelivered<Args extends unknown[]>(
  context: OrderSignalsContext,
  orderId: string,
  definition: UpdateDefinition<OrderState, Args>,
  args: Args,
  options: UpdateOptions,
): Promise<void> {
  try {
    await sendUpdate(context.temporal, orderWorkflowId(orderId), definition, args, options)
  } catch (error) {
    if (!hasNoRun(error)) throw error
    await updateAftercare(context, orderId, definition, args, options)
  }
}

async function updateAftercare<Args extends unknown[]>(
  { temporal, config }: OrderSignalsContext,
  orderId: string,
  definition: UpdateDefinition<OrderState, Args>,
  args: Args,
  options: UpdateOptions,
): Promise<void> {
  const start = { ...aftercareStart(config, orderId), workflowIdConflictPolicy: 'USE_EXISTING' as const }
  await updateWithStart(temporal, start, definition, args, options)
}
