/** The refunds of one operator alone are added up for a day, by operator and by order, whatever way they take. */
import { randomUUID } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { createApiKey } from '../../db/api-keys.ts'
import type { OperatorActs } from '../../db/connection/schema.ts'
import { saveOperator } from '../../db/operator/operators.ts'
import { openSession } from '../../db/web-sessions.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { createSurfer } from '../harness/browser.ts'
import { openHarness } from '../harness/harness.ts'
import { type Answer, type Caller, createCaller, expectStatus } from '../harness/http.ts'
import { startProgram } from '../harness/processes.ts'
import type { OrderView } from '../harness/purchases.ts'
import { untilValue } from '../harness/until.ts'

// 8.00; an order costs 5.00.
const harness = await openHarness({ settings: { SECOND_OPERATOR_ABOVE_MINOR: '800' } })
const { sql } = harness.context
const bulkPath = '/v1/bulk-actions'
/** Earlier refunds become older than a day. */
beforeEach(async () => {
  await sql`update operator_acts set asked_at = asked_at - interval '25 hours'`
  await sql`update bulk_actions set started_at = started_at - interval '25 hours'`
})

interface Key {
  token: string
  caller: Caller
}
async function operatorKey(): Promise<Key> {
  const { token } = await createApiKey(sql, { kind: 'operator', label: 'a', at: new Date() })
  return { token, caller: createCaller(harness.urls.api, token) }
}
/** Each of somebody else: many of one person are held. */
const orders = async (count: number, quantity = 1): Promise<OrderView[]> =>
  Promise.all(
    Array.from({ length: count }, async () =>
      harness.buy(await harness.signUp(), { quantity, pay: { fingerprint: randomUUID() } }),
    ),
  )
const refundPart = (by: Key, order: OrderView, amount: string) =>
  by.caller.post(
    `/v1/operator/orders/${order.id}/acts`,
    { act: 'refund-part', reason: 'the network was down', amount },
    { 'idempotency-key': randomUUID() },
  )
const partOf = (by: Key, order: OrderView, minor: number) =>
  by.caller.post(
    `/v1/orders/${order.id}/refund`,
    { amount: { minor, currency: 'EUR' } },
    { 'idempotency-key': randomUUID() },
  )
const wholeOf = (by: Key, order: OrderView) => by.caller.post(`/v1/orders/${order.id}/refund`)
const expectSecond = (answer: Answer, words: string): void => {
  expect([answer.status, answer.body.code]).toEqual([403, 'second_operator_required'])
  expect(answer.body.detail).toContain(words)
}

test('U2: small refunds of one operator are added up for a day, by each way; another operator, or the next day, can go on', async () => {
  const [mine, other] = [await operatorKey(), await operatorKey()]
  const [first, second, third] = await orders(3)
  if (!first || !second || !third) throw new Error('no orders')
  expectStatus(await refundPart(mine, first, '3.00'), 200)
  expectStatus(await partOf(mine, second, 300), 200)
  const words =
    'up to 8.00, all currencies added. You, or a key that may be yours, refunded 6.00 before, and this is 3.00 more.'
  expectSecond(await refundPart(mine, third, '3.00'), words)
  expectSecond(await partOf(mine, third, 300), words)
  expectSecond(await wholeOf(mine, third), 'this is 5.00 more')
  // A refused refund is not counted, and is shown in the timeline.
  expectStatus(await partOf(mine, third, 200), 200)
  expectSecond(await partOf(mine, third, 1), 'refunded 8.00 before, and this is 0.01 more')
  const { items } = expectStatus(await mine.caller.get(`/v1/operator/orders/${third.id}/timeline`), 200)
  expect(
    items
      .filter(({ source }: { source: string }) => source === 'operator')
      .map((item: { words: string }) => item.words),
  ).toEqual([
    'refund part of €3.00 (not done: second operator required): the network was down',
    'refund part of €3.00 (not done: second operator required)',
    'refund of €5.00 (not done: second operator required)',
    'refund part of €2.00',
    'refund part of €0.01 (not done: second operator required)',
  ])
  expectStatus(await refundPart(other, third, '3.00'), 200)
  await sql`update operator_acts set asked_at = asked_at - interval '24 hours'`
  expectStatus(await partOf(mine, first, 200), 200)
})

