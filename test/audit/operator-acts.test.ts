/**
 * What operators do leaves an entry that says who and why, by whichever route. A route that leaves none fails here, and
 * so does its request in every other test: the API refuses to answer an act without an entry (api/http/mount.ts).
 */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { type Caller, isAct, lacksEntry, noteEntry } from '../../api/http/caller.ts'
import type { Backups, OperatorActs, Packages } from '../../db/connection/schema.ts'
import { insertDraft } from '../../db/policies.ts'
import { startApiHarness } from '../harness/api/api-harness.ts'

// Without Temporal: what needs a run has its entry before it fails, and nothing goes on after the test.
const harness = await startApiHarness()
const { sql } = harness.api
const token = await harness.key('operator')
afterAll(() => harness.stop())

const reason = 'the auditor has asked for it'
const send = (method: string, path: string, body?: unknown) =>
  harness.call(method, path, { token, body, headers: { 'idempotency-key': randomUUID() } })

interface Case {
  /** the path to ask, made after what has to be there */
  path(): Promise<string> | string
  body?: unknown
  act: string
  /** of the entry; default: the last but one part of the path, or what was made */
  subject?: string | null
}

async function campaign(): Promise<string> {
  const id = randomUUID()
  await sql`insert into campaigns (id, subject, paragraphs, state, created_at, created_by)
    values (${id}, 'Offer', ${['Ten percent off.']}, 'sending', now(), 'test')`
  return id
}

async function breach(): Promise<string> {
  const id = randomUUID()
  await sql`insert into breaches ${sql({ id, state: 'open', ...known, authority_due_at: new Date(), opened_by: 'test' })}`
  return id
}
const words = { nature: 'A laptop was stolen.', consequences: 'Names may be known.', measures: 'The key is revoked.' }
const known = {
  ...words,
  contact: 'support@example.com',
  read_from: new Date(),
  read_until: new Date(),
  aware_at: new Date(),
  opened_at: new Date(),
}

const policy = (version: string) => ({
  version,
  title: 'Privacy policy',
  text: '## Who we are',
  effectiveAt: '2099-01-01T00:00:00Z',
  material: false,
})

async function backup(): Promise<string> {
  const row = { id: '20260101T000000Z', state: 'kept', started_at: new Date() } satisfies Partial<Backups>
  await sql`insert into backups ${sql(row)}`
  return row.id
}

async function soldPackage(): Promise<string> {
  const row = {
    code: 'audited-1gb',
    kind: 'base',
    name: 'Audited 1 GB',
    destinations: ['XA'],
    daily: false,
    days: 7,
    price_minor: 500,
    currency: 'EUR',
    updated_at: new Date(),
  } satisfies Partial<Packages>
  await sql`insert into packages ${sql({ ...row, data_bytes: 1_000 })}`
  return row.code
}

async function endpoint(): Promise<string> {
  const url = `https://example.com/${randomUUID()}`
  const { body } = await harness.call('POST', '/v1/webhook-endpoints', {
    token: await harness.key('service'),
    body: { url },
    headers: { 'idempotency-key': randomUUID() },
  })
  return body.id
}

