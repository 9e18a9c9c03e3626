/** U5: an order that looks like fraud waits for an operator, for a limited time. */
import { expect, test } from 'vitest'
import { periods } from '../../policy/periods.ts'
import { costMinor } from '../../policy/pricing.ts'
import { searchAttributes } from '../../shared/search-attributes.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import type { Answer } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { testPackages } from '../harness/test-packages.ts'
import { untilValue } from '../harness/until.ts'

const harness = await shareStack()
const { sql } = harness.stack.context
const hour = 3_600_000

/** An order in review. */
async function held(pay: Record<string, unknown> = { riskLevel: 'elevated' }) {
  const person = await harness.signUp()
  const order = await harness.buy(person, { pay, until: 'in_review' })
  const decide = (verdict: 'approve' | 'reject'): Promise<Answer> =>
    harness.operator.post(`/v1/orders/${order.id}/${verdict}`)
  return { person, order, decide }
}

/** The reason of a review, as operators see it, and as the customer sees it in the order, the lists and the export. */
async function reasons(orderId: string, { accountId, caller }: Person) {
  const find = (orders: { id: string; reason: string | null }[]) => orders.find(({ id }) => id === orderId)?.reason
  const path = `/v1/orders/${orderId}`
  const [byOperator, byService, byPerson, listed, exported] = await Promise.all([
    harness.operator.get(path),
    harness.service.get(path),
    caller.get(path),
    caller.get('/v1/orders'),
    harness.service.get(`/v1/accounts/${accountId}/export`),
  ])
  return {
    toOperators: byOperator.body.reason,
    toCustomers: [byService.body.reason, byPerson.body.reason, find(listed.body.items), find(exported.body.orders)],
  }
}

const subjects = async ({ email }: Person): Promise<string[]> =>
  (await mailsTo(harness.stack, email)).map(({ subject }) => subject)

async function untouchedByProviders(orderId: string): Promise<boolean> {
  return (await sql`select 1 from provider_orders where order_id = ${orderId}`).length === 0
}

test.each(['elevated', 'highest'])(
  'an order with a payment of %s risk waits for an operator, and continues when approved',
  async (riskLevel) => {
    const before = Date.now()
    const { person, order, decide } = await held({ riskLevel })
    expect(order).toMatchObject({ esims: [], documents: [] })
    expect(await reasons(order.id, person)).toEqual({
      toOperators: 'payment_risk',
      toCustomers: [null, null, null, null],
    })
    expect(await untouchedByProviders(order.id)).toBe(true)
    const mails = await untilValue(
      'the mail about the check',
      () => subjects(person),
      ({ length }) => length > 0,
    )
    expect(mails).toEqual([expect.stringContaining('We are checking your order')])

    const { typedSearchAttributes } = await untilValue(
      'the run says that it waits for an operator',
      () => harness.temporal.workflow.getHandle(orderWorkflowId(order.id)).describe(),
      (run) => run.typedSearchAttributes.get(searchAttributes.waitingFor)?.includes('operator') ?? false,
    )
    const dueAt = typedSearchAttributes.get(searchAttributes.dueAt)?.getTime() ?? 0
    const heldAt = dueAt - periods.order.reviewWindowMs
    expect(before <= heldAt && heldAt <= Date.now()).toBe(true)
    const waiting = (await harness.operator.get('/v1/orders?status=in_review')).body.items
    expect(waiting).toContainEqual(expect.objectContaining({ id: order.id }))

    await harness.fastForward(order.id, 20 * hour)
    expect((await decide('approve')).status).toBe(200)
    const delivered = await harness.untilOrder(order.id, 'delivered')
    expect(delivered).toMatchObject({ reason: null, esims: [{ state: 'new' }], documents: [{ kind: 'invoice' }] })
    expect((await decide('reject')).status).toBe(409)
  },
)

test('only an operator can decide about an order in review', async () => {
  const { person, order, decide } = await held()
  for (const caller of [person.caller, harness.service, harness.anonymous]) {
    for (const verdict of ['approve', 'reject']) {
      expect([401, 403]).toContain((await caller.post(`/v1/orders/${order.id}/${verdict}`)).status)
    }
  }
  expect((await harness.service.get(`/v1/orders/${order.id}`)).body.status).toBe('in_review')
  expect((await decide('reject')).status).toBe(200)
})

test('a rejected order is refunded in full, with one notice, without an eSIM and an invoice', async () => {
  const { person, order, decide } = await held()
  expect((await decide('reject')).body).toMatchObject({ id: order.id })
  const refunded = await harness.untilOrder(order.id, 'refunded')
  expect(refunded).toMatchObject({
    reason: 'rejected_in_review',
    documents: [],
    refunds: [{ minor: order.amount.minor }],
  })
  expect(await untouchedByProviders(order.id)).toBe(true)
  await harness.sims.mailbox.do('wait', { to: person.email })
  await harness.fastForward(order.id, '31 days')
  expect(await subjects(person)).toEqual([expect.stringContaining('checking'), expect.stringContaining('refund')])
})

