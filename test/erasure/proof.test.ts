/**
 * G3, R2: two people of whom everything is stored that can be stored. One is erased: nothing of them is anywhere, and not
 * a byte of the other has changed.
 */
import { createHash, randomBytes } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { findAccount } from '../../db/accounts.ts'
import { systemKeyId } from '../../db/data-keys.ts'
import { replayLedger } from '../../db/deletion-ledger.ts'
import { personalData } from '../../policy/personal-data.ts'
import { type Deletion, deleteAccount } from '../rig/deletions.ts'
import { expectStatus } from '../rig/http.ts'
import { mailsTo } from '../rig/messages.ts'
import type { Person } from '../rig/people.ts'
import { openStack } from '../rig/stack.ts'
import { until } from '../rig/until.ts'
import { type Filled, fillPerson, neverTheirs, tablesOfPersons } from './fill.ts'
import { findTexts, rowsAdded, type Snapshot, takeSnapshot } from './snapshot.ts'

const rig = await openStack({
  books: false,
  settings: { LOG_LEVEL: 'debug', PAYLOAD_KEYS: `proof:${randomBytes(32).toString('base64')}` },
})
const { context } = rig
const { apple, stripe } = rig.sims

interface Life {
  person: Person
  orderIds: string[]
  filled: Filled
  /** rows that came with this person */
  rows: Snapshot
}

/** What erasing a person leaves behind on purpose, and what it makes. */
const madeByErasure = ['deletions', 'deletion_steps', 'deletion_ledger', 'deletion_seals', 'data_keys', 'sends']

let erasedOne: Life
let other: Life
let before: Snapshot
let deletion: Deletion

beforeAll(async () => {
  erasedOne = await live('vanishing')
  other = await live('remaining')
  before = await takeSnapshot(context)
  deletion = await deleteAccount(rig.stack, erasedOne.person)
  await deletion.fastForward('12 minutes')
  for (const processor of ['database', 'temporal', 'apple', 'firebase', 'stripe', 'mail'] as const) {
    await deletion.until(processor, 'done')
  }
})

test('every column that can hold something of a person was filled', () => {
  for (const { rows } of [erasedOne, other]) expect(emptyColumns(rows)).toEqual([])
})

test('nothing of the erased person is in any table', async () => {
  const after = await takeSnapshot(context)
  expect(findTexts(after, textsOf(erasedOne))).toEqual([])
  // Not even what cannot be read any more: every row that came with them is gone, but for the books' share.
  for (const table of tablesOfPersons()) {
    const rows = (erasedOne.rows.get(table) ?? []).filter((row) => !row.includes(systemKeyId))
    const left = new Set(after.get(table))
    const stays = rows.filter((row) => left.has(row))
    expect([table, stays]).toEqual([table, onErasure(table) === 'delete' ? [] : rows])
  }
})

test('of everything else not a byte has changed', async () => {
  const after = await takeSnapshot(context)
  const gone = rowsAdded(after, before)
  for (const [table, rows] of gone) {
    const theirs = new Set(erasedOne.rows.get(table))
    expect([table, rows.filter((row) => !theirs.has(row))]).toEqual([table, []])
  }
  const made = [...rowsAdded(before, after).keys()].filter((table) => table !== 'webhook_events')
  expect(made.filter((table) => !madeByErasure.includes(table))).toEqual([])
  const sends = rowsAdded(before, after).get('sends') ?? []
  expect(sends.map((row) => JSON.parse(row))).toMatchObject([
    { subject_id: deletion.receiptId, kind: 'mail:account-deleted', account_id: null },
  ])
  const account = await findAccount(context.sql, context, other.person.accountId)
  expect(account?.email).toBe(other.person.email)
})

test('nothing of them is in a Temporal history, a visibility record, a log line or a metric', async () => {
  const { person, orderIds } = erasedOne
  const datum = { email: person.email, firstName: person.firstName, lastName: person.lastName, phone: person.phone }
  const canaries = {
    ...datum,
    accountId: person.accountId,
    firebaseUid: person.firebaseUid,
    deviceId: person.deviceId,
    pushToken: person.pushToken,
    appInstanceId: person.appInstanceId,
  }
  expect(await rig.findCanaries(canaries, { parties: [] })).toEqual([])
  const orders = Object.fromEntries(orderIds.map((id, index) => [`order ${index}`, id]))
  const inLogs = (where: string): boolean => where === 'log'
  const found = await rig.findCanaries(orders, { parties: [] })
  // Logs from when the order lived may name its run; what they named is gone.
  expect(found.filter(({ where }) => !inLogs(where))).toEqual([])
})

