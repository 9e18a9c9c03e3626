import { randomBytes, randomUUID } from 'node:crypto'
import type { Payload } from '@temporalio/common'
import { expect, test } from 'vitest'
import { createApiKey, revokeApiKey } from '../../db/api-keys.ts'
import type { AccessLog, Attention, Orders } from '../../db/connection/schema.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { initialSearchAttributes } from '../../shared/search-attributes.ts'
import { createPayloadCodec } from '../../temporal/payload-codec.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { createSurfer, type Surfer } from '../harness/browser.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { openHarness } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { until } from '../harness/until.ts'

const ui = 'http://127.0.0.1:8233'
const harness = await openHarness({
  settings: {
    TEMPORAL_UI_URL: `${ui}/`,
    PAYLOAD_KEYS: `now:${randomBytes(32).toString('base64')},before:${randomBytes(32).toString('base64')}`,
  },
})
const { sql } = harness.context
const site = harness.urls.api

async function signIn(key = harness.keys.operator): Promise<Surfer> {
  const surfer = createSurfer(site)
  const signed = await surfer.submit('/console', '/console/sign-in', { key })
  expect([signed.status, signed.location]).toEqual([303, '/console'])
  return surfer
}

test('the console accepts only an operator key', async () => {
  const surfer = createSurfer(site)
  const { token: revoked, id } = await createApiKey(sql, { kind: 'operator', label: 'gone', at: new Date() })
  const wrong = [harness.keys.service, revoked, `ama_operator_${'0'.repeat(16)}_${'A'.repeat(43)}`, 'x', '']
  const kept = await signIn(revoked)
  await revokeApiKey(sql, id, new Date())
  for (const key of wrong) expect((await surfer.submit('/console', '/console/sign-in', { key })).status).toBe(401)
  expect(surfer.cookies.size).toBe(0)
  // A revoked key also ends its sessions.
  expect((await kept.open('/console')).html).toContain('Your operator key')
  expect((await kept.open('/console/promises')).status).toBe(401)

  const console = await signIn()
  expect((await console.open('/console')).html).toContain('To be settled')
  await console.submit('/console', '/console/sign-out')
  expect((await console.open('/console')).html).toContain('Your operator key')
})

test('U5: an operator approves and rejects orders in review on the console', async () => {
  const person = await harness.signUp()
  const held = () => harness.buy(person, { pay: { riskLevel: 'elevated' }, until: 'in_review' })
  const [good, bad] = [await held(), await held()]
  const surfer = await signIn()
  const { html } = await surfer.open('/console')
  expect(html).toContain(good.id)
  expect(html).not.toContain(person.email)
  for (const [{ id }, name] of [
    [good, 'approve'],
    [bad, 'reject'],
  ] as const) {
    const page = `/console/orders/${id}/${name}`
    expect(html).toContain(`href="${page}"`)
    expect((await surfer.submit(page, page, { reason: 'the pattern is known' })).location).toBe(`/console/orders/${id}`)
  }
  await harness.untilOrder(good.id, 'delivered')
  await harness.untilOrder(bad.id, ['refunding', 'refunded'])
  expect((await surfer.post(`/console/orders/${good.id}/approve`, {})).status).toBe(403)
})

test('G6: an operator reads and answers a privacy request on the console', async () => {
  const replyTo = `${randomUUID()}@elsewhere.example`
  const body = { kind: 'access', message: 'What <b>do</b> you know?', replyTo }
  const request = expectStatus(await harness.operator.post('/v1/privacy-requests', body), 201)
  const surfer = await signIn()
  expect((await surfer.open('/console')).html).toContain(request.reference)
  const page = `/console/privacy-requests/${request.id}`
  expect((await surfer.open(page)).html).toContain('What &lt;b&gt;do&lt;/b&gt; you know?')
  const answer = { answerKind: 'granted', answer: 'All of this.' }
  const resolve = `${page}/resolve`
  const said = await surfer.submit(resolve, resolve, { ...answer, reason: 'mail a@b.example' })
  expect(said.status).toBe(422)
  expect(said.html).toContain('All of this.</textarea>')
  expect((await surfer.submit(resolve, resolve, { ...answer, reason: 'they are who they say' })).location).toBe(page)
  await until('the answer', async () =>
    (await mailsTo(harness.stack, replyTo)).some(({ text }) => text.includes('All of this.')),
  )
  const [first, second] = [await surfer.open(page), await surfer.open(page)]
  expect(first.html).toContain('What was answered')
  expect([first, second].map(({ html }) => html.includes('Done: resolve.'))).toEqual([true, false])
})

