/** U2: paid means delivered or refunded. A repeated request is one order, one payment and one answer. */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createOrderClient } from '../../api/runs/order-client.ts'
import type { Orders } from '../../db/connection/schema.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { holdTable } from '../harness/database/held-table.ts'
import { shareStack } from '../harness/harness.ts'
import type { Answer, Caller } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack()
const { stripe } = harness.sims
const { sql } = harness.stack.context

const keyed = (key: string) => ({ 'idempotency-key': key })
const order = (caller: Caller, body: Record<string, unknown>, key: string): Promise<Answer> =>
  caller.post('/v1/orders', body, keyed(key))
const requested = ({ accountId }: Person, change: Record<string, unknown> = {}) => ({
  accountId,
  packageCode: testPackages.anyProvider,
  quantity: 1,
  ...change,
})
const refusal = (answer: Answer) => [answer.status, answer.body.code]

/** The number of an account's orders here, and of their payments at Stripe. */
async function ordersOf({ accountId }: Person): Promise<[number, number]> {
  const rows = await sql<Pick<Orders, 'id'>[]>`select id from orders where account_id = ${accountId}`
  const ids = new Set(rows.map(({ id }) => id))
  const { paymentIntents } = await stripe.state()
  return [rows.length, paymentIntents.filter(({ metadata }) => ids.has(metadata.order_id ?? '')).length]
}

/** Whether a statement that begins so waits for a lock. */
const isHeldUp = async (beginning: string): Promise<boolean> => {
  const waiting = await sql`
    select from pg_stat_activity where wait_event_type = 'Lock' and query ilike ${`%${beginning}%`}`
  return waiting.length > 0
}

test('a repeated order request with the same key returns the same order in any state', async () => {
  const person = await harness.signUp()
  const key = randomUUID()
  const first = await order(person.caller, requested(person), key)
  expect(first.status).toBe(201)
  expect(first.headers.get('location')).toBe(`/v1/orders/${first.body.id}`)

  const reordered = Object.fromEntries(Object.entries(requested(person)).reverse())
  const again = await order(person.caller, reordered, key)
  expect([again.status, again.body]).toEqual([201, first.body])

  await stripe.do('pay', { orderId: first.body.id })
  await harness.untilOrder(first.body.id, 'delivered')
  expect(await order(person.caller, requested(person), key)).toMatchObject({
    status: 201,
    body: { id: first.body.id, status: 'delivered', payment: null },
  })
  expect((await person.caller.post(`/v1/orders/${first.body.id}/refund`)).status).toBe(200)
  await harness.fastForward(first.body.id, '31 days')
  expect(await order(person.caller, requested(person), key)).toMatchObject({
    status: 201,
    body: { status: 'refunded' },
  })
  expect(await ordersOf(person)).toEqual([1, 1])
})

test('an order whose payment was asked for in vain is made by the next request, at the price of then', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const key = randomUUID()
  const price = (byMinor: number) =>
    sql`update packages set price_minor = price_minor + ${byMinor} where code = ${testPackages.anyProvider}`
  // Stripe makes the payment, and keeps it for this key.
  await stripe.fault({ match: { method: 'POST', path: '^/v1/payment_intents$' }, cut: 'after', times: 1_000 })
  expect(refusal(await order(person.caller, requested(person), key))).toEqual([503, 'payment_unavailable'])
  await stripe.clearFaults()
  await price(100)
  try {
    const again = await order(person.caller, requested(person), key)
    expect([again.status, again.body.amount]).toEqual([201, { minor: 600, currency: 'EUR' }])
    await stripe.do('pay', { orderId: again.body.id })
    await harness.untilOrder(again.body.id, 'delivered')
  } finally {
    await price(-100)
  }
})

