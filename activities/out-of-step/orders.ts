/**
 * U2, paid means delivered or refunded: rows of orders that say what their run does not know.
 *
 * A run writes a row by a local activity. When that is the effect of an update, and the worker dies before its workflow
 * task is complete, Temporal has neither the update nor the activity: with the caller gone nobody sends it again, and
 * the run goes on as before. What a run does after a signal, a timer or a regular activity is in its history, and is
 * repeated by itself.
 */

import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { status } from '@grpc/grpc-js'
import { heartbeat } from '@temporalio/activity'
import {
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client'
import type { WorkerContext } from '../../context.ts'
import { listSubjectsOfOpenTasks, raiseOperatorTask, resolveOperatorTask } from '../../db/operator-tasks.ts'
import { findOrder, moveOrder } from '../../db/order/orders.ts'
import { failureType } from '../../shared/failures.ts'
import { hasStatus } from '../../temporal/grpc-status.ts'
import { updateOrder } from '../../temporal/order-updates.ts'
import { type OpenRun, openRunOf } from '../../temporal/run-stage.ts'
import {
  approve,
  cancel,
  type OrderActivities,
  type OrderStatus,
  orderAftercareWorkflowId,
  orderWorkflowId,
  type RefundReason,
  refund,
  reject,
} from '../../workflows/order/order.contract.ts'

/** Kind of the operator task of an order that stays out of step with its run. */
export const outOfStep = 'order_out_of_step'

/** A state of the row, the state in which its run still is, and the update that the run was sent then. */
interface UnappliedUpdate {
  row: OrderStatus
  run: OrderStatus
  /** the row's reason; missing: any */
  because?: RefundReason
  update: typeof cancel
}

/**
 * Each update whose effect is the row's, in each state that takes it. Another reason of a refund has no update: the
 * run's own history holds what leads to it.
 */
export const unappliedUpdates: readonly UnappliedUpdate[] = [
  { row: 'provisioning', run: 'in_review', update: approve },
  { row: 'refunding', run: 'in_review', because: 'rejected_in_review', update: reject },
  // At its approval: what became of the payment is known, and nobody is to ask again.
  { row: 'refunding', run: 'in_review', because: 'refunded_elsewhere', update: reject },
  { row: 'refunding', run: 'in_review', because: 'cancelled_by_customer', update: cancel },
  { row: 'refunding', run: 'provisioning', because: 'cancelled_by_customer', update: cancel },
  // The run had got the eSIMs meanwhile, and notified the customer.
  { row: 'refunding', run: 'delivered', because: 'cancelled_by_customer', update: refund },
  { row: 'refunding', run: 'refund_failed', update: refund },
]

/** No caller waits for this update: where the provider takes longer, the run goes on after the sweep. */
const answerWithinMs = 12_000
/** A run that works on an update shows the state of its row a moment later. */
const showsWithinMs = 5_000

type Seen = { id: string; status: OrderStatus; reason: string | null }

/** @param recordDelivery writes the delivery that a row has missed */
export function createOutOfStep(
  context: Pick<WorkerContext, 'sql' | 'temporal'>,
  recordDelivery: OrderActivities['recordDelivery'],
) {
  const { sql, temporal } = context

  return {
    stageOfOrder: async (orderId: string) => (await runOfOrder(orderId))?.stage,

    repeatUpdate,

    /** Has a run whose refund has failed try again. A run that is further refuses it. */
    async askForRefund(orderId: string): Promise<void> {
      await send(orderId, refund).catch((error: unknown) => {
        if (!isOfOrder(error)) throw error
      })
    },

    /**
     * Makes operator tasks of orders that stay out of step with their runs, and settles those that are in step again.
     */
    async reportOutOfStep(ids: readonly string[], at: Date): Promise<void> {
      if (ids.length > 0) await pause(showsWithinMs)
      for (const id of new Set([...ids, ...(await listSubjectsOfOpenTasks(sql, outOfStep))])) {
        heartbeat()
        const run = await runOfOrder(id)
        // The row is read after the run, so that no older state of the row is compared with the run.
        const order = await findOrder(sql, id)
        // The run shows its new state once its workflow task is over. A workflow task that fails is tried again, and
        // counted.
        if (order && run?.isAtWork) continue
        const stage = run?.stage
        if (!order || !differsFromRun(order.status, stage))
          await resolveOperatorTask(sql, { kind: outOfStep, subjectId: id, by: 'payment_sweep', at })
        // The first comparison may have come between the row and the run.
        else if (ids.includes(id) && (await repeatUpdate(order, stage, at)))
          await raiseOperatorTask(sql, {
            kind: outOfStep,
            subjectId: id,
            detail: `${order.status}, its run ${stage}`,
            at,
          })
      }
    },
  }

  /**
   * Sends the run again the update whose effect the row shows, if one was lost.
   * @returns whether nothing explains the difference
   */
  async function repeatUpdate({ id, status, reason }: Seen, stage: string, at: Date): Promise<boolean> {
    if (status === 'provisioning' && stage === 'delivered') {
      try {
        await recordDelivery({ orderId: id, asOf: at.toISOString() })
      } catch (error) {
        // The order has no eSIMs: an operator has to settle it.
        if (failureType(error) === 'OrderStateConflict') return true
        throw error
      }
      return false
    }
    const unapplied = unappliedUpdates.find(
      ({ row, run, because }) => row === status && run === stage && (because === undefined || because === reason),
    )
    if (!unapplied) return true
    try {
      await send(id, unapplied.update)
    } catch (error) {
      if (failureType(error) === 'EsimInUse') await keepAsDelivered(id, at)
      // The run has the update by now, or is not done yet: the next sweep sends it again.
      else if (!isOfOrder(error)) throw error
    }
    return false
  }

  /** Each time with a new id: Temporal would answer a repeated one as it answered the first. */
  function send(orderId: string, update: typeof cancel): Promise<void> {
    const limits = { deadline: Date.now() + answerWithinMs, updateId: `again-${randomUUID()}` }
    return updateOrder(temporal, orderId, update, [], limits)
  }

  /** The order's open run: its own run, or its aftercare. */
  async function runOfOrder(orderId: string): Promise<OpenRun | undefined> {
    const own = await openRunOf(temporal, orderWorkflowId(orderId))
    return own ?? openRunOf(temporal, orderAftercareWorkflowId(orderId))
  }

  /**
   * Keeps an order as delivered: the customer cancelled, got no answer, and has used the eSIM that came all the same.
   */
  async function keepAsDelivered(orderId: string, at: Date): Promise<void> {
    // The operator task comes first: once the row is moved, no sweep finds the order again.
    await raiseOperatorTask(sql, { kind: 'cancelled_and_used', subjectId: orderId, at })
    await moveOrder(sql, orderId, ['refunding'], { status: 'provisioning', reason: null })
    await recordDelivery({ orderId, asOf: at.toISOString() })
  }
}

/** Whether an error concerns the update of one order alone; other errors are Temporal's, and concern all orders. */
const isOfOrder = (error: unknown): boolean =>
  error instanceof WorkflowNotFoundError ||
  error instanceof WorkflowUpdateFailedError ||
  error instanceof WorkflowUpdateRPCTimeoutOrCancelledError ||
  hasStatus(error, status.DEADLINE_EXCEEDED)

/**
 * Whether the run shows another state than the row. An aftercare run that has just begun shows no state of the order.
 */
export const differsFromRun = (status: OrderStatus, stage: string | null | undefined): stage is string =>
  typeof stage === 'string' && stage !== 'aftercare' && stage !== status
