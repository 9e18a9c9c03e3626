/** U2: what nobody fills within the hour is refunded, and whatever comes of it later is given back. */
import { expect, test } from 'vitest'
import { mailsTo } from '../harness/checks/messages.ts'
import { always, bothParties, esimParties, watchPlacements } from '../harness/checks/placements.ts'
import { openStack } from '../harness/harness.ts'
import { shelf } from '../harness/test-packages.ts'
import { untilValue } from '../harness/until.ts'

const rig = await openStack()
const { esimAccess, airalo } = rig.sims
const { placements, untilPlacement, ordersAt, untilWaiting, down, attention } = watchPlacements(rig.stack)

const subjects = async (email: string) => (await mailsTo(rig.stack, email)).map(({ subject }) => subject)
async function bought(packageCode: string, until = 'provisioning', quantity = 1) {
  const person = await rig.signUp()
  return { person, order: await rig.buy(person, { packageCode, until, quantity }) }
}

test('nobody answers for an hour: refunded by itself, told, and nothing ordered', async () => {
  await Promise.all(bothParties.map(down))
  const { person, order } = await bought(shelf.anyProvider)
  await rig.fastForward(order.id, '59 minutes')
  expect((await rig.service.get(`/v1/orders/${order.id}`)).body.status).toBe('provisioning')
  await rig.fastForward(order.id, '2 minutes')
  const refunded = await rig.untilOrder(order.id, 'refunded')
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

test('what eSIM Access makes after the refund is given back', async () => {
  await esimAccess.do('allocation', { never: true })
  const { order } = await bought(shelf.onlyEsimAccess)
  await untilPlacement(order.id, 'placed')
  await down('esimAccess')
  await rig.fastForward(order.id, '61 minutes')
  await rig.untilOrder(order.id, 'refunded')
  await esimAccess.clearFaults()

  await rig.fastForward(order.id, '2 hours')
  expect(await placements(order.id)).toMatchObject([{ state: 'releasing' }])
  expect(await esimAccess.do('allocate', {})).toEqual({ allocated: 1 })
  await rig.fastForward(order.id, '2 hours')
  await untilPlacement(order.id, 'released')
  const { cancels } = (await esimAccess.books()) as unknown as { cancels: unknown[] }
  expect(cancels).toHaveLength(1)
  await esimAccess.do('allocation', {})
})

test('what Airalo made of a request whose reply was lost is given back, and its people are asked for our money', async () => {
  await airalo.fault({ match: esimParties.airalo.ordering, cut: 'after' })
  await airalo.fault({ match: { method: 'GET' }, status: 503, times: always })
  const { order } = await bought(shelf.onlyAiralo)
  await untilWaiting(order.id)
  await rig.fastForward(order.id, '61 minutes')
  await rig.untilOrder(order.id, 'refunded')
  await airalo.clearFaults()
  await rig.fastForward(order.id, '1 day')
  await untilPlacement(order.id, 'released')
  expect(await ordersAt(order.id)).toMatchObject({ airalo: 1 })
  expect(await attention(order.id)).toMatchObject([{ kind: 'provider_refund_requested' }])
})

test('a request that never reached Airalo holds nothing up', async () => {
  await airalo.fault({ match: esimParties.airalo.ordering, cut: 'before', times: always })
  const { order } = await bought(shelf.onlyAiralo)
  await rig.fastForward(order.id, '61 minutes')
  await rig.untilOrder(order.id, 'refunded')
  await rig.fastForward(order.id, '1 hour')
  await untilPlacement(order.id, 'released')
  expect(await ordersAt(order.id)).toMatchObject({ airalo: 0 })
  await airalo.clearFaults()
})