test('an order at another price than its customer has seen is refused, and one that is repeated keeps its own', async () => {
  const person = await harness.signUp()
  const code = testPackages.anyProvider
  const price = (byMinor: number) =>
    sql`update packages set price_minor = price_minor + ${byMinor} where code = ${code}`
  const seen = (minor: number, change: Record<string, unknown> = {}) =>
    requested(person, { expectedAmount: { minor, currency: 'EUR' }, ...change })
  const changed = [409, 'price_changed']
  const key = randomUUID()
  const first = await order(person.caller, seen(500), key)
  expect([first.status, first.body.amount.minor]).toEqual([201, 500])
  await price(100)
  try {
    expect((await order(person.caller, seen(500), key)).body.id).toBe(first.body.id)
    const late = await order(person.caller, seen(500), randomUUID())
    expect(refusal(late)).toEqual(changed)
    expect(late.body.detail).toContain('600 EUR')
    const dollars = { expectedAmount: { minor: 600, currency: 'USD' } }
    expect(refusal(await order(person.caller, requested(person, dollars), randomUUID()))).toEqual(changed)
    expect(refusal(await order(person.caller, seen(600, { quantity: 2 }), randomUUID()))).toEqual(changed)
    // What the API has compared may be another price when the run opens the checkout.
    const toRun = {
      orderId: randomUUID(),
      accountId: person.accountId,
      parentOrderId: null,
      esimId: null,
      packageCode: code,
      quantity: 1,
      expectedAmount: { minor: 500, currency: 'EUR' },
      performanceConsent: undefined,
      ipCountry: undefined,
      orderedAt: new Date().toISOString(),
      savedCards: false,
      measurement: { adUserData: false, adPersonalization: false },
    }
    await expect(
      createOrderClient({ ...harness.context, temporal: harness.temporal }).checkOut(toRun),
    ).rejects.toMatchObject({ code: 'price_changed' })
    expect(await ordersOf(person)).toEqual([1, 1])
    const both = await order(person.caller, seen(1_200, { quantity: 2 }), randomUUID())
    expect([both.status, both.body.amount.minor]).toEqual([201, 1_200])
  } finally {
    await price(-100)
  }
})

test.each([
  { quantity: 2 },
  { packageCode: testPackages.onlyAiralo },
  { savedCards: true },
  { measurement: { adUserData: true, adPersonalization: true } },
])('an order request with the same key and %j is refused, and the first order is unchanged', async (change) => {
  const person = await harness.signUp()
  const key = randomUUID()
  const first = await order(person.caller, requested(person), key)
  expect(refusal(await order(person.caller, requested(person, change), key))).toEqual([422, 'idempotency_key_reused'])
  expect((await person.caller.get(`/v1/orders/${first.body.id}`)).body).toEqual(first.body)
  expect(await ordersOf(person)).toEqual([1, 1])
})

test('one Idempotency-Key for two accounts makes an order for each account', async () => {
  const people = [await harness.signUp(), await harness.signUp()]
  const key = randomUUID()
  const ids = new Set<string>()
  for (const person of [...people, ...people]) {
    const answer = await order(harness.service, requested(person), key)
    expect(answer).toMatchObject({ status: 201, body: { accountId: person.accountId } })
    ids.add(answer.body.id)
  }
  expect(ids.size).toBe(2)
  for (const person of people) expect(await ordersOf(person)).toEqual([1, 1])
})

test('an action with one key on orders of two accounts applies to each order', async () => {
  const people = [await harness.signUp(), await harness.signUp()]
  const key = keyed(randomUUID())
  for (const person of people) {
    const { id } = await harness.buy(person, { pay: false })
    const answer = await harness.service.post(`/v1/orders/${id}/cancel`, undefined, key)
    expect(answer).toMatchObject({ status: 200, body: { id, status: 'cancelled' } })
  }
})

test('one Idempotency-Key on two routes applies to each of them by itself', async () => {
  const person = await harness.signUp()
  const key = randomUUID()
  const parent = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, headers: keyed(key) })
  const topUp = await person.caller.post(
    `/v1/orders/${parent.id}/top-up`,
    { packageCode: testPackages.topUp },
    keyed(key),
  )
  expect(topUp).toMatchObject({ status: 201, body: { topUpOf: parent.id } })
  expect(topUp.body.id).not.toBe(parent.id)
  expect((await person.caller.post(`/v1/orders/${topUp.body.id}/cancel`, undefined, keyed(key))).status).toBe(200)
  expect((await person.caller.post(`/v1/orders/${parent.id}/resend`, undefined, keyed(key))).status).toBe(200)
})

