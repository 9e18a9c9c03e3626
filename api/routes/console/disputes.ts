/** The disputes of an order on the console: an operator sends the evidence to the bank, or accepts. */
import type { ApiContext } from '../../../context.ts'
import type { Disputes } from '../../../db/connection/schema.ts'
import { findOrder } from '../../../db/order/orders.ts'
import { moment, money } from '../../../mails/format.ts'
import { orNotFound } from '../../http/problem.ts'
import type { Route } from '../../http/route.ts'
import { createDisputeClient, type DisputeActName } from '../../runs/dispute-client.ts'
import { plain } from '../../views/plain.ts'
import { disputeParams as params } from '../operator/disputes.ts'
import { actRoutes, reasonAlone } from './console-route.ts'

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

/** What the bank wants of us until when, and what we have done about it. */
export function aboutDispute(dispute: Disputes): string {
  const { amount_minor: minor, currency, reason, due_by: dueBy, closed_at: closedAt } = dispute
  const amount = minor === null || currency === null ? [] : [money({ minor, currency })]
  return [
    [...amount, ...(reason === null ? [] : [plain(reason)])].join(', '),
    closedAt !== null ? `closed ${moment(closedAt)}` : dueBy !== null ? `the bank waits until ${moment(dueBy)}` : '',
    evidenceOf(dispute),
  ]
    .filter((part) => part !== '')
    .map((part) => `${part[0]?.toUpperCase()}${part.slice(1)}.`)
    .join(' ')
}

function evidenceOf({ closed_at, evidence_submitted_at, submission_count, has_evidence }: Disputes): string {
  if (evidence_submitted_at !== null || submission_count > 0) return 'the evidence was submitted'
  if (closed_at !== null) return ''
  return has_evidence ? 'the evidence is beside it, not submitted yet' : 'there is no evidence beside it'
}

export function consoleDisputeRoutes(api: ApiContext): Route[] {
  const { sql } = api
  const disputes = createDisputeClient(api)

  return acts.flatMap(({ name, label, does, danger }) =>
    actRoutes(api, {
      path: `/console/orders/{id}/disputes/{disputeId}/${name}`,
      does,
      permission: 'money',
      promises: ['U5'],
      reads: ['orders'],
      params,
      ...reasonAlone,
      async find({ id, disputeId }) {
        const order = orNotFound(await findOrder(sql, id))
        return { order, dispute: await disputes.known(id, disputeId) }
      },
      aboutOf: ({ order }) => [order.account_id],
      pageOf({ order, dispute }) {
        const { stripe_dispute_id: id, amount_minor: minor, currency, due_by: dueBy } = dispute
        const amount = minor === null || currency === null ? '' : ` over ${money({ minor, currency })}`
        const until = dueBy === null ? '' : ` The bank waits until ${moment(dueBy)}.`
        return {
          about: { path: `/console/orders/${order.id}`, name: `Order ${order.id}` },
          action: `/console/orders/${order.id}/disputes/${id}/${name}`,
          label,
          does: `Dispute ${id}${amount}. ${does}${until}`,
          danger,
        }
      },
      entryOf: ({ order, dispute }) => disputes.entryOf(name, order, dispute),
      perform: ({ order, dispute }) => disputes.perform(name, order.id, dispute.stripe_dispute_id),
      doneAt: ({ id }) => `/console/orders/${id}`,
    }),
  )
}
