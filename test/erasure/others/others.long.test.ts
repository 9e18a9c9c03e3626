/**
 * G3: a person sends any ids by any route, and the app backend sends them about that person. The person's erasure
 * deletes only their own data: rows, data keys and runs of others are unchanged, also a quarter of an hour later, after
 * the second check. Each place for an id gets one id of each kind that the other has; with `npm test -- --all`, each of
 * the other's ids.
 */
import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import type { Deletions, Invoices, Orders, OwnedIds } from '../../../db/connection/schema.ts'
import { systemKeyId } from '../../../db/crypto/data-keys.ts'
import { deleteAccount } from '../../harness/deletions.ts'
import { openHarness } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import type { Person } from '../../harness/people.ts'
import { drawsAll } from '../../harness/seed.ts'
import { visit } from '../../harness/visits.ts'
import { askBeforeSignUp, exerciseRights } from '../exercised-rights.ts'
import {
  addedSince,
  changedSince,
  type Everybody,
  lookTwice,
  nothingChanged,
  readEverybody,
  untilQuiet,
} from '../living.ts'
import { findTexts, takeSnapshot } from '../snapshot.ts'
import { openSenders, type TheirId } from './senders.ts'
import { isEnd, readSendings } from './sendings.ts'

const harness = await openHarness({ books: false })
const { sql } = harness.context
const sendings = await readSendings(harness.anonymous)

/** Anna's idempotency keys */
const keys = [randomUUID(), randomUUID()]
let anna: Person
/** all ids in Anna's rows, a receipt, the system's id, and her idempotency keys */
let ids: string[]
let before: Everybody

beforeAll(async () => {
  anna = await liveWithEverything()
  const { receiptId } = await lookTwice(await deleteAccount(harness.stack, await harness.signUp()))
  await untilQuiet(harness)
  const orders = await sql<Pick<Orders, 'id'>[]>`select id from orders where account_id = ${anna.accountId}`
  const theirs = findTexts(await takeSnapshot(harness.context), [anna.accountId, ...orders.map(({ id }) => id)]).join()
  const found = theirs.match(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g) ?? []
  ids = [...new Set([...found, ...keys, receiptId, systemKeyId])]
  // The first who reads events numbers them, for everybody: that is no change of a person's rows.
  expectStatus(await harness.service.get('/v1/events'), 200)
  before = await readEverybody(harness)
})

/** A person with one row of each kind that has an id. */
async function liveWithEverything(): Promise<Person> {
  const email = `${randomUUID()}@people.example`
  await askBeforeSignUp(harness, email)
  const person = await harness.signUp({ account: { email } })
  const bought = await harness.buy(person, { headers: { 'Idempotency-Key': keys[0] ?? '' } })
  const again = { 'Idempotency-Key': keys[1] ?? '' }
  expectStatus(await person.caller.post(`/v1/orders/${bought.id}/resend`, undefined, again), 200)
  await harness.buy(person, { pay: { riskLevel: 'elevated' }, until: 'in_review' })
  await exerciseRights(harness, person)
  return person
}

async function expectOnlyGone(person: Person): Promise<void> {
  const deletion = await deleteAccount(harness.stack, person)
  expect(await changedSince(harness, before)).toEqual(nothingChanged)
  await lookTwice(deletion)
  expect(await changedSince(harness, before)).toEqual(nothingChanged)
}

test('G3: a deletion after a form with ids of another person changes nothing of that person', async () => {
  const ben = await harness.signUp()
  const surfer = await visit(harness.stack, ben)
  const statuses = new Set<number>()
  for (const id of ids) {
    const fields = { kind: 'other', message: `About ${id}` }
    for (const more of [{ id }, { once: id }]) {
      // Nobody may make as many requests.
      await harness.context.sql`delete from allowances where account_id = ${ben.accountId}`
      statuses.add((await surfer.submit('/account/data', '/account/privacy-request', { ...fields, ...more })).status)
    }
  }
  // A form does not contain the id of the request.
  expect([...statuses].sort()).toEqual([303, 400])
  await untilQuiet(harness)
  await expectOnlyGone(ben)
})

test('each place for an id in the contract gets ids: a parameter or text of a new form cannot be missing', () => {
  const [own, id] = [{ ...anna, accountId: 'own' }, 'the-id']
  const { byPersons, byTheBackend, sendingsOf, textsIn } = sendings
  for (const operation of new Set([...byPersons, ...byTheBackend])) {
    const { method, path, parameters, body } = operation
    const texts = sendingsOf(operation, id, own, 'own').map((each) =>
      JSON.stringify([each.address, each.body ?? {}, each.headers ?? {}]),
    )
    const has = (text: string) => texts.some((each) => each.includes(text))
    for (const { name, in: where } of isEnd(operation) ? [] : parameters) {
      if (where === 'query') expect(has(`${name}=${id}`), `${method} ${path} ${name}`).toBe(true)
      if (where === 'header') expect(has(`"${name}":"${id}"`), `${method} ${path} ${name}`).toBe(true)
    }
    if (path.includes('{'))
      expect(
        texts.some((each) => /^\["[^"]*the-id/.test(each)),
        `${method} ${path}`,
      ).toBe(true)
    for (const at of body && !isEnd(operation) ? textsIn(body) : []) {
      const name = at.findLast((part) => part !== '0') ?? ''
      expect(
        texts.some((each) => new RegExp(`"${name}":\\[?"the-id`).test(each)),
        `${method} ${path} ${at.join('.')}`,
      ).toBe(true)
    }
  }
})

