/** A customer's bank takes the payment back for the time being, or for good. */
import type { Context } from '../context.ts'
import { raiseAttention, resolveAttention } from '../db/attention.ts'
import { upsertDispute } from '../db/disputes.ts'
import { listEsims, setEsimSuspended } from '../db/esims.ts'
import { findOrder, type OrderRow } from '../db/orders.ts'
import type { EsimProviderId } from '../providers/esim.ts'
import type { OrderActivities } from '../workflows/order.contract.ts'
import { inTermsOf, payment as paymentTerms } from './failures.ts'

type Activities = Pick<OrderActivities, 'recordDispute'>

const suspending = { unavailable: 'ProviderUnavailable', rejected: 'EsimInUse' } as const

export function createDisputeActivities(context: Context): Activities {
  const { sql, stripe } = context

  return {
    /** Also for orders that were erased: the dispute itself names nobody, and an operator has to answer the bank. */
    async recordDispute({ orderId, disputeId, asOf }) {
      const at = new Date(asOf)
      const order = await findOrder(sql, orderId)
      const dispute = await inTermsOf(paymentTerms, () => stripe.getDispute(disputeId))
      const closed = ['won', 'lost', 'prevented', 'warning_closed'].includes(dispute.status)
      await upsertDispute(sql, { disputeId, orderId: order?.id ?? null, state: dispute.status, at, closed })
      if (order) await setSuspended(order, !closed || dispute.status === 'lost', at)
      const matter = { subjectId: disputeId, at }
      if (!closed)
        return raiseAttention(sql, { ...matter, kind: 'dispute_open', detail: order ? dispute.reason : 'erased' })
      await resolveAttention(sql, { ...matter, kind: 'dispute_open', by: dispute.status })
      if (dispute.status === 'lost') await raiseAttention(sql, { ...matter, kind: 'dispute_lost' })
    },
  }

  async function setSuspended(order: OrderRow, suspended: boolean, at: Date): Promise<void> {
    for (const esim of await listEsims(context, order)) {
      if (esim.suspended === suspended || esim.state === 'cancelled' || esim.state === 'expired') continue
      const provider = context.esimProviders[esim.provider as EsimProviderId]
      const outcome = await inTermsOf(suspending, () =>
        suspended ? provider.suspend(esim.esimRef) : provider.unsuspend(esim.esimRef),
      )
      if (outcome === 'done') await setEsimSuspended(sql, esim.id, suspended)
      else if (suspended) await raiseAttention(sql, { kind: 'esim_not_suspendable', subjectId: order.id, at })
    }
  }
}
