/** Who read whose data is on record, for the person to see, and gone with the account. */
import postgres from 'postgres'
import { afterAll, expect, test } from 'vitest'
import { recordAccesses } from '../../db/access/access-log.ts'
import { createApiKey } from '../../db/api-keys.ts'
import { eraseLateRows } from '../../db/erasure/erased-rows.ts'
import { createSurfer } from '../harness/browser.ts'
import { deleteAccount } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'

const harness = await shareStack()
const { sql } = harness.context

interface Row {
  actor_kind: string
  actor_id: string | null
  session: string | null
  route: string
  fields: string[]
}

const rowsOf = (accountId: string): Promise<Row[]> => sql<Row[]>`
  select actor_kind, actor_id, session, route, fields from access_log where account_id = ${accountId} order by at, id`
/** The rows that a read has added. */
async function added(person: Person, read: () => Promise<unknown>): Promise<Row[]> {
  const before = (await rowsOf(person.accountId)).length
  await read()
  return (await rowsOf(person.accountId)).slice(before)
}

test('every route that tells an operator or the app backend about a person says which fields', async () => {
  const document = (await harness.anonymous.get('/openapi.json')).body
  const resolve = (node: { $ref?: string }): unknown =>
    node.$ref ? document.components.schemas[node.$ref.split('/').at(-1) ?? ''] : node
  const namesIn = (node: unknown, seen = new Set<unknown>()): string[] => {
    if (typeof node !== 'object' || node === null) return []
    const schema = resolve(node as object) as Record<string, unknown>
    if (seen.has(schema)) return []
    seen.add(schema)
    const names = schema.properties ? Object.keys(schema.properties) : []
    return [...names, ...Object.values(schema).flatMap((part) => namesIn(part, seen))]
  }
  // Fields that only a person has.
  const personal = ['accountId', 'email', 'firstName', 'iccid', 'activationCode', 'pushToken', 'deviceId', 'newEmail']
  // Events have ids only: what they are about is read by another route, which is recorded.
  const idsOnly = ['get /v1/events', 'post /v1/webhook-endpoints/{id}/ping']
  const unsaid: string[] = []
  let told = 0
  for (const [path, methods] of Object.entries<Record<string, Record<string, never>>>(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const callers: string[] = operation['x-callers'] ?? []
      if (!callers.some((kind) => ['service', 'operator', 'console'].includes(kind))) continue
      const names = namesIn(operation.responses)
      if (!personal.some((name) => names.includes(name))) continue
      told += 1
      if (!operation['x-reads']) unsaid.push(`${method} ${path}`)
    }
  }
  expect(unsaid.sort()).toEqual(idsOnly)
  expect(told).toBeGreaterThan(15)
})

test('reads by the app backend and by operators are recorded with key, route and fields, a person’s own are not', async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person)
  const path = `/v1/accounts/${person.accountId}`
  const [service] = await added(person, () => harness.service.get(path))
  expect(service).toEqual({
    actor_kind: 'service',
    actor_id: expect.any(String),
    session: null,
    route: 'GET /v1/accounts/{id}',
    fields: ['account'],
  })
  const [operator] = await added(person, () => harness.operator.get(`/v1/orders/${id}`))
  expect(operator).toMatchObject({
    actor_kind: 'operator',
    route: 'GET /v1/orders/{id}',
    fields: ['orders', 'esims'],
  })
  expect(operator?.actor_id).not.toBe(service?.actor_id)
  const own = () =>
    Promise.all([person.caller.get(path), person.caller.get('/v1/orders'), person.caller.get(`/v1/orders/${id}`)])
  expect(await added(person, own)).toEqual([])
  const [image] = await added(person, () => harness.service.get(`/v1/orders/${id}/qr.png`))
  expect(image).toMatchObject({ route: 'GET /v1/orders/{id}/qr.png', fields: ['esims'] })
  // A list is a read of everybody in it.
  const other = await harness.signUp()
  await harness.buy(other)
  const list = () => harness.operator.get('/v1/orders?limit=2')
  expect(await added(other, () => added(person, list).then((rows) => expect(rows).toHaveLength(1)))).toHaveLength(1)
  // Nothing was read of what was refused, or had not changed.
  const tag = (await harness.service.get(path)).headers.get('etag')
  expect(await added(person, () => harness.service.get(path, { 'if-none-match': tag }))).toEqual([])
})

