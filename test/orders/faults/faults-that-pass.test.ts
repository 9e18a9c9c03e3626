/** U2: a fault that passes decides nothing. */
import { expect, test } from 'vitest'
import { always, esimParties, watchPlacements } from '../../harness/checks/placements.ts'
import { openHarness } from '../../harness/harness.ts'
import { testPackages } from '../../harness/test-packages.ts'

const harness = await openHarness()
const { esimAccess, airalo } = harness.sims
const { ordersAt, untilWaiting, attention } = watchPlacements(harness.stack)

const ordering = esimParties.esimAccess.ordering
const refusal = (errorCode: string) => ({ status: 200, body: { success: false, errorCode, errorMsg: '', obj: null } })

async function bought(packageCode: string, until = 'provisioning', quantity = 1) {
  return harness.buy(await harness.signUp(), { packageCode, until, quantity })
}

test('a connection that is cut once, then one 503: delivered, once', async () => {
  await esimAccess.fault({ match: ordering, cut: 'before' })
  await esimAccess.fault({ match: ordering, status: 503 })
  const { id } = await bought(testPackages.onlyEsimAccess)
  await harness.fastForward(id, '1 minute')
  await harness.untilOrder(id, 'delivered')
  expect(await ordersAt(id)).toMatchObject({ 'esim-access': 1 })
})

test('an order that its provider does not know for a moment after it was placed: delivered', async () => {
  await esimAccess.fault({ match: { path: '/esim/query' }, ...refusal('310272'), times: 8 })
  const { id } = await bought(testPackages.onlyEsimAccess)
  await harness.fastForward(id, '1 minute')
  await harness.untilOrder(id, 'delivered')
})

test('fewer eSIMs left at Airalo than ordered: out of stock, and the money back', async () => {
  const packageId = 'hallo-mobil-7days-1gb'
  await airalo.do('left', { packageId, quantity: 1 })
  expect(await bought(testPackages.onlyAiralo, 'refunded', 2)).toMatchObject({ reason: 'out_of_stock' })
  await airalo.do('left', { packageId, quantity: null })
  expect(await attention('airalo')).toEqual([])
})

test('a code that nobody has described: delivered once it has passed, and an operator knows', async () => {
  await esimAccess.fault({ match: ordering, ...refusal('299999') })
  const { id } = await bought(testPackages.onlyEsimAccess)
  await harness.fastForward(id, '1 minute')
  await harness.untilOrder(id, 'delivered')
  expect(await attention('esim-access')).toEqual([{ kind: 'provider_misconfigured', detail: 'provider_code_299999' }])
})

test('a refusal that says nothing about stock is no reason to give up', async () => {
  await esimAccess.fault({ match: ordering, ...refusal('200009') })
  const { id } = await bought(testPackages.onlyEsimAccess)
  await harness.fastForward(id, '1 minute')
  await harness.untilOrder(id, 'delivered')
})

test('a provider that asks us to wait for two hours: asked again within the promised one', async () => {
  await esimAccess.fault({ match: ordering, status: 429, headers: { 'Retry-After': '7200' }, times: always })
  const { id } = await bought(testPackages.onlyEsimAccess)
  await untilWaiting(id)
  await harness.fastForward(id, '20 minutes')
  expect((await harness.service.get(`/v1/orders/${id}`)).body.status).toBe('provisioning')
  await esimAccess.clearFaults()
  await harness.fastForward(id, '30 minutes')
  await harness.untilOrder(id, 'delivered')
})
