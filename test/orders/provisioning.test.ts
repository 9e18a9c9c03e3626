/** U2: a paid order is filled once, with any faults of the providers. */
import { expect, test } from 'vitest'
import { mailsTo, pushesTo } from '../harness/checks/messages.ts'
import { always, bothSimulators, esimSimulators, watchPlacements } from '../harness/checks/placements.ts'
import { shareStack } from '../harness/harness.ts'
import type { OrderView } from '../harness/purchases.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until, untilValue } from '../harness/until.ts'

const harness = await shareStack()
const { esimAccess, airalo } = harness.sims
const { placements, ordersAt, untilWaiting, down, attention } = watchPlacements(harness.stack)
const { sql } = harness.stack.context

const subjects = async (email: string) => (await mailsTo(harness.stack, email)).map(({ subject }) => subject)
async function bought(packageCode: string, until = 'provisioning', quantity = 1) {
  const person = await harness.signUp()
  return { person, order: await harness.buy(person, { packageCode, until, quantity }) }
}

// A hanging call takes as long as its time limit: it starts first and is checked last.
const hanging = await Promise.all(
  bothSimulators.map(async (simulator) => {
    const { id, packageCode, ordering } = esimSimulators[simulator]
    await harness.sims[simulator].fault({ match: ordering, hang: 'after' })
    const { order } = await bought(packageCode)
    await until('the order has arrived', async () => (await ordersAt(order.id))[id] === 1)
    return { id, orderId: order.id }
  }),
)

const notApplied = {
  'answers 500': { status: 500 },
  'answers 503': { status: 503 },
  'cuts the connection': { cut: 'before' },
} as const
const cases = bothSimulators.flatMap((simulator) =>
  Object.entries(notApplied).map(([what, fault]) => ({ simulator, what, fault })),
)

test.each(cases)('$simulator $what: the order is retried and filled once', async ({ simulator, fault }) => {
  const { id, packageCode, ordering } = esimSimulators[simulator]
  await harness.sims[simulator].fault({ match: ordering, ...fault })
  const { order } = await bought(packageCode)
  // Airalo does not recognise a repeated request: it is sent only when an earlier one has certainly ended.
  if (simulator === 'airalo') {
    await untilWaiting(order.id)
    await sql`update provider_orders set last_asked_at = last_asked_at - interval '2 minutes' where order_id = ${order.id}`
  }
  await harness.fastForward(order.id, '30 seconds')
  await harness.untilOrder(order.id, 'delivered')
  expect((await ordersAt(order.id))[id]).toBe(1)
})

test.each(bothSimulators)(
  '%s fills an order with a lost reply: the order is found and not repeated',
  async (simulator) => {
    const { id, packageCode, ordering } = esimSimulators[simulator]
    await harness.sims[simulator].fault({ match: ordering, cut: 'after' })
    const { order } = await bought(packageCode, 'delivered', 3)
    expect(order.esims).toHaveLength(3)
    expect((await ordersAt(order.id))[id]).toBe(1)
  },
)

test('a repeated request after a lost reply during the allocation is the same order', { tags: 'long' }, async () => {
  await esimAccess.do('allocation', { polls: 2 })
  await esimAccess.fault({ match: esimSimulators.esimAccess.ordering, cut: 'after' })
  const { order } = await bought(testPackages.onlyEsimAccess, 'delivered')
  expect(await ordersAt(order.id)).toMatchObject({ 'esim-access': 1 })
  await esimAccess.do('allocation', {})
})

/** An order that Airalo has twice, after a lost reply. */
async function copied() {
  await airalo.fault({ match: esimSimulators.airalo.ordering, cut: 'after' })
  await airalo.fault({ match: esimSimulators.airalo.finding, status: 503, times: always })
  const { order } = await bought(testPackages.onlyAiralo)
  await untilWaiting(order.id)
  const [placement] = await placements(order.id)
  const clientRef = placement?.client_ref ?? ''
  const packageCode = 'hallo-mobil-7days-1gb'
  await harness.context.esimProviders.airalo.placeOrder({ clientRef, packageCode, quantity: 1 })
  await airalo.clearFaults()
  return order
}

/** The operator returns the copy by hand. */
async function returnCopy(delivered: OrderView) {
  const { orders } = await airalo.state()
  const [placement] = await placements(delivered.id)
  const ours = orders.filter(({ description }) => description === placement?.client_ref).flatMap(({ iccids }) => iccids)
  const [copy = ''] = ours.filter((iccid) => iccid !== delivered.esims[0].iccid)
  expect(await harness.context.esimProviders.airalo.cancelUnused(copy)).toBe('requested')
}

const tasksOf = async (orderId: string): Promise<{ kind: string; detail: string | null }[]> =>
  harness.context.sql`select kind, detail from attention where subject_id = ${orderId}`

test('the duplicate that Airalo made of a request with a lost reply is returned', async () => {
  const order = await copied()
  await harness.fastForward(order.id, '30 seconds')
  const delivered = await harness.untilOrder(order.id, 'delivered')
  expect(await ordersAt(order.id)).toMatchObject({ airalo: 2 })
  // Airalo's staff decides: it is an operator task.
  expect(await tasksOf(order.id)).toMatchObject([{ kind: 'provider_refund_requested' }])
  const { refunds } = await airalo.state()
  expect(refunds.flatMap(({ iccids }) => iccids)).toHaveLength(1)
  expect(refunds.flatMap(({ iccids }) => iccids)).not.toContain(delivered.esims[0].iccid)
})

