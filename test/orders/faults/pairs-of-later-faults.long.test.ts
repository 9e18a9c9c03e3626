/**
 * U2: paid means delivered or refunded. Pairs of passing faults on every call of a top-up, of a refund and of a
 * cancellation have no effect on its outcome.
 */
import { expect, test } from 'vitest'
import type { Orders } from '../../../db/connection/schema.ts'
import { openHarness } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { eachProvider, testPackages } from '../../harness/test-packages.ts'
import { eachOf, impatient, missingAtStripe, pairs, passing, plantPairs, shifted, tooSlow } from './plant-pairs.ts'

const harness = await openHarness(impatient)
const { sims, service } = harness
const { sql } = harness.stack.context

const stripePairs = pairs([...passing, tooSlow, missingAtStripe])

const status = async (id: string): Promise<string> => (await service.get(`/v1/orders/${id}`)).body.status

/** Lets an order's time pass, the promised hour at most. */
async function untilWithinTheHour(id: string, wanted: string[]): Promise<void> {
  for (let minutes = 0; minutes < 55 && !wanted.includes(await status(id)); minutes += 5) {
    // Airalo's settling time is real time.
    await sql`update provider_orders set last_asked_at = last_asked_at - interval '2 minutes'
      where order_id = ${id} and provider = 'airalo' and state = 'placing'`
    await harness.fastForward(id, '5 minutes')
  }
  await harness.untilOrder(id, wanted)
}

async function paymentOf(orderId: string): Promise<string> {
  const [order] = await sql<Pick<Orders, 'payment_intent_id'>[]>`
    select payment_intent_id from orders where id = ${orderId}`
  return order?.payment_intent_id ?? ''
}

/** Gives each order another pair of faults at each of Stripe's calls about its payment. */
async function plantAtStripe(orderIds: string[]): Promise<void> {
  for (const [number, orderId] of orderIds.entries()) {
    const payment = await paymentOf(orderId)
    const calls = [
      { method: 'POST', path: '/v1/refunds$', contains: payment },
      { method: 'GET', path: `/v1/refunds\\?.*${payment}` },
      { method: 'GET', path: `/v1/payment_intents/${payment}` },
      { method: 'POST', path: `/v1/payment_intents/${payment}/cancel` },
    ]
    for (const [at, match] of calls.entries())
      for (const fault of shifted(stripePairs, number, at)) await sims.stripe.fault({ ...fault, match })
  }
}

const topUpCalls = {
  esimAccess: [
    { path: '/esim/topup$', of: '"transactionId":"([^"]+)"' },
    { path: '/esim/query$', of: '"esimTranNo":"([^"]+)"' },
  ],
  airalo: [
    { method: 'POST', path: '/v2/orders/topups$', of: 'name="description"\\s+(\\S+)' },
    { method: 'GET', path: '/v2/orders\\?', of: 'description%5D=([^&]+)' },
  ],
} as const

test.each(eachProvider)(
  '%s: top-ups with pairs of faults at every call are applied once',
  {
    timeout: 240_000,
  },
  async (simulator, packageCode) => {
    const all = pairs([...passing, tooSlow])
    const buyers = await eachOf(all, async () => {
      const person = await harness.signUp()
      return { person, parent: await harness.buy(person, { packageCode }) }
    })
    await plantPairs(sims[simulator], topUpCalls[simulator], all)
    const ids = await eachOf(buyers, async ({ person, parent }) => {
      const body = { packageCode: testPackages.topUp }
      const { id } = expectStatus(await person.caller.post(`/v1/orders/${parent.id}/top-up`, body), 201)
      await sims.stripe.do('pay', { orderId: id })
      await untilWithinTheHour(id, ['delivered'])
      return id
    })
    await sims[simulator].clearFaults()
    const made = await sql<{ client_ref: string }[]>`
    select client_ref from provider_orders where order_id in ${sql(ids)} and state = 'provided'`
    expect(made).toHaveLength(ids.length)
    await harness.checkBooks()
  },
)

test('unused orders with pairs of faults at every call of Stripe are refunded once', {
  timeout: 240_000,
}, async () => {
  const ids = await eachOf(stripePairs, async () => {
    return (await harness.buy(await harness.signUp(), { packageCode: testPackages.onlyEsimAccess })).id
  })
  await plantAtStripe(ids)
  await eachOf(ids, async (id) => {
    expectStatus(await service.post(`/v1/orders/${id}/refund`), 200)
    await untilWithinTheHour(id, ['refunded'])
  })
  await harness.checkBooks()
})

test('orders with pairs of faults at every call of Stripe are cancelled, or delivered if they were paid before', {
  timeout: 240_000,
}, async () => {
  const made = await eachOf(stripePairs, async () => (await harness.buy(await harness.signUp(), { pay: false })).id)
  await plantAtStripe(made)
  await eachOf(made.entries(), async ([number, id]) => {
    const isPaid = number % 2 === 1
    if (isPaid) await sims.stripe.do('pay', { orderId: id })
    const { status: answered } = await service.post(`/v1/orders/${id}/cancel`)
    expect([200, 409, 503]).toContain(answered)
    await untilWithinTheHour(id, isPaid ? ['refunded', 'delivered'] : ['cancelled'])
  })
  await harness.checkBooks()
})

test('a payment is taken although Stripe asks us for a while to come back in two hours', async () => {
  const { id } = await harness.buy(await harness.signUp(), { pay: false })
  const match = { method: 'GET', path: `/v1/payment_intents/${await paymentOf(id)}` }
  await sims.stripe.fault({ match, status: 429, headers: { 'Retry-After': '7200' }, times: 12 })
  await sims.stripe.do('pay', { orderId: id })
  // Each fast-forward makes one more attempt at once.
  await harness.fastForward(id, '10 minutes')
  await harness.untilOrder(id, 'delivered', { timeoutMs: 20_000 })
})
