/** Prepares and starts bulk actions, and changes them by their runs, for the JSON routes and the console. */
import type { UpdateDefinition } from '@temporalio/common'
import type { ApiContext } from '../../context.ts'
import type { BulkActions } from '../../db/connection/schema.ts'
import {
  actOfChange,
  type BulkChange,
  cancelPreparedBulkAction,
  findBulkAction,
  type NewBulkAction,
  prepareBulkAction,
  renewSum,
} from '../../db/operator/bulk-actions.ts'
import { mayBeSameOperator } from '../../db/operator/operators.ts'
import { sendUpdate } from '../../temporal/runs.ts'
import {
  bulkActionStart,
  bulkActionStarted,
  bulkActionWorkflowId,
  cancelBulkAction,
  pauseBulkAction,
  resumeBulkAction,
} from '../../workflows/order/bulk-action.contract.ts'
import { orNotFound, Problem } from '../http/problem.ts'
import { callRun, startAndUpdate } from './workflow-problems.ts'

const updates: Record<BulkChange, UpdateDefinition<void>> = {
  pause: pauseBulkAction,
  resume: resumeBulkAction,
  cancel: cancelBulkAction,
}

const ended = { code: 'bulk_action_state_conflict', detail: 'The bulk action has ended.' } as const

/** Starts bulk actions, and pauses, resumes and cancels them. */
export function createBulkActionClient(api: ApiContext) {
  const { sql, temporal, config } = api

  /** @throws Problem not_found */
  async function found(id: string): Promise<BulkActions> {
    return orNotFound(await findBulkAction(sql, id))
  }

  /** @throws Problem second_operator_required */
  async function assertSecondOperator(action: BulkActions, startedBy: string): Promise<void> {
    if (!action.needs_second_operator || !(await mayBeSameOperator(api, action.prepared_by, startedBy))) return
    throw new Problem('second_operator_required', {
      detail:
        'With what its operator, or operators of its orders, have refunded within 24 hours it is above the limit. Ask another operator to look at it and to start it.',
    })
  }

  return {
    found,

    /** Stores which orders are selected now. Nothing is done to them before the bulk action is started. */
    async prepare(action: NewBulkAction, limit: number): Promise<BulkActions> {
      await prepareBulkAction(api, action, limit)
      return found(action.id)
    },

    /**
     * Starts a prepared bulk action in the name of an operator; repeatable by the same one.
     * @throws Problem not_found, second_operator_required, bulk_action_state_conflict
     */
    async start(id: string, startedBy: string): Promise<BulkActions> {
      await renewSum(api, { id, by: startedBy, at: new Date() })
      const before = await found(id)
      if (before.state !== 'prepared') {
        if (before.started_by === startedBy && before.state !== 'cancelled') return before
        throw new Problem('bulk_action_state_conflict', { detail: `Reason: ${before.state}` })
      }
      await assertSecondOperator(before, startedBy)
      const start = bulkActionStart(
        { bulkActionId: id, startedBy },
        `${before.act} ${before.order_count} orders`,
        config.TEMPORAL_TASK_QUEUE,
      )
      try {
        await startAndUpdate(temporal, bulkActionStarted, start, ended)
      } catch (error) {
        // Others of theirs were started at the same moment.
        await assertSecondOperator(await found(id), startedBy)
        throw error
      }
      return found(id)
    },

    /** The entry of a change, without who and why. It is about no single account. */
    entryOf: (change: BulkChange, id: string) => ({
      accountId: null,
      orderId: null,
      act: actOfChange(change),
      subject: id,
    }),

    /**
     * Pauses, resumes or cancels a bulk action.
     * @param ids.repeated an earlier request under the same key was done, or may have been
     * @throws Problem not_found, bulk_action_state_conflict
     */
    async change(id: string, change: BulkChange, ids: { updateId: string; repeated: boolean }): Promise<void> {
      const before = await found(id)
      // One that nobody has started has no run.
      if (change === 'cancel') {
        if (await cancelPreparedBulkAction(sql, id, new Date())) return
        if (ids.repeated && before.state === 'cancelled' && before.started_at === null) return
      }
      const { updateId } = ids
      await callRun(
        temporal,
        (deadline) => sendUpdate(temporal, bulkActionWorkflowId(id), updates[change], [], { deadline, updateId }),
        ended,
      )
    },
  }
}