test('a repeated order request is answered also when the package is no longer on sale', async () => {
  const person = await harness.signUp()
  const key = randomUUID()
  const first = await order(person.caller, requested(person, { packageCode: testPackages.onlyAiralo }), key)
  await sql`update packages set active = false where code = ${testPackages.onlyAiralo}`
  const again = await order(person.caller, requested(person, { packageCode: testPackages.onlyAiralo }), key)
  expect([again.status, again.body]).toEqual([201, first.body])
  const fresh = await order(person.caller, requested(person, { packageCode: testPackages.onlyAiralo }), randomUUID())
  expect(refusal(fresh)).toEqual([409, 'package_unavailable'])
  await sql`update packages set active = true where code = ${testPackages.onlyAiralo}`
})

test('a repeated request does not restart an order’s run that was terminated', async () => {
  const person = await harness.signUp()
  const key = randomUUID()
  const { id } = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, headers: keyed(key) })
  const handle = harness.temporal.workflow.getHandle(orderWorkflowId(id))
  const { runId } = await handle.describe()
  await handle.terminate()
  const again = await order(person.caller, requested(person, { packageCode: testPackages.onlyEsimAccess }), key)
  expect(again).toMatchObject({ status: 201, body: { id, status: 'delivered' } })
  expect((await handle.describe()).runId).toBe(runId)
})

test('a repeated request restarts an order’s run that was terminated before the payment, with the same payment', async () => {
  const person = await harness.signUp()
  const key = randomUUID()
  const first = await order(person.caller, requested(person), key)
  await harness.temporal.workflow.getHandle(orderWorkflowId(first.body.id)).terminate()
  const again = await order(person.caller, requested(person), key)
  expect([again.status, again.body]).toEqual([201, first.body])
  await stripe.do('pay', { orderId: first.body.id })
  await harness.untilOrder(first.body.id, 'delivered')
  expect(await ordersOf(person)).toEqual([1, 1])
})

test('a repeated request is not answered as ordered when the order’s run has failed and its package is off sale', async () => {
  const person = await harness.signUp()
  const key = randomUUID()
  const wanted = requested(person, { packageCode: testPackages.onlyAiralo })
  const { id } = (await order(person.caller, wanted, key)).body
  await harness.temporal.workflow.getHandle(orderWorkflowId(id)).terminate()
  await sql`update packages set active = false where code = ${testPackages.onlyAiralo}`
  expect(refusal(await order(person.caller, wanted, key))).toEqual([409, 'package_unavailable'])
  await sql`update packages set active = true where code = ${testPackages.onlyAiralo}`
  expect(await order(person.caller, wanted, key)).toMatchObject({ status: 201, body: { id } })
})

test('U2: an order that was written after its run had given up is not answered as ordered, and the next request orders it', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const template = await harness.buy(person, { pay: false })
  const key = randomUUID()
  const before = (await stripe.log()).length
  const match = { method: 'POST', path: '/v1/payment_intents$' }
  await stripe.fault({ match, status: 503, delayMs: 900, times: 3 })
  const first = order(person.caller, requested(person), key)
  const attempts = async () =>
    (await stripe.log()).slice(before).filter(({ url, method }) => method === 'POST' && url === '/v1/payment_intents')
  await until('the last attempt asks Stripe', async () => (await attempts()).length === 3)
  // As an earlier attempt does whose time was up when its insert was under way.
  const [asked] = await attempts()
  const id = new URLSearchParams(asked?.body).get('metadata[order_id]') ?? ''
  await sql`insert into orders select (jsonb_populate_record(o, jsonb_build_object(
      'id', ${id}::text, 'payment_intent_id', ${`pi_${id.replaceAll('-', '')}`}::text))).*
    from orders o where id = ${template.id}`
  expect(refusal(await first)).toEqual([503, 'payment_unavailable'])
  expect(await order(person.caller, requested(person), key)).toMatchObject({ status: 201, body: { id } })
  const run = await harness.temporal.workflow.getHandle(orderWorkflowId(id)).describe()
  expect(run.status.name).toBe('RUNNING')
})

