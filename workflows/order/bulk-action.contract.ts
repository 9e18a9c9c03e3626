/** Contract of the run that does the same act for many orders. Code outside of workflows may import it. */
import { defineUpdate } from '@temporalio/workflow'
import type { EsimProviderId } from '../../policy/outside-parties.ts'
import { initialSearchAttributes, type RunStatus } from '../../shared/search-attributes.ts'
import type { OrderStatus } from './order.contract.ts'

export const bulkActionType = 'bulkAction'
export const bulkActionWorkflowId = (bulkActionId: string): string => `bulk-action-${bulkActionId}`

/** The acts that operators can do on many orders at once. */
export const bulkActs = ['retry', 'refund', 'apologise'] as const
export type BulkAct = (typeof bulkActs)[number]

/** Which orders; what is missing limits nothing. All times are ISO 8601. */
export interface BulkSelection {
  statuses?: OrderStatus[] | undefined
  /** an eSIM provider that was asked for the order */
  provider?: EsimProviderId | undefined
  paidFrom?: string | undefined
  paidUntil?: string | undefined
  /** all orders of another bulk action, also those that it did not change */
  sameOrdersAs?: string | undefined
}

export interface BulkActionInput {
  bulkActionId: string
  /** the operator, as the security log names them */
  startedBy: string
  /** progress of the run that this one continues (continue-as-new) */
  progress?: BulkActionProgress
}

export interface BulkActionProgress {
  isPaused: boolean
  /** pages in a row after which an order is still open */
  waits: number
}

export type BulkActionStatus = 'running' | 'paused' | 'done' | 'cancelled'

export const firstBulkActionState = {
  status: 'running',
  waitingFor: 'the runs of its orders',
  dueAt: null,
} as const satisfies RunStatus
export const pausedBulkActionState = {
  ...firstBulkActionState,
  status: 'paused',
  waitingFor: 'an operator to resume',
}

/**
 * Options that start a bulk action, at most once, or another run of one whose run is gone.
 * @param summary which act, and of how many orders
 */
export const bulkActionStart = (input: BulkActionInput, summary: string, taskQueue: string) => ({
  type: bulkActionType,
  workflowId: bulkActionWorkflowId(input.bulkActionId),
  taskQueue,
  args: [input] satisfies [BulkActionInput],
  workflowIdConflictPolicy: 'USE_EXISTING' as const,
  workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' as const,
  typedSearchAttributes: initialSearchAttributes(
    input.progress?.isPaused ? pausedBulkActionState : firstBulkActionState,
  ),
  staticSummary: `Bulk action: ${summary}`,
})

/** Completes once the bulk action runs. Rejected with BulkActionStateConflict when it was not prepared, or is over. */
export const bulkActionStarted = defineUpdate<void>('started')
/** Takes effect before the next order. */
export const pauseBulkAction = defineUpdate<void>('pause')
export const resumeBulkAction = defineUpdate<void>('resume')
export const cancelBulkAction = defineUpdate<void>('cancel')

export interface BulkActivities {
  /** Has the acts begin. @throws BulkActionStateConflict */
  startBulkAction(input: { bulkActionId: string; startedBy: string; asOf: string }): Promise<void>
  /**
   * Does the act to the next orders, and records each outcome.
   * @returns how many have an outcome now, and how many are left to try
   */
  actOnOrders(input: { bulkActionId: string; asOf: string }): Promise<{ ended: number; left: number }>
  setBulkActionState(input: { bulkActionId: string; state: BulkActionStatus; asOf: string }): Promise<void>
}
