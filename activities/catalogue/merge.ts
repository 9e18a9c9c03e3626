/** Merges the providers' price lists into one catalogue. */
import type { OfferedPackage, OperatorFamily, PackageOffer } from '../../db/catalogue/catalogue.ts'
import { periods } from '../../policy/periods.ts'
import { costCurrency, maxPriceMinor } from '../../policy/pricing.ts'
import type { ProviderPackage } from '../../providers/esim.ts'
import type { LeftOut } from '../../workflows/catalogue/catalogue-sync.contract.ts'
import { type PackageIdentity, packageCode, packageName } from './package-identity.ts'

export interface PriceList<Provider extends string> {
  provider: Provider
  packages: readonly ProviderPackage[]
}

/** Returns the first price of a package, in minor units, from the cost at each provider. */
type PriceOf = (costsMicros: readonly number[]) => number
type Listed = ProviderPackage & { provider: string; place: string }

/**
 * Equal packages become one package, with an offer of each provider: its cheapest, if it lists several. A package sold
 * by the day becomes a package for each of a few lengths.
 *
 * A provider may have several mobile operators for the same destinations, whose top-ups do not fit each other's eSIMs.
 * Only one of them is sold: the one that we sell already, else the one with most packages. Every top-up for a place
 * then fits every eSIM that this provider sold for it.
 * @param known the mobile operators sold now
 * @returns the packages, and for each provider how many of its packages we do not sell, by reason
 */
export function mergeLists<Provider extends string>(
  lists: readonly PriceList<Provider>[],
  known: readonly OperatorFamily[],
  priceOf: PriceOf,
): { packages: OfferedPackage[]; leftOut: Map<Provider, LeftOut> } {
  const leftOut = new Map<Provider, LeftOut>()
  const sellable: Listed[] = []
  for (const { provider, packages } of lists) {
    const reasons: LeftOut = {}
    const places = packages.map((each) => withPlace(provider, each))
    const families = chooseFamilies(places, known)
    for (const each of places) {
      const reason =
        reasonToLeaveOut(each, priceOf) ?? (families.get(each.place) === each.family ? null : 'other_operator')
      if (reason) reasons[reason] = (reasons[reason] ?? 0) + 1
      else sellable.push(each)
    }
    leftOut.set(provider, reasons)
  }

  // Not by their codes: other countries may have the same one.
  const equals = new Map<string, Sold[]>()
  for (const sold of sellable.flatMap(asSold)) {
    const identity = JSON.stringify(sold.identity)
    equals.set(identity, [...(equals.get(identity) ?? []), sold])
  }
  return { packages: [...equals.values()].map((sold) => asPackage(sold, priceOf)), leftOut }
}

function withPlace(provider: string, each: ProviderPackage): Listed {
  const destinations = [...new Set(each.destinations)].sort()
  return { ...each, provider, destinations, place: placeOf(provider, destinations) }
}

const placeOf = (provider: string, destinations: readonly string[]): string => `${provider} ${destinations.join()}`

/** Far more than anybody sells. What PostgreSQL cannot hold would keep all other packages from being stored. */
const mostDays = 3_650

function reasonToLeaveOut(each: Listed, priceOf: PriceOf): keyof LeftOut | undefined {
  if (each.destinations.length === 0) return 'no_destination'
  if (each.dataBytes === 0 || each.days < 1) return 'no_data'
  if (each.days > mostDays || (each.dataBytes ?? 0) > Number.MAX_SAFE_INTEGER) return 'odd_size'
  if (each.costCurrency !== costCurrency) return 'other_currency'
  const longest = each.daily ? Math.max(...periods.catalogue.dailyLengths) : 1
  if (each.costMicros < 1 || priceOf([each.costMicros * longest]) > maxPriceMinor) return 'odd_cost'
  return undefined
}

/** The operator family that is sold for each place. */
function chooseFamilies(listed: readonly Listed[], known: readonly OperatorFamily[]): Map<string, string> {
  const sizes = new Map<string, Map<string, number>>()
  for (const { place, family, kind } of listed) {
    const families = sizes.get(place) ?? new Map<string, number>()
    sizes.set(place, families.set(family, (families.get(family) ?? 0) + (kind === 'base' ? 1 : 0)))
  }
  const sold = new Set(known.map((each) => `${placeOf(each.provider, each.destinations)} ${each.family}`))
  const chosen = new Map<string, string>()
  for (const [place, families] of sizes) {
    const isSold = (family: string): number => Number(sold.has(`${place} ${family}`))
    const [best] = [...families].sort(
      ([a, sizeOfA], [b, sizeOfB]) => isSold(b) - isSold(a) || sizeOfB - sizeOfA || (a < b ? -1 : 1),
    )
    if (best) chosen.set(place, best[0])
  }
  return chosen
}

interface Sold {
  identity: PackageIdentity
  offer: PackageOffer
}

function asSold(each: Listed): Sold[] {
  const { kind, destinations, dataBytes, daily, provider, code, family, costMicros } = each
  const { validityStarts, supportsTopUp, networks } = each
  const lengths = daily ? periods.catalogue.dailyLengths : [each.days]
  return lengths.map((days) => ({
    identity: { kind, destinations, dataBytes, daily, days },
    offer: {
      provider,
      providerPackageCode: code,
      family,
      costMicros: daily ? costMicros * days : costMicros,
      validityStarts,
      supportsTopUp,
      networks,
    },
  }))
}

/** Equal costs are ordered by code, because the order of a price list may change. */
const cheapestFirst = ({ offer: a }: Sold, { offer: b }: Sold): number =>
  a.costMicros - b.costMicros || (a.providerPackageCode < b.providerPackageCode ? -1 : 1)

function asPackage(equals: Sold[], priceOf: PriceOf): OfferedPackage {
  const sorted = equals.toSorted(cheapestFirst)
  const [cheapest] = sorted
  if (!cheapest) throw new Error('a package without an offer')
  const { identity } = cheapest
  const offers = sorted.map(({ offer }) => offer)
  const costs = new Map(offers.toReversed().map(({ provider, costMicros }) => [provider, costMicros]))
  const code = packageCode(identity)
  return { code, name: packageName(identity), ...identity, firstPriceMinor: priceOf([...costs.values()]), offers }
}
