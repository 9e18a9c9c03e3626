import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { readOrderRows } from '../../../db/operator/order-rows.ts'
import { findOrder } from '../../../db/order/orders.ts'
import { orNotFound } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { idParams } from '../../http/storable.ts'
import { timelineOf } from '../../views/timeline/order-timeline.ts'
import { timelineEntry } from '../../views/timeline/timeline-entry.ts'

const timeline = z
  .object({ orderId: z.uuid(), accountId: z.uuid(), items: z.array(timelineEntry) })
  .meta({ id: 'OrderTimeline' })

export function orderTimelineRoutes({ sql }: ApiContext): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v1/operator/orders/{id}/timeline',
      tag: 'operation',
      summary: 'Everything that happened to an order, the oldest first',
      callers: ['operator'],
      reads: ['orders', 'esims'],
      params: idParams,
      responses: { 200: { description: 'The timeline', schema: timeline } },
      problems: ['not_found'],
      async handle({ params: { id } }) {
        const order = orNotFound(await findOrder(sql, id))
        const items = timelineOf(order, await readOrderRows(sql, id), new Date())
        return {
          status: 200,
          body: {
            orderId: id,
            accountId: order.account_id,
            items: items.map(({ at, ...entry }) => ({ ...entry, at: at.toISOString() })),
          },
        }
      },
    }),
  ]
}
