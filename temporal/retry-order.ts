/** Repeats at once what the runs of an order would repeat later. */
import type { Client } from '@temporalio/client'
import { orderAftercareWorkflowId, orderWorkflowId } from '../workflows/order/order.contract.ts'
import { createOrderSignals, type OrderSignalsContext } from './order-signals.ts'
import { describeRun } from './runs.ts'

/** Starts the waiting attempts of an order's runs now, and has them ask the payment processor and the eSIM provider. */
export async function retryOrder(context: OrderSignalsContext, orderId: string): Promise<void> {
  const signals = createOrderSignals(context)
  await retryNow(context.temporal, orderWorkflowId(orderId))
  await retryNow(context.temporal, orderAftercareWorkflowId(orderId))
  await signals.payment(orderId)
  await signals.provider(orderId)
}

/** Starts the waiting attempts of a run's activities now; does nothing for a run that has closed or never was. */
async function retryNow(temporal: Client, workflowId: string): Promise<void> {
  const { namespace } = temporal.options
  const run = await describeRun(temporal, workflowId)
  if (run?.status.name !== 'RUNNING') return
  const waiting = (run.raw.pendingActivities ?? []).flatMap(({ activityId, nextAttemptScheduleTime }) =>
    activityId && nextAttemptScheduleTime ? [activityId] : [],
  )
  for (const id of waiting) {
    await temporal.workflowService.resetActivity({
      namespace,
      execution: { workflowId, runId: run.runId },
      identity: temporal.options.identity,
      id,
    })
  }
}
