/**
 * U2: paid means delivered or refunded. An order is filled at a price that we have seen, and at no loss beyond the
 * bound of policy/pricing.ts.
 */
import { afterEach, expect, test } from 'vitest'
import { always, esimSimulators, watchPlacements } from '../harness/checks/placements.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { testPackages, testPriceMinor } from '../harness/test-packages.ts'

const harness = await shareStack()
const { esimAccess, airalo, stripe } = harness.sims
const { sql } = harness.stack.context
const { placements, ordersAt, untilWaiting, attention } = watchPlacements(harness.stack)

/** A dollar is 0.92 EUR: the packages are sold at 5.00 EUR, which are 5.43 dollars. */
const dollars = { within: 5, beyond: 6 }
type Price = keyof typeof dollars

const raise = {
  esimAccess: (price: Price, packageCode = 'CKH100') =>
    esimAccess.do('price', { packageCode, price: dollars[price] * 10_000 }),
  airalo: (price: Price, packageId = 'hallo-mobil-7days-1gb') =>
    airalo.do('price', { packageId, netPrice: dollars[price] }),
}
const topUps = { esimAccess: 'TOPUP_CKH100', airalo: 'hallo-mobil-7days-1gb-topup' }
const providers = [
  ['esimAccess', testPackages.onlyEsimAccess],
  ['airalo', testPackages.onlyAiralo],
] as const

afterEach(async () => {
  await sql`delete from attention where kind = 'provider_price_raised'`
})

const bought = async (packageCode: string, until: string) => harness.buy(await harness.signUp(), { packageCode, until })

test.each(providers)(
  '%s: an order after a raised price that its own price covers is delivered',
  async (simulator, packageCode) => {
    await raise[simulator]('within')
    await bought(packageCode, 'delivered')
    expect(await attention(packageCode)).toEqual([])
  },
)

test.each(providers)(
  '%s: an order after a raised price beyond its own is refunded, nothing is bought, and operators are told',
  async (simulator, packageCode) => {
    await raise[simulator]('beyond')
    const { id, reason } = await bought(packageCode, 'refunded')
    expect(reason).toBe('out_of_stock')
    expect(await placements(id)).toMatchObject([{ state: 'refused', reason: 'price_changed' }])
    expect(await attention(packageCode)).toMatchObject([
      { kind: 'provider_price_raised', detail: expect.stringContaining(`cost 552, sold at ${testPriceMinor}`) },
    ])
  },
)

const unanswered = [{ status: 503 }, { status: 500 }, { cut: 'after' }] as const

test.each(providers.flatMap(([simulator]) => unanswered.map((fault) => [simulator, fault] as const)))(
  '%s: an order waits while the provider does not name its price (%j), and is then filled once',
  async (simulator, fault) => {
    const { packageCode, pricing, id: provider } = esimSimulators[simulator]
    const { [simulator]: sim } = harness.sims
    await raise[simulator]('within')
    await sim.fault({ match: pricing, ...fault, times: always })
    const { orders: before } = await sim.state()
    const { id } = await bought(packageCode, 'provisioning')
    await untilWaiting(id)
    expect((await sim.state()).orders).toHaveLength(before.length)
    await sim.clearFaults()
    await harness.fastForward(id, '10 minutes')
    await harness.untilOrder(id, 'delivered')
    expect(await ordersAt(id)).toMatchObject({ [provider]: 1 })
    expect((await sim.state()).orders).toHaveLength(before.length + 1)
  },
)

test('an order whose first provider has raised its price too far is filled by the next one', async () => {
  await raise.esimAccess('beyond')
  await raise.airalo('within')
  const { id } = await bought(testPackages.anyProvider, 'delivered')
  expect((await placements(id)).map(({ provider, state }) => [provider, state])).toEqual([
    ['esim-access', 'refused'],
    ['airalo', 'provided'],
  ])
})

test.each(providers)('%s: a top-up after a raised price beyond its own is refunded', async (simulator, packageCode) => {
  await raise[simulator]('within')
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode })
  await raise[simulator]('beyond', topUps[simulator])
  const body = { packageCode: testPackages.topUp }
  const { id } = expectStatus(await person.caller.post(`/v1/orders/${order.id}/top-up`, body), 201)
  await stripe.do('pay', { orderId: id })
  await harness.untilOrder(id, 'refunded')
  expect(await attention(testPackages.topUp)).toMatchObject([{ kind: 'provider_price_raised' }])
})

test('an order of several packages is compared with the price of all of them', async () => {
  await raise.esimAccess('within')
  await harness.buy(await harness.signUp(), { packageCode: testPackages.onlyEsimAccess, quantity: 2 })
  await raise.esimAccess('beyond')
  const order = { packageCode: testPackages.onlyEsimAccess, quantity: 2, until: 'refunded' }
  await harness.buy(await harness.signUp(), order)
})
