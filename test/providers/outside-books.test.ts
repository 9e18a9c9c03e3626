/** The books of Stripe and the eSIM providers are read page by page. */
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { milliseconds } from '../../policy/periods.ts'
import { createAiralo } from '../../providers/airalo/airalo.ts'
import type { EsimProvider, ListedOrder } from '../../providers/esim.ts'
import { createEsimAccess } from '../../providers/esim-access/esim-access.ts'
import { createStripe } from '../../providers/stripe/stripe.ts'
import { portOf } from '../../shared/process/listen.ts'
import { startAiralo } from '../../sim/airalo.ts'
import { controlOf } from '../../sim/control.ts'
import { startEsimAccess } from '../../sim/esim-access.ts'
import { startStripe } from '../../sim/stripe.ts'

const secret = 'planted'
const { day: dayMs } = milliseconds
const now = Date.now()
const between = { from: new Date(now - 10 * dayMs).toISOString(), to: new Date(now + dayMs).toISOString() }

async function all<Item>(pages: AsyncGenerator<Item[]>): Promise<Item[]> {
  const items: Item[] = []
  for await (const page of pages) items.push(...page)
  return items
}

async function stripeWorld() {
  const simulator = await startStripe({ secretKey: secret, webhookSecret: secret })
  onTestFinished(() => simulator.stop())
  const settings = { secretKey: secret, webhookSecret: secret, publishableKey: secret, apiBase: simulator.url }
  return { sim: controlOf(simulator), stripe: createStripe(settings) }
}

const payments = (count: number, created: number, change: object = {}) =>
  Array.from({ length: count }, () => ({
    amount: 1000,
    currency: 'eur',
    metadata: { order_id: randomUUID(), mark: 'm' },
    created: Math.floor(created / 1000),
    ...change,
  }))

test('Stripe: payments come in pages with what was refunded, older ones by their refunds', async () => {
  const { sim, stripe } = await stripeWorld()
  await sim.do('plant', { payments: payments(250, now - 2 * dayMs) })
  await sim.do('plant', { payments: payments(3, now - 3 * dayMs, { refunded: 400 }) })
  const { planted } = await sim.do('plant', { payments: payments(1, now - 30 * dayMs) })
  const old = planted[0]?.paymentIntent ?? ''
  const from = new Date(now - 10 * dayMs)
  const to = new Date(now + dayMs)
  const listed = await all(stripe.bookedPayments(from, to))
  expect(listed).toHaveLength(253)
  expect(listed.filter(({ refundedMinor }) => refundedMinor === 400)).toHaveLength(3)
  expect(listed[0]).toMatchObject({ receivedMinor: 1000, currency: 'EUR', mark: 'm' })
  expect(await all(stripe.olderPaymentsRefunded(from, to))).toEqual([])
  await stripe.refund({ paymentIntentId: old, amountMinor: 300, idempotencyKey: 'k', reasonCode: '', lookFirst: false })
  expect(await all(stripe.olderPaymentsRefunded(from, to))).toMatchObject([
    { paymentIntentId: old, refundedMinor: 300 },
  ])
  expect(await stripe.bookedPayment(old)).toMatchObject({ refundedMinor: 300 })
})

test('Stripe: a payment of another application that no charge has paid keeps none of ours out', async () => {
  const { sim, stripe } = await stripeWorld()
  const { planted } = await sim.do('plant', { payments: payments(1, now - dayMs) })
  const headers = { authorization: `Bearer ${secret}` }
  const url = `${sim.url}/v1/payment_intents?expand[]=data.latest_charge`
  const list = JSON.parse(await (await fetch(url, { headers })).text())
  const [ours] = list.data
  const match = { method: 'GET', path: '/v1/payment_intents\\?' }
  const foreign = { ...ours, id: 'pi_of_another', metadata: {}, latest_charge: null }
  await sim.fault({ match, status: 200, body: { ...list, data: [foreign, ours] } })
  const booked = () => all(stripe.bookedPayments(new Date(now - 10 * dayMs), new Date(now + dayMs)))
  expect((await booked()).map((each) => each.paymentIntentId)).toEqual(planted.map((each) => each.paymentIntent))
  // Without the charge of one of ours nobody knows what was refunded.
  await sim.fault({ match, status: 200, body: { ...list, data: [{ ...ours, latest_charge: null }] } })
  await expect(booked()).rejects.toMatchObject({ kind: 'unavailable' })
})

test('Stripe: the balance is the net of its transactions, and a payout that of what it paid out', async () => {
  const { sim, stripe } = await stripeWorld()
  await sim.do('plant', { payments: payments(120, now, { refunded: 100 }) })
  const { planted } = await sim.do('plant', { payments: payments(1, now, { disputed: true }) })
  const net = async () =>
    (await all(stripe.transactionsCreated(undefined, undefined))).reduce((sum, { netMinor }) => sum + netMinor, 0)
  // Fee of 1.5 % and 0.25, as docs.stripe.com/pricing has it for European cards; 20.00 for the dispute.
  expect(await net()).toBe(120 * (1000 - 40 - 100) + (1000 - 40 - 1000 - 2000))
  expect(await stripe.balances()).toEqual(new Map([['EUR', await net()]]))
  await sim.do('close-dispute', { paymentIntent: planted[0]?.paymentIntent, outcome: 'won' })
  const { payouts } = await sim.do('pay-out', { early: true, parts: 2 })
  expect(await stripe.balances()).toEqual(new Map([['EUR', 0]]))
  const listed = await all(stripe.bookedPayouts(new Date(now - dayMs), new Date(now + dayMs)))
  expect(listed.map(({ payoutId }) => payoutId).sort()).toEqual(payouts.toSorted())
  for (const { payoutId, amountMinor } of listed) expect(await stripe.paidOutMinor(payoutId)).toBe(amountMinor)
  await sim.do('plant', { payments: payments(1, now) })
  const [wrong] = (await sim.do('pay-out', { early: true, differsBy: 5 })).payouts
  expect(await stripe.paidOutMinor(wrong ?? '')).toBe(960)
  expect(await stripe.balances()).toEqual(new Map([['EUR', -5]]))
})

