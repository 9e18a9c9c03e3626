/**
 * Two people on every route that takes an id: neither can read or change rows of the other, and revoked keys, keys of
 * another kind and invented keys do nothing. The list of routes comes from the API: a route without an entry here
 * fails.
 */
import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { createApiKey, revokeApiKey } from '../../db/api-keys.ts'
import { untilAcknowledged } from '../erasure/exercised-rights.ts'
import { findTexts, takeSnapshot } from '../erasure/snapshot.ts'
import { readDescribed } from '../harness/api/described.ts'
import { createSurfer, type Surfer } from '../harness/browser.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { createCaller, expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack({ books: false })
const { sql } = harness.context

interface Operation {
  method: string
  path: string
  callers: string[]
}

interface Things {
  person: Person
  order: { id: string; esims: { id: string; matchingId: string }[]; documents: { number: string }[] }
  heldOrder: { id: string }
  requestId: string
}

/**
 * The meaning of a route's id.
 * - `theirs`: a person's row; other people get a 404
 * - `visited`: a page or form of a person's row; other people's sessions get a 404
 * - `ours`: for operators only
 * - `backend`: for operators and the app backend, about no person
 * - `secret`: for everybody who knows it; an invented one opens nothing
 * - `public`: the same answer for everybody, without personal data
 */
type Entry =
  | { id: 'theirs'; path: (of: Things) => string; body?: (of: Things) => unknown; ownerGets: number }
  | { id: 'visited'; path: (of: Things) => string; fields?: Record<string, string> }
  | { id: 'ours'; path?: (of: Things) => string }
  | { id: 'backend' }
  | { id: 'secret'; made: string; body?: string }
  | { id: 'public'; path: string }

const account = (rest: string) => (of: Things) => `/v1/accounts/${of.person.accountId}${rest}`
const order = (rest: string) => (of: Things) => `/v1/orders/${of.order.id}${rest}`
const esimPage = (of: Things) => `/account/esims/${of.order.esims[0]?.id}/top-up`
const orderPage = (rest: string) => (of: Things) => `/account/orders/${of.order.id}${rest}`
const request = (rest: string) => (of: Things) => `/v1/privacy-requests/${of.requestId}${rest}`
const madeUp = 'A'.repeat(43)
type ActedOn = 'orders' | 'accounts' | 'attention' | 'privacy-requests'
/** The form of each act on the console, and what it is sent to. */
const consoleActs = (of: ActedOn, names: string[], idOf: (of: Things) => string) =>
  Object.fromEntries(
    names.flatMap((name) =>
      ['GET', 'POST'].map((method): [string, Entry] => [
        `${method} /console/${of}/{id}/${name}`,
        { id: 'ours', path: (things) => `/console/${of}/${idOf(things)}/${name}` },
      ]),
    ),
  )

const disputeAct = (name: string): Entry => ({
  id: 'ours',
  path: (of) => `/console/orders/${of.order.id}/disputes/du_1/${name}`,
})

