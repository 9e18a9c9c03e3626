/** Tasks, privacy requests and disputes on the console: each act has a form, a reason, and an entry that says who. */
import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import type { Attention, Disputes, OperatorActs } from '../../db/connection/schema.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { privacyReference } from '../../policy/privacy-reference.ts'
import { readDescribed } from '../harness/api/described.ts'
import { createSurfer, type Surfer } from '../harness/browser.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import type { OrderView } from '../harness/purchases.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'
import { surferOf } from './operator-surfer.ts'

const harness = await shareStack()
const { sql } = harness.context
const { operator } = harness
const { stripe } = harness.sims

let person: Person
let order: OrderView
let surfer: Surfer

beforeAll(async () => {
  person = await harness.signUp()
  order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
})

const actsOf = (subject: string) =>
  sql<OperatorActs[]>`select * from operator_acts where subject = ${subject} order by asked_at, id`

async function raised(kind: string, subjectId: string): Promise<string> {
  await raiseOperatorTask(sql, { kind, subjectId, at: new Date() })
  const [task] = await sql<Pick<Attention, 'id'>[]>`
    select id from attention where kind = ${kind} and subject_id = ${subjectId}`
  return task?.id ?? ''
}

const words = async (): Promise<string[]> =>
  expectStatus(await operator.get(`/v1/operator/orders/${order.id}/timeline`), 200).items.map(
    ({ words }: { words: string }) => words,
  )

/** What a form sends that is filled in once; it may be sent several times. */
async function filled(page: string, reason: string) {
  const { html } = await surfer.open(page)
  const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? ''
  return { csrf: hidden('csrf'), once: hidden('once'), reason }
}

const by = expect.stringMatching(/^operator:[0-9a-f]{16}$/)

test('a task is taken, noted and settled by forms with a reason, and the order’s timeline says who and why', async () => {
  const kind = 'withdrawal_after_use'
  const task = await raised(kind, order.id)
  for (const [name, reason] of [
    ['take', 'I know the case'],
    ['note', 'asked the customer'],
    ['settle', 'they have agreed'],
  ] as const) {
    const page = `/console/attention/${task}/${name}`
    expect((await surfer.open('/console/tasks')).html).toContain(`href="${page}"`)
    expect((await surfer.open(page)).html).toContain(order.id)
    const unsaid = await surfer.submit(page, page, { reason: ' ' })
    expect([unsaid.status, unsaid.html]).toEqual([422, expect.stringContaining('must say why')])
    const sent = await surfer.submit(page, page, { reason })
    expect([name, sent.status, sent.location]).toEqual([name, 303, '/console/tasks'])
  }
  const entry = { account_id: person.accountId, order_id: order.id, operator: by, state: 'done', subject: kind }
  expect(await actsOf(kind)).toMatchObject([
    { ...entry, act: 'take-task', reason: 'I know the case' },
    { ...entry, act: 'note-task', reason: 'asked the customer' },
    { ...entry, act: 'settle-task', reason: 'they have agreed' },
  ])
  const shown = (await words()).filter((each) => each.includes('task'))
  expect(shown).toEqual([
    'take task withdrawal after use: I know the case',
    'note task withdrawal after use: asked the customer',
    'settle task withdrawal after use: they have agreed',
  ])
  // A task that another operator has settled meanwhile cannot be taken any more.
  for (const name of ['take', 'note', 'settle']) {
    const late = `/console/attention/${task}/${name}`
    const { status, html } = await surfer.submit(late, late, { reason: 'too late' })
    expect([name, status, html]).toEqual([name, 422, expect.stringMatching(/not open any more: .+ has closed it on/)])
    expect(html).toContain('they have agreed')
    expect((await actsOf(kind)).at(-1)).toMatchObject({ act: `${name}-task`, state: 'refused', code: 'not_found' })
  }
  expect((await surfer.open(`/console/attention/${randomUUID()}/take`)).status).toBe(404)
})