test('G3: who sends another person’s ids on every route, in every field, as a person or as the app backend, changes nothing of the other', {
  // All ids take many times as long as one of each kind.
  timeout: drawsAll ? 3_600_000 : 300_000,
}, async () => {
  const ben = await harness.signUp()
  const { id: orderId } = await harness.buy(ben)
  const { byPersons, byTheBackend } = sendings
  expect(byPersons.length).toBeGreaterThan(30)
  expect(byTheBackend.length).toBeGreaterThan(25)
  const senders = await openSenders(harness, sendings, { person: ben, orderId })
  const accepted = await senders.send(await theirIds())
  // Most requests are refused by their form; enough of them are not.
  expect(accepted.person).toBeGreaterThan(100)
  expect(accepted.backend).toBeGreaterThan(100)
  await untilQuiet(harness)
  expect(await changedSince(harness, before)).toEqual(nothingChanged)
  expect(await addedSince(harness, before, anna.accountId)).toEqual([])
  await expectOnlyGone(ben)
})

/** An id of each kind that another person's rows have, or all of them, and the nil UUID. */
async function theirIds(): Promise<TheirId[]> {
  const all = await sql<Pick<OwnedIds, 'id' | 'kind'>[]>`
    select kind, id from owned_ids where account_id = ${anna.accountId} order by kind, id`
  const owned = drawsAll ? all : all.filter(({ kind }, at) => all[at - 1]?.kind !== kind)
  const [receipt] = await sql<Pick<Deletions, 'receipt_id'>[]>`select receipt_id from deletions limit 1`
  const [order] = await sql<Pick<Orders, 'payment_intent_id'>[]>`
    select payment_intent_id from orders where account_id = ${anna.accountId} and payment_intent_id is not null limit 1`
  const [document] = await sql<Pick<Invoices, 'number'>[]>`
    select number from invoice_links where order_id in (select id from orders where account_id = ${anna.accountId}) limit 1`
  const others = [order?.payment_intent_id, document?.number, receipt?.receipt_id].flatMap((id) => id ?? [])
  expect(others).toHaveLength(3)
  const further = [anna.deviceId, ...keys, ...others, systemKeyId, ...(drawsAll ? ids : [])]
  const kinds = new Map(all.map(({ id, kind }) => [id, kind]))
  return [...owned, ...[...new Set(further)].filter((id) => !kinds.has(id)).map((id) => ({ id }))]
}

test('two people whose devices have the same id have two devices', async () => {
  const ben = await harness.signUp({ device: false })
  const path = `/v1/accounts/${ben.accountId}/devices/${anna.deviceId}`
  expectStatus(await ben.caller.put(path, { platform: 'android', model: 'Other' }), 200)
  expect(await changedSince(harness, before)).toEqual(nothingChanged)
  expectStatus(await ben.caller.delete(path), 204)
  expect(await changedSince(harness, before)).toEqual(nothingChanged)
  expectStatus(await ben.caller.put(path, { platform: 'android' }), 200)
  await expectOnlyGone(ben)
})

test('the nil UUID, which has the system’s data key, is refused as an account id', async () => {
  for (const [method, path, body] of [
    ['GET', `/v1/accounts/${systemKeyId}`, undefined],
    ['PATCH', `/v1/accounts/${systemKeyId}`, { lastName: 'X' }],
    ['PUT', `/v1/accounts/${systemKeyId}/devices/d`, { platform: 'ios' }],
    ['POST', `/v1/accounts/${systemKeyId}/sign-ins`, {}],
    ['POST', `/v1/accounts/${systemKeyId}/email-change`, { email: 'nil@new.example' }],
    ['GET', `/v1/accounts/${systemKeyId}/export`, undefined],
    ['POST', '/v1/orders', { accountId: systemKeyId, packageCode: 'test-germany-1gb' }],
    ['POST', '/v1/privacy-requests', { accountId: systemKeyId, kind: 'other', message: 'x' }],
    ['DELETE', `/v1/accounts/${systemKeyId}`, undefined],
  ] as const) {
    const answer = await harness.service.call(method, path, { body })
    expect([method, path, answer.status >= 400 && answer.status < 500]).toEqual([method, path, true])
  }
  expect(await changedSince(harness, before)).toEqual(nothingChanged)
})
