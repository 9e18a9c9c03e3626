/** Activities of a bulk action: each order is asked through its own run, as by a single act. */
import { randomUUID } from 'node:crypto'
import { cancellationSignal, heartbeat } from '@temporalio/activity'
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client'
import pMap from 'p-map'
import type { WorkerContext } from '../../context.ts'
import type { BulkActions } from '../../db/connection/schema.ts'
import {
  type BulkOrder,
  beginBulkAct,
  countBulkOrdersLeft,
  findBulkAction,
  nextBulkOrders,
  noteFailedTry,
  type RefundedElsewhere,
  setBulkActionState,
  startBulkAction,
} from '../../db/operator/bulk-actions.ts'
import { endAct } from '../../db/operator/operator-acts.ts'
import { isPaidAnotherWay } from '../../db/order/refunds.ts'
import { type FailureType, failure, failures, failureType } from '../../shared/failures.ts'
import { refundDelivered, updateOrder } from '../../temporal/order-updates.ts'
import { retryOrder } from '../../temporal/retry-order.ts'
import type { UpdateOptions } from '../../temporal/runs.ts'
import type { BulkAct, BulkActivities } from '../../workflows/order/bulk-action.contract.ts'
import { cancel, type OrderStatus, refund } from '../../workflows/order/order.contract.ts'
import { isListed } from '../../workflows/order/order-states.ts'
import { knownOrder } from './known-order.ts'
import { createOrderNoticeActivities } from './notices.ts'

/** Between two pages lies a workflow task, which Temporal first offers for seconds to a worker that has just died. */
const pageSize = 200
/** Most of an update's time is a wait: for Temporal, or for a worker after another one has died. */
const mostAtOnce = 32
const heartbeatMs = 1_000
/** of one order: longer than an update takes by its own bounds */
const answerWithinMs = 28_000

/** `undefined`: done; otherwise why it was not, and whether that may change. */
type Outcome = undefined | { code: string; mayChange: boolean }