const entries: Record<string, Entry> = {
  'GET /v1/accounts/{id}': { id: 'theirs', path: account(''), ownerGets: 200 },
  'PATCH /v1/accounts/{id}': { id: 'theirs', path: account(''), body: () => ({ lastName: 'Changed' }), ownerGets: 200 },
  'DELETE /v1/accounts/{id}': { id: 'theirs', path: account(''), ownerGets: 200 },
  'POST /v1/accounts/{id}/child-report': { id: 'ours', path: account('/child-report') },
  'POST /v1/accounts/{id}/sign-out': { id: 'theirs', path: account('/sign-out'), body: () => ({}), ownerGets: 200 },
  'POST /v1/accounts/{id}/sign-ins': { id: 'theirs', path: account('/sign-ins'), body: () => ({}), ownerGets: 200 },
  'PUT /v1/accounts/{id}/devices/{deviceId}': {
    id: 'theirs',
    path: (of) => account(`/devices/${of.person.deviceId}`)(of),
    body: () => ({ platform: 'android' }),
    ownerGets: 200,
  },
  'DELETE /v1/accounts/{id}/devices/{deviceId}': {
    id: 'theirs',
    path: (of) => account(`/devices/${of.person.deviceId}`)(of),
    ownerGets: 204,
  },
  'GET /v1/accounts/{id}/accesses': { id: 'theirs', path: account('/accesses'), ownerGets: 200 },
  'GET /v1/accounts/{id}/export': { id: 'theirs', path: account('/export'), ownerGets: 200 },
  'POST /v1/accounts/{id}/email-change': {
    id: 'theirs',
    path: account('/email-change'),
    body: () => ({ email: `${randomUUID()}@new.example` }),
    ownerGets: 202,
  },
  'GET /v1/accounts/{id}/email-change': { id: 'theirs', path: account('/email-change'), ownerGets: 200 },
  'DELETE /v1/accounts/{id}/email-change': { id: 'theirs', path: account('/email-change'), ownerGets: 204 },
  'POST /v1/accounts/{id}/email-change/waive-old': { id: 'ours', path: account('/email-change/waive-old') },
  'PUT /v1/accounts/{id}/consents/promotions': {
    id: 'theirs',
    path: account('/consents/promotions'),
    body: () => ({ granted: true, source: 'app_settings' }),
    ownerGets: 200,
  },
  'GET /v1/accounts/{id}/esims': { id: 'theirs', path: account('/esims'), ownerGets: 200 },
  'GET /v1/esims/{id}/top-ups': {
    id: 'theirs',
    path: (of) => `/v1/esims/${of.order.esims[0]?.id}/top-ups`,
    ownerGets: 200,
  },
  'GET /v1/orders/{id}': { id: 'theirs', path: order(''), ownerGets: 200 },
  'GET /v1/orders/{id}/qr.png': { id: 'theirs', path: order('/qr.png'), ownerGets: 200 },
  'POST /v1/orders/{id}/top-up': {
    id: 'theirs',
    path: order('/top-up'),
    body: () => ({ packageCode: 'test-germany-1gb-top-up' }),
    ownerGets: 201,
  },
  'POST /v1/orders/{id}/cancel': { id: 'theirs', path: order('/cancel'), ownerGets: 409 },
  'POST /v1/orders/{id}/resend': { id: 'theirs', path: order('/resend'), ownerGets: 200 },
  'POST /v1/orders/{id}/withdrawal/confirm': { id: 'theirs', path: order('/withdrawal/confirm'), ownerGets: 409 },
  'POST /v1/orders/{id}/withdrawal': { id: 'theirs', path: order('/withdrawal'), ownerGets: 200 },
  'POST /v1/orders/{id}/refund': { id: 'theirs', path: order('/refund'), ownerGets: 200 },
  'POST /v1/orders/{id}/approve': { id: 'ours', path: (of) => `/v1/orders/${of.heldOrder.id}/approve` },
  'POST /v1/orders/{id}/disputes/{disputeId}/submit': { id: 'ours', path: order('/disputes/du_1/submit') },
  'POST /v1/orders/{id}/disputes/{disputeId}/accept': { id: 'ours', path: order('/disputes/du_1/accept') },
  'POST /v1/orders/{id}/reject': { id: 'ours', path: (of) => `/v1/orders/${of.heldOrder.id}/reject` },
  'GET /v1/privacy-requests/{id}': { id: 'theirs', path: request(''), ownerGets: 200 },
  'POST /v1/privacy-requests/{id}/resolve': { id: 'ours', path: request('/resolve') },
  'POST /v1/privacy-requests/{id}/extend': { id: 'ours', path: request('/extend') },
  'GET /v1/breaches/{id}': { id: 'ours' },
  'GET /v1/breaches/{id}/people': { id: 'ours' },
  'GET /v1/breaches/{id}/authority-form': { id: 'ours' },
  'POST /v1/breaches/{id}/authority': { id: 'ours' },
  'POST /v1/breaches/{id}/people': { id: 'ours' },
  'PUT /v1/packages/{code}/price': { id: 'ours' },
  'GET /v1/webhook-endpoints/{id}': { id: 'backend' },
  'PATCH /v1/webhook-endpoints/{id}': { id: 'backend' },
  'DELETE /v1/webhook-endpoints/{id}': { id: 'backend' },
  'POST /v1/webhook-endpoints/{id}/rotate-secret': { id: 'backend' },
  'POST /v1/webhook-endpoints/{id}/replay': { id: 'backend' },
  'POST /v1/webhook-endpoints/{id}/ping': { id: 'backend' },
  'GET /v1/campaigns/{id}': { id: 'ours' },
  'POST /v1/campaigns/{id}/pause': { id: 'ours' },
  'POST /v1/campaigns/{id}/resume': { id: 'ours' },
  'POST /v1/campaigns/{id}/cancel': { id: 'ours' },
  'GET /v1/bulk-actions/{id}': { id: 'ours' },
  'GET /v1/bulk-actions/{id}/orders': { id: 'ours' },
  'POST /v1/bulk-actions/{id}/start': { id: 'ours' },
  'POST /v1/bulk-actions/{id}/pause': { id: 'ours' },
  'POST /v1/bulk-actions/{id}/resume': { id: 'ours' },
  'POST /v1/bulk-actions/{id}/cancel': { id: 'ours' },
  'GET /console/bulk-actions/{id}': { id: 'ours' },
  'POST /console/bulk-actions/{id}/start': { id: 'ours' },
  'GET /console/bulk-actions/{id}/pause': { id: 'ours' },
  'POST /console/bulk-actions/{id}/pause': { id: 'ours' },
  'GET /console/bulk-actions/{id}/resume': { id: 'ours' },
  'POST /console/bulk-actions/{id}/resume': { id: 'ours' },
  'GET /console/bulk-actions/{id}/cancel': { id: 'ours' },
  'POST /console/bulk-actions/{id}/cancel': { id: 'ours' },
  'GET /v1/key-rotations/{id}': { id: 'ours' },
  'GET /v1/key-rotations/{id}/runs': { id: 'ours' },
  'POST /v1/policies/{version}/withdraw': { id: 'ours' },
  'GET /v1/policies/{version}/notices': { id: 'ours' },
  'PUT /v1/books/{month}/hold': { id: 'ours' },
  'DELETE /v1/books/{month}/hold': { id: 'ours' },
  'POST /v1/backups/{id}/drill': { id: 'ours' },
  'POST /v1/operator-tasks/{id}/take': { id: 'ours' },
  'POST /v1/operator-tasks/{id}/note': { id: 'ours' },
  'POST /v1/operator-tasks/{id}/close': { id: 'ours' },
  'POST /v1/operator-tasks/{id}/complete': { id: 'ours' },
  'POST /v1/operator-tasks/{id}/try-again': { id: 'ours' },
  'GET /v1/reconciliations/{id}': { id: 'ours' },
  'GET /v1/restores/{id}/items': { id: 'ours' },
  'GET /v1/operator/orders/{id}/timeline': { id: 'ours', path: (of) => `/v1/operator/orders/${of.order.id}/timeline` },
  'POST /v1/operator/accounts/{id}/notes': {
    id: 'ours',
    path: (of) => `/v1/operator/accounts/${of.person.accountId}/notes`,
  },
  'POST /v1/operator/orders/{id}/acts': {
    id: 'ours',
    path: (of) => `/v1/operator/orders/${of.order.id}/acts`,
  },
  'GET /console/orders/{id}': { id: 'ours', path: (of) => `/console/orders/${of.order.id}` },
  ...consoleActs('orders', ['approve', 'reject'], (of) => of.heldOrder.id),
  ...consoleActs('orders', ['resend', 'retry', 'refund', 'refund-part', 'cancel', 'note'], (of) => of.order.id),
  'GET /console/accounts/{id}': { id: 'ours', path: (of) => `/console/accounts/${of.person.accountId}` },
  ...consoleActs(
    'accounts',
    ['note', 'sign-out', 'waive-old-address', 'delete', 'child-report', 'enter-request'],
    (of) => of.person.accountId,
  ),
  ...consoleActs('attention', ['take', 'note', 'settle', 'complete', 'try-again'], () => randomUUID()),
  'GET /console/orders/{id}/disputes/{disputeId}/submit': disputeAct('submit'),
  'POST /console/orders/{id}/disputes/{disputeId}/submit': disputeAct('submit'),
  'GET /console/orders/{id}/disputes/{disputeId}/accept': disputeAct('accept'),
  'POST /console/orders/{id}/disputes/{disputeId}/accept': disputeAct('accept'),
  'GET /console/orders/{id}/documents/{number}': {
    id: 'ours',
    path: (of) => `/console/orders/${of.order.id}/documents/AMA-1`,
  },
  'GET /console/privacy-requests/{id}': { id: 'ours', path: (of) => `/console/privacy-requests/${of.requestId}` },
  ...consoleActs('privacy-requests', ['resolve', 'extend'], (of) => of.requestId),
  'GET /v1/deletions/{receiptId}': { id: 'secret', made: `/v1/deletions/${randomUUID()}` },
  'GET /v1/deletions/{receiptId}/signed': { id: 'secret', made: `/v1/deletions/${randomUUID()}/signed` },
  'GET /receipts/{id}': { id: 'secret', made: `/receipts/${randomUUID()}` },
  'GET /receipts/{id}/receipt.json': { id: 'secret', made: `/receipts/${randomUUID()}/receipt.json` },
  'GET /receipts/{id}/receipt.json.sig': { id: 'secret', made: `/receipts/${randomUUID()}/receipt.json.sig` },
  'GET /v1/transparency-log/{seq}': { id: 'secret', made: '/v1/transparency-log/2000000000' },
  'GET /i/{token}': { id: 'secret', made: `/i/${madeUp}` },
  'GET /u/{token}': { id: 'secret', made: `/u/${madeUp}` },
  'POST /u/{token}': { id: 'secret', made: `/u/${madeUp}`, body: 'List-Unsubscribe=One-Click' },
  'GET /email-change/{token}': { id: 'secret', made: `/email-change/${madeUp}` },
  'POST /email-change/{token}': { id: 'secret', made: `/email-change/${madeUp}` },
  'GET /account/sign-in/{token}': { id: 'secret', made: `/account/sign-in/${madeUp}` },
  'POST /account/sign-in/{token}': { id: 'secret', made: `/account/sign-in/${madeUp}` },
  'GET /account/orders/{id}': { id: 'visited', path: orderPage('') },
  'GET /account/esims/{id}/top-up': { id: 'visited', path: esimPage },
  'POST /account/esims/{id}/top-up': {
    id: 'visited',
    path: esimPage,
    fields: { once: randomUUID(), packageCode: testPackages.topUp },
  },
  'POST /account/cards/{id}/remove': { id: 'visited', path: () => '/account/cards/pm_made_up/remove' },
  'POST /account/orders/{id}/cancel': { id: 'visited', path: orderPage('/cancel') },
  'POST /account/orders/{id}/return': { id: 'visited', path: orderPage('/return') },
  'POST /account/orders/{id}/resend': { id: 'visited', path: orderPage('/resend'), fields: { once: randomUUID() } },
  'POST /account/orders/{id}/withdrawal': { id: 'visited', path: orderPage('/withdrawal') },
  'POST /account/orders/{id}/withdrawal/confirm': {
    id: 'visited',
    path: orderPage('/withdrawal/confirm'),
    fields: { name: 'Ben' },
  },
  'GET /account/orders/{id}/documents/{number}': {
    id: 'visited',
    path: (of) => orderPage(`/documents/${of.order.documents[0]?.number}`)(of),
  },
  'GET /account/orders/{id}/documents/{number}/pdf': {
    id: 'visited',
    path: (of) => orderPage(`/documents/${of.order.documents[0]?.number}/pdf`)(of),
  },
  'POST /v1/webhooks/esim-access/{secret}': { id: 'secret', made: `/v1/webhooks/esim-access/${madeUp}`, body: '{}' },
  'POST /v1/webhooks/mail-bounces/{secret}': { id: 'secret', made: `/v1/webhooks/mail-bounces/${madeUp}`, body: 'x' },
  'GET /schemas/{file}': { id: 'public', path: '/schemas/account-export-1.json' },
  'GET /privacy/{version}': { id: 'public', path: '/privacy/2026-11-28' },
  'GET /v1/policies/{version}': { id: 'public', path: '/v1/policies/2026-11-28' },
  'GET /problems/{code}': { id: 'public', path: '/problems/not_found' },
}

