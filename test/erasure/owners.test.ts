/**
 * G3, in the database alone: erasure deletes rows by their owner. Ids of others in a person's rows do not delete rows
 * of others, and the database refuses every statement that would.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../db/connection/database.ts'
import type { EmailChanges, Orders, OwnedIds } from '../../db/connection/schema.ts'
import { systemKeyId } from '../../db/crypto/data-keys.ts'
import { replayLedger } from '../../db/erasure/deletion-ledger.ts'
import { openSecret } from '../../db/erasure/deletion-seals.ts'
import { eraseLateRows } from '../../db/erasure/erased-rows.ts'
import { erase } from '../../db/erasure/erasure.ts'
import { checkTraces } from '../../db/erasure/erasure-check.ts'
import { owners, personalData } from '../../policy/personal-data.ts'
import { rowsAdded, type Snapshot, takeSnapshot } from './snapshot.ts'
import { openDatabase, type Stored } from './stored-person.ts'

let stored: Stored
let sql: Database
let victim: string
let victims: string[]
/** ids of the other person, by kind, and ids of nobody */
let ids: Record<string, string>

beforeAll(async () => {
  stored = await openDatabase()
  sql = stored.sql
  await stored.dataKeys.system(sql)
  const gone = await stored.store('gone')
  const receiptId = await eraseNow(gone)
  victim = await stored.store('victim')
  victims = await ownIds(victim)
  const owned = await sql<Pick<OwnedIds, 'kind' | 'id'>[]>`
    select distinct on (kind) kind, id from owned_ids where account_id = ${victim} order by kind, id`
  const [order] = await sql<Pick<Orders, 'measurement_event_id'>[]>`select measurement_event_id from orders
    where account_id = ${victim} and measurement_event_id is not null`
  ids = {
    ...Object.fromEntries(owned.map(({ kind, id }) => [kind, id])),
    measurement: order?.measurement_event_id ?? '',
    receipt: receiptId,
    gone,
    system: systemKeyId,
  }
})
afterAll(() => stored.close())

async function eraseNow(accountId: string): Promise<string> {
  const receiptId = randomUUID()
  const erasure = { receiptId, reason: 'requested', at: new Date(), backupsGoneBy: new Date('2100-01-01') } as const
  await sql.begin((tx) => erase(tx, stored, { ...erasure, accountRef: stored.cipher.accountRef(accountId) }))
  stored.dataKeys.evict(accountId)
  return receiptId
}

/** The first and the second check after an erasure. */
async function look(receiptId: string) {
  const trace = await openSecret(sql, stored, receiptId, 'trace')
  if (!trace) throw new Error('no trace')
  await eraseLateRows(sql, trace)
  await checkTraces(sql, trace, 'indexes')
  await eraseLateRows(sql, trace)
  return checkTraces(sql, trace, 'everything')
}

/** Writes an id into all columns of a person's rows that accept it. @returns the columns */
async function plant(accountId: string, id: string): Promise<string[]> {
  const columns = await sql<{ table: string; column: string; type: string }[]>`
    select table_name as table, column_name as column, data_type as type from information_schema.columns
    join pg_class on oid = format('%I.%I', table_schema, table_name)::regclass and relkind in ('r', 'p')
    where table_schema = 'public' and not relispartition and data_type in ('uuid', 'text') and domain_name is null
    order by 1, 2`
  const taken: string[] = []
  const own = await ownIds(accountId)
  for (const { table, column, type } of columns) {
    const owner = owners[table]
    // Without columns that define the owner or find the account itself.
    const isKept = owner?.column === column || ['account_ref', 'kek_id'].includes(column)
    if (!owner || owner.is === 'receipt' || isKept) continue
    const value = type === 'uuid' ? sql`${id}::uuid` : sql`${id}::text`
    const changed = await sql
      .begin(
        (tx) => tx`update ${tx(table)} set ${tx(column)} = ${value} where ctid in (
        select ctid from ${tx(table)} where ${mine(table, accountId, own)} limit 1)`,
      )
      .catch(() => undefined)
    if (changed?.count) taken.push(`${table}.${column}`)
  }
  return taken
}

