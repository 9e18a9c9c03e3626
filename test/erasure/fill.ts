/**
 * Fills every column of every table that holds data of a person, by the live schema: new tables and columns are
 * included. Each gets a unique text that a test can find in any other place.
 */
import { createHash, randomUUID } from 'node:crypto'
import type { Database } from '../../db/connection/database.ts'
import type { ColumnEncryption } from '../../db/crypto/column-encryption.ts'
import { personalData } from '../../policy/personal-data.ts'

/** A value that can be written, whatever the column. */
type Cell = string | number | boolean | Date | Buffer | string[] | null
type Row = Record<string, Cell>

interface Column {
  table: string
  column: string
  type: string
  domain: string | null
  length: number | null
  /** the target of its foreign key */
  ref_table: string | null
  ref_column: string | null
}

/** Values of columns that refer to a person without a foreign key. */
export const undeclaredTies: Readonly<Record<string, 'account' | 'order'>> = {
  'security_log.account_id': 'account',
  'access_log.account_id': 'account',
  'events.account_id': 'account',
  'sends.subject_id': 'order',
  'idempotency_keys.resource_id': 'order',
  'attention.subject_id': 'order',
  'reconciliation_differences.subject_id': 'order',
  'restored_items.subject_id': 'order',
}

/** Columns that only operators' rows fill. */
export const neverTheirs: readonly string[] = [
  'web_sessions.key_id',
  'web_sessions.operator_id',
  'web_sessions.openid_confirmed_at',
  'web_sessions.openid_asked_at',
  'web_sessions.openid_refresh_token',
  'web_sessions.openid_sid_index',
  'operator_acts.bulk_action_id',
]

/** Tables with one existing row for each person: only empty columns are filled. */
const inPlace = ['accounts', 'data_keys']
/** Tables that the erasure itself fills. */
const ofErasure = ['deletion_seals']

export interface Filled {
  /** the unique texts by `table.column` */
  canaries: Map<string, string>
}

