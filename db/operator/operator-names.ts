import type { Queryable } from '../connection/database.ts'
import type { ApiKeys, Operators } from '../connection/schema.ts'

/** The names of operators on pages, by the names that the security log gives them. */
export async function operatorNames(sql: Queryable): Promise<Map<string, string>> {
  const keys = await sql<Pick<ApiKeys, 'id' | 'label'>[]>`select id, label from api_keys where kind = 'operator'`
  const people = await sql<Pick<Operators, 'id' | 'name'>[]>`select id, name from operators`
  return new Map([
    ...keys.map(({ id, label }) => [`operator:${id}`, label] as const),
    ...people.map(({ id, name }) => [`operator:${id}`, name] as const),
  ])
}
