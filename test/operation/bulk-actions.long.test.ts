/** Bulk actions: selected, started by the right operator, paused, limited, done once for each order, and reported. */
import { randomUUID } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { createApiKey } from '../../db/api-keys.ts'
import type { OperatorActs } from '../../db/connection/schema.ts'
import { saveOpenIdOperator } from '../../db/operator/openid-operators.ts'
import { mayBeSameOperator, saveOperator } from '../../db/operator/operators.ts'
import { openSession } from '../../db/web-sessions.ts'
import { bulkActionWorkflowId } from '../../workflows/order/bulk-action.contract.ts'
import { createSurfer } from '../harness/browser.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { type Answer, createCaller, expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import type { OrderView } from '../harness/purchases.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until, untilValue } from '../harness/until.ts'

const harness = await shareStack()
const { operator } = harness
const { sql } = harness.context

type Report = Answer['body']
const path = '/v1/bulk-actions'
const read = async (id: string): Promise<Report> => expectStatus(await operator.get(`${path}/${id}`), 200)
const ended = (id: string) =>
  untilValue(
    'the bulk action ends',
    () => read(id),
    ({ state }) => state === 'done',
  )
const prepare = async (body: Record<string, unknown>): Promise<Report> =>
  expectStatus(await operator.post(path, { reason: 'a test of an outage', ...body }), 201)
const ordersOf = async (id: string): Promise<Report[]> =>
  expectStatus(await operator.get(`${path}/${id}/orders?limit=200`), 200).items

const mailed = (person: Person, words: string) =>
  until(`a mail says: ${words}`, async () =>
    (await mailsTo(harness.stack, person.email)).some(({ text }) => text.replaceAll(/\s+/g, ' ').includes(words)),
  )

const providers = [harness.sims.esimAccess, harness.sims.airalo]
const providersAnswer = () => Promise.all(providers.map((provider) => provider.clearFaults()))
/** Orders that a test has left waiting. */
const stuck: string[] = []
afterEach(async () => {
  try {
    // While no provider answers none of them is delivered meanwhile.
    for (const id of stuck.splice(0)) {
      const { status } = expectStatus(await operator.get(`/v1/orders/${id}`), 200)
      if (status !== 'provisioning') continue
      expectStatus(await operator.post(`/v1/orders/${id}/cancel`), 200)
      await harness.untilOrder(id, 'refunded')
    }
  } finally {
    await providersAnswer()
  }
})

/** Orders of one person. @returns `paidFrom`, which limits a selection to them */
async function withOrders(count: number, state: 'provisioning' | 'delivered') {
  const paidFrom = new Date().toISOString()
  const person = await harness.signUp()
  const ids: string[] = []
  for (let index = 0; index < count; index += 1) {
    // Nobody reviews orders for the number of them that were paid by one card.
    const pay = { fingerprint: randomUUID() }
    const order = await harness.buy(person, { until: state, packageCode: testPackages.anyProvider, pay })
    ids.push(String(order.id))
  }
  return { person, ids, paidFrom }
}

/** Orders that no provider fills before the end of the test. */
async function withStuck(count: number) {
  await Promise.all(providers.map((provider) => provider.fault({ status: 503, times: 1_000_000 })))
  const made = await withOrders(count, 'provisioning')
  stuck.push(...made.ids)
  return made
}

