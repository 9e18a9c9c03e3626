/** What is asked twice is done once, and what is asked wrongly is not done at all. */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { orderWorkflowId } from '../../workflows/order.contract.ts'
import { mailsTo } from '../rig/messages.ts'
import { shelf } from '../rig/shelf.ts'
import { openStack } from '../rig/stack.ts'

const rig = await openStack()
const { sql } = rig.context
const { stripe, esimAccess, mailbox } = rig.sims

interface StripeBooks {
  paymentIntents: { metadata: { order_id?: string } }[]
}

const paymentsOf = async (orderId: string) =>
  ((await stripe.books()) as unknown as StripeBooks).paymentIntents.filter(
    ({ metadata }) => metadata.order_id === orderId,
  )

/** How much everybody remembers. */
async function everything() {
  const tables = await sql<{ name: string }[]>`
    select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition order by 1`
  const rows = await Promise.all(
    tables.map(async ({ name }) => [name, (await sql`select count(*) as n from ${sql(name)}`)[0]?.n] as const),
  )
  const { paymentIntents } = (await stripe.books()) as unknown as StripeBooks
  const runs = await rig.temporal.workflow.count('WorkflowType = "order"')
  return { ...Object.fromEntries(rows), payments: paymentIntents.length, runs: runs.count }
}

async function expectNothing(asked: () => Promise<unknown>): Promise<void> {
  const before = await everything()
  await asked()
  expect(await everything()).toEqual(before)
}

const order = async () => {
  const person = await rig.signUp()
  return { person, body: { accountId: person.accountId, packageCode: shelf.onlyEsimAccess } }
}

test('the same request under one key is one order, whenever it comes', async () => {
  const { person, body } = await order()
  const key = { 'idempotency-key': randomUUID() }
  const first = await person.caller.post('/v1/orders', body, key)
  expect(first.status).toBe(201)
  const again = await person.caller.post('/v1/orders', { ...body, quantity: 1 }, key)
  expect([again.status, again.body.id, again.body.payment]).toEqual([201, first.body.id, first.body.payment])

  await stripe.do('pay', { orderId: first.body.id })
  await rig.untilOrder(first.body.id, 'delivered')
  const delivered = await person.caller.post('/v1/orders', body, key)
  expect([delivered.status, delivered.body.id, delivered.body.status]).toEqual([201, first.body.id, 'delivered'])
  expect(await paymentsOf(first.body.id)).toHaveLength(1)
})

test('also when the order has run its course', async () => {
  const { person, body } = await order()
  const key = { 'idempotency-key': randomUUID() }
  const { id } = (await person.caller.post('/v1/orders', body, key)).body
  expect((await person.caller.post(`/v1/orders/${id}/cancel`)).status).toBe(200)
  await rig.temporal.workflow.getHandle(orderWorkflowId(id)).result()
  const again = await person.caller.post('/v1/orders', body, key)
  expect([again.status, again.body.id, again.body.status]).toEqual([201, id, 'cancelled'])
})

test('ten times in parallel it is one order, too', async () => {
  const { person, body } = await order()
  const key = { 'idempotency-key': randomUUID() }
  const answers = await Promise.all(Array.from({ length: 10 }, () => person.caller.post('/v1/orders', body, key)))
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(201))
  const ids = new Set(answers.map((answer) => answer.body.id))
  expect(ids.size).toBe(1)
  const [id] = ids
  expect(await paymentsOf(id)).toHaveLength(1)
  expect((await person.caller.get('/v1/orders')).body.items).toHaveLength(1)
})

test('another request under the same key is refused, in parallel, too', async () => {
  const { person, body } = await order()
  const key = { 'idempotency-key': randomUUID() }
  const bodies = Array.from({ length: 10 }, (_, index) => ({ ...body, quantity: 1 + (index % 2) }))
  const answers = await Promise.all(bodies.map((each) => person.caller.post('/v1/orders', each, key)))
  const made = answers.filter(({ status }) => status === 201)
  const refused = answers.filter(({ status }) => status === 422)
  expect([made.length, refused.length]).toEqual([5, 5])
  expect(new Set(made.map((answer) => answer.body.quantity)).size).toBe(1)
  for (const { body: problem } of refused) expect(problem.code).toBe('idempotency_key_reused')
  expect((await person.caller.get('/v1/orders')).body.items).toHaveLength(1)
  expect(await paymentsOf(made[0]?.body.id)).toHaveLength(1)
  await expectNothing(() => person.caller.post('/v1/orders', { ...body, quantity: 3 }, key))
})

