/** The right to withdraw from the contract of an order, in two steps (policy/withdrawal.ts). */
import type { ApiContext } from '../../context.ts'
import { findOrder, type OrderRow } from '../../db/order/orders.ts'
import { spend } from '../http/allowance.ts'
import { reachableBy } from '../http/caller.ts'
import { defineRoute, type Route } from '../http/route.ts'
import { idParams } from '../http/storable.ts'
import { createWithdrawalClient } from '../runs/withdrawal-client.ts'
import { readWithdrawal, withdrawalRequest, withdrawalView } from '../views/withdrawal-view.ts'

export function withdrawalRoutes(api: ApiContext): Route[] {
  const { sql } = api
  const client = createWithdrawalClient(api)

  const shown = async (order: OrderRow) => ({ status: 200 as const, body: await readWithdrawal(api, order) })

  return [
    defineRoute({
      method: 'post',
      path: '/v1/orders/{id}/withdrawal',
      tag: 'orders',
      summary: 'Withdraw from contract: open, and see what it means',
      description:
        'The first of two steps. It changes nothing for the order. Within 14 days of the order, unless an eSIM of it was installed or used.',
      callers: ['service', 'person'],
      scope: 'orders',
      reads: ['orders'],
      params: idParams,
      body: withdrawalRequest.optional(),
      responses: { 200: { description: 'What is to be confirmed', schema: withdrawalView } },
      problems: ['not_found', 'order_state_conflict', 'withdrawal_period_over'],
      async handle({ params: { id }, body, caller }) {
        const order = reachableBy(caller, await findOrder(sql, id))
        await client.open(order, { name: body?.name })
        return shown(order)
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/orders/{id}/withdrawal/confirm',
      tag: 'orders',
      summary: 'Confirm the withdrawal',
      description:
        'The second step. The answer has the date and time of the statement, and so has the acknowledgement that is mailed at once. The eSIM is returned, and all that is left of the payment is refunded. To repeat it changes nothing.',
      promises: ['U2'],
      callers: ['service', 'person'],
      scope: 'orders',
      reads: ['orders'],
      params: idParams,
      responses: { 200: { description: 'The withdrawal was received', schema: withdrawalView } },
      problems: [
        'not_found',
        'order_state_conflict',
        'withdrawal_not_opened',
        'withdrawal_period_over',
        'withdrawal_right_lost',
        'provider_unavailable',
      ],
      async handle({ params: { id }, caller }) {
        const order = reachableBy(caller, await findOrder(sql, id))
        await spend(api, 'withdrawal', { accountId: order.account_id })
        await client.confirm(order)
        return shown(order)
      },
    }),
  ]
}