const document = await readDescribed(harness.anonymous)
const operations: Operation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { 'x-callers': callers }]) => ({
    method: method.toUpperCase(),
    path,
    callers,
  })),
)
const nameOf = ({ method, path }: Operation): string => `${method} ${path}`
const withId = operations.filter(({ path }) => path.includes('{'))
const entryOf = (operation: Operation): Entry => {
  const entry = entries[nameOf(operation)]
  if (!entry) throw new Error(`${nameOf(operation)} has no entry`)
  return entry
}

let anna: Things
let ben: Things
/** Credentials that must be refused, and sessions of people. */
let useless: { name: string; token: string }[]
let bensSession: Surfer
let cookie: string

async function withThings(): Promise<Things> {
  const person = await harness.signUp()
  const [bought, heldOrder] = [
    await harness.buy(person),
    await harness.buy(person, { pay: { riskLevel: 'elevated' }, until: 'in_review' }),
  ]
  const body = { kind: 'access', message: 'Mine.' }
  const { id: requestId } = expectStatus(await person.caller.post('/v1/privacy-requests', body), 201)
  await untilAcknowledged(harness, requestId)
  const email = `${randomUUID()}@new.example`
  expectStatus(await person.caller.post(`/v1/accounts/${person.accountId}/email-change`, { email }), 202)
  await until('what they were told is out', async () => {
    const [row] = await sql<{ asked: number; pending: number }[]>`
      select (select count(*)::int from link_tokens where account_id = ${person.accountId}) as asked,
        (select count(*)::int from sends where account_id = ${person.accountId} and done_at is null) as pending`
    return row?.asked === 2 && row.pending === 0
  })
  return { person, order: bought, heldOrder, requestId }
}