const cases: Record<string, Case> = {
  'POST /v1/campaigns': {
    path: () => '/v1/campaigns',
    body: { subject: 'Offer', paragraphs: ['Now.'] },
    act: 'open-campaign',
  },
  ...Object.fromEntries(
    ['pause', 'resume', 'cancel'].map((name): [string, Case] => [
      `POST /v1/campaigns/{id}/${name}`,
      { path: async () => `/v1/campaigns/${await campaign()}/${name}`, act: `${name}-campaign` },
    ]),
  ),
  'POST /v1/breaches': {
    path: () => '/v1/breaches',
    body: { ...words, from: '2026-01-01T00:00:00Z' },
    act: 'open-breach',
  },
  'POST /v1/breaches/{id}/authority': {
    path: async () => `/v1/breaches/${await breach()}/authority`,
    body: { notToldBecause: 'The disk was encrypted.' },
    act: 'settle-authority',
  },
  'POST /v1/breaches/{id}/people': {
    path: async () => `/v1/breaches/${await breach()}/people`,
    body: { tell: false, because: 'The disk was encrypted.' },
    act: 'decide-on-people',
  },
  'POST /v1/policies': { path: () => '/v1/policies', body: policy('2098-1'), act: 'post-policy', subject: '2098-1' },
  'POST /v1/policies/{version}/withdraw': {
    async path() {
      const { text: body, effectiveAt, ...rest } = policy('2098-2')
      const draft = { ...rest, body, changes: [], effective_at: new Date(effectiveAt) }
      await insertDraft(sql, draft, { by: 'test', at: new Date() })
      return '/v1/policies/2098-2/withdraw'
    },
    act: 'withdraw-policy',
  },
  'POST /v1/backups': { path: () => '/v1/backups', act: 'make-backup', subject: null },
  'POST /v1/backups/{id}/drill': { path: async () => `/v1/backups/${await backup()}/drill`, act: 'drill-backup' },
  'PUT /v1/books/{month}/hold': {
    path: () => '/v1/books/2025-01/hold',
    act: 'hold-books',
  },
  'DELETE /v1/books/{month}/hold': {
    path: () => `/v1/books/2025-02/hold?reason=${encodeURIComponent(reason)}`,
    act: 'release-books',
  },
  'PUT /v1/packages/{code}/price': {
    path: async () => `/v1/packages/${await soldPackage()}/price`,
    body: { minor: 100, currency: 'EUR' },
    act: 'set-price',
  },
  'POST /v1/packages/sync': { path: () => '/v1/packages/sync', act: 'sync-catalogue', subject: null },
  'POST /v1/key-rotations': { path: () => '/v1/key-rotations', body: { purpose: 'field' }, act: 'rotate-keys' },
  'POST /v1/reconciliations': { path: () => '/v1/reconciliations', act: 'reconcile', subject: null },
  'POST /v1/privacy-requests': {
    path: () => '/v1/privacy-requests',
    body: { kind: 'access', message: 'What do you have?', replyTo: 'a@example.com' },
    act: 'enter',
    subject: 'access',
  },
  'POST /v1/webhook-endpoints': {
    path: () => '/v1/webhook-endpoints',
    body: { url: 'https://example.com/hook' },
    act: 'make-webhook-endpoint',
  },
  'PATCH /v1/webhook-endpoints/{id}': {
    path: async () => `/v1/webhook-endpoints/${await endpoint()}`,
    body: { state: 'disabled' },
    act: 'change-webhook-endpoint',
  },
  'DELETE /v1/webhook-endpoints/{id}': {
    path: async () => `/v1/webhook-endpoints/${await endpoint()}?reason=${encodeURIComponent(reason)}`,
    act: 'delete-webhook-endpoint',
  },
  'POST /v1/webhook-endpoints/{id}/rotate-secret': {
    path: async () => `/v1/webhook-endpoints/${await endpoint()}/rotate-secret`,
    act: 'rotate-secret-of-webhook-endpoint',
  },
  'POST /v1/webhook-endpoints/{id}/replay': {
    path: async () => `/v1/webhook-endpoints/${await endpoint()}/replay`,
    body: { since: '2026-01-01T00:00:00Z' },
    act: 'replay-to-webhook-endpoint',
  },
  'POST /v1/webhook-endpoints/{id}/ping': {
    path: async () => `/v1/webhook-endpoints/${await endpoint()}/ping`,
    act: 'ping-webhook-endpoint',
  },
}

