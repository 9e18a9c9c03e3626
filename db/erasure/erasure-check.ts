/**
 * Looks for a person's identifiers wherever the live schema could hold them. What cannot be looked into counts as not
 * erased: a column that personal-data.ts does not know, or a type that this file does not.
 */
import { owners, personalData } from '../../policy/personal-data.ts'
import type { Database, Queryable } from '../connection/database.ts'
import type { Trace } from './deletion-seals.ts'
import { isUuid, withoutOthers } from './erased-rows.ts'

interface Column {
  table: string
  column: string
  type: string
  isIndexed: boolean
}

type Finder = 'uuid' | 'text' | 'array' | 'json' | 'bytes' | 'nothing'

/** Types that have room for an identifier, and those that have none. */
const finders: Record<string, Finder> = {
  uuid: 'uuid',
  text: 'text',
  varchar: 'text',
  bpchar: 'text',
  _text: 'array',
  json: 'json',
  jsonb: 'json',
  bytea: 'bytes',
  bool: 'nothing',
  int2: 'nothing',
  int4: 'nothing',
  int8: 'nothing',
  date: 'nothing',
  timestamptz: 'nothing',
}

/**
 * How far a look goes. What stands in an index is found at once, however many other people there are; the rest takes a scan
 * of each table that has such a column.
 */
export type Depth = 'indexes' | 'everything'

/**
 * A living account's rows are theirs, whatever stands in them.
 * @returns `table.column` of whatever still holds something, and of whatever could not be looked into
 */
export async function checkTraces(
  sql: Database,
  trace: Trace,
  depth: Depth,
): Promise<{ found: string[]; unchecked: string[] }> {
  const columns = await columnsOf(sql, depth)
  const unchecked = columns.filter((column) => finderOf(column) === undefined).map(nameOf)
  const found: string[] = []
  const [accountId = ''] = trace.ids
  const sought = { ...trace, ids: await withoutOthers(sql, accountId, trace.ids) }
  for (const group of searchGroups(columns)) {
    const [first] = group
    if (!first) continue
    const hits = await sql`select 1 from ${sql(first.table)} as held
      where (${anyOf(sql, group, sought)}) and not ${ofLiving(sql, first.table, accountId)} limit 1`
    if (hits.length > 0) found.push(group.length === 1 ? nameOf(first) : `${first.table}.*`)
  }
  return { found, unchecked }
}

async function columnsOf(sql: Database, depth: Depth): Promise<Column[]> {
  const columns = await liveColumns(sql)
  return depth === 'everything' ? columns : columns.filter((column) => column.isIndexed)
}

async function liveColumns(sql: Database): Promise<Column[]> {
  return sql<Column[]>`
    select c.relname as table, a.attname as column, coalesce(base.typname, t.typname) as type,
      exists (select from pg_index i where i.indrelid = c.oid and i.indkey[0] = a.attnum) as "isIndexed"
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    join pg_type t on t.oid = a.atttypid
    left join pg_type base on base.oid = t.typbasetype
    where c.relkind in ('r', 'p') and not c.relispartition
    order by 1, 2`
}

/** Undefined: nobody knows what it holds. */
function finderOf(column: Column): Finder | undefined {
  const entry = personalData[nameOf(column)]
  if (!entry) return undefined
  const finder = finders[column.type]
  // Ciphertext cannot be searched; the row it stands in can. Our trade's own texts name no person's records.
  if (entry.sealed || (entry.onErasure === 'keep' && finder !== 'uuid' && entry.class !== 'link')) return 'nothing'
  return finder
}

/** Indexed columns each by its index, a table's others in one scan. */
function searchGroups(columns: Column[]): Column[][] {
  const searched = columns.filter((column) => (finderOf(column) ?? 'nothing') !== 'nothing')
  const others = searched.filter((column) => !column.isIndexed)
  const tables = [...new Set(others.map((column) => column.table))]
  return [
    ...searched.filter((column) => column.isIndexed).map((column) => [column]),
    ...tables.map((table) => others.filter((column) => column.table === table)),
  ]
}

const nameOf = ({ table, column }: Column): string => `${table}.${column}`

/** Whether a row, called `held`, belongs to another account than the erased one. */
function ofLiving(sql: Queryable, table: string, accountId: string) {
  const owner = owners[table]
  switch (owner?.is) {
    case 'account':
      return sql`exists (select from accounts living
        where living.id = held.${sql(owner.column)} and living.id <> ${accountId})`
    case 'order':
      return sql`exists (select from orders living
        where living.id = held.${sql(owner.column)} and living.account_id <> ${accountId})`
    default:
      return sql`false`
  }
}

function anyOf(sql: Queryable, columns: Column[], trace: Trace) {
  const uuids = trace.ids.filter(isUuid)
  const conditions = columns.map((column) => {
    const name = sql(column.column)
    switch (finderOf(column)) {
      case 'uuid':
        return sql`${name} = any(${uuids}::uuid[])`
      case 'text':
        return sql`${name} = any(${trace.ids}::text[])`
      case 'array':
        return sql`${name} && ${trace.ids}::text[]`
      case 'json':
        return sql`exists (select from unnest(${trace.ids}::text[]) as id where strpos(${name}::text, id) > 0)`
      case 'bytes':
        return sql`${name} = any(array(select decode(hash, 'hex') from unnest(${trace.blinds}::text[]) as hash))`
      default:
        return sql`false`
    }
  })
  return conditions.reduce((all, condition) => sql`${all} or ${condition}`)
}
