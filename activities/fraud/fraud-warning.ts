/** Activities about early fraud warnings. */
import type { Context } from '../../context.ts'
import { raiseUnlessSettled, resolveOperatorTask } from '../../db/operator-tasks.ts'
import { isPerhapsNew, listEsims, type StoredEsim } from '../../db/order/esims.ts'
import { fraudWarningTask } from '../../db/order/fraud-warnings.ts'
import { noteInHistory } from '../../db/order/order-history.ts'
import { findOrder, hasPaidTopUps, type OrderRow } from '../../db/order/orders.ts'
import type { FraudWarning } from '../../providers/stripe/fraud-warnings.ts'
import { failureType } from '../../shared/failures.ts'
import type { FraudWarningOutcome, OrderActivities } from '../../workflows/order/order.contract.ts'
import { askAboutPayment } from '../order/provider-alarm.ts'
import { claimReturn } from '../order/provider-returns.ts'

type Activities = Pick<OrderActivities, 'readFraudWarnings' | 'raiseFraudWarning'>

const isKnownUsed = (esim: StoredEsim): boolean =>
  esim.usedBytes > 0n || esim.activatedAt !== null || !isPerhapsNew(esim)

export function createFraudWarningActivities(context: Context): Activities {
  const { sql, stripe } = context

  return {
    async readFraudWarnings({ orderId, asOf, providerIsAway }) {
      const asked = await findOrder(sql, orderId)
      if (!asked || !(await actionableWarning(asked, new Date(asOf)))) return 'nothing'
      // Stripe may have been slow, and the order has gone on.
      const order = await findOrder(sql, orderId)
      // The deletion of an erased account settles what was not delivered.
      if (!order) return 'nothing'
      const outcome = await outcomeOf(order)
      return outcome === 'take_back' && providerIsAway ? decideWithoutProvider(order, new Date(asOf)) : outcome
    },

    async raiseFraudWarning({ orderId, asOf, code }) {
      const at = new Date(asOf)
      const order = await findOrder(sql, orderId)
      const warning = order && (await actionableWarning(order, at))
      if (!order || !warning) return
      await raiseUnlessSettled(sql, fraudWarningTask(warning, { subjectId: orderId, detail: code, at }))
    },
  }

  /** The first warning that is actionable. Without one, the operator task is settled. */
  async function actionableWarning(order: OrderRow, at: Date): Promise<FraudWarning | undefined> {
    const { payment_intent_id: paymentIntentId } = order
    if (!paymentIntentId) return undefined
    const warnings = await askAboutPayment(context, () => stripe.listFraudWarnings(paymentIntentId))
    for (const { warningId: source, createdAt, fraudType: detail } of warnings)
      await noteInHistory(sql, { orderId: order.id, kind: 'fraud_warning', source, at: new Date(createdAt), detail })
    const warning = warnings.findLast(({ actionable }) => actionable)
    if (!warning) await resolveOperatorTask(sql, { kind: 'fraud_warning', subjectId: order.id, by: 'order', at })
    return warning
  }

  /** By our own records, which are as old as the outage, and by what our customers have paid since. */
  async function decideWithoutProvider(order: OrderRow, at: Date): Promise<FraudWarningOutcome> {
    const esims = await listEsims(context, order)
    if (esims.some(isKnownUsed)) return 'operator'
    try {
      await claimReturn(sql, order.id, esims, at)
      return 'take_back'
    } catch (error) {
      if (failureType(error) !== 'EsimInUse') throw error
      return 'operator'
    }
  }

  async function outcomeOf(order: OrderRow): Promise<FraudWarningOutcome> {
    switch (order.status) {
      case 'awaiting_payment':
      case 'in_review':
      case 'provisioning':
        return 'refund'
      case 'delivered': {
        // A top-up cannot be taken back, and an eSIM with one is not unused.
        const isReturnable = order.parent_order_id === null && !(await hasPaidTopUps(sql, order.id))
        return isReturnable ? 'take_back' : 'operator'
      }
      case 'ended':
        return 'operator'
      // The payment is being refunded, an operator decides about it already, or it was never made.
      default:
        return 'nothing'
    }
  }
}
