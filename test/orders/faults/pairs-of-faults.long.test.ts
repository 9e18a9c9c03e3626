/**
 * U2: paid means delivered or refunded. Pairs of passing faults on every call of an order have no effect on its
 * outcome, for many orders at once.
 */
import { expect, test } from 'vitest'
import { watchPlacements } from '../../harness/checks/placements.ts'
import { openHarness } from '../../harness/harness.ts'
import { type TestPackage, testPackages } from '../../harness/test-packages.ts'
import { until, untilValue } from '../../harness/until.ts'
import { eachOf, impatient, pairs, passing, plantPairs, tooSlow } from './plant-pairs.ts'

const harness = await openHarness(impatient)
const { sql } = harness.stack.context
const { ordersAt, isWaiting } = watchPlacements(harness.stack)

const all = pairs([...passing, tooSlow])

/** The calls of an order, with the pattern that finds the order or eSIM in a request. */
const calls = {
  esimAccess: [
    { path: '/esim/order$', of: '"transactionId":"([^"]+)"' },
    { path: '/esim/query$', of: '"orderNo":"([^"]+)"' },
    { path: '/esim/cancel$', of: '"esimTranNo":"([^"]+)"' },
  ],
  airalo: [
    { method: 'POST', path: '/v2/orders$', of: 'name="description"\\s+(\\S+)' },
    { method: 'GET', path: '/v2/orders/', of: '/v2/orders/(\\d+)' },
    { method: 'POST', path: '/v2/refund$', of: 'name="iccids"\\s+\\["(\\d+)' },
  ],
} as const

/** Waits until Airalo's settling time, which is real time, is over. */
const settle = () => sql`
  update provider_orders set last_asked_at = last_asked_at - interval '2 minutes'
  where provider = 'airalo' and state = 'placing'`

async function filled(packageCode: TestPackage): Promise<string> {
  const { id } = await harness.buy(await harness.signUp(), { packageCode, until: 'provisioning' })
  const status = async (): Promise<string> => (await harness.service.get(`/v1/orders/${id}`)).body.status
  // Airalo answers an order with its eSIMs: one that is only slow is delivered by the first attempt.
  await until('its first attempt is over', async () => (await isWaiting(id)) || (await status()) !== 'provisioning')
  for (let minutes = 0; minutes < 55 && (await status()) === 'provisioning'; minutes += 5) {
    await settle()
    await harness.fastForward(id, '5 minutes')
  }
  await harness.untilOrder(id, 'delivered')
  return id
}

async function givenBack(id: string): Promise<void> {
  await untilValue(
    `${id} is given back`,
    async () => (await harness.service.post(`/v1/orders/${id}/refund`)).status,
    (status) => status === 200,
    { timeoutMs: 60_000, everyMs: 500 },
  )
  await harness.untilOrder(id, 'refunded')
}

test('orders with pairs of faults at every call are delivered with one eSIM each, and refunded with none', {
  timeout: 240_000,
}, async () => {
  await Promise.all([
    plantPairs(harness.sims.esimAccess, calls.esimAccess, all),
    plantPairs(harness.sims.airalo, calls.airalo, all),
  ])
  const packages = all.flatMap(() => [testPackages.onlyEsimAccess, testPackages.onlyAiralo])
  const ids = await eachOf(packages, filled)
  for (const id of ids) {
    const { 'esim-access': access = 0, airalo: air = 0 } = await ordersAt(id)
    expect(access + air, id).toBe(1)
  }
  await harness.checkBooks()
  await eachOf(ids, givenBack)
  await harness.checkBooks()
})
