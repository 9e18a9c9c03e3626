/** Orders, read and changed by their customer and by operators. */
import { z } from 'zod'
import type { ApiContext } from '../../context.ts'
import { touchActivity } from '../../db/accounts.ts'
import { listDaily } from '../../db/catalogue/packages.ts'
import { listEsims } from '../../db/order/esims.ts'
import { findOrder, listOrders, type OrderRow } from '../../db/order/orders.ts'
import { qrPng } from '../../mails/order/qr.ts'
import { maxOrderMinor } from '../../policy/pricing.ts'
import { approve, cancel, refund, reject, resend } from '../../workflows/order/order.contract.ts'
import { partialRefundReasons } from '../../workflows/order/partial-refund.contract.ts'
import { assertReasonIsOfOperator, recordOperatorAct } from '../acts/recorded-acts.ts'
import { spend } from '../http/allowance.ts'
import { assertReaches, type Caller, reachableBy } from '../http/caller.ts'
import { cutPage, decodeCursor, pageOf, pageQuery } from '../http/cursor.ts'
import { actOnce, type IdempotentRequest } from '../http/idempotency.ts'
import { Problem } from '../http/problem.ts'
import { defineRoute, type Route } from '../http/route.ts'
import { idParams, sentId, sentTime } from '../http/storable.ts'
import { createOrderClient, doneIn } from '../runs/order-client.ts'
import { createPartialRefundClient } from '../runs/partial-refund-client.ts'
import { accountId } from '../views/account-fields.ts'
import { actReason, whyField, whyNote } from '../views/operator-words.ts'
import { orderStatus } from '../views/order-enumerations.ts'
import { oneOrder, orderSummary, viewOrder, viewSummary } from '../views/order-view.ts'

const partialRefund = z
  .strictObject({
    amount: z
      .strictObject({
        minor: z.int().min(1).max(maxOrderMinor).describe('in the minor unit, tax included'),
        currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code'),
      })
      .optional()
      .describe('default: all that is left of the payment'),
    reason: z.enum(partialRefundReasons).default('goodwill'),
    esims: z
      .enum(['kept', 'returned'])
      .default('kept')
      .describe('whether unused eSIMs are returned to the provider first'),
    ...whyNote,
  })
  .meta({ id: 'PartialRefund' })

const orderPage = pageOf(orderSummary).meta({ id: 'OrderPage' })
const cursorPosition = z.tuple([sentTime, z.uuid()])

