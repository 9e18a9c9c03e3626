/**
 * U2, packages are paid and delivered: more data for an eSIM, ordered on the web and paid on Stripe's page; and the
 * cards that Stripe keeps.
 */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { stripeCustomerOf } from '../../../db/accounts.ts'
import { findTopUpPrice, listTopUpsOf } from '../../../db/catalogue/packages.ts'
import { findEsimOwner, listEsims } from '../../../db/order/esims.ts'
import { findOrder } from '../../../db/order/orders.ts'
import { consentsInForce } from '../../../policy/withdrawal.ts'
import { ipCountryOf, type Visitor } from '../../http/caller.ts'
import { claimForm } from '../../http/idempotency.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, elsewhere, html, type RefusedForm, type Route } from '../../http/route.ts'
import { idParams, sentId } from '../../http/storable.ts'
import { placeAmong } from '../../pages/account/order-words.ts'
import { renderPaid, renderTopUp } from '../../pages/account/top-up.tsx'
import { onceOf } from '../../pages/form.tsx'
import { layoutHeaders, type PageContext } from '../../pages/layout.tsx'
import { createOrderClient } from '../../runs/order-client.ts'
import { noticeCookie } from '../../sign-in/notice-cookie.ts'
import { esimLife, takesTopUps } from '../../views/esim-life.ts'
import { assertPrice, packageCode } from '../checkouts.ts'

const headers = layoutHeaders({ forms: true })
const performanceConsent = z
  .enum(Object.values(consentsInForce))
  .optional()
  .describe('the version of the consent to delivery at once, when it is ticked')
/** The price that the button of an offer has shown, as `500-EUR`. Forms of before do not say it. */
const shown = z.strictObject({
  shown: z
    .string()
    .regex(/^\d{1,8}-[A-Z]{3}$/, 'must be a price')
    .transform((text) => ({ minor: Number.parseInt(text, 10), currency: text.slice(-3) }))
    .optional(),
})
const cardParams = z.strictObject({ id: z.string().regex(/^(?:pm|card)_\w{1,64}$/, 'must be the id of a card') })

export function topUpPageRoutes(api: ApiContext): Route[] {
  const { sql, stripe, config } = api
  const { PUBLIC_URL: publicUrl } = config
  const orders = createOrderClient(api)

  return [
    defineRoute({
      method: 'get',
      path: '/account/esims/{id}/top-up',
      tag: 'pages',
      summary: 'The top-ups that an eSIM takes',
      promises: ['U2'],
      callers: ['visitor'],
      params: idParams,
      responses: { 200: html },
      problems: ['not_found'],
      handle: async ({ caller, params: { id }, page }) => ({
        status: 200,
        headers,
        raw: await topUpPage(id, caller, page()),
      }),
    }),
    defineRoute({
      method: 'post',
      path: '/account/esims/{id}/top-up',
      tag: 'pages',
      summary: 'Orders a top-up, and leads to its page with the link to the payment',
      promises: ['U2'],
      callers: ['visitor'],
      form: true,
      params: idParams,
      query: shown,
      body: z.strictObject({ once: sentId, packageCode, performanceConsent }),
      responses: { 303: elsewhere, 200: html },
      problems: [
        'not_found',
        'package_unavailable',
        'price_changed',
        'payment_unavailable',
        'payment_refused',
        'order_state_conflict',
        'request_in_progress',
      ],
      showFormAgain: ({ caller, params: { id }, page }, refused) => topUpPage(id, caller, page(), refused),
      async handle({ caller, params: { id }, query, body, header }) {
        const { once, packageCode: code, performanceConsent: version } = body
        const { shown: expectedAmount } = query
        const { accountId } = caller
        const esim = await owned(id, caller)
        if (!takesTopUps(esim)) throw new Problem('order_state_conflict')
        const operation = 'POST /account/esims/{id}/top-up'
        const form = { operation, caller, once, content: { id, code, version } }
        const { resourceId: orderId, repeated, firstAt } = await claimForm(api, form, 'order')
        const before = repeated ? await findOrder(sql, orderId) : undefined
        if (!before || !(await orders.goesOn(before))) {
          // It counts against the allowance all the same: whether a form is a repetition is known by its claim alone.
          const price = await findTopUpPrice(sql, { code, esimId: id })
          if (!price) throw new Problem('package_unavailable')
          assertPrice(price, expectedAmount)
          await orders.checkOut({
            orderId,
            accountId,
            parentOrderId: esim.orderId,
            esimId: id,
            packageCode: code,
            quantity: 1,
            expectedAmount,
            orderedAt: firstAt.toISOString(),
            savedCards: false,
            hosted: true,
            performanceConsent: version ? { version, at: firstAt.toISOString() } : undefined,
            ipCountry: ipCountryOf(config, caller, header),
            measurement: { adUserData: false, adPersonalization: false },
          })
        }
        return { status: 303, headers: { Location: `/account/orders/${orderId}` } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/account/paid',
      tag: 'pages',
      summary: 'The page after the payment, to which Stripe leads back; it says nothing about the order',
      callers: ['public', 'visitor'],
      query: z.strictObject({ order: sentId }),
      responses: { 200: html },
      handle: ({ query: { order }, page }) => ({
        status: 200,
        headers: layoutHeaders(),
        raw: renderPaid(order, page()),
      }),
    }),
    defineRoute({
      method: 'post',
      path: '/account/cards/{id}/remove',
      tag: 'pages',
      summary: 'Removes a saved card at Stripe; to repeat it changes nothing',
      promises: ['P2'],
      callers: ['visitor'],
      form: true,
      params: cardParams,
      body: z.strictObject({}),
      responses: { 303: elsewhere, 200: html },
      problems: ['not_found'],
      async handle({ caller, params: { id } }) {
        const customerId = await stripeCustomerOf(sql, caller.accountId)
        if (!customerId || !(await stripe.deleteSavedCard(customerId, id))) throw new Problem('not_found')
        return {
          status: 303,
          headers: { Location: '/account/data', 'Set-Cookie': noticeCookie('card_removed', publicUrl) },
        }
      },
    }),
  ]

  /** @throws Problem not_found, also for the eSIM of another person */
  async function owned(id: string, { accountId }: Visitor) {
    const esim = await findEsimOwner(sql, id)
    if (esim?.accountId !== accountId) throw new Problem('not_found')
    return esim
  }

  async function topUpPage(id: string, caller: Visitor, page: PageContext, refused?: RefusedForm): Promise<string> {
    const esim = await owned(id, caller)
    const [offers, order, esims] = await Promise.all([
      takesTopUps(esim) ? listTopUpsOf(sql, id) : [],
      findOrder(sql, esim.orderId),
      listEsims(api, { id: esim.orderId, account_id: esim.accountId }),
    ])
    const [stored, place] = [esims.find((each) => each.id === id), placeAmong(esims, id)]
    if (!order || !stored || !place) throw new Problem('not_found')
    const toppedUp = { id, place, life: esimLife(stored), destination: order.destination, days: order.days }
    return renderTopUp({ csrf: caller.csrf, refused, esim: toppedUp, offers, once: onceOf(refused) }, page)
  }
}
