/** Bulk actions on the console: select orders, see their number and sum, start, stop, and read what came of it. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import type { BulkActions } from '../../../db/connection/schema.ts'
import { bulkChanges, countBulkActions, listBulkActions, listBulkOrders } from '../../../db/operator/bulk-actions.ts'
import { operatorNames } from '../../../db/operator/operator-names.ts'
import { isPermitted, type OperatorPermission } from '../../../policy/operators/operator-roles.ts'
import { type BulkAct, bulkActs } from '../../../workflows/order/bulk-action.contract.ts'
import { actorOf, type ConsoleUser } from '../../http/caller.ts'
import { cutPage, decodeCursor } from '../../http/cursor.ts'
import { readIdempotencyKey } from '../../http/idempotency.ts'
import { type FieldError, Problem } from '../../http/problem.ts'
import { defineRoute, html, type Route } from '../../http/route.ts'
import { idParams, timeAsTyped } from '../../http/storable.ts'
import { bulkChangeWords, renderBulkAction } from '../../pages/console/bulk-action.tsx'
import { renderBulkActions } from '../../pages/console/bulk-actions.tsx'
import { counted } from '../../pages/console/parts.tsx'
import { createBulkActionClient } from '../../runs/bulk-action-client.ts'
import { bulkSelection, viewBulkAction, viewBulkOrder } from '../../views/bulk-action-view.ts'
import { bulkOrderPosition, bulkPosition, mostOrders } from '../operator/bulk-actions.ts'
import { actRoutes, done, frameOf, goTo, goToDone, headers, headersOf, reasonAlone } from './console-route.ts'
import { faultsOfReason, sentForm } from './perform-act.ts'

const shown = 100
const cursorQuery = z.strictObject({ cursor: z.string().max(500).optional() })

/** The fields of the form as they were typed; an empty one limits nothing. */
const fields = z.strictObject({
  act: z.enum(bulkActs),
  status: z.string().max(40).default('provisioning'),
  provider: z.string().max(40).default(''),
  paidFrom: z.string().trim().max(40).default(''),
  paidUntil: z.string().trim().max(40).default(''),
  sameOrdersAs: z.string().trim().max(60).default(''),
  limit: z.string().trim().max(10).default(String(mostOrders)),
})
export type BulkFields = z.output<typeof fields>
/** A page with orders leads to the form that selects them. */
const formQuery = z.strictObject({ ...fields.shape, act: fields.shape.act.default('retry'), ...cursorQuery.shape })

const permissionOf: Record<BulkAct, OperatorPermission> = { retry: 'orders', refund: 'money', apologise: 'orders' }

