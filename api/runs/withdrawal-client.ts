/** States withdrawals by their runs. */
import type { ApiContext } from '../../context.ts'
import { initialSearchAttributes } from '../../shared/search-attributes.ts'
import {
  firstWithdrawalState,
  withdrawalStated,
  withdrawalType,
  withdrawalWorkflowId,
} from '../../workflows/order/withdrawal.contract.ts'
import { startAndUpdate } from './workflow-problems.ts'

const ended = { code: 'order_state_conflict', detail: 'The withdrawal was carried out.' } as const

export type WithdrawalClient = ReturnType<typeof createWithdrawalClient>

export function createWithdrawalClient({ temporal, config, cipher }: ApiContext) {
  return {
    /** Records the statement, once for each order, and has it carried out. @throws Problem withdrawal_... */
    async state(orderId: string, accountId: string): Promise<void> {
      const start = {
        type: withdrawalType,
        workflowId: withdrawalWorkflowId(orderId),
        taskQueue: config.TEMPORAL_TASK_QUEUE,
        args: [{ orderId }],
        workflowIdConflictPolicy: 'USE_EXISTING' as const,
        workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' as const,
        typedSearchAttributes: initialSearchAttributes(firstWithdrawalState, cipher.accountRef(accountId)),
        staticSummary: 'Withdrawal',
      }
      await startAndUpdate(temporal, withdrawalStated, start, ended)
    },
  }
}