test('the console lists an operator task until an operator settles it', async () => {
  await raiseOperatorTask(sql, {
    kind: 'refund_made_elsewhere',
    subjectId: 'some-order',
    detail: 'code',
    at: new Date(),
  })
  const surfer = await signIn()
  const [task] = await sql<Pick<Attention, 'id'>[]>`select id from attention where subject_id = 'some-order'`
  expect((await surfer.open('/console')).html).toContain('refund made elsewhere')
  const settle = `/console/attention/${task?.id}/settle`
  expect((await surfer.submit(settle, settle, { reason: '' })).status).toBe(422)
  expect((await surfer.open('/console')).html).toContain('refund made elsewhere')
  await surfer.submit(settle, settle, { reason: 'the books agree' })
  expect((await surfer.open('/console')).html).not.toContain('refund made elsewhere')
  const [settled] = await sql`select resolved_by, note from attention where id = ${task?.id ?? ''}`
  expect(settled).toMatchObject({
    resolved_by: expect.stringMatching(/^operator:[0-9a-f]{16}$/),
    note: 'the books agree',
  })
  const [logged] =
    await sql`select count(*)::int as count from security_log where detail = 'POST /console/attention/{id}/settle'`
  // The refused form, and the one that was accepted.
  expect(logged?.count).toBe(2)
})

test('the console lists a late run with what it waits for', async () => {
  const dueAt = new Date(Date.now() - 24 * 60 * 60_000)
  const runStatus = { status: 'provisioning', waitingFor: 'a provider that forgot it', dueAt }
  const run = await harness.temporal.workflow.start('order', {
    workflowId: `order-${randomUUID()}`,
    taskQueue: 'nobody-listens',
    typedSearchAttributes: initialSearchAttributes(runStatus),
  })
  const surfer = await signIn()
  await until('it is listed', async () => (await surfer.open('/console')).html.includes('a provider that forgot it'))
  const { html } = await surfer.open('/console')
  expect(html).toContain('LATE, was due by')
  expect(html).toContain(`href="${ui}/namespaces/default/workflows/${run.workflowId}/${run.firstExecutionRunId}"`)
  await run.terminate('the test is over')
})

test('the console shows every promise with its figures', async () => {
  const { html } = await (await signIn()).open('/console/promises')
  for (const text of ['G6', 'Specific requests are answered within 30 days.', 'workflows/privacy-request.ts']) {
    expect(html).toContain(text)
  }
})

test('the console refuses every caller but operators', async () => {
  const routes = ['/console/promises', `/console/privacy-requests/${randomUUID()}`]
  const person = await harness.signUp()
  for (const path of routes) {
    for (const token of [undefined, harness.keys.service, harness.keys.operator, person.caller.token]) {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
      expect([401, 403], path).toContain((await fetch(site + path, { headers })).status)
    }
  }
})

const toWire = (payloads: { metadata?: Record<string, Uint8Array> | null; data?: Uint8Array | null }[]) => ({
  payloads: payloads.map(({ metadata, data }) => ({
    metadata: Object.fromEntries(
      Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
    ),
    data: Buffer.from(data ?? []).toString('base64'),
  })),
})
const plain = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"a state"') }

test('S1: the codec decrypts payloads of all earlier keys for operators', async () => {
  const keys = harness.config.PAYLOAD_KEYS
  if (!keys) throw new Error('no payload keys')
  for (const activeId of ['now', 'before']) {
    const [sealed] = await createPayloadCodec({ ...keys, activeId }).encode([plain])
    const answer = await harness.operator.post('/codec/decode', toWire([sealed ?? {}]))
    expect(expectStatus(answer, 200)).toEqual(toWire([plain]))
  }
  const encoded = expectStatus(await harness.operator.post('/codec/encode', toWire([plain])), 200)
  expect(JSON.stringify(encoded)).not.toContain(Buffer.from('a state').toString('base64'))
  expect(expectStatus(await harness.operator.post('/codec/decode', encoded), 200)).toEqual(toWire([plain]))

  const person = await harness.signUp()
  for (const caller of [harness.service, person.caller])
    expect((await caller.post('/codec/decode', encoded)).status).toBe(403)
  expect((await harness.anonymous.post('/codec/decode', encoded)).status).toBe(401)
  expect((await harness.operator.post('/codec/decode', { payloads: [{ data: 'not base64!' }] })).status).toBe(400)
})