async function signedIn({ person }: Things): Promise<Surfer> {
  const surfer = createSurfer(harness.urls.api)
  await surfer.post('/account/sign-in', { email: person.email })
  const mail = await until('the link', async () =>
    (await mailsTo(harness.stack, person.email)).find(({ subject }) => subject === 'Your sign-in link'),
  )
  const link = new URL(/https?:\/\/\S+\/account\/sign-in\/[\w-]{43}/.exec(mail.text)?.[0] ?? '').pathname
  await surfer.submit(link, link)
  return surfer
}

beforeAll(async () => {
  ;[anna, ben] = await Promise.all([withThings(), withThings()])
  bensSession = await signedIn(ben)
  cookie = [...bensSession.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const made = async (kind: 'service' | 'operator') => {
    const { id, token } = await createApiKey(sql, { kind, label: 'revoked', at: new Date() })
    await revokeApiKey(sql, id, new Date())
    return token
  }
  useless = [
    { name: 'a revoked operator key', token: await made('operator') },
    { name: 'a revoked service key', token: await made('service') },
    {
      name: 'a service key that calls itself an operator’s',
      token: harness.keys.service.replace('service', 'operator'),
    },
    { name: 'a key with another secret', token: `${harness.keys.operator.slice(0, -43)}${madeUp}` },
    { name: 'an unsigned token', token: `${btoa('{"alg":"none"}')}.${btoa('{"sub":"x"}')}.` },
  ]
})

/** Anna's rows, without columns that others change. */
async function annasRows(): Promise<string[]> {
  const snapshot = await takeSnapshot(harness.context)
  // Other callers' requests, or the watch of her eSIMs, write these columns.
  for (const table of ['security_log', 'idempotency_keys', 'esims', 'sends']) snapshot.delete(table)
  return findTexts(snapshot, [anna.person.accountId, anna.order.id, anna.heldOrder.id, anna.requestId])
}

test('every route that takes an id has an entry in two-persons.test.ts, and every entry a route', () => {
  expect(Object.keys(entries).sort()).toEqual(withId.map(nameOf).sort())
})

test('every entry of two-persons.test.ts matches the callers that its route declares', () => {
  const admitted = (operation: Operation) => (operation.callers.includes('public') ? 'everybody' : operation.callers)
  for (const operation of withId) {
    const callers = admitted(operation)
    const entry = entryOf(operation)
    if (entry.id === 'theirs') expect(callers, nameOf(operation)).toContain('person')
    else if (entry.id === 'visited') expect(callers, nameOf(operation)).toEqual(['visitor'])
    else if (entry.id === 'ours') {
      for (const kind of callers) expect(['operator', 'console'], nameOf(operation)).toContain(kind)
    } else if (entry.id === 'backend') expect(callers, nameOf(operation)).toEqual(['service', 'operator'])
    else expect(callers, nameOf(operation)).toBe('everybody')
  }
})

const theirs = withId.filter((operation) => entryOf(operation).id === 'theirs')
const ours = operations.filter(
  ({ callers }) => callers.length > 0 && callers.every((kind) => kind === 'operator' || kind === 'console'),
)

test('a person cannot read or change rows of another person by their id in the path', async () => {
  const before = await annasRows()
  expect(before.length).toBeGreaterThan(8)
  for (const operation of theirs) {
    const entry = entryOf(operation)
    if (entry.id !== 'theirs') continue
    const answer = await ben.person.caller.call(operation.method, entry.path(anna), { body: entry.body?.(anna) })
    expect([nameOf(operation), answer.status, answer.body?.code]).toEqual([nameOf(operation), 404, 'not_found'])
    for (const text of [anna.person.email, anna.person.lastName]) expect(answer.text).not.toContain(text)
  }
  expect(await annasRows()).toEqual(before)
})

test('a person cannot reach rows of another person by an id in a body or a list', async () => {
  const before = await annasRows()
  const accountId = anna.person.accountId
  const attempts = [
    await ben.person.caller.post('/v1/orders', { accountId, packageCode: 'test-germany-1gb' }),
    await ben.person.caller.post('/v1/privacy-requests', { accountId, kind: 'erasure', message: 'Delete her.' }),
    await ben.person.caller.get(`/v1/orders?accountId=${accountId}`),
    await ben.person.caller.get(`/v1/privacy-requests?accountId=${accountId}`),
    await ben.person.caller.post(`/v1/orders/${ben.order.id}/top-up`, {
      packageCode: 'test-germany-1gb-top-up',
      esimId: (await anna.person.caller.get(`/v1/orders/${anna.order.id}`)).body.esims[0].id,
    }),
  ]
  expect(attempts.map(({ status }) => status)).toEqual([404, 404, 404, 404, 400])
  for (const path of ['/v1/orders', '/v1/privacy-requests']) {
    const { text } = await ben.person.caller.get(path)
    expect(text).toContain(ben.person.accountId)
    expect(text).not.toContain(accountId)
  }
  expect(await annasRows()).toEqual(before)
})

test('a person’s session cannot read or change pages of another person’s rows', async () => {
  const before = await annasRows()
  const csrf = /name="csrf" value="([^"]+)"/.exec((await bensSession.open('/account/data')).html)?.[1] ?? ''
  for (const operation of withId) {
    const entry = entryOf(operation)
    if (entry.id !== 'visited') continue
    const path = entry.path(anna)
    const { status, html } =
      operation.method === 'GET'
        ? await bensSession.open(path)
        : await bensSession.post(path, { csrf, ...entry.fields })
    expect([nameOf(operation), status]).toEqual([nameOf(operation), 404])
    for (const text of [anna.person.email, anna.person.lastName]) expect(html).not.toContain(text)
  }
  expect(await annasRows()).toEqual(before)
})

