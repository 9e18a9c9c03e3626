/** Starts and updates the runs of orders. */
import { randomUUID } from 'node:crypto'
import type { UpdateDefinition } from '@temporalio/common'
import type { ApiContext } from '../../context.ts'
import { periods } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import { initialSearchAttributes } from '../../shared/search-attributes.ts'
import { updateOrder } from '../../temporal/order-updates.ts'
import {
  checkout,
  firstState,
  type OrderInput,
  type OrderState,
  orderWorkflowId,
} from '../../workflows/order/order.contract.ts'
import { callRun, startAndUpdate } from './workflow-problems.ts'

const ended = { code: 'order_state_conflict', detail: 'The order has ended.' } as const

/**
 * What a route orders. The evidence of the tax and of the right of withdrawal has to be named, also where there is none: an
 * order without it is taxed and returned differently.
 */
export type NewOrder = OrderInput & Required<Evidence>
type Evidence = { [Name in 'ipCountry' | 'performanceConsent']: OrderInput[Name] | undefined }

export type OrderClient = ReturnType<typeof createOrderClient>

export function createOrderClient({ temporal, config, cipher }: ApiContext) {
  return {
    /** Creates the order, or finds it. One call starts the run and writes the row: neither can exist without the other. */
    async checkOut(input: NewOrder): Promise<void> {
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
      // No update id of the order: the server would answer it from a closed run, but a failed checkout may be repeated.
      await startAndUpdate(temporal, checkout, start, ended)
    },

    /**
     * Sends an update to an order's run.
     * @param updateId the same for a repeated request, which gets the answer of the first
     * @throws Problem order_state_conflict once the order has ended; what the update refuses
     */
    async update<Args extends unknown[]>(
      orderId: string,
      definition: UpdateDefinition<OrderState, Args>,
      args: Args,
      updateId: string = randomUUID(),
    ): Promise<void> {
      await callRun(temporal, () => updateOrder(temporal, orderId, definition, args, updateId), ended)
    },
  }
}
