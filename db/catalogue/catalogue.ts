/**
 * The providers' offers, and the packages on sale. Only differences are written: an hourly sync without changes writes
 * no row, except `seen_at` a few times a day.
 */

import type { Money } from '../../policy/currency.ts'
import type { Networks, ValidityStart } from '../../providers/esim.ts'
import type { Database, Transaction } from '../connection/database.ts'
import type { Attention, PackageOffers, Packages } from '../connection/schema.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../operator-tasks.ts'
import { dominated } from './dominated.ts'

export interface PackageOffer {
  provider: string
  providerPackageCode: string
  family: string
  /** of one package for all its days, in millionths of a US dollar */
  costMicros: number
  validityStarts: ValidityStart | null
  /** eSIMs of it take more data */
  supportsTopUp: boolean
  networks: Networks | null
}

export interface OfferedPackage {
  code: string
  kind: Packages['kind']
  name: string
  destinations: string[]
  dataBytes: number | null
  daily: boolean
  days: number
  /** used only when the package is new */
  firstPriceMinor: number
  /** all equal offers, the cheapest first; the first one of each provider is used */
  offers: PackageOffer[]
}

/** A family: the packages of one network operator for these destinations at one provider. */
export type OperatorFamily = Pick<PackageOffers, 'provider' | 'family'> & Pick<Packages, 'destinations'>

/** Runs a change with all other writers locked out, so that sale, offers and prices agree. Readers do not wait. */
export async function changeCatalogue<Result>(sql: Database, change: (tx: Transaction) => Promise<Result>) {
  return sql.begin(async (tx) => {
    await tx`lock table packages in share row exclusive mode`
    return change(tx)
  })
}

/** The families whose packages are offered now. */
export async function listFamilies(tx: Transaction): Promise<OperatorFamily[]> {
  return tx<OperatorFamily[]>`
    select distinct o.provider, p.destinations, o.family
    from package_offers o join packages p on p.code = o.package_code where o.available`
}

/** Adds missing packages, not on sale. Existing ones keep their name and price, and of two with one code the first. */
export async function addPackages(
  tx: Transaction,
  packages: readonly OfferedPackage[],
  { currency, at }: { currency: string; at: Date },
): Promise<number> {
  const rows = packages.map(({ offers: _offers, ...row }) => row)
  const added = await tx`
    insert into packages (code, kind, name, destinations, data_bytes, daily, days, price_minor, currency, active, updated_at)
    select code, kind, name, destinations, "dataBytes", daily, days, "firstPriceMinor", ${currency}, false, ${at}
    from jsonb_to_recordset(${tx.json(rows)}) as new (
      code text, kind text, name text, destinations text[], "dataBytes" bigint, daily boolean, days integer,
      "firstPriceMinor" integer)
    on conflict (code) do nothing`
  return added.count
}

/**
 * Makes a provider's offers agree with its list. An offer stays as long as the provider lists the same product; this
 * holds for packages that an operator made under a code of their own, too.
 * @param seenSince an offer seen since then is not written again only to update `seen_at`
 */