export function createBulkActivities(context: WorkerContext): BulkActivities {
  const { sql, temporal } = context
  const { sendOrderMail } = createOrderNoticeActivities(context)
  // An update waits for activities of the order, which need slots of the same worker.
  const concurrency = Math.max(1, Math.min(mostAtOnce, Math.floor(context.config.WORKER_CONCURRENCY / 4)))

  const does: Record<BulkAct, (order: BulkOrder, action: BulkActions) => Promise<Outcome>> = {
    retry: async ({ order_id }) => {
      await retryOrder(context, order_id)
      return undefined
    },
    refund: ({ order_id, attempts }, { selection }) => refundOrder(order_id, attempts > 0, selection.statuses),
    apologise: async ({ order_id }, { id: bulkActionId }) => {
      await sendOrderMail({
        orderId: order_id,
        mail: 'apology',
        asOf: new Date().toISOString(),
        requestId: bulkActionId,
      })
      return undefined
    },
  }

  return {
    async startBulkAction({ bulkActionId, startedBy, asOf }) {
      if (!(await startBulkAction(context, { id: bulkActionId, startedBy, at: new Date(asOf) })))
        throw failure('BulkActionStateConflict')
    },

    async actOnOrders({ bulkActionId }) {
      const action = await findBulkAction(sql, bulkActionId)
      if (!action) return { ended: 0, left: 0 }
      let ended = 0
      // When this worker was too busy to heartbeat in time, another attempt goes through the orders by now.
      const givenUp = cancellationSignal()
      const beat = setInterval(() => heartbeat(), heartbeatMs)
      const act = async (order: BulkOrder): Promise<void> => {
        if (givenUp.aborted) return
        const begun = await beginBulkAct(sql, { id: order.id, at: new Date() })
        if (begun === 'stopped') return
        const outcome =
          begun === 'elsewhere'
            ? { code: 'in_another_bulk_action' satisfies RefundedElsewhere, mayChange: false }
            : await does[action.act](order, action).catch(outcomeOf)
        if (outcome?.mayChange) return await noteFailedTry(sql, order.id, outcome.code)
        await endAct(sql, order.id, outcome ? 'refused' : 'done', outcome?.code ?? null)
        ended += 1
      }
      await pMap(await nextBulkOrders(sql, bulkActionId, pageSize), act, { concurrency }).finally(() =>
        clearInterval(beat),
      )
      return { ended, left: await countBulkOrdersLeft(sql, bulkActionId) }
    },

    async setBulkActionState({ bulkActionId, state, asOf }) {
      await setBulkActionState(sql, { id: bulkActionId, state, at: new Date(asOf) })
    },
  }

  /**
   * @param wasAsked an earlier try may have begun the refund
   * @param selected the states for which the operator has selected orders, if they did
   */
  async function refundOrder(
    orderId: string,
    wasAsked: boolean,
    selected: readonly OrderStatus[] | undefined,
  ): Promise<Outcome> {
    const order = await knownOrder(sql, orderId)
    const { status: before, parent_order_id: parent } = order
    // Of so many orders nobody means this one: who wants it refunded all the same asks for it alone.
    if (await isPaidAnotherWay(sql, order)) return { code: 'paid_another_way', mayChange: false }
    if (hasRefund(before)) {
      if (!wasAsked) return { code: `already_${before}`, mayChange: false }
      if (before === 'refunding') await askAgain(orderId)
      return undefined
    }
    // An order that was selected because it waited may be delivered since: its buyer keeps the eSIM.
    const isSelected = !selected || selected.includes(before) || before === 'refund_failed'
    if (!isSelected) return { code: before, mayChange: false }
    // An order that is not delivered is cancelled, which refunds what was paid.
    const update = isListed('refund', before) ? refund : isListed('cancel', before) ? cancel : undefined
    if (!update) return { code: before, mayChange: false }
    // A delivered top-up cannot be taken off its eSIM; a failed refund is repeated for top-ups, too.
    if (parent && before !== 'refund_failed') return { code: 'top_up', mayChange: false }
    try {
      if (before === 'delivered') await askForReturn(orderId)
      else await ask(orderId, update)
      return undefined
    } catch (error) {
      const isRefused = error instanceof WorkflowUpdateFailedError || error instanceof WorkflowNotFoundError
      if (!isRefused) throw error
      const { status: after } = await knownOrder(sql, orderId)
      // Another operator's act was faster, unless it was an earlier attempt of this bulk action.
      if (hasRefund(after)) return wasAsked ? undefined : { code: `already_${after}`, mayChange: false }
      const type = failureType(error)
      if (type && type !== 'OrderStateConflict') return outcomeOf(error)
      return { code: after, mayChange: after !== before || type === 'OrderStateConflict' }
    }
  }

  /**
   * Sends the update again. A worker that dies between the row and the next workflow task leaves a run that does not
   * have its refund, and the update is lost with its sender. A run that has the refund refuses both updates.
   */
  async function askAgain(orderId: string): Promise<void> {
    for (const update of [cancel, refund])
      try {
        return await ask(orderId, update)
      } catch (error) {
        if (!isKnown(error)) throw error
      }
  }

  function askForReturn(orderId: string): Promise<void> {
    return refundDelivered(context, orderId, 'returned_unused', limitsOfTry())
  }

  function ask(orderId: string, update: typeof cancel | typeof refund): Promise<void> {
    return updateOrder(temporal, orderId, update, [], limitsOfTry())
  }
}

/** Each try has a new update id: Temporal would answer a repeated one as it answered the first. */
const limitsOfTry = (): UpdateOptions => ({
  deadline: Date.now() + answerWithinMs,
  updateId: `bulk-${randomUUID()}`,
})

/** Whether a run that refuses the update has the refund already, or is closed. */
const isKnown = (error: unknown): boolean =>
  error instanceof WorkflowNotFoundError || failureType(error) === 'OrderStateConflict'

const hasRefund = (status: OrderStatus): boolean => status === 'refunding' || status === 'refunded'

/** The outcome that a failed attempt has: after an uncertain failure the act may still have been done. */
function outcomeOf(error: unknown): Outcome {
  const type: FailureType | undefined = failureType(error)
  if (type === undefined) return { code: 'unknown', mayChange: true }
  return { code: snake(type), mayChange: failures[type].retryable }
}

const snake = (type: string): string => type.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).slice(1)
