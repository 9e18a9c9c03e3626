/** Operators' programs answer the bank about a dispute, or accept it, with an entry in the timeline of the order. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { findOrder } from '../../../db/order/orders.ts'
import { actAndRecord } from '../../acts/recorded-acts.ts'
import { orNotFound } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { sentId } from '../../http/storable.ts'
import { createDisputeClient, type DisputeActName } from '../../runs/dispute-client.ts'
import { actReason } from '../../views/operator-words.ts'
import { oneOrder, viewOrder } from '../../views/order-view.ts'

export const disputeParams = z.strictObject({
  id: sentId,
  disputeId: z.string().regex(/^\w{1,100}$/, "must be a dispute's id at Stripe"),
})

export function disputeRoutes(api: ApiContext): Route[] {
  const { sql } = api
  const disputes = createDisputeClient(api)

  const act = (name: DisputeActName, summary: string): Route =>
    defineRoute({
      method: 'post',
      path: `/v1/orders/{id}/disputes/{disputeId}/${name}`,
      tag: 'orders',
      summary,
      promises: ['U5'],
      callers: ['operator'],
      reads: ['orders', 'esims'],
      params: disputeParams,
      body: actReason.optional(),
      responses: { 200: oneOrder },
      problems: [
        'not_found',
        'dispute_state_conflict',
        ...(name === 'accept' ? (['second_operator_required'] as const) : []),
      ],
      async handle({ params: { id, disputeId }, body, caller }) {
        const order = orNotFound(await findOrder(sql, id))
        const entry = disputes.entryOf(name, order, await disputes.known(id, disputeId))
        await actAndRecord(api, caller, undefined, { ...entry, reason: body?.reason ?? null }, () =>
          disputes.perform(name, id, disputeId),
        )
        return {
          status: 200,
          body: await viewOrder(api, order, caller.kind),
        }
      },
    })

  return [
    act('submit', 'Send the staged evidence to the bank, which takes it once'),
    act('accept', 'Accept the dispute: it is lost for good'),
  ]
}
