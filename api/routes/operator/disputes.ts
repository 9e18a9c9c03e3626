/** Operators answer the bank about a dispute, or accept it. Nothing else submits evidence. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { listDisputes, recordDisputeTasks, upsertDispute } from '../../../db/order/disputes.ts'
import { findOrder } from '../../../db/order/orders.ts'
import { isProviderFailure } from '../../../providers/failure.ts'
import type { Dispute } from '../../../providers/stripe/disputes.ts'
import { createOrderSignals } from '../../../temporal/order-signals.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { sentId } from '../../http/storable.ts'
import { orderDetails, viewOrder } from '../../views/order-view.ts'

const params = z.strictObject({
  id: sentId,
  disputeId: z.string().regex(/^\w{1,100}$/, "must be a dispute's id at Stripe"),
})

export function disputeRoutes(api: ApiContext): Route[] {
  const { sql, stripe } = api
  const signals = createOrderSignals(api)

  /**
   * @param isDone an earlier request was answered with 503 or not at all, and was applied
   * @param isPossible what Stripe would accept now
   */
  const act = (
    name: 'submit' | 'accept',
    summary: string,
    isDone: (dispute: Dispute) => boolean,
    isPossible: (dispute: Dispute) => boolean,
    ask: (disputeId: string) => Promise<Dispute>,
  ): Route =>
    defineRoute({
      method: 'post',
      path: `/v1/orders/{id}/disputes/{disputeId}/${name}`,
      tag: 'orders',
      summary,
      promises: ['U5'],
      callers: ['operator'],
      reads: ['orders', 'esims'],
      params,
      responses: { 200: { description: 'The order', schema: orderDetails } },
      problems: ['not_found', 'dispute_state_conflict'],
      async handle({ params: { id, disputeId }, caller }) {
        const order = await findOrder(sql, id)
        const known = order && (await listDisputes(sql, id)).some((row) => row.stripe_dispute_id === disputeId)
        if (!known) throw new Problem('not_found')
        let dispute = await stripe.getDispute(disputeId)
        if (!isDone(dispute)) {
          if (!isPossible(dispute)) throw new Problem('dispute_state_conflict', { detail: `It is ${dispute.status}.` })
          dispute = await ask(disputeId).catch((error: unknown) => {
            // Stripe knows a dispute that it has just shown, whatever it says at the moment.
            const isRefusal = isProviderFailure(error) && error.kind === 'rejected' && error.code !== 'resource_missing'
            if (!isRefusal) throw error
            throw new Problem('dispute_state_conflict', { detail: `Stripe refuses: ${error.code}` })
          })
        }
        await upsertDispute(sql, id, dispute, new Date())
        await recordDisputeTasks(sql, dispute, id, new Date())
        // The eSIM follows: a lost dispute keeps it suspended.
        await signals.dispute(id, disputeId)
        return {
          status: 200,
          headers: { 'Cache-Control': 'no-store' },
          body: { ...(await viewOrder(api, order, caller.kind)), payment: null, installUrl: null, esims: [] },
        }
      },
    })

  return [
    act(
      'submit',
      'Send the staged evidence to the bank, which takes it once',
      ({ submissionCount }) => submissionCount > 0,
      ({ awaitsEvidence, hasEvidence }) => awaitsEvidence && hasEvidence,
      (disputeId) => stripe.submitEvidence(disputeId, `dispute-${disputeId}:submit`),
    ),
    act(
      'accept',
      'Accept the dispute: it is lost for good',
      ({ status }) => status === 'lost',
      ({ isOver }) => !isOver,
      (disputeId) => stripe.acceptDispute(disputeId, `dispute-${disputeId}:accept`),
    ),
  ]
}