test('refunds that one operator asks for at the same moment are added up', async () => {
  const mine = await operatorKey()
  const some = await orders(3)
  const answers = await Promise.all(some.flatMap((order) => Array.from({ length: 4 }, () => partOf(mine, order, 100))))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(8)
  for (const answer of answers.filter(({ status }) => status !== 200)) expectSecond(answer, 'Ask another operator')
})

test('a terminal and the console say that a refund beyond the limit needs another operator, and what was given back before, also by keys', async () => {
  const mine = await operatorKey()
  const [first, second] = await orders(2)
  if (!first || !second) throw new Error('no orders')
  expectStatus(await wholeOf(mine, first), 200)
  const program = startProgram(
    process.execPath,
    ['--import', 'tsx', 'cli/acts.ts', 'act', String(second.id), 'refund', '--reason', 'the network was down'],
    { AMA_API_URL: harness.urls.api, AMA_OPERATOR_KEY: mine.token },
  )
  expect((await program.ended).code).toBe(1)
  expect(program.output()).toContain('Ask another operator to do it, or prepare a bulk refund that another one starts.')

  const at = new Date()
  const { id } = await saveOperator(harness.context, {
    name: 'Ada',
    email: `${randomUUID()}@x.example`,
    role: 'finance',
    at,
  })
  const surfer = createSurfer(harness.urls.api)
  const expiresAt = new Date(at.getTime() + 600_000)
  surfer.cookies.set(
    'ama-console',
    await openSession(sql, { owner: { operatorId: id }, replaces: undefined, at, expiresAt }),
  )
  const page = `/console/orders/${second.id}/refund-part`
  const refused = await surfer.submit(page, page, { reason: 'the network was down', amount: '4.00' })
  expect(refused.status).toBe(422)
  expect(refused.html).toContain('refunded 5.00 before, and this is 4.00 more. Ask another operator')
  expect(refused.html).toContain('value="4.00"')
  expect((await surfer.submit(page, page, { reason: 'the network was down', amount: '3.00' })).status).toBe(303)
})

test('refunds of one order by several operators are added up; two operators can give back all of it', async () => {
  const [mine, other] = [await operatorKey(), await operatorKey()]
  const [order] = await orders(1, 2)
  if (!order) throw new Error('no order')
  expectSecond(await wholeOf(mine, order), 'this is 10.00 more')
  expectStatus(await partOf(mine, order, 500), 200)
  expectSecond(
    await partOf(other, order, 400),
    'Of this order operators refunded 5.00 before, and this is 4.00 more. Prepare a bulk refund',
  )
  const paidAt: string = order.paidAt
  const selection = { paidFrom: paidAt, paidUntil: new Date(Date.parse(paidAt) + 1).toISOString() }
  const body = { act: 'refund', selection, reason: 'the network was down' }
  const prepared = expectStatus(await mine.caller.post(bulkPath, body, { 'idempotency-key': randomUUID() }), 201)
  expect(prepared).toMatchObject({
    orderCount: 1,
    needsSecondOperator: true,
    toGiveBack: [{ currency: 'EUR', minor: 500 }],
  })
  expectSecond(await mine.caller.post(`${bulkPath}/${prepared.id}/start`), 'Ask another operator')
  expectStatus(await other.caller.post(`${bulkPath}/${prepared.id}/start`), 200)
  await harness.untilOrder(String(order.id), 'refunded')
  // A refund that two operators have asked for together counts for neither.
  const [next] = await orders(1)
  expectStatus(await wholeOf(other, next ?? order), 200)
})

