/**
 * The keys and entries of an object whose type names them all, as of a table that is `as const`; tables by their keys;
 * and a property of a value whose type says nothing.
 */

export const keysOf = <Table extends object>(table: Table): (keyof Table & string)[] =>
  Object.keys(table) as (keyof Table & string)[]

/** Each key with its value. */
export const entriesOf = <Table extends object>(
  table: Table,
): [keyof Table & string, Required<Table>[keyof Table & string]][] =>
  Object.entries(table) as [keyof Table & string, Required<Table>[keyof Table & string]][]

/** Whether it is a key of the table. */
export const isKeyOf = <Table extends object>(table: Table, name: PropertyKey): name is keyof Table =>
  Object.hasOwn(table, name)

/** A table of entries, of which each key has one. */
export const tableOfEntries = <Key extends string, Value>(entries: readonly [Key, Value][]): Record<Key, Value> =>
  Object.fromEntries(entries) as Record<Key, Value>

/** A table with a value for each of the keys. */
export const tableOf = <Key extends string, Value>(
  keys: readonly Key[],
  valueFor: (key: Key) => Value,
): Record<Key, Value> => tableOfEntries(keys.map((key) => [key, valueFor(key)]))

/** A property of any value: of an error, or of what an outside party has sent. Undefined where there is none. */
export const propertyOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined

/** A property that is text, such as the code of an error; undefined where there is none. */
export function textPropertyOf(value: unknown, name: string): string | undefined {
  const found = propertyOf(value, name)
  return typeof found === 'string' ? found : undefined
}
