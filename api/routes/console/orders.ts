/** Orders on the console: those that wait, one with its timeline, and what an operator can do to it. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { numberOrNull } from '../../../db/connection/bigints.ts'
import { givenBackSince } from '../../../db/operator/operator-acts.ts'
import { operatorNames } from '../../../db/operator/operator-names.ts'
import {
  countWaitingOrders,
  listWaitingOrders,
  type QueueFilter,
  type QueuePosition,
  queuePositionOf,
  waitingStates,
} from '../../../db/operator/order-queue.ts'
import { readOrderRows } from '../../../db/operator/order-rows.ts'
import { openTasksOf } from '../../../db/operator-tasks.ts'
import { listEsimsServed } from '../../../db/order/esims.ts'
import { findOrder, listTopUps, type OrderRow } from '../../../db/order/orders.ts'
import { dataAmount, money } from '../../../mails/format.ts'
import { isPermitted } from '../../../policy/operators/operator-roles.ts'
import { esimProviderIds } from '../../../policy/outside-parties.ts'
import { milliseconds } from '../../../policy/periods.ts'
import { plusMs } from '../../../shared/calendar.ts'
import { actorOf } from '../../http/caller.ts'
import { cutPage, decodeCursor } from '../../http/cursor.ts'
import { orNotFound } from '../../http/problem.ts'
import { defineRoute, html, type Route } from '../../http/route.ts'
import { idParams, sentId, sentTime } from '../../http/storable.ts'
import { renderOrder } from '../../pages/console/orders/order.tsx'
import { renderOrders, waitingHours } from '../../pages/console/orders/orders.tsx'
import { PartialRefundFields } from '../../pages/console/orders/partial-refund.tsx'
import type { FormState } from '../../pages/form.tsx'
import { dueAt } from '../../views/order-view.ts'
import { plain } from '../../views/plain.ts'
import { timelineOf } from '../../views/timeline/order-timeline.ts'
import { documentFile, documentParams } from '../web/order-document-pages.ts'
import { actRoutes, frameOf, headers, headersOf } from './console-route.ts'
import { aboutDispute, disputeActsOf } from './disputes.ts'
import { actFields, createOrderActs } from './order-acts.ts'

const shown = 50
const position = z.tuple([sentTime, sentId]) satisfies z.ZodType<QueuePosition>
/** An empty field of the form limits nothing. */
const queueQuery = z.strictObject({
  status: z.enum(waitingStates).default('in_review'),
  provider: z.enum(['', ...esimProviderIds]).default(''),
  currency: z
    .string()
    .trim()
    .toUpperCase()
    .regex(/^(?:[A-Z]{3})?$/, 'must be a currency, such as EUR')
    .default(''),
  country: z
    .string()
    .trim()
    .toUpperCase()
    .regex(/^(?:[A-Z]{2})?$/, 'must be a country, such as DE')
    .default(''),
  hours: z.enum(['', ...waitingHours]).default(''),
  cursor: z.string().max(500).optional(),
})

/** `seen`: when the form was opened; two operators on the phone with one customer would refund twice. */
const formFields = z.strictObject({ ...actFields.shape, seen: z.union([z.literal(''), sentTime]).default('') })

