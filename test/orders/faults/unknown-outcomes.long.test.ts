/**
 * U2 and U3: paid means delivered or refunded, and messages about orders are sent once. An unknown outcome at a
 * provider stays recorded until the provider's own records show it.
 */
import { expect, test } from 'vitest'
import { always, esimSimulators, watchPlacements } from '../../harness/checks/placements.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { testPackages } from '../../harness/test-packages.ts'

const harness = await shareStack()
const { esimAccess, airalo, stripe } = harness.sims
const { placements, ordersAt, untilPlacement, untilWaiting, attention } = watchPlacements(harness.stack)

const ordering = esimSimulators.esimAccess.ordering
const refusal = (errorCode: string) => ({ status: 200, body: { success: false, errorCode, errorMsg: '', obj: null } })
const laterAnswers = {
  'answers 503': { status: 503 },
  'answers 429': { status: 429 },
  'says that it is busy': refusal('900001'),
  'says that there is no stock': refusal('200011'),
  'says that our balance is empty': refusal('200007'),
} as const

async function bought(packageCode: string, until: string | string[] = 'provisioning') {
  const person = await harness.signUp()
  return { person, order: await harness.buy(person, { packageCode, until }) }
}

const cancels = async (): Promise<number> => (await esimAccess.state()).cancels.length

/**
 * An order whose first request is applied and not allocated, with a lost reply, and the answers to the next requests.
 */
async function lostAndThen(packageCode: string, answer: object, times = 1) {
  await esimAccess.do('allocation', { never: true })
  await esimAccess.fault({ match: ordering, cut: 'after' })
  await esimAccess.fault({ match: ordering, ...answer, times })
  const purchase = await bought(packageCode)
  await untilWaiting(purchase.order.id)
  return purchase
}

async function allocated(): Promise<void> {
  await esimAccess.clearFaults()
  await esimAccess.do('allocate')
  await esimAccess.do('allocation', {})
}

test.each(Object.entries(laterAnswers))(
  'an order with a lost reply, and a repeat to which the provider %s, is delivered with one provider order',
  async (_what, answer) => {
    const { order } = await lostAndThen(testPackages.onlyEsimAccess, answer)
    await harness.fastForward(order.id, '20 seconds')
    await allocated()
    await harness.fastForward(order.id, '1 minute')
    await harness.untilOrder(order.id, 'delivered')
    expect(await ordersAt(order.id)).toEqual({ 'esim-access': 1, airalo: 0 })
  },
)

test('the second provider gets no order while the first one may have filled it', async () => {
  const { order } = await lostAndThen(testPackages.anyProvider, refusal('200011'), always)
  await harness.fastForward(order.id, '9 minutes')
  expect(await placements(order.id)).toMatchObject([{ provider: 'esim-access', state: 'placing' }])
  await allocated()
  await harness.fastForward(order.id, '1 minute')
  await harness.untilOrder(order.id, 'delivered')
  expect(await ordersAt(order.id)).toEqual({ 'esim-access': 1, airalo: 0 })
})

test('the second provider fills an order once a lost request to the first one is certainly not applied', async () => {
  await esimAccess.fault({ match: ordering, cut: 'before' })
  await esimAccess.fault({ match: ordering, ...refusal('200011'), times: always })
  const { order } = await bought(testPackages.anyProvider)
  await untilWaiting(order.id)
  const { sql } = harness.stack.context
  await sql`update provider_orders set last_asked_at = last_asked_at - interval '11 minutes' where order_id = ${order.id}`
  await harness.fastForward(order.id, '1 minute')
  await harness.untilOrder(order.id, 'delivered')
  expect(await placements(order.id)).toMatchObject([
    { provider: 'esim-access', state: 'refused', reason: 'out_of_stock' },
    { provider: 'airalo', state: 'provided' },
  ])
  await esimAccess.clearFaults()
})

test('an eSIM of a cancelled order that the provider shows an hour later is returned', async () => {
  const before = await cancels()
  const { person, order } = await lostAndThen(testPackages.onlyEsimAccess, { status: 503 }, always)
  await esimAccess.fault({ match: { path: '/esim/query' }, status: 503, times: 8 })
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/cancel`), 200)
  await harness.untilOrder(order.id, 'refunded')
  await harness.fastForward(order.id, '2 hours')
  expect(await placements(order.id)).toMatchObject([{ state: 'releasing' }])
  await allocated()
  await harness.fastForward(order.id, '3 hours')
  await untilPlacement(order.id, 'released')
  expect((await cancels()) - before).toBe(1)
})

test('an eSIM that its provider does not find for a moment is returned, and does not count as used', async () => {
  const { person, order } = await bought(testPackages.onlyEsimAccess, 'delivered')
  await esimAccess.fault({ match: { path: '/esim/cancel' }, ...refusal('310403') })
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/refund`), 200)
  expect(await harness.untilOrder(order.id, 'refunded')).toMatchObject({ reason: 'returned_unused' })
})

test('an eSIM of a released order that its provider does not find for a moment is returned', async () => {
  const before = await cancels()
  await esimAccess.do('allocation', { never: true })
  const { person, order } = await bought(testPackages.onlyEsimAccess)
  await untilPlacement(order.id, 'placed')
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/cancel`), 200)
  await esimAccess.fault({ match: { path: '/esim/query', contains: '"orderNo"' }, ...refusal('310272'), times: 2 })
  await esimAccess.fault({ match: { path: '/esim/cancel' }, ...refusal('310403'), times: 2 })
  await esimAccess.do('allocate')
  await esimAccess.do('allocation', {})
  await harness.untilOrder(order.id, 'refunded')
  await harness.fastForward(order.id, '1 hour')
  await untilPlacement(order.id, 'released')
  expect((await cancels()) - before).toBe(1)
  expect(await attention(order.id)).toEqual([])
  await esimAccess.clearFaults()
})

const topUp = async (packageCode: string) => {
  const { person, order } = await bought(packageCode, 'delivered')
  return expectStatus(
    await person.caller.post(`/v1/orders/${order.id}/top-up`, { packageCode: testPackages.topUp }),
    201,
  )
}

test('a top-up with a lost reply is not repeated before it can be visible at the provider', async () => {
  const { id } = await topUp(testPackages.onlyAiralo)
  await airalo.fault({ match: { method: 'POST', path: '/orders/topups' }, cut: 'after' })
  const nothing = { data: [], meta: { last_page: 1 } }
  await airalo.fault({ match: { method: 'GET', path: '/orders\\?' }, status: 200, body: nothing })
  await stripe.do('pay', { orderId: id })
  await untilWaiting(id)
  await harness.fastForward(id, '1 minute')
  await harness.untilOrder(id, 'delivered')
  expect(await ordersAt(id)).toMatchObject({ airalo: 1 })
})

test('a top-up with a lost reply and a refused repeat is found as applied', async () => {
  const { id } = await topUp(testPackages.onlyEsimAccess)
  await esimAccess.fault({ match: { path: '/esim/topup' }, cut: 'after' })
  await esimAccess.fault({ match: { path: '/esim/topup' }, ...refusal('200002') })
  await esimAccess.fault({ match: { path: '/esim/query' }, ...refusal('310403'), times: 2 })
  await stripe.do('pay', { orderId: id })
  await untilWaiting(id)
  await harness.fastForward(id, '1 minute')
  await harness.untilOrder(id, 'delivered')
})
