/** Who read whose data is on record, for the person to see, and gone with the account. */
import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { afterAll, expect, test } from 'vitest'
import { recordAccesses } from '../../db/access/access-log.ts'
import { createApiKey } from '../../db/api-keys.ts'
import { eraseLateRows } from '../../db/erasure/erased-rows.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { textsOf } from '../../messages/texts.ts'
import { privacyReference } from '../../policy/privacy-reference.ts'
import { initialSearchAttributes } from '../../shared/search-attributes.ts'
import { accountInactivityType, inactivityWorkflowId } from '../../workflows/retention/account-inactivity.contract.ts'
import { readDescribed } from '../harness/api/described.ts'
import { createSurfer } from '../harness/browser.ts'
import { deleteAccount } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { until } from '../harness/until.ts'
import { visit } from '../harness/visits.ts'

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
  const document = await readDescribed(harness.anonymous)
  const resolve = (node: object): object =>
    '$ref' in node ? (document.components.schemas[String(node.$ref).split('/').at(-1) ?? ''] ?? {}) : node
  const namesIn = (node: unknown, seen = new Set<unknown>()): string[] => {
    if (typeof node !== 'object' || node === null) return []
    const schema = resolve(node)
    if (seen.has(schema)) return []
    seen.add(schema)
    return Object.entries(schema).flatMap(([name, part]) => [
      ...(name === 'properties' ? Object.keys(part) : []),
      ...namesIn(part, seen),
    ])
  }
  // Fields that only a person has, or that name what a person has bought or asked for.
  const personal = [
    ...['accountId', 'email', 'firstName', 'iccid', 'activationCode', 'pushToken', 'deviceId', 'newEmail'],
    ...['subjectId', 'runId'],
  ]
  // An answer of the form of an event, whose only event is about the endpoint.
  const aboutNobody = ['post /v1/webhook-endpoints/{id}/ping']
  const unsaid: string[] = []
  let personalAnswers = 0
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const callers = operation['x-callers']
      if (!callers.some((kind) => ['service', 'operator', 'console'].includes(kind))) continue
      const names = namesIn(operation.responses)
      if (!personal.some((name) => names.includes(name))) continue
      personalAnswers += 1
      if (!operation['x-reads']) unsaid.push(`${method} ${path}`)
    }
  }
  expect(unsaid.sort()).toEqual(aboutNobody)
  expect(personalAnswers).toBeGreaterThan(15)
})

test('a page or file for operators or the app backend says which fields it has, or is among those about nobody', async () => {
  const document = await readDescribed(harness.anonymous)
  // These routes answer about operators, the service, policies, the books (which name nobody), or an act to be done.
  const aboutNobody = [
    'get /console/accounts/{id}/child-report',
    'get /console/accounts/{id}/delete',
    'get /console/accounts/{id}/enter-request',
    'get /console/accounts/{id}/note',
    'get /console/accounts/{id}/sign-out',
    'get /console/bulk-actions',
    'get /console/bulk-actions/{id}/cancel',
    'get /console/bulk-actions/{id}/pause',
    'get /console/bulk-actions/{id}/resume',
    'get /console/enter-request',
    'get /console/privacy-requests/{id}/extend',
    'get /console/privacy-requests/{id}/resolve',
    'get /console/promises',
    'get /console/sessions',
    'get /metrics',
    'get /privacy',
    'get /privacy/{version}',
    'get /v1/books/datev',
    'get /v1/books/journal',
    'get /v1/books/oss',
    'get /v1/breaches/{id}/authority-form',
  ]
  const found: string[] = []
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const callers = operation['x-callers']
      const answer = operation.responses['200']
      const isFile = answer?.content && !('application/json' in answer.content)
      // A form that was sent is answered by another page, or by itself once more.
      const isForm = method === 'post' && path.startsWith('/console/') && path !== '/console/search'
      if (!isFile || isForm || operation['x-reads']) continue
      if (callers.some((kind) => ['service', 'operator', 'console'].includes(kind))) found.push(`${method} ${path}`)
    }
  }
  expect(found.sort()).toEqual(aboutNobody)

  // None of them shows anything of a person who has everything that the console shows.
  const person = await harness.signUp()
  const { id } = await harness.buy(person)
  const asked = await person.caller.post('/v1/privacy-requests', { kind: 'access', message: 'What do you hold?' })
  const request = expectStatus(asked, 201)
  const selected = { act: 'apologise', selection: { statuses: ['delivered'] }, reason: 'the delivery took a day' }
  const bulk = expectStatus(await harness.operator.post('/v1/bulk-actions', selected), 201)
  const surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
  for (const operation of aboutNobody.filter((each) => each.includes('/console/'))) {
    const of = operation.includes('privacy-requests')
      ? request.id
      : operation.includes('bulk-actions')
        ? bulk.id
        : person.accountId
    const { status, html } = await surfer.open(operation.slice('get '.length).replace('{id}', of))
    expect([operation, status]).toEqual([operation, 200])
    for (const theirs of [person.email, person.lastName, id, 'What do you hold?'])
      expect([operation, html.includes(theirs)]).toEqual([operation, false])
  }
})