test.each([
  { what: 'another amount', change: sql`gross_minor = gross_minor + 1`, restore: sql`gross_minor = gross_minor - 1` },
  { what: 'another currency', change: sql`currency = 'USD'`, restore: sql`currency = 'EUR'` },
])('a payment of $what than was ordered is not accepted', async ({ change, restore }) => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { pay: false })
  await sql`update orders set ${change} where id = ${id}`
  await harness.sims.stripe.do('pay', { orderId: id })
  await harness.untilOrder(id, 'in_review')
  expect((await reasons(id, person)).toOperators).toBe('payment_differs_from_order')
  expect(await untouchedByProviders(id)).toBe(true)
  await sql`update orders set ${restore} where id = ${id}`
  expect((await harness.operator.post(`/v1/orders/${id}/reject`)).status).toBe(200)
  await harness.untilOrder(id, 'refunded')
})

test('an order that is in review for 24 hours is refunded automatically', async () => {
  const { order, decide } = await held()
  await harness.fastForward(order.id, 23 * hour)
  expect((await harness.service.get(`/v1/orders/${order.id}`)).body.status).toBe('in_review')
  await harness.fastForward(order.id, hour)
  expect(await harness.untilOrder(order.id, 'refunded')).toMatchObject({ reason: 'review_timed_out' })
  expect((await decide('approve')).status).toBe(409)
})

test('the customer can cancel an order in review', async () => {
  const { person, order, decide } = await held()
  expect((await person.caller.post(`/v1/orders/${order.id}/cancel`)).status).toBe(200)
  expect(await harness.untilOrder(order.id, 'refunded')).toMatchObject({ reason: 'cancelled_by_customer' })
  expect((await decide('approve')).status).toBe(409)
})

test('of a simultaneous approval and rejection of an order one is accepted', async () => {
  const { order, decide } = await held()
  const verdicts = await Promise.all(
    (['approve', 'reject', 'approve', 'reject'] as const).map(async (verdict) => ({
      verdict,
      status: (await decide(verdict)).status,
    })),
  )
  const taken = verdicts.filter(({ status }) => status === 200)
  expect(taken).toHaveLength(1)
  expect(verdicts.filter(({ status }) => status === 409)).toHaveLength(3)
  await harness.untilOrder(order.id, taken[0]?.verdict === 'approve' ? 'delivered' : 'refunded')
})

test('an approved order that no provider fills within an hour of the approval is refunded', {
  tags: 'long',
}, async () => {
  const { order, decide } = await held()
  await harness.sims.esimAccess.do('stock', { out: true })
  await harness.sims.airalo.do('balance', { amount: 0 })
  await harness.fastForward(order.id, 3 * hour)
  expect((await decide('approve')).status).toBe(200)
  await harness.untilOrder(order.id, 'provisioning')
  await harness.fastForward(order.id, hour * 0.9)
  expect((await harness.service.get(`/v1/orders/${order.id}`)).body.status).toBe('provisioning')
  await harness.fastForward(order.id, hour * 0.1)
  expect(await harness.untilOrder(order.id, 'refunded')).toMatchObject({ reason: 'not_delivered_in_time' })
  await harness.sims.esimAccess.do('stock', { out: false })
  await harness.sims.airalo.do('balance', { amount: 1_000 })
})

test('U5: of many orders paid in the same moment, what exceeds the daily number is held', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const { maxOrders } = periods.velocity
  const orders = await Promise.all(Array.from({ length: maxOrders + 4 }, () => harness.buy(person, { pay: false })))
  await Promise.all(orders.map(({ id }) => harness.sims.stripe.do('pay', { orderId: id })))
  const settled = await Promise.all(orders.map(({ id }) => harness.untilOrder(id, ['delivered', 'in_review'])))
  const onHold = settled.filter(({ status }) => status === 'in_review')
  expect(onHold).toHaveLength(4)
  for (const { id } of onHold) {
    expect(await reasons(id, person)).toEqual({ toOperators: 'velocity', toCustomers: [null, null, null, null] })
  }
  for (const { id } of onHold) expect((await harness.operator.post(`/v1/orders/${id}/reject`)).status).toBe(200)

  // A day later no order counts any more.
  const later = await harness.buy(person, { pay: false })
  await sql`update orders set paid_at = paid_at - interval '25 hours' where account_id = ${person.accountId}`
  await sql`update velocity_counts set hour = hour - interval '25 hours'`
  await harness.sims.stripe.do('pay', { orderId: later.id })
  await harness.untilOrder(later.id, 'delivered')
})

test('orders above the daily amount are sent to review', async () => {
  const person = await harness.signUp()
  const exchange = {
    currency: harness.stack.config.SHOP_CURRENCY,
    ratePerUsdMicros: harness.stack.config.SHOP_RATE_PER_USD_MICROS,
  }
  const priceMinor = costMinor(periods.velocity.maxGrossUsdMicros, exchange) / 2
  await sql`update packages set price_minor = ${priceMinor} where code = ${testPackages.onlyAiralo}`
  const buy = (until: string) => harness.buy(person, { packageCode: testPackages.onlyAiralo, until })
  await buy('delivered')
  await buy('delivered')
  const { id } = await buy('in_review')
  expect((await reasons(id, person)).toOperators).toBe('velocity')
})
