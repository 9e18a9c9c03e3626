/**
 * U2 and U6: paid means delivered or refunded, and accounting and tax duties are met. Refunds made in Stripe's
 * dashboard are followed like ours, and ours are of what is left of the payment.
 */
import { afterEach, expect, test } from 'vitest'
import { paymentSweepType } from '../../../workflows/order/payment-sweep.contract.ts'
import { mailsTo } from '../../harness/checks/messages.ts'
import { watchPlacements } from '../../harness/checks/placements.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus, withId } from '../../harness/http.ts'
import { requestReturnOf } from '../../harness/purchases.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { testPackages, testPriceMinor } from '../../harness/test-packages.ts'
import { until, untilValue } from '../../harness/until.ts'

const harness = await shareStack()
const { stripe, esimAccess } = harness.sims
const { sql } = harness.stack.context
const { attention } = watchPlacements(harness.stack)

const byHandMinor = 200
const packageCode = testPackages.onlyEsimAccess

afterEach(async () => {
  await esimAccess.clearFaults()
  await esimAccess.do('allocation', {})
  await stripe.do('webhooks', { drop: 0 })
})

const shown = async (orderId: string) => (await harness.service.get(`/v1/orders/${orderId}`)).body

/** Made in Stripe's dashboard: without metadata of ours (docs.stripe.com/refunds). */
async function refundByHand(orderId: string, amount?: number): Promise<string> {
  const [row] = await sql<{ payment_intent_id: string }[]>`select payment_intent_id from orders where id = ${orderId}`
  const answer = await fetch(`${stripe.url}/v1/refunds`, {
    method: 'POST',
    headers: { authorization: `Bearer ${harness.config.STRIPE_SECRET_KEY}` },
    body: new URLSearchParams({
      payment_intent: row?.payment_intent_id ?? '',
      ...(amount === undefined ? {} : { amount: String(amount) }),
    }),
  })
  expect(answer.status).toBe(200)
  return withId.parse(await answer.json()).id
}

async function refundsOf(orderId: string): Promise<{ status: string | null; amount: number }[]> {
  const [row] = await sql<{ payment_intent_id: string }[]>`select payment_intent_id from orders where id = ${orderId}`
  const { refunds } = await stripe.state()
  return refunds
    .filter(({ payment_intent }) => payment_intent === row?.payment_intent_id)
    .map(({ status, amount }) => ({ status, amount }))
}

async function credited(orderId: string): Promise<{ gross: number; net: number; tax: number }[]> {
  return sql<{ gross: number; net: number; tax: number }[]>`
    select -i.gross_minor as gross, -i.net_minor as net, -i.tax_minor as tax
    from invoices i join invoice_links l on l.number = i.number
    where l.order_id = ${orderId} and i.kind = 'credit_note' order by i.sequence`
}

const facts = async (orderId: string) => {
  const [fact] = await sql`
    select f.outcome, f.refunded_minor from order_facts f join orders o on o.fact_id = f.id where o.id = ${orderId}`
  return fact
}

async function delivered() {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode })
  return { person, order, requestReturn: () => requestReturnOf(person.caller, order.id) }
}

const noticed = (orderId: string, kind: string) =>
  untilValue(
    `operators see ${kind}`,
    () => attention(orderId),
    (tasks) => tasks.some((task) => task.kind === kind),
  )

test('a part refunded by hand and the eSIM then returned: the rest is refunded, and the books say both', async () => {
  const { person, order, requestReturn } = await delivered()
  await refundByHand(order.id, byHandMinor)
  await noticed(order.id, 'refund_made_elsewhere')
  expect(await shown(order.id)).toMatchObject({
    status: 'delivered',
    refunds: [{ minor: byHandMinor, state: 'succeeded', reason: 'made_elsewhere' }],
  })
  expect((await credited(order.id)).map(({ gross }) => gross)).toEqual([byHandMinor])
  expect(await facts(order.id)).toEqual({ outcome: 'delivered', refunded_minor: byHandMinor })

  expectStatus(await requestReturn(), 200)
  await harness.untilOrder(order.id, 'refunded')
  const rest = testPriceMinor - byHandMinor
  expect(await refundsOf(order.id)).toEqual([
    { status: 'succeeded', amount: byHandMinor },
    { status: 'succeeded', amount: rest },
  ])
  expect((await credited(order.id)).map(({ gross }) => gross)).toEqual([byHandMinor, rest])
  expect(await facts(order.id)).toEqual({ outcome: 'refunded', refunded_minor: testPriceMinor })
  const [invoice] = await sql`
    select i.net_minor as net, i.tax_minor as tax from invoices i join invoice_links l on l.number = i.number
    where l.order_id = ${order.id} and i.kind = 'invoice'`
  const sum = (field: 'net' | 'tax') =>
    credited(order.id).then((notes) => notes.reduce((all, one) => all + one[field], 0))
  expect({ net: await sum('net'), tax: await sum('tax') }).toEqual({ net: invoice?.net, tax: invoice?.tax })
  const mails = await untilValue(
    'the customer is told of the refund',
    () => mailsTo(harness.stack, person.email),
    ({ length }) => length === 2,
  )
  expect(mails[1]?.subject).toContain('3.00')
})

