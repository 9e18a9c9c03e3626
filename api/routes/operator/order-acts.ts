/**
 * Acts of an operator's program on an order or account: those of the console, each with its reason. And the acts on
 * record.
 */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { accountExists } from '../../../db/accounts.ts'
import { listActsAboutNoAccount } from '../../../db/operator/operator-acts.ts'
import { findOrder } from '../../../db/order/orders.ts'
import { actAndRecord } from '../../acts/recorded-acts.ts'
import { cutPage, decodeCursor, pageOf, pageQuery } from '../../http/cursor.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { idParams, sentId, sentTime } from '../../http/storable.ts'
import { actOutcome, outcomeOfAct, taskNote } from '../../views/operator-words.ts'
import { orderStatus } from '../../views/order-enumerations.ts'
import { actFields, createOrderActs } from '../console/order-acts.ts'

const names = ['approve', 'reject', 'resend', 'retry', 'refund', 'refund-part', 'cancel', 'note'] as const

const newAct = z
  .strictObject({
    act: z.enum(names),
    reason: taskNote.min(3).describe('without personal data'),
    amount: actFields.shape.amount.describe('of a partial refund, such as `4.50`; empty: all that is left'),
    cause: actFields.shape.cause.describe('of a partial refund, for its credit note'),
    esims: actFields.shape.esims.describe('at a partial refund: `kept`, or `returned` to the provider first'),
  })
  .meta({ id: 'NewOrderAct' })

const acted = z
  .object({ orderId: z.uuid(), act: z.enum(names), status: orderStatus.schema.describe('of the order, now') })
  .meta({ id: 'OrderAct' })

const newNote = z
  .strictObject({ reason: taskNote.min(3).describe('without personal data') })
  .meta({ id: 'NewAccountNote' })
const noted = z.object({ act: z.literal('note') }).meta({ id: 'AccountNote' })

const actOnRecord = z
  .object({
    id: z.uuid(),
    act: z.string(),
    subject: z.string().nullable().describe('what it was done to: the id of a campaign, a breach, a backup, ...'),
    operator: z.string().describe('as the security log names them'),
    reason: z.string().nullable(),
    outcome: actOutcome.schema,
    code: z.string().nullable().describe('why it was refused'),
    askedAt: z.iso.datetime(),
  })
  .meta({ id: 'ActOnRecord' })
const actPosition = z.tuple([sentTime, sentId])

export function operatorActRoutes(api: ApiContext): Route[] {
  const { sql } = api
  const acts = createOrderActs(api)
  return [
    defineRoute({
      method: 'get',
      path: '/v1/operator-acts',
      tag: 'operation',
      summary:
        'What operators did that is about no account, the newest first: to campaigns, breaches, policies, prices, ...',
      callers: ['operator'],
      query: z.strictObject({ ...pageQuery, subject: z.string().max(200).optional().describe('done to this alone') }),
      responses: { 200: { description: 'A page', schema: pageOf(actOnRecord).meta({ id: 'ActsOnRecord' }) } },
      async handle({ query: { cursor, limit, subject } }) {
        const after = decodeCursor(cursor, actPosition)
        const found = await listActsAboutNoAccount(sql, { subject, after, limit: limit + 1 })
        const { rows, nextCursor } = cutPage(found, limit, (row) => [row.asked_at.toISOString(), row.id])
        const items = rows.map(({ id, act, subject, operator, reason, state, code, asked_at }) => ({
          id,
          act,
          subject,
          operator,
          reason,
          outcome: outcomeOfAct(state),
          code,
          askedAt: asked_at.toISOString(),
        }))
        return { status: 200, body: { items, nextCursor } }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/operator/accounts/{id}/notes',
      tag: 'operation',
      summary: 'Note something about an account, as the console does',
      callers: ['operator'],
      idempotencyKey: 'required',
      params: idParams,
      body: newNote,
      responses: { 201: { description: 'It is noted', schema: noted } },
      problems: ['not_found', 'request_in_progress', 'account_missing'],
      async handle({ params: { id }, body: { reason }, caller, idempotency }) {
        if (!(await accountExists(sql, id))) throw new Problem('not_found')
        const entry = { accountId: id, orderId: null, act: 'note', reason }
        await actAndRecord(api, caller, idempotency, entry, async () => {})
        return { status: 201, body: { act: 'note' as const } }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/operator/orders/{id}/acts',
      tag: 'operation',
      summary: 'Do to an order what the console offers, with a reason',
      description: 'It is done once for each Idempotency-Key, and is in the timeline of the order.',
      promises: ['U2', 'U5'],
      callers: ['operator'],
      idempotencyKey: 'required',
      params: idParams,
      body: newAct,
      responses: { 200: { description: 'It is done', schema: acted } },
      problems: [
        'not_found',
        'order_state_conflict',
        'second_operator_required',
        'refund_exceeds_payment',
        'refund_refused',
        'refund_under_way',
        'esim_in_use',
        'provider_unavailable',
        'payment_unavailable',
        'mail_unavailable',
        'request_in_progress',
        'account_missing',
      ],
      async handle({ params: { id }, body: { act: name, reason, ...typed }, caller, idempotency }) {
        const order = await findOrder(sql, id)
        const act = acts.find((each) => each.name === name)
        if (!order || !act) throw new Problem('not_found')
        const fields = actFields.parse(typed)
        const errors = act.faultsOf?.(order, fields) ?? []
        if (errors.length > 0)
          throw new Problem('invalid_request', {
            errors: errors.map(({ field, reason: why }) => ({ field: field.toLowerCase(), reason: why })),
          })
        const entry = {
          accountId: order.account_id,
          orderId: id,
          act: name,
          reason,
          amountMinor: act.amountOf?.(order, fields) ?? null,
        }
        await actAndRecord(api, caller, idempotency, entry, (ids) => act.perform(order, fields, ids))
        const after = await findOrder(sql, id)
        return { status: 200, body: { orderId: id, act: name, status: after?.status ?? order.status } }
      },
    }),
  ]
}