/** Acts that are done elsewhere, with what they need: the file of the test. */
const elsewhere: Record<string, string> = {
  'DELETE /v1/accounts/{id}': 'test/operation/account-acts.test.ts',
  'POST /console/enter-request': 'test/operation/account-acts.test.ts',
  'POST /v1/accounts/{id}/child-report': 'test/operation/account-acts.test.ts',
  'POST /v1/accounts/{id}/sign-out': 'test/operation/account-acts.test.ts',
  'POST /v1/accounts/{id}/email-change/waive-old': 'test/operation/account-acts.test.ts',
  'POST /v1/operator/accounts/{id}/notes': 'test/cli/acts.long.test.ts',
  'POST /v1/operator/orders/{id}/acts': 'test/cli/acts.long.test.ts',
  ...each(
    'POST /v1/orders/{id}/',
    ['cancel', 'refund', 'approve', 'reject', 'resend'],
    'test/orders/each-state.long.test.ts',
  ),
  ...each('POST /v1/orders/{id}/disputes/{disputeId}/', ['submit', 'accept'], 'test/cli/acts.long.test.ts'),
  ...each('POST /v1/privacy-requests/{id}/', ['resolve', 'extend'], 'test/workflows/privacy-request.test.ts'),
  ...each('POST /v1/bulk-actions/{id}/', ['pause', 'resume', 'cancel'], 'test/operation/bulk-changes.test.ts'),
  ...each('POST /v1/operator-tasks/{id}/', ['take', 'note', 'close'], 'test/operation/operator-tasks.test.ts'),
  ...each('POST /v1/operator-tasks/{id}/', ['complete', 'try-again'], 'test/erasure/left-to-operators.test.ts'),
  ...each('POST /console/orders/{id}/', ['resend', 'retry', 'note'], 'test/operation/search.test.ts'),
  ...each('POST /console/orders/{id}/', ['refund-part'], 'test/browser/support-call.long.test.ts'),
  ...each(
    'POST /console/orders/{id}/',
    ['approve', 'reject', 'refund', 'cancel'],
    'test/orders/refunds/without-run.long.test.ts',
  ),
  ...each(
    'POST /console/orders/{id}/disputes/{disputeId}/',
    ['submit', 'accept'],
    'test/operation/console-acts.test.ts',
  ),
  ...each(
    'POST /console/accounts/{id}/',
    ['note', 'sign-out', 'waive-old-address', 'delete', 'child-report', 'enter-request'],
    'test/operation/account-acts.test.ts',
  ),
  ...each('POST /console/attention/{id}/', ['take', 'note', 'settle'], 'test/operation/console-acts.test.ts'),
  ...each('POST /console/attention/{id}/', ['complete', 'try-again'], 'test/erasure/left-to-operators.test.ts'),
  ...each('POST /console/privacy-requests/{id}/', ['resolve', 'extend'], 'test/operation/console-acts.test.ts'),
  ...each('POST /console/bulk-actions/{id}/', ['pause', 'resume', 'cancel'], 'test/operation/bulk-changes.test.ts'),
}

function each(before: string, names: string[], file: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [`${before}${name}`, file]))
}

const operationOf = ({ method, path }: { method: string; path: string }) => `${method.toUpperCase()} ${path}`

test('each act of an operator, by key or on the console, is done here or in another test', async () => {
  const acts = harness.routes.filter((route) => isAct(route, 'operator') || isAct(route, 'console')).map(operationOf)
  expect(acts.sort()).toEqual([...Object.keys(cases), ...Object.keys(elsewhere)].sort())
  for (const [operation, file] of Object.entries(elsewhere)) {
    const name = operation.split('/').at(-1) ?? ''
    expect((await readFile(file, 'utf8')).includes(name), `${file} does ${name}`).toBe(true)
  }
})

