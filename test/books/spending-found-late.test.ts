/**
 * U6: accounting and tax duties are met. What a provider has sold on a request whose answer was lost counts as bought
 * once it is found, whatever becomes of it: the balance has paid for it.
 */
import { expect, test } from 'vitest'
import type { ProviderOrders, ProviderSpending } from '../../db/connection/schema.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { testPackages } from '../harness/test-packages.ts'
import { untilValue } from '../harness/until.ts'

const harness = await shareStack()
const { sql } = harness.context
const { stripe, esimAccess } = harness.sims
const always = 10_000
const packageCode = testPackages.onlyEsimAccess

async function spent(): Promise<bigint> {
  const [row] = await sql<Pick<ProviderSpending, 'spent_micros'>[]>`
    select spent_micros from provider_spending where provider = 'esim-access'`
  return row?.spent_micros ?? 0n
}

/** The order's hour passes without an answer of its provider, then it is refunded, and the provider answers again. */
async function givenUp(orderId: string): Promise<void> {
  await esimAccess.fault({ match: { path: '/esim/query' }, status: 500, times: always })
  await stripe.do('pay', { orderId })
  await harness.untilOrder(orderId, 'provisioning')
  await harness.fastForward(orderId, '61 minutes')
  await harness.untilOrder(orderId, 'refunded')
  await esimAccess.clearFaults()
  await harness.fastForward(orderId, '2 days')
}

const released = (orderId: string) =>
  untilValue(
    'its placement is released',
    async () =>
      (
        await sql<Pick<ProviderOrders, 'state' | 'reason' | 'expected_cost_micros'>[]>`
        select state, reason, expected_cost_micros from provider_orders where order_id = ${orderId}`
      )[0],
    (placement) => placement?.state === 'released',
  )

test('an order that was made without an answer, and goes back, is counted', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode, pay: false })
  const before = await spent()
  await esimAccess.fault({ match: { path: '/esim/order' }, cut: 'after', times: always })
  await givenUp(order.id)
  const placement = await released(order.id)
  expect(placement?.reason).toBe('given_back')
  expect((await spent()) - before).toBe(placement?.expected_cost_micros)
})

test('a top-up that was applied without an answer is counted', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode })
  const ordered = await person.caller.post(`/v1/orders/${order.id}/top-up`, { packageCode: testPackages.topUp })
  const { id } = expectStatus(ordered, 201)
  const before = await spent()
  await esimAccess.fault({ match: { path: '/esim/topup' }, cut: 'after', times: always })
  await givenUp(id)
  const placement = await released(id)
  expect(placement?.reason).toBe('top_up_applied')
  expect((await spent()) - before).toBe(placement?.expected_cost_micros)
})