test('a key is its caller’s: another person’s order is another order', async () => {
  const key = { 'idempotency-key': randomUUID() }
  const ids = new Set<string>()
  for (const { person, body } of [await order(), await order()]) {
    ids.add((await person.caller.post('/v1/orders', body, key)).body.id)
  }
  expect(ids.size).toBe(2)
})

test('an order that could not be opened may be tried again under its key', async () => {
  const { person, body } = await order()
  const key = { 'idempotency-key': randomUUID() }
  await stripe.fault({ match: { path: '^/v1/payment_intents$' }, status: 503, times: 1_000 })
  const refused = await person.caller.post('/v1/orders', body, key)
  expect([refused.status, refused.body.code]).toEqual([503, 'payment_unavailable'])
  expect(refused.headers.get('retry-after')).toBeTruthy()
  expect((await person.caller.get('/v1/orders')).body.items).toEqual([])
  await stripe.clearFaults()
  const made = await person.caller.post('/v1/orders', body, key)
  expect(made.status).toBe(201)
  expect(await paymentsOf(made.body.id)).toHaveLength(1)
})

test('an action repeated under its key gets the first answer, and the key is good for nothing else', async () => {
  const { person, body } = await order()
  const other = await rig.buy(person, { pay: false })
  const key = { 'idempotency-key': randomUUID() }
  const { id } = (await person.caller.post('/v1/orders', body)).body
  const cancel = (orderId: string) => person.caller.post(`/v1/orders/${orderId}/cancel`, undefined, key)
  const answers = await Promise.all([cancel(id), cancel(id), cancel(id)])
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  const reused = await cancel(other.id)
  expect([reused.status, reused.body.code]).toEqual([422, 'idempotency_key_reused'])
  expect((await person.caller.get(`/v1/orders/${other.id}`)).body.status).toBe('awaiting_payment')
  expect(await mailsTo(rig.stack, person.email)).toHaveLength(1)
})

test('an outage is no answer to keep: the same action under the same key succeeds once it is over', async () => {
  const person = await rig.signUp()
  const { id } = await rig.buy(person, { packageCode: shelf.onlyEsimAccess })
  const key = { 'idempotency-key': randomUUID() }
  await esimAccess.fault({ match: { path: '/esim/query' }, status: 503, times: 1_000 })
  const refused = await person.caller.post(`/v1/orders/${id}/refund`, undefined, key)
  expect([refused.status, refused.body.code]).toEqual([503, 'provider_unavailable'])
  expect(refused.headers.get('retry-after')).toBeTruthy()
  await esimAccess.clearFaults()
  expect((await person.caller.post(`/v1/orders/${id}/refund`, undefined, key)).status).toBe(200)
  await rig.untilOrder(id, 'refunded')
})

test('a mail that is sent again is sent once for each key', async () => {
  const person = await rig.signUp()
  const { id } = await rig.buy(person)
  await mailbox.do('wait', { to: person.email })
  const key = { 'idempotency-key': randomUUID() }
  const resend = (headers = {}) => person.caller.post(`/v1/orders/${id}/resend`, undefined, headers)
  const answers = await Promise.all([resend(key), resend(key), resend()])
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  expect((await resend(key)).status).toBe(200)
  const mails = await mailsTo(rig.stack, person.email)
  expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(3)
  expect(mails).toHaveLength(3)
})

