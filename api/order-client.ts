/** What the API asks of order workflows. */
import { randomUUID } from 'node:crypto'
import {
  isGrpcServiceError,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client'
import type { UpdateDefinition } from '@temporalio/common'
import type { ApiContext } from '../context.ts'
import { terms } from '../policy/terms.ts'
import { plusMs } from '../workflows/clock.ts'
import { failureCode, failureType } from '../workflows/failures.ts'
import { checkout, type OrderInput, type OrderState, orderWorkflowId } from '../workflows/order.contract.ts'
import { startingAttributes } from '../workflows/search-attributes.ts'
import { Problem } from './problem.ts'
import { problemCodeOf } from './problems.ts'

/** Longer than any update's own bounds, shorter than the request's. */
const answerWithinMs = 28_000

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
        await asProblem(() =>
          temporal.withDeadline(Date.now() + answerWithinMs, () =>
            temporal.workflow.executeUpdateWithStart(checkout, { startWorkflowOperation, updateId: 'checkout' }),
          ),
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
      const handle = temporal.workflow.getHandle(orderWorkflowId(orderId))
      await asProblem(() =>
        temporal.withDeadline(Date.now() + answerWithinMs, () =>
          // The SDK's overloads tell no arguments from some; both are an array to the server.
          handle.executeUpdate(definition as unknown as UpdateDefinition<OrderState, [unknown]>, {
            args: args as unknown as [unknown],
            updateId,
          }),
        ),
      )
    },
  }
}

async function asProblem(call: () => Promise<unknown>): Promise<void> {
  try {
    await call()
  } catch (error) {
    throw problemOfWorkflow(error) ?? error
  }
}

/** Undefined when the error is none of the workflows' own refusals. */
function problemOfWorkflow(error: unknown): Problem | undefined {
  if (error instanceof WorkflowNotFoundError) {
    return new Problem('order_state_conflict', { detail: 'The order has ended.' })
  }
  if (error instanceof WorkflowUpdateFailedError) {
    const type = failureType(error)
    if (!type) return undefined
    const code = failureCode(error)
    return new Problem(problemCodeOf(type), { detail: code === undefined ? undefined : `Reason: ${code}` })
  }
  if (isGrpcServiceError(error) && error.code === 4) {
    return new Problem('request_in_progress', { headers: { 'Retry-After': '5' }, cause: error })
  }
  return undefined
}