test('their last mail is the only one since, and it is the last', async () => {
  const mails = await mailsTo(rig.stack, erasedOne.person.email)
  expect(mails.filter(({ text }) => text.includes(deletion.receiptId))).toHaveLength(1)
  expect(mails.at(-1)?.text).toContain(deletion.receiptId)
})

test('erasing once more, by whatever way, changes nothing', async () => {
  const after = await takeSnapshot(context)
  const again = expectStatus(await rig.service.delete(`/v1/accounts/${erasedOne.person.accountId}`), 200)
  expect(again.receiptId).toBe(deletion.receiptId)
  expect(await replayLedger(context.sql)).toEqual({ erased: 0 })
  expect(await takeSnapshot(context)).toEqual(after)
})

test('what the ledger and the receipt keep says when and why, and not who', async () => {
  const [entry] = await context.sql`select * from deletion_ledger`
  expect(Object.keys(entry ?? {}).sort()).toEqual(['account_ref', 'at', 'backups_gone_by', 'entry', 'reason'])
  // A pseudonym under our key: nobody who knows the id can compute it.
  const plain = createHash('sha256').update(erasedOne.person.accountId).digest('base64url')
  expect(plain.startsWith(String(entry?.account_ref))).toBe(false)
})

/** Somebody with a bit of everything. */
async function live(name: string): Promise<Life> {
  const start = await takeSnapshot(context)
  const signIn = await apple.do<{ idToken: string; code: string }>('sign-in')
  const person = await rig.signUp({
    account: { apple: { identityToken: signIn.idToken, authorizationCode: signIn.code } },
  })
  const path = `/v1/accounts/${person.accountId}`
  expectStatus(await person.caller.put(`${path}/consents/promotions`, { granted: true, source: 'app_settings' }), 200)
  expectStatus(await person.caller.post(`${path}/sign-ins`, {}), 200)
  const delivered = await rig.buy(person, { order: { savedCards: true } })
  const returned = await rig.buy(person)
  expectStatus(await person.caller.post(`/v1/orders/${returned.id}/refund`), 200)
  const { dispute } = await stripe.do<{ dispute: string }>('open-dispute', { orderId: delivered.id })
  await stripe.do('close-dispute', { dispute, outcome: 'won' })
  await until('the dispute is decided', async () => {
    return (await context.sql`select 1 from disputes where order_id = ${delivered.id} and closed_at is not null`)[0]
  })
  await until('the mails are out', async () => {
    const open = await context.sql`select 1 from sends where account_id = ${person.accountId} and state <> 'sent'`
    return open.length === 0 && (await mailsTo(rig.stack, person.email)).length >= 3
  })
  const filled = await fillPerson(context, { name, accountId: person.accountId, orderId: delivered.id })
  return {
    person,
    orderIds: [delivered.id, returned.id],
    filled,
    rows: rowsAdded(start, await takeSnapshot(context)),
  }
}

/** Columns in which none of the rows has anything. */
function emptyColumns(rows: Snapshot): string[] {
  return tablesOfPersons().flatMap((table) => {
    const parsed = (rows.get(table) ?? []).map((text) => JSON.parse(text) as Record<string, unknown>)
    const columns = Object.keys(personalData).filter(
      (name) => name.startsWith(`${table}.`) && !neverTheirs.includes(name),
    )
    return columns.filter((name) => parsed.every((row) => row[name.slice(table.length + 1)] == null))
  })
}

const onErasure = (table: string): string | undefined =>
  Object.entries(personalData).find(([column]) => column.startsWith(`${table}.`))?.[1].onErasure

function textsOf({ person, orderIds, filled }: Life): string[] {
  const { caller: _caller, ...data } = person
  return [...Object.values(data).map(String), ...orderIds, ...filled.canaries.values()]
}
