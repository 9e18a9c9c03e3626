/** Which role of ours a person has by what the OpenID provider says of them. */
import type { OperatorRole } from './operator-roles.ts'

/**
 * @param claim a name, or the way to a nested one: `realm_access.roles`
 * @param roles our role for each value of the claim; the first that the person has counts
 */
export function roleByClaim(
  claims: Readonly<Record<string, unknown>>,
  claim: string,
  roles: ReadonlyMap<string, OperatorRole>,
): OperatorRole | undefined {
  const found = valueAt(claims, claim)
  const values: unknown[] = Array.isArray(found) ? found : [found]
  return [...roles].find(([value]) => values.includes(value))?.[1]
}

/** Some providers name claims by addresses, which have dots, too. */
function valueAt(claims: Readonly<Record<string, unknown>>, claim: string): unknown {
  if (Object.hasOwn(claims, claim)) return claims[claim]
  return claim
    .split('.')
    .reduce<unknown>(
      (within, name) =>
        typeof within === 'object' && within !== null ? new Map(Object.entries(within)).get(name) : undefined,
      claims,
    )
}