test('idempotency keys at Stripe contain no personal data and no text of a client', async () => {
  const person = await harness.signUp()
  const key = randomUUID()
  const { id } = (await order(person.caller, requested(person, { savedCards: true }), key)).body
  await stripe.do('pay', { orderId: id })
  await harness.untilOrder(id, 'delivered')
  expect((await person.caller.post(`/v1/orders/${id}/refund`, undefined, keyed(key))).status).toBe(200)
  await harness.untilOrder(id, 'refunded')
  const asked = JSON.stringify(await stripe.log())
  expect(asked).toContain(id)
  for (const known of [key, person.accountId, person.firebaseUid]) expect(asked).not.toContain(known)
})

test('two people can use the same idempotency key', async () => {
  const [ann, bob] = [await harness.signUp(), await harness.signUp()]
  const key = randomUUID()
  const answers = await Promise.all([ann, bob].map((person) => order(person.caller, requested(person), key)))
  expect(answers.map(({ status }) => status)).toEqual([201, 201])
  expect(answers[0]?.body.id).not.toBe(answers[1]?.body.id)
})

test('ten simultaneous equal order requests make one order and get equal answers', async () => {
  const person = await harness.signUp()
  const key = randomUUID()
  const answers = await Promise.all(Array.from({ length: 10 }, () => order(person.caller, requested(person), key)))
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(201))
  for (const { body } of answers) expect(body).toEqual(answers[0]?.body)
  expect(await ordersOf(person)).toEqual([1, 1])
})

test('of ten simultaneous different order requests with one key one is accepted', async () => {
  const person = await harness.signUp()
  const key = randomUUID()
  const answers = await Promise.all(
    Array.from({ length: 10 }, async (_, index) => {
      const quantity = 1 + (index % 2)
      return { quantity, answer: await order(person.caller, requested(person, { quantity }), key) }
    }),
  )
  const taken = answers.filter(({ answer }) => answer.status === 201)
  expect(taken).toHaveLength(5)
  for (const { quantity, answer } of taken) expect(answer.body.quantity).toBe(quantity)
  expect(new Set(taken.map(({ quantity }) => quantity)).size).toBe(1)
  const refused = answers.filter((each) => !taken.includes(each))
  expect(refused.map(({ answer }) => refusal(answer))).toEqual(Array(5).fill([422, 'idempotency_key_reused']))
  expect(await ordersOf(person)).toEqual([1, 1])
})

test('an order whose checkout failed leaves nothing, and can be requested again with its key', async () => {
  const person = await harness.signUp()
  const key = randomUUID()
  await stripe.fault({ match: { method: 'POST', path: '/v1/payment_intents' }, status: 503, times: 100 })
  const refused = await order(person.caller, requested(person), key)
  expect(refusal(refused)).toEqual([503, 'payment_unavailable'])
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
  expect(await ordersOf(person)).toEqual([0, 0])
  await stripe.clearFaults()
  const later = await order(person.caller, requested(person), key)
  expect(later.status).toBe(201)
  expect((await order(person.caller, requested(person), key)).body.id).toBe(later.body.id)
  expect(await ordersOf(person)).toEqual([1, 1])
})

test('a late payment of a failed checkout makes no order that can be paid', { tags: 'long' }, async () => {
  const person = await harness.signUp()
  const key = randomUUID()
  const seen = (await stripe.state()).paymentIntents.length
  await stripe.fault({ match: { method: 'POST', path: '/v1/payment_intents$' }, delayMs: 8_800, times: 3 })
  expect(refusal(await order(person.caller, requested(person), key))[0]).toBeGreaterThanOrEqual(500)
  await until('the payment is there', async () => (await stripe.state()).paymentIntents.length > seen)
  await stripe.clearFaults()
  // The late reply is handled before another person's order is done.
  await harness.buy(await harness.signUp(), { packageCode: testPackages.onlyEsimAccess })
  expect((await ordersOf(person))[0]).toBe(0)
  expect((await order(person.caller, requested(person), key)).status).toBe(201)
  expect(await ordersOf(person)).toEqual([1, 1])
})

