/**
 * Packages of two providers are the same package of ours when kind, destinations, volume and days are equal. Speed,
 * networks and fair-use rules may differ.
 */
import { createHash } from 'node:crypto'
import { regionOf } from '../../policy/regions.ts'

export interface PackageIdentity {
  kind: 'base' | 'top_up'
  /** ISO 3166-1 alpha-2, sorted, each once, at least one */
  destinations: string[]
  /** of the whole package, or of one day if `daily`; null is unlimited */
  dataBytes: number | null
  daily: boolean
  days: number
}

/**
 * The package's code: `de-3gb-30d`, `de-3gb-30d-topup`, `jp-1gb-7d-daily`, `fr-unlimited-7d`, and for several countries
 * `eu32-2f7c1d-5gb-30d`, with a hash of the countries. Orders hold codes, so they never change. A few sets of countries
 * have the same hash: the one that was offered first is sold.
 */
export function packageCode(identity: PackageIdentity): string {
  const { kind, destinations, dataBytes, daily, days } = identity
  const data = volume(dataBytes, '', 'unlimited').toLowerCase()
  return [
    placeCode(destinations),
    data,
    `${days}d`,
    ...(daily ? ['daily'] : []),
    ...(kind === 'top_up' ? ['topup'] : []),
  ].join('-')
}

/**
 * The package's first name: `Germany 3 GB, 30 days`, `Europe (32 countries) 5 GB, 30 days, top-up`, `Japan 1 GB a day,
 * 7 days`.
 */
export function packageName(identity: PackageIdentity): string {
  const { kind, destinations, dataBytes, daily, days } = identity
  const data = `${volume(dataBytes, ' ', 'unlimited data')}${daily && dataBytes !== null ? ' a day' : ''}`
  const period = days === 1 ? '1 day' : `${days} days`
  return `${placeName(destinations)} ${data}, ${period}${kind === 'top_up' ? ', top-up' : ''}`
}

function placeCode(destinations: string[]): string {
  const [only = ''] = destinations
  if (destinations.length === 1) return only.toLowerCase()
  const hash = createHash('sha256').update(destinations.join()).digest('hex').slice(0, 6)
  return `${regionOf(destinations).code}${destinations.length}-${hash}`
}

function placeName(destinations: string[]): string {
  const [only = ''] = destinations
  if (destinations.length === 1) return countryNames.of(only) ?? only
  return `${regionOf(destinations).name} (${destinations.length} countries)`
}

const countryNames = new Intl.DisplayNames(['en'], { type: 'region' })

const units = [
  ['GB', 1024 ** 3],
  ['MB', 1024 ** 2],
  ['KB', 1024],
] as const

/** A volume in the largest unit of which it is a whole number. */
function volume(bytes: number | null, space: string, unlimited: string): string {
  if (bytes === null) return unlimited
  const [unit, size] = units.find(([, candidate]) => bytes % candidate === 0) ?? ['B', 1]
  return `${bytes / size}${space}${unit}`
}