export async function writeOffers(
  tx: Transaction,
  provider: string,
  packages: readonly OfferedPackage[],
  { costCurrency, at, seenSince }: { costCurrency: string; at: Date; seenSince: Date },
): Promise<{ changed: number; withdrawn: number }> {
  const listed = tx`
    select * from jsonb_to_recordset(${tx.json(offersOf(provider, packages))}) as l (
      code text, kind text, destinations text[], "dataBytes" bigint, daily boolean, days integer,
      "providerPackageCode" text, family text, "costMicros" bigint, "validityStarts" text, "supportsTopUp" boolean,
      networks jsonb, taken boolean)`
  const isPackage = tx`
    l.kind = p.kind and l.destinations = p.destinations and l."dataBytes" is not distinct from p.data_bytes
    and l.daily = p.daily and l.days = p.days`
  const isOffer = tx`
    o.provider = ${provider} and l."providerPackageCode" = o.provider_package_code and ${isPackage}`
  const withdrawn = await tx`
    update package_offers o set available = false from packages p
    where o.provider = ${provider} and o.available and p.code = o.package_code
      and not exists (select from (${listed}) as l where ${isOffer})`
  const moved = await tx`
    update package_offers o set family = l.family, cost_micros = l."costMicros", cost_currency = ${costCurrency},
      validity_starts = l."validityStarts", supports_top_up = l."supportsTopUp", networks = l.networks, available = true,
      seen_at = ${at}
    from packages p, (${listed}) as l
    where p.code = o.package_code and ${isOffer}
      and not (o.available and o.seen_at >= ${seenSince}
        and (o.family, o.cost_micros, o.cost_currency, o.supports_top_up)
          = (l.family, l."costMicros", ${costCurrency}, l."supportsTopUp")
        and o.validity_starts is not distinct from l."validityStarts"
        and o.networks is not distinct from l.networks)`
  const taken = await tx`
    insert into package_offers
      (package_code, provider, provider_package_code, family, cost_micros, cost_currency, validity_starts,
        supports_top_up, networks, available, seen_at)
    select l.code, ${provider}, l."providerPackageCode", l.family, l."costMicros", ${costCurrency}, l."validityStarts",
      l."supportsTopUp", l.networks, true, ${at}
    from (${listed}) as l join packages p on p.code = l.code and ${isPackage}
    where l.taken and not exists (
      select from package_offers o where o.package_code = l.code and o.provider = ${provider}
        and o.provider_package_code = l."providerPackageCode")
    on conflict (package_code, provider) do update set
      provider_package_code = excluded.provider_package_code, family = excluded.family,
      cost_micros = excluded.cost_micros, cost_currency = excluded.cost_currency,
      validity_starts = excluded.validity_starts, supports_top_up = excluded.supports_top_up,
      networks = excluded.networks, available = true, seen_at = excluded.seen_at`
  return { changed: moved.count + taken.count, withdrawn: withdrawn.count }
}

function offersOf(provider: string, packages: readonly OfferedPackage[]) {
  return packages.flatMap(({ name: _name, firstPriceMinor: _price, offers, ...sold }) => {
    const own = offers.filter((offer) => offer.provider === provider)
    return own.map((offer, rank) => ({ ...sold, ...offer, taken: rank === 0 }))
  })
}

/** Withdraws a provider's offers that were not seen since a time. @returns their number */
export async function withdrawUnseen(tx: Transaction, provider: string, since: Date): Promise<number> {
  const withdrawn = await tx`
    update package_offers set available = false where provider = ${provider} and available and seen_at < ${since}`
  return withdrawn.count
}

/** The operator task for a package that is offered but not sold because of its price. */
const priceTask = 'package_price'

/**
 * Checks a price against the cheapest cost. @returns the reason for operators why it cannot be sold; undefined if it
 * can
 */
export type CheckPrice = (price: Money, cheapestCostMicros: number) => string | undefined

type PackageOnOffer = Pick<Packages, 'code' | 'price_minor' | 'currency' | 'active'> & { cheapest: bigint | null }

/**
 * Puts packages on sale that have an offer and an acceptable price, takes the others off sale, and raises or resolves
 * an operator task for each price that is not acceptable.
 * @param only the code of one package; all packages without it
 */
export async function decideSale(
  tx: Transaction,
  { checkPrice, at, only }: { checkPrice: CheckPrice; at: Date; only?: string },
): Promise<{ putOnSale: number; takenOffSale: number }> {
  const packages = await tx<PackageOnOffer[]>`
    select p.code, p.price_minor, p.currency, p.active, min(o.cost_micros) filter (where o.available) as cheapest
    from packages p left join package_offers o on o.package_code = p.code
    ${only === undefined ? tx`` : tx`where p.code = ${only}`}
    group by p.code`
  const faults = new Map<string, string>()
  const change: Record<'on' | 'off', string[]> = { on: [], off: [] }
  for (const { code, price_minor, currency, active, cheapest } of packages) {
    const fault = cheapest === null ? undefined : checkPrice({ minor: price_minor, currency }, Number(cheapest))
    if (fault !== undefined) faults.set(code, fault)
    const onSale = cheapest !== null && fault === undefined
    if (onSale !== active) change[onSale ? 'on' : 'off'].push(code)
  }
  for (const [active, codes] of [
    [true, change.on],
    [false, change.off],
  ] as const) {
    if (codes.length === 0) continue
    await tx`update packages set active = ${active}, updated_at = ${at} where code = any(${codes})`
  }
  await recordDominated(tx)
  const open = await tx<Pick<Attention, 'subject_id'>[]>`
    select subject_id from attention where kind = ${priceTask} and resolved_at is null
    ${only === undefined ? tx`` : tx`and subject_id = ${only}`}`
  const known = new Set(open.map(({ subject_id }) => subject_id))
  for (const [code, detail] of faults) {
    if (!known.has(code)) await raiseOperatorTask(tx, { kind: priceTask, subjectId: code, detail, at })
  }
  for (const code of known) {
    if (!faults.has(code)) await resolveOperatorTask(tx, { kind: priceTask, subjectId: code, by: 'catalogue', at })
  }
  return { putOnSale: change.on.length, takenOffSale: change.off.length }
}

