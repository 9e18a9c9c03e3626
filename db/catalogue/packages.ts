import type { Money } from '../../policy/currency.ts'
import type { Networks, ValidityStart } from '../../providers/esim.ts'
import { isKeyOf } from '../../shared/keys-of.ts'
import type { Queryable } from '../connection/database.ts'
import type { PackageOffers, Packages } from '../connection/schema.ts'
import { dominated } from './dominated.ts'

/** A package that we sell, with our price. Its cost is in package_offers. */
export interface Package {
  code: string
  kind: Packages['kind']
  name: string
  /** ISO 3166-1 alpha-2 */
  destinations: string[]
  /** null: unlimited */
  dataBytes: bigint | null
  /** the volume is per day */
  daily: boolean
  days: number
  priceMinor: number
  currency: string
  /** its eSIMs take more data, wherever it is bought; false of a top-up */
  takesTopUps: boolean
  /** when its days begin; null: it is not certain, or it is a top-up */
  validityStarts: ValidityStart | null
  /** of the offer that is asked first; null: its provider does not say */
  networks: Networks | null
}

type PackageRow = Pick<PackageOffers, 'networks'> &
  Pick<
    Packages,
    | 'code'
    | 'kind'
    | 'name'
    | 'destinations'
    | 'data_bytes'
    | 'daily'
    | 'days'
    | 'price_minor'
    | 'currency'
    | 'takes_top_ups'
    | 'validity_starts'
  >

export const packageSorts = ['code', 'price', '-price', 'data', '-data', 'days', '-days'] as const
export type PackageSort = (typeof packageSorts)[number]

export interface PackageFilter {
  kind: Package['kind']
  destination?: string | undefined
  minDataBytes?: number | undefined
  unlimited?: boolean | undefined
  minDays?: number | undefined
  maxPriceMinor?: number | undefined
  /** also those that another package beats in every respect */
  dominated: boolean
}

/** More than any package has: unlimited data is the most. */
const unlimitedBytes = 2 ** 50

/** A page of the packages on sale. @param page.after sort key and code of the last package before */
export async function listPackages(
  sql: Queryable,
  filter: PackageFilter,
  page: { sort: PackageSort; after: [key: number, code: string] | undefined; limit: number },
): Promise<{ package: Package; sortKey: number }[]> {
  const { kind, destination, minDataBytes, unlimited, minDays, maxPriceMinor } = filter
  const { sort, after, limit } = page
  const isDescending = sort.startsWith('-')
  const bytes = sql`coalesce(data_bytes, ${unlimitedBytes})`
  const columns = { code: sql`0`, price: sql`price_minor`, data: bytes, days: sql`days` }
  const name = sort.replace('-', '')
  const column = isKeyOf(columns, name) ? columns[name] : columns.code
  // A cursor can hold any number.
  const key = sql`(${column})::float8`
  const rows = await sql<(PackageRow & { sort_key: number })[]>`
    select code, kind, name, destinations, data_bytes, daily, days, price_minor, currency, takes_top_ups, validity_starts,
      ${key} as sort_key, ${networksOf(sql)} as networks
    from packages p
    where active and kind = ${kind}
      ${filter.dominated ? sql`` : sql`and not dominated`}
      ${destination === undefined ? sql`` : sql`and destinations @> array[${destination}]`}
      ${minDataBytes === undefined ? sql`` : sql`and ${bytes} >= ${minDataBytes}`}
      ${unlimited === undefined ? sql`` : sql`and (data_bytes is null) = ${unlimited}`}
      ${minDays === undefined ? sql`` : sql`and days >= ${minDays}`}
      ${maxPriceMinor === undefined ? sql`` : sql`and price_minor <= ${maxPriceMinor}`}
      ${
        after === undefined
          ? sql``
          : sql`and (${key} ${isDescending ? sql`<` : sql`>`} ${after[0]}::float8 or (${key} = ${after[0]}::float8 and code > ${after[1]}))`
      }
    order by ${key} ${isDescending ? sql`desc` : sql`asc`}, code limit ${limit}`
  return rows.map((row) => ({ package: packageOf(row), sortKey: row.sort_key }))
}

/**
 * The top-ups on sale that an eSIM takes, the cheapest first, without those that another one beats in every respect.
 */
export async function listTopUpsOf(sql: Queryable, esimId: string): Promise<Package[]> {
  const rows = await sql<PackageRow[]>`
    select p.code, p.kind, p.name, p.destinations, p.data_bytes, p.daily, p.days, p.price_minor, p.currency,
      p.takes_top_ups, p.validity_starts, ${networksOf(sql)} as networks
    from ${topUpsOfEsims(sql)}
    where p.kind = 'top_up' and p.active and e.id = ${esimId}
    order by p.price_minor, p.code`
  const topUps = rows.map(packageOf)
  // `dominated` of a package looks at all eSIMs that it goes onto: for this one another may be better.
  const beaten = dominated(topUps.map((each) => ({ ...each, group: 'top_up', startsAtFirstUse: false })))
  return topUps.filter(({ code }) => !beaten.has(code))
}