test('payloads of runs that the codec decrypts are a read of the people whose ids they have', async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person)
  const [order] = await sql<Pick<Orders, 'payment_intent_id'>[]>`
    select payment_intent_id from orders where id = ${id}`
  const history = await harness.temporal.workflow.getHandle(orderWorkflowId(id)).fetchHistory()
  const started = history.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? []
  const decode = async (payloads: Payload[]) =>
    expectStatus(await harness.operator.post('/codec/decode', toWire(payloads)), 200)
  const added = async (read: () => Promise<unknown>) => {
    const rows = () => sql<Pick<AccessLog, 'actor_kind' | 'route' | 'fields'>[]>`
      select actor_kind, route, fields from access_log where account_id = ${person.accountId} order by at, id`
    const before = (await rows()).length
    await read()
    return (await rows()).slice(before)
  }
  const row = { actor_kind: 'operator', route: 'POST /codec/decode', fields: ['orders', 'consents'] }

  const rows = await added(async () => {
    const [input] = (await decode(started)).payloads
    expect(Buffer.from(String(input?.data), 'base64').toString()).toContain(person.accountId)
  })
  expect(rows).toEqual([expect.objectContaining(row)])

  const { PAYLOAD_KEYS: keys } = harness.config
  if (!keys) throw new Error('no payload keys')
  const codec = createPayloadCodec(keys)
  const json = (value: unknown): Payload => ({
    metadata: { encoding: Buffer.from('json/plain') },
    data: Buffer.from(JSON.stringify(value)),
  })
  // Whatever names a person in a payload: an order by its id or its run's, a payment, the account reference of a
  // deletion.
  const named = [
    { orderId: id },
    `order-${id}: not found`,
    order?.payment_intent_id,
    { accountRef: harness.context.cipher.accountRef(person.accountId), reason: 'asked' },
  ]
  for (const value of named) {
    const sealed = await codec.encode([json(value)])
    const found = await added(() => decode(sealed))
    expect([value, found]).toEqual([value, [expect.objectContaining(row)]])
  }
  // Of a page of payloads each person once; nobody for what names nobody, or was never encrypted.
  const page = await codec.encode(named.map(json))
  expect(await added(() => decode(page))).toHaveLength(1)
  const nobody = await codec.encode([json('a state'), json({ orderId: randomUUID() })])
  expect(await added(() => decode([...nobody, json({ orderId: id })]))).toEqual([])
})

test('only pages of the Web UI may call the codec with the console’s cookie', async () => {
  const surfer = await signIn()
  const cookie = [...surfer.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const ask = (origin: string, method = 'POST') =>
    fetch(`${site}/codec/decode`, {
      method,
      headers: { origin, cookie, 'content-type': 'application/json', 'x-namespace': 'default' },
      ...(method === 'POST' && { body: JSON.stringify(toWire([plain])) }),
    })
  const preflight = await ask(ui, 'OPTIONS')
  expect(preflight.status).toBe(204)
  expect(preflight.headers.get('access-control-allow-origin')).toBe(ui)
  expect(preflight.headers.get('access-control-allow-headers')).toContain('x-namespace')
  const answer = await ask(ui)
  expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, ui])
  expect(answer.headers.get('access-control-allow-credentials')).toBe('true')
  for (const origin of ['https://evil.example', 'null', `${ui}.evil.example`, 'http://127.0.0.1:82333']) {
    expect((await ask(origin, 'OPTIONS')).headers.get('access-control-allow-origin')).toBeNull()
    expect((await ask(origin)).headers.get('access-control-allow-origin')).toBeNull()
  }
  const elsewhere = await fetch(`${site}/v1/promises`, { headers: { origin: ui, cookie } })
  expect([elsewhere.status, elsewhere.headers.get('access-control-allow-origin')]).toEqual([401, null])
})