/** @param orderId an order of the person */
export async function fillPerson(
  context: ColumnEncryption & { sql: Database },
  person: { name: string; accountId: string; orderId: string },
): Promise<Filled> {
  const { sql, cipher, dataKeys } = context
  const key = await dataKeys.get(sql, person.accountId)
  const columns = await liveColumns(context)
  const checks = await allowedWords(context)
  const canaries = new Map<string, string>()
  const rows = new Map<string, Row>([
    ['accounts', { id: person.accountId }],
    ['data_keys', { account_id: person.accountId }],
  ])

  for (const table of inPlace) await fillEmpty(table)
  const tables = [...new Set(columns.map((column) => column.table))].filter(isOfPersons)
  for (const table of tables) await ensureRow(table)
  return { canaries }

  async function ensureRow(table: string): Promise<Row> {
    const known = rows.get(table)
    if (known) return known
    const row: Row = {}
    rows.set(table, row)
    for (const column of columns.filter((each) => each.table === table)) row[column.column] = await fillingOf(column)
    await sql`insert into ${sql(table)} ${sql(row)}`
    return row
  }

  async function fillEmpty(table: string): Promise<void> {
    const [id] = Object.entries(rows.get(table) ?? {})
    const [row] = await sql`select * from ${sql(table)} where ${sql(id?.[0] ?? '')} = ${id?.[1] ?? null}`
    const change: Row = {}
    for (const column of columns.filter((each) => each.table === table && row?.[each.column] === null)) {
      change[column.column] = await fillingOf(column)
    }
    if (Object.keys(change).length > 0)
      await sql`update ${sql(table)} set ${sql(change)} where ${sql(id?.[0] ?? '')} = ${id?.[1] ?? null}`
  }

  async function fillingOf(column: Column): Promise<Cell> {
    const name = `${column.table}.${column.column}`
    if (neverTheirs.includes(name)) return null
    if (undeclaredTies[name]) return undeclaredTies[name] === 'account' ? person.accountId : person.orderId
    if (column.ref_table === column.table) return person.orderId
    if (column.ref_table && column.ref_column) return referenced(column.ref_table, column.ref_column)
    const entry = personalData[name]
    if (!entry) throw new Error(`${name} has no entry in policy/personal-data.ts`)
    const isTrade = entry.onErasure !== 'delete' || entry.class === 'business'
    const text = isTrade ? 'trade' : canaryOf(name)
    if (column.domain === 'sealed') return cipher.encrypt(key, name, text)
    if (column.domain === 'blind') return cipher.blindIndex(name, text)
    return checks.get(name) ?? valueOfType(column, text)
  }

  async function referenced(table: string, column: string): Promise<Cell> {
    if (isOfPersons(table)) return (await ensureRow(table))[column] ?? null
    const [row] = await sql<{ value: Cell }[]>`select ${sql(column)} as value from ${sql(table)} limit 1`
    return row ? row.value : ((await ensureRow(table))[column] ?? null)
  }

  function canaryOf(name: string): string {
    const text = `${person.name}~${name}`
    canaries.set(name, text)
    return text
  }

  function valueOfType({ table, column, type, length }: Column, text: string): Cell {
    switch (type) {
      case 'text':
      case 'varchar':
        return table === 'invoices' ? `${text}-${person.name}-${column}` : text
      case 'bpchar':
        // A country or a currency.
        return length === 2 ? 'DE' : 'EUR'
      case 'uuid': {
        const id = randomUUID()
        if (personalData[`${table}.${column}`]?.onErasure === 'delete') canaries.set(`${table}.${column}`, id)
        return id
      }
      case 'bytea':
        return createHash('sha256').update(text).digest()
      case '_text':
        return [text]
      case 'json':
      case 'jsonb':
        return JSON.stringify({ text })
      case 'bool':
        return true
      case 'int2':
      case 'int4':
      case 'int8':
        return table === 'invoices' && column === 'sequence' ? Number.parseInt(digest(person.name).slice(0, 6), 16) : 1
      case 'date':
      case 'timestamptz':
        // The person's tokens have to stay valid.
        return column === 'signed_out_at' ? new Date(0) : new Date()
      default:
        throw new Error(`nobody knows how to fill ${table}.${column}, a ${type}`)
    }
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Tables whose rows belong to a person, or did before an erasure. */
export function tablesOfPersons(): string[] {
  const entries = Object.entries(personalData).filter(([, entry]) => entry.onErasure !== 'keep')
  const tables = new Set(entries.map(([name]) => name.slice(0, name.indexOf('.'))))
  return [...tables].filter((table) => !ofErasure.includes(table))
}

const isOfPersons = (table: string): boolean => tablesOfPersons().includes(table)

async function liveColumns({ sql }: { sql: Database }): Promise<Column[]> {
  return sql<Column[]>`
    select c.table_name as table, c.column_name as column, c.udt_name as type, c.domain_name as domain,
      c.character_maximum_length as length,
      target.relname as ref_table, ref.attname as ref_column
    from information_schema.columns c
    join pg_class on pg_class.oid = format('%I.%I', c.table_schema, c.table_name)::regclass
      and relkind in ('r', 'p') and not relispartition
    left join pg_constraint fk on fk.conrelid = pg_class.oid and fk.contype = 'f' and fk.conkey[1] = c.ordinal_position
    left join pg_class target on target.oid = fk.confrelid
    left join pg_attribute ref on ref.attrelid = fk.confrelid and ref.attnum = fk.confkey[1]
    where c.table_schema = 'public'
    order by c.table_name, c.ordinal_position`
}

/** The last word that a column's check allows, by `table.column`; existing rows have the first word. */
async function allowedWords({ sql }: { sql: Database }): Promise<Map<string, string>> {
  const checks = await sql<{ name: string; definition: string }[]>`
    select conrelid::regclass::text || '.' || attname as name, pg_get_constraintdef(pg_constraint.oid) as definition
    from pg_constraint
    join pg_attribute on attrelid = conrelid and attnum = conkey[1]
    where contype = 'c' and array_length(conkey, 1) = 1`
  return new Map(
    checks.flatMap(({ name, definition }) => {
      // A pattern is no word.
      if (definition.includes('~')) return []
      const word = [...definition.matchAll(/'([^']*)'::text/g)].at(-1)?.[1]
      return word === undefined ? [] : [[name, word] as const]
    }),
  )
}
