/** The keys of an object whose type names them all, as of a table that is `as const`. */
export const keysOf = <Table extends object>(table: Table): (keyof Table & string)[] =>
  Object.keys(table) as (keyof Table & string)[]
