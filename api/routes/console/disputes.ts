/** The disputes of an order on the console: an operator sends the evidence to the bank, or accepts. */
import { randomUUID } from 'node:crypto'
import type { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import type { Disputes } from '../../../db/connection/schema.ts'
import { findOrder } from '../../../db/order/orders.ts'
import { moment, money } from '../../../mails/format.ts'
import type { ConsoleUser } from '../../http/caller.ts'
import { type FieldError, Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { renderAct } from '../../pages/console/act.tsx'
import { createDisputeClient, type DisputeActName } from '../../runs/dispute-client.ts'
import { disputeParams as params } from '../operator/disputes.ts'
import { done, frameOf, goTo, headers, page } from './console-route.ts'
import { performAct, sentForm } from './perform-act.ts'

interface DisputeAct {
  name: DisputeActName
  label: string
  does: string
  danger: boolean
  isOffered(dispute: Disputes): boolean
}

const acts: readonly DisputeAct[] = [
  {
    name: 'submit',
    label: 'Submit the evidence',
    does: 'The evidence that was put beside the dispute is sent to the bank, which takes it once: nothing can be added later.',
    danger: false,
    isOffered: ({ closed_at, has_evidence, submission_count, past_due }) =>
      closed_at === null && has_evidence && submission_count === 0 && !past_due,
  },
  {
    name: 'accept',
    label: 'Accept the dispute',
    does: 'The dispute is lost for good: the customer keeps the money, and the eSIM stays suspended.',
    danger: true,
    isOffered: ({ closed_at }) => closed_at === null,
  },
]

/** The acts that are possible on a dispute now. */
export const disputeActsOf = (dispute: Disputes): readonly DisputeAct[] => acts.filter((act) => act.isOffered(dispute))

export function consoleDisputeRoutes(api: ApiContext): Route[] {
  const { sql } = api
  const disputes = createDisputeClient(api)

  /** @throws Problem not_found */
  async function known({ id, disputeId }: z.output<typeof params>) {
    const order = await findOrder(sql, id)
    if (!order) throw new Problem('not_found')
    return { order, dispute: await disputes.known(id, disputeId) }
  }

  const formOf = (
    { name, label, does, danger }: DisputeAct,
    dispute: Disputes,
    caller: ConsoleUser,
    typed: { once: string; reason: string; faults: FieldError[] },
  ): string => {
    const { order_id: orderId, stripe_dispute_id: id, amount_minor: minor, currency, due_by: dueBy } = dispute
    const amount = minor === null || currency === null ? '' : ` over ${money({ minor, currency })}`
    const until = dueBy === null ? '' : ` The bank waits until ${moment(dueBy)}.`
    return renderAct(frameOf(api, caller), {
      about: { path: `/console/orders/${orderId}`, name: `Order ${orderId}` },
      action: `/console/orders/${orderId}/disputes/${id}/${name}`,
      label,
      does: `Dispute ${id}${amount}. ${does}${until}`,
      danger,
      ...typed,
    })
  }

  const actRoutes = (act: DisputeAct): Route[] => [
    defineRoute({
      method: 'get',
      path: `/console/orders/{id}/disputes/{disputeId}/${act.name}`,
      tag: 'console',
      summary: `Asks for the reason: ${act.does}`,
      callers: ['console'],
      permission: 'money',
      reads: ['orders'],
      params,
      responses: { 200: page },
      problems: ['not_found'],
      async handle({ params: ids, caller }) {
        const { order, dispute } = await known(ids)
        const typed = { once: randomUUID(), reason: '', faults: [] }
        return { status: 200, headers, about: [order.account_id], raw: formOf(act, dispute, caller, typed) }
      },
    }),
    defineRoute({
      method: 'post',
      path: `/console/orders/{id}/disputes/{disputeId}/${act.name}`,
      tag: 'console',
      summary: act.does,
      promises: ['U5'],
      callers: ['console'],
      permission: 'money',
      form: true,
      params,
      body: sentForm,
      responses: { ...done, 422: { ...page, description: 'It was not done; the page says why' } },
      problems: ['not_found'],
      async handle({ params: ids, body: { once, reason }, caller }) {
        const { id, disputeId } = ids
        const { order, dispute } = await known(ids)
        const operation = `POST /console/orders/{id}/disputes/{disputeId}/${act.name}`
        const entry = { ...disputes.entryOf(act.name, disputeId), accountId: order.account_id, orderId: id, reason }
        const faults = await performAct(api, caller, { operation, once, content: { ...ids, reason } }, entry, () =>
          disputes.perform(act.name, id, disputeId),
        )
        if (faults.length === 0) return goTo(`/console/orders/${id}`)
        return { status: 422, headers, raw: formOf(act, dispute, caller, { once, reason, faults }) }
      },
    }),
  ]

  return acts.flatMap(actRoutes)
}
