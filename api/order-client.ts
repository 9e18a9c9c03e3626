/** What the API asks of order workflows. */
import { randomUUID } from 'node:crypto'
import {
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/client'
import type { UpdateDefinition } from '@temporalio/common'
import type { ApiContext } from '../context.ts'
import { terms } from '../policy/terms.ts'
import { plusMs } from '../workflows/clock.ts'
import {
  checkout,
  type OrderInput,
  type OrderState,
  orderAftercareWorkflowId,
  orderWorkflowId,
  refund,
} from '../workflows/order.contract.ts'
import { startingAttributes } from '../workflows/search-attributes.ts'
import { answerWithinMs, asProblem } from './workflow-problems.ts'

const ended = { code: 'order_state_conflict', detail: 'The order has ended.' } as const

export type OrderClient = ReturnType<typeof createOrderClient>

export function createOrderClient({ temporal, config, cipher }: ApiContext) {
  return {
    /** Creates the order or finds it: one call, so that no write can happen without the other. */
    async checkOut(input: OrderInput): Promise<void> {
      const dueAt = plusMs(new Date(), terms.order.paymentWindowMs)
      const startWorkflowOperation = new WithStartWorkflowOperation('order', {
        workflowId: orderWorkflowId(input.orderId),
        taskQueue: config.TEMPORAL_TASK_QUEUE,
        args: [input],
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
        typedSearchAttributes: startingAttributes(
          { status: 'awaiting_payment', waitingFor: 'payment', dueAt },
          cipher.accountRef(input.accountId),
        ),
        staticSummary: `${input.parentOrderId ? 'Top-up' : 'Order'}: ${input.quantity} × ${input.packageCode}`,
      })
      try {
        await asProblem(
          () =>
            temporal.withDeadline(Date.now() + answerWithinMs, () =>
              // No lasting id: the server answers a known one from a closed run, and one that could not open may be repeated.
              temporal.workflow.executeUpdateWithStart(checkout, { startWorkflowOperation, updateId: randomUUID() }),
            ),
          ended,
        )
      } catch (error) {
        // The order has run its course: what the caller sees is how it ended.
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
      }
    },

    /** @param updateId the same for a repeated request, so that it gets the first one's answer */
    async update<Args extends unknown[]>(
      orderId: string,
      definition: UpdateDefinition<OrderState, Args>,
      args: Args,
      updateId: string = randomUUID(),
    ): Promise<void> {
      const ask = (workflowId: string) =>
        temporal.withDeadline(Date.now() + answerWithinMs, () =>
          // The SDK's overloads tell no arguments from some; both are an array to the server.
          temporal.workflow
            .getHandle(workflowId)
            .executeUpdate(definition as unknown as UpdateDefinition<OrderState, [unknown]>, {
              args: args as unknown as [unknown],
              updateId,
            }),
        )
      await asProblem(async () => {
        try {
          await ask(orderWorkflowId(orderId))
        } catch (error) {
          // A refund that bounces after the run's end has a run of its own.
          if (definition.name !== refund.name || !(error instanceof WorkflowNotFoundError)) throw error
          await ask(orderAftercareWorkflowId(orderId))
        }
      }, ended)
    },
  }
}