/**
 * Records which packages on sale another one beats, and what is true of each at all its offers. Only changes are
 * written.
 */
async function recordDominated(tx: Transaction): Promise<void> {
  const onSale = await tx<
    (Pick<Packages, 'code' | 'kind' | 'destinations' | 'data_bytes' | 'daily' | 'days' | 'price_minor' | 'currency'> & {
      families: string[] | null
      top_ups: boolean
      validity_starts: string[]
    })[]
  >`
    select p.code, p.kind, p.destinations, p.data_bytes, p.daily, p.days, p.price_minor, p.currency,
      array_agg(o.provider || ' ' || o.family order by o.provider, o.family) filter (where o.available) as families,
      p.kind = 'base' and coalesce(bool_and(o.supports_top_up and exists (
        select from package_offers t join packages tp on tp.code = t.package_code and tp.kind = 'top_up' and tp.active
        where t.available and t.provider = o.provider and t.family = o.family)) filter (where o.available), false)
        as top_ups,
      coalesce(array_agg(distinct coalesce(o.validity_starts, 'unknown')) filter (where o.available), '{}')
        as validity_starts
    from packages p left join package_offers o on o.package_code = p.code
    where p.active group by p.code`
  const beaten = dominated(
    onSale.map((row) => ({
      code: row.code,
      // A top-up goes onto eSIMs of its families alone: it is compared with those.
      group: row.kind === 'base' ? 'base' : `top_up ${(row.families ?? []).join(', ')}`,
      destinations: row.destinations,
      dataBytes: row.data_bytes,
      daily: row.daily,
      days: row.days,
      priceMinor: row.price_minor,
      currency: row.currency,
      takesTopUps: row.top_ups,
      startsAtFirstUse: row.validity_starts.length > 0 && row.validity_starts.every((start) => start === 'first_use'),
    })),
  )
  await tx`update packages set dominated = code = any(${[...beaten]}) where dominated <> (code = any(${[...beaten]}))`
  const facts = onSale.map(({ code, kind, top_ups, validity_starts: [start, ...others] }) => ({
    code,
    takes_top_ups: top_ups,
    validity_starts: kind === 'base' && others.length === 0 && start !== 'unknown' ? (start ?? null) : null,
  }))
  await tx`
    update packages p set takes_top_ups = f.takes_top_ups, validity_starts = f.validity_starts
    from jsonb_to_recordset(${tx.json(facts)}) as f (code text, takes_top_ups boolean, validity_starts text)
    where p.code = f.code
      and (p.takes_top_ups, p.validity_starts) is distinct from (f.takes_top_ups, f.validity_starts)`
}

/** Sets our price. @returns the price before; undefined when there is no such package */
export async function setPrice(
  tx: Transaction,
  { code, minor, currency, at }: { code: string; minor: number; currency: string; at: Date },
): Promise<Money | undefined> {
  const [before] = await tx<Pick<Packages, 'price_minor' | 'currency'>[]>`
    select price_minor, currency from packages where code = ${code}`
  if (before && (before.price_minor !== minor || before.currency !== currency)) {
    await tx`update packages set price_minor = ${minor}, currency = ${currency}, updated_at = ${at} where code = ${code}`
  }
  return before && { minor: before.price_minor, currency: before.currency }
}
