/**
 * Signals an order's run that a webhook concerns it. A signal is only a hint: the run asks the outside party itself.
 */
import type { Client } from '@temporalio/client'
import type { Config } from '../config.ts'
import { initialSearchAttributes } from '../shared/search-attributes.ts'
import {
  disputeSignal,
  firstState,
  fraudWarningSignal,
  type OrderInput,
  orderAftercareWorkflowId,
  orderWorkflowId,
  paymentSignal,
  providerSignal,
} from '../workflows/order/order.contract.ts'
import { limitOf } from '../workflows/order/order-states.ts'
import { partialRefundWorkflowId, refundIdOf, refundSignal } from '../workflows/order/partial-refund.contract.ts'
import { isOpen, signalIfOpen, signalWithStart, startUnlessOpen } from './runs.ts'

export interface OrderSignalsContext {
  temporal: Client
  config: Pick<Config, 'TEMPORAL_TASK_QUEUE'>
}

/** Signals to the runs of orders. Each may come again, or be about nothing new: runs read what has changed. */
export function createOrderSignals({ temporal, config }: OrderSignalsContext) {
  return {
    /**
     * Stripe reports a change of the order's payment or refund.
     * @param refundKey of the refund: a partial one has a separate run, which records it
     */
    async payment(orderId: string, refundKey?: string): Promise<void> {
      const refundId = refundIdOf(refundKey)
      if (refundId && (await signalIfOpen(temporal, partialRefundWorkflowId(refundId), refundSignal))) return
      if (await signalIfOpen(temporal, orderWorkflowId(orderId), paymentSignal)) return
      await signalWithStart(temporal, aftercare(orderId), paymentSignal)
    },
    /** Stripe reports a change of a dispute of the order's payment. */
    async dispute(orderId: string, disputeId: string): Promise<void> {
      const hint = { disputeId }
      if (await signalIfOpen(temporal, orderWorkflowId(orderId), disputeSignal, hint)) return
      await signalWithStart(temporal, aftercare(orderId), disputeSignal, hint)
    },
    /** Stripe reports a fraud warning about the order's payment. */
    async fraudWarning(orderId: string): Promise<void> {
      if (await signalIfOpen(temporal, orderWorkflowId(orderId), fraudWarningSignal)) return
      await signalWithStart(temporal, aftercare(orderId), fraudWarningSignal)
    },
    /** Starts the aftercare run of an order, unless it or the order's own run is open. @returns whether none was */
    async settle(orderId: string): Promise<boolean> {
      for (const id of [orderWorkflowId(orderId), orderAftercareWorkflowId(orderId)])
        if (await isOpen(temporal, id)) return false
      await signalWithStart(temporal, aftercare(orderId), paymentSignal)
      return true
    },
    /**
     * Starts the own run of an order once more, after the one before was terminated or has failed. It looks the payment
     * up at once.
     * @returns false while the aftercare of the order is open, which may be returning its eSIMs or its money
     */
    async beginAgain(input: OrderInput, accountRef: string): Promise<boolean> {
      if (await isOpen(temporal, orderAftercareWorkflowId(input.orderId))) return false
      await startUnlessOpen(temporal, orderStart(config, input, accountRef))
      await this.payment(input.orderId)
      return true
    },
    /**
     * An eSIM has ended that nobody has used: its top-ups are settled beside its order, whose runs may have closed or
     * not.
     */
    async settleTopUp(orderId: string): Promise<void> {
      await signalWithStart(temporal, aftercare(orderId), paymentSignal)
    },
    /** An eSIM provider reports a change. Once the run has closed, no run needs it any more. */
    async provider(orderId: string): Promise<void> {
      await signalIfOpen(temporal, orderWorkflowId(orderId), providerSignal)
    },
  }

  function aftercare(orderId: string) {
    return aftercareStart(config, orderId)
  }
}

/** Options that start the aftercare of an order whose own run has closed. */
export const aftercareStart = ({ TEMPORAL_TASK_QUEUE: taskQueue }: OrderSignalsContext['config'], orderId: string) => ({
  type: 'orderAftercare',
  workflowId: orderAftercareWorkflowId(orderId),
  taskQueue,
  args: [{ orderId }] satisfies [{ orderId: string }],
  staticSummary: 'What happens to a closed order',
})

/** Options that start an order's own run, for the first time, or once more after it was terminated or has failed. */
export const orderStart = (
  { TEMPORAL_TASK_QUEUE: taskQueue }: OrderSignalsContext['config'],
  input: OrderInput,
  accountRef: string,
) => ({
  type: 'order',
  workflowId: orderWorkflowId(input.orderId),
  taskQueue,
  args: [input],
  workflowIdConflictPolicy: 'USE_EXISTING' as const,
  workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' as const,
  typedSearchAttributes: initialSearchAttributes(
    { ...firstState, dueAt: limitOf('awaiting_payment', new Date()) },
    accountRef,
  ),
  staticSummary: `${input.parentOrderId ? 'Top-up' : 'Order'}: ${input.quantity} × ${input.packageCode}`,
})
