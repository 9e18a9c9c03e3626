import { Problem } from './problem.ts'

/** The strong entity tag of a version (RFC 9110, section 8.8.3). */
export const entityTag = (version: number): string => `"${version}"`

/**
 * The version that `If-Match` requires, or undefined when it accepts any.
 * @throws Problem version_conflict for a tag that we never send, which therefore cannot match
 */
export function expectedVersion(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined
  const version = /^\s*"(\d{1,9})"\s*$/.exec(ifMatch)?.[1]
  if (version === undefined) throw new Problem('version_conflict')
  return Number(version)
}

/** Whether `If-None-Match` says that the caller has this version already. */
export function alreadyHas(ifNoneMatch: string | undefined, version: number): boolean {
  if (ifNoneMatch === undefined) return false
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes('*') || tags.includes(entityTag(version))
}
