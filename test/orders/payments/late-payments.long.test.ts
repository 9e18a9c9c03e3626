/**
 * U2: paid means delivered or refunded. A payment that arrives late, or whose run is gone, is delivered or refunded,
 * and operators see it.
 */
import { afterEach, expect, test } from 'vitest'
import { readOrderFigures } from '../../../db/evidence/orders.ts'
import type { StripeState } from '../../../sim/stripe.ts'
import { fastForward } from '../../../temporal/time-skipping.ts'
import { orderAftercareWorkflowId, orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { type PaymentSweepReport, paymentSweepType } from '../../../workflows/order/payment-sweep.contract.ts'
import { mailsTo } from '../../harness/checks/messages.ts'
import { watchPlacements } from '../../harness/checks/placements.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { testPackages, testPriceMinor } from '../../harness/test-packages.ts'
import { until, untilValue } from '../../harness/until.ts'

const harness = await shareStack()
const { stripe, esimAccess } = harness.sims
const { sql } = harness.stack.context
const { attention } = watchPlacements(harness.stack)
const packageCode = testPackages.onlyEsimAccess

async function unpaid() {
  const person = await harness.signUp()
  return { person, order: await harness.buy(person, { pay: false, packageCode }) }
}

afterEach(async () => {
  await stripe.clearFaults()
  await stripe.do('webhooks', { drop: 0 })
})

const terminate = (orderId: string) =>
  harness.temporal.workflow.getHandle(orderWorkflowId(orderId)).terminate('by mistake')

/** The hourly payment sweep, an hour from now. */
const sweep = () => runLater<PaymentSweepReport>(harness.stack, paymentSweepType, 1 / 24)

async function refundsOf(orderId: string): Promise<StripeState['refunds']> {
  const { paymentIntents, refunds } = await stripe.state()
  const intent = paymentIntents.find(({ metadata }) => metadata.order_id === orderId)
  return refunds.filter(({ payment_intent }) => payment_intent === intent?.id)
}

const taskKinds = async (orderId: string) => (await attention(orderId)).map(({ kind }) => kind)

async function expectRefunded(orderId: string, reason: string): Promise<void> {
  expect(await harness.untilOrder(orderId, 'refunded')).toMatchObject({ reason })
  expect(await refundsOf(orderId)).toMatchObject([{ status: 'succeeded', amount: testPriceMinor }])
}

test('a payment that the bank processes for days is delivered, and operators see that it waits', async () => {
  const { order } = await unpaid()
  await stripe.do('process', { orderId: order.id })
  // After a day operators are notified and the wait begins again; the third day is as each later one.
  for (let day = 1; day <= 3; day += 1) await harness.fastForward(order.id, '1 day')
  expect((await harness.service.get(`/v1/orders/${order.id}`)).body.status).toBe('awaiting_payment')
  expect(await attention(order.id)).toMatchObject([{ kind: 'payment_unresolved' }])
  await stripe.do('pay', { orderId: order.id })
  await harness.fastForward(order.id, '30 minutes')
  await harness.untilOrder(order.id, 'delivered')
  expect(await attention(order.id)).toEqual([])
})

test('a payment that the bank processes for a day and then declines ends as unpaid', async () => {
  const { order } = await unpaid()
  await stripe.do('process', { orderId: order.id })
  await harness.fastForward(order.id, '27 hours')
  await stripe.do('fail-payment', { orderId: order.id })
  await harness.fastForward(order.id, '30 minutes')
  expect(await harness.untilOrder(order.id, 'unpaid')).toMatchObject({ reason: 'not_paid_in_time' })
  expect(await attention(order.id)).toEqual([])
})

test('a payment processor that is down for a day at the deadline ends no order', async () => {
  const { order } = await unpaid()
  await harness.fastForward(order.id, '11 minutes')
  await stripe.do('webhooks', { drop: 1_000 })
  await stripe.do('late-success', { orderId: order.id })
  await stripe.fault({ match: { path: '/v1/payment_intents' }, status: 503, times: 1_000_000 })
  await harness.fastForward(order.id, '27 hours')
  await stripe.clearFaults()
  await stripe.do('webhooks', { drop: 0 })
  await harness.fastForward(order.id, '30 minutes')
  await harness.untilOrder(order.id, 'delivered')
})

test('a payment that arrives after the order’s run was terminated is refunded, and the customer is told', async () => {
  const { person, order } = await unpaid()
  await terminate(order.id)
  await stripe.do('pay', { orderId: order.id })
  await expectRefunded(order.id, 'paid_after_cancel')
  const [mail] = await untilValue(
    'the customer is told',
    () => mailsTo(harness.stack, person.email),
    ({ length }) => length > 0,
  )
  expect(mail?.subject).toContain('refund')
  await fastForward(harness.temporal, orderAftercareWorkflowId(order.id), '31 days')
  await untilValue(
    'the order has ended',
    async () => (await harness.service.get(`/v1/orders/${order.id}`)).body,
    ({ endedAt }) => endedAt !== null,
  )
})

test('a refund whose failure Stripe could not tell is found at the end of the wait for it', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode })
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
  await stripe.do('webhooks', { drop: 1_000 })
  await stripe.do('fail-refund', { orderId: order.id })
  await stripe.do('webhooks', { drop: 0 })
  await harness.fastForward(order.id, '31 days')
  await harness.untilOrder(order.id, 'refund_failed')
  expect(await attention(order.id)).toEqual([{ kind: 'refund_failed', detail: 'refund_bounced' }])
  expectStatus(await harness.operator.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
})