test('a form that is sent twice settles once, and a task about nobody has an entry of nobody’s account', async () => {
  const kind = 'provider_misconfigured'
  const task = await raised(kind, 'esim-access')
  const page = `/console/attention/${task}/settle`
  const fields = await filled(page, 'the provider is back')
  for (const sent of [await surfer.post(page, fields), await surfer.post(page, fields)]) expect(sent.status).toBe(303)
  expect(await actsOf(kind)).toMatchObject([
    { account_id: null, order_id: null, act: 'settle-task', state: 'done', reason: fields.reason },
  ])
})

test('what another operator has written or taken while a form was open is shown before it is replaced', async () => {
  const task = await raised('provider_refund_requested', order.id)
  const { surfer: other, actor } = await surferOf(harness, 'support')
  const opened = await Promise.all(
    ['take', 'note', 'settle'].map(async (name) => {
      const page = `/console/attention/${task}/${name}`
      const { html } = await surfer.open(page)
      const hidden = (field: string) => new RegExp(`name="${field}" value="([^"]*)"`).exec(html)?.[1] ?? ''
      return {
        name,
        page,
        fields: { csrf: hidden('csrf'), once: hidden('once'), seen: hidden('seen'), reason: 'the bank agrees' },
      }
    }),
  )
  for (const name of ['take', 'note']) {
    const page = `/console/attention/${task}/${name}`
    expect((await other.submit(page, page, { reason: 'do not settle it yet' })).status).toBe(303)
  }
  for (const { name, page, fields } of opened) {
    const { status, html } = await surfer.post(page, fields)
    expect([name, status, html]).toEqual([name, 422, expect.stringContaining('since this form was opened')])
    expect(html).toContain('do not settle it yet')
    expect(html).toContain('the bank agrees</textarea>')
  }
  const [before] = await sql<Pick<Attention, 'note' | 'owner'>[]>`select note, owner from attention where id = ${task}`
  expect(before).toEqual({ note: 'do not settle it yet', owner: actor })
  // Whoever has read that, and sends the form as it is shown now, means it. A form of one's own that is sent twice is done.
  for (const { page } of opened) expect((await surfer.submit(page, page, { reason: 'all agree' })).status).toBe(303)
})

test('two operators with one customer do not both refund a part: the second is shown what the first has done', async () => {
  const page = `/console/orders/${order.id}/refund-part`
  const { surfer: other } = await surferOf(harness, 'finance')
  const { html } = await surfer.open(page)
  const hidden = (field: string) => new RegExp(`name="${field}" value="([^"]*)"`).exec(html)?.[1] ?? ''
  const fields = { amount: '0.20', cause: 'goodwill', esims: 'kept', reason: 'no network' }
  expect((await other.submit(page, page, { ...fields, reason: 'they were offline' })).status).toBe(303)
  const mine = { ...fields, csrf: hidden('csrf'), once: hidden('once'), seen: hidden('seen') }
  const refused = await surfer.post(page, mine)
  expect([refused.status, refused.html]).toEqual([
    422,
    expect.stringContaining('The finance has asked for “refund part”'),
  ])
  expect(refused.html).toContain('€0.20: they were offline')
  const parts = async () => (await sql`select 1 from refunds where order_id = ${order.id} and amount_minor = 20`).length
  expect(await parts()).toBe(1)
  // Whoever has read that, and sends the form as it is shown now, means it; sent twice it is done once.
  const seen = /name="seen" value="([^"]*)"/.exec(refused.html)?.[1] ?? ''
  for (const _ of [1, 2]) expect((await surfer.post(page, { ...mine, seen })).status).toBe(303)
  expect(await parts()).toBe(2)
})

