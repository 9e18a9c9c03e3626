/** Packages that nobody would choose: another one is as good in every respect and better in one. */

export interface Comparable {
  code: string
  /** only packages of one group are compared */
  group: string
  destinations: readonly string[]
  /** null: unlimited */
  dataBytes: bigint | null
  /** the volume is per day */
  daily: boolean
  days: number
  priceMinor: number
  currency: string
  /** its eSIMs take more data, wherever it is bought; otherwise they do not, or it is not certain */
  takesTopUps: boolean
  /** its days begin at the first use, wherever it is bought; otherwise at the installation, or it is not certain */
  startsAtFirstUse: boolean
}

/** The codes of the packages that another one dominates. Equal packages do not dominate each other. */
export function dominated(packages: readonly Comparable[]): Set<string> {
  const byDestination = new Map<string, Comparable[]>()
  for (const each of packages)
    for (const destination of each.destinations)
      byDestination.set(destination, [...(byDestination.get(destination) ?? []), each])
  const isBeaten = (each: Comparable): boolean =>
    (byDestination.get(each.destinations[0] ?? '') ?? []).some((other) => dominates(other, each))
  return new Set(packages.filter(isBeaten).map(({ code }) => code))
}

/** Whether `a` is as good as `b` in every respect, and better in at least one. */
export const dominates = (a: Comparable, b: Comparable): boolean => isAsGood(a, b) && !isAsGood(b, a)

function isAsGood(a: Comparable, b: Comparable): boolean {
  return (
    // Data per day and data for all days cannot be compared, nor can prices in different currencies.
    a.group === b.group &&
    a.currency === b.currency &&
    a.daily === b.daily &&
    a.priceMinor <= b.priceMinor &&
    a.days >= b.days &&
    (a.dataBytes === null || (b.dataBytes !== null && a.dataBytes >= b.dataBytes)) &&
    (a.takesTopUps || !b.takesTopUps) &&
    (a.startsAtFirstUse || !b.startsAtFirstUse) &&
    b.destinations.every((destination) => a.destinations.includes(destination))
  )
}