test('a refund that is still pending after a month is followed, and operators see it', async () => {
  const person = await harness.signUp()
  await stripe.do('pending-refunds', { enabled: true })
  const order = await harness.buy(person, { packageCode })
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
  await stripe.do('pending-refunds', { enabled: false })
  await harness.fastForward(order.id, '31 days')
  await untilValue(
    'operators see it',
    () => attention(order.id),
    (tasks) => tasks.some(({ kind }) => kind === 'refund_unsettled'),
  )
  await stripe.do('fail-refund', { orderId: order.id })
  await harness.untilOrder(order.id, 'refund_failed')
  expectStatus(await harness.operator.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
})

test('the payment sweep finds a refund that failed and whose webhook was lost', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode })
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
  await stripe.do('webhooks', { drop: 1_000 })
  await stripe.do('fail-refund', { orderId: order.id })
  await stripe.do('webhooks', { drop: 0 })
  await sweep()
  await harness.untilOrder(order.id, 'refund_failed')
})

test('a late payment whose refund bounces is an operator task, by which the refund is repeated', async () => {
  const { order } = await unpaid()
  await terminate(order.id)
  await stripe.do('fail-refund', { orderId: order.id })
  await stripe.do('pay', { orderId: order.id })
  await harness.untilOrder(order.id, 'refund_failed')
  expect(await taskKinds(order.id)).toContain('refund_failed')
  expectStatus(await harness.operator.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
  expect((await refundsOf(order.id)).map(({ status }) => status)).toEqual(['failed', 'succeeded'])
  expect(await attention(order.id)).toEqual([])
})

test('the payment sweep finds a payment whose run was terminated and whose webhook was lost', async () => {
  const { order } = await unpaid()
  await terminate(order.id)
  await stripe.do('webhooks', { drop: 1_000 })
  await stripe.do('pay', { orderId: order.id })
  await stripe.do('webhooks', { drop: 0 })
  await sweep()
  await expectRefunded(order.id, 'paid_after_cancel')
})

test('an event that cannot be looked up stops no other one: the payment sweep goes on', async () => {
  const people = await Promise.all([harness.signUp(), harness.signUp()])
  const [before, after] = await Promise.all(people.map((person) => harness.buy(person, { packageCode })))
  const { order } = await unpaid()
  await terminate(order.id)
  await stripe.do('webhooks', { drop: 1_000 })
  await stripe.do('warn-fraud', { orderId: before?.id })
  await stripe.do('pay', { orderId: order.id })
  await stripe.do('warn-fraud', { orderId: after?.id })
  await stripe.do('webhooks', { drop: 0 })
  const missing = { error: { type: 'invalid_request_error', code: 'resource_missing', message: 'No such warning' } }
  await stripe.fault({ match: { path: '/early_fraud_warnings/' }, status: 404, body: missing, times: 1_000 })
  await sweep()
  await expectRefunded(order.id, 'paid_after_cancel')
  // The next payment sweep asks again; until then an operator has the warning.
  const unread = await sql`select 1 from attention where kind = 'fraud_warning_unread' and resolved_at is null`
  expect(unread.length).toBeGreaterThan(0)
})

test('the payment sweep closes an unpaid order whose run was terminated', async () => {
  const { order } = await unpaid()
  await terminate(order.id)
  await sql`update orders set payment_due_at = created_at where id = ${order.id}`
  await sweep()
  await harness.untilOrder(order.id, 'unpaid')
  expect((await stripe.state()).paymentIntents).toContainEqual(
    expect.objectContaining({ metadata: expect.objectContaining({ order_id: order.id }), status: 'canceled' }),
  )
})

test('the payment sweep leaves orders alone whose runs are open', async () => {
  const { order } = await unpaid()
  await sweep()
  const { order: held } = await paidAndHeld()
  await sweep()
  expect((await harness.service.get(`/v1/orders/${order.id}`)).body.status).toBe('awaiting_payment')
  expect((await harness.service.get(`/v1/orders/${held.id}`)).body.status).toBe('in_review')
  expectStatus(await harness.operator.post(`/v1/orders/${held.id}/approve`), 200)
  await harness.untilOrder(held.id, 'delivered')
})

async function paidAndHeld() {
  const person = await harness.signUp()
  return { order: await harness.buy(person, { packageCode, pay: { riskLevel: 'elevated' }, until: 'in_review' }) }
}

test('a held order whose run was terminated is refunded by the payment sweep', async () => {
  const { order } = await paidAndHeld()
  await terminate(order.id)
  await sweep()
  await expectRefunded(order.id, 'not_delivered_in_time')
})

test('an order in provisioning whose run was terminated returns its eSIM and is refunded', async () => {
  const person = await harness.signUp()
  await esimAccess.do('allocation', { never: true })
  const order = await harness.buy(person, { packageCode, until: 'provisioning' })
  await until('the provider has the order', async () => {
    return (await sql`select 1 from provider_orders where order_id = ${order.id} and state = 'placed'`)[0]
  })
  await terminate(order.id)
  await esimAccess.do('allocate')
  await esimAccess.do('allocation', {})
  await sweep()
  await expectRefunded(order.id, 'not_delivered_in_time')
})

test('a refund whose run was terminated is carried out by the payment sweep', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode })
  await stripe.fault({ match: { method: 'POST', path: '/v1/refunds$' }, status: 503, times: 1_000_000 })
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunding')
  await terminate(order.id)
  await stripe.clearFaults()
  await sweep()
  await expectRefunded(order.id, 'returned_unused')
})