test('a selection needs a limit of its orders and a reason without personal data, and holds the orders of then', async () => {
  const { ids, paidFrom } = await withStuck(3)
  expect((await operator.post(path, { act: 'refund', selection: {}, reason: 'why not' })).status).toBe(400)
  const selection = { statuses: ['provisioning'], paidFrom }
  expect((await operator.post(path, { act: 'refund', selection, reason: 'for a@b.example' })).status).toBe(400)
  const all = await prepare({ act: 'refund', selection })
  expect(all).toMatchObject({
    state: 'prepared',
    orderCount: 3,
    needsSecondOperator: false,
    outcomes: { planned: 3, done: 0 },
    worth: [{ currency: 'EUR', minor: 1_500 }],
    toGiveBack: [{ currency: 'EUR', minor: 1_500 }],
  })
  const limited = await prepare({ act: 'refund', selection, limit: 1 })
  expect((await ordersOf(limited.id)).map(({ orderId }) => orderId)).toEqual([ids[0]])
  // One that nobody starts does nothing, and can be cancelled.
  expect(expectStatus(await operator.post(`${path}/${all.id}/cancel`), 200)).toMatchObject({ state: 'cancelled' })
  expect((await operator.post(`${path}/${all.id}/start`)).status).toBe(409)
  expect((await harness.untilOrder(ids[0] ?? '', 'provisioning')).status).toBe('provisioning')
})

test('U2: above the limit of the sum another operator has to start it, in the API and in the database', async () => {
  const {
    person,
    ids: [orderId = ''],
    paidFrom,
  } = await withStuck(2)
  const selection = { statuses: ['provisioning'], paidFrom }
  const { id, preparedBy } = await prepare({ act: 'refund', selection, limit: 1 })
  await sql`update bulk_actions set needs_second_operator = true where id = ${id}`
  const refused = await operator.post(`${path}/${id}/start`)
  expect(refused.status).toBe(403)
  expect(refused.body.type).toContain('second_operator_required')
  await expect(
    sql`update bulk_actions set state = 'running', started_by = ${preparedBy} where id = ${id}`,
  ).rejects.toThrow('bulk_actions_check')

  const { token } = await createApiKey(sql, { kind: 'operator', label: 'second', at: new Date() })
  const other = createCaller(harness.urls.api, token)
  expectStatus(await other.post(`${path}/${id}/start`), 200)
  const report = await ended(id)
  expect(report.startedBy).not.toBe(report.preparedBy)
  expect(report.outcomes).toMatchObject({ done: 1, refused: 0 })
  await harness.untilOrder(orderId, 'refunded')
  expect((await read(id)).givenBack).toEqual([{ currency: 'EUR', minor: 500 }])
  const [act] = await sql<OperatorActs[]>`select * from operator_acts where bulk_action_id = ${id}`
  expect(act).toMatchObject({ operator: report.startedBy, state: 'done', attempts: 1, reason: 'a test of an outage' })
  await mailed(person, 'Our support has cancelled this order')
})

test('an order that is refunded already, or cannot be, is refused with its reason and is not refunded twice', async () => {
  const {
    ids: [orderId = ''],
    paidFrom,
  } = await withOrders(1, 'delivered')
  expectStatus(await operator.post(`/v1/orders/${orderId}/refund`), 200)
  await harness.untilOrder(orderId, 'refunded')
  const before = (await harness.sims.stripe.state()).refunds.length
  const { id } = await prepare({ act: 'refund', selection: { statuses: ['refunded'], paidFrom } })
  expectStatus(await operator.post(`${path}/${id}/start`), 200)
  const report = await ended(id)
  expect(report.refusals).toEqual([{ code: 'already_refunded', count: 1 }])
  expect((await harness.sims.stripe.state()).refunds.length).toBe(before)
  // A repeated start changes nothing; what has ended cannot be paused.
  expectStatus(await operator.post(`${path}/${id}/start`), 200)
  expect((await operator.post(`${path}/${id}/pause`)).status).toBe(409)
})

