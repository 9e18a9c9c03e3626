/** Every list of an outside party is read to its end, and the simulators page as the parties document it. */
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { createAiralo } from '../../providers/airalo/airalo.ts'
import { createEsimAccess } from '../../providers/esim-access/esim-access.ts'
import { signRequest } from '../../providers/esim-access/wire.ts'
import { createStripe } from '../../providers/stripe/stripe.ts'
import { portOf } from '../../shared/process/listen.ts'
import { controlOf } from '../../sim/control.ts'
import { startEsimAccess } from '../../sim/esim-access.ts'
import { startStripe } from '../../sim/stripe.ts'
import { withId } from '../harness/http.ts'

const secret = 'planted'
const stripeAt = (apiBase: string) =>
  createStripe({
    secretKey: secret,
    webhookSecret: secret,
    publishableKey: secret,
    apiBase,
    redactionApiVersion: '2026-06-24.preview',
  })

/** Answers each request as `answer` says. @returns its address */
async function serve(answer: (url: URL, request: IncomingMessage) => unknown | Promise<unknown>): Promise<string> {
  const server = createServer(async (request, response) => {
    const body = await answer(new URL(request.url ?? '/', 'http://any'), request)
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${portOf(server)}`
}

const many = 250
const details = { due_by: null, has_evidence: false, submission_count: 0, past_due: false }
const money = { amount: 1, currency: 'eur', created: 1, charge: 'ch_1', payment_intent: 'pi_1' }

/** By the list: what one of its items has, and how it is read. */
const lists: Record<string, [item: object, read: (stripe: ReturnType<typeof stripeAt>) => Promise<unknown[]>]> = {
  'the refunds of a payment': [
    { object: 'refund', status: 'succeeded', metadata: {}, ...money },
    (stripe) => stripe.listRefunds('pi_1'),
  ],
  'the disputes of a payment': [
    { object: 'dispute', status: 'lost', reason: 'general', evidence_details: details, ...money },
    (stripe) => stripe.listDisputes('pi_1'),
  ],
  'the fraud warnings about a payment': [
    { object: 'radar.early_fraud_warning', actionable: false, fraud_type: 'misc', ...money },
    (stripe) => stripe.listFraudWarnings('pi_1'),
  ],
  'the cards of a customer': [
    { object: 'payment_method', card: { brand: 'visa', last4: '4242', exp_month: 1, exp_year: 2030 } },
    (stripe) => stripe.listSavedCards('cus_1'),
  ],
  'the faults of a redaction': [
    { object: 'privacy.redaction_job_validation_error', code: 'invalid_state' },
    async (stripe) => (await stripe.getRedaction('prj_1')).problems,
  ],
}

test.each(Object.entries(lists))('Stripe: %s are read over pages of 100', async (_what, [item, read]) => {
  const items = Array.from({ length: many }, (_, index) => ({ id: `x_${index}`, ...item }))
  // docs.stripe.com/api/pagination
  const address = await serve(({ pathname, searchParams }) => {
    if (pathname.endsWith('/prj_1')) return { id: 'prj_1', object: 'privacy.redaction_job', status: 'failed' }
    const limit = Number(searchParams.get('limit') ?? 10)
    expect(limit).toBeLessThanOrEqual(100)
    const start = items.findIndex(({ id }) => id === searchParams.get('starting_after')) + 1
    const data = items.slice(start, start + limit)
    return { object: 'list', data, has_more: start + limit < items.length, url: pathname }
  })
  expect(await read(stripeAt(address))).toHaveLength(many)
})

test('no list of Stripe is asked for without the place of a page', () => {
  const folder = new URL('../../providers/stripe/', import.meta.url)
  const calls = readdirSync(folder).flatMap((name) => {
    const source = readFileSync(new URL(name, folder), 'utf8')
    return [...source.matchAll(/sdk[\w.]*\.list\w*\([^)]*/g)].map(([call]) => `${name}: ${call}`)
  })
  expect(calls.length).toBeGreaterThan(10)
  expect(calls.filter((call) => !/\.\.\.(page|at)\b/.test(call))).toEqual([])
})

test('eSIM Access: an order is read to its end, also when the provider makes smaller pages than it was asked for', async () => {
  const simulator = await startEsimAccess({ accessCode: secret, secretKey: secret, webhookUrl: '' })
  onTestFinished(() => simulator.stop())
  const largest = 10
  const address = await serve(async ({ pathname }, request) => {
    const asked = JSON.parse(await text(request))
    if (asked.pager) asked.pager.pageSize = Math.min(asked.pager.pageSize, largest)
    const body = JSON.stringify(asked)
    const [timestamp, requestId] = [String(Date.now()), randomUUID()]
    const headers = {
      'Content-Type': 'application/json',
      'RT-AccessCode': secret,
      'RT-RequestID': requestId,
      'RT-Timestamp': timestamp,
      'RT-Signature': signRequest({ timestamp, requestId, accessCode: secret, secretKey: secret, body }),
    }
    return (await fetch(`${simulator.url}${pathname}`, { method: 'POST', headers, body })).json()
  })
  const at = (url: string) =>
    createEsimAccess({ baseUrl: `${url}/api/v1/open`, accessCode: secret, secretKey: secret, timeoutMs: 20_000 })
  await controlOf(simulator).do('balance', { amount: 1_000_000_000 })
  const placedAfter = new Date().toISOString()
  const order = { clientRef: 'large', packageCode: 'JP_1_7', quantity: 25 }
  const { orderNo } = await at(simulator.url).placeOrder(order)
  const provider = at(address)
  expect(await provider.getEsims(orderNo)).toHaveLength(order.quantity)
  await at(simulator.url).placeOrder({ ...order, clientRef: 'later', quantity: 1 })
  expect((await provider.findOrdersOf(['l'], placedAfter)).map(({ clientRef }) => clientRef).sort()).toEqual([
    'large',
    'later',
  ])
})

const placedAfter = '2026-11-29T10:00:00Z'
const found = [{ clientRef: 'order-1', orderNo: 'B7' }]

test('U2: an entry that eSIM Access fills in another way keeps a restore from no order', async () => {
  const esimList = [null, { orderNo: 7 }, { orderNo: 'B7', transactionId: 'order-1' }, { transactionId: 'order-2' }]
  const address = await serve(() => ({ success: true, errorCode: '0', obj: { esimList } }))
  const settings = { accessCode: secret, secretKey: secret, timeoutMs: 20_000 }
  const provider = createEsimAccess({ baseUrl: `${address}/api/v1/open`, ...settings })
  expect(await provider.findOrdersOf(['order-'], placedAfter)).toEqual(found)
})

test('U2: an entry that Airalo fills in another way keeps a restore from no order', async () => {
  const data = [null, { id: [] }, { id: 'B7', type: 'sim', description: 'order-1' }, { type: 'sim' }]
  const token = { data: { access_token: secret, expires_in: 3600 } }
  const address = await serve(({ pathname }) => (pathname.endsWith('/token') ? token : { data }))
  const settings = { clientId: secret, clientSecret: secret, timeoutMs: 20_000 }
  const provider = createAiralo({ baseUrl: `${address}/v2`, ...settings })
  expect(await provider.findOrdersOf(['order-'], placedAfter)).toEqual(found)
})

const simulated = await startStripe({ secretKey: secret, webhookSecret: secret })
afterAll(() => simulated.stop())

test('the Stripe simulator makes pages of each list', async () => {
  const sim = controlOf(simulated)
  const stripe = stripeAt(simulated.url)
  const listForm = z.object({ data: z.array(withId), has_more: z.boolean() })
  const ask = async (path: string) => {
    const headers = { authorization: `Bearer ${secret}`, 'stripe-version': '2026-06-24.preview' }
    return listForm.parse(await (await fetch(`${simulated.url}/v1/${path}`, { headers })).json())
  }
  const customerId = await stripe.createCustomer({ idempotencyKey: 'customer', accountRef: 'ref' })
  const order = { orderId: randomUUID(), amountMinor: 500, currency: 'EUR', mark: 'm', customerId }
  const { paymentIntentId } = await stripe.createPayment({ ...order, idempotencyKey: 'pay' })
  await sim.do('pay', { paymentIntent: paymentIntentId })
  for (const key of ['first', 'second'])
    await stripe.refund({ paymentIntentId, amountMinor: 1, idempotencyKey: key, reasonCode: 'x', lookFirst: false })
  const another = await stripe.createPayment({ ...order, orderId: randomUUID(), idempotencyKey: 'pay again' })
  await sim.do('pay', { paymentIntent: another.paymentIntentId, fingerprint: 'another' })
  for (const paymentIntent of [paymentIntentId, another.paymentIntentId]) await sim.do('save-card', { paymentIntent })
  const ids = { paymentIntentIds: [paymentIntentId], customerIds: ['cus_unknown'] }
  const { redactionId } = await stripe.redact(ids, 'redact')
  await stripe.getRedaction(redactionId)
  for (const path of [
    `refunds?payment_intent=${paymentIntentId}`,
    `customers/${customerId}/payment_methods?type=card`,
    `privacy/redaction_jobs/${redactionId}/validation_errors?`,
  ]) {
    const whole = await ask(path)
    expect([path, whole.data.length, whole.has_more]).toEqual([path, 2, false])
    const first = await ask(`${path}&limit=1`)
    expect([first.data, first.has_more]).toEqual([whole.data.slice(0, 1), true])
    const second = await ask(`${path}&limit=1&starting_after=${first.data[0]?.id}`)
    expect([second.data, second.has_more]).toEqual([whole.data.slice(1), false])
  }
})
