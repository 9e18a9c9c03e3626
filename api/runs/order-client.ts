/** What the API asks of order workflows. */
import { randomUUID } from 'node:crypto'
import { WorkflowNotFoundError } from '@temporalio/client'
import type { UpdateDefinition } from '@temporalio/common'
import type { ApiContext } from '../../context.ts'
import { periods } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import { initialSearchAttributes } from '../../shared/search-attributes.ts'
import {
  checkout,
  firstState,
  type OrderInput,
  type OrderState,
  orderAftercareWorkflowId,
  orderWorkflowId,
  refund,
} from '../../workflows/order/order.contract.ts'
import { callRun, startAndUpdate } from './workflow-problems.ts'

const ended = { code: 'order_state_conflict', detail: 'The order has ended.' } as const

export type OrderClient = ReturnType<typeof createOrderClient>

export function createOrderClient({ temporal, config, cipher }: ApiContext) {
  return {
    /** Creates the order or finds it: one call, so that no write can happen without the other. */
    async checkOut(input: OrderInput): Promise<void> {
      const dueAt = plusMs(new Date(), periods.order.paymentWindowMs)
      const start = {
        type: 'order',
        workflowId: orderWorkflowId(input.orderId),
        taskQueue: config.TEMPORAL_TASK_QUEUE,
        args: [input],
        workflowIdConflictPolicy: 'USE_EXISTING' as const,
        workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' as const,
        typedSearchAttributes: initialSearchAttributes({ ...firstState, dueAt }, cipher.accountRef(input.accountId)),
        staticSummary: `${input.parentOrderId ? 'Top-up' : 'Order'}: ${input.quantity} × ${input.packageCode}`,
      }
      // No lasting update id: the server answers a known one from a closed run, and one that could not open may be repeated.
      await startAndUpdate(temporal, checkout, start, ended)
    },

    /** @param updateId the same for a repeated request, so that it gets the first one's answer */
    async update<Args extends unknown[]>(
      orderId: string,
      definition: UpdateDefinition<OrderState, Args>,
      args: Args,
      updateId: string = randomUUID(),
    ): Promise<void> {
      const ask = (workflowId: string) =>
        // The SDK's overloads tell no arguments from some; both are an array to the server.
        temporal.workflow
          .getHandle(workflowId)
          .executeUpdate(definition as unknown as UpdateDefinition<OrderState, [unknown]>, {
            args: args as unknown as [unknown],
            updateId,
          })
      await callRun(
        temporal,
        async () => {
          try {
            await ask(orderWorkflowId(orderId))
          } catch (error) {
            // A refund that bounces after the run's end has a run of its own.
            if (definition.name !== refund.name || !(error instanceof WorkflowNotFoundError)) throw error
            await ask(orderAftercareWorkflowId(orderId))
          }
        },
        ended,
      )
    },
  }
}
