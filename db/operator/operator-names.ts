import type { Queryable } from '../connection/database.ts'
import type { ApiKeys } from '../connection/schema.ts'

/** What pages call operators, by the names that the security log gives them. */
export async function operatorNames(sql: Queryable): Promise<Map<string, string>> {
  const keys = await sql<Pick<ApiKeys, 'id' | 'label'>[]>`select id, label from api_keys where kind = 'operator'`
  return new Map(keys.map(({ id, label }) => [`operator:${id}`, label]))
}