test('tasks about a person are read by the console and by programs with a record of it', async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person)
  await raiseOperatorTask(sql, { kind: 'refund_failed', subjectId: id, at: new Date(0) })
  const surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
  const reads = async () => {
    for (const page of ['/console', '/console/tasks']) expect((await surfer.open(page)).html).toContain(id)
    expectStatus(await harness.operator.get('/v1/operator-tasks'), 200)
  }
  const rows = await added(person, reads)
  expect(rows.map(({ route }) => route).sort()).toEqual([
    'GET /console',
    'GET /console/tasks',
    'GET /v1/operator-tasks',
  ])
  for (const { fields } of rows) expect(fields).toContain('orders')
  await sql`delete from attention where subject_id = ${id}`
})

test('differences, items of a restore and runs about a person are read with a record of it', async () => {
  const person = await harness.signUp()
  const { id: orderId } = await harness.buy(person)
  const [id, at] = [randomUUID(), new Date()]
  await sql`insert into reconciliations ${sql({ id, state: 'complete', started_at: at, read_from: at })}`
  const difference = { reconciliation_id: id, kind: 'refund_missing', subject_id: orderId, part: '', detail: '5.00' }
  await sql`insert into reconciliation_differences ${sql({ ...difference, subject_at: at })}`
  const restore = { id, backup_id: 'b', reads_since: at, restored_at: at, opened_at: at, series: 'R9' }
  await sql`insert into restores ${sql(restore)}`
  const item = { restore_id: id, kind: 'order', subject_id: orderId, outcome: 'rebuilt' }
  await sql`insert into restored_items ${sql(item)}`
  // Nobody works for it: it stays late.
  const workflowId = inactivityWorkflowId(person.accountId)
  const late = initialSearchAttributes({ status: 'waiting', waitingFor: 'a warning', dueAt: new Date(0) })
  const run = await harness.temporal.workflow.start(accountInactivityType, {
    workflowId,
    taskQueue: 'nobody',
    args: [{ accountId: person.accountId }],
    typedSearchAttributes: late,
  })
  const surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
  await until('the run is listed', async () => (await surfer.open('/console')).html.includes(workflowId))
  const rows = await added(person, async () => {
    for (const path of [`/v1/reconciliations/${id}`, `/v1/restores/${id}/items`])
      expect((await harness.operator.get(path)).text).toContain(orderId)
    await surfer.open('/console')
  })
  expect(rows.map(({ route }) => route).sort()).toEqual([
    'GET /console',
    'GET /v1/reconciliations/{id}',
    'GET /v1/restores/{id}/items',
  ])
  for (const { fields } of rows) expect(fields).toContain('orders')
  await run.terminate()
  await sql`delete from restores where id = ${id}`
  await sql`delete from reconciliations where id = ${id}`
})

test('what a person had asked before they signed up is read with a record of it, once they have an account', async () => {
  const { id, email, asked } = await askedBefore()
  const person = await harness.signUp({ account: { email } })
  const surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
  const rows = await added(person, async () => {
    for (const path of ['/console', '/console/privacy-requests', `/console/privacy-requests/${id}`])
      expect((await surfer.open(path)).html).toContain(id)
    expect((await surfer.open(`/console/privacy-requests/${id}`)).html).toContain(asked)
    const found = { query: privacyReference(id) }
    for (const answer of [
      await harness.operator.get('/v1/privacy-requests'),
      await harness.operator.get(`/v1/privacy-requests/${id}`),
      await harness.operator.post('/v1/operator/search', found),
    ])
      expect(answer.text).toContain(person.accountId)
  })
  expect([...new Set(rows.map(({ route }) => route))].sort()).toEqual([
    'GET /console',
    'GET /console/privacy-requests',
    'GET /console/privacy-requests/{id}',
    'GET /v1/privacy-requests',
    'GET /v1/privacy-requests/{id}',
    'POST /v1/operator/search',
  ])
})

