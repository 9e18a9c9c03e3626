/** U2: paid means delivered or refunded. A passing fault has no effect on an order's outcome. */
import { expect, test } from 'vitest'
import { always, esimSimulators, watchPlacements } from '../../harness/checks/placements.ts'
import { shareStack } from '../../harness/harness.ts'
import { testPackages } from '../../harness/test-packages.ts'

const harness = await shareStack()
const { esimAccess, airalo } = harness.sims
const { ordersAt, untilWaiting, attention } = watchPlacements(harness.stack)

const ordering = esimSimulators.esimAccess.ordering
const refusal = (errorCode: string) => ({ status: 200, body: { success: false, errorCode, errorMsg: '', obj: null } })

async function bought(packageCode: string, until = 'provisioning', quantity = 1) {
  return harness.buy(await harness.signUp(), { packageCode, until, quantity })
}

test('an order is delivered once after a lost connection and a 503', async () => {
  await esimAccess.fault({ match: ordering, cut: 'before' })
  await esimAccess.fault({ match: ordering, status: 503 })
  const { id } = await bought(testPackages.onlyEsimAccess)
  await harness.fastForward(id, '1 minute')
  await harness.untilOrder(id, 'delivered')
  expect(await ordersAt(id)).toMatchObject({ 'esim-access': 1 })
})

test('an order is delivered when the provider does not find it for a moment after it was placed', async () => {
  await esimAccess.fault({ match: { path: '/esim/query' }, ...refusal('310272'), times: 8 })
  const { id } = await bought(testPackages.onlyEsimAccess)
  await harness.fastForward(id, '1 minute')
  await harness.untilOrder(id, 'delivered')
})

test('an order of more eSIMs than Airalo has left is refunded as out of stock', async () => {
  const packageId = 'hallo-mobil-7days-1gb'
  await airalo.do('left', { packageId, quantity: 1 })
  expect(await bought(testPackages.onlyAiralo, 'refunded', 2)).toMatchObject({ reason: 'out_of_stock' })
  await airalo.do('left', { packageId, quantity: null })
  expect(await attention('airalo')).toEqual([])
})

test('an undocumented code of a provider becomes an operator task, and the order is delivered once it has passed', async () => {
  await esimAccess.fault({ match: ordering, ...refusal('299999') })
  const { id } = await bought(testPackages.onlyEsimAccess)
  await harness.fastForward(id, '1 minute')
  await harness.untilOrder(id, 'delivered')
  expect(await attention('esim-access')).toEqual([{ kind: 'provider_misconfigured', detail: 'provider_code_299999' }])
})

test('an order is retried after a refusal that is not about stock', async () => {
  await esimAccess.fault({ match: ordering, ...refusal('200009') })
  const { id } = await bought(testPackages.onlyEsimAccess)
  await harness.fastForward(id, '1 minute')
  await harness.untilOrder(id, 'delivered')
})

test('a provider’s Retry-After of two hours does not delay the retry beyond the promised hour', async () => {
  await esimAccess.fault({ match: ordering, status: 429, headers: { 'Retry-After': '7200' }, times: always })
  const { id } = await bought(testPackages.onlyEsimAccess)
  await untilWaiting(id)
  await harness.fastForward(id, '20 minutes')
  expect((await harness.service.get(`/v1/orders/${id}`)).body.status).toBe('provisioning')
  await esimAccess.clearFaults()
  await harness.fastForward(id, '30 minutes')
  await harness.untilOrder(id, 'delivered')
})
