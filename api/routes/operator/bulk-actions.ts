/** The same act for many orders: prepared from a selection, started by an operator, and reported order by order. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { type BulkChange, listBulkActions, listBulkOrders } from '../../../db/operator/bulk-actions.ts'
import { actAndRecord } from '../../acts/recorded-acts.ts'
import { actorOf } from '../../http/caller.ts'
import { cutPage, decodeCursor, pageOf, pageQuery } from '../../http/cursor.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { idParams, sentId, sentTime } from '../../http/storable.ts'
import { createBulkActionClient } from '../../runs/bulk-action-client.ts'
import {
  bulkAct,
  bulkAction,
  bulkActionSummary,
  bulkOrder,
  bulkSelection,
  viewBulkAction,
  viewBulkOrder,
  viewSummary,
} from '../../views/bulk-action-view.ts'
import { actReason, taskNote } from '../../views/operator-words.ts'

export const mostOrders = 5_000

const newBulkAction = z
  .strictObject({
    act: bulkAct.describe('`retry`: at once and elsewhere; `refund`: in full; `apologise`: by a mail, once'),
    selection: bulkSelection,
    limit: z.int().min(1).max(mostOrders).default(mostOrders).describe('the most orders, those paid first'),
    reason: taskNote.min(3).describe('without personal data'),
  })
  .meta({ id: 'NewBulkAction' })

const one = { description: 'The bulk action with its report', schema: bulkAction }
export const bulkPosition = z.tuple([sentTime, sentId])
export const bulkOrderPosition = z.tuple([sentId])

export function bulkActionRoutes(api: ApiContext): Route[] {
  const { sql } = api
  const client = createBulkActionClient(api)

  const change = (name: BulkChange, summary: string): Route =>
    defineRoute({
      method: 'post',
      path: `/v1/bulk-actions/{id}/${name}`,
      tag: 'bulk actions',
      summary,
      callers: ['operator'],
      promises: ['U2'],
      idempotencyKey: 'optional',
      params: idParams,
      body: actReason.optional(),
      responses: { 200: one },
      problems: ['not_found', 'bulk_action_state_conflict'],
      async handle({ params: { id }, body, caller, idempotency }) {
        await client.found(id)
        const entry = { ...client.entryOf(name, id), reason: body?.reason ?? null }
        await actAndRecord(api, caller, idempotency, entry, (ids) => client.change(id, name, ids))
        return { status: 200, body: await viewBulkAction(api, await client.found(id)) }
      },
    })

  return [
    defineRoute({
      method: 'post',
      path: '/v1/bulk-actions',
      tag: 'bulk actions',
      summary: 'Select orders for an act, and see their number and sum',
      description: 'Nothing is done to an order before the bulk action is started. It holds the orders selected now.',
      promises: ['U2'],
      callers: ['operator'],
      unrecorded: 'the bulk action itself says who has prepared it, and why',
      idempotencyKey: 'required',
      body: newBulkAction,
      responses: { 201: { ...one, headers: { Location: 'its address' } } },
      async handle({ body: { act, selection, limit, reason }, caller, idempotency }) {
        const { resourceId: id } = await idempotency.claim(null)
        const prepared = { id, act, selection, reason, prepared_by: actorOf(caller), prepared_at: new Date() }
        const row = await client.prepare(prepared, limit)
        return { status: 201, headers: { Location: `/v1/bulk-actions/${id}` }, body: await viewBulkAction(api, row) }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/bulk-actions',
      tag: 'bulk actions',
      summary: 'List bulk actions, the newest first',
      callers: ['operator'],
      query: z.strictObject(pageQuery),
      responses: { 200: { description: 'A page', schema: pageOf(bulkActionSummary).meta({ id: 'BulkActionPage' }) } },
      async handle({ query: { cursor, limit } }) {
        const found = await listBulkActions(sql, { after: decodeCursor(cursor, bulkPosition), limit: limit + 1 })
        const { rows, nextCursor } = cutPage(found, limit, (row) => [row.prepared_at.toISOString(), row.id])
        return { status: 200, body: { items: rows.map(viewSummary), nextCursor } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/bulk-actions/{id}',
      tag: 'bulk actions',
      summary: 'The report of a bulk action, as it is now',
      promises: ['U2'],
      callers: ['operator'],
      params: idParams,
      responses: { 200: one },
      problems: ['not_found'],
      handle: async ({ params: { id } }) => ({
        status: 200,
        body: await viewBulkAction(api, await client.found(id)),
      }),
    }),
    defineRoute({
      method: 'get',
      path: '/v1/bulk-actions/{id}/orders',
      tag: 'bulk actions',
      summary: 'Its orders, each with its outcome',
      callers: ['operator'],
      reads: ['orders'],
      params: idParams,
      query: z.strictObject(pageQuery),
      responses: { 200: { description: 'A page', schema: pageOf(bulkOrder).meta({ id: 'BulkOrderPage' }) } },
      problems: ['not_found'],
      async handle({ params: { id }, query: { cursor, limit } }) {
        const after = decodeCursor(cursor, bulkOrderPosition)
        await client.found(id)
        const found = await listBulkOrders(sql, { id, after, limit: limit + 1 })
        const { rows, nextCursor } = cutPage(found, limit, (row) => [row.id])
        return {
          status: 200,
          about: rows.map(({ account_id }) => account_id),
          body: { items: rows.map(viewBulkOrder), nextCursor },
        }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/bulk-actions/{id}/start',
      tag: 'bulk actions',
      summary: 'Start a prepared bulk action',
      description:
        'Above the sum of SECOND_OPERATOR_ABOVE_MINOR by another operator than the one who prepared it: by another key, where a key has.',
      promises: ['U2'],
      callers: ['operator'],
      unrecorded: 'the bulk action itself says who has started it',
      params: idParams,
      responses: { 200: one },
      problems: ['not_found', 'second_operator_required', 'bulk_action_state_conflict'],
      handle: async ({ params: { id }, caller }) => ({
        status: 200,
        body: await viewBulkAction(api, await client.start(id, actorOf(caller))),
      }),
    }),
    change('pause', 'Do no more of it for now'),
    change('resume', 'Go on with it'),
    change('cancel', 'Do no more of it, for good'),
  ]
}
