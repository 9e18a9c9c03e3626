/** Starts and updates the runs of orders. */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { UpdateDefinition } from '@temporalio/common'
import type { ApiContext } from '../../context.ts'
import { findOrder, type OrderRow } from '../../db/order/orders.ts'
import { failureCode, failureType } from '../../shared/failures.ts'
import { initialSearchAttributes } from '../../shared/search-attributes.ts'
import { updateOrder } from '../../temporal/order-updates.ts'
import { describeRun } from '../../temporal/runs.ts'
import {
  checkout,
  firstState,
  type OrderInput,
  type OrderState,
  orderWorkflowId,
} from '../../workflows/order/order.contract.ts'
import { isListed, limitOf, orderStates, orderUpdates } from '../../workflows/order/order-states.ts'
import { callRun, startAndUpdate } from './workflow-problems.ts'

const ended = { code: 'order_state_conflict', detail: 'The order has ended.' } as const

/**
 * An order of a route. A route has to name the evidence of the tax and of the right of withdrawal, also where there is
 * none: an order without it is taxed and returned differently.
 */
export type NewOrder = OrderInput & Required<Evidence>
type Evidence = { [Name in 'ipCountry' | 'performanceConsent']: OrderInput[Name] | undefined }

/** A run that is behind its row gets there with its next workflow task. */
const againAfterMs = 250

export function createOrderClient({ sql, temporal, config, cipher }: ApiContext) {
  /**
   * Whether the run refuses what the row allows, because one of them does not have the other's state yet. A local
   * activity may have written the row, and its workflow task been lost with the worker or the connection.
   */
  async function isOutOfStep(orderId: string, name: string, error: unknown): Promise<boolean> {
    if (failureType(error) !== 'OrderStateConflict') return false
    const update = orderUpdates.find((each) => each === name)
    const stateOfRun = failureCode(error)
    if (!update || !stateOfRun || !(stateOfRun === 'opening' || stateOfRun in orderStates)) return false
    const row = await findOrder(sql, orderId)
    return row !== undefined && isListed(update, row.status) && stateOfRun !== row.status
  }

  return {
    /** Creates the order, or finds it. One call starts the run and writes the row: neither can exist without the other. */
    async checkOut(input: NewOrder): Promise<void> {
      const dueAt = limitOf('awaiting_payment', new Date())
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
     * Whether an order goes on by itself: its run is open, or it does not wait for its payment any more. A checkout whose time was up may
     * have written the order all the same: what is paid for it then is given back, since its run has failed.
     */
    async goesOn({ id, status }: Pick<OrderRow, 'id' | 'status'>): Promise<boolean> {
      if (status !== 'awaiting_payment') return true
      const run = await describeRun(temporal, orderWorkflowId(id))
      return run?.status.name === 'RUNNING'
    },

    /**
     * Sends an update to an order's run. A run that is behind the order's row is asked until both agree.
     * @param updateId the same for a repeated request, which gets the answer of the first
     * @throws Problem order_state_conflict once the order has ended; what the update refuses
     */
    async update<Args extends unknown[]>(
      orderId: string,
      definition: UpdateDefinition<OrderState, Args>,
      args: Args,
      updateId: string = randomUUID(),
    ): Promise<void> {
      const ask = () => updateOrder(temporal, orderId, definition, args, updateId)
      await callRun(
        temporal,
        // The deadline of `callRun` ends it.
        async () => {
          for (;;) {
            try {
              return await ask()
            } catch (error) {
              if (!(await isOutOfStep(orderId, definition.name, error))) throw error
              await delay(againAfterMs)
            }
          }
        },
        ended,
      )
    },
  }
}
