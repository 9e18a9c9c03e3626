/**
 * G3: everybody can delete their account. What rows about other things say of an erased person is erased as well: a
 * write that was under way at the erasure, or that names one of their things among other words, keeps no erasure open
 * and outlives none.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openSecret, type Trace } from '../../db/erasure/deletion-seals.ts'
import { eraseLateRows } from '../../db/erasure/erased-rows.ts'
import { erase } from '../../db/erasure/erasure.ts'
import { checkTraces } from '../../db/erasure/erasure-check.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { personalData } from '../../policy/personal-data.ts'
import { emailChangeWorkflowId } from '../../workflows/email-change.contract.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { openDatabase, type Stored } from './stored-person.ts'

let stored: Stored
let trace: Trace
let orderId: string
const ids = { restore: randomUUID(), reconciliation: randomUUID(), bulkAction: randomUUID() }
const at = new Date()

beforeAll(async () => {
  stored = await openDatabase()
  const { sql } = stored
  await sql`insert into restores ${sql({ id: ids.restore, backup_id: 'b', reads_since: at, restored_at: at, series: 'R1' })}`
  await sql`insert into reconciliations ${sql({ id: ids.reconciliation, state: 'complete', started_at: at, read_from: at })}`
  trace = await erasedTrace(await stored.store('mentioned'))
  orderId = trace.orderIds[0] ?? ''
})
afterAll(() => stored.close())

beforeEach(async () => {
  const { sql } = stored
  await sql`delete from attention`
  await sql`delete from restored_items`
  await sql`delete from reconciliation_differences`
  await sql`delete from operator_acts where account_id is null`
  await sql`delete from bulk_actions`
  await sql`delete from books_holds`
  await sql`delete from breaches`
})

async function erasedTrace(accountId: string): Promise<Trace> {
  const receiptId = randomUUID()
  const erasure = { accountRef: stored.cipher.accountRef(accountId), receiptId, reason: 'requested', at } as const
  await stored.sql.begin((tx) => erase(tx, stored, { ...erasure, backupsGoneBy: new Date('2100-01-01') }))
  const found = await openSecret(stored.sql, stored, receiptId, 'trace')
  if (!found) throw new Error('no trace')
  return found
}

const check = () => checkTraces(stored.sql, trace, 'everything')
const nothing = { found: [], unchecked: [] }

const task = { id: randomUUID(), kind: 'outage', subject_id: 'esim-access', opened_at: at }
const item = { kind: 'payment', subject_id: 'pi_of_another_order', outcome: 'to_settle' }
const difference = { kind: 'payment_unknown', subject_id: 'pi_of_nobody', part: '', detail: 'none', subject_at: at }
const act = {
  id: randomUUID(),
  act: 'settle-task',
  operator: 'operator:ada',
  state: 'done',
  asked_at: at,
  attempts: 0,
  interrupted: 0,
}
const bulkAction = {
  act: 'retry',
  selection: '{}',
  reason: 'both are down',
  order_count: 1,
  state: 'prepared',
  prepared_by: 'operator:ada',
  prepared_at: at,
}
const breach = {
  id: randomUUID(),
  state: 'open',
  key_id: 'key',
  read_from: at,
  read_until: at,
  nature: 'a key was stolen',
  consequences: 'none',
  measures: 'revoked',
  contact: 'the office',
  aware_at: at,
  authority_due_at: at,
  opened_at: at,
  opened_by: 'operator:ada',
}
/** A reason takes no long numbers, which an order's id may have. */
const named = (): string => 'the same as pi_mentioned, says the bank'

/** Rows about other things, by the column in which they name the erased person's. */
const rows: Record<string, () => Promise<unknown>> = {
  'attention.subject_id': () => insert('attention', { ...task, subject_id: orderWorkflowId(orderId) }),
  'attention.detail': () => insert('attention', { ...task, detail: named() }),
  'attention.note': () => insert('attention', { ...task, note: named() }),
  'attention.attributes': () =>
    raiseOperatorTask(stored.sql, {
      kind: 'provider_order_unreturned',
      subjectId: 'airalo',
      at,
      attributes: { orders: `airalo:1 ${orderId}`, count: 2 },
    }),
  'restored_items.subject_id': () =>
    insert('restored_items', { ...item, restore_id: ids.restore, subject_id: `airalo:${orderId}` }),
  'restored_items.detail': () => insert('restored_items', { ...item, restore_id: ids.restore, detail: named() }),
  'restored_items.plan': () =>
    insert('restored_items', {
      ...item,
      restore_id: ids.restore,
      plan: stored.sql.json({ paymentIntentId: 'pi_of_another_order', orderId, placement: null }),
    }),
  'reconciliation_differences.subject_id': () =>
    insert('reconciliation_differences', {
      ...difference,
      reconciliation_id: ids.reconciliation,
      subject_id: `esim-access:${orderId}`,
    }),
  'reconciliation_differences.detail': () =>
    insert('reconciliation_differences', { ...difference, reconciliation_id: ids.reconciliation, detail: named() }),
  'operator_acts.reason': () => insert('operator_acts', { ...act, reason: named() }),
  'operator_acts.subject': () => insert('operator_acts', { ...act, subject: orderId }),
  'operator_acts.id': () => insert('operator_acts', { ...act, id: orderId }),
  'bulk_actions.reason': () =>
    insert('bulk_actions', { ...bulkAction, id: ids.bulkAction, needs_second_operator: false, reason: named() }),
  'books_holds.reason': () =>
    insert('books_holds', { month: '2026-10-01', reason: named(), held_at: at, held_by: 'operator:ada' }),
  ...Object.fromEntries(
    (
      [
        'nature',
        'consequences',
        'measures',
        'contact',
        'authority_reference',
        'authority_not_told_because',
        'people_not_told_because',
      ] as const
    ).map((column) => [`breaches.${column}`, () => insert('breaches', { ...breach, [column]: named() })]),
  ),
}