export function consoleBulkActionRoutes(api: ApiContext): Route[] {
  const { sql } = api
  const client = createBulkActionClient(api)

  const reportOf = (id: string): string => `/console/bulk-actions/${id}`

  /** @throws Problem not_found, role_insufficient */
  async function permitted(caller: ConsoleUser, id: string): Promise<BulkActions> {
    const row = await client.found(id)
    assertPermitted(caller, row.act)
    return row
  }

  async function list(
    caller: ConsoleUser,
    typed: { once: string; reason: string; fields: BulkFields; faults: FieldError[] },
    cursor?: string,
  ): Promise<string> {
    const found = await listBulkActions(sql, { after: decodeCursor(cursor, bulkPosition), limit: shown + 1 })
    const { rows, nextCursor } = cutPage(found, shown, (row) => [row.prepared_at.toISOString(), row.id])
    return renderBulkActions(frameOf(api, caller), {
      count: await countBulkActions(sql),
      actions: rows,
      operators: await operatorNames(sql),
      acts: bulkActs.filter((act) => isPermitted(caller.role, permissionOf[act])),
      typed,
      next: nextCursor && `/console/bulk-actions?${new URLSearchParams({ cursor: nextCursor })}`,
    })
  }

  return [
    defineRoute({
      method: 'get',
      path: '/console/bulk-actions',
      tag: 'console',
      summary: 'The bulk actions, and the form that selects orders for one',
      callers: ['console'],
      permission: 'look',
      query: formQuery,
      responses: { 200: html },
      async handle({ caller, query: { cursor, ...selected } }) {
        const typed = { once: randomUUID(), reason: '', fields: selected, faults: [] }
        return { status: 200, headers, raw: await list(caller, typed, cursor) }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/console/bulk-actions',
      tag: 'console',
      summary: 'Selects orders for an act; nothing is done to them yet',
      promises: ['U2'],
      callers: ['console'],
      permission: 'look',
      unrecorded: 'the bulk action itself says who has prepared it, and why',
      form: true,
      body: z.strictObject({ ...sentForm.shape, ...fields.shape }),
      responses: { ...done, 422: { ...html, description: 'Nothing was selected; the page says why' } },
      problems: ['idempotency_key_reused'],
      async handle({ body: { once, reason, ...typed }, caller }) {
        assertPermitted(caller, typed.act)
        const { selection, limit, faults } = parsed(typed)
        const all = [...faults, ...faultsOfReason(reason)]
        if (all.length > 0 || !selection)
          return { status: 422, headers, raw: await list(caller, { once, reason, fields: typed, faults: all }) }
        const operation = 'POST /console/bulk-actions'
        const request = readIdempotencyKey(api, {
          header: once,
          required: true,
          operation,
          caller,
          content: { reason, ...typed },
        })
        const id = (await request?.claim(null))?.resourceId ?? randomUUID()
        const prepared = {
          id,
          act: typed.act,
          selection,
          reason,
          prepared_by: actorOf(caller),
          prepared_at: new Date(),
        }
        await client.prepare(prepared, limit)
        return goTo(`/console/bulk-actions/${id}`)
      },
    }),
    defineRoute({
      method: 'get',
      path: '/console/bulk-actions/{id}',
      tag: 'console',
      summary: 'The report of a bulk action, with its orders',
      callers: ['console'],
      permission: 'look',
      reads: ['orders'],
      params: idParams,
      query: cursorQuery,
      responses: { 200: html },
      problems: ['not_found'],
      async handle({ caller, params: { id }, query: { cursor }, header }) {
        const frame = frameOf(api, caller, header)
        const after = decodeCursor(cursor, bulkOrderPosition)
        const row = await client.found(id)
        const [report, found, operators] = await Promise.all([
          viewBulkAction(api, row),
          listBulkOrders(sql, { id, after, limit: shown + 1 }),
          operatorNames(sql),
        ])
        const { rows, nextCursor } = cutPage(found, shown, (order) => [order.id])
        const raw = renderBulkAction(frame, {
          report,
          orders: rows.map(viewBulkOrder),
          operators,
          mayAct: isPermitted(caller.role, permissionOf[row.act]),
          isOther: row.prepared_by !== actorOf(caller),
          asOf: new Date(),
          next: nextCursor && `/console/bulk-actions/${id}?${new URLSearchParams({ cursor: nextCursor })}`,
        })
        return { status: 200, headers: headersOf(api, frame), about: rows.map(({ account_id }) => account_id), raw }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/console/bulk-actions/{id}/start',
      tag: 'console',
      summary: 'Starts a prepared bulk action, for the reason with which it was prepared',
      promises: ['U2'],
      callers: ['console'],
      permission: 'look',
      unrecorded: 'the bulk action itself says who has started it',
      form: true,
      params: idParams,
      body: z.strictObject({}),
      responses: done,
      problems: ['not_found', 'second_operator_required', 'bulk_action_state_conflict'],
      async handle({ params: { id }, caller }) {
        await permitted(caller, id)
        await client.start(id, actorOf(caller))
        return goToDone(api, reportOf(id), 'start')
      },
    }),
    ...bulkChanges.flatMap((name) =>
      actRoutes(api, {
        path: `/console/bulk-actions/{id}/${name}`,
        does: bulkChangeWords[name].does,
        permission: 'look',
        promises: ['U2'],
        params: idParams,
        ...reasonAlone,
        find: ({ id }, caller) => permitted(caller, id),
        pageOf: ({ id, act, order_count: orders }) => ({
          about: { path: reportOf(id), name: `Bulk action: ${act}, ${counted(orders, 'order')}` },
          action: `${reportOf(id)}/${name}`,
          ...bulkChangeWords[name],
        }),
        entryOf: ({ id }) => client.entryOf(name, id),
        perform: ({ id }, _given, ids) => client.change(id, name, ids),
        doneAt: ({ id }) => reportOf(id),
      }),
    ),
  ]
}

/** @throws Problem role_insufficient */
function assertPermitted(caller: ConsoleUser, act: BulkAct): void {
  if (!isPermitted(caller.role, permissionOf[act])) throw new Problem('role_insufficient')
}

/** The names of the form's fields in words. */
const labels: Record<string, string> = {
  statuses: 'Status',
  provider: 'Provider',
  paidFrom: 'Paid from',
  paidUntil: 'Paid until',
  sameOrdersAs: 'Same orders as',
  limit: 'Limit',
}

/** Demands of fields whose schemas word them for programs. */
const asks: Record<string, string> = {
  paidFrom: 'must be a time such as 2026-11-29 07:00',
  paidUntil: 'must be a time such as 2026-11-29 09:00',
  sameOrdersAs: 'must be the id of a bulk action',
  limit: `must be a number from 1 to ${mostOrders}`,
}

function parsed({ status, provider, paidFrom, paidUntil, sameOrdersAs, limit: most }: BulkFields) {
  const typed = {
    ...(status && { statuses: [status] }),
    ...(provider && { provider }),
    ...(paidFrom && { paidFrom: timeAsTyped(paidFrom) }),
    ...(paidUntil && { paidUntil: timeAsTyped(paidUntil) }),
    ...(sameOrdersAs && { sameOrdersAs }),
  }
  const selection = bulkSelection.safeParse(typed)
  const limit = z.coerce.number().int().min(1).max(mostOrders).safeParse(most)
  const issues = [
    ...(selection.error?.issues ?? []),
    ...(limit.error?.issues ?? []).map((issue) => ({ ...issue, path: ['limit'] })),
  ]
  const faults: FieldError[] = issues.map(({ path: [name], message }) => ({
    field: labels[String(name)] ?? 'Nothing limits the orders',
    reason:
      asks[String(name)] ?? (name === undefined ? 'Choose a state, a provider, a time or a bulk action.' : message),
  }))
  return { selection: selection.data, limit: limit.data ?? 0, faults }
}
