/** Activities of a withdrawal from an order's contract (Directive 2011/83/EU, Article 11a; policy/withdrawal.ts). */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client'
import type { WorkerContext } from '../../../context.ts'
import { raiseOperatorTask } from '../../../db/operator-tasks.ts'
import { listEsimsServed, type StoredEsim } from '../../../db/order/esims.ts'
import type { OrderRow } from '../../../db/order/orders.ts'
import { leftOfPrice, listRefunds } from '../../../db/order/refunds.ts'
import {
  canWithdrawFrom,
  carriedOut,
  findWithdrawal,
  stateWithdrawal,
  withdrawalAcknowledged,
  withdrawalUnsettled,
} from '../../../db/order/withdrawals.ts'
import { renderWithdrawalAcknowledged } from '../../../mails/order/order-changes.tsx'
import { type EsimStatus, isNew } from '../../../providers/esim.ts'
import { isProviderFailure } from '../../../providers/failure.ts'
import { failure, failureType } from '../../../shared/failures.ts'
import { refundDueAfter, withdrawalPeriodEnds } from '../../../shared/withdrawal-period.ts'
import { refundDelivered } from '../../../temporal/order-updates.ts'
import { sendUpdate } from '../../../temporal/runs.ts'
import { cancel, orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import type { WithdrawalActivities } from '../../../workflows/order/withdrawal.contract.ts'
import { attemptIsOver } from '../../failures.ts'
import { sendMail, toAccount } from '../../sending/send-mail.ts'
import { knownOrder } from '../known-order.ts'
import { summaryOf } from '../notices.ts'

/** A local activity has a few seconds, and a hanging provider must not prevent the statement either. */
const providerAnswersWithinMs = 2_500
/** The run has 25 s for its provider; an attempt at the withdrawal has 40 s. */
const orderAnswersWithinMs = 35_000
const isUsedState = (state: EsimStatus['state']): boolean => !['new', 'cancelled', 'unknown'].includes(state)

export function createWithdrawalActivities(context: WorkerContext): WithdrawalActivities {
  const { sql, config, temporal } = context
  const site = { publicUrl: config.PUBLIC_URL, supportMail: config.SUPPORT_MAIL }

  return {
    async recordWithdrawal({ orderId, asOf }) {
      const isTooLate = attemptIsOver()
      const order = await knownOrder(sql, orderId)
      const at = new Date(asOf)
      const opened = await findWithdrawal(sql, context, order)
      if (!opened) throw failure('WithdrawalNotOpened')
      if (opened.statedAt) return
      if (!canWithdrawFrom.includes(order.status)) throw failure('OrderStateConflict', { code: order.status })
      if (at >= withdrawalPeriodEnds(order.paid_at ?? order.created_at)) throw failure('WithdrawalPeriodOver')
      if (await isUsed(order)) {
        // Without the customer's consent to the delivery the right may outlast the use: an operator decides.
        if (!order.performance_consent)
          await raiseOperatorTask(sql, { kind: 'withdrawal_after_use', subjectId: orderId, at })
        throw failure('WithdrawalRightLost', { code: 'esim_in_use' })
      }
      // The run has given up by now: nobody would acknowledge it, or carry it out.
      if (isTooLate()) throw failure('ProviderUnavailable', { code: 'too_late' })
      await stateWithdrawal(sql, orderId, at)
    },

    async sendWithdrawalAcknowledgement({ orderId, asOf }) {
      const order = await knownOrder(sql, orderId)
      const stated = await findWithdrawal(sql, context, order)
      const statedAt = stated?.statedAt
      if (!stated || !statedAt) throw failure('OrderMissing')
      const left = leftOfPrice(order, await listRefunds(sql, orderId), statedAt)
      await sendMail(context, {
        send: { subjectId: orderId, kind: withdrawalAcknowledged, accountId: order.account_id },
        at: new Date(asOf),
        compose: () =>
          toAccount(context, order.account_id, async ({ email }, texts) =>
            renderWithdrawalAcknowledged({
              site,
              texts,
              order: await summaryOf(context, order),
              orderId,
              name: stated.name,
              confirmationBy: email,
              statement: stated.statement,
              statedAt,
              refundBy: refundDueAfter(statedAt),
              amount: { minor: left, currency: order.currency },
            }),
          ),
      })
    },

    async carryOutWithdrawal({ orderId }) {
      const order = await knownOrder(sql, orderId)
      if (carriedOut.includes(order.status)) return
      if (!canWithdrawFrom.includes(order.status)) throw failure('OrderStateConflict', { code: order.status })
      // No provider takes the data of a top-up back.
      if (order.parent_order_id) throw failure('OrderStateConflict', { code: 'top_up' })
      try {
        await askOrder(order)
      } catch (error) {
        // A paid order whose run is gone: the payment sweep refunds it within the hour.
        const isOver = error instanceof WorkflowNotFoundError
        if (!isOver && !(error instanceof WorkflowUpdateFailedError)) throw error
        const type = failureType(error)
        if (type === 'EsimInUse') throw failure('EsimInUse')
        // Something else happens to the order at this moment: what became of it decides.
        if (carriedOut.includes((await knownOrder(sql, orderId)).status)) return
        throw failure(type === 'ProviderUnavailable' ? type : 'RefundUnderWay')
      }
    },

    async leaveWithdrawalToOperator({ orderId, asOf, code }) {
      const task = { kind: withdrawalUnsettled, subjectId: orderId, detail: code, at: new Date(asOf) }
      await raiseOperatorTask(sql, task)
    },
  }

  /**
   * Whether an eSIM of the order is used, as the provider reports it; a provider that does not answer must not prevent
   * the statement.
   */
  async function isUsed(order: OrderRow): Promise<boolean> {
    const esims = await listEsimsServed(context, order)
    const used = await Promise.all(
      esims.map(async (esim) => {
        const { state } = esim
        if (state !== 'new' && state !== 'suspended') return isUsedState(state)
        const status = await statusOf(esim)
        if (status && status.state !== 'unknown') return !isNew(status) && isUsedState(status.state)
        // Whether it may run says nothing about its use (Article 16: the right ends with the performance).
        return state === 'suspended' && (esim.usedBytes > 0n || esim.activatedAt !== null)
      }),
    )
    return used.includes(true)
  }

  async function statusOf({ provider, esimRef }: StoredEsim): Promise<EsimStatus | undefined> {
    try {
      const status = context.esimProviders[provider].getStatus(esimRef)
      return await Promise.race([status, pause(providerAnswersWithinMs, undefined, { ref: false })])
    } catch (error) {
      if (!isProviderFailure(error)) throw error
      return undefined
    }
  }

  /**
   * Cancels an order that is not delivered; returns the eSIMs of one that is. Each attempt has its own update id:
   * Temporal would answer a repeated one as it answered the first. The number of the attempt is none, since it begins
   * anew when an operator resets the run or the activity.
   */
  async function askOrder({ id, status }: OrderRow): Promise<void> {
    const limits = {
      deadline: Date.now() + orderAnswersWithinMs,
      updateId: `withdrawal-${randomUUID()}`,
    }
    if (status === 'delivered') await refundDelivered(context, id, 'withdrawn', limits)
    else await sendUpdate(temporal, orderWorkflowId(id), cancel, [], limits)
  }
}
