/** Orders are made here: of a package, and of more data for an eSIM. Each is checked out by its run. */
import { z } from 'zod'
import type { ApiContext } from '../../context.ts'
import { findOrderable, findTopUpPrice } from '../../db/catalogue/packages.ts'
import { listEsims } from '../../db/order/esims.ts'
import { findOrder, type OrderRow } from '../../db/order/orders.ts'
import type { Money } from '../../policy/currency.ts'
import { periods } from '../../policy/periods.ts'
import { isAnotherPrice, maxOrderMinor } from '../../policy/pricing.ts'
import { performanceConsents } from '../../policy/withdrawal.ts'
import { assertReaches, type Caller, ipCountryOf, reachableBy } from '../http/caller.ts'
import type { IdempotentRequest } from '../http/idempotency.ts'
import { orNotFound, Problem } from '../http/problem.ts'
import { problems } from '../http/problems.ts'
import { defineRoute, type Route } from '../http/route.ts'
import { idParams, pastTime, sentId } from '../http/storable.ts'
import { createOrderClient, type NewOrder } from '../runs/order-client.ts'
import { accountId } from '../views/account-fields.ts'
import { enumeration } from '../views/enumeration.ts'
import { takesTopUps } from '../views/esim-life.ts'
import { oneOrder, viewOrder } from '../views/order-view.ts'

/** The choice of the customer; the rest of the run's input comes from the request. */
type Choice = Omit<NewOrder, 'orderId' | 'accountId' | 'orderedAt'>

export const packageCode = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,79}$/, 'must be the code of a package')
const measurement = z
  .strictObject({ adUserData: z.boolean(), adPersonalization: z.boolean() })
  .optional()
  // A default of an object in the document is none that generated clients in Kotlin compile.
  .transform((given) => given ?? { adUserData: false, adPersonalization: false })
  .describe(
    "the person's consent to ad measurement (P3, advertising services get purchases with consent alone); without it neither is given",
  )
const expectedAmount = z
  .strictObject({
    minor: z.int().min(1).max(maxOrderMinor).describe('in the minor unit, tax included'),
    currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code'),
  })
  .optional()
  .describe(
    'what the customer has seen: the price of the package times the quantity. An order that costs something else is refused (`price_changed`); without it any price is taken',
  )
const savedCards = z.boolean().default(false).describe('offer saved cards, and to save this one')

const consentVersion = enumeration(
  'PerformanceConsentVersion',
  'The version of the text that was shown, and the text: show it unchanged, with a box that is not ticked',
  performanceConsents,
)
const performanceConsent = z
  .strictObject({
    version: consentVersion.schema,
    at: pastTime.describe('when the customer agreed'),
  })
  .optional()
  .describe(
    'the consent to delivery at once, and that the right of withdrawal ends with the first use; without it the right stays',
  )

const newOrder = z
  .strictObject({
    accountId,
    packageCode,
    quantity: z.int().min(1).max(periods.order.maxQuantity).default(1),
    expectedAmount,
    savedCards,
    measurement,
    performanceConsent,
  })
  .meta({ id: 'NewOrder' })
const newTopUp = z
  .strictObject({
    packageCode,
    esimId: sentId.optional().describe('needed when the order has several eSIMs'),
    expectedAmount,
    savedCards,
    measurement,
    performanceConsent,
  })
  .meta({ id: 'NewTopUp' })

const checkoutProblems = [
  'package_unavailable',
  'price_changed',
  'payment_unavailable',
  'payment_refused',
  'idempotency_key_reused',
] as const

/** @throws Problem price_changed when an order costs something else than its customer was shown */
export function assertPrice(price: Money, expected: Money | undefined): void {
  const detail = `It costs ${price.minor} ${price.currency} now, in the minor unit.`
  if (isAnotherPrice(price, expected)) throw new Problem('price_changed', { detail })
}