test('what an operator’s program does to a task has an entry, too', async () => {
  const kind = 'refund_unsettled'
  const path = `/v1/operator-tasks/${await raised(kind, `order-${order.id}`)}`
  expectStatus(await operator.post(`${path}/take`, { reason: 'the night shift' }), 200)
  expectStatus(await operator.post(`${path}/note`, { note: 'asked the bank' }), 200)
  expectStatus(await operator.post(`${path}/close`, { note: 'the bank agrees' }), 200)
  const acts = await actsOf(kind)
  expect(acts.map(({ act, reason, order_id }) => [act, reason, order_id])).toEqual([
    ['take-task', 'the night shift', order.id],
    ['note-task', 'asked the bank', order.id],
    ['settle-task', 'the bank agrees', order.id],
  ])
  const [read] = await sql`select fields from access_log
    where account_id = ${person.accountId} and route = 'POST /v1/operator-tasks/{id}/take'`
  expect(read?.fields).toEqual(['orders'])
})

test('a privacy request is extended and answered by forms with a reason, each with an entry', async () => {
  const asked = await person.caller.post('/v1/privacy-requests', { kind: 'access', message: 'What do you hold?' })
  const { id } = expectStatus(asked, 201)
  const page = `/console/privacy-requests/${id}`
  for (const name of ['extend', 'resolve']) {
    expect((await surfer.open(page)).html).toContain(`href="${page}/${name}"`)
    const unsaid = await surfer.submit(`${page}/${name}`, `${page}/${name}`, { reason: '' })
    expect([name, unsaid.status]).toEqual([name, 422])
  }
  const send = (name: string, fields: Record<string, string>) =>
    surfer.submit(`${page}/${name}`, `${page}/${name}`, fields)
  expect((await send('extend', { because: 'complexity', reason: 'three accounts' })).location).toBe(page)
  const again = await send('extend', { because: 'complexity', reason: 'once more' })
  expect(again.status).toBe(422)
  expect(again.html).toContain('once more</textarea>')
  expect(
    (await send('resolve', { answerKind: 'granted', answer: 'All.', reason: 'they are who they say' })).status,
  ).toBe(303)
  const entry = { account_id: person.accountId, operator: by }
  expect(await actsOf(privacyReference(id))).toMatchObject([
    { ...entry, act: 'extend', state: 'done', reason: 'three accounts' },
    { ...entry, act: 'extend', state: 'refused', reason: 'once more' },
    { ...entry, act: 'answer', state: 'done', reason: 'they are who they say' },
  ])
})

test('a dispute is answered and accepted on the page of its order, with a reason and an entry', async () => {
  const { dispute } = await stripe.do('open-dispute', { orderId: order.id })
  const row = async () => (await sql<Disputes[]>`select * from disputes where stripe_dispute_id = ${dispute}`)[0]
  await until(
    'the evidence is staged',
    async () => (await row())?.evidence_staged_at !== undefined && (await row())?.evidence_staged_at !== null,
  )
  const page = `/console/orders/${order.id}`
  const submit = `${page}/disputes/${dispute}/submit`
  const accept = `${page}/disputes/${dispute}/accept`
  const shown = await surfer.open(page)
  for (const form of [submit, accept]) expect(shown.html).toContain(`href="${form}"`)
  expect((await surfer.submit(submit, submit, { reason: 'x' })).status).toBe(422)
  expect((await row())?.submission_count).toBe(0)

  const submitting = { method: 'POST', path: `^/v1/disputes/${dispute}` }
  await stripe.fault({ match: submitting, status: 429, headers: { 'Retry-After': '31536000' } })
  const away = await operator.post(`/v1/orders/${order.id}/disputes/${dispute}/submit`)
  expect([away.status, away.headers.get('retry-after')]).toEqual([503, '60'])
  // Stripe has shown the dispute a moment ago: "not found" says nothing of it.
  await stripe.refuse({ match: submitting, code: 'resource_missing' })
  const form = await filled(submit, 'it was used')
  const unknown = await surfer.post(submit, form)
  expect([unknown.status, unknown.html]).toEqual([422, expect.stringContaining('not known yet')])
  expect(unknown.html).toContain('it was used</textarea>')
  expect((await surfer.post(submit, form)).location).toBe(page)
  expect(await row()).toMatchObject({ submission_count: 1, evidence_submitted_at: expect.any(Date) })
  const submittedAt = (await row())?.evidence_submitted_at
  expect((await surfer.open(page)).html).not.toContain(`href="${submit}"`)
  expect((await surfer.submit(accept, accept, { reason: 'the bank is right' })).location).toBe(page)
  expect(await row()).toMatchObject({ state: 'lost', evidence_submitted_at: submittedAt })
  expect((await surfer.open(page)).html).not.toContain(`href="${accept}"`)

  const entry = { account_id: person.accountId, order_id: order.id, operator: by, state: 'done' }
  expect(await actsOf(dispute)).toMatchObject([
    { ...entry, act: 'submit-evidence', state: 'asked', reason: null },
    { ...entry, act: 'submit-evidence', reason: 'it was used' },
    { ...entry, act: 'accept-dispute', reason: 'the bank is right' },
  ])
  const lines = await words()
  for (const each of [
    `submitted the evidence of dispute ${dispute}`,
    `submit evidence ${dispute}: it was used`,
    `accept dispute ${dispute} of €5.00: the bank is right`,
  ])
    expect(lines).toContain(each)
  expect((await surfer.open(`${page}/disputes/du_unknown/submit`)).status).toBe(404)
})

