import { Problem } from './problem.ts'

export const entityTag = (version: number): string => `"${version}"`

/**
 * The version `If-Match` insists on, or undefined when it insists on none.
 * @throws Problem version_conflict for a tag that is none of ours, which cannot match
 */
export function expectedVersion(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined
  const version = /^\s*"(\d{1,9})"\s*$/.exec(ifMatch)?.[1]
  if (version === undefined) throw new Problem('version_conflict')
  return Number(version)
}

/** Whether the caller already has this version. */
export function alreadyHas(ifNoneMatch: string | undefined, version: number): boolean {
  if (ifNoneMatch === undefined) return false
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes('*') || tags.includes(entityTag(version))
}
