/**
 * G3 and R3: everybody can delete their account at once, and backups are kept for at most 30 days. Erasure in the
 * database, also of people whom a restored backup contains.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { insertItem, keepPlacement, listItemsToSettle } from '../../db/backup/restores.ts'
import { connectDatabase } from '../../db/connection/database.ts'
import type { ProviderOrders } from '../../db/connection/schema.ts'
import { exportLedger, importLedger, replayLedger } from '../../db/erasure/deletion-ledger.ts'
import { openSecret } from '../../db/erasure/deletion-seals.ts'
import { eraseLateRows } from '../../db/erasure/erased-rows.ts'
import { erase } from '../../db/erasure/erasure.ts'
import { checkTraces } from '../../db/erasure/erasure-check.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import type { HeldPlacement } from '../../db/order/placements.ts'
import { periods } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import { undeclaredTies } from './fill.ts'
import { rowsAdded, type Snapshot, takeSnapshot } from './snapshot.ts'
import { openDatabase, type Stored } from './stored-person.ts'

let stored: Stored

beforeAll(async () => {
  stored = await openDatabase()
})
afterAll(() => stored.close())

const backupsGoneBy = new Date('2100-01-01')

async function eraseNow(accountId: string): Promise<string> {
  const { sql, cipher } = stored
  const receiptId = randomUUID()
  const accountRef = cipher.accountRef(accountId)
  const erasure = { accountRef, receiptId, reason: 'requested', at: new Date(), backupsGoneBy } as const
  await sql.begin((tx) => erase(tx, stored, erasure))
  return receiptId
}

/** Inserts rows as a restored backup does, without checks of triggers and foreign keys. */
async function restore(rows: Snapshot): Promise<void> {
  await stored.sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`
    for (const [table, texts] of rows) {
      for (const text of texts)
        await tx`insert into ${tx(table)} select * from jsonb_populate_record(null::${tx(table)}, ${text}::text::jsonb)`
    }
  })
}

test('an erasure finds each row by an index, also in cascades', async () => {
  const { sql } = stored
  const accountId = await stored.store('indexed')
  const scans = () => sql<{ table: string; scans: bigint; found: bigint }[]>`
    select relname as table, seq_scan as scans, idx_scan as found from pg_stat_user_tables order by 1`
  const flushed = () => sql`select pg_stat_force_next_flush()`
  // The planner uses an index where it can: the rest are tables that can only be scanned.
  const eager = connectDatabase(stored.url, { maxConnections: 1 })
  await eager`set enable_seqscan = off`
  await flushed()
  const before = await scans()
  const erasure = { receiptId: randomUUID(), reason: 'requested', at: new Date(), backupsGoneBy } as const
  await eager.begin((tx) => erase(tx, stored, { ...erasure, accountRef: stored.cipher.accountRef(accountId) }))
  await eager`select pg_stat_force_next_flush()`
  await eager.end()
  const after = await scans()
  const read = after.filter((row, index) => row.scans !== before[index]?.scans).map(({ table }) => table)
  expect(read).toEqual([])
  // The counts are those from after the erasure.
  const found = after.filter((row, index) => row.found !== before[index]?.found).map(({ table }) => table)
  expect(found).toEqual(expect.arrayContaining(['accounts', 'orders', 'devices', 'sends']))
})

test('G3: an erasure of which one statement fails changes nothing, also where others were sent with it', async () => {
  const { sql, cipher } = stored
  const accountRef = cipher.accountRef(await stored.store('kept'))
  const before = await takeSnapshot(stored)
  await sql`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'planted'; end $$`
  const written = ['deletions', 'deletion_steps', 'data_keys', 'deletion_seals', 'erased_references']
  for (const table of [...written, 'attention', 'events', 'accounts', 'deletion_ledger']) {
    await sql`create trigger planted before insert or delete on ${sql(table)} execute function refuse()`
    const erasure = { accountRef, receiptId: randomUUID(), reason: 'requested', at: new Date(), backupsGoneBy } as const
    await expect(sql.begin((tx) => erase(tx, stored, erasure))).rejects.toThrow('planted')
    await sql`drop trigger planted on ${sql(table)}`
  }
  await sql`drop function refuse`
  expect(await takeSnapshot(stored)).toEqual(before)
})

test('every column that refers to an account or an order leads an index', async () => {
  const { sql } = stored
  const declared = await sql<{ name: string }[]>`
    select conrelid::regclass::text || '.' || attname as name
    from pg_constraint join pg_attribute on attrelid = conrelid and attnum = conkey[1]
    where contype = 'f' and confdeltype = 'c' and conparentid = 0
      and confrelid in ('accounts'::regclass, 'orders'::regclass)`
  const leading = await sql<{ name: string }[]>`
    select indrelid::regclass::text || '.' || attname as name
    from pg_index join pg_attribute on attrelid = indrelid and attnum = indkey[0]`
  const indexed = new Set(leading.map(({ name }) => name))
  expect(declared.length).toBeGreaterThan(10)
  const ties = [...declared.map(({ name }) => name), ...Object.keys(undeclaredTies)]
  expect(ties.filter((name) => !indexed.has(name))).toEqual([])
})

test('G3: a replay of the ledger erases a person again whom a backup has restored, and can be repeated', async () => {
  const { sql } = stored
  const bystander = await stored.store('bystander')
  const before = await takeSnapshot(stored)
  const accountId = await stored.store('restored')
  const theirs = rowsAdded(before, await takeSnapshot(stored))
  await eraseNow(accountId)
  const erased = await takeSnapshot(stored)

  const lost = [...theirs].filter(([table]) => !['order_facts', 'invoices'].includes(table))
  await restore(new Map(lost))
  expect(await sql`select 1 from accounts where id = ${accountId}`).toHaveLength(1)
  // The dump is older than the erasure: it does not know that what others list was an erased person's.
  const [reference] = await sql<{ forget_after: Date }[]>`
    delete from erased_references
    where forget_after = (select max(forget_after) from erased_references) returning forget_after`
  if (!reference) throw new Error('the erasure has noted nothing')
  const at = plusMs(reference.forget_after, -periods.erasedReferenceMs)
  expect(await replayLedger(sql, stored.cipher, at)).toEqual({ erased: 1 })
  expect(await sql`select 1 from accounts where id = ${accountId}`).toHaveLength(0)
  expect(await takeSnapshot(stored)).toEqual(erased)
  expect(await replayLedger(sql, stored.cipher, new Date())).toEqual({ erased: 0 })
  expect(await takeSnapshot(stored)).toEqual(erased)
  expect(await sql`select 1 from accounts where id = ${bystander}`).toHaveLength(1)
})

test('a restore keeps the entries of the newer ledger, and never removes one', async () => {
  const { sql } = stored
  await eraseNow(await stored.store('ledger'))
  const entries = await exportLedger(sql)
  await importLedger(sql, [...entries, ...entries])
  expect(await exportLedger(sql)).toEqual(entries)
  for (const change of [
    sql`update deletion_ledger set reason = 'child'`,
    sql`delete from deletion_ledger`,
    sql`truncate deletion_ledger`,
  ]) {
    await expect(change).rejects.toThrow('append-only')
  }
})

test('a restored seal without its data key is deleted', async () => {
  const { sql } = stored
  const receiptId = await eraseNow(await stored.store('sealed'))
  expect((await openSecret(sql, stored, receiptId, 'address'))?.email).toBe('sealed@people.example')
  await sql`delete from data_keys where account_id = ${receiptId}`
  await replayLedger(sql, stored.cipher, new Date())
  expect(await sql`select 1 from deletion_seals where receipt_id = ${receiptId}`).toHaveLength(0)
})

test('what a restore still settles for an erased person names neither their order nor what the deletion settles', async () => {
  const { sql } = stored
  const accountId = await stored.store('unsettled')
  const [placement] = await sql<Pick<ProviderOrders, 'client_ref'>[]>`
    select client_ref from provider_orders join orders o on o.id = order_id where o.account_id = ${accountId}`
  const receiptId = await eraseNow(accountId)
  const trace = await openSecret(sql, stored, receiptId, 'trace')
  if (!trace || !placement) throw new Error('no trace, or no placement')
  const [orderId = ''] = trace.orderIds
  const restoreId = randomUUID()
  await sql`insert into restores (id, backup_id, reads_since, restored_at, series)
    values (${restoreId}, ${randomUUID()}, now(), now(), 'R20260101000000')`
  const plan = { paymentIntentId: null, orderId, factId: null, invoiceNumber: null, placement: null }
  const held: HeldPlacement = {
    provider: 'airalo',
    clientRef: 'another',
    packageCode: 'eu-1gb',
    quantity: 1,
    days: null,
    orderNo: '77',
    placedAfter: '2026-01-01T00:00:00.000Z',
    esimRefs: null,
  }
  const item = { kind: 'provider_order', outcome: 'to_settle' } as const
  await insertItem(sql, restoreId, { ...item, subjectId: 'airalo:77', plan: { ...plan, placement: held } })
  const ofDeletion = { ...held, clientRef: placement.client_ref }
  await insertItem(sql, restoreId, { ...item, subjectId: 'airalo:78', plan: { ...plan, placement: ofDeletion } })
  expect((await checkTraces(sql, trace, 'everything')).found).toEqual(['restored_items.*'])
  await eraseLateRows(sql, trace)
  expect(await checkTraces(sql, trace, 'everything')).toEqual({ found: [], unchecked: [] })
  const left = await listItemsToSettle(sql, restoreId)
  expect(left).toMatchObject([{ subjectId: 'airalo:77', plan: { orderId: null, placement: { clientRef: 'another' } } }])

  // What the provider was asked for meanwhile brings the order's id not back.
  await keepPlacement(sql, restoreId, { ...item, subjectId: 'airalo:77' }, { ...held, returnsAsked: ['asked'] })
  expect(await listItemsToSettle(sql, restoreId)).toMatchObject([
    { plan: { orderId: null, placement: { clientRef: 'another', returnsAsked: ['asked'] } } },
  ])
})

test('an erasure’s second check deletes late rows, and reports an unknown column as not erased', async () => {
  const { sql } = stored
  const accountId = await stored.store('late')
  const receiptId = await eraseNow(accountId)
  const trace = await openSecret(sql, stored, receiptId, 'trace')
  if (!trace) throw new Error('no trace')
  expect(await checkTraces(sql, trace, 'everything')).toEqual({ found: [], unchecked: [] })

  const [orderId = ''] = trace.orderIds
  await sql`insert into attention (id, kind, subject_id, opened_at) values (${randomUUID()}, 'late', ${orderId}, now())`
  await sql`insert into sends (subject_id, kind, state, first_at) values (${orderId}, 'mail:late', 'sent', now())`
  await sql`insert into disputes (stripe_dispute_id, state, opened_at) values (${trace.ids.at(-1) ?? ''}, 'won', now())`
  const { found } = await checkTraces(sql, trace, 'everything')
  expect(found.sort()).toEqual(['attention.subject_id', 'disputes.stripe_dispute_id', 'sends.subject_id'])
  // The task of a dispute that was read before the erasure names the order; the bank still waits for an answer.
  await raiseOperatorTask(sql, { kind: 'dispute_open', subjectId: 'du_late', at: new Date(), attributes: { orderId } })
  expect((await checkTraces(sql, trace, 'everything')).found).toContain('attention.*')
  // None of the others needs a scan: the first check finds them too.
  expect((await checkTraces(sql, trace, 'indexes')).found.sort()).toEqual(found)
  await eraseLateRows(sql, trace)
  expect(await checkTraces(sql, trace, 'everything')).toEqual({ found: [], unchecked: [] })
  const [kept] = await sql`select detail, attributes from attention where subject_id = 'du_late'`
  expect(kept).toEqual({ detail: 'erased', attributes: {} })

  await sql`alter table packages add column note text`
  expect(await checkTraces(sql, trace, 'everything')).toEqual({ found: [], unchecked: ['packages.note'] })
  await sql`alter table packages drop column note`
})
