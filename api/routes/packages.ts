import { z } from 'zod'
import type { ApiContext } from '../../context.ts'
import { listPackages, type Package } from '../../db/catalogue/packages.ts'
import { cutPage, decodeCursor, pageOf, pageQuery } from '../http/cursor.ts'
import { defineRoute, type Route } from '../http/route.ts'

const packageKind = z.enum(['base', 'top_up'])

export const packageForSale = z
  .object({
    code: z.string(),
    kind: packageKind,
    name: z.string(),
    destinations: z.array(z.string()).describe('ISO 3166-1 alpha-2'),
    dataBytes: z.int().nullable().describe('null: unlimited'),
    daily: z.boolean().describe('the volume is per day'),
    days: z.int(),
    price: z.object({ minor: z.int().describe('in the minor unit, tax included'), currency: z.string() }),
  })
  .meta({ id: 'Package' })

const position = z.tuple([z.string()])

export function packageRoutes(api: ApiContext): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v1/packages',
      tag: 'packages',
      summary: 'List the packages for sale',
      promises: ['U2'],
      callers: ['public', 'service', 'operator', 'person', 'newcomer'],
      query: z.strictObject({
        ...pageQuery,
        kind: packageKind.default('base'),
        destination: z
          .string()
          .regex(/^[A-Z]{2}$/, 'must be an ISO 3166-1 alpha-2 code')
          .optional(),
      }),
      responses: {
        200: { description: 'A page, ordered by code', schema: pageOf(packageForSale).meta({ id: 'PackagePage' }) },
      },
      async handle({ query }) {
        const { kind, destination, limit } = query
        const afterCode = decodeCursor(query.cursor, position)?.[0]
        const found = await listPackages(api.sql, { kind, destination, afterCode, limit: limit + 1 })
        const { rows, nextCursor } = cutPage(found, limit, (row) => [row.code])
        const items = rows.map(viewPackage)
        return { status: 200, headers: { 'Cache-Control': 'public, max-age=60' }, body: { items, nextCursor } }
      },
    }),
  ]
}

export function viewPackage({ priceMinor, currency, dataBytes, ...rest }: Package): z.input<typeof packageForSale> {
  return {
    ...rest,
    dataBytes: dataBytes === null ? null : Number(dataBytes),
    price: { minor: priceMinor, currency },
  }
}
