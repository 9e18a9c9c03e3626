/**
 * U2 and U3: an eSIM is one customer's. What a provider gives out a second time is neither delivered a second time nor
 * taken from whom it belongs to.
 */
import { expect, test } from 'vitest'
import type { ProviderOrders } from '../../db/connection/schema.ts'
import { always, bothSimulators, esimSimulators, watchPlacements } from '../harness/checks/placements.ts'
import { shareStack } from '../harness/harness.ts'
import type { OrderView } from '../harness/purchases.ts'
import type { EsimSimulator } from '../harness/test-packages.ts'

const harness = await shareStack()
const { sims } = harness
const { untilPlacement, untilWaiting, attention } = watchPlacements(harness.stack)

/** The provider shows the eSIM of one order as that of each other one. */
const shows: Record<EsimSimulator, (order: OrderView) => Promise<void>> = {
  async esimAccess(order) {
    const [{ iccid, activationCode: ac }] = order.esims
    const { esims } = await sims.esimAccess.state()
    const { esimTranNo } = esims.find((each) => each.iccid === iccid) ?? {}
    const esim = { esimTranNo, orderNo: 'B1', iccid, ac, esimStatus: 'GOT_RESOURCE', smdpStatus: 'RELEASED' }
    const obj = { esimList: [esim] }
    const match = { path: '/esim/query', contains: '"orderNo"' }
    await sims.esimAccess.fault({ match, status: 200, body: { success: true, errorCode: '0', obj }, times: always })
  },
  async airalo(order) {
    const [{ iccid, activationCode: qrcode }] = order.esims
    const match = { method: 'GET', path: '/v2/orders/\\d+\\?include=sims' }
    const body = { data: { sims: [{ iccid, qrcode }] } }
    await sims.airalo.fault({ match, status: 200, body, times: always })
  },
}

/** Whether the provider was asked to take an eSIM back. */
const wentBack: Record<EsimSimulator, (iccid: string) => Promise<boolean>> = {
  async esimAccess(iccid) {
    const { esims, cancels } = await sims.esimAccess.state()
    const { esimTranNo } = esims.find((each) => each.iccid === iccid) ?? {}
    return cancels.some((each) => each.esimTranNo === esimTranNo)
  },
  async airalo(iccid) {
    const { refunds } = await sims.airalo.state()
    return refunds.some(({ iccids }) => iccids.includes(iccid))
  },
}

test.each(bothSimulators)('U2: %s gives one eSIM to two orders: it stays the first one’s', async (simulator) => {
  const { packageCode } = esimSimulators[simulator]
  const first = await harness.buy(await harness.signUp(), { packageCode })
  const [{ iccid }] = first.esims
  await shows[simulator](first)
  const second = await harness.buy(await harness.signUp(), { packageCode, until: 'provisioning' })
  await untilWaiting(second.id)
  expect(await attention(second.id)).toMatchObject([{ kind: 'esim_sold_twice' }])

  await harness.fastForward(second.id, '61 minutes')
  const refunded = await harness.untilOrder(second.id, 'refunded')
  expect(refunded).toMatchObject({ reason: 'not_delivered_in_time', esims: [] })
  await harness.fastForward(second.id, '30 hours')
  await untilPlacement(second.id, 'released')
  expect(await wentBack[simulator](iccid)).toBe(false)
  expect((await attention(second.id)).map(({ kind }) => kind).sort()).toEqual([
    'esim_sold_twice',
    'provider_order_unreturned',
  ])
  await sims[simulator].clearFaults()
  expect(await harness.service.get(`/v1/orders/${first.id}`)).toMatchObject({ body: { status: 'delivered' } })
})

test('U2: one eSIM that eSIM Access lists three times is not three: the others are looked for, and an operator’s', async () => {
  const { esimAccess } = sims
  const { packageCode } = esimSimulators.esimAccess
  await esimAccess.do('allocation', { never: true })
  const order = await harness.buy(await harness.signUp(), { packageCode, quantity: 3, until: 'provisioning' })
  await untilPlacement(order.id, 'placed')
  await esimAccess.fault({ match: { path: '/esim/query' }, status: 503, times: always })
  const [row] = await harness.context.sql<Pick<ProviderOrders, 'provider_order_no'>[]>`
    select provider_order_no from provider_orders where order_id = ${order.id}`
  const orderNo = row?.provider_order_no ?? ''
  await esimAccess.do('allocate', { orderNo })
  const { esims } = await esimAccess.state()
  const listed = Array(3).fill(esims.find((each) => each.orderNo === orderNo))
  await esimAccess.clearFaults()
  const match = { path: '/esim/query', contains: orderNo }
  const body = { success: true, errorCode: '0', obj: { esimList: listed, pager: { total: 3 } } }
  await esimAccess.fault({ match, status: 200, body, times: always })

  await harness.fastForward(order.id, '61 minutes')
  expect(await harness.untilOrder(order.id, 'refunded')).toMatchObject({ reason: 'not_delivered_in_time' })
  await harness.fastForward(order.id, '30 hours')
  await untilPlacement(order.id, 'released')
  expect(await attention(order.id)).toEqual([{ kind: 'provider_order_unreturned', detail: '1 of 3 eSIMs' }])
  await esimAccess.clearFaults()
  await esimAccess.do('allocation', {})
})
