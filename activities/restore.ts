/**
 * U2, paid means delivered or refunded: a payment that a restore could not tie to an order is refunded, and the eSIM
 * returned if it is unused.
 */
import { heartbeat } from '@temporalio/activity'
import type { WorkerContext } from '../context.ts'
import {
  countItems,
  type ItemToSettle,
  keepPlacement,
  listItemsToSettle,
  openTraffic,
  type RestoredItem,
  settleItem,
} from '../db/backup/restores.ts'
import { faultOfData } from '../db/connection/constraint.ts'
import { raiseOperatorTask } from '../db/operator-tasks.ts'
import { creditInvoice, settleFact } from '../db/order/books.ts'
import { isProviderFailure, ProviderFailure } from '../providers/failure.ts'
import type { Payment } from '../providers/stripe/payments.ts'
import type { Refund } from '../providers/stripe/refunds.ts'
import { dayIn, plusMs } from '../shared/calendar.ts'
import { failure, failureCode, failureType } from '../shared/failures.ts'
import { mapUntilFault } from '../shared/map-until-fault.ts'
import { startUnlessOpen, terminateIfOpen } from '../temporal/runs.ts'
import { terminationReasons } from '../temporal/termination-reasons.ts'
import type { RestoreActivities } from '../workflows/backup/restore.contract.ts'
import { orderWorkflowId } from '../workflows/order/order.contract.ts'
import { paymentSweepType, paymentSweepWorkflowId } from '../workflows/order/payment-sweep.contract.ts'
import { recordedAt } from './failures.ts'
import { createProviderReturns, unreturned } from './order/provider-returns.ts'
import { refundUnlessTakenBack } from './order/refunds/lost-disputes.ts'
import { leftOf } from './order/refunds/refund.ts'
import { hasNotFailed, listedWith, refundBounced, refundedMinorOf } from './order/refunds/refund-records.ts'
import { paymentWithoutOrder } from './payment-sweep.ts'

/** Nobody is served before the payments are settled, and Stripe takes 25 calls of a kind at a time at least. */
const atOnce = 8

type Settled = Pick<RestoredItem, 'outcome'> & { detail?: string }