async function airaloWorld() {
  const simulator = await startAiralo({ clientId: secret, clientSecret: secret, webhookUrl: '' })
  onTestFinished(() => simulator.stop())
  const settings = { baseUrl: `${simulator.url}/v2`, clientId: secret, clientSecret: secret, timeoutMs: 20_000 }
  return { sim: controlOf(simulator), provider: createAiralo(settings), packageId: 'moshi-moshi-7days-1gb' }
}

const byReference = (orders: readonly ListedOrder[], reference: string) =>
  orders.filter(({ clientRef }) => clientRef === reference)

async function placeAndTopUp(provider: EsimProvider, packageCode: string, topUpCode: string): Promise<void> {
  const { orderNo } = await provider.placeOrder({ clientRef: 'one', packageCode, quantity: 2 })
  const [esim] = await provider.getEsims(orderNo)
  await provider.topUp({ clientRef: 'two', esimRef: esim?.esimRef ?? '', packageCode: topUpCode })
}

test('Airalo: orders and top-ups with their net price, over pages of 100, of the days asked for', async () => {
  const { sim, provider, packageId } = await airaloWorld()
  const created = (days: number) => ({ packageId, createdAt: now - days * dayMs })
  const many = Array.from({ length: 230 }, (_, index) => ({ ...created(2), description: `many-${index}` }))
  await sim.do('plant', {
    orders: [...many, { ...created(40), description: 'old' }, { ...created(1), description: 'back', refunded: true }],
  })
  await placeAndTopUp(provider, packageId, `${packageId}-topup`)
  const listed = await all(provider.listOrders(between))
  expect(new Set(listed.map(({ orderNo }) => orderNo)).size).toBe(233)
  expect(byReference(listed, 'old')).toEqual([])
  expect(byReference(listed, 'back')).toMatchObject([{ alive: false, endedUnused: true }])
  const packages = await provider.listPackages()
  const priceOf = (code: string) => packages.find((each) => each.code === code)?.costMicros
  expect(byReference(listed, 'one')).toMatchObject([
    { kind: 'order', alive: true, unitCostMicros: priceOf(packageId), costCurrency: 'USD' },
  ])
  expect(byReference(listed, 'two')).toMatchObject([{ kind: 'top_up', unitCostMicros: priceOf(`${packageId}-topup`) }])
})

test('Airalo: an order as the documented example has it, without a net price and with a description of null', async () => {
  const example = {
    id: 9647,
    created_at: '2023-02-27 08:30:14',
    code: '20230227-009647',
    description: null,
    type: 'sim',
    package_id: 'kallur-digital-7days-1gb',
    quantity: 1,
    price: '9.50',
    currency: 'USD',
    status: { name: 'Completed', slug: 'completed' },
  }
  const server = createServer((request, response) => {
    const isToken = request.url?.endsWith('/token')
    const data = isToken ? { access_token: 't', expires_in: 86_400 } : [example, { ...example, status: null }]
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ data, meta: { last_page: 1 } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const baseUrl = `http://127.0.0.1:${portOf(server)}`
  const provider = createAiralo({ baseUrl, clientId: secret, clientSecret: secret, timeoutMs: 5_000 })
  const order = { orderNo: '9647', clientRef: null, unitCostMicros: null, createdAt: '2023-02-27T08:30:14.000Z' }
  expect(await all(provider.listOrders(between))).toMatchObject([
    { ...order, alive: true },
    { ...order, alive: null },
  ])
})

test('eSIM Access: orders and top-ups of the time asked for, over pages of 500', async () => {
  const simulator = await startEsimAccess({ accessCode: secret, secretKey: secret, webhookUrl: '' })
  onTestFinished(() => simulator.stop())
  const settings = { baseUrl: `${simulator.url}/api/v1/open`, accessCode: secret, secretKey: secret, timeoutMs: 20_000 }
  const provider = createEsimAccess(settings)
  const created = (days: number) => ({ packageCode: 'JP_1_7', createdAt: now - days * dayMs })
  const many = Array.from({ length: 700 }, (_, index) => ({ ...created(2), transactionId: `many-${index}` }))
  await controlOf(simulator).do('plant', {
    orders: [
      ...many,
      { ...created(40), transactionId: 'old' },
      { ...created(1), transactionId: 'back', cancelled: true },
    ],
  })
  const [topUp] = (await provider.listPackages()).filter(
    ({ kind, destinations }) => kind === 'top_up' && destinations[0] === 'JP',
  )
  await placeAndTopUp(provider, 'JP_1_7', topUp?.code ?? '')
  const listed = await all(provider.listOrders(between))
  expect(new Set(listed.map(({ clientRef }) => clientRef)).size).toBe(703)
  expect(byReference(listed, 'old')).toEqual([])
  expect(byReference(listed, 'back')).toMatchObject([{ alive: false, endedUnused: true }])
  // Once for each of its two eSIMs; no price is documented.
  expect(byReference(listed, 'one')).toMatchObject(Array(2).fill({ kind: 'order', alive: true, unitCostMicros: null }))
  expect(byReference(listed, 'two')).toMatchObject([{ kind: 'top_up' }])
})