async function ownIds(accountId: string): Promise<string[]> {
  const rows = await sql<Pick<OwnedIds, 'id'>[]>`select id from owned_ids where account_id = ${accountId}`
  return rows.map(({ id }) => id)
}

/** The rows of a table that belong to an account. */
function mine(table: string, accountId: string, own: string[]) {
  const owner = owners[table]
  const column = sql(owner?.column ?? '')
  switch (owner?.is) {
    case 'account':
      return sql`${column} = ${accountId}`
    case 'order':
      return sql`${column} in (select id from orders where account_id = ${accountId})`
    default:
      return sql`${column} = any(${own})`
  }
}

/** Compares with the rows of before. */
function gone(before: Snapshot, after: Snapshot): string[] {
  return [...rowsAdded(after, before)].flatMap(([table, rows]) => rows.map((row) => `${table}: ${row}`))
}

describe.each([
  'account',
  'order',
  'esim',
  'privacy_request',
  'email_change',
  'measurement',
  'receipt',
  'gone',
  'system',
])('an id of another person (%s) in every column that accepts one', (kind) => {
  test('the erasure of its holder changes no row of others, also after the second check and a restore', async () => {
    const id = ids[kind] ?? ''
    const before = await takeSnapshot(stored)
    const planter = await stored.store(`planter-${kind}`)
    const taken = await plant(planter, id)
    expect(taken.length).toBeGreaterThan(10)
    const theirs = rowsAdded(before, await takeSnapshot(stored))
    const receiptId = await eraseNow(planter)
    expect(await sql`select 1 from accounts where id = ${planter}`).toHaveLength(0)
    expect(gone(before, await takeSnapshot(stored))).toEqual([])
    expect(await look(receiptId)).toEqual({ found: [], unchecked: [] })
    expect(gone(before, await takeSnapshot(stored))).toEqual([])
    expect(await sql`select 1 from accounts where id = ${planter}`).toHaveLength(0)

    for (const table of ['order_facts', 'invoices']) theirs.delete(table)
    await restore(theirs)
    expect(await replayLedger(sql, stored.cipher, new Date())).toEqual({ erased: 1 })
    expect(gone(before, await takeSnapshot(stored))).toEqual([])
    expect(await sql`select 1 from accounts where id = ${planter}`).toHaveLength(0)
  })
})

test('the erasure of a person whose ids are in rows of another person is complete, and those rows stay', async () => {
  const holder = await stored.store('holder')
  const person = await stored.store('named')
  const [order] = await sql<Pick<Orders, 'id'>[]>`select id from orders where account_id = ${person} limit 1`
  await plant(holder, order?.id ?? '')
  const personsRows = await rowsOf(person)
  const before = await takeSnapshot(stored)
  const receiptId = await eraseNow(person)
  expect(await look(receiptId)).toEqual({ found: [], unchecked: [] })
  expect(gone(before, await takeSnapshot(stored)).filter((row) => !personsRows.has(row))).toEqual([])
})

async function rowsOf(accountId: string): Promise<Set<string>> {
  const rows = new Set<string>()
  const own = await ownIds(accountId)
  for (const table of Object.keys(owners)) {
    if (owners[table]?.is === 'receipt') continue
    const found = await sql`select to_jsonb(t)::text as row from ${sql(table)} t where ${mine(table, accountId, own)}`
    for (const { row } of found) rows.add(`${table}: ${row}`)
  }
  return rows
}

