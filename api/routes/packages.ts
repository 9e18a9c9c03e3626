import { z } from 'zod'
import type { ApiContext } from '../../context.ts'
import { listDestinations, listPackages, type Package, packageSorts } from '../../db/catalogue/packages.ts'
import { numberOrNull } from '../../db/connection/bigints.ts'
import { continentOfCountry, regionCodes } from '../../policy/regions.ts'
import { cutPage, decodeCursor, pageOf, pageQuery } from '../http/cursor.ts'
import { defineRoute, type Route } from '../http/route.ts'
import { validityStart } from '../views/order-enumerations.ts'

const packageKind = z.enum(['base', 'top_up'])
const price = z.object({ minor: z.int().describe('in the minor unit, tax included'), currency: z.string() })

export const packageForSale = z
  .object({
    code: z.string(),
    kind: packageKind,
    name: z.string(),
    destinations: z.array(z.string()).describe('ISO 3166-1 alpha-2'),
    dataBytes: z.int().nullable().describe('null: unlimited'),
    daily: z.boolean().describe('the volume is per day'),
    days: z.int(),
    price,
    takesTopUps: z
      .boolean()
      .describe(
        'its eSIMs take more data later; false where that depends on which provider delivers them, and of top-ups',
      ),
    validityStarts: validityStart.schema
      .nullable()
      .describe(
        'null: that is not certain before the delivery, or it is a top-up, whose days are added to those of the eSIM',
      ),
    networks: z
      .array(
        z.object({
          destination: z.string().describe('ISO 3166-1 alpha-2'),
          name: z.string(),
          generations: z.array(z.string()).describe('`5G`, `LTE`, ..., as the provider names them'),
        }),
      )
      .nullable()
      .describe('the mobile networks that the eSIM most likely uses; null where its provider does not say'),
  })
  .meta({ id: 'Package' })

const destination = z
  .object({
    code: z.string().describe('ISO 3166-1 alpha-2'),
    name: z.string().describe('in the language of the request'),
    region: z.object({ code: z.enum(regionCodes), name: z.string() }),
    packages: z.int().describe('number of base packages that lead there'),
    cheapest: price.describe('price of the cheapest of them'),
  })
  .meta({ id: 'Destination' })

const position = z.tuple([z.number(), z.string()])
const language = z
  .string()
  .max(35)
  .refine(isLanguage, 'must be a language tag, for example de or pt-BR')
  .default('en')
  .describe('of the names, as a BCP 47 language tag')
const everybody = ['public', 'service', 'operator', 'person', 'newcomer'] as const
const forAMinute = { 'Cache-Control': 'public, max-age=60' }

export function packageRoutes({ sql, config }: ApiContext): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v1/packages',
      tag: 'packages',
      summary: 'List the packages for sale',
      description:
        'A package is left out while another one is as good in every respect (destinations, data, days, top-ups, start of the validity, price) and better in one. It can still be ordered.',
      promises: ['U2'],
      callers: everybody,
      query: z.strictObject({
        ...pageQuery,
        kind: packageKind.default('base'),
        destination: z
          .string()
          .regex(/^[A-Z]{2}$/, 'must be an ISO 3166-1 alpha-2 code')
          .optional(),
        minDataBytes: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
        unlimited: z
          .stringbool({ truthy: ['true'], falsy: ['false'] })
          .optional()
          .describe('true or false'),
        minDays: z.coerce.number().int().min(1).max(366).optional(),
        maxPriceMinor: z.coerce.number().int().min(1).max(2_147_483_647).optional().describe('tax included'),
        dominated: z.enum(['left_out', 'included']).default('left_out'),
        sort: z.enum(packageSorts).default('code').describe('`-`: the largest first; unlimited data is the most'),
      }),
      responses: {
        200: { description: 'A page', schema: pageOf(packageForSale).meta({ id: 'PackagePage' }) },
      },
      async handle({ query: { cursor, limit, sort, dominated, ...filter } }) {
        const after = decodeCursor(cursor, position)
        const page = { sort, after, limit: limit + 1 }
        const found = await listPackages(sql, { ...filter, dominated: dominated === 'included' }, page)
        const { rows, nextCursor } = cutPage(found, limit, (row) => [row.sortKey, row.package.code])
        const items = rows.map((row) => viewPackage(row.package))
        return { status: 200, headers: forAMinute, body: { items, nextCursor } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/destinations',
      tag: 'packages',
      summary: 'List the countries that packages lead to, by name',
      callers: everybody,
      query: z.strictObject({ language }),
      responses: {
        200: {
          description: 'All destinations',
          schema: z.object({ items: z.array(destination) }).meta({ id: 'Destinations' }),
        },
      },
      async handle({ query }) {
        const currency = config.SHOP_CURRENCY
        const names = new Intl.DisplayNames([query.language, 'en'], { type: 'region' })
        const items = (await listDestinations(sql, currency)).map(({ code, packages, fromMinor }) => ({
          code,
          name: names.of(code) ?? code,
          region: { ...continentOfCountry(code) },
          packages,
          cheapest: { minor: fromMinor, currency },
        }))
        const { compare } = new Intl.Collator([query.language, 'en'])
        const sorted = items.sort((a, b) => compare(a.name, b.name))
        return { status: 200, headers: forAMinute, body: { items: sorted } }
      },
    }),
  ]
}

function isLanguage(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1
  } catch {
    return false
  }
}

export function viewPackage({ priceMinor, currency, dataBytes, ...rest }: Package): z.input<typeof packageForSale> {
  return {
    ...rest,
    dataBytes: numberOrNull(dataBytes),
    price: { minor: priceMinor, currency },
  }
}
