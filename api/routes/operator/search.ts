/** The operators' search, by everything that a person or an outside party can name. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { type Found, search, searchForms } from '../../../db/operator/search.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { orderStatus } from '../../views/order-enumerations.ts'

/** The text that an operator searches for. */
const searchText = z.string().trim().min(3).max(320)

const found = z
  .object({
    kind: z.enum(['order', 'account']),
    id: z.uuid(),
    accountId: z.uuid(),
    by: z.enum(searchForms).describe('what the text was found as'),
    order: z
      .object({ packageName: z.string(), status: orderStatus.schema, createdAt: z.iso.datetime() })
      .nullable()
      .describe('null for an account'),
  })
  .meta({ id: 'Found' })

const result = z
  .object({ items: z.array(found), tried: z.array(z.enum(searchForms)).describe('what the text may be') })
  .meta({ id: 'SearchResult' })

export function searchRoutes(api: ApiContext): Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/v1/operator/search',
      tag: 'operation',
      summary: 'Find an account or an order',
      description:
        'By e-mail address, id of an order, account, eSIM or run, ICCID, number of an invoice or credit note, id of a payment, refund or dispute at Stripe, or `AccountRef` of a run. It is no GET: an address would show in logs.',
      callers: ['operator'],
      reads: ['orders'],
      body: z.strictObject({ query: searchText }).meta({ id: 'Search' }),
      responses: { 200: { description: 'What was found, at most a few', schema: result } },
      async handle({ body }) {
        const { tried, found } = await search(api, body.query)
        return { status: 200, body: { tried, items: found.map(viewFound) } }
      },
    }),
  ]
}

const viewFound = ({ order, ...thing }: Found): z.input<typeof found> => ({
  ...thing,
  order: order && { ...order, createdAt: order.createdAt.toISOString() },
})