test('each act of an operator by a key accepts why it is done, in words', () => {
  const givenIn = (schema: z.ZodType | undefined): boolean => {
    const fields = schema instanceof z.ZodOptional ? schema.unwrap() : schema
    const { reason: why, note } = fields instanceof z.ZodObject ? fields.shape : {}
    return [why, note].some((field) => field instanceof z.ZodType && field.safeParse(reason).success)
  }
  const acts = harness.routes.filter((route) => isAct(route, 'operator'))
  expect(acts.length).toBeGreaterThan(40)
  expect(acts.filter(({ body, query }) => !givenIn(body) && !givenIn(query)).map(operationOf)).toEqual([])
})

test('these requests of operators leave no entry, each for its reason', () => {
  const without = harness.routes.flatMap((route) => (route.unrecorded ? [operationOf(route)] : []))
  expect(without.sort()).toEqual([
    'POST /codec/decode',
    'POST /codec/encode',
    'POST /console/bulk-actions',
    'POST /console/bulk-actions/{id}/start',
    'POST /console/search',
    'POST /console/sessions/end',
    'POST /console/sign-out',
    'POST /v1/bulk-actions',
    'POST /v1/bulk-actions/{id}/start',
    'POST /v1/operator/search',
  ])
})

/** All at once: without Temporal an answer takes three seconds. */
let statuses: ReadonlyMap<string, number>
beforeAll(async () => {
  const asked = Object.entries(cases).map(async ([operation, one]) => [operation, await ask(operation, one)] as const)
  statuses = new Map(await Promise.all(asked))
})

/** @returns the status of the answer */
async function ask(operation: string, one: Case): Promise<number> {
  const [method = ''] = operation.split(' ')
  const body = method === 'DELETE' ? undefined : { ...Object(one.body), reason }
  return (await send(method, await one.path(), body)).status
}

test.each(Object.entries(cases))('%s leaves an entry that says who and why', async (operation, one) => {
  const status = statuses.get(operation) ?? 0
  const entries = await sql<Pick<OperatorActs, 'operator' | 'reason' | 'state' | 'subject' | 'account_id'>[]>`
    select operator, reason, state, subject, account_id from operator_acts where act = ${one.act}`
  const [key] = await sql<{ id: string }[]>`select id from api_keys where kind = 'operator'`
  const state = status < 300 ? 'done' : status === 503 ? 'asked' : 'refused'
  expect(entries).toEqual([
    {
      operator: `operator:${key?.id}`,
      reason,
      state,
      subject: one.subject === undefined ? expect.any(String) : one.subject,
      account_id: null,
    },
  ])
})

test('operators list what was done that is about no account, the newest first, or to one thing', async () => {
  const list = async (query: string) => (await harness.call('GET', `/v1/operator-acts${query}`, { token })).body
  const all = await list('?limit=200')
  const [row] = await sql<
    { count: number }[]
  >`select count(*)::int as count from operator_acts where account_id is null`
  expect(all.items).toHaveLength(row?.count ?? 0)
  const first = await list('?limit=1')
  expect(first.items).toEqual(all.items.slice(0, 1))
  const second = await list(`?limit=1&cursor=${first.nextCursor}`)
  expect(second.items).toEqual(all.items.slice(1, 2))
  const { items } = await list('?subject=2098-1')
  expect(items).toEqual([expect.objectContaining({ act: 'post-policy', subject: '2098-1', reason })])
})

test('an act lacks its entry until one is noted; who is no operator, or only reads, needs none', () => {
  const [route] = harness.routes.filter(({ path, method }) => path === '/v1/reconciliations' && method === 'post')
  if (!route) throw new Error('there is no such route')
  const caller: Caller = { kind: 'operator', keyId: 'k', label: 'test' }
  expect(lacksEntry(route, caller)).toBe(true)
  expect(lacksEntry({ ...route, unrecorded: 'nothing is done' }, caller)).toBe(false)
  expect(lacksEntry({ ...route, method: 'get' }, caller)).toBe(false)
  expect(lacksEntry(route, { kind: 'service', keyId: 'k' })).toBe(false)
  noteEntry(caller)
  expect(lacksEntry(route, caller)).toBe(false)
})
