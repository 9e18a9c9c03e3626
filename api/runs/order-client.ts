/** Starts and updates the runs of orders. */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { UpdateDefinition } from '@temporalio/common'
import type { ApiContext } from '../../context.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { findOrder, type OrderRow, runInputOf } from '../../db/order/orders.ts'
import { isPaidAnotherWay, refundFailed } from '../../db/order/refunds.ts'
import { isProviderFailure, ProviderFailure } from '../../providers/failure.ts'
import { failureCode, failureType } from '../../shared/failures.ts'
import { createOrderSignals, orderStart } from '../../temporal/order-signals.ts'
import { hasNoRun, refundDelivered, updateDelivered, updateOrder } from '../../temporal/order-updates.ts'
import { isOpen, signalIfOpen } from '../../temporal/runs.ts'
import {
  approve,
  cancel,
  checkout,
  type OrderInput,
  type OrderState,
  type OrderStatus,
  orderAftercareWorkflowId,
  orderWorkflowId,
  paymentSignal,
  refund,
  resend,
} from '../../workflows/order/order.contract.ts'
import { isListed, type OrderUpdate, orderStates, orderUpdates } from '../../workflows/order/order-states.ts'
import { Problem } from '../http/problem.ts'
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
/** A run that is signalled reads within this time what is left of the payment, and begins to refund it. */
const givenBackWithinMs = 10_000

/** The states that show that an update was done. */
export const doneIn: Record<'cancel' | 'refund' | 'approve' | 'reject', readonly OrderStatus[]> = {
  cancel: ['cancelled', 'refunding', 'refunded'],
  refund: ['refunding', 'refunded'],
  approve: ['provisioning', 'delivered', 'ended'],
  reject: ['refunding', 'refunded'],
}

/** The updates that ask for the money of an order. */
const givesBack: readonly string[] = ['refund', 'cancel', 'reject'] satisfies OrderUpdate[]
const onItsWayBack: readonly OrderStatus[] = ['refunding', 'refunded']
/** States in which the order's own run, while it is open, does what an update asks for, or refuses it. */
const withoutARun: readonly OrderStatus[] = [
  'in_review',
  'provisioning',
  'refunding',
  'refund_failed',
  'unpaid',
  'cancelled',
]

