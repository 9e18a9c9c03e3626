/** Operators find an order by whatever a person or an outside party names, see what happened to it, and act on it. */
import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { ConsoleUser } from '../../api/http/caller.ts'
import { Problem } from '../../api/http/problem.ts'
import { performAct } from '../../api/routes/console/perform-act.ts'
import type { InvoiceLinks, OperatorActs, Orders, ProviderOrders, Refunds } from '../../db/connection/schema.ts'
import { type HousekeepingReport, housekeepingType } from '../../workflows/housekeeping/housekeeping.contract.ts'
import { createSurfer, type Surfer } from '../harness/browser.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import type { OrderView } from '../harness/purchases.ts'
import { runLater } from '../harness/temporal/run-later.ts'
import { until } from '../harness/until.ts'
import { surferOf } from './operator-surfer.ts'

const harness = await shareStack()
const { sql, cipher } = harness.context
const { operator } = harness
const api = { ...harness.context, temporal: harness.temporal }

let person: Person
let order: OrderView
let surfer: Surfer

beforeAll(async () => {
  person = await harness.signUp()
  order = await harness.buy(person)
  surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
})

const foundForm = z.object({
  items: z.array(z.object({ kind: z.string(), id: z.string(), accountId: z.string(), by: z.string() })),
  tried: z.array(z.string()),
})
const find = async (query: string) =>
  expectStatus(await operator.post('/v1/operator/search', { query }), 200, foundForm)

const refundPart = (minor: number) =>
  operator.post(
    `/v1/orders/${order.id}/refund`,
    { amount: { minor, currency: order.amount.currency } },
    { 'idempotency-key': randomUUID() },
  )

test('an operator finds an account or order by everything that names it', async () => {
  expectStatus(await refundPart(100), 200)
  const [row] = await sql<Pick<Orders, 'payment_intent_id'>[]>`
    select payment_intent_id from orders where id = ${order.id}`
  const [refund] = await sql<Pick<Refunds, 'stripe_refund_id'>[]>`
    select stripe_refund_id from refunds where order_id = ${order.id}`
  const [invoice] = await sql<Pick<InvoiceLinks, 'number'>[]>`
    select number from invoice_links where order_id = ${order.id} and document_key = 'invoice'`
  const iccid: string = order.esims[0].iccid
  const [bought] = await sql<Pick<ProviderOrders, 'provider_order_no'>[]>`
    select provider_order_no from provider_orders where order_id = ${order.id} and provider_order_no is not null`
  // Who saves no card has none.
  const customer = `cus_${randomUUID().replaceAll('-', '')}`
  await sql`update accounts set stripe_customer_id = ${customer} where id = ${person.accountId}`
  const account = { kind: 'account', id: person.accountId, accountId: person.accountId }
  const its = { kind: 'order', id: order.id, accountId: person.accountId }
  for (const [query, expected, by] of [
    [` ${person.email.toUpperCase()} `, account, 'email'],
    [person.accountId, account, 'id'],
    [order.id.toUpperCase(), its, 'id'],
    [`order-${order.id}`, its, 'id'],
    [order.esims[0].id, its, 'id'],
    [order.id.slice(0, 8), its, 'id'],
    [person.accountId.slice(0, 8).toUpperCase(), account, 'id'],
    [iccid, its, 'iccid'],
    [`${iccid.slice(0, 4)} ${iccid.slice(4, 10)} ${iccid.slice(10)}`, its, 'iccid'],
    [invoice?.number.toLowerCase() ?? '', its, 'document'],
    [row?.payment_intent_id ?? '', its, 'payment'],
    [refund?.stripe_refund_id ?? '', its, 'refund'],
    [cipher.accountRef(person.accountId), account, 'account_ref'],
    [`Ada Lovelace <${person.email}>,`, account, 'email'],
    [`mailto:${person.email}`, account, 'email'],
    [order.id.slice(0, 13), its, 'id'],
    [`${order.id.slice(0, 8)}…`, its, 'id'],
    [order.id.replaceAll('-', ''), its, 'id'],
    [order.id.replaceAll('-', '\u2011'), its, 'id'],
    [`\u200b${order.esims[0].id.slice(0, 18)}`, its, 'id'],
    [`https://api.example.com/console/orders/${order.id}?did=refund`, its, 'id'],
    [`${iccid.slice(0, 4)}-${iccid.slice(4)}F`, its, 'iccid'],
    [`“Invoice ${invoice?.number.replaceAll('-', '\u2010') ?? ''}”.`, its, 'document'],
    [`https://dashboard.stripe.com/test/payments/${row?.payment_intent_id}`, its, 'payment'],
    [`https://dashboard.stripe.com/customers/${customer}`, account, 'customer'],
    [` ${bought?.provider_order_no?.toLowerCase()} `, its, 'provider_order'],
  ] as const) {
    const { items } = await find(query)
    const found = items.map(({ kind, id, accountId, by }) => ({ kind, id, accountId, by }))
    // The provider gives the number of a cancelled eSIM to the next one: orders of other files may have had it.
    if (by === 'iccid' || by === 'provider_order') expect(found).toContainEqual({ ...expected, by })
    else expect([query, found]).toEqual([query, [{ ...expected, by }]])
  }
  await sql`update accounts set stripe_customer_id = null where id = ${person.accountId}`
  // The eSIM was bought before its number was indexed.
  await sql`update esims set iccid_index = null where order_id = ${order.id}`
  expect((await find(iccid)).items.map(({ id }) => id)).toContain(order.id)
  // Housekeeping does it before anybody searches.
  await sql`update esims set iccid_index = null where order_id = ${order.id}`
  const { forgotten } = await runLater<HousekeepingReport>(harness.stack, housekeepingType, 0)
  expect(forgotten.iccidsIndexed).toBe(1)
  const [esim] = await sql`select iccid_index is not null as indexed from esims where order_id = ${order.id}`
  expect(esim?.indexed).toBe(true)

  for (const [query, tried] of [
    ['nobody@example.com', ['email']],
    [randomUUID(), ['id']],
    [randomUUID().slice(0, 8), ['id']],
    ['pi_unknown', ['payment']],
    ['my phone', []],
  ] as const) {
    expect(await find(query)).toEqual({ items: [], tried })
  }
  expect((await harness.service.post('/v1/operator/search', { query: order.id })).status).toBe(403)
})