test('a paused bulk action acts on no further order until it goes on; a bulk retry of the same orders then delivers them', async () => {
  const { person, ids, paidFrom } = await withStuck(2)
  const selection = { statuses: ['provisioning'], paidFrom }
  const { id } = await prepare({ act: 'apologise', selection })
  // Its mails wait, so that it is still running.
  await harness.sims.mailbox.do('rule', { recipient: person.email, code: 451 })
  expectStatus(await operator.post(`${path}/${id}/start`), 200)
  expectStatus(await operator.post(`${path}/${id}/pause`), 200)
  expect(await read(id)).toMatchObject({ state: 'paused' })
  expect((await operator.post(`${path}/${id}/pause`)).status).toBe(409)
  await harness.sims.mailbox.do('clear-rules')
  expectStatus(await operator.post(`${path}/${id}/resume`), 200)
  expect((await ended(id)).outcomes).toMatchObject({ done: 2 })
  const apologies = (await mailsTo(harness.stack, person.email)).filter(({ subject }) => /^Sorry/.test(subject))
  expect(apologies).toHaveLength(2)

  const refund = await prepare({ act: 'refund', selection })
  await providersAnswer()
  const retry = await prepare({ act: 'retry', selection: { sameOrdersAs: id } })
  expectStatus(await operator.post(`${path}/${retry.id}/start`), 200)
  expect((await ended(retry.id)).outcomes).toMatchObject({ done: 2 })
  for (const orderId of ids) await harness.untilOrder(orderId, 'delivered', { timeoutMs: 180_000 })
  expect((await read(retry.id)).statuses).toEqual([{ status: 'delivered', count: 2 }])
  // Selected for a refund because they waited: those who have their eSIMs now keep them.
  expectStatus(await operator.post(`${path}/${refund.id}/start`), 200)
  const { refusals, statuses } = await ended(refund.id)
  expect([refusals, statuses]).toEqual([[{ code: 'delivered', count: 2 }], [{ status: 'delivered', count: 2 }]])
  const { raw } = await harness.temporal.workflow.getHandle(bulkActionWorkflowId(id)).describe()
  expect(raw.workflowExecutionInfo?.status).toBe(2)
})

test('U2: the sum that needs a second operator is that of all currencies, and is counted again at the start', async () => {
  const { ids, paidFrom } = await withOrders(2, 'delivered')
  const selection = { statuses: ['delivered'], paidFrom }
  const price = (minor: number, currency = 'EUR') =>
    sql`update orders set gross_minor = ${minor}, currency = ${currency} where id = any(${ids}::uuid[])`
  try {
    const before = await prepare({ act: 'refund', selection })
    expect(before.needsSecondOperator).toBe(false)
    await sql`update orders set currency = 'USD' where id = ${ids[0] ?? null}`
    await sql`update orders set gross_minor = 60000 where id = any(${ids}::uuid[])`
    const mixed = await prepare({ act: 'refund', selection })
    expect(mixed.toGiveBack).toHaveLength(2)
    expect(mixed.needsSecondOperator).toBe(true)
    // The sum grows, as it does when refunds that were under way at the preparation fail.
    await price(200_000)
    expect((await operator.post(`${path}/${before.id}/start`)).body.code).toBe('second_operator_required')
    expect(await read(before.id)).toMatchObject({ state: 'prepared', needsSecondOperator: true })
  } finally {
    await price(500)
  }
})

