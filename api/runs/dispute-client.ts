/** Operators answer the bank about a dispute, or accept it. Nothing else submits evidence. */
import type { ApiContext } from '../../context.ts'
import type { Disputes } from '../../db/connection/schema.ts'
import { acceptDispute } from '../../db/operator/refund-sums.ts'
import { listDisputes, recordDisputeTasks, upsertDispute } from '../../db/order/disputes.ts'
import type { OrderRow } from '../../db/order/orders.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import type { Dispute } from '../../providers/stripe/disputes.ts'
import { createOrderSignals } from '../../temporal/order-signals.ts'
import { Problem } from '../http/problem.ts'

export type DisputeActName = 'submit' | 'accept'

interface DisputeAct {
  /** in the entry of the operator's act */
  act: string
  /** an earlier request was answered with 503 or not at all, and was applied */
  isDone(dispute: Dispute): boolean
  /** what Stripe would accept now */
  isPossible(dispute: Dispute): boolean
  ask(disputeId: string): Promise<Dispute>
}

/** What operators do to a dispute at Stripe. */
export function createDisputeClient(api: ApiContext) {
  const { sql, stripe } = api
  const signals = createOrderSignals(api)
  const acts: Record<DisputeActName, DisputeAct> = {
    submit: {
      act: 'submit-evidence',
      isDone: ({ submissionCount }) => submissionCount > 0,
      isPossible: ({ awaitsEvidence, hasEvidence }) => awaitsEvidence && hasEvidence,
      ask: (disputeId) => stripe.submitEvidence(disputeId, `dispute-${disputeId}:submit`),
    },
    accept: {
      act: acceptDispute,
      isDone: ({ status }) => status === 'lost',
      isPossible: ({ isOver }) => !isOver,
      ask: (disputeId) => stripe.acceptDispute(disputeId, `dispute-${disputeId}:accept`),
    },
  }

  return {
    /** @throws Problem not_found when the order has no such dispute */
    async known(orderId: string, disputeId: string): Promise<Disputes> {
      const row = (await listDisputes(sql, orderId)).find((each) => each.stripe_dispute_id === disputeId)
      if (!row) throw new Problem('not_found')
      return row
    },

    /** The entry of the act. What is accepted counts with its amount, unless the bank reckons in another currency. */
    entryOf: (
      name: DisputeActName,
      { id, account_id, currency }: Pick<OrderRow, 'id' | 'account_id' | 'currency'>,
      dispute: Pick<Disputes, 'stripe_dispute_id' | 'amount_minor' | 'currency'>,
    ) => ({
      accountId: account_id,
      orderId: id,
      act: acts[name].act,
      subject: dispute.stripe_dispute_id,
      ...(name === 'accept' && { amountMinor: dispute.currency === currency ? dispute.amount_minor : null }),
    }),

    /** @throws Problem dispute_state_conflict; ProviderFailure when Stripe does not answer, and may have done it */
    async perform(name: DisputeActName, orderId: string, disputeId: string): Promise<void> {
      const { isDone, isPossible, ask } = acts[name]
      let dispute = await stripe.getDispute(disputeId)
      if (!isDone(dispute)) {
        if (!isPossible(dispute)) throw new Problem('dispute_state_conflict', { detail: `It is ${dispute.status}.` })
        dispute = await ask(disputeId).catch((error: unknown) => {
          // Stripe has just shown this dispute: "not found" is a passing failure.
          const isRefusal = isProviderFailure(error) && error.kind === 'rejected' && error.code !== 'resource_missing'
          if (!isRefusal) throw error
          throw new Problem('dispute_state_conflict', { detail: `Stripe refuses: ${error.code}` })
        })
      }
      // A decision that has come meanwhile stays: the run reads it again.
      if (await upsertDispute(sql, orderId, dispute, new Date()))
        await recordDisputeTasks(sql, dispute, orderId, new Date())
      // The eSIM follows: a lost dispute keeps it suspended.
      await signals.dispute(orderId, disputeId)
    },
  }
}
