import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exportAccount } from '../../api/export/account-export.ts'
import { earlierExportSchema, exportSchema, exportVersion } from '../../api/export/account-export-schema.ts'
import { recordAccesses } from '../../db/access/access-log.ts'
import { insertPrivacyRequest, makeCurrent } from '../../db/privacy-requests.ts'
import { personalData } from '../../policy/personal-data.ts'
import { plusDays } from '../../shared/calendar.ts'
import { erasing, meanwhile } from '../attack/meanwhile.ts'
import { type ApiHarness, newPerson, startApiHarness } from '../harness/api/api-harness.ts'
import { type JsonSchema, jsonSchema } from '../harness/api/described.ts'
import { fillHistory, fillPerson } from './export-fixture.ts'

let harness: ApiHarness
let service: string

beforeAll(async () => {
  harness = await startApiHarness()
  service = await harness.key('service')
})
afterAll(() => harness.stop())

async function signUp(): Promise<string> {
  const answer = await harness.call('POST', '/v1/accounts', { token: service, body: newPerson() })
  expect(answer.status, answer.text).toBe(201)
  return answer.body.id
}

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const exportOf = (id: string, token = service) => harness.call('GET', `/v1/accounts/${id}/export`, { token })

const promised = Object.values(personalData)
  .flatMap((entry) => (typeof entry.export === 'string' ? [entry.export] : []))
  .sort()

/** The fields about the export itself. */
const aboutItself = /^(\$schema|version|exportedAt|controller|processors)/

function pathsOfSchema({ properties, items, anyOf }: JsonSchema, path = ''): string[] {
  if (properties) {
    return Object.entries(properties).flatMap(([name, part]) => pathsOfSchema(part, path ? `${path}.${name}` : name))
  }
  if (items) return pathsOfSchema(items, `${path}[]`)
  const inner = anyOf?.find((each) => each.properties ?? each.items)
  return inner ? pathsOfSchema(inner, path) : [path]
}

function filledPaths(value: unknown, path = ''): string[] {
  if (value === null || value === undefined) return []
  if (Array.isArray(value)) return value.flatMap((item) => filledPaths(item, `${path}[]`))
  if (typeof value !== 'object') return [path]
  return Object.entries(value).flatMap(([name, part]) => filledPaths(part, path ? `${path}.${name}` : name))
}

test('G5: the published schema of the export has exactly the fields of policy/personal-data.ts', () => {
  const fields = pathsOfSchema(jsonSchema.parse(exportSchema('https://api.example.com')))
  expect(fields.filter((path) => !aboutItself.test(path)).sort()).toEqual(promised)
})

function fieldsOf({ properties = {}, items, anyOf = [] }: JsonSchema, path = ''): [path: string, field: JsonSchema][] {
  return [
    ...Object.entries(properties).flatMap(([name, part]): [string, JsonSchema][] => [
      [`${path}.${name}`, part],
      ...fieldsOf(part, `${path}.${name}`),
    ]),
    ...(items ? fieldsOf(items, `${path}[]`) : []),
    ...anyOf.flatMap((each) => fieldsOf(each, path)),
  ]
}

test('G5: each field of the export is described, and says what null means there', () => {
  const fields = fieldsOf(jsonSchema.parse(exportSchema('https://api.example.com')))
  expect(fields.length).toBeGreaterThan(100)
  expect(fields.filter(([, { description }]) => !description).map(([path]) => path)).toEqual([])
  const mayBeNull = ({ type, anyOf = [] }: JsonSchema): boolean =>
    [type].flat().includes('null') || anyOf.some(mayBeNull)
  const nullable = fields.filter(([, field]) => mayBeNull(field))
  expect(nullable.length).toBeGreaterThan(30)
  expect(nullable.filter(([, { description = '' }]) => !/\bnull: /.test(description))).toEqual([])
})

