/**
 * U2: paid means delivered or refunded. An order can be cancelled in every state until it is delivered, and the money
 * is returned.
 */
import { expect, test } from 'vitest'
import { orderAftercareWorkflowId, orderWorkflowId, paymentSignal } from '../../../workflows/order/order.contract.ts'
import { mailsTo, pushesTo } from '../../harness/checks/messages.ts'
import { always, esimSimulators, watchPlacements } from '../../harness/checks/placements.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import type { Person } from '../../harness/people.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { until, untilValue } from '../../harness/until.ts'

const harness = await shareStack()
const { stripe, esimAccess, airalo } = harness.sims
const { placements, untilPlacement, ordersAt, untilWaiting, down, attention } = watchPlacements(harness.stack)

const subjects = async (email: string) => (await mailsTo(harness.stack, email)).map(({ subject }) => subject)
const eventsAt = async ({ pushToken }: Person) =>
  (await pushesTo(harness.stack, pushToken)).map(({ message }) => message.data?.event)
const intentOf = async (orderId: string) => {
  const { paymentIntents } = await stripe.state()
  return paymentIntents.find(({ metadata }) => metadata.order_id === orderId)
}

async function at(
  product: 'unpaid' | 'provisioning' | 'paid' | 'delivered',
  packageCode: string = testPackages.onlyEsimAccess,
) {
  const person = await harness.signUp()
  const order = await harness.buy(person, {
    packageCode,
    ...(product === 'unpaid'
      ? { pay: false }
      : { until: product === 'paid' ? ['provisioning', 'delivered'] : product }),
  })
  const cancel = (headers = {}) => person.caller.post(`/v1/orders/${order.id}/cancel`, undefined, headers)
  const refund = () => person.caller.post(`/v1/orders/${order.id}/refund`)
  return { person, order, cancel, refund }
}

/** The status in page, list and run once they agree: each step writes the row before the run continues. */
async function statusEverywhere(orderId: string): Promise<string> {
  const statuses = await untilValue(
    'page, list and run show the same',
    async () => {
      const page = (await harness.service.get(`/v1/orders/${orderId}`)).body
      const list = (await harness.operator.get(`/v1/orders?accountId=${page.accountId}`)).body.items
      const run = await harness.temporal.workflow.getHandle(orderWorkflowId(orderId)).query<{ status: string }>('state')
      const statuses: string[] = [
        page.status,
        list.find(({ id }: { id: string }) => id === orderId)?.status,
        run.status,
      ]
      return statuses
    },
    (shown) => new Set(shown).size === 1,
  )
  return statuses[0] ?? ''
}

test('a cancellation before the payment: nothing is charged, and a later payment is impossible', async () => {
  const { person, order, cancel, refund } = await at('unpaid')
  expect((await refund()).body.code).toBe('order_state_conflict')
  const answer = await cancel()
  expect(answer).toMatchObject({ status: 200, body: { status: 'cancelled', reason: 'cancelled_by_customer' } })
  expect(await intentOf(order.id)).toMatchObject({ status: 'canceled' })
  await expect(stripe.do('pay', { orderId: order.id })).rejects.toThrow('canceled')
  expect(await statusEverywhere(order.id)).toBe('cancelled')
  await untilValue(
    'the push about the cancellation',
    () => eventsAt(person),
    ({ length }) => length > 0,
  )
  expect(await eventsAt(person)).toEqual(['cancelled'])
  expect((await cancel()).body.code).toBe('order_state_conflict')
  expect((await refund()).body.code).toBe('order_state_conflict')
})

test('the end of a cancelled payment that is told after the order has closed leaves no run open', async () => {
  const order = await harness.buy(await harness.signUp(), { pay: false })
  expectStatus(await harness.service.post(`/v1/orders/${order.id}/cancel`), 200)
  await harness.temporal.workflow.getHandle(orderWorkflowId(order.id)).result()
  const aftercare = await harness.temporal.workflow.signalWithStart('orderAftercare', {
    workflowId: orderAftercareWorkflowId(order.id),
    taskQueue: harness.stack.config.TEMPORAL_TASK_QUEUE,
    args: [{ orderId: order.id }],
    signal: paymentSignal,
  })
  await until('it has ended', async () => (await aftercare.describe()).status.name === 'COMPLETED')
})

test('a payment that is cancelled at Stripe closes the order', async () => {
  const { order } = await at('unpaid')
  await stripe.do('cancel', { orderId: order.id })
  expect(await harness.untilOrder(order.id, 'cancelled')).toMatchObject({ reason: 'cancelled_at_processor' })
})

