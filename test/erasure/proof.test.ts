/**
 * G3 and R2: everybody can delete their account at once, and books are kept anonymised for 7 years. Two people with
 * data in every possible column. One is erased: no place has their data any more, and no byte of the other person has
 * changed.
 */
import { execFile } from 'node:child_process'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createGunzip } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { findAccount } from '../../db/accounts.ts'
import { openBackupFolder } from '../../db/backup/backup-folder.ts'
import { systemKeyId } from '../../db/crypto/data-keys.ts'
import { replayLedger } from '../../db/erasure/deletion-ledger.ts'
import { personalData } from '../../policy/personal-data.ts'
import { type BackupResult, backupType } from '../../workflows/backup/backup.contract.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { type Deletion, deleteAccount } from '../harness/deletions.ts'
import { openHarness } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { runLater } from '../harness/temporal/run-later.ts'
import { until } from '../harness/until.ts'
import { askBeforeSignUp, exerciseRights, mailEverybody } from './exercised-rights.ts'
import { type Filled, fillPerson, neverTheirs, tablesOfPersons } from './fill.ts'
import { findTexts, rowsAdded, type Snapshot, takeSnapshot } from './snapshot.ts'

const harness = await openHarness({
  books: false,
  settings: { LOG_LEVEL: 'debug', PAYLOAD_KEYS: `proof:${randomBytes(32).toString('base64')}` },
})
const { context } = harness
const { apple, stripe } = harness.sims

interface Life {
  person: Person
  orderIds: string[]
  filled: Filled
  /** other texts that contain a name or an address */
  ids: Record<string, string>
  /** rows that were inserted with this person */
  rows: Snapshot
}

/** Rows that an erasure keeps or makes on purpose. */
const madeByErasure = [
  'ended_sign_ins',
  'deletions',
  'deletion_steps',
  'deletion_ledger',
  'deletion_seals',
  'erased_references',
  'data_keys',
  'sends',
  // that the account is gone
  'events',
]

/** Rows about no person, which change when an outside party answers or sends an event. */
const aboutNobody = ['webhook_events', 'outside_parties']

let erasedOne: Life
let other: Life
let before: Snapshot
let atOnce: Snapshot
let deletion: Deletion

beforeAll(async () => {
  erasedOne = await live('vanishing')
  other = await live('remaining')
  const start = await takeSnapshot(context)
  await mailEverybody(harness)
  const mailed = rowsAdded(start, await takeSnapshot(context))
  for (const life of [erasedOne, other]) addRows(life, mailed)
  before = await takeSnapshot(context)
  deletion = await deleteAccount(harness.stack, erasedOne.person)
  atOnce = await takeSnapshot(context)
  await deletion.fastForward('12 minutes')
  for (const processor of ['database', 'temporal', 'apple', 'firebase', 'stripe', 'mail'] as const) {
    await deletion.until(processor, 'done')
  }
})

test('the proof of erasure fills every column that can hold data of a person', () => {
  for (const { rows } of [erasedOne, other]) expect(emptyColumns(rows)).toEqual([])
})

test('G3: nothing of the erased person is in any table', () => expectNothingLeft(atOnce))

test('nothing of the erased person is in any table once every erasure step is done', async () =>
  expectNothingLeft(await takeSnapshot(context)))

test('an erasure changes no row of other people', async () => {
  const after = await takeSnapshot(context)
  const gone = rowsAdded(after, before)
  for (const table of aboutNobody) gone.delete(table)
  for (const [table, rows] of gone) {
    const theirs = new Set(erasedOne.rows.get(table))
    expect([table, rows.filter((row) => !theirs.has(row))]).toEqual([table, []])
  }
  const made = [...rowsAdded(before, after).keys()].filter((table) => !aboutNobody.includes(table))
  expect(made.filter((table) => !madeByErasure.includes(table))).toEqual([])
  const sends = rowsAdded(before, after).get('sends') ?? []
  expect(sends.map((row) => JSON.parse(row))).toMatchObject([
    { subject_id: deletion.receiptId, kind: 'mail:account-deleted', account_id: null },
  ])
  const account = await findAccount(context.sql, context, other.person.accountId)
  expect(account?.email).toBe(other.person.email)
})