test('an order that was refunded by hand, with its eSIM returned, and whose refund bounces is refunded again by an operator', async () => {
  const { order, requestReturn } = await delivered()
  const refund = await refundByHand(order.id)
  await noticed(order.id, 'refund_made_elsewhere')
  expectStatus(await requestReturn(), 200)
  await harness.untilOrder(order.id, 'refunded')
  await stripe.do('fail-refund', { refund })
  await harness.untilOrder(order.id, 'refund_failed')
  await noticed(order.id, 'refund_failed')
  expect(await facts(order.id)).toEqual({ outcome: 'delivered', refunded_minor: 0 })
  expectStatus(await harness.operator.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
  expect(await refundsOf(order.id)).toEqual([
    { status: 'failed', amount: testPriceMinor },
    { status: 'succeeded', amount: testPriceMinor },
  ])
  expect((await credited(order.id)).map(({ gross }) => gross)).toEqual([testPriceMinor])
})

test('U6: an order whose refund has bounced, and that is refunded by hand instead, is credited and ends refunded within the hour', async () => {
  const { order, requestReturn } = await delivered()
  expectStatus(await requestReturn(), 200)
  await harness.untilOrder(order.id, 'refunded')
  await stripe.do('fail-refund', { orderId: order.id })
  await harness.untilOrder(order.id, 'refund_failed')
  const sweep = () => runLater(harness.stack, paymentSweepType, 0)
  await refundByHand(order.id, byHandMinor)
  await sweep()
  expect((await shown(order.id)).status).toBe('refund_failed')
  await refundByHand(order.id)
  await sweep()
  await harness.untilOrder(order.id, 'refunded')
  expect(await facts(order.id)).toEqual({ outcome: 'refunded', refunded_minor: testPriceMinor })
  expect((await refundsOf(order.id)).filter(({ status }) => status === 'succeeded')).toHaveLength(2)
  expect((await attention(order.id)).map(({ kind }) => kind)).not.toContain('refund_failed')
})

test('a part refunded by hand fails after ours was made: what is missing is refunded by an operator', async () => {
  const { order, requestReturn } = await delivered()
  const refund = await refundByHand(order.id, byHandMinor)
  await noticed(order.id, 'refund_made_elsewhere')
  expectStatus(await requestReturn(), 200)
  await harness.untilOrder(order.id, 'refunded')
  await stripe.do('fail-refund', { refund })
  await harness.untilOrder(order.id, 'refund_failed')
  expectStatus(await harness.operator.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
  expect((await refundsOf(order.id)).filter(({ status }) => status === 'succeeded')).toEqual([
    { status: 'succeeded', amount: testPriceMinor - byHandMinor },
    { status: 'succeeded', amount: byHandMinor },
  ])
})

test('a refund made by hand on a delivered order fails: operators are told, and the order stays delivered', async () => {
  const { order } = await delivered()
  const refund = await refundByHand(order.id)
  await noticed(order.id, 'refund_made_elsewhere')
  await stripe.do('fail-refund', { refund })
  await noticed(order.id, 'refund_elsewhere_failed')
  expect(await shown(order.id)).toMatchObject({ status: 'delivered', refunds: [{ state: 'failed' }] })
  expect(await facts(order.id)).toEqual({ outcome: 'delivered', refunded_minor: 0 })
})

/** Paid, and held for an operator. */
const held = async (): Promise<string> =>
  (await harness.buy(await harness.signUp(), { packageCode, pay: { riskLevel: 'highest' }, until: 'in_review' })).id

/** Paid; its provider has the order, and allocates no eSIM. */
async function provisioning(): Promise<string> {
  await esimAccess.do('allocation', { never: true })
  const before = (await esimAccess.state()).orders.length
  const { id } = await harness.buy(await harness.signUp(), { packageCode, until: 'provisioning' })
  await until('the provider has the order', async () => (await esimAccess.state()).orders.length > before)
  return id
}

/** The order ends refunded, with one refund at Stripe, and nobody has its eSIM. */
async function expectPaidBack(orderId: string): Promise<void> {
  expect(await harness.untilOrder(orderId, 'refunded')).toMatchObject({ reason: 'refunded_elsewhere' })
  expect(await refundsOf(orderId)).toEqual([{ status: 'succeeded', amount: testPriceMinor }])
  expect(await facts(orderId)).toEqual({ outcome: 'refunded', refunded_minor: testPriceMinor })
}
const placementsOf = (orderId: string) => sql`select from provider_orders where order_id = ${orderId}`

test('U2: an order that is refunded by hand while it is held ends refunded, and is not bought', async () => {
  const id = await held()
  const refund = await refundByHand(id)
  await expectPaidBack(id)
  expect(await placementsOf(id)).toEqual([])
  expect((await harness.operator.post(`/v1/orders/${id}/approve`)).body.code).toBe('order_state_conflict')
  // It is followed like ours.
  await stripe.do('fail-refund', { refund })
  await harness.untilOrder(id, 'refund_failed')
  expectStatus(await harness.operator.post(`/v1/orders/${id}/refund`), 200)
  await harness.untilOrder(id, 'refunded')
})

test('U2: a held order that was refunded by hand without a notice of Stripe is not bought once it is approved', async () => {
  const id = await held()
  await stripe.do('webhooks', { drop: 1_000 })
  await refundByHand(id)
  expectStatus(await harness.operator.post(`/v1/orders/${id}/approve`), 200)
  await expectPaidBack(id)
  expect(await placementsOf(id)).toEqual([])
})

test('U2: a held order of which a part was refunded by hand is delivered once it is approved', async () => {
  const id = await held()
  await refundByHand(id, byHandMinor)
  expectStatus(await harness.operator.post(`/v1/orders/${id}/approve`), 200)
  await harness.untilOrder(id, 'delivered')
  await noticed(id, 'refund_made_elsewhere')
  expect(await refundsOf(id)).toEqual([{ status: 'succeeded', amount: byHandMinor }])
})

test('U2: a held order is approved while the processor does not answer whether its payment was given back', async () => {
  const id = await held()
  await stripe.fault({ match: { method: 'GET', path: '/v1/payment_intents/' }, status: 503, times: 20 })
  expectStatus(await harness.operator.post(`/v1/orders/${id}/approve`), 200)
  await stripe.clearFaults()
  await harness.untilOrder(id, 'delivered')
})

test('U2: a held order whose dispute is lost ends refunded, and is not bought', async () => {
  const id = await held()
  const { dispute } = await stripe.do('open-dispute', { orderId: id })
  await stripe.do('close-dispute', { dispute, outcome: 'lost' })
  expect(await harness.untilOrder(id, 'refunded')).toMatchObject({ reason: 'refunded_elsewhere' })
  expect(await refundsOf(id)).toEqual([])
  expect(await placementsOf(id)).toEqual([])
})

test('U2: an order that is refunded by hand while its eSIM is made is not delivered, and the eSIM goes back', async () => {
  const id = await provisioning()
  await refundByHand(id)
  await expectPaidBack(id)
  const { cancels } = await esimAccess.state()
  await esimAccess.do('allocate')
  await harness.fastForward(id, '2 minutes')
  await until('the late eSIM went back', async () => (await esimAccess.state()).cancels.length > cancels.length)
})

test('U2: an order that was refunded by hand without a notice of Stripe, and is filled late, is not delivered', async () => {
  const id = await provisioning()
  await stripe.do('webhooks', { drop: 1_000 })
  await refundByHand(id)
  const { cancels } = await esimAccess.state()
  await harness.fastForward(id, '6 minutes')
  await esimAccess.do('allocate')
  await expectPaidBack(id)
  await until('the eSIM went back', async () => (await esimAccess.state()).cancels.length > cancels.length)
})

test('U2: an order that is refunded by hand while one provider is away is not bought from the other one', async () => {
  await esimAccess.fault({ match: { path: '/esim/' }, status: 503, times: 1_000 })
  await harness.sims.airalo.fault({ match: { path: '/orders' }, status: 503, times: 1_000 })
  const { id } = await harness.buy(await harness.signUp(), { until: 'provisioning' })
  await refundByHand(id)
  await expectPaidBack(id)
  await harness.sims.airalo.clearFaults()
  expect((await placementsOf(id)).length).toBeLessThan(2)
})

test('U2: a top-up that is refunded by hand while it is applied ends refunded', async () => {
  const { person, order } = await delivered()
  await esimAccess.fault({ match: { path: '/esim/topup$' }, status: 503, times: 1_000 })
  const body = { packageCode: testPackages.topUp }
  const topUp = expectStatus(await person.caller.post(`/v1/orders/${order.id}/top-up`, body), 201)
  await stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'provisioning')
  await refundByHand(topUp.id)
  expect(await harness.untilOrder(topUp.id, 'refunded')).toMatchObject({ reason: 'refunded_elsewhere' })
  expect((await shown(order.id)).status).toBe('delivered')
})