test('a checkout that is stored after its run gave up is no order until the repeated request has started a run', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const key = randomUUID()
  const startedAt = new Date().toISOString()
  const stored = await holdTable(sql, 'orders', 'share row exclusive')
  const answer = order(person.caller, requested(person), key)
  await until('the checkout waits to be stored', () => isHeldUp('insert into orders'))
  // The API looks for an order of an earlier request once the run has given up.
  const looked = await holdTable(sql, 'idempotency_keys')
  await until('the run has given up', async () => {
    const runs = await harness.temporal.workflow.count(`ExecutionStatus = 'Failed' and StartTime > '${startedAt}'`)
    return runs.count === 1
  })
  await stored.release()
  await until('the checkout is stored', async () => (await ordersOf(person))[0] === 1)
  await looked.release()
  expect(refusal(await answer)).toEqual([503, 'payment_unavailable'])
  const { id } = (await order(person.caller, requested(person), key)).body
  await stripe.do('pay', { orderId: id })
  await harness.untilOrder(id, 'delivered')
  expect(await ordersOf(person)).toEqual([1, 1])
})

test('a lost reply of Stripe makes no second payment', async () => {
  const person = await harness.signUp()
  await stripe.fault({ match: { method: 'POST', path: '/v1/payment_intents' }, cut: 'after' })
  expect((await order(person.caller, requested(person), randomUUID())).status).toBe(201)
  expect(await ordersOf(person)).toEqual([1, 1])
})

test('an order request without a valid idempotency key is refused', async () => {
  const person = await harness.signUp()
  const without = await person.caller.post('/v1/orders', requested(person), { 'idempotency-key': null })
  expect(refusal(without)).toEqual([400, 'idempotency_key_required'])
  expect(refusal(await order(person.caller, requested(person), 'x'.repeat(256)))).toEqual([400, 'invalid_request'])
  expect(await ordersOf(person)).toEqual([0, 0])
})

test('a repeated action with its key gets the first answer', async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person)
  const key = keyed(randomUUID())
  const answers = []
  for (let times = 0; times < 3; times += 1)
    answers.push(await person.caller.post(`/v1/orders/${id}/refund`, undefined, key))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  const { events } = await harness.temporal.workflow.getHandle(orderWorkflowId(id)).fetchHistory()
  const asked = (events ?? []).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes)
  expect(asked).toHaveLength(2)

  // The order has ended before its cancellation is repeated.
  const unpaid = await harness.buy(person, { pay: false })
  for (let times = 0; times < 2; times += 1) {
    const answer = await person.caller.post(`/v1/orders/${unpaid.id}/cancel`, undefined, key)
    expect(answer).toMatchObject({ status: 200, body: { status: 'cancelled' } })
    await harness.untilOrder(unpaid.id, 'cancelled')
    await harness.temporal.workflow.getHandle(orderWorkflowId(unpaid.id)).result()
  }
})

test('the idempotency key of an action is refused for another order', async () => {
  const person = await harness.signUp()
  const [one, other] = [await harness.buy(person, { pay: false }), await harness.buy(person, { pay: false })]
  const key = keyed(randomUUID())
  const cancel = ({ id }: { id: string }) => person.caller.post(`/v1/orders/${id}/cancel`, undefined, key)
  expect((await Promise.all([cancel(one), cancel(one), cancel(one)])).map(({ status }) => status)).toEqual([
    200, 200, 200,
  ])
  expect(refusal(await cancel(other))).toEqual([422, 'idempotency_key_reused'])
  expect((await person.caller.get(`/v1/orders/${other.id}`)).body.status).toBe('awaiting_payment')
})

test('an action that failed in an outage succeeds with the same key afterwards', { tags: 'long' }, async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  const refund = () => person.caller.post(`/v1/orders/${id}/refund`, undefined, key)
  const key = keyed(randomUUID())
  await harness.sims.esimAccess.fault({ match: { path: '/esim/query' }, status: 503, times: 1_000 })
  const refused = await refund()
  expect(refusal(refused)).toEqual([503, 'provider_unavailable'])
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
  await harness.sims.esimAccess.clearFaults()
  expect((await refund()).status).toBe(200)
  await harness.untilOrder(id, 'refunded')
})
