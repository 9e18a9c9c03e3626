/** The reference of a privacy request in mails: fits into a subject line and holds no personal data. */
export const privacyReference = (requestId: string): string => `PR-${requestId.slice(0, 8).toUpperCase()}`

/**
 * The ids that have a reference, as a first and a last one; undefined for a text that is none. People write it in
 * several ways.
 */
export function idsOfPrivacyReference(text: string): { first: string; last: string } | undefined {
  const head = /^pr-?([0-9a-f]{8})$/i.exec(text.replaceAll(/\s/g, ''))?.[1]?.toLowerCase()
  if (head === undefined) return undefined
  return { first: `${head}-0000-0000-0000-000000000000`, last: `${head}-ffff-ffff-ffff-ffffffffffff` }
}