/** Checks orders out, and has their runs do what callers ask for. */
export function createOrderClient(api: ApiContext) {
  const { sql, temporal, config, cipher } = api
  const signals = createOrderSignals(api)

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

  /**
   * Whether the money of an order is at the processor though its run is gone, or takes it for given back. Our status is
   * no proof: Stripe is asked.
   */
  async function isLeft(order: OrderRow, error: unknown): Promise<boolean> {
    const paymentIntentId = order.payment_intent_id
    if (!paymentIntentId) return false
    const isGone = hasNoRun(error) && withoutARun.includes(order.status)
    const isRefused = hasNoRun(error) || failureType(error) === 'OrderStateConflict'
    if (!isGone && !(isRefused && order.status === 'refunded')) return false
    try {
      const { status, amountReceivedMinor, refundedMinor } = await api.stripe.getPayment(paymentIntentId)
      // One of Stripe's machines may not know yet that it was paid.
      if (order.paid_at && status !== 'succeeded')
        throw new ProviderFailure('stripe', 'unavailable', 'payment_contradicts')
      return amountReceivedMinor > refundedMinor
    } catch (failed) {
      if (!isProviderFailure(failed)) throw failed
      throw new Problem('payment_unavailable', { cause: failed })
    }
  }

  const startOf = (input: NewOrder) => orderStart(config, input, cipher.accountRef(input.accountId))

  /**
   * Starts the run of an order in review once more, after the first one was terminated or has failed: whoever approves
   * the order means that it is delivered. The new run finds the payment, and waits for the decision as the first one
   * did.
   * @returns whether there is a run again
   */
  async function beginAgain(orderId: string): Promise<boolean> {
    const order = await findOrder(sql, orderId)
    if (order?.status !== 'in_review') return false
    return signals.beginAgain(runInputOf(order), cipher.accountRef(order.account_id))
  }

  /**
   * The money of an order for which an operator has found another way is refunded when an operator asks for it. A run
   * that was reset gets the requests of before once more, and opens no task.
   * @throws Problem order_state_conflict when its customer asks, who has been paid
   */
  async function openSettledRefund(orderId: string, by: 'operator' | 'customer'): Promise<void> {
    const order = await findOrder(sql, orderId)
    if (!order || !(await isPaidAnotherWay(sql, order))) return
    if (by === 'customer') throw new Problem('order_state_conflict', { detail: 'The money was paid back another way.' })
    await raiseOperatorTask(sql, { kind: refundFailed, subjectId: orderId, detail: 'asked_again', at: new Date() })
    // A run that was reset may follow the refund that has failed: it asks Stripe now.
    for (const workflowId of [orderWorkflowId(orderId), orderAftercareWorkflowId(orderId)])
      await signalIfOpen(temporal, workflowId, paymentSignal)
  }

  /**
   * A run that was started again begins before the payment, and would take the cancellation of a delivered order until
   * it has caught up; it fails then, as nobody may refund the order for that.
   */
  async function assertUndelivered(orderId: string): Promise<void> {
    const order = await findOrder(sql, orderId)
    if (order && orderStates[order.status].customerHas === 'eSIMs')
      throw new Problem('order_state_conflict', { detail: `Reason: ${order.status}` })
  }

  /** Sends an update to the run that takes it now: that of a delivered order may have closed. */
  async function send<Args extends unknown[]>(
    orderId: string,
    definition: UpdateDefinition<OrderState, Args>,
    args: Args,
    limits: { deadline: number; updateId: string },
  ): Promise<void> {
    const { name } = definition
    const order = name === refund.name || name === resend.name ? await findOrder(sql, orderId) : undefined
    if (order?.status !== 'delivered') await updateOrder(temporal, orderId, definition, args, limits)
    else if (name === resend.name) await updateDelivered(api, orderId, definition, args, limits)
    else if (order.parent_order_id) await updateOrder(temporal, orderId, definition, args, limits)
    else await refundDelivered(api, orderId, 'returned_unused', limits)
  }

  /**
   * What to do for one request after its run has refused it, or is gone: `again` when the run may take it now, `done`
   * when what it asks for happens without it.
   */
  function createOtherWay(orderId: string, name: string): (error: unknown) => Promise<'again' | 'done' | 'none'> {
    let hasBegunAgain = false
    let signalled: { until: number; status: OrderStatus } | undefined
    return async (error) => {
      if (await isOutOfStep(orderId, name, error)) return 'again'
      if (name === approve.name && !hasBegunAgain && hasNoRun(error)) {
        hasBegunAgain = true
        if (await beginAgain(orderId)) return 'again'
      }
      return givesBack.includes(name) ? giveBack(error) : 'none'
    }

    /** Signals a run once that money is left, and waits for its refund. */
    async function giveBack(error: unknown): Promise<'again' | 'done' | 'none'> {
      const order = await findOrder(sql, orderId)
      if (signalled && order && order.status !== signalled.status && onItsWayBack.includes(order.status)) return 'done'
      if (signalled) return Date.now() < signalled.until ? 'again' : 'none'
      if (!order || !(await isLeft(order, error)) || (await isPaidAnotherWay(sql, order))) return 'none'
      signalled = { until: Date.now() + givenBackWithinMs, status: order.status }
      await signals.payment(orderId)
      return 'again'
    }
  }

  return {
    /**
     * Creates the order, or finds it. One call starts the run and writes the row: neither can exist without the other.
     */
    async checkOut(input: NewOrder): Promise<void> {
      // No update id of the order: the server would answer it from a closed run, but a failed checkout may be repeated.
      await startAndUpdate(temporal, checkout, startOf(input), ended)
    },

    /**
     * Whether an order goes on by itself: its run is open, or it does not wait for its payment any more. A checkout
     * whose time was up may have written the order all the same: what is paid for it then is given back, since its run
     * has failed.
     */
    async goesOn({ id, status }: Pick<OrderRow, 'id' | 'status'>): Promise<boolean> {
      return status !== 'awaiting_payment' || (await isOpen(temporal, orderWorkflowId(id)))
    },

    /**
     * Sends an update to an order's run. A run that is behind the order's row is asked until both agree. Without a run
     * a delivered order has its mail sent again and is refunded by the run that looks after closed orders, and an
     * approved one gets a new run.
     * @param request `updateId`: the same for a repeated request, which gets the answer of the first
     * @throws Problem order_state_conflict once the order has ended; what the update refuses
     */
    async update<Args extends unknown[]>(
      orderId: string,
      definition: UpdateDefinition<OrderState, Args>,
      args: Args,
      { by, updateId = randomUUID() }: { by: 'operator' | 'customer'; updateId?: string },
    ): Promise<void> {
      const { name } = definition
      if (name === refund.name) await openSettledRefund(orderId, by)
      if (name === cancel.name) await assertUndelivered(orderId)
      const otherWay = createOtherWay(orderId, name)
      await callRun(
        temporal,
        // The deadline of `callRun` ends it.
        async (deadline) => {
          for (;;) {
            try {
              return await send(orderId, definition, args, { deadline, updateId })
            } catch (error) {
              const outcome = await otherWay(error)
              if (outcome === 'done') return
              if (outcome === 'none') throw error
              await delay(againAfterMs)
            }
          }
        },
        ended,
      )
    },
  }
}