test('operators’ routes refuse everybody but operators', { tags: 'long' }, async () => {
  const before = await annasRows()
  expect(ours.length).toBeGreaterThan(20)
  const others = [
    { name: 'nobody', caller: harness.anonymous, status: 401 },
    { name: 'a person', caller: ben.person.caller, status: 403 },
    { name: 'a service', caller: harness.service, status: 403 },
  ]
  for (const operation of ours) {
    const entry = entries[nameOf(operation)]
    const path =
      (entry && 'path' in entry && typeof entry.path === 'function' && entry.path(anna)) || filled(operation.path)
    for (const { name, caller, status } of others) {
      const answer = await caller.call(operation.method, path, bodyFor(operation))
      expect([nameOf(operation), name, answer.status]).toEqual([nameOf(operation), name, status])
    }
    const { status } = await harness.anonymous.call(operation.method, path, { headers: { cookie } })
    expect([nameOf(operation), 'a person’s cookie', status]).toEqual([nameOf(operation), 'a person’s cookie', 401])
  }
  expect(await annasRows()).toEqual(before)
})

test('a key that is revoked, forged or of another kind does nothing on any route', { tags: 'long' }, async () => {
  const before = await annasRows()
  const closed = operations.filter(({ callers }) => !callers.includes('public'))
  for (const { name, token } of useless) {
    const caller = createCaller(harness.urls.api, token)
    for (const operation of closed) {
      const entry = entries[nameOf(operation)]
      const path =
        (entry && 'path' in entry && typeof entry.path === 'function' && entry.path(anna)) || filled(operation.path)
      const { status } = await caller.call(operation.method, path, bodyFor(operation))
      expect([nameOf(operation), name, status]).toEqual([nameOf(operation), name, 401])
    }
  }
  expect(await annasRows()).toEqual(before)
})