test('a cancellation while Stripe is down keeps the order open until the payment is cancelled', {
  tags: 'long',
}, async () => {
  const { order, cancel } = await at('unpaid')
  await stripe.fault({ match: { path: '/cancel$' }, status: 503 })
  await stripe.fault({ match: { path: '/cancel$' }, cut: 'after' })
  const answer = cancel()
  await harness.fastForward(order.id, '1 minute')
  expect((await answer).body.status).toBe('cancelled')
  expect(await intentOf(order.id)).toMatchObject({ status: 'canceled' })
})

test('a cancellation in review refunds the order, and operators can no longer decide', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { pay: { riskLevel: 'elevated' }, until: 'in_review' })
  const act = (action: string) => person.caller.post(`/v1/orders/${order.id}/${action}`)
  expect((await act('refund')).body.code).toBe('order_state_conflict')
  expect((await act('cancel')).status).toBe(200)
  expect(await harness.untilOrder(order.id, 'refunded')).toMatchObject({
    reason: 'cancelled_by_customer',
    documents: [],
  })
  expect((await harness.operator.post(`/v1/orders/${order.id}/approve`)).status).toBe(409)
  expect(await statusEverywhere(order.id)).toBe('refunded')
})

test('a cancellation during provisioning refunds the order, and no eSIM is ordered', async () => {
  await down('esimAccess')
  const { person, order, cancel, refund } = await at('provisioning')
  await untilWaiting(order.id)
  expect((await refund()).body.code).toBe('order_state_conflict')
  expect((await cancel()).status).toBe(200)
  const refunded = await harness.untilOrder(order.id, 'refunded')
  expect(refunded).toMatchObject({
    reason: 'cancelled_by_customer',
    esims: [],
    documents: [],
    refunds: [{ minor: 500 }],
  })
  await esimAccess.clearFaults()
  await harness.fastForward(order.id, '1 day')
  expect(await statusEverywhere(order.id)).toBe('refunded')
  expect(await ordersAt(order.id)).toEqual({ 'esim-access': 0, airalo: 0 })
  expect(await subjects(person.email)).toEqual([expect.stringContaining('refund')])
})

test('a cancellation while the provider allocates the eSIM returns it once it is allocated', {
  tags: 'long',
}, async () => {
  await esimAccess.do('allocation', { never: true })
  const { order, cancel } = await at('provisioning')
  await untilPlacement(order.id, 'placed')
  expect((await cancel()).status).toBe(200)
  expect(await harness.untilOrder(order.id, 'refunded')).toMatchObject({ reason: 'cancelled_by_customer' })
  await harness.fastForward(order.id, '10 minutes')
  expect(await placements(order.id)).toMatchObject([{ state: 'releasing' }])
  await esimAccess.do('allocate', {})
  await esimAccess.do('allocation', {})
  await harness.fastForward(order.id, '2 hours')
  await untilPlacement(order.id, 'released')
})

test('a cancellation after a lost reply of the provider returns the eSIM that it made', async () => {
  await airalo.fault({ match: esimSimulators.airalo.ordering, cut: 'after' })
  await airalo.fault({ match: esimSimulators.airalo.finding, status: 503, times: always })
  const { order, cancel } = await at('provisioning', testPackages.onlyAiralo)
  await untilWaiting(order.id)
  expect(await placements(order.id)).toMatchObject([{ state: 'placing' }])
  expect((await cancel()).status).toBe(200)
  await airalo.clearFaults()
  await harness.untilOrder(order.id, 'refunded')
  await harness.fastForward(order.id, '1 hour')
  await untilPlacement(order.id, 'released')
  expect(await attention(order.id)).toMatchObject([{ kind: 'provider_refund_requested' }])
})

test('a cancellation after the delivery is refused, and a refunded order stays refunded', async () => {
  const { order, cancel, refund } = await at('delivered')
  expect(await cancel()).toMatchObject({ status: 409, body: { code: 'order_state_conflict' } })
  expect(await statusEverywhere(order.id)).toBe('delivered')
  expect((await refund()).status).toBe(200)
  for (const again of [cancel, refund]) expect((await again()).status).toBe(409)
  await harness.untilOrder(order.id, 'refunded')
  expect(await statusEverywhere(order.id)).toBe('refunded')
})

test('an unpaid order that has ended refuses every action', async () => {
  const { order, cancel, refund } = await at('unpaid')
  await harness.fastForward(order.id, '61 minutes')
  await harness.untilOrder(order.id, 'unpaid')
  for (const late of [cancel, refund]) {
    expect(await late()).toMatchObject({ status: 409, body: { code: 'order_state_conflict' } })
  }
  expect(await statusEverywhere(order.id)).toBe('unpaid')
})

