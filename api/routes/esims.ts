import { z } from 'zod'
import type { ApiContext } from '../../context.ts'
import { listTopUpsOf } from '../../db/catalogue/packages.ts'
import { numberOrNull } from '../../db/connection/bigints.ts'
import { type AccountEsim, listEsimsOfAccount } from '../../db/order/esims/account-esims.ts'
import { findEsimOwner } from '../../db/order/esims.ts'
import { isoOrNull } from '../../shared/calendar.ts'
import { assertReaches } from '../http/caller.ts'
import { cutPage, decodeCursor, pageOf, pageQuery } from '../http/cursor.ts'
import { orNotFound } from '../http/problem.ts'
import { defineRoute, type Route } from '../http/route.ts'
import { idParams, sentTime } from '../http/storable.ts'
import { accountId } from '../views/account-fields.ts'
import { takesTopUps } from '../views/esim-life.ts'
import { esimState, validityStart } from '../views/order-enumerations.ts'
import { orderDestination } from '../views/order-view.ts'
import { packageForSale, viewPackage } from './packages.ts'

const time = z.iso.datetime().nullable()

const accountEsim = z
  .object({
    id: z.uuid(),
    orderId: z.uuid().describe('that order has what installs the eSIM'),
    packageCode: z.string(),
    packageName: z.string().describe('as it was when it was ordered'),
    destination: orderDestination,
    iccid: z.string().describe('the number of the eSIM, which another one may have later: `id` is the name to keep'),
    state: esimState.schema,
    suspended: z.boolean().describe('it has no data, because its payment is disputed'),
    totalBytes: z.int().nullable().describe('null: unlimited'),
    usedBytes: z.int().describe('as the provider last said: it may lag by hours'),
    checkedAt: z.iso.datetime().describe('when the provider was asked for state and usage'),
    validityStarts: validityStart.schema.nullable().describe('null: the provider does not say'),
    unusedUntil: time.describe('when it ends unless it is installed'),
    activatedAt: time,
    expiresAt: time,
    orderedAt: z.iso.datetime(),
  })
  .meta({ id: 'AccountEsim' })

const position = z.tuple([sentTime, z.uuid()])

export function esimRoutes(api: ApiContext): Route[] {
  const { sql } = api
  return [
    defineRoute({
      method: 'get',
      path: '/v1/accounts/{id}/esims',
      tag: 'esims',
      summary: "List an account's eSIMs, those of the newest order first",
      promises: ['C3', 'G1'],
      callers: ['service', 'person'],
      reads: ['esims'],
      account: 'id',
      params: z.strictObject({ id: accountId }),
      query: z.strictObject(pageQuery),
      responses: {
        200: { description: 'A page of eSIMs', schema: pageOf(accountEsim).meta({ id: 'AccountEsimPage' }) },
      },
      async handle({ params, query: { cursor, limit } }) {
        const after = decodeCursor(cursor, position)
        const found = await listEsimsOfAccount(api, params.id, { after, limit: limit + 1 })
        const { rows, nextCursor } = cutPage(found, limit, (row) => [row.orderedAt.toISOString(), row.id])
        return {
          status: 200,
          body: { items: rows.map(viewAccountEsim), nextCursor },
        }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/esims/{id}/top-ups',
      tag: 'esims',
      summary: 'List the top-ups that an eSIM takes, the cheapest first',
      description:
        'Order one with `POST /v1/orders/{id}/top-up` on the order of the eSIM. Empty when the eSIM takes none: it never did, it is over, it is suspended, or it is being returned unused. A top-up is left out while another one is as good in every respect and better in one.',
      callers: ['service', 'person'],
      params: idParams,
      responses: {
        200: {
          description: 'All of them',
          schema: z
            .object({ orderId: z.uuid().describe('the order of the eSIM'), items: z.array(packageForSale) })
            .meta({ id: 'TopUps' }),
        },
      },
      problems: ['not_found'],
      async handle({ params, caller }) {
        const esim = orNotFound(await findEsimOwner(sql, params.id))
        assertReaches(caller, esim.accountId)
        const items = takesTopUps(esim) ? await listTopUpsOf(sql, params.id) : []
        return { status: 200, body: { orderId: esim.orderId, items: items.map(viewPackage) } }
      },
    }),
  ]
}

function viewAccountEsim(esim: AccountEsim): z.input<typeof accountEsim> {
  return {
    ...esim,
    totalBytes: numberOrNull(esim.totalBytes),
    usedBytes: Number(esim.usedBytes),
    checkedAt: esim.checkedAt.toISOString(),
    unusedUntil: isoOrNull(esim.unusedUntil),
    activatedAt: isoOrNull(esim.activatedAt),
    expiresAt: isoOrNull(esim.expiresAt),
    orderedAt: esim.orderedAt.toISOString(),
  }
}
