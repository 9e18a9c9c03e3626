/** Enumerations of the API: each value with its meaning, which the OpenAPI document and /docs show. */
import { z } from 'zod'
import { isKeyOf, keysOf } from '../../shared/keys-of.ts'

/** `values` by their meanings, under a name in the OpenAPI document. */
export interface Enumeration<Value extends string> {
  schema: z.ZodEnum<z.core.util.ToEnum<Value>>
  meanings: Readonly<Record<Value, string>>
  /** The value, or `other` for one that this list does not have: an outside party may add values at any time. */
  known(value: string): Value | 'other'
}

/**
 * Each enumeration. The OpenAPI document describes them before the routes: it takes a named schema as it meets it
 * first, and where that place also takes null the name would take it everywhere.
 */
export const enumerations: z.ZodType[] = []

/** Defines an enumeration. @param name of its schema in the OpenAPI document */
export function enumeration<const Value extends string>(
  name: string,
  description: string,
  meanings: Readonly<Record<Value, string>>,
): Enumeration<Value> {
  const values = keysOf(meanings)
  const schema = z.enum(values).meta({
    id: name,
    description,
    'x-enum-descriptions': values.map((value) => meanings[value]),
  })
  enumerations.push(schema)
  return {
    schema,
    meanings,
    known: (value) => (isKeyOf(meanings, value) ? value : 'other'),
  }
}