test('each form of the console that does something asks why', async () => {
  const { paths } = await readDescribed(harness.anonymous)
  // The reason of a bulk action is asked for when its orders are selected.
  const asksNothing = [
    '/console/bulk-actions/{id}/start',
    '/console/search',
    '/console/sessions/end',
    '/console/sign-in',
    '/console/sign-in/openid',
    '/console/sign-in/person',
    '/console/sign-out',
  ]
  const forms = Object.entries(paths).flatMap(([path, { post }]) =>
    path.startsWith('/console/') && post ? [{ path, post }] : [],
  )
  const fieldsOf = ({ post }: (typeof forms)[number]) =>
    Object.values(post.requestBody?.content ?? {}).flatMap(({ schema }) => Object.keys(schema.properties ?? {}))
  expect(forms.length).toBeGreaterThan(20)
  expect(
    forms
      .filter((form) => !fieldsOf(form).includes('reason'))
      .map(({ path }) => path)
      .sort(),
  ).toEqual(asksNothing)
})

test('whoever is on the phone with a customer finds the open tasks of the order and the account on their pages', async () => {
  const id = await raised('cancelled_and_used', order.id)
  const settle = `href="/console/attention/${id}/settle"`
  const pages = [`/console/orders/${order.id}`, `/console/accounts/${person.accountId}`]
  for (const page of pages) expect((await surfer.open(page)).html).toContain(settle)
  expectStatus(await operator.post(`/v1/operator-tasks/${id}/close`, { note: 'they keep the eSIM' }), 200)
  for (const page of pages) expect((await surfer.open(page)).html).not.toContain(settle)
})

test('U6: an operator opens the invoice of an order, in the language of its customer, and of no other order', async () => {
  const german = await harness.signUp({ account: { language: 'de' } })
  const bought = await harness.buy(german)
  const { html } = await surfer.open(`/console/orders/${bought.id}`)
  const [path = '', number = ''] = /\/console\/orders\/[\w-]+\/documents\/(AMA-[\w-]+)/.exec(html) ?? []
  const file = await surfer.open(path)
  expect([file.status, file.headers.get('content-type')]).toEqual([200, 'application/pdf'])
  expect(file.headers.get('content-disposition')).toContain(`${number}.pdf`)
  expect(file.html.slice(0, 5)).toBe('%PDF-')
  expect((await surfer.open(`/console/orders/${order.id}/documents/${number}`)).status).toBe(404)
})

test('the page of a top-up names the eSIM that it was bought for', async () => {
  const several = await harness.buy(person, { quantity: 2 })
  const [one, other] = several.esims
  const asked = { packageCode: testPackages.topUp, esimId: one.id }
  const topUp = expectStatus(await person.caller.post(`/v1/orders/${several.id}/top-up`, asked), 201)
  const { html } = await surfer.open(`/console/orders/${topUp.id}`)
  expect([html.includes(one.iccid), html.includes(other?.iccid ?? '')]).toEqual([true, false])
})