test('the second operator of a large sum is another person: a key may be of anybody, and an address signs in in two ways', async () => {
  const { context } = harness
  const at = new Date()
  const email = `${randomUUID()}@ama-esim.example`
  const openId = (address: string | undefined) =>
    saveOpenIdOperator(context, {
      issuer: 'https://id.example',
      subject: randomUUID(),
      name: 'Ada',
      email: address,
      role: 'admin',
      at,
    })
  const ids = {
    password: (await saveOperator(context, { name: 'Ada', email, role: 'admin', at })).id,
    other: (await saveOperator(context, { name: 'Bob', email: `${randomUUID()}@x.example`, role: 'admin', at })).id,
    sameAddress: (await openId(email.toUpperCase()))?.id,
    unknownAddress: (await openId(undefined))?.id,
    otherAddress: (await openId('grace@x.example'))?.id,
    key: (await createApiKey(sql, { kind: 'operator', label: 'a', at })).id,
    otherKey: (await createApiKey(sql, { kind: 'operator', label: 'b', at })).id,
  }
  const canBeOne = (one: keyof typeof ids, other: keyof typeof ids) =>
    mayBeSameOperator(context, `operator:${ids[one]}`, `operator:${ids[other]}`)
  for (const [one, other] of [
    ['password', 'password'],
    ['password', 'sameAddress'],
    ['password', 'unknownAddress'],
    ['password', 'key'],
    ['otherAddress', 'key'],
  ] as const)
    expect([one, other, await canBeOne(one, other), await canBeOne(other, one)]).toEqual([one, other, true, true])
  for (const [one, other] of [
    ['password', 'other'],
    ['password', 'otherAddress'],
    ['unknownAddress', 'otherAddress'],
    ['key', 'otherKey'],
  ] as const)
    expect([one, other, await canBeOne(one, other)]).toEqual([one, other, false])

  // Prepared with a key: a person on the console, who may hold it, is no second one.
  const { id } = await prepare({ act: 'refund', selection: { statuses: ['refunding'], paidFrom: at.toISOString() } })
  await sql`update bulk_actions set needs_second_operator = true where id = ${id}`
  const surfer = createSurfer(harness.urls.api)
  const secret = await openSession(sql, {
    owner: { operatorId: ids.password },
    replaces: undefined,
    at,
    expiresAt: new Date(at.getTime() + 600_000),
  })
  surfer.cookies.set('ama-console', secret)
  const page = `/console/bulk-actions/${id}`
  const csrf = /name="csrf" value="([^"]+)"/.exec((await surfer.open('/console')).html)?.[1] ?? ''
  const refused = await surfer.post(`${page}/start`, { csrf })
  expect(refused.status).toBe(403)
  expect((await read(id)).state).toBe('prepared')
})

test('of several bulk refunds of the same orders each reports what it has given back itself, and who has given back the rest', async () => {
  const since = new Date().toISOString()
  const orders: OrderView[] = []
  for (let index = 0; index < 6; index += 1)
    orders.push(await harness.buy(await harness.signUp(), { pay: { fingerprint: randomUUID() } }))
  const [byOperator, byCustomer] = orders.map(({ id }) => String(id))
  const selection = { paidFrom: since }
  const runs = [await prepare({ act: 'refund', selection }), await prepare({ act: 'refund', selection })]
  expectStatus(await operator.post(`/v1/orders/${byOperator}/refund`), 200)
  expectStatus(await harness.service.post(`/v1/orders/${byCustomer}/refund`), 200)
  await Promise.all(runs.map(async ({ id }) => expectStatus(await operator.post(`${path}/${id}/start`), 200)))
  const reports = [await ended(String(runs[0]?.id)), await ended(String(runs[1]?.id))]
  for (const { id } of orders) await harness.untilOrder(String(id), 'refunded')

  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  // Each order is done by one of them at the most.
  expect(sum(reports.map(({ outcomes }) => outcomes.done))).toBe(4)
  expect(sum(reports.map(({ outcomes }) => outcomes.refused))).toBe(8)
  for (const [index, { id }] of runs.entries()) {
    const { outcomes, givenBack, givenBackElsewhere } = await read(id)
    expect(givenBack).toEqual(outcomes.done === 0 ? [] : [{ currency: 'EUR', minor: 500 * outcomes.done }])
    const other = runs[1 - index]?.id
    const rest = 4 - outcomes.done
    const actor = reports[index]?.startedBy
    const expected = [
      { bulkActionId: null, operator: actor, count: 1 },
      { bulkActionId: null, operator: null, count: 1 },
      ...(rest > 0 ? [{ bulkActionId: other, operator: actor, count: rest }] : []),
    ]
    expect(givenBackElsewhere).toHaveLength(expected.length)
    expect(givenBackElsewhere).toEqual(expect.arrayContaining(expected))
    const rows = await ordersOf(id)
    const rowOf = (orderId: string | undefined) => rows.find((row) => row.orderId === orderId)
    expect(rowOf(byOperator)).toMatchObject({
      outcome: 'refused',
      givenBackElsewhere: { bulkActionId: null, operator: actor },
    })
    expect(rowOf(byCustomer)).toMatchObject({
      outcome: 'refused',
      givenBackElsewhere: { bulkActionId: null, operator: null },
    })
    for (const row of rows.filter(({ outcome }) => outcome === 'done')) expect(row.givenBackElsewhere).toBeNull()
  }
  const { refunds } = await harness.sims.stripe.state()
  const of = await sql<{ payment_intent_id: string }[]>`
    select payment_intent_id from orders where id in ${sql(orders.map(({ id }) => String(id)))}`
  const paid = new Set(of.map(({ payment_intent_id: id }) => id))
  expect(refunds.filter(({ payment_intent: id }) => paid.has(String(id)))).toHaveLength(6)

  // A third one has nothing left to do, and says whom to ask.
  const third = await prepare({ act: 'refund', selection })
  expectStatus(await operator.post(`${path}/${third.id}/start`), 200)
  const { outcomes, givenBack, toGiveBack, givenBackElsewhere } = await ended(third.id)
  expect([outcomes.done, outcomes.refused, givenBack, toGiveBack]).toEqual([0, 6, [], []])
  expect(sum(givenBackElsewhere.map(({ count }: { count: number }) => count))).toBe(6)
  const surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
  const { html } = await surfer.open(`/console/bulk-actions/${third.id}`)
  expect(html).toContain('1 of them had been refunded at the request of the customer, or by the order’s own run')
  expect(html).toMatch(
    /of them had been refunded by <a href="\/console\/bulk-actions\/[\w-]+">another bulk action<\/a> of/,
  )
})