export function orderRoutes(api: ApiContext): Route[] {
  const { sql } = api
  const client = createOrderClient(api)
  const partialRefunds = createPartialRefundClient(api)

  /** @throws Problem not_found, also for the order of another person */
  const reachable = async (id: string, caller: Caller): Promise<OrderRow> =>
    reachableBy(caller, await findOrder(sql, id))

  const shown = async (id: string, caller: Caller) => ({
    status: 200 as const,
    body: await viewOrder(api, await reachable(id, caller), caller.kind),
  })

  async function act(
    name: keyof typeof doneIn,
    definition: typeof cancel,
    id: string,
    caller: Caller,
    idempotency: IdempotentRequest | undefined,
    given?: z.output<typeof actReason>,
  ) {
    assertReasonIsOfOperator(caller, given)
    const reason = given?.reason ?? null
    const { account_id: accountId } = await reachable(id, caller)
    const spends = caller.kind === 'operator' ? undefined : 'give_back'
    if (spends && !idempotency) await spend(api, spends, { accountId })
    await actOnce(
      idempotency,
      accountId,
      async ({ requestId, updateId, repeated }) => {
        const by = caller.kind === 'operator' ? 'operator' : 'customer'
        const ask = () => client.update(id, definition, [], { by, updateId })
        const entry = { id: requestId, accountId, orderId: id, act: name, reason }
        try {
          if (caller.kind !== 'operator') await ask()
          else await recordOperatorAct(api, caller, entry, ask)
        } catch (error) {
          // An earlier request was answered with 503 or not at all, and was done afterwards.
          const isDone = repeated && doneIn[name].includes((await reachable(id, caller)).status)
          if (!isDone || !(error instanceof Problem) || error.code !== 'order_state_conflict') throw error
        }
      },
      spends,
    )
    return shown(id, caller)
  }

  const action = (
    name: keyof typeof doneIn,
    definition: typeof cancel,
    who: readonly ('service' | 'person' | 'operator')[],
    summary: string,
  ): Route =>
    defineRoute({
      method: 'post',
      path: `/v1/orders/{id}/${name}`,
      tag: 'orders',
      summary,
      promises: ['U2'],
      callers: who,
      scope: 'orders',
      reads: ['orders', 'esims'],
      idempotencyKey: 'optional',
      params: idParams,
      body: actReason.optional(),
      responses: { 200: oneOrder },
      problems: [
        'not_found',
        'order_state_conflict',
        ...(name !== 'approve' && who.includes('operator') ? (['second_operator_required'] as const) : []),
      ],
      handle: ({ params, body, caller, idempotency }) => act(name, definition, params.id, caller, idempotency, body),
    })

  /** @throws Problem forbidden for anybody but operators; invalid_request; idempotency_key_required */
  async function refundPart(
    id: string,
    { amount, reason, esims, note, why }: z.output<typeof partialRefund> & { why: string | undefined },
    caller: Caller,
    idempotency: IdempotentRequest | undefined,
  ) {
    if (caller.kind !== 'operator') throw new Problem('forbidden')
    if (note !== undefined && why !== undefined) {
      const errors = [{ field: 'reason', reason: 'of the address must not come beside `note`' }]
      throw new Problem('invalid_request', { errors })
    }
    // Without one a repeated request would be another refund.
    if (!idempotency) throw new Problem('idempotency_key_required')
    const { account_id: accountId, currency } = await reachable(id, caller)
    if (amount && amount.currency !== currency) {
      const errors = [{ field: 'amount.currency', reason: `the order was paid in ${currency}` }]
      throw new Problem('invalid_request', { errors })
    }
    const amountMinor = amount?.minor ?? null
    await actOnce(idempotency, accountId, ({ requestId, updateId }) => {
      const entry = {
        id: requestId,
        accountId,
        orderId: id,
        act: 'refund-part',
        reason: note ?? why ?? null,
        amountMinor,
      }
      return recordOperatorAct(api, caller, entry, () =>
        partialRefunds.refund({ refundId: requestId, orderId: id, amountMinor, reason, esims }, accountId, updateId),
      )
    })
    return shown(id, caller)
  }

  return [
    defineRoute({
      method: 'get',
      path: '/v1/orders',
      tag: 'orders',
      summary: 'List orders, the newest first',
      promises: ['C3', 'G1'],
      callers: ['service', 'person', 'operator'],
      reads: ['orders'],
      query: z.strictObject({
        ...pageQuery,
        accountId: accountId.optional(),
        status: orderStatus.schema.optional(),
      }),
      responses: { 200: { description: 'A page of orders', schema: orderPage } },
      async handle({ query, caller }) {
        const account = caller.kind === 'person' ? caller.accountId : query.accountId
        if (query.accountId) assertReaches(caller, query.accountId)
        const position = decodeCursor(query.cursor, cursorPosition)
        const rows = await listOrders(sql, {
          accountId: account,
          status: query.status,
          after: position,
          limit: query.limit + 1,
        })
        const page = cutPage(rows, query.limit, (row) => [row.created_at.toISOString(), row.id])
        const daily = await listDaily(
          sql,
          page.rows.map((row) => row.package_code),
        )
        const items = page.rows.map((row) => viewSummary(row, caller.kind, daily))
        return { status: 200, body: { items, nextCursor: page.nextCursor } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/orders/{id}',
      tag: 'orders',
      summary: 'One order, with its eSIMs',
      promises: ['C3', 'G1', 'U3'],
      callers: ['service', 'person', 'operator'],
      reads: ['orders', 'esims'],
      params: idParams,
      responses: { 200: oneOrder },
      problems: ['not_found'],
      async handle({ params, caller }) {
        const order = await reachable(params.id, caller)
        if (caller.kind === 'person') await touchActivity(sql, order.account_id, new Date())
        return { status: 200, body: await viewOrder(api, order, caller.kind) }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/orders/{id}/qr.png',
      tag: 'orders',
      summary: 'The QR code that installs an eSIM',
      promises: ['U3'],
      callers: ['service', 'person'],
      reads: ['esims'],
      params: idParams,
      query: z.strictObject({ esimId: sentId.optional().describe('default: the first') }),
      responses: { 200: { description: 'A PNG image', contentType: 'image/png' } },
      problems: ['not_found'],
      async handle({ params, query, caller }) {
        const order = await reachable(params.id, caller)
        const esims = await listEsims(api, order)
        const esim = query.esimId ? esims.find(({ id }) => id === query.esimId) : esims[0]
        if (!esim) throw new Problem('not_found')
        return { status: 200, about: [order.account_id], raw: await qrPng(esim.activationCode) }
      },
    }),
    action(
      'cancel',
      cancel,
      ['service', 'person', 'operator'],
      'Cancel before delivery: nothing is charged, or all refunded',
    ),
    defineRoute({
      method: 'post',
      path: '/v1/orders/{id}/refund',
      tag: 'orders',
      summary: 'Return unused eSIMs for a refund; an operator may refund a part, or repeat a refund that failed',
      description:
        'Without a body: the unused eSIMs are returned, and what is left of the payment is refunded. With a body, for operators: a part of what is left of the payment of a delivered order, or all of it, is refunded; the status stays. Each such refund has a credit note. Why an operator asks for it is the `note` of a body, and `reason` of the address without one; never both.',
      promises: ['U2', 'U6'],
      callers: ['service', 'person', 'operator'],
      scope: 'orders',
      reads: ['orders', 'esims'],
      idempotencyKey: 'optional',
      params: idParams,
      query: z.strictObject(whyField),
      body: partialRefund.optional(),
      responses: { 200: oneOrder },
      problems: [
        'not_found',
        'order_state_conflict',
        'idempotency_key_required',
        'idempotency_key_reused',
        'second_operator_required',
        'esim_in_use',
        'provider_unavailable',
        'refund_exceeds_payment',
        'refund_refused',
        'payment_unavailable',
      ],
      handle: ({ params, query, body, caller, idempotency }) =>
        body === undefined
          ? act('refund', refund, params.id, caller, idempotency, query)
          : refundPart(params.id, { ...body, why: query.reason }, caller, idempotency),
    }),
    action('approve', approve, ['operator'], 'Let a held order go on'),
    action('reject', reject, ['operator'], 'Refund a held order'),
    defineRoute({
      method: 'post',
      path: '/v1/orders/{id}/resend',
      tag: 'orders',
      summary: 'Send the delivery mail again',
      promises: ['U3'],
      callers: ['service', 'person', 'operator'],
      scope: 'orders',
      reads: ['orders', 'esims'],
      idempotencyKey: 'required',
      params: idParams,
      body: actReason.optional(),
      responses: { 200: oneOrder },
      problems: ['not_found', 'order_state_conflict', 'mail_unavailable'],
      async handle({ params, body, caller, idempotency }) {
        assertReasonIsOfOperator(caller, body)
        const reason = body?.reason ?? null
        const { account_id: accountId } = await reachable(params.id, caller)
        const isOperator = caller.kind === 'operator'
        const act = ({ requestId, updateId }: { requestId: string; updateId: string }) => {
          const by = isOperator ? 'operator' : 'customer'
          const ask = () => client.update(params.id, resend, [{ requestId }], { by, updateId })
          const entry = { id: requestId, accountId, orderId: params.id, act: 'resend', reason }
          return isOperator ? recordOperatorAct(api, caller, entry, ask) : ask()
        }
        await actOnce(idempotency, accountId, act, isOperator ? undefined : 'resend')
        return shown(params.id, caller)
      },
    }),
  ]
}