test('a read on the console is recorded with its session', async () => {
  const person = await harness.signUp()
  const asked = await person.caller.post('/v1/privacy-requests', { kind: 'access', message: 'What do you hold?' })
  const { id } = expectStatus(asked, 201)
  const surfer = createSurfer(harness.urls.api)
  const { id: keyId, token } = await createApiKey(sql, { kind: 'operator', label: 'console', at: new Date() })
  await surfer.submit('/console', '/console/sign-in', { key: token })
  const [row] = await added(person, () => surfer.open(`/console/privacy-requests/${id}`))
  expect(row).toMatchObject({ actor_kind: 'operator', actor_id: keyId, fields: ['privacyRequests'] })
  expect(row?.session).toMatch(/^[\w-]{16}$/)
  const [again] = await added(person, () => surfer.open(`/console/privacy-requests/${id}`))
  expect(again?.session).toBe(row?.session)
  expect([...surfer.cookies.values()].join()).not.toContain(row?.session ?? 'none')
})

test('an export is recorded whoever asks, and a person sees all accesses in pages and in the export', async () => {
  const person = await harness.signUp()
  const path = `/v1/accounts/${person.accountId}`
  for (let reads = 0; reads < 3; reads += 1) await harness.operator.get(path)
  const exported = expectStatus(await person.caller.get(`${path}/export`), 200)
  expect(exported.accesses[0]).toMatchObject({ by: 'person', key: null, fields: ['everything'] })
  const seen: { by: string; route: string }[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = cursor === '' ? '?limit=2' : `?limit=2&cursor=${cursor}`
    const page = expectStatus(await person.caller.get(`${path}/accesses${query}`), 200)
    seen.push(...page.items)
    cursor = page.nextCursor
  }
  expect(seen.map(({ by }) => by)).toEqual(exported.accesses.map(({ by }: { by: string }) => by))
  expect(seen.slice(0, 4).map(({ by }) => by)).toEqual(['person', 'operator', 'operator', 'operator'])
})

test('accesses are erased with the account, also one that was written too late', async () => {
  const person = await harness.signUp()
  await harness.operator.get(`/v1/accounts/${person.accountId}`)
  expect((await rowsOf(person.accountId)).length).toBeGreaterThan(0)
  const access = {
    at: new Date(),
    accountIds: [person.accountId],
    actorKind: 'operator' as const,
    actorId: 'key',
    session: null,
    route: 'GET /',
    fields: ['account' as const],
    requestId: 'late',
  }
  await deleteAccount(harness.stack, person)
  expect(await rowsOf(person.accountId)).toEqual([])
  await recordAccesses(sql, [access])
  expect(await rowsOf(person.accountId)).toEqual([])
  await sql`insert into access_log (at, account_id, actor_kind, route, fields, request_id)
    values (now(), ${person.accountId}, 'operator', 'GET /', '{account}', 'late')`
  await eraseLateRows(sql, {
    ids: [person.accountId],
    blinds: [],
    orderIds: [],
    requestIds: [],
    emailChangeIds: [],
    transaction: '0',
  })
  expect(await rowsOf(person.accountId)).toEqual([])
})

test('a read waits for no lock on the account', async () => {
  const person = await harness.signUp()
  const held = postgres(harness.stack.config.DATABASE_URL, { max: 1 })
  await held`begin`
  await held`select from accounts where id = ${person.accountId} for update`
  try {
    const [row] = await added(person, () => harness.service.get(`/v1/accounts/${person.accountId}`))
    expect(row).toMatchObject({ actor_kind: 'service' })
  } finally {
    await held`rollback`
    await held.end()
  }
})

// The last one: it takes the table away.
test('an answer whose access cannot be recorded is not sent', async () => {
  const person = await harness.signUp()
  await sql`alter table access_log rename to away`
  try {
    const answer = await harness.operator.get(`/v1/accounts/${person.accountId}`)
    expect(answer.status).toBe(500)
    expect(answer.text).not.toContain(person.email)
    const own = await person.caller.get(`/v1/accounts/${person.accountId}`)
    expect(own.status).toBe(200)
  } finally {
    await sql`alter table away rename to access_log`
  }
})

afterAll(async () => {
  await sql`delete from api_keys where label = 'console'`
})