/** Inserts rows as a restored backup does. */
async function restore(rows: Snapshot): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`
    for (const [table, texts] of rows) {
      for (const text of texts)
        await tx`insert into ${tx(table)} select * from jsonb_populate_record(null::${tx(table)}, ${text}::text::jsonb)
          on conflict do nothing`
    }
  })
}

describe('the database refuses', () => {
  const ofPersons = Object.keys(owners).filter((table) => owners[table]?.is !== 'receipt')
  const refused = /belongs to an account that is not being erased/

  test.each(ofPersons)('to delete a living account’s row of %s while another is erased', async (table) => {
    const other = await stored.store(`other-${table}`)
    const count = () => sql`select 1 from ${sql(table)} where ${mine(table, victim, victims)}`
    const before = (await count()).length
    expect(before).toBeGreaterThan(0)
    const statement = sql.begin(async (tx) => {
      await tx`select erase_only(${other})`
      await tx`delete from ${tx(table)} where ${mine(table, victim, victims)}`
    })
    await expect(statement).rejects.toThrow(refused)
    expect((await count()).length).toBe(before)
  })

  test.each(['accounts', 'data_keys', 'orders', 'esims'])(
    'to delete a living account’s row of %s at all',
    async (table) => {
      await expect(sql`delete from ${sql(table)} where ${mine(table, victim, victims)}`).rejects.toThrow(refused)
    },
  )

  test('to delete the system’s data key in the erasure of any account', async () => {
    for (const erased of [victim, systemKeyId]) {
      const statement = sql.begin(async (tx) => {
        await tx`select erase_only(${erased})`
        await tx`delete from data_keys where account_id = ${systemKeyId}`
      })
      await expect(statement).rejects.toThrow('data key stays')
    }
  })

  test('to insert a top-up of another account’s order, or a link to another account’s change of address', async () => {
    const other = await stored.store('hanger-on')
    const [order] = await sql<Pick<Orders, 'id'>[]>`select id from orders where account_id = ${victim} limit 1`
    await expect(
      sql`update orders set parent_order_id = ${order?.id ?? null} where account_id = ${other}`,
    ).rejects.toThrow('orders_parent_order_id_fkey')
    const [change] = await sql<Pick<EmailChanges, 'id'>[]>`
      select id from email_changes where account_id = ${victim} limit 1`
    await expect(
      sql`update link_tokens set subject_id = ${change?.id ?? null} where account_id = ${other}`,
    ).rejects.toThrow('link_tokens_subject_id_fkey')
  })
})

test('a table with owners has a foreign key to its owner and the trigger that protects living accounts', async () => {
  const keys = await sql<{ name: string; target: string }[]>`
    select c.relname || '.' || a.attname as name, confrelid::regclass::text as target from pg_constraint
    join pg_class c on c.oid = conrelid join pg_attribute a on a.attrelid = conrelid and a.attnum = conkey[1]
    where contype = 'f' and confdeltype = 'c'`
  const targets = new Map(keys.map(({ name, target }) => [name, target]))
  const triggers = await sql<{ table: string; args: string }[]>`
    select relname as table, encode(tgargs, 'hex') as args from pg_trigger join pg_class c on c.oid = tgrelid
    where tgname = 'protect_living' and not relispartition`
  const held = new Map(
    triggers.map(({ table, args }) => [table, Buffer.from(args, 'hex').toString().split('\0').slice(0, 2)]),
  )
  /** Tables whose owner is a column without a foreign key: erasure deletes their rows by it. */
  const loose = [
    'accounts',
    'data_keys',
    'security_log',
    'access_log',
    'events',
    'attention',
    'restored_items',
    'reconciliation_differences',
    'idempotency_keys',
    'deletion_seals',
  ]
  for (const [table, { is, column }] of Object.entries(owners)) {
    if (!loose.includes(table)) {
      expect([table, targets.get(`${table}.${column}`)]).toEqual([table, is === 'account' ? 'accounts' : 'orders'])
    }
    if (is !== 'receipt') expect([table, held.get(table)]).toEqual([table, [is, column]])
  }
  const deleted = Object.keys(personalData).filter((name) => personalData[name]?.onErasure === 'delete')
  expect(new Set(deleted.map((name) => name.slice(0, name.indexOf('.'))))).toEqual(new Set(Object.keys(owners)))
})