test('nothing of the erased person is in Temporal histories, visibility records, log lines or metrics', async () => {
  const { person, orderIds } = erasedOne
  const datum = { email: person.email, firstName: person.firstName, lastName: person.lastName, phone: person.phone }
  const canaries = {
    ...datum,
    accountId: person.accountId,
    firebaseUid: person.firebaseUid,
    deviceId: person.deviceId,
    pushToken: person.pushToken,
    appInstanceId: person.appInstanceId,
    ...erasedOne.ids,
  }
  expect(await harness.findCanaries(canaries, { parties: [] })).toEqual([])
  const orders = Object.fromEntries(orderIds.map((id, index) => [`order ${index}`, id]))
  expect(await harness.findCanaries(orders, { parties: [] })).toEqual([])
})

test('the erased person gets one mail after the erasure, and no further one', async () => {
  const mails = await mailsTo(harness.stack, erasedOne.person.email)
  expect(mails.filter(({ text }) => text.includes(deletion.receiptId))).toHaveLength(1)
  expect(mails.at(-1)?.text).toContain(deletion.receiptId)
})

test('a second deletion of an erased account changes nothing, by any caller', async () => {
  const after = await takeSnapshot(context)
  const again = expectStatus(await harness.service.delete(`/v1/accounts/${erasedOne.person.accountId}`), 200)
  expect(again.receiptId).toBe(deletion.receiptId)
  expect(await replayLedger(context.sql, context.cipher, new Date())).toEqual({ erased: 0 })
  expect(await takeSnapshot(context)).toEqual(after)
  // An operator's request is logged without the account.
  const reported = await harness.operator.post(`/v1/accounts/${erasedOne.person.accountId}/child-report`)
  expect(expectStatus(reported, 200).receiptId).toBe(deletion.receiptId)
  expect((await harness.operator.get(`/v1/accounts/${erasedOne.person.accountId}/email-change`)).status).toBe(404)
  const asked = rowsAdded(after, await takeSnapshot(context))
  expect([...asked].map(([table, rows]) => [table, rows.length])).toEqual([['security_log', 2]])
  expect(findTexts(asked, textsOf(erasedOne))).toEqual([])
})

test('a new backup contains nothing of the erased person, and no key for an older backup', async () => {
  const { id } = await runLater<BackupResult>(harness, backupType, 0)
  const { dump, keys, ledger } = await readBackup(id)
  for (const [life, isThere] of [
    [erasedOne, false],
    [other, true],
  ] as const) {
    const accountId = life.person.accountId
    expect([dump.includes(accountId), keys.includes(accountId)]).toEqual([isThere, isThere])
  }
  const needles = textsOf(erasedOne).flatMap((each) => [each, Buffer.from(each).toString('hex')])
  for (const part of [dump, keys, ledger]) expect(needles.filter((needle) => part.includes(needle))).toEqual([])
  expect(ledger).toContain(context.cipher.accountRef(erasedOne.person.accountId))
})

test('ledger and receipt of an erasure have its time and reason, and no personal data', async () => {
  const [entry] = await context.sql`select * from deletion_ledger`
  expect(Object.keys(entry ?? {}).sort()).toEqual(['account_ref', 'at', 'backups_gone_by', 'entry', 'reason'])
  // A pseudonym with our key: the id alone is not enough to compute it.
  const plain = createHash('sha256').update(erasedOne.person.accountId).digest('base64url')
  expect(plain.startsWith(String(entry?.account_ref))).toBe(false)
})

/** The parts of a backup as decrypted text. */
async function readBackup(id: string): Promise<{ dump: string; keys: string; ledger: string }> {
  const folder = openBackupFolder(harness.config.BACKUP_FOLDER, harness.config.BACKUP_KEYS)
  const plain = await mkdtemp(join(tmpdir(), 'ama-esim-proof-'))
  try {
    const archive = join(plain, 'dump')
    await pipeline(folder.read('dump', id), createWriteStream(archive))
    const { stdout: dump } = await promisify(execFile)('pg_restore', ['--file=-', archive], { maxBuffer: 2 ** 28 })
    const unpacked = async (part: 'keys' | 'ledger') => {
      const newest = (await folder.list(part)).at(-1)
      return text(folder.read(part, newest?.id ?? id).pipe(createGunzip()))
    }
    return { dump, keys: await unpacked('keys'), ledger: await unpacked('ledger') }
  } finally {
    await rm(plain, { recursive: true })
  }
}

