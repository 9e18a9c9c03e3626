import type { Queryable } from '../connection/database.ts'
import type { Packages } from '../connection/schema.ts'

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
}

type PackageRow = Pick<
  Packages,
  'code' | 'kind' | 'name' | 'destinations' | 'data_bytes' | 'daily' | 'days' | 'price_minor' | 'currency'
>

/** A page of the packages on sale, ordered by code. */
export async function listPackages(
  sql: Queryable,
  page: { kind: Package['kind']; destination: string | undefined; afterCode: string | undefined; limit: number },
): Promise<Package[]> {
  const rows = await sql<PackageRow[]>`
    select code, kind, name, destinations, data_bytes, daily, days, price_minor, currency from packages
    where active and kind = ${page.kind}
      ${page.destination === undefined ? sql`` : sql`and destinations @> array[${page.destination}]`}
      ${page.afterCode === undefined ? sql`` : sql`and code > ${page.afterCode}`}
    order by code limit ${page.limit}`
  return rows.map(packageOf)
}

/** A package, on sale or not. */
export async function findPackage(sql: Queryable, code: string): Promise<(Package & { onSale: boolean }) | undefined> {
  const [row] = await sql<(PackageRow & Pick<Packages, 'active'>)[]>`
    select code, kind, name, destinations, data_bytes, daily, days, price_minor, currency, active from packages
    where code = ${code}`
  return row && { ...packageOf(row), onSale: row.active }
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
})

/** Whether account and package of an order exist. One statement, since checkout is the most frequent call. */
export async function findOrderable(
  sql: Queryable,
  wanted: { accountId: string; packageCode: string },
): Promise<{ account: boolean; package: boolean }> {
  const [row] = await sql<[{ account: boolean; package: boolean }]>`
    select exists (select from accounts where id = ${wanted.accountId}) as account,
      exists (select from packages where code = ${wanted.packageCode} and kind = 'base' and active) as package`
  return row
}

/** Whether the provider of an eSIM offers a top-up for the family of the package that the eSIM was sold as. */
export async function findTopUpOffer(
  sql: Queryable,
  wanted: { code: string; provider: string; basePackageCode: string },
): Promise<boolean> {
  const [row] = await sql`
    select 1 from packages p
    join package_offers o on o.package_code = p.code and o.provider = ${wanted.provider} and o.available
    join package_offers base on base.package_code = ${wanted.basePackageCode} and base.provider = o.provider
    where p.code = ${wanted.code} and p.kind = 'top_up' and p.active and base.family = o.family`
  return row !== undefined
}
