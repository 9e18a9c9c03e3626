/**
 * The keys and entries of an object whose type names them all, as of a table that is `as const`; and tables by their
 * keys.
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

/** A table with a value for each of the keys. */
export const tableOf = <Key extends string, Value>(
  keys: readonly Key[],
  valueFor: (key: Key) => Value,
): Record<Key, Value> => Object.fromEntries(keys.map((key) => [key, valueFor(key)])) as Record<Key, Value>