test.each([
  [{ quantity: 0 }, 'quantity'],
  [{ quantity: -5 }, 'quantity'],
  [{ quantity: 11 }, 'quantity'],
  [{ quantity: 1e9 }, 'quantity'],
  [{ quantity: 1e300 }, 'quantity'],
  [{ quantity: 1.5 }, 'quantity'],
  [{ quantity: '2' }, 'quantity'],
  [{ quantity: null }, 'quantity'],
  [{ packageCode: '' }, 'packageCode'],
  [{ packageCode: "x' or 1=1 --" }, 'packageCode'],
  [{ packageCode: ['test-germany-1gb'] }, 'packageCode'],
  [{ accountId: 'me' }, 'accountId'],
  [{ accountId: undefined }, 'accountId'],
  [{ priceMinor: 1 }, 'priceMinor'],
  [{ orderId: randomUUID() }, 'orderId'],
  [{ gps: '52.5,13.4' }, 'gps'],
  [{ measurement: { adUserData: true, adPersonalization: true, idfa: randomUUID() } }, 'measurement.idfa'],
])('an order with %j is refused by the field’s name, and nothing is stored', async (wrong, field) => {
  const { person, body } = await order()
  await expectNothing(async () => {
    const { status, body: problem } = await person.caller.post('/v1/orders', { ...body, ...wrong })
    expect(status).toBe(400)
    expect(new Set(problem.errors.map((error: { field: string }) => error.field))).toEqual(new Set([field]))
  })
})

test.each([
  [{ packageCode: 'no-such-package' }, 409, 'package_unavailable'],
  [{ packageCode: shelf.topUp }, 409, 'package_unavailable'],
  [{ accountId: randomUUID() }, 404, 'account_missing'],
])('an order with %j is refused, and nothing is stored', async (wrong, status, code) => {
  const { body } = await order()
  await expectNothing(async () => {
    const answer = await rig.service.post('/v1/orders', { ...body, ...wrong })
    expect([answer.status, answer.body.code]).toEqual([status, code])
  })
})

test('an order without a key, in another’s name, or by nobody is refused, and nothing is stored', async () => {
  const { person, body } = await order()
  const stranger = await rig.signUp()
  await expectNothing(async () => {
    const answers = await Promise.all([
      person.caller.post('/v1/orders', body, { 'idempotency-key': null }),
      stranger.caller.post('/v1/orders', body),
      rig.anonymous.post('/v1/orders', body),
      rig.operator.post('/v1/orders', body),
    ])
    expect(answers.map(({ status }) => status)).toEqual([400, 404, 401, 403])
  })
})

test('what is no action of an order, or not for this caller, does nothing', async () => {
  const { person, body } = await order()
  const stranger = await rig.signUp()
  const { id } = (await person.caller.post('/v1/orders', body)).body
  await stripe.do('pay', { orderId: id })
  await rig.untilOrder(id, 'delivered')
  await mailbox.do('wait', { to: person.email })
  const before = (await person.caller.get(`/v1/orders/${id}`)).body
  await expectNothing(async () => {
    const post = async (path: string, caller = person.caller) => {
      const answer = await caller.post(path)
      return [answer.status, answer.body.code]
    }
    for (const action of ['frobnicate', 'constructor', '__proto__', 'Cancel', 'charge', 'checkout', 'deliver']) {
      expect(await post(`/v1/orders/${id}/${action}`), action).toEqual([404, 'not_found'])
    }
    for (const action of ['cancel', 'refund', 'resend']) {
      expect(await post(`/v1/orders/${id}/${action}`, stranger.caller), action).toEqual([404, 'not_found'])
      expect(await post(`/v1/orders/${randomUUID()}/${action}`), action).toEqual([404, 'not_found'])
      expect(await post(`/v1/orders/not-an-id/${action}`), action).toEqual([400, 'invalid_request'])
      expect((await person.caller.get(`/v1/orders/${id}/${action}`)).status, action).toBe(405)
      expect((await person.caller.post(`/v1/orders/${id}/${action}`, { force: true })).status, action).toBe(400)
    }
    for (const action of ['approve', 'reject']) {
      expect(await post(`/v1/orders/${id}/${action}`), action).toEqual([403, 'forbidden'])
    }
  })
  expect((await person.caller.get(`/v1/orders/${id}`)).body).toEqual(before)
})