test('several bulk refunds that one operator starts at the same moment are added up, with what they gave back before', async () => {
  const [mine, other] = [await operatorKey(), await operatorKey()]
  const paidFrom = new Date().toISOString()
  const some = await orders(4)
  const prepare = async (limit: number) =>
    expectStatus(
      await mine.caller.post(
        bulkPath,
        { act: 'refund', selection: { statuses: ['delivered'], paidFrom }, limit, reason: 'the network was down' },
        { 'idempotency-key': randomUUID() },
      ),
      201,
    )
  const prepared = [await prepare(1), await prepare(1), await prepare(1)]
  expect(prepared.map(({ needsSecondOperator }) => needsSecondOperator)).toEqual([false, false, false])
  // The same order is counted once, so that each is of another one.
  for (const [index, { id }] of prepared.entries())
    await sql`update operator_acts set order_id = orders.id, account_id = orders.account_id from orders
      where orders.id = ${String(some[index]?.id)} and bulk_action_id = ${id}`
  const answers = await Promise.all(prepared.map(({ id }) => mine.caller.post(`${bulkPath}/${id}/start`)))
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 403, 403])
  for (const answer of answers.filter(({ status }) => status !== 200)) expectSecond(answer, 'Ask another operator')
  expectSecond(await wholeOf(mine, some[3] ?? {}), 'refunded 5.00 before')
  for (const [index, { status }] of answers.entries())
    if (status !== 200) expectStatus(await other.caller.post(`${bulkPath}/${prepared[index]?.id}/start`), 200)
  for (const { id } of some.slice(0, 3)) await harness.untilOrder(String(id), 'refunded')
})

test('U2: a bulk refund that its operator has paused counts as long as it may go on, also on a later day', async () => {
  const [mine, other] = [await operatorKey(), await operatorKey()]
  const { esimAccess } = harness.sims
  const paidFrom = new Date().toISOString()
  const [first, second] = await orders(2)
  if (!first || !second) throw new Error('no orders')
  const body = { act: 'refund', selection: { paidFrom }, limit: 1, reason: 'the network was down' }
  const { id } = expectStatus(await mine.caller.post(bulkPath, body, { 'idempotency-key': randomUUID() }), 201)
  await sql`update operator_acts set order_id = orders.id, account_id = orders.account_id from orders
    where orders.id = ${String(first.id)} and bulk_action_id = ${id}`
  await esimAccess.fault({ status: 503, times: 1_000 })
  expectStatus(await mine.caller.post(`${bulkPath}/${id}/start`), 200)
  const acts = () => sql<OperatorActs[]>`select * from operator_acts where bulk_action_id = ${id}`
  await untilValue('it has failed', acts, ([act]) => act?.state === 'asked' && act.code !== null)
  expectStatus(await mine.caller.post(`${bulkPath}/${id}/pause`), 200)
  await esimAccess.clearFaults()
  await sql`update operator_acts set asked_at = asked_at - interval '25 hours'`
  await sql`update bulk_actions set started_at = started_at - interval '25 hours'`
  expectSecond(await wholeOf(mine, second), 'refunded 5.00 before, and this is 5.00 more')
  await sql`update operator_acts set state = 'planned', code = null, attempts = 0 where bulk_action_id = ${id}`
  expectSecond(await wholeOf(mine, second), 'refunded 5.00 before, and this is 5.00 more')
  // It is given back a day after the start.
  expectStatus(await mine.caller.post(`${bulkPath}/${id}/resume`), 200)
  await harness.untilOrder(String(first.id), 'refunded')
  await untilValue('it is done', acts, ([act]) => act?.state === 'done')
  expectSecond(await wholeOf(mine, second), 'refunded 5.00 before, and this is 5.00 more')
  expectStatus(await wholeOf(other, second), 200)
})