test('a duplicate that Airalo does not take back becomes an operator task, and the order is delivered', async () => {
  const order = await copied()
  const refused = { data: [], meta: { message: 'no' } }
  await airalo.fault({ match: { method: 'POST', path: '/v2/refund' }, status: 202, body: refused })
  await harness.fastForward(order.id, '30 seconds')
  const delivered = await harness.untilOrder(order.id, 'delivered')
  expect(await tasksOf(order.id)).toEqual([{ kind: 'provider_order_unreturned', detail: 'refund_refused' }])
  await returnCopy(delivered)
})

test('a duplicate of which Airalo says nothing holds its order for a quarter of an hour; then an operator returns it', {
  tags: 'long',
}, async () => {
  const order = await copied()
  const body = { code: 89, reason: 'Your IP address is not permitted to access the Partner API.' }
  await airalo.fault({ match: { method: 'POST', path: '/v2/refund' }, status: 403, body, times: always })
  await harness.fastForward(order.id, '10 minutes')
  expect(await tasksOf(order.id)).toEqual([])
  await harness.fastForward(order.id, '8 minutes')
  const delivered = await harness.untilOrder(order.id, 'delivered')
  expect(await tasksOf(order.id)).toEqual([{ kind: 'provider_order_unreturned', detail: 'ip_not_allowed' }])
  await airalo.clearFaults()
  await returnCopy(delivered)
})

test('an order waits for an eSIM that is allocated later', async () => {
  await esimAccess.do('allocation', { polls: 3 })
  const { order } = await bought(testPackages.anyProvider, 'delivered')
  expect(await placements(order.id)).toMatchObject([{ provider: 'esim-access', state: 'provided' }])
  await esimAccess.do('allocation', {})
})

test('the customer gets one notice after two minutes that the order takes longer', { tags: 'long' }, async () => {
  await Promise.all(bothSimulators.map(down))
  const { person, order } = await bought(testPackages.anyProvider)
  await harness.fastForward(order.id, '1 minute')
  expect(await subjects(person.email)).toEqual([])
  await harness.fastForward(order.id, '10 minutes')
  await harness.sims.mailbox.do('wait', { to: person.email })
  await Promise.all([esimAccess.clearFaults(), airalo.clearFaults()])
  await harness.fastForward(order.id, '30 seconds')
  await harness.untilOrder(order.id, 'delivered')
  const mails = await untilValue(
    'both mails',
    () => subjects(person.email),
    ({ length }) => length === 2,
  )
  expect(mails).toEqual([expect.stringMatching(/longer/i), expect.stringContaining('ready')])
  const events = (await pushesTo(harness.stack, person.pushToken)).map(({ message }) => message.data?.event)
  expect(events).toEqual(['delayed', 'confirmation'])
})

test.each([33, 34])(
  'an order is filled by the second provider when the first is out of stock (and Airalo’s code %i)',
  async (code) => {
    await esimAccess.do('stock', { packageCode: 'CKH100', out: true })
    const { order } = await bought(testPackages.anyProvider, 'delivered')
    expect(await placements(order.id)).toMatchObject([
      { provider: 'esim-access', state: 'refused', reason: 'out_of_stock' },
      { provider: 'airalo', state: 'provided' },
    ])

    await airalo.do('stock', { packageId: 'hallo-mobil-7days-1gb', out: true, code })
    const nobody = await bought(testPackages.anyProvider, 'refunded')
    expect(nobody.order).toMatchObject({ reason: 'out_of_stock', esims: [], documents: [], refunds: [{ minor: 500 }] })
    expect(await ordersAt(nobody.order.id)).toEqual({ 'esim-access': 0, airalo: 0 })
    await airalo.do('stock', { packageId: 'hallo-mobil-7days-1gb', out: false })
    await esimAccess.do('stock', { packageCode: 'CKH100', out: false })
  },
)

test('an order that is out of stock without a second provider is refunded at once, with a notice', async () => {
  await esimAccess.do('stock', { packageCode: 'CKH100', out: true })
  const { person, order } = await bought(testPackages.onlyEsimAccess, 'refunded')
  expect(order).toMatchObject({ reason: 'out_of_stock', documents: [], refunds: [{ minor: 500 }] })
  await harness.sims.mailbox.do('wait', { to: person.email })
  expect(await subjects(person.email)).toEqual([expect.stringContaining('refund')])
  await esimAccess.do('stock', { packageCode: 'CKH100', out: false })
})

test('an order without balance at its provider is filled by the second one, or becomes an operator task', {
  tags: 'long',
}, async () => {
  await esimAccess.do('balance', { amount: 0 })
  const { order } = await bought(testPackages.anyProvider, 'delivered')
  expect(await ordersAt(order.id)).toEqual({ 'esim-access': 0, airalo: 1 })

  const waiting = await bought(testPackages.onlyEsimAccess)
  await harness.fastForward(waiting.order.id, '20 minutes')
  expect((await harness.service.get(`/v1/orders/${waiting.order.id}`)).body.status).toBe('provisioning')
  expect(await attention('esim-access')).toEqual([{ kind: 'provider_misconfigured', detail: 'no_balance' }])
  await esimAccess.do('balance', { amount: 1_000_000_000 })
  await harness.fastForward(waiting.order.id, '30 seconds')
  await harness.untilOrder(waiting.order.id, 'delivered')
})

test('an order at a provider that fills it and never answers is found after the time limit of the call', {
  tags: 'long',
}, async () => {
  for (const { id, orderId } of hanging) {
    const order = await harness.untilOrder(orderId, 'delivered', { timeoutMs: 40_000 })
    expect(order.esims).toHaveLength(1)
    expect((await ordersAt(orderId))[id]).toBe(1)
  }
})