export function createRestoreActivities(context: WorkerContext): RestoreActivities {
  const { sql, stripe, temporal, config, esimProviders, log } = context
  const returns = createProviderReturns(context)

  return {
    async settleRestored({ restoreId, asOf }) {
      const left = { payments: 0, esims: 0 }
      const at = recordedAt(asOf)
      await mapUntilFault(await listItemsToSettle(sql, restoreId), settleOne, { concurrency: atOnce })
      return left

      async function settleOne(item: ItemToSettle): Promise<void> {
        heartbeat()
        try {
          const settled = await settle(restoreId, item, at)
          await settleItem(sql, restoreId, { ...item, ...settled })
        } catch (error) {
          const code = isProviderFailure(error)
            ? error.code
            : (failureCode(error) ?? failureType(error) ?? faultOfData(error))
          // Any other error is a fault of our code, and ends the attempt.
          if (code === undefined) throw error
          log.warn({ kind: item.kind, code }, 'an item of a restore cannot be settled yet')
          // A refusal of a party, such as for the refund of a disputed payment, keeps nobody else waiting.
          const isRefused = isProviderFailure(error) && error.kind === 'rejected'
          left[item.kind === 'payment' && !isRefused ? 'payments' : 'esims'] += 1
        }
      }
    },

    async openTraffic({ restoreId, asOf }) {
      await openTraffic(sql, restoreId, new Date(asOf))
      // Webhooks that came while the database was lost: their events are read as if they had been missed.
      await startUnlessOpen(temporal, {
        type: paymentSweepType,
        workflowId: `${paymentSweepWorkflowId}-after-${restoreId}`,
        taskQueue: config.TEMPORAL_TASK_QUEUE,
        staticSummary: 'Reads what Stripe has seen, after a restore',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      })
    },

    async leaveRestoredToOperators({ restoreId, asOf }) {
      const at = new Date(asOf)
      for (const { kind, subjectId, plan } of await listItemsToSettle(sql, restoreId)) {
        const task =
          kind === 'payment'
            ? { kind: paymentWithoutOrder, subjectId: plan.paymentIntentId ?? subjectId }
            : { kind: unreturned, subjectId }
        await raiseOperatorTask(sql, { ...task, detail: 'restore', at })
        await settleItem(sql, restoreId, { kind, subjectId, outcome: 'undecided' })
      }
      const counts = Object.values(await countItems(sql, restoreId))
      return { undecided: counts.reduce((sum, outcomes) => sum + (outcomes.undecided ?? 0), 0) }
    },
  }

  async function settle(restoreId: string, item: ItemToSettle, at: Date): Promise<Settled> {
    const { kind, subjectId, plan } = item
    if (plan.orderId !== null) await endRun(plan.orderId)
    if (kind === 'payment') return settlePayment(plan, at)
    const { placement } = plan
    if (!placement) return { outcome: 'undecided' }
    let returnsAsked = placement.returnsAsked ?? []
    try {
      const { outcome, missing } = await returns.returnEsims(placement, {
        async keep({ marks, task }) {
          returnsAsked = [...returnsAsked, ...marks]
          if (task) await raiseOperatorTask(sql, { ...task, subjectId, at })
          await keepPlacement(sql, restoreId, item, { ...placement, returnsAsked })
        },
      })
      if (missing !== undefined) await raiseOperatorTask(sql, { kind: unreturned, subjectId, detail: missing, at })
      return { outcome: 'given_back', ...(outcome === 'never_placed' && { detail: outcome }) }
    } catch (error) {
      // The customer keeps what they use, and has the money back.
      if (failureType(error) === 'EsimInUse') return { outcome: 'given_back', detail: 'kept_in_use' }
      const { provider, placedAfter } = placement
      const soughtUntil = plusMs(new Date(placedAfter), esimProviders[provider].settling.soughtForMs)
      if (failureType(error) === 'PlacementUnsettled' && at >= soughtUntil)
        return { outcome: 'given_back', detail: 'never_placed' }
      throw error
    }
  }

  /** Its order is gone: it could only fail, and must not act on it meanwhile. */
  async function endRun(orderId: string): Promise<void> {
    await terminateIfOpen(temporal, orderWorkflowId(orderId), terminationReasons.orderLost)
  }

  /** The saved cards of a lost account: nobody else would ever delete them. */
  async function deleteLostCustomer({ customerId }: Payment): Promise<void> {
    if (customerId === null) return
    const owners = await sql`select from accounts where stripe_customer_id = ${customerId}`
    if (owners.length === 0) await stripe.deleteCustomer(customerId)
  }

  /** Ends a page on which nobody is to pay any more. @returns the payment, if it was faster */
  async function endPage(pageId: string): Promise<string | null> {
    const outcome = await stripe.endHostedPayment(pageId, `restored-${pageId}:cancel`)
    if (outcome === 'processing') throw failure('PaymentPending', { code: outcome })
    return outcome === 'already_paid' ? (await stripe.getHostedPayment(pageId)).paymentIntentId : null
  }

  async function settlePayment(plan: ItemToSettle['plan'], at: Date): Promise<Settled> {
    const { pageId, factId, invoiceNumber } = plan
    const paymentIntentId = plan.paymentIntentId ?? (pageId === undefined ? null : await endPage(pageId))
    if (paymentIntentId === null) return { outcome: pageId === undefined ? 'undecided' : 'cancelled' }
    const payment = await stripe.getPayment(paymentIntentId)
    if (payment.status !== 'succeeded') {
      const outcome = await stripe.cancelPayment(paymentIntentId, `restored-${paymentIntentId}:cancel`)
      if (outcome === 'already_paid') return settlePayment(plan, at)
      if (outcome === 'processing') throw failure('PaymentPending', { code: outcome })
      await deleteLostCustomer(payment)
      return { outcome: 'cancelled' }
    }
    const left = leftOf(payment)
    const idempotencyKey = `restored-${paymentIntentId}:refund`
    const refund = {
      paymentIntentId,
      amountMinor: 'rest' as const,
      idempotencyKey,
      reasonCode: 'not_delivered_in_time',
      lookFirst: true,
    }
    let made: Refund | undefined
    const askForRefund = async () => {
      made = await stripe.refund(refund)
    }
    const takenBack = left > 0 ? await refundUnlessTakenBack(context, payment, left, askForRefund) : []
    const refunds = [...takenBack, ...listedWith(made, await stripe.listRefunds(paymentIntentId))]
    // Its key is spent: an operator finds another way for the money.
    if (refunds.some((refund) => refund.refundId === made?.refundId && !hasNotFailed(refund)))
      throw new ProviderFailure('stripe', 'rejected', refundBounced)
    await sql.begin(async (tx) => {
      if (invoiceNumber !== null)
        await creditInvoice(tx, invoiceNumber, refundedMinorOf(refunds), dayIn(config.SELLER_TIME_ZONE, at))
      if (factId !== null) await settleFact(tx, factId, 'refunded', refundedMinorOf(refunds))
    })
    await deleteLostCustomer(payment)
    const isOurs = refunds.some(({ refundKey }) => refundKey === idempotencyKey)
    return { outcome: 'refunded', ...(left <= 0 && !isOurs && { detail: 'before_the_restore' }) }
  }
}