export function consoleOrderRoutes(api: ApiContext): Route[] {
  const { sql } = api
  const acts = createOrderActs(api)

  /** @throws Problem not_found */
  async function known(id: string): Promise<OrderRow> {
    return orNotFound(await findOrder(sql, id))
  }

  return [
    defineRoute({
      method: 'get',
      path: '/console/orders',
      tag: 'console',
      summary: 'The orders that wait, by what they wait for; those that wait longest come first',
      callers: ['console'],
      permission: 'look',
      reads: ['orders'],
      query: queueQuery,
      responses: { 200: html },
      async handle({ caller, query: { status, cursor, ...typed } }) {
        const after = decodeCursor(cursor, position)
        const asOf = new Date()
        const filter: QueueFilter = {
          provider: typed.provider || undefined,
          currency: typed.currency || undefined,
          country: typed.country || undefined,
          waitsSince: typed.hours ? plusMs(asOf, -Number(typed.hours) * milliseconds.hour) : undefined,
        }
        const [counts, found] = await Promise.all([
          countWaitingOrders(sql, filter),
          listWaitingOrders(sql, { status, after, limit: shown + 1, filter }),
        ])
        const { rows, nextCursor } = cutPage(found, shown, queuePositionOf)
        const { provider, currency, country } = typed
        const selection = { status, provider, paidUntil: filter.waitsSince?.toISOString() ?? '' }
        // What is not paid has nothing to be retried or refunded, and a bulk action selects by no currency or country.
        const isSelectable = status !== 'awaiting_payment' && currency === '' && country === ''
        const raw = renderOrders(frameOf(api, caller), {
          asOf,
          status,
          filter: typed,
          counts,
          orders: rows.map((row) => ({ row, dueAt: dueAt(row) })),
          inBulk: isSelectable ? `/console/bulk-actions?${new URLSearchParams(selection)}` : null,
          next: nextCursor && `/console/orders?${new URLSearchParams({ ...typed, status, cursor: nextCursor })}`,
        })
        return { status: 200, headers, about: rows.map(({ account_id }) => account_id), raw }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/console/orders/{id}',
      tag: 'console',
      summary: 'An order with its timeline',
      callers: ['console'],
      permission: 'look',
      reads: ['orders', 'esims'],
      params: idParams,
      responses: { 200: html },
      problems: ['not_found'],
      async handle({ params: { id }, caller, header }) {
        const asOf = new Date()
        const order = await known(id)
        const frame = frameOf(api, caller, header)
        const [rows, esims, topUps, operators] = await Promise.all([
          readOrderRows(sql, id),
          listEsimsServed(api, order),
          listTopUps(sql, id),
          operatorNames(sql),
        ])
        const raw = renderOrder(frame, {
          order,
          dueAt: dueAt(order),
          esims: esims.map((esim) => ({
            ...esim,
            used: `${dataAmount(Number(esim.usedBytes))} of ${dataAmount(numberOrNull(esim.totalBytes))} used`,
          })),
          topUps,
          documents: rows.documents,
          asOf,
          tasks: openTasksOf(rows.tasks, asOf),
          timeline: timelineOf(order, rows, asOf),
          operators,
          acts: acts.filter((act) => act.isOffered(order) && isPermitted(caller.role, act.permission)),
          disputes: rows.disputes.map((dispute) => ({
            id: dispute.stripe_dispute_id,
            state: dispute.state,
            about: aboutDispute(dispute),
            acts: isPermitted(caller.role, 'money') ? disputeActsOf(dispute) : [],
          })),
        })
        return { status: 200, headers: headersOf(api, frame), about: [order.account_id], raw }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/console/orders/{id}/documents/{number}',
      tag: 'console',
      summary: 'An invoice or a credit note of an order as a PDF, in the language of its customer',
      promises: ['U6'],
      callers: ['console'],
      permission: 'look',
      reads: ['account', 'orders'],
      params: documentParams,
      responses: { 200: { description: 'The file', contentType: 'application/pdf' } },
      problems: ['not_found'],
      async handle({ params: { id, number } }) {
        const order = await known(id)
        return { ...(await documentFile(api, order, number)), about: [order.account_id] }
      },
    }),
    ...acts.flatMap((act) =>
      actRoutes(api, {
        path: `/console/orders/{id}/${act.name}`,
        does: act.does,
        permission: act.permission,
        promises: ['U2', 'U5'],
        reads: ['orders'],
        params: idParams,
        fields: formFields,
        asksFields: act.amountOf !== undefined,
        find: async ({ id }, caller, sent) => {
          const order = await known(id)
          const since = sent?.seen ? new Date(sent.seen) : undefined
          const others = since ? await givenBackSince(sql, { orderId: id, operator: actorOf(caller), since }) : []
          return { order, others, names: others.length > 0 ? await operatorNames(sql) : new Map<string, string>() }
        },
        aboutOf: ({ order }) => [order.account_id],
        pageOf: ({ order, others }, fields) => ({
          about: { path: `/console/orders/${order.id}`, name: `Order ${order.id}` },
          action: `/console/orders/${order.id}/${act.name}`,
          label: act.label,
          does: act.does,
          danger: act.danger,
          ...(act.amountOf && {
            typed: fields,
            fields: (state: FormState) => PartialRefundFields({ order, state }),
            // A form that is sent again because its outcome is not known stays as it is.
            hidden: { seen: fields.seen === '' || others.length > 0 ? new Date().toISOString() : fields.seen },
          }),
        }),
        faultsOf: ({ order, others, names }, fields) => [
          ...(act.faultsOf?.(order, fields) ?? []),
          ...others.map(({ operator, act: did, amount_minor: minor, reason }) => ({
            field: 'Order',
            reason: `${names.get(operator) ?? operator} has asked for “${plain(did)}” since this form was opened${minor === null ? '' : `, ${money({ minor, currency: order.currency })}`}: ${reason ?? 'no reason'}. If your refund is still owed, send it again.`,
          })),
        ],
        entryOf: ({ order }, { fields }) => ({
          accountId: order.account_id,
          orderId: order.id,
          act: act.name,
          amountMinor: act.amountOf?.(order, fields) ?? null,
        }),
        perform: ({ order }, { fields }, ids) => act.perform(order, fields, ids),
        doneAt: ({ id }) => `/console/orders/${id}`,
      }),
    ),
  ]
}