/** A person with one of everything. */
async function live(name: string): Promise<Life> {
  const start = await takeSnapshot(context)
  const email = `${randomUUID()}@people.example`
  const requestBeforeSignUp = await askBeforeSignUp(harness, email)
  const signIn = await apple.do('sign-in')
  const person = await harness.signUp({
    account: { email, apple: { identityToken: signIn.idToken, authorizationCode: signIn.code } },
  })
  const path = `/v1/accounts/${person.accountId}`
  expectStatus(await person.caller.put(`${path}/consents/promotions`, { granted: true, source: 'app_settings' }), 200)
  expectStatus(await person.caller.post(`${path}/sign-ins`, {}), 200)
  expectStatus(await person.caller.get(`${path}/export`), 200)
  const delivered = await harness.buy(person, { order: { savedCards: true } })
  const unpaid = await harness.buy(person, { pay: false })
  const returned = await harness.buy(person)
  expectStatus(await person.caller.post(`/v1/orders/${returned.id}/refund`), 200)
  const { dispute } = await stripe.do('open-dispute', { orderId: delivered.id })
  await stripe.do('close-dispute', { dispute, outcome: 'won' })
  await until('the dispute is decided', async () => {
    return (await context.sql`select 1 from disputes where order_id = ${delivered.id} and closed_at is not null`)[0]
  })
  await until('the mails are out', async () => {
    return (await mailsTo(harness.stack, person.email)).length >= 4 && (await nothingToSend())
  })
  const filled = await fillPerson(context, { name, accountId: person.accountId, orderId: delivered.id })
  const ids = { requestBeforeSignUp, ...(await exerciseRights(harness, person)) }
  await until('the mails about them are out', nothingToSend)
  return {
    person,
    orderIds: [delivered.id, returned.id, unpaid.id],
    filled,
    ids,
    rows: rowsAdded(start, await takeSnapshot(context)),
  }
}

async function nothingToSend(): Promise<boolean> {
  return (await context.sql`select 1 from sends where state in ('due', 'sending')`).length === 0
}

/** The rows that name a person, among rows about several people. */
function addRows({ person, rows }: Life, mailed: Snapshot): void {
  for (const [table, added] of mailed) {
    const theirs = added.filter((row) => row.includes(person.accountId))
    rows.set(table, [...(rows.get(table) ?? []), ...theirs])
  }
}

/** All rows of the person are deleted, also undecryptable ones, except those of the books. */
function expectNothingLeft(after: Snapshot): void {
  expect(findTexts(after, textsOf(erasedOne))).toEqual([])
  for (const table of tablesOfPersons()) {
    const rows = (erasedOne.rows.get(table) ?? []).filter((row) => !isOurs(row))
    const left = new Set(after.get(table))
    const stays = rows.filter((row) => left.has(row))
    expect([table, stays]).toEqual([table, onErasure(table) === 'delete' ? [] : rows])
  }
}

/** Rows about actions of the system or an operator, without a person. */
const isOurs = (row: string): boolean =>
  row.includes(systemKeyId) ||
  /"actor": "operator:.*"account_id": null/.test(row) ||
  // an operator's entry about nobody's account, such as a request that came by mail
  /"operator": ".*"account_id": null/.test(row) ||
  // an event of the service
  /"type": "service\.restored".*"account_id": null/.test(row)

/** Columns that are empty in all rows. */
function emptyColumns(rows: Snapshot): string[] {
  return tablesOfPersons().flatMap((table) => {
    const parsed = (rows.get(table) ?? []).map((text): Record<string, unknown> => JSON.parse(text))
    const columns = Object.keys(personalData).filter(
      (name) => name.startsWith(`${table}.`) && !neverTheirs.includes(name),
    )
    return columns.filter((name) => parsed.every((row) => row[name.slice(table.length + 1)] == null))
  })
}

const onErasure = (table: string): string | undefined =>
  Object.entries(personalData).find(([column]) => column.startsWith(`${table}.`))?.[1].onErasure

function textsOf({ person, orderIds, filled, ids }: Life): string[] {
  const { caller: _caller, ...data } = person
  return [...Object.values(data).map(String), ...orderIds, ...Object.values(ids), ...filled.canaries.values()]
}