test('on the console one result is shown at once, several are listed, and nothing found says what was tried', async () => {
  const search = (query: string) => surfer.submit('/console', '/console/search', { query })
  expect((await search(person.email)).location).toBe(`/console/accounts/${person.accountId}`)
  expect((await search(order.id)).location).toBe(`/console/orders/${order.id}`)
  const other = await harness.buy(await harness.signUp())
  await sql`update esims set iccid_index = (select iccid_index from esims where order_id = ${order.id})
    where order_id = ${other.id}`
  const { html: several } = await search(order.esims[0].iccid)
  for (const { id } of [order, other]) expect(several).toContain(`href="/console/orders/${id}"`)
  expect((await search('nobody@example.com')).html).toMatch(/looked for as:<\/p><ul><li>an e-mail address/)
  expect((await search('xyz')).html).toContain('none of the forms')
})

test('a privacy request is found by the reference that its person was mailed, also of somebody without an account', async () => {
  const asked = { kind: 'access', message: 'What?' }
  const theirs = expectStatus(await person.caller.post('/v1/privacy-requests', asked), 201)
  const elsewhere = { ...asked, replyTo: `${randomUUID()}@elsewhere.example` }
  const ofNobody = expectStatus(await operator.post('/v1/privacy-requests', elsewhere), 201)
  const withRequests = foundForm.extend({
    privacyRequests: z.array(z.object({ id: z.string(), reference: z.string(), accountId: z.string().nullable() })),
  })
  const { surfer: support } = await surferOf(harness, 'support')
  for (const { request, accountId } of [
    { request: theirs, accountId: person.accountId },
    { request: ofNobody, accountId: null },
  ]) {
    const reference: string = request.reference
    expect(reference).toMatch(/^PR-[0-9A-F]{8}$/)
    for (const query of [
      reference,
      `privacy-request-${request.id}`,
      reference.toLowerCase(),
      ` ${reference.replace('-', ' ')} `,
    ]) {
      const found = expectStatus(await operator.post('/v1/operator/search', { query }), 200, withRequests)
      const expected = {
        tried: [query.includes(request.id) ? 'id' : 'privacy_request'],
        items: [],
        privacyRequests: [{ id: request.id, reference, accountId }],
      }
      expect([query, found]).toEqual([query, expected])
    }
    const page = `/console/privacy-requests/${request.id}`
    const sent = await surfer.submit('/console', '/console/search', { query: reference })
    expect([sent.status, sent.location]).toEqual([303, page])
    // Who may not read requests sees that there is one, and whose.
    const listed = await support.submit('/console', '/console/search', { query: reference })
    expect([listed.status, listed.html]).toEqual([200, expect.stringContaining(`privacy request ${reference}`)])
    expect(listed.html).toContain(accountId === null ? 'somebody without an account' : `/console/accounts/${accountId}`)
  }
  // Who has no account has been mailed an answer at the address that they gave.
  const sender = `Grace Hopper <${elsewhere.replyTo}>`
  const byAddress = expectStatus(await operator.post('/v1/operator/search', { query: sender }), 200, withRequests)
  expect(byAddress.privacyRequests.map(({ id }) => id)).toEqual([ofNobody.id])
  const unknown = expectStatus(await operator.post('/v1/operator/search', { query: 'PR-00000000' }), 200, withRequests)
  expect(unknown).toEqual({ tried: ['privacy_request'], items: [], privacyRequests: [] })
})