test('G1: what operators have written about a person is in the export, without the ids of others and what is being decided about fraud', async () => {
  const [one, other] = [await fillPerson(harness.api, await signUp()), await fillPerson(harness.api, await signUp())]
  const { sql } = harness.api
  const [order] = await sql<{ id: string }[]>`
    select id from orders where account_id = ${one.accountId} and parent_order_id is null`
  const own = order?.id ?? ''
  const words = {
    note: `same card as ${other.accountId}, see ${own} and pi_3MtwBwLkdIwHu7ix28a3tqPa`,
    note_by: 'operator:ada',
    noted_at: new Date(),
  }
  const plant = (kind: string, subjectId: string) =>
    sql`insert into attention ${sql({ id: randomUUID(), kind, subject_id: subjectId, opened_at: new Date(), ...words })}`
  await plant('payment_not_accepted', own)
  await plant('sign_in_account_disabled', one.accountId)
  await plant('payment_unresolved', other.accountId)
  const exported = async () => {
    const { operatorTasks, operatorActs, orders } = JSON.parse((await exportOf(one.accountId)).text)
    const notes = operatorTasks.map(({ kind, note }: { kind: string; note: string }) => [kind, note]).toSorted()
    return { notes, acts: operatorActs, orders }
  }
  const given = `same card as [id], see ${own} and [id]`
  const before = [
    ['refund_failed', 'called the bank'],
    ['sign_in_account_disabled', given],
  ]
  expect(await exported()).toMatchObject({
    notes: [['payment_not_accepted', given], ...before],
    acts: [{ orderId: own, reason: 'the bank has said so' }],
  })

  await plant('fraud_warning', own)
  expect(await exported()).toMatchObject({ notes: [], acts: [] })
  await sql`update attention set resolved_at = now(), resolved_by = 'operator:ada'
    where subject_id = ${own} and kind = 'fraud_warning'`
  expect((await exported()).notes).toEqual([['fraud_warning', given], ['payment_not_accepted', given], ...before])
  await sql`update orders set status = 'in_review' where id = ${own}`
  const held = await exported()
  expect(held).toMatchObject({ notes: [], acts: [] })
  const shown = held.orders.find(({ id }: { id: string }) => id === own)
  expect([shown.reason, shown.history]).toEqual([null, []])
})

test('C3 G5: an export matches its published schema and fills every promised field', async () => {
  const { accountId, canary } = await fillPerson(harness.api, await signUp())
  const answer = await exportOf(accountId)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-disposition')).toContain('attachment')
  expect(answer.headers.get('cache-control')).toBe('no-store')

  const document = JSON.parse(answer.text)
  const published = await harness.call('GET', new URL(document.$schema).pathname)
  expect(published.headers.get('content-type')).toContain('application/schema+json')
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(JSON.parse(published.text))
  expect(validate(document), JSON.stringify(validate.errors)).toBe(true)
  expect(validate({ ...document, more: 1 })).toBe(false)

  const filled = new Set(filledPaths(document).filter((path) => !aboutItself.test(path)))
  expect([...filled].sort()).toEqual(promised)
  expect(answer.text).toContain(`iccid ${canary}`)
  // Secrets that are not the person's data: tokens, payment secrets.
  expect(answer.text).not.toContain('SECRET')
})

test('the published versions of the export schema are unchanged', async () => {
  const publicUrl = 'https://api.example.com'
  const versions = {
    1: await earlierExportSchema(1, publicUrl),
    2: await earlierExportSchema(2, publicUrl),
    3: await earlierExportSchema(3, publicUrl),
    [exportVersion]: exportSchema(publicUrl),
  }
  for (const [version, now] of Object.entries(versions)) {
    const file = new URL(`./schemas/account-export-${version}.json`, import.meta.url)
    expect(now, `version ${version}`).toEqual(JSON.parse(readFileSync(file, 'utf8')))
  }
})

test('an export contains nothing of another person', async () => {
  const [one, other] = [await fillPerson(harness.api, await signUp()), await fillPerson(harness.api, await signUp())]
  const { text } = await exportOf(one.accountId)
  expect(text).toContain(one.canary)
  expect(text).not.toContain(other.canary)
  expect(text).not.toContain(other.accountId)
})

test('an export has neither address nor id of an operator, and no mail to operators', async () => {
  const { accountId } = await fillPerson(harness.api, await signUp())
  const { sql } = harness.api
  const operator = await harness.key('operator')
  const [theirs, operatorId] = ['198.51.100.77', 'ada0000000000ada']
  const headers = { 'x-forwarded-for': theirs }
  expect((await harness.call('GET', `/v1/accounts/${accountId}`, { token: operator, headers })).status).toBe(200)
  const shown = { actorKind: 'operator', actorId: operatorId, session: 'a session', requestId: randomUUID() } as const
  const route = 'GET /console/accounts/{id}'
  await recordAccesses(sql, [{ ...shown, at: new Date(), accountIds: [accountId], route, fields: ['account'] }])
  const reminder = { kind: 'mail:operators:reminder', state: 'sent', attempts: 1, first_at: new Date() }
  await sql`insert into sends ${sql({ subject_id: randomUUID(), account_id: accountId, ...reminder })}`
  const { text } = await exportOf(accountId)
  const document = JSON.parse(text)
  const operators = [theirs, operatorId, 'mail:operators'].filter((each) => text.includes(each))
  expect(operators).toEqual([])
  const acts = document.securityLog.filter(({ kind }: { kind: string }) => kind === 'operator_action')
  expect(acts).toEqual([{ at: expect.any(String), kind: 'operator_action', ip: null }])
  // What is the person's is there.
  for (const own of ['203.0.113.9', 'mail:confirmation']) expect(text).toContain(own)
  const read = document.accesses.map(({ by, key }: { by: string; key: string | null }) => [by, key !== null])
  expect(read).toContainEqual(['operator', true])
  expect(read).toContainEqual(['operator', false])
  // The list of accesses as well, for whoever is no operator.
  const listed = async (token: string) =>
    (await harness.call('GET', `/v1/accounts/${accountId}/accesses`, { token })).text.includes(operatorId)
  expect([await listed(service), await listed(operator)]).toEqual([false, true])
})

