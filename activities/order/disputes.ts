/** Activities about disputes, in which the customer's bank takes a payment back. */
import type { Context } from '../../context.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../../db/operator-tasks.ts'
import { isDisputed, upsertDispute } from '../../db/order/disputes.ts'
import { listEsims, type StoredEsim, setEsimSuspended } from '../../db/order/esims.ts'
import { findOrder, type OrderRow } from '../../db/order/orders.ts'
import type { EsimProviderId } from '../../providers/esim.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { isDisputeOver } from '../../providers/stripe/refunds.ts'
import { failure } from '../../shared/failures.ts'
import type { OrderActivities } from '../../workflows/order/order.contract.ts'
import { paymentFailureTypes, withFailureTypes } from '../failures.ts'

type Activities = Pick<OrderActivities, 'recordDispute'>

export function createDisputeActivities(context: Context): Activities {
  const { sql, stripe } = context

  return {
    /** Erased orders get operator tasks but no rows: an operator has to answer the bank. */
    async recordDispute({ orderId, disputeId, asOf }) {
      const at = new Date(asOf)
      const order = await findOrder(sql, orderId)
      const dispute = await withFailureTypes(paymentFailureTypes, () => stripe.getDispute(disputeId))
      const closed = isDisputeOver(dispute.status)
      if (order) await upsertDispute(sql, { disputeId, orderId: order.id, state: dispute.status, at, closed })
      const task = { subjectId: disputeId, at }
      // The operator task comes first: the bank sets a deadline, and the provider may be down.
      if (!closed)
        await raiseOperatorTask(sql, { ...task, kind: 'dispute_open', detail: order ? dispute.reason : 'erased' })
      else await resolveOperatorTask(sql, { ...task, kind: 'dispute_open', by: dispute.status })
      if (dispute.status === 'lost') await raiseOperatorTask(sql, { ...task, kind: 'dispute_lost' })
      if (order) await suspendOrResume(order, at)
    },
  }

  /** Decides by all disputes about an eSIM: of its order and of each of its top-ups. */
  async function suspendOrResume(order: OrderRow, at: Date): Promise<void> {
    const orderId = order.parent_order_id ?? order.id
    for (const esim of await disputedEsims(order)) {
      const suspended = await isDisputed(sql, { id: esim.id, orderId })
      if (esim.suspended === suspended || esim.state === 'cancelled' || esim.state === 'expired') continue
      if ((await askProvider(esim, suspended)) === 'done') await setEsimSuspended(sql, esim.id, suspended)
      else if (suspended) await raiseOperatorTask(sql, { kind: 'esim_not_suspendable', subjectId: order.id, at })
    }
  }

  /** The eSIMs of the order, or the one that a top-up was bought for. */
  async function disputedEsims(order: OrderRow): Promise<StoredEsim[]> {
    const parent = order.parent_order_id === null ? undefined : await findOrder(sql, order.parent_order_id)
    const esims = await listEsims(context, parent ?? order)
    return parent ? esims.filter(({ id }) => id === order.esim_id) : esims
  }

  async function askProvider(esim: StoredEsim, suspended: boolean): Promise<'done' | 'unsupported'> {
    const provider = context.esimProviders[esim.provider as EsimProviderId]
    try {
      return await (suspended ? provider.suspend(esim.esimRef) : provider.unsuspend(esim.esimRef))
    } catch (error) {
      if (!isProviderFailure(error)) throw error
      // The eSIM may have ended meanwhile.
      if (error.kind === 'rejected') return 'unsupported'
      throw failure('ProviderUnavailable', { code: error.code })
    }
  }
}