test('the timeline of an order has everything in the order of time, and its reading is recorded', async () => {
  await until('the delivery mail is sent', async () => (await mailsTo(harness.stack, person.email)).length > 0)
  await until('the mail is in the timeline', async () => (await timeline()).some(({ source }) => source === 'mail'))
  const items = await timeline()
  const words = items.map((entry) => `${entry.source}: ${entry.words}`)
  for (const part of [
    /^order: ordered 1 ×/,
    /^payment: paid .+ by card/,
    /^provider: asked (eSIM Access|Airalo) for/,
    /^order: delivered/,
    /^mail: sent the mail “confirmation”/,
    /^document: issued invoice AMA-/,
    /^refund: refunded €1.00: goodwill/,
  ]) {
    expect(words.filter((each) => part.test(each))).toHaveLength(1)
  }
  const times = items.map(({ at }) => at)
  expect(times).toEqual([...times].sort())
  expect(items.find(({ source }) => source === 'refund')?.workflowId).toMatch(/^partial-refund-/)
  const [read] = await sql`select fields from access_log
    where account_id = ${person.accountId} and route = 'GET /v1/operator/orders/{id}/timeline'`
  expect(read?.fields).toEqual(['orders', 'esims'])
})

const timeline = async (): Promise<{ at: string; source: string; words: string; workflowId: string | null }[]> =>
  expectStatus(await operator.get(`/v1/operator/orders/${order.id}/timeline`), 200).items

const acts = () => sql<OperatorActs[]>`select * from operator_acts where order_id = ${order.id} order by asked_at`

test('an act on the console needs a reason, is done once for each form, and leaves an entry that says who and why', async () => {
  const page = `/console/orders/${order.id}/refund-part`
  const before = (await acts()).length
  const fault = await surfer.submit(page, page, {
    amount: 'two',
    cause: 'goodwill',
    esims: 'kept',
    reason: 'call me@x',
  })
  expect(fault.status).toBe(422)
  expect(fault.html).toContain('must be an amount in EUR')
  expect(fault.html).toContain('no personal data')
  expect(fault.html).toContain('value="two"')
  expect(fault.html).toContain('call me@x</textarea>')
  expect(await acts()).toHaveLength(before)

  const { html } = await surfer.open(page)
  const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? ''
  const fields = {
    csrf: hidden('csrf'),
    once: hidden('once'),
    amount: '0,50',
    cause: 'service_fault',
    esims: 'kept',
    reason: 'no network on the first day',
  }
  const [first, second] = [await surfer.post(page, fields), await surfer.post(page, fields)]
  expect([first.location, second.location]).toEqual([`/console/orders/${order.id}`, `/console/orders/${order.id}`])
  const refunds = await sql`select 1 from refunds where order_id = ${order.id} and amount_minor = 50`
  expect(refunds).toHaveLength(1)
  expect((await acts()).slice(before)).toMatchObject([
    {
      act: 'refund-part',
      amount_minor: 50,
      state: 'done',
      reason: fields.reason,
      operator: expect.stringMatching(/^operator:/),
    },
  ])

  const tooMuch = await surfer.submit(page, page, { amount: '9999', reason: 'a test' })
  expect(tooMuch.status).toBe(422)
  expect(tooMuch.html).toContain('value="9999"')
  expect((await acts()).at(-1)).toMatchObject({ state: 'refused', code: 'refund_exceeds_payment' })
})