test('G5 G1: what a person had asked by mail before they signed up is theirs, and nobody else’s', async () => {
  const { sql } = harness.api
  const person = newPerson()
  const [id, at] = [randomUUID(), new Date()]
  const message = 'What do you hold of me?'
  const asked = { id, accountId: null, kind: 'access', message, replyTo: person.email.toUpperCase() } as const
  await insertPrivacyRequest(sql, harness.api, { ...asked, receivedAt: at, answerBy: plusDays(at, 30) })
  await makeCurrent(sql, id)
  const answersTo = async (token: string) => ({
    list: (await harness.call('GET', '/v1/privacy-requests', { token })).text.includes(id),
    one: (await harness.call('GET', `/v1/privacy-requests/${id}`, { token })).status,
  })
  const tokenOf = async (body: { email: string }) => {
    const { token } = await harness.firebaseToken({ email: body.email })
    const made = await harness.call('POST', '/v1/accounts', { token, body })
    expect(made.status, made.text).toBe(201)
    return { token, accountId: made.body.id }
  }
  const other = await tokenOf(newPerson())
  expect((await harness.call('GET', `/v1/privacy-requests/${id}`, { token: service })).status).toBe(404)
  const { token, accountId } = await tokenOf(person)
  expect(JSON.parse((await exportOf(accountId, token)).text).privacyRequests).toMatchObject([{ id, message }])
  expect(await answersTo(token)).toEqual({ list: true, one: 200 })
  expect(await answersTo(other.token)).toEqual({ list: false, one: 404 })
  expect(JSON.parse((await exportOf(other.accountId, other.token)).text).privacyRequests).toEqual([])
  // The app backend reads it as theirs, on record.
  const path = `/v1/privacy-requests/${id}`
  expect((await harness.call('GET', path, { token: service })).body).toMatchObject({ accountId, message })
  const reads =
    await sql`select 1 from access_log where account_id = ${accountId} and route like '%privacy-requests/{id}'`
  expect(reads).toHaveLength(1)
})

test('a person can export only their own data, after a recent sign-in', async () => {
  const uidOf = (id: string) => `export-${id}`
  const person = newPerson()
  const firebaseUid = uidOf(person.email)
  const made = await harness.call('POST', '/v1/accounts', { token: service, body: { ...person, firebaseUid } })
  const fresh = await harness.firebaseToken({ uid: firebaseUid })
  expect((await exportOf(made.body.id, fresh.token)).status).toBe(200)
  expect((await exportOf(await signUp(), fresh.token)).status).toBe(404)
  const old = await harness.firebaseToken({ uid: firebaseUid, authTimeSecondsAgo: 3600 })
  const refused = await exportOf(made.body.id, old.token)
  expect([refused.status, refused.body.code]).toEqual([401, 'fresh_sign_in_required'])
  expect((await exportOf(made.body.id, await harness.key('operator'))).status).toBe(403)
})

test('the export of a long history is written page by page with little memory', { tags: 'long' }, async () => {
  const id = await signUp()
  const orders = 40_000
  await fillHistory(harness.api, id, orders)
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  let [highest, bytes, chunks] = [0, 0, 0]
  for await (const chunk of await exportAccount(harness.api, id, new Date())) {
    bytes += chunk.length
    chunks += 1
    if (chunks % 80 === 0) {
      collectGarbage()
      highest = Math.max(highest, process.memoryUsage().heapUsed - before)
    }
  }
  expect(bytes).toBeGreaterThan(20_000_000)
  expect(highest).toBeLessThan(bytes / 5)

  const { text } = await exportOf(id)
  const document = JSON.parse(text)
  expect([document.orders.length, document.messages.length]).toEqual([orders, orders])
  expect(new Set(document.orders.map((order: { id: string }) => order.id)).size).toBe(orders)
  expect(document.orders.every((order: { esims: unknown[] }) => order.esims.length === 1)).toBe(true)
})

test('the export of an account that is erased meanwhile is cut off', async () => {
  const id = await signUp()
  await fillHistory(harness.api, id, 300)
  const headers = { authorization: `Bearer ${service}` }
  const ask = async () => (await fetch(`${harness.url}/v1/accounts/${id}/export`, { headers })).text()
  // It has begun, and waits for a later list.
  const asked = meanwhile(harness.api.sql, 'privacy_requests', ask, erasing(id), 'access exclusive')
  await expect(asked).rejects.toThrow('terminated')
})