const insert = (table: string, row: Record<string, unknown>) =>
  stored.sql`insert into ${stored.sql(table)} ${stored.sql(row)}`

test.each(Object.keys(rows))('G3: %s that names something of an erased person is found and erased', async (column) => {
  await rows[column]?.()
  const { found } = await check()
  expect([found.length, found[0]?.split('.')[0]]).toEqual([1, column.split('.')[0]])
  await eraseLateRows(stored.sql, trace)
  expect(await check()).toEqual(nothing)
})

test('each column that may name ids among other words is tried', () => {
  const mentioning = Object.keys(personalData).filter((name) => personalData[name]?.mentions)
  expect(mentioning.filter((name) => !(name in rows))).toEqual([])
})

test('what is said of others stays, and so does what a restore has still to settle', async () => {
  const { sql } = stored
  await insert('attention', { ...task, note: 'the provider is back', attributes: sql.json({ orders: 'airalo:1' }) })
  await rows['attention.attributes']?.()
  await rows['restored_items.plan']?.()
  await eraseLateRows(sql, trace)
  expect(await sql`select kind, note, attributes from attention order by kind`).toEqual([
    { kind: 'outage', note: 'the provider is back', attributes: { orders: 'airalo:1' } },
    { kind: 'provider_order_unreturned', note: null, attributes: { orders: 'airalo:1 erased', count: 2 } },
  ])
  expect(await sql`select outcome, plan from restored_items`).toEqual([
    { outcome: 'to_settle', plan: { paymentIntentId: 'pi_of_another_order', orderId: null, placement: null } },
  ])
})

test('of a text the id alone is erased, however it is typed, and of many ids', async () => {
  const { sql } = stored
  const reason = `both are down: PI_Mentioned, ${orderId.toUpperCase()} and pi_of_another_order`
  await insert('bulk_actions', { ...bulkAction, id: ids.bulkAction, needs_second_operator: false, reason })
  await insert('operator_acts', { ...act, reason: 'as for pi_mentioned, (a.c)+ [x' })
  const many = { ...trace, ids: [...trace.ids, ...Array.from({ length: 500 }, () => randomUUID()), '(a.c)+ [x'] }
  expect((await checkTraces(sql, many, 'everything')).found.sort()).toEqual(['bulk_actions.reason', 'operator_acts.*'])
  await eraseLateRows(sql, many)
  expect(await sql`select reason from bulk_actions`).toEqual([
    { reason: 'both are down: erased, erased and pi_of_another_order' },
  ])
  expect(await sql`select reason from operator_acts`).toEqual([{ reason: 'as for erased, erased' }])
})

test('hundreds of ids are erased in the rows that mention them, also many in one row, and nothing else is changed', async () => {
  const { sql } = stored
  const sought = Array.from({ length: 400 }, () => randomUUID())
  const said = (id: string) => `seen ${id.toUpperCase()} again`
  await sql`insert into attention ${sql(
    sought.slice(0, 200).map((id) => ({ ...task, id: randomUUID(), subject_id: randomUUID(), detail: said(id) })),
  )}`
  await sql`insert into attention ${sql(
    Array.from({ length: 200 }, () => ({
      ...task,
      id: randomUUID(),
      subject_id: randomUUID(),
      detail: 'seen again',
    })),
  )}`
  const orders = sought.slice(200, 350).join(' ')
  await insert('attention', { ...task, attributes: sql.json({ orders, count: 150 }) })
  await insert('reconciliation_differences', {
    ...difference,
    reconciliation_id: ids.reconciliation,
    subject_id: `esim-access:${sought[380]}`,
  })
  const many = { ...trace, ids: [...trace.ids, ...sought] }
  await eraseLateRows(sql, many)
  expect(await checkTraces(sql, many, 'everything')).toEqual(nothing)
  const details = await sql<{ detail: string | null; count: number }[]>`
    select detail, count(*)::int as count from attention group by detail order by detail nulls last`
  expect(details).toEqual([
    { detail: 'seen again', count: 200 },
    { detail: 'seen erased again', count: 200 },
    { detail: null, count: 1 },
  ])
  const [facts] = await sql<{ attributes: unknown }[]>`select attributes from attention where attributes is not null`
  expect(facts?.attributes).toEqual({ orders: Array.from({ length: 150 }, () => 'erased').join(' '), count: 150 })
  expect(await sql`select 1 from reconciliation_differences`).toEqual([])
})

test('a task about a run of the person is deleted by the erasure itself, and found by an index', async () => {
  const { sql } = stored
  const accountId = await stored.store('with_runs')
  const [change] = await sql<{ id: string }[]>`select id from email_changes where account_id = ${accountId}`
  const subjectId = emailChangeWorkflowId(change?.id ?? '')
  await raiseOperatorTask(sql, { kind: 'restore_undecided', subjectId, at })
  await insert('restored_items', { ...item, kind: 'run', restore_id: ids.restore, subject_id: subjectId })
  await erasedTrace(accountId)
  expect(await sql`select 1 from attention where subject_id = ${subjectId}`).toEqual([])
  expect(await sql`select 1 from restored_items where subject_id = ${subjectId}`).toEqual([])
})