test('what an operator’s program does through the customer’s routes is in the timeline, too', async () => {
  const before = (await acts()).length
  const body = { amount: { minor: 10, currency: 'EUR' } }
  expectStatus(await operator.post(`/v1/orders/${order.id}/refund`, body), 200)
  const noted = { ...body, note: 'the network was away' }
  expectStatus(await operator.post(`/v1/orders/${order.id}/refund`, noted), 200)
  expectStatus(await operator.post(`/v1/orders/${order.id}/resend`), 200)
  const reason = 'they have asked again'
  expectStatus(await operator.post(`/v1/orders/${order.id}/resend`, { reason }), 200)
  for (const name of ['approve', 'reject', 'cancel'])
    expect((await operator.post(`/v1/orders/${order.id}/${name}`, { reason })).status).toBe(409)
  const added = (await acts()).slice(before)
  expect(added.map(({ act, amount_minor, state, code, reason: why }) => [act, amount_minor, state, code, why])).toEqual(
    [
      ['refund-part', 10, 'done', null, null],
      ['refund-part', 10, 'done', null, noted.note],
      ['resend', null, 'done', null, null],
      ['resend', null, 'done', null, reason],
      ['approve', null, 'refused', 'order_state_conflict', reason],
      ['reject', expect.any(Number), 'refused', 'order_state_conflict', reason],
      ['cancel', expect.any(Number), 'refused', 'order_state_conflict', reason],
    ],
  )
  expect(new Set(added.map(({ operator: by }) => by)).size).toBe(1)
})

test('a refund in full keeps why it was asked for, through the customer’s route and as an act', {
  tags: 'long',
}, async () => {
  const another = await harness.signUp()
  const [first, second] = [await harness.buy(another), await harness.buy(another)]
  const reason = 'the trip was cancelled'
  const address = (id: string) => `/v1/orders/${id}/refund?reason=${encodeURIComponent(reason)}`
  for (const caller of [harness.service, another.caller]) {
    const answer = await caller.post(address(first.id))
    expect([answer.status, answer.body.errors]).toEqual([400, [{ field: 'reason', reason: 'is for operators' }]])
  }
  const tooShort = await operator.post(`/v1/orders/${first.id}/refund?reason=x`)
  expect([tooShort.status, tooShort.body.errors[0].field]).toEqual([400, 'reason'])
  const part = { amount: { minor: 10, currency: 'EUR' } }
  const both = await operator.post(address(first.id), { ...part, note: 'the network was away' })
  expect([both.status, both.body.errors]).toEqual([
    400,
    [{ field: 'reason', reason: 'of the address must not come beside `note`' }],
  ])
  const key = { 'idempotency-key': randomUUID() }
  expectStatus(await operator.post(address(first.id), part, key), 200)
  expectStatus(await operator.post(address(first.id), part, key), 200)
  for (const other of [`/v1/orders/${first.id}/refund`, `${address(first.id)}%20again`]) {
    const reused = await operator.post(other, part, key)
    expect([other, reused.status, reused.body.code]).toEqual([other, 422, 'idempotency_key_reused'])
  }
  expectStatus(await operator.post(address(first.id)), 200)
  expectStatus(await operator.post(`/v1/operator/orders/${second.id}/acts`, { act: 'refund', reason }), 200)
  const entries = await sql<Pick<OperatorActs, 'act' | 'state' | 'reason'>[]>`
    select act, state, reason from operator_acts where order_id in ${sql([first.id, second.id])} order by asked_at`
  expect(entries).toEqual([
    { act: 'refund-part', state: 'done', reason },
    { act: 'refund', state: 'done', reason },
    { act: 'refund', state: 'done', reason },
  ])
})

