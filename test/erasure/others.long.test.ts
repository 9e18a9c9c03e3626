/**
 * G3: everybody can delete their account at once. A person sends any ids by any route. Their erasure deletes only their
 * own data: rows, data keys and runs of others are unchanged, also after the second check.
 */
import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import type { Deletions, Orders, OwnedIds } from '../../db/connection/schema.ts'
import { systemKeyId } from '../../db/crypto/data-keys.ts'
import { type JsonSchema, readDescribed } from '../harness/api/described.ts'
import type { Surfer } from '../harness/browser.ts'
import { type Deletion, deleteAccount } from '../harness/deletions.ts'
import { openHarness } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { visit } from '../harness/visits.ts'
import { askBeforeSignUp, exerciseRights } from './exercised-rights.ts'
import { changedSince, type Everybody, nothingChanged, readEverybody, untilQuiet } from './living.ts'
import { findTexts, takeSnapshot } from './snapshot.ts'

interface Operation {
  method: string
  path: string
  callers: string[]
  parameters: { name: string; in: string }[]
  body: JsonSchema | undefined
  isForm: boolean
}

const harness = await openHarness({ books: false })
const { sql } = harness.context

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

async function lookTwice(deletion: Deletion): Promise<Deletion> {
  await deletion.fastForward('12 minutes')
  for (const processor of ['database', 'temporal', 'mail'] as const) {
    await deletion.until(processor, 'done')
  }
  return deletion
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

const document = await readDescribed(harness.anonymous)
const operations: Operation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => {
    const content = operation.requestBody?.content ?? {}
    const isForm = 'application/x-www-form-urlencoded' in content
    return {
      method: method.toUpperCase(),
      path,
      callers: operation['x-callers'],
      parameters: operation.parameters ?? [],
      body: (isForm ? content['application/x-www-form-urlencoded'] : content['application/json'])?.schema,
      isForm,
    }
  }),
)
/** The last route, since it ends what the others need. */
const isEnd = ({ method, path }: Operation): boolean =>
  ['/delete-account', '/account/sign-out'].includes(path) || (method === 'DELETE' && path === '/v1/accounts/{id}')
const takesIds = ({ path, parameters, body }: Operation): boolean =>
  path.includes('{') || body !== undefined || parameters.some((each) => each.in === 'query')
const sent = operations.filter(
  (operation) =>
    operation.callers.some((kind) => ['person', 'visitor', 'newcomer', 'public'].includes(kind)) &&
    takesIds(operation) &&
    !isEnd(operation),
)

/** A value that matches a schema, with the id in all places for an id. */
function filled(schema: JsonSchema, id: string): unknown {
  if (schema.$ref) return filled(document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}, id)
  if (schema.anyOf?.[0]) return filled(schema.anyOf[0], id)
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, one]) => [name, filled(one, id)]))
    case 'array':
      return [filled(schema.items ?? {}, id)]
    case 'boolean':
      return true
    case 'integer':
    case 'number':
      return 1
    default:
      return schema.format === 'email' ? `${id}@new.example` : id
  }
}

/** Bodies that match the schema: one with all fields, and one for each field with the id beside the required fields. */
function bodiesOf({ path, body }: Operation, id: string, own: Person): Record<string, unknown>[] {
  const needed: Record<string, Record<string, unknown>> = {
    '/v1/orders': { accountId: own.accountId, packageCode: 'test-germany-1gb' },
    '/v1/orders/{id}/top-up': { packageCode: 'test-germany-1gb-top-up' },
    '/v1/privacy-requests': { kind: 'other', message: id },
    '/v1/accounts/{id}/devices/{deviceId}': { platform: 'ios' },
    '/v1/accounts/{id}/consents/promotions': { granted: true, source: 'app_settings' },
    '/account/privacy-request': { kind: 'other', message: id, once: id },
  }
  const base = needed[path] ?? {}
  const whole = body && filled(body, id)
  const all: Record<string, unknown> = typeof whole === 'object' ? { ...whole } : {}
  const single = Object.entries(all).flatMap(([name, value]) => (value === id ? [{ ...base, [name]: id }] : []))
  return [base, all, ...single]
}

interface Sending {
  operation: Operation
  address: string
  body?: Record<string, unknown>
}

/** Requests with an id: another person's row in the path, and an own row with the id everywhere else. */
function sendingsOf(operation: Operation, id: string, own: Person, ownOrder: string): Sending[] {
  const { path, parameters } = operation
  const others = path.replaceAll(/\{\w+\}/g, id)
  const theirs = path
    .replace('{id}', path.includes('/orders/{id}') ? ownOrder : own.accountId)
    .replaceAll(/\{\w+\}/g, id)
  const query = parameters.flatMap((each) => (each.in === 'query' ? [`${each.name}=${id}`] : []))
  const addresses = [...query.map((one) => `${theirs}?${one}`), `${theirs}?${query.join('&')}`]
  if (!operation.body) return [others, theirs, ...addresses].map((address) => ({ operation, address }))
  const bodies = bodiesOf(operation, id, own)
  return [
    ...bodies.slice(0, 1).map((body) => ({ operation, address: others, body })),
    ...bodies.map((body) => ({ operation, address: theirs, body })),
  ]
}

test('G3: a person who sends another person’s ids on every route, in every field, changes nothing of the other', async () => {
  const ben = await harness.signUp()
  const bens = await harness.buy(ben)
  const surfer = await visit(harness.stack, ben)
  const csrf = /name="csrf" value="([^"]+)"/.exec((await surfer.open('/account/data')).html)?.[1] ?? ''
  expect(sent.length).toBeGreaterThan(30)
  let accepted = 0
  for (const id of await oneOfEachKind()) {
    const sendings = sent.flatMap((operation) => sendingsOf(operation, id, ben, bens.id))
    for (let index = 0; index < sendings.length; index += atOnce) {
      const statuses = await Promise.all(sendings.slice(index, index + atOnce).map((sending) => send(sending, id)))
      accepted += statuses.filter((status) => status < 400).length
    }
  }
  // Most requests are refused by their form; enough of them are not.
  expect(accepted).toBeGreaterThan(100)
  await untilQuiet(harness)
  expect(await changedSince(harness, before)).toEqual(nothingChanged)
  await expectOnlyGone(ben)

  async function send({ operation, address, body }: Sending, id: string): Promise<number> {
    if (operation.isForm) return postForm(surfer, address, { csrf, ...body }, id)
    const headers = { 'Idempotency-Key': id, 'X-Request-Id': id }
    const { status } = await ben.caller.call(operation.method, address, { headers, ...(body && { body }) })
    return status
  }
}, 180_000)

const atOnce = 8

async function oneOfEachKind(): Promise<string[]> {
  const owned = await sql<Pick<OwnedIds, 'id'>[]>`
    select distinct on (kind) id from owned_ids where account_id = ${anna.accountId} order by kind, id`
  const [receipt] = await sql<Pick<Deletions, 'receipt_id'>[]>`select receipt_id from deletions limit 1`
  return [...owned.map(({ id }) => id), anna.deviceId, ...keys, receipt?.receipt_id ?? '', systemKeyId]
}

async function postForm(surfer: Surfer, path: string, fields: Record<string, unknown>, id: string): Promise<number> {
  const texts = Object.entries(fields).map(([name, value]) => [name, String(value)])
  return (await surfer.post(path, Object.fromEntries(texts), { 'X-Request-Id': id })).status
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