async function askedBefore(): Promise<{ id: string; email: string; asked: string }> {
  const [email, asked] = [`${randomUUID()}@before.example`, 'What do you hold of me?']
  const request = { kind: 'access', message: asked, replyTo: email }
  const { id, accountId } = expectStatus(await harness.operator.post('/v1/privacy-requests', request), 201)
  expect(accountId).toBeNull()
  return { id, email, asked }
}

test('the form of an act says which fields it has, also when it comes back with its faults', async () => {
  const { paths } = await readDescribed(harness.anonymous)
  const readsOf = (path: string, method: string) => paths[path]?.[method]?.['x-reads']
  const forms = Object.keys(paths).filter((path) => path.startsWith('/console/') && readsOf(path, 'get'))
  const sent = forms.filter((path) => paths[path]?.post)
  expect(sent.length).toBeGreaterThan(10)
  expect(sent.filter((path) => String(readsOf(path, 'post')) !== String(readsOf(path, 'get')))).toEqual([])
})

test.each([
  [
    'an act on an order',
    async (person: Person) => `/console/orders/${(await harness.buy(person)).id}/refund-part`,
    'POST /console/orders/{id}/refund-part',
  ],
  [
    'an act on an address',
    async (person: Person) => {
      const change = { email: `${randomUUID()}@new.example` }
      expectStatus(await person.caller.post(`/v1/accounts/${person.accountId}/email-change`, change), 202)
      return `/console/accounts/${person.accountId}/waive-old-address`
    },
    'POST /console/accounts/{id}/waive-old-address',
  ],
  [
    'an act on a task',
    async (person: Person) => {
      const { id } = await harness.buy(person)
      await raiseOperatorTask(sql, { kind: 'refund_failed', subjectId: id, at: new Date(0) })
      const [task] = await sql<{ id: string }[]>`select id from attention where subject_id = ${id}`
      return `/console/attention/${task?.id}/settle`
    },
    'POST /console/attention/{id}/settle',
  ],
])('a form that comes back to an operator with its faults is a read of its person: %s', async (_what, make, route) => {
  const person = await harness.signUp()
  const form = await make(person)
  const surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
  const rows = await added(person, async () => {
    expect((await surfer.submit(form, form, { reason: 'no' })).status).toBe(422)
  })
  expect(rows.map((row) => row.route)).toEqual([route.replace('POST', 'GET'), route])
  await sql`delete from attention where kind = 'refund_failed'`
})

test('a person sees on a page who has read what, in their language, page by page', async () => {
  const person = await harness.signUp()
  const signIn = await createSurfer(harness.urls.api).open('/account/accesses')
  expect(signIn.html).toContain(textsOf('en').t('account.signIn.address'))
  const surfer = await visit(harness.stack, person)
  expect((await surfer.open('/account/data')).html).toContain('href="/account/accesses"')
  for (let reads = 0; reads < 60; reads += 1) await harness.operator.get(`/v1/accounts/${person.accountId}`)
  const consent = { granted: true, source: 'support' }
  await harness.service.put(`/v1/accounts/${person.accountId}/consents/promotions`, consent)
  const { html } = await surfer.open('/account/accesses')
  // One row of all reads alike, in which another one would be seen.
  expect(html.match(/>our staff</g)).toHaveLength(1)
  expect(html).toMatch(/49 times between \d.* and \d/)
  expect(html).toContain('the servers of our app</td><td class="what">consents')
  expect(html).toContain('name, address, phone number and sign-ins')
  const next = /href="(\/account\/accesses\?cursor=[\w-]+)"/.exec(html)?.[1] ?? ''
  expect((await surfer.open(next)).html).toContain('11 times between')
  for (const [language, words] of [
    ['de', ['Wer Ihre Daten gelesen hat', 'unsere Mitarbeitenden']],
    ['sq', ['Kush i ka lexuar të dhënat tuaja', 'stafi ynë']],
  ] as const) {
    await sql`update accounts set language = ${language} where id = ${person.accountId}`
    const shown = (await surfer.open('/account/accesses')).html
    for (const each of words) expect(shown).toContain(each)
  }
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

test('an export by any caller is recorded, and a person sees all accesses in pages and in the export', async () => {
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
