/** The operators' search, by everything that a person or an outside party can name. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { type Found, search, searchForms } from '../../../db/operator/search.ts'
import { privacyRequestKinds } from '../../../db/privacy-requests.ts'
import { privacyReference } from '../../../policy/privacy-reference.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { orderStatus } from '../../views/order-enumerations.ts'
import { requestState } from '../privacy-requests.ts'

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

const foundRequest = z
  .object({
    id: z.uuid(),
    reference: z.string(),
    accountId: z.uuid().nullable().describe('null: of somebody without an account'),
    kind: z.enum(privacyRequestKinds),
    state: requestState.schema,
    answerBy: z.iso.datetime(),
  })
  .meta({ id: 'FoundPrivacyRequest' })

const result = z
  .object({
    items: z.array(found),
    privacyRequests: z.array(foundRequest).describe('by their reference, such as `PR-1A2B3C4D`'),
    tried: z.array(z.enum(searchForms)).describe('what the text may be'),
  })
  .meta({ id: 'SearchResult' })

export function searchRoutes(api: ApiContext): Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/v1/operator/search',
      tag: 'operation',
      summary: 'Find an account, an order or a privacy request',
      description:
        'By e-mail address, id of an order, account, eSIM or run, ICCID, number of an invoice or credit note, id of a payment, refund, dispute or customer at Stripe, number of an order at an eSIM provider, `AccountRef` of a run, or reference of a privacy request. The first eight characters of an id are enough, and what stands around an id is left out, such as the address of a page. It is no GET: an address would show in logs.',
      callers: ['operator'],
      unrecorded: 'reads; the access log has whose data',
      reads: ['orders', 'privacyRequests'],
      body: z.strictObject({ query: searchText }).meta({ id: 'Search' }),
      responses: { 200: { description: 'What was found, at most a few', schema: result } },
      async handle({ body }) {
        const { tried, found } = await search(api, body.query)
        const items = found.flatMap((each) => (each.kind === 'privacy_request' ? [] : [viewFound(each)]))
        const privacyRequests = found.flatMap((each) => (each.kind === 'privacy_request' ? [viewRequest(each)] : []))
        return { status: 200, body: { tried, items, privacyRequests } }
      },
    }),
  ]
}

type FoundRequest = Extract<Found, { kind: 'privacy_request' }>

const viewFound = (each: Exclude<Found, FoundRequest>): z.input<typeof found> => ({
  kind: each.kind,
  id: each.id,
  accountId: each.accountId,
  by: each.by,
  order: each.kind === 'order' ? { ...each.order, createdAt: each.order.createdAt.toISOString() } : null,
})

const viewRequest = ({ id, accountId, request }: FoundRequest): z.input<typeof foundRequest> => ({
  id,
  reference: privacyReference(id),
  accountId,
  kind: request.kind,
  state: request.state,
  answerBy: request.answerBy.toISOString(),
})