test('the console selects, starts and reports a bulk action', async () => {
  const {
    person,
    ids: [delivered = ''],
    paidFrom,
  } = await withOrders(1, 'delivered')
  const surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
  const form = { act: 'refund', status: 'delivered', paidFrom, reason: 'ab', limit: '1' }
  const refused = await surfer.submit('/console/bulk-actions', '/console/bulk-actions', form)
  expect(refused.status).toBe(422)
  expect(refused.html).toContain('Reason must say why')
  const made = await surfer.submit('/console/bulk-actions', '/console/bulk-actions', {
    ...form,
    reason: 'the network was down',
  })
  expect(made.status).toBe(303)
  const page = String(made.location)
  const { html } = await surfer.open(page)
  expect(html).toContain('1 order, prepared')
  expect(html).toContain('the network was down')
  expect((await surfer.submit(page, `${page}/start`)).status).toBe(303)
  const report = await untilValue(
    'the page says that it is done',
    () => surfer.open(page),
    (shown) => shown.html.includes('1 order, done'),
  )
  expect(report.html).toContain(delivered)
  expect((await surfer.open('/console/bulk-actions')).html).toContain('the network was down')
  await harness.untilOrder(delivered, 'refunded')
  await mailed(person, 'Our support has taken this unused order back')
})

test('the mail about a refund says who has asked for it: the customer, or an operator with a key', async () => {
  const person = await harness.signUp()
  const [own, ours] = [await harness.buy(person), await harness.buy(person)]
  expectStatus(await person.caller.post(`/v1/orders/${own.id}/refund`), 200)
  await mailed(person, 'You returned this order unused')
  const before = (await mailsTo(harness.stack, person.email)).length
  expectStatus(await operator.post(`/v1/orders/${ours.id}/refund`), 200)
  const mail = await until('the mail', async () =>
    (await mailsTo(harness.stack, person.email)).slice(before).find(({ subject }) => subject.startsWith('Your refund')),
  )
  expect(mail.text.replaceAll(/\s+/g, ' ')).toContain('Our support has taken this unused order back')
  const acts = await sql<OperatorActs[]>`select * from operator_acts where order_id in ${sql([own.id, ours.id])}`
  expect(acts.map(({ order_id, act, state }) => [order_id, act, state])).toEqual([[ours.id, 'refund', 'done']])
})
