/** Contract of the run of a withdrawal from an order's contract. Code outside of workflows may import it. */
import { defineUpdate } from '@temporalio/workflow'
import { initialSearchAttributes, type RunStatus } from '../../shared/search-attributes.ts'

export const withdrawalType = 'withdrawal'
export const withdrawalWorkflowId = (orderId: string): string => `withdrawal-${orderId}`

export const firstWithdrawalState = {
  status: 'stated',
  waitingFor: 'the refund',
  dueAt: null,
} as const satisfies RunStatus

/**
 * Options that start the run of a withdrawal, for the API and the draft sweep. @param order.accountRef account
 * reference
 */
export const withdrawalStart = (
  { orderId, accountRef }: { orderId: string; accountRef: string },
  taskQueue: string,
) => ({
  type: withdrawalType,
  workflowId: withdrawalWorkflowId(orderId),
  taskQueue,
  args: [{ orderId }] satisfies [{ orderId: string }],
  workflowIdConflictPolicy: 'USE_EXISTING' as const,
  workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' as const,
  typedSearchAttributes: initialSearchAttributes(firstWithdrawalState, accountRef),
  staticSummary: 'Withdrawal',
})

export interface WithdrawalState {
  /** `left_to_operator`: the eSIM cannot be returned automatically */
  status: 'stated' | 'refunding' | 'left_to_operator'
}

/** Answered once the statement is recorded. Rejected with WithdrawalPeriodOver, WithdrawalRightLost, ... */
export const withdrawalStated = defineUpdate<WithdrawalState>('stated')

interface OfOrder {
  orderId: string
  /** ISO 8601, the workflow's time */
  asOf: string
}

export interface WithdrawalActivities {
  /**
   * Records the statement.
   * @throws WithdrawalNotOpened, WithdrawalPeriodOver, WithdrawalRightLost when an eSIM was installed or used,
   *   OrderStateConflict when nothing is paid or all is refunded
   */
  recordWithdrawal(input: OfOrder): Promise<void>
  /** Article 11a(4): acknowledges the statement on a durable medium. */
  sendWithdrawalAcknowledgement(input: OfOrder): Promise<void>
  /**
   * Has the order's run return the eSIMs and refund the payment.
   * @throws EsimInUse, OrderStateConflict when an operator has to do it
   */
  carryOutWithdrawal(input: OfOrder): Promise<void>
  leaveWithdrawalToOperator(input: OfOrder & { code: string }): Promise<void>
}