test('ten simultaneous cancellations, with one key and with many, cancel the order once', async () => {
  const { person, order, cancel } = await at('unpaid')
  const oneKey = { 'idempotency-key': `cancel-${order.id}` }
  const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => cancel(index % 2 ? oneKey : {})))
  expect(answers.map(({ status }) => status)).toContain(200)
  for (const { status } of answers) expect([200, 409]).toContain(status)
  await harness.untilOrder(order.id, 'cancelled')
  await untilValue(
    'the mail about the cancellation',
    () => subjects(person.email),
    ({ length }) => length > 0,
  )
  expect(await subjects(person.email)).toHaveLength(1)
})

/** When a cancellation is asked for: before the payment, with it, or once a party of the payment knows of it. */
const momentsOfPayment: Record<string, (orderId: string) => Promise<unknown>> = {
  'with the payment': async () => undefined,
  'once Stripe has the payment': (orderId) =>
    until('Stripe has it', async () => (await intentOf(orderId))?.status === 'succeeded'),
  'once the order is paid': (orderId) =>
    until('it is paid', async () => (await harness.service.get(`/v1/orders/${orderId}`)).body.paidAt),
}

test.each(Object.entries(momentsOfPayment))(
  'a cancellation %s ends as cancelled, refunded or delivered',
  { tags: 'long' },
  async (_moment, come) => {
    const { order, cancel } = await at('unpaid')
    const paid = stripe.do('pay', { orderId: order.id }).then(
      () => true,
      () => false,
    )
    await come(order.id)
    const [wasPaid, { status }] = await Promise.all([paid, cancel()])
    const end = await harness.untilOrder(order.id, ['cancelled', 'refunded', 'delivered'])
    if (end.status === 'cancelled') expect([wasPaid, status]).toEqual([false, 200])
    if (end.status === 'refunded') expect([wasPaid, status]).toEqual([true, 200])
    if (end.status === 'delivered') expect([wasPaid, status]).toEqual([true, 409])
  },
)

const momentsOfDelivery: Record<string, (orderId: string) => Promise<unknown>> = {
  'before the provider is asked': async () => undefined,
  'while the provider has the request': (orderId) =>
    until('it is being placed', async () => (await placements(orderId)).length > 0),
  'once the provider has made the eSIM': (orderId) =>
    until('it has the order', async () => ((await ordersAt(orderId))['esim-access'] ?? 0) > 0),
  'once the placement is recorded': (orderId) => untilPlacement(orderId, 'provided'),
}

test.each(Object.entries(momentsOfDelivery))(
  'a cancellation during the delivery, %s, leaves the customer either the eSIM or the money',
  { tags: 'long' },
  async (_moment, come) => {
    const { order, cancel } = await at('unpaid')
    await esimAccess.fault({ match: { path: '/esim/order$' }, delayMs: 500, times: 1 })
    await stripe.do('pay', { orderId: order.id })
    await come(order.id)
    const { status } = await cancel()
    const end = await harness.untilOrder(order.id, ['refunded', 'delivered'])
    expect(status).toBe(end.status === 'refunded' ? 200 : 409)
    // All pending returns are done.
    if (end.status === 'refunded') await harness.fastForward(order.id, '1 day')
  },
)

test('a cancellation of the run in Temporal has the effect of the customer’s cancellation', async () => {
  const { order } = await at('unpaid')
  await harness.temporal.workflow.getHandle(orderWorkflowId(order.id)).cancel()
  await harness.untilOrder(order.id, 'cancelled')
  expect(await intentOf(order.id)).toMatchObject({ status: 'canceled' })

  await down('esimAccess')
  const paid = await at('provisioning')
  await harness.temporal.workflow.getHandle(orderWorkflowId(paid.order.id)).cancel()
  expect(await harness.untilOrder(paid.order.id, 'refunded')).toMatchObject({ reason: 'cancelled_by_customer' })
  await esimAccess.clearFaults()

  const delivered = await at('delivered')
  await harness.temporal.workflow.getHandle(orderWorkflowId(delivered.order.id)).cancel()
  await harness.fastForward(delivered.order.id, '1 day')
  expect(await statusEverywhere(delivered.order.id)).toBe('delivered')
})

test('a person cannot cancel orders of other people', async () => {
  const { order } = await at('unpaid')
  const otherPerson = await harness.signUp()
  for (const action of ['cancel', 'refund', 'resend']) {
    expect((await otherPerson.caller.post(`/v1/orders/${order.id}/${action}`)).status).toBe(404)
    expect((await harness.anonymous.post(`/v1/orders/${order.id}/${action}`)).status).toBe(401)
  }
  expect(await statusEverywhere(order.id)).toBe('awaiting_payment')
})