/** Where packages lead, with the cheapest base package of each destination in a currency. */
export async function listDestinations(
  sql: Queryable,
  currency: string,
): Promise<{ code: string; packages: number; fromMinor: number }[]> {
  const rows = await sql<{ code: string; packages: number; from_minor: number }[]>`
    select country as code, count(*)::int as packages, min(price_minor) as from_minor
    from packages p, unnest(p.destinations) as country
    where active and not dominated and kind = 'base' and currency = ${currency} group by 1 order by 1`
  return rows.map(({ code, packages, from_minor }) => ({ code, packages, fromMinor: from_minor }))
}

/** A package, on sale or not. */
export async function findPackage(sql: Queryable, code: string): Promise<(Package & { onSale: boolean }) | undefined> {
  const [row] = await sql<(PackageRow & Pick<Packages, 'active'>)[]>`
    select code, kind, name, destinations, data_bytes, daily, days, price_minor, currency, active, takes_top_ups,
      validity_starts, ${networksOf(sql)} as networks
    from packages p
    where code = ${code}`
  return row && { ...packageOf(row), onSale: row.active }
}

/** Which of these packages have a volume for each day. */
export async function listDaily(sql: Queryable, codes: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await sql<Pick<Packages, 'code'>[]>`select code from packages where code = any(${[...codes]}) and daily`
  return new Set(rows.map(({ code }) => code))
}

const packageOf = (row: PackageRow): Package => ({
  code: row.code,
  kind: row.kind,
  name: row.name,
  destinations: row.destinations,
  dataBytes: row.data_bytes,
  daily: row.daily,
  days: row.days,
  priceMinor: row.price_minor,
  currency: row.currency,
  takesTopUps: row.takes_top_ups,
  validityStarts: row.validity_starts,
  networks: row.networks,
})

/** The networks of package `p`: of the offer that is asked first. */
const networksOf = (sql: Queryable) => sql`
  (select o.networks from package_offers o where o.package_code = p.code and o.available
    order by o.rank nulls last, o.cost_micros, o.provider limit 1)`

type PriceRow = Pick<Packages, 'price_minor' | 'currency'>
type NoPrice = { [Column in keyof PriceRow]: null }

/**
 * Whether the account of an order exists, and the price of one of its package, if it is for sale. One statement, since
 * checkout is the most frequent call.
 */
export async function findOrderable(
  sql: Queryable,
  wanted: { accountId: string; packageCode: string },
): Promise<{ account: boolean; price: Money | undefined }> {
  const [{ account, price_minor: minor, currency }] = await sql<[{ account: boolean } & (PriceRow | NoPrice)]>`
    select exists (select from accounts where id = ${wanted.accountId}) as account, p.price_minor, p.currency
    from (values (true)) always
      left join packages p on p.code = ${wanted.packageCode} and p.kind = 'base' and p.active`
  return { account, price: minor === null || currency === null ? undefined : { minor, currency } }
}

/** The price of a top-up that an eSIM takes: one that `listTopUpsOf` lists, or that another one beats. */
export async function findTopUpPrice(
  sql: Queryable,
  wanted: { code: string; esimId: string },
): Promise<Money | undefined> {
  const [row] = await sql<PriceRow[]>`
    select p.price_minor, p.currency from ${topUpsOfEsims(sql)}
    where p.code = ${wanted.code} and p.kind = 'top_up' and p.active and e.id = ${wanted.esimId} limit 1`
  return row && { minor: row.price_minor, currency: row.currency }
}

/** Which of some eSIMs `listTopUpsOf` lists a top-up for. */
export async function findEsimsWithTopUps(sql: Queryable, esimIds: readonly string[]): Promise<Set<string>> {
  const rows = await sql<{ id: string }[]>`
    select distinct e.id from ${topUpsOfEsims(sql)}
    where p.kind = 'top_up' and p.active and e.id = any(${[...esimIds]}::uuid[])`
  return new Set(rows.map(({ id }) => id))
}

/**
 * Each eSIM `e` that takes more data, with the packages `p` that its provider offers for the family of the package that
 * it was sold as. Other eSIMs of the family may take none, and a suspended one may never run again.
 */
const topUpsOfEsims = (sql: Queryable) => sql`
  esims e join orders bought on bought.id = e.order_id
    join package_offers base on base.package_code = bought.package_code and base.provider = e.provider
      and coalesce(e.supports_top_up, base.supports_top_up)
    join package_offers top_up on top_up.provider = base.provider and top_up.family = base.family and top_up.available
    join packages p on p.code = top_up.package_code and not e.suspended`
