/**
 * Searches every column of the live schema that could hold an erased person's identifiers. A column that is missing in
 * personal-data.ts, or that has a type missing here, counts as not erased.
 */
import { owners, personalData } from '../../policy/personal-data.ts'
import type { Database, Fragment, Queryable } from '../connection/database.ts'
import type { Trace } from './deletion-seals.ts'
import { type Depth, isUuid, withoutOthers } from './erased-rows.ts'
import { mentionsIn } from './mentions.ts'

interface Column {
  table: string
  column: string
  type: string
  is_indexed: boolean
}

/** `words`: an id may be a part of the text. */
type Finder = 'uuid' | 'text' | 'words' | 'array' | 'json' | 'bytes' | 'nothing'

/** How to search each type of column; `nothing` for types that cannot hold an identifier. */
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
 * Searches for traces of an erased person, except in the rows of other accounts.
 * @returns `table.column` (or `table.*`) of each place with a trace, and of each column that could not be searched
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
    const others = sql`not ${ofLiving(sql, first.table, accountId)}`
    const hits = await sql`select 1 from ${sql(first.table)} as held
      where (${anyOf(sql, group, sought)}) and ${others} limit 1`
    if (hits.length > 0 || (depth === 'everything' && (await isMentioned(sql, group, sought.ids, others))))
      found.push(group.length === 1 ? nameOf(first) : `${first.table}.*`)
  }
  return { found, unchecked }
}

/** Whether one of the ids is among the words of a column, or in its JSON. */
async function isMentioned(sql: Database, group: Column[], ids: string[], others: Fragment): Promise<boolean> {
  for (const finder of ['words', 'json'] as const) {
    const [first, ...further] = group.filter((column) => finderOf(column) === finder)
    if (!first) continue
    const text = further.reduce(
      (all, { column }) => sql`${all}, held.${sql(column)}::text`,
      sql`held.${sql(first.column)}::text`,
    )
    const isFound = await sql.begin(async (tx) => {
      const texts = tx<{ text: string }[]>`
        select concat_ws(e'\n', ${text}) as text from ${tx(first.table)} as held where ${others}`
      for await (const _mention of mentionsIn(texts, ids, finder === 'json' ? 1 : undefined)) return true
      return false
    })
    if (isFound) return true
  }
  return false
}

async function columnsOf(sql: Database, depth: Depth): Promise<Column[]> {
  const columns = await liveColumns(sql)
  return depth === 'everything' ? columns : columns.filter((column) => column.is_indexed)
}

async function liveColumns(sql: Database): Promise<Column[]> {
  return sql<Column[]>`
    select c.relname as table, a.attname as column, coalesce(base.typname, t.typname) as type,
      exists (select from pg_index i where i.indrelid = c.oid and i.indkey[0] = a.attnum) as is_indexed
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    join pg_type t on t.oid = a.atttypid
    left join pg_type base on base.oid = t.typbasetype
    where c.relkind in ('r', 'p') and not c.relispartition
    order by 1, 2`
}

/** Undefined for a column that cannot be searched, because its entry or its type is unknown. */
function finderOf(column: Column): Finder | undefined {
  const entry = personalData[nameOf(column)]
  if (!entry) return undefined
  if (entry.mentions) return 'words'
  const finder = finders[column.type]
  // Ciphertext cannot be searched, but the other columns of its row can. Kept texts that are no links hold no
  // identifiers.
  if (entry.sealed || (entry.onErasure === 'keep' && finder !== 'uuid' && entry.class !== 'link')) return 'nothing'
  return finder
}

/**
 * Groups of columns to search in one query: an indexed column alone by its index, the others of a table in one scan.
 */
function searchGroups(columns: Column[]): Column[][] {
  const searched = columns.filter((column) => (finderOf(column) ?? 'nothing') !== 'nothing')
  const others = searched.filter((column) => !column.is_indexed)
  const tables = [...new Set(others.map((column) => column.table))]
  return [
    ...searched.filter((column) => column.is_indexed).map((column) => [column]),
    ...tables.map((table) => others.filter((column) => column.table === table)),
  ]
}

const nameOf = ({ table, column }: Column): string => `${table}.${column}`

/** The condition that a row, under the alias `held`, belongs to another account than the erased one. */
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

/** A value that is one of the ids; texts that have one among other words are read by `isMentioned`. */
function anyOf(sql: Queryable, columns: Column[], trace: Trace) {
  const uuids = sql`${trace.ids.filter(isUuid)}::uuid[]`
  const texts = sql`${trace.ids}::text[]`
  const hashes = sql`${trace.blinds.map((hash) => `\\x${hash}`)}::text[]::bytea[]`
  const conditions = columns.map((column) => {
    const name = sql(column.column)
    // An index finds each value. In a scan every row is compared: with a table of hashes, not with each value.
    const isOneOf = (values: Fragment) =>
      column.is_indexed ? sql`${name} = any(${values})` : sql`${name} in (select unnest(${values}))`
    switch (finderOf(column)) {
      case 'uuid':
        return isOneOf(uuids)
      case 'text':
      case 'words':
        return isOneOf(texts)
      case 'array':
        // `&&` compares each word with each id.
        return sql`exists (select from unnest(${name}) as each where each = any(${texts}))`
      case 'json':
        return sql`false`
      case 'bytes':
        return isOneOf(hashes)
      default:
        return sql`false`
    }
  })
  return conditions.reduce((all, condition) => sql`${all} or ${condition}`)
}