test('a reason is for operators: neither the app backend nor a customer gives one, and nothing is done', async () => {
  const body = { reason: 'they have asked again' }
  for (const caller of [harness.service, person.caller])
    for (const name of ['resend', 'cancel']) {
      const answer = await caller.post(`/v1/orders/${order.id}/${name}`, body)
      expect([answer.status, answer.body.errors]).toEqual([400, [{ field: 'reason', reason: 'is for operators' }]])
    }
})

test('an act whose outcome is unknown is not known yet, and its form does nothing else until it is known', async () => {
  const caller: ConsoleUser = {
    kind: 'console',
    id: 'k',
    label: 'k',
    role: 'admin',
    signedInAt: new Date(),
    session: 's',
    sessionId: 'i',
    csrf: 'c',
  }
  const about = { accountId: person.accountId, orderId: order.id, act: 'note' }
  const operation = 'POST /console/orders/{id}/note'
  const once = randomUUID()
  const form = (reason: string) => ({
    operation,
    once,
    content: { id: order.id, reason, fields: { amount: '', cause: 'goodwill', esims: 'kept' } },
  })
  let performed = 0
  const send = (reason: string, error?: Error) =>
    performAct(api, caller, form(reason), { ...about, reason }, async () => {
      performed += 1
      if (error) throw error
    })
  const last = async () => (await acts()).at(-1)

  for (const code of ['unavailable', 'request_in_progress'] as const) {
    expect((await send('the first', new Problem(code)))[0]?.reason).toContain('not known yet')
    expect(await last()).toMatchObject({ reason: 'the first', state: 'asked', code: null })
  }
  await expect(send('the first', new Error('cut off'))).rejects.toThrow('cut off')
  expect(await last()).toMatchObject({ reason: 'the first', state: 'asked', code: null })
  expect((await timeline()).find(({ words }) => words.endsWith(': the first'))?.words).toContain('not known yet')
  expect((await surfer.open(`/console/accounts/${person.accountId}`)).html).toContain('not known yet')

  const before = { performed, acts: (await acts()).length }
  const page = `/console/orders/${order.id}/note`
  const csrf = /name="csrf" value="([^"]+)"/.exec((await surfer.open(page)).html)?.[1] ?? ''
  const changed = await surfer.post(page, { csrf, once, reason: 'another' })
  expect(changed.status).toBe(422)
  expect(changed.html).toContain('sent before with other fields')
  expect({ performed, acts: (await acts()).length }).toEqual(before)

  expect(await send('the first')).toEqual([])
  expect(await last()).toMatchObject({ reason: 'the first', state: 'done' })
  // A repetition that is refused meanwhile undoes nothing.
  expect(await send('the first', new Problem('order_state_conflict'))).toHaveLength(1)
  expect(await last()).toMatchObject({ reason: 'the first', state: 'done', code: null })
})

test('an operator resends, retries and notes, and the page of the order shows it', async () => {
  const mails = async () => (await mailsTo(harness.stack, person.email)).length
  const before = await mails()
  for (const name of ['resend', 'retry', 'note']) {
    const page = `/console/orders/${order.id}/${name}`
    const { location } = await surfer.submit(page, page, { reason: `the customer asked for ${name}` })
    expect(location).toBe(`/console/orders/${order.id}`)
  }
  await until('the mail is there again', async () => (await mails()) > before)
  const { html } = await surfer.open(`/console/orders/${order.id}`)
  for (const name of ['resend', 'retry', 'note']) expect(html).toContain(`${name}: the customer asked for ${name}`)
  const account = await surfer.open(`/console/accounts/${person.accountId}`)
  expect(account.html).toContain(person.email)
  expect(account.html).toContain('the customer asked for note')
  expect(account.html).toContain(order.esims[0].iccid)
  const [read] = await sql`select fields from access_log
    where account_id = ${person.accountId} and route = 'GET /console/accounts/{id}'`
  expect(read?.fields).toContain('account')
})
