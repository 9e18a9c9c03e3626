/**
 * U2: paid means delivered or refunded. An order that no provider fills within the hour is refunded, and a late eSIM is
 * returned.
 */
import { expect, test } from 'vitest'
import { mailsTo } from '../harness/checks/messages.ts'
import { always, bothSimulators, esimSimulators, watchPlacements } from '../harness/checks/placements.ts'
import { shareStack } from '../harness/harness.ts'
import { testPackages } from '../harness/test-packages.ts'
import { untilValue } from '../harness/until.ts'

const harness = await shareStack()
const { esimAccess, airalo } = harness.sims
const { placements, untilPlacement, ordersAt, untilWaiting, down, attention } = watchPlacements(harness.stack)

const subjects = async (email: string) => (await mailsTo(harness.stack, email)).map(({ subject }) => subject)
async function bought(packageCode: string, until = 'provisioning', quantity = 1) {
  const person = await harness.signUp()
  return { person, order: await harness.buy(person, { packageCode, until, quantity }) }
}

test('an order is refunded automatically, with a notice, when no provider answers for an hour', async () => {
  await Promise.all(bothSimulators.map(down))
  const { person, order } = await bought(testPackages.anyProvider)
  await harness.fastForward(order.id, '59 minutes')
  expect((await harness.service.get(`/v1/orders/${order.id}`)).body.status).toBe('provisioning')
  await harness.fastForward(order.id, '2 minutes')
  const refunded = await harness.untilOrder(order.id, 'refunded')
  expect(refunded).toMatchObject({
    reason: 'not_delivered_in_time',
    esims: [],
    documents: [],
    refunds: [{ minor: 500 }],
  })
  await Promise.all([esimAccess.clearFaults(), airalo.clearFaults()])
  expect(await ordersAt(order.id)).toEqual({ 'esim-access': 0, airalo: 0 })
  await untilValue(
    'both mails',
    () => subjects(person.email),
    ({ length }) => length === 2,
  )
})

test('an eSIM that eSIM Access makes after the refund is returned', async () => {
  await esimAccess.do('allocation', { never: true })
  const { order } = await bought(testPackages.onlyEsimAccess)
  await untilPlacement(order.id, 'placed')
  await down('esimAccess')
  await harness.fastForward(order.id, '61 minutes')
  await harness.untilOrder(order.id, 'refunded')
  await esimAccess.clearFaults()

  await harness.fastForward(order.id, '2 hours')
  expect(await placements(order.id)).toMatchObject([{ state: 'releasing' }])
  expect(await esimAccess.do('allocate', {})).toEqual({ allocated: 1 })
  await harness.fastForward(order.id, '2 hours')
  await untilPlacement(order.id, 'released')
  const { cancels } = await esimAccess.state()
  expect(cancels).toHaveLength(1)
  await esimAccess.do('allocation', {})
})

/** eSIM Access makes three eSIMs after the refund of their order, and shows the first one alone so often. */
async function madeOneByOne(times: number) {
  await esimAccess.do('allocation', { never: true })
  const { order } = await bought(testPackages.onlyEsimAccess, 'provisioning', 3)
  await untilPlacement(order.id, 'placed')
  await down('esimAccess')
  await harness.fastForward(order.id, '61 minutes')
  await harness.untilOrder(order.id, 'refunded')
  await esimAccess.clearFaults()
  const [row] = await harness.context.sql<{ provider_order_no: string }[]>`
    select provider_order_no from provider_orders where order_id = ${order.id}`
  const orderNo = row?.provider_order_no ?? ''
  const made = () =>
    esimAccess.state().then(({ esims }) => esims.filter((each: { orderNo: string }) => each.orderNo === orderNo))
  expect(await esimAccess.do('allocate', { orderNo })).toEqual({ allocated: 1 })
  const esimList = (await made()).slice(0, 1)
  const obj = { esimList, pager: { pageSize: 500, pageNum: 1, total: 1 } }
  const match = { path: '/esim/query', contains: orderNo }
  await esimAccess.fault({ match, status: 200, body: { success: true, errorCode: '0', obj }, times })
  await esimAccess.do('allocation', {})
  return { order, made }
}

test('all eSIMs of an order are returned that eSIM Access makes after the refund, and not all at once', async () => {
  const cancelledBefore = (await esimAccess.state()).cancels.length
  const { order, made } = await madeOneByOne(1)
  await harness.fastForward(order.id, '2 hours')
  await untilPlacement(order.id, 'released')
  expect((await made()).map(({ esimStatus }) => esimStatus)).toEqual(['CANCEL', 'CANCEL', 'CANCEL'])
  expect((await esimAccess.state()).cancels).toHaveLength(cancelledBefore + 3)
  expect(await attention(order.id)).toEqual([])
})

test('an order of which eSIM Access makes some eSIMs later than anybody looks for them is an operator’s', async () => {
  const { order } = await madeOneByOne(always)
  await harness.fastForward(order.id, '30 hours')
  await untilPlacement(order.id, 'released')
  expect(await attention(order.id)).toEqual([{ kind: 'provider_order_unreturned', detail: '1 of 3 eSIMs' }])
  await esimAccess.clearFaults()
})

test('an eSIM that Airalo made of a request with a lost reply is returned by a refund request', async () => {
  await airalo.fault({ match: esimSimulators.airalo.ordering, cut: 'after' })
  await airalo.fault({ match: esimSimulators.airalo.finding, status: 503, times: always })
  const { order } = await bought(testPackages.onlyAiralo)
  await untilWaiting(order.id)
  expect(await placements(order.id)).toMatchObject([{ state: 'placing' }])
  await harness.fastForward(order.id, '61 minutes')
  await harness.untilOrder(order.id, 'refunded')
  await airalo.clearFaults()
  await harness.fastForward(order.id, '1 day')
  await untilPlacement(order.id, 'released')
  expect(await ordersAt(order.id)).toMatchObject({ airalo: 1 })
  expect(await attention(order.id)).toMatchObject([{ kind: 'provider_refund_requested' }])
})

test('a request that did not reach Airalo does not delay the end of the order', async () => {
  await airalo.fault({ match: esimSimulators.airalo.ordering, cut: 'before', times: always })
  const { order } = await bought(testPackages.onlyAiralo)
  await harness.fastForward(order.id, '61 minutes')
  await harness.untilOrder(order.id, 'refunded')
  await harness.fastForward(order.id, '1 hour')
  await untilPlacement(order.id, 'released')
  expect(await ordersAt(order.id)).toMatchObject({ airalo: 0 })
  await airalo.clearFaults()
})