export function checkoutRoutes(api: ApiContext): Route[] {
  const { sql } = api
  const client = createOrderClient(api)

  /**
   * Creates the order, or finds it.
   * @param describe resolves to what is ordered; throws a Problem when it cannot be sold
   */
  async function checkOut(
    { accountId, request, reader }: { accountId: string; request: IdempotentRequest; reader: Caller['kind'] },
    describe: () => Promise<Choice>,
  ) {
    const order = await opened(accountId, request, describe).catch(async (error: unknown) => {
      // Repeating the request starts the run again that a failed checkout has closed: no order may be paid without a
      // run.
      if (!(error instanceof Problem) || problems[error.code].status >= 500) throw error
      // An earlier request with this key may have ordered the package before it went off sale.
      const claim = await request.find(accountId)
      const before = claim && (await findOrder(sql, claim.resourceId))
      // Without Temporal nobody knows; a caller who repeats the request then loses nothing.
      if (!before || !(await client.goesOn(before).catch(() => false))) throw error
      return before
    })
    return {
      status: 201 as const,
      headers: { Location: `/v1/orders/${order.id}` },
      body: await viewOrder(api, order, reader),
    }
  }

  async function opened(
    accountId: string,
    request: IdempotentRequest,
    describe: () => Promise<Choice>,
  ): Promise<OrderRow> {
    const input = await describe()
    const { resourceId: orderId, repeated, firstAt } = await request.claim(accountId, 'order')
    const before = repeated ? await findOrder(sql, orderId) : undefined
    // Only an order that awaits its payment may be checked out again: any other has a run, or had one. While its run is
    // open nothing is left to do, and each time would be one of the updates that a run takes in its life.
    if (before && (before.status !== 'awaiting_payment' || before.payment_intent_id !== null)) {
      if (await client.goesOn(before)) return before
    }
    await client.checkOut({ ...input, accountId, orderId, orderedAt: firstAt.toISOString() })
    return orNotFound(await findOrder(sql, orderId))
  }

  return [
    defineRoute({
      method: 'post',
      path: '/v1/orders',
      tag: 'orders',
      summary: 'Order a package, and get the parameters of the payment sheet',
      description:
        'The price is that of this moment, and `amount` of the answer is what will be charged. Send the price that you have shown as `expectedAmount`: it may be older, and the order is then refused.',
      promises: ['U2', 'P2', 'C3', 'C7'],
      callers: ['service', 'person'],
      scope: 'orders',
      reads: ['orders', 'esims'],
      idempotencyKey: 'required',
      body: newOrder,
      responses: { 201: oneOrder },
      problems: [...checkoutProblems, 'order_state_conflict'],
      async handle({ body, caller, idempotency, header }) {
        const { accountId, ...choice } = body
        assertReaches(caller, accountId)
        return checkOut({ accountId, request: idempotency, reader: caller.kind }, async () => {
          const found = await findOrderable(sql, body)
          if (!found.account) throw new Problem('account_missing')
          const { price } = found
          if (!price) throw new Problem('package_unavailable')
          assertPrice({ ...price, minor: price.minor * body.quantity }, body.expectedAmount)
          const { performanceConsent } = choice
          return {
            ...choice,
            performanceConsent,
            ipCountry: ipCountryOf(api.config, caller, header),
            parentOrderId: null,
            esimId: null,
          }
        })
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/orders/{id}/top-up',
      tag: 'orders',
      summary: 'Order a top-up for a delivered eSIM',
      promises: ['U2'],
      callers: ['service', 'person'],
      scope: 'orders',
      reads: ['orders', 'esims'],
      idempotencyKey: 'required',
      params: idParams,
      body: newTopUp,
      responses: { 201: oneOrder },
      problems: [...checkoutProblems, 'not_found', 'order_state_conflict'],
      async handle({ params, body, caller, idempotency, header }) {
        const parent = reachableBy(caller, await findOrder(sql, params.id))
        const whose = { accountId: parent.account_id, request: idempotency, reader: caller.kind }
        return checkOut(whose, async () => {
          const esims = await listEsims(api, parent)
          const esim = body.esimId
            ? esims.find(({ id }) => id === body.esimId)
            : esims.length === 1
              ? esims[0]
              : undefined
          if (!esim) {
            const reason = body.esimId ? 'not an eSIM of this order' : 'needed: the order has several eSIMs or none'
            throw new Problem('invalid_request', { errors: [{ field: 'esimId', reason }] })
          }
          if (!takesTopUps({ ...esim, delivered: parent.status === 'delivered' }))
            throw new Problem('order_state_conflict')
          const price = await findTopUpPrice(sql, { code: body.packageCode, esimId: esim.id })
          if (!price) throw new Problem('package_unavailable')
          assertPrice(price, body.expectedAmount)
          return {
            ...body,
            performanceConsent: body.performanceConsent,
            ipCountry: ipCountryOf(api.config, caller, header),
            parentOrderId: parent.id,
            esimId: esim.id,
            quantity: 1,
          }
        })
      },
    }),
  ]
}