const intentsLeft = async (before: ReadonlySet<string>) =>
  (await stripe.state()).paymentIntents.filter(
    ({ id, status }) => !before.has(id) && status !== 'canceled' && status !== 'succeeded',
  )
const intentIds = async () => new Set((await stripe.state()).paymentIntents.map(({ id }) => id))

test('a payment whose creation was applied and answered with 500 is cancelled by the payment sweep', async () => {
  const person = await harness.signUp()
  const before = await intentIds()
  await stripe.do('misbehave-next', { path: '/v1/payment_intents$', status: 500, applied: true })
  const order = await harness.buy(person, { packageCode })
  expect(await intentsLeft(before)).toHaveLength(1)
  await sweep()
  expect(await intentsLeft(before)).toEqual([])
  expect((await harness.service.get(`/v1/orders/${order.id}`)).body.status).toBe('delivered')
})

test('U2: a payment without an order is found, shown to operators, and counted as not settled', async () => {
  const person = await harness.signUp()
  const { id: orderId } = await harness.buy(person, { packageCode, pay: false })
  const [row] = await sql<{ payment_intent_id: string }[]>`select payment_intent_id from orders where id = ${orderId}`
  const paymentIntentId = row?.payment_intent_id ?? ''
  await terminate(orderId)
  // The row after a restore of an older backup.
  await sql`update orders set payment_intent_id = null, ended_at = now(), status = 'unpaid' where id = ${orderId}`
  await stripe.do('webhooks', { drop: 1_000 })
  await stripe.do('pay', { orderId })
  await stripe.do('webhooks', { drop: 0 })
  const figure = async () => (await readOrderFigures(sql, new Date())).unsettled_payments?.value
  expect((await sweep()).unknownPayments).toEqual({ cancelled: 0, paid: 1 })
  expect(await sql`select kind from attention where subject_id = ${paymentIntentId}`).toEqual([
    { kind: 'payment_without_order' },
  ])
  expect(await figure()).toBe(1)
  await sql`update orders set payment_intent_id = ${paymentIntentId}, ended_at = null, status = 'awaiting_payment', payment_due_at = created_at
    where id = ${orderId}`
  await sweep()
  await harness.untilOrder(orderId, 'refunded')
  expect(await figure()).toBe(0)
})