test('a valid key is refused on routes for other callers', async () => {
  const before = await annasRows()
  const closed = operations.filter(({ callers }) => !callers.includes('public'))
  const keys = [
    { kind: 'service', caller: harness.service },
    { kind: 'operator', caller: harness.operator },
    { kind: 'person', caller: ben.person.caller },
  ]
  let refused = 0
  for (const { kind, caller } of keys) {
    for (const operation of closed.filter(({ callers }) => !callers.includes(kind))) {
      const entry = entries[nameOf(operation)]
      const path =
        (entry && 'path' in entry && typeof entry.path === 'function' && entry.path(anna)) || filled(operation.path)
      const { status } = await caller.call(operation.method, path, bodyFor(operation))
      expect([nameOf(operation), kind, status]).toEqual([nameOf(operation), kind, 403])
      refused += 1
    }
  }
  expect(refused).toBeGreaterThan(60)
  expect(await annasRows()).toEqual(before)
})

test('an invented link secret is refused on every route', async () => {
  for (const operation of withId) {
    const entry = entryOf(operation)
    if (entry.id !== 'secret') continue
    const { status } = await fetch(harness.urls.api + entry.made, {
      method: operation.method,
      redirect: 'manual',
      ...(operation.method === 'POST' && { body: entry.body ?? '' }),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect([nameOf(operation), status]).toEqual([nameOf(operation), 404])
  }
})

test('a public route answers every caller the same', async () => {
  for (const operation of withId) {
    const entry = entryOf(operation)
    if (entry.id !== 'public') continue
    const texts = await Promise.all(
      [harness.anonymous, anna.person.caller, ben.person.caller].map(
        async (caller) => (await caller.get(entry.path)).text,
      ),
    )
    expect(new Set(texts).size, nameOf(operation)).toBe(1)
  }
})

// Runs last, since it ends with the deletion.
test('the owner is admitted on every route of their rows', async () => {
  const order = ['GET', 'PUT', 'PATCH', 'POST', 'DELETE']
  const rank = ({ method, path }: Operation) =>
    path === '/v1/accounts/{id}' && method === 'DELETE'
      ? 99
      : /\/(refund|withdrawal\/confirm)$/.test(path)
        ? 50
        : order.indexOf(method)
  for (const operation of [...theirs].sort((a, b) => rank(a) - rank(b))) {
    const entry = entryOf(operation)
    if (entry.id !== 'theirs') continue
    // After it nothing of a person answers them, as after the deletion.
    const owner = operation.path.endsWith('/sign-out') ? ben : anna
    const answer = await owner.person.caller.call(operation.method, entry.path(owner), { body: entry.body?.(owner) })
    expect([nameOf(operation), answer.status, answer.text.slice(0, 300)]).toEqual([
      nameOf(operation),
      entry.ownerGets,
      expect.anything(),
    ])
  }
})

function filled(path: string): string {
  const made: Record<string, string> = { code: 'x', version: '2026-11-28', month: '2026-01', file: 'x' }
  return path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => made[name] ?? randomUUID())
}

const bodyFor = ({ method }: Operation) => (method === 'GET' || method === 'DELETE' ? {} : { body: {} })
