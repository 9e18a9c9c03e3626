/** Makes partial refunds by their runs. */
import type { ApiContext } from '../../context.ts'
import { initialSearchAttributes } from '../../shared/search-attributes.ts'
import {
  firstPartialRefundState,
  type PartialRefundInput,
  partialRefundMade,
  partialRefundType,
  partialRefundWorkflowId,
} from '../../workflows/order/partial-refund.contract.ts'
import { startAndUpdate } from './workflow-problems.ts'

/**
 * The run was terminated: Stripe may have made the refund, which the same request finds. A refusal would be repeated as
 * another one.
 */
const cutOff = { code: 'unavailable', detail: 'The run of the refund was ended. Repeat the request.' } as const

export function createPartialRefundClient({ temporal, config, cipher }: ApiContext) {
  return {
    /**
     * Refunds a part of what is left of an order's payment, once for each refund id.
     * @throws Problem refund_exceeds_payment, order_state_conflict, refund_refused, esim_in_use, provider_unavailable,
     *   unavailable when it may have been made
     */
    async refund(input: PartialRefundInput, accountId: string, updateId: string): Promise<void> {
      const start = {
        type: partialRefundType,
        workflowId: partialRefundWorkflowId(input.refundId),
        taskQueue: config.TEMPORAL_TASK_QUEUE,
        args: [input],
        workflowIdConflictPolicy: 'USE_EXISTING' as const,
        workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' as const,
        typedSearchAttributes: initialSearchAttributes(firstPartialRefundState, cipher.accountRef(accountId)),
        staticSummary: `Partial refund: ${input.amountMinor ?? 'all that is left'}, ${input.reason}`,
      }
      await startAndUpdate(temporal, partialRefundMade, start, cutOff, updateId)
    },
  }
}