test('a refund that failed and is repeated is given back once', async () => {
  const mine = await operatorKey()
  const [order] = await orders(1)
  if (!order) throw new Error('no order')
  expectStatus(await wholeOf(mine, order), 200)
  await harness.untilOrder(String(order.id), 'refunded')
  await harness.sims.stripe.do('fail-refund', { orderId: order.id })
  await harness.untilOrder(String(order.id), 'refund_failed')
  expectStatus(await wholeOf(mine, order), 200)
  const acts = await untilValue(
    'both acts are done',
    () => sql<OperatorActs[]>`select * from operator_acts where order_id = ${String(order.id)} order by asked_at`,
    (rows) => rows.every(({ state }) => state === 'done'),
  )
  expect(acts.map(({ amount_minor }) => amount_minor)).toEqual([500, 500])
})

/** The customer's bank disputes the payment of an order, and its run has recorded that. */
async function disputed(order: OrderView): Promise<(by: Key) => Promise<Answer>> {
  const { dispute } = await harness.sims.stripe.do('open-dispute', { orderId: order.id })
  await untilValue(
    'the dispute is recorded',
    () => sql`select from disputes where stripe_dispute_id = ${dispute}`,
    ({ length }) => length === 1,
  )
  return (by) => by.caller.post(`/v1/orders/${order.id}/disputes/${dispute}/accept`)
}

test('U2: a dispute that one operator accepts is added up with what they refund, and two together can accept any', async () => {
  const [mine, other] = [await operatorKey(), await operatorKey()]
  const [first, second, third] = await orders(3)
  const [large] = await orders(1, 2)
  if (!first || !second || !third || !large) throw new Error('no orders')
  expectStatus(await (await disputed(first))(mine), 200)
  expectSecond(await refundPart(mine, second, '4.00'), 'refunded 5.00 before, and this is 4.00 more')
  const acceptThird = await disputed(third)
  expectSecond(await acceptThird(mine), 'this is 5.00 more. Ask another operator to accept it within the day')

  const acceptLarge = await disputed(large)
  expectSecond(await acceptLarge(other), 'refunded 0.00 before, and this is 10.00 more')
  expectSecond(await acceptLarge(other), 'with both it is done')
  expectStatus(await acceptLarge(mine), 200)
  expectSecond(await acceptThird(mine), 'refunded 5.00 before')
  // What two have accepted counts for neither, and what the first one has asked for was refused.
  expectStatus(await acceptThird(other), 200)
  const acts = await sql<Pick<OperatorActs, 'state' | 'amount_minor' | 'subject'>[]>`
    select state, amount_minor, subject from operator_acts where order_id = ${String(large.id)} order by asked_at`
  expect(acts.map(({ state, amount_minor }) => [state, amount_minor])).toEqual([
    ['refused', 1000],
    ['refused', 1000],
    ['done', null],
  ])
  expect(acts.every(({ subject }) => subject?.startsWith('du_'))).toBe(true)
})

test('U2: a refund of what our books take for given back, and Stripe does not, counts with the price of the order', async () => {
  const mine = await operatorKey()
  const [large] = await orders(1, 2)
  const id = String(large?.id)
  await harness.temporal.workflow.getHandle(orderWorkflowId(id)).terminate('by mistake')
  await sql`update orders set status = 'refunded', reason = 'returned_unused' where id = ${id}`
  await sql`insert into refunds (order_id, refund_key, stripe_refund_id, amount_minor, state, reason, created_at)
    values (${id}, ${`order-${id}:refund-1`}, ${`re_${id}`}, 1000, 'succeeded', 'returned_unused', now())`
  expectSecond(await wholeOf(mine, large ?? {}), 'refunded 0.00 before, and this is 10.00 more')
  // The fault of the books was planted.
  await sql`delete from refunds where order_id = ${id}`
  await sql`update orders set status = 'delivered', reason = null where id = ${id}`
})
