/**
 * Every call of the Stripe adapter, against an extract of the parameters that Stripe publishes:
 * ../fixtures/stripe-requests.json. The simulator takes no parameter that Stripe has not.
 */
import { readFile } from 'node:fs/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createStripe, type StripePort } from '../../../providers/stripe/stripe.ts'
import { type ControlOf, controlOf } from '../../../sim/control.ts'
import { parseForm } from '../../../sim/stripe/parameters.ts'
import { startStripe } from '../../../sim/stripe.ts'
import { readAll } from '../../orders/faults/each-call/call.ts'

interface Schema {
  properties: Record<string, object>
}

/** Parameters of the SDK's version, 2026-10-28.endive, that the extract's older version has not. */
const newer: Record<string, string[]> = { 'POST /v1/checkout/sessions': ['allowed_payment_method_types'] }

const day = 86_400
const orderId = '00000000-0000-4000-8000-000000000001'
const order = { orderId, amountMinor: 500, currency: 'EUR', mark: 'of_the_order' }
const returnTo = 'https://shop.example/paid'
const everything = [new Date(0), new Date(Date.now() + day * 1000)] as const

let simulator: Awaited<ReturnType<typeof startStripe>>
let sim: ControlOf<typeof startStripe>
let stripe: StripePort
/** what is wrong with a request, by its method and address */
let faultsOf: (method: string, url: string, body: string) => string[]
const used = new Set<string>()
let operations: string[] = []

beforeAll(async () => {
  const secretKey = 'sk_test_planted'
  simulator = await startStripe({ secretKey, webhookSecret: 'whsec_planted' })
  sim = controlOf(simulator)
  stripe = createStripe({
    secretKey,
    webhookSecret: 'whsec_planted',
    publishableKey: 'pk_test_planted',
    apiBase: simulator.url,
    redactionApiVersion: '2026-06-24.preview',
  })
  const file = new URL('../fixtures/stripe-requests.json', import.meta.url)
  const schemas: { $defs: Record<string, Schema> } = JSON.parse(await readFile(file, 'utf8'))
  operations = Object.keys(schemas.$defs)
  for (const [operation, names] of Object.entries(newer)) {
    const { properties } = schemas.$defs[operation] ?? { properties: {} }
    for (const name of names) {
      expect(properties).not.toHaveProperty([name])
      properties[name] = {}
    }
  }
  // A form has texts alone.
  const ajv = new Ajv2020({ strict: false, allErrors: true, coerceTypes: true })
  const checks = Object.entries(schemas.$defs).map(([operation, schema]) => {
    const [method = '', path = ''] = operation.split(' ')
    const address = new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`)
    return { operation, method, address, validate: ajv.compile(schema) }
  })
  faultsOf = (method, url, body) => {
    const [path = '', query = ''] = url.split('?')
    const check = checks.find((each) => each.method === method && each.address.test(path))
    if (!check) return ['Stripe publishes no such operation, or the extract lacks it']
    used.add(check.operation)
    if (check.validate(parseForm(method === 'POST' ? body : query))) return []
    return (check.validate.errors ?? []).map(
      (error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
    )
  }
})

afterAll(() => simulator.stop())

const key = (() => {
  let next = 0
  return (): string => `key-${++next}`
})()

const newPayment = async (customerId?: string): Promise<string> =>
  (await stripe.createPayment({ ...order, customerId, idempotencyKey: key() })).paymentIntentId
async function paid(customerId?: string): Promise<string> {
  const paymentIntent = await newPayment(customerId)
  await sim.do('pay', { paymentIntent })
  return paymentIntent
}
const disputed = async (): Promise<string> =>
  (await sim.do('open-dispute', { paymentIntent: await paid(), reason: 'fraudulent' })).dispute
const warned = async (): Promise<{ payment: string; warning: string }> => {
  const payment = await paid()
  return { payment, warning: (await sim.do('warn-fraud', { paymentIntent: payment })).warning }
}
const newCustomer = (): Promise<string> => stripe.createCustomer({ accountRef: 'ref', idempotencyKey: key() })
const newPage = (customerId?: string) =>
  stripe.createHostedPayment({
    ...order,
    name: 'Germany, 1 GB',
    customerId,
    locale: 'de',
    expiresAt: new Date(Date.now() + (day / 2) * 1000),
    successUrl: returnTo,
    cancelUrl: returnTo,
    idempotencyKey: key(),
  })
async function savedCard() {
  const customerId = await newCustomer()
  return { customerId, ...(await sim.do('save-card', { paymentIntent: await paid(customerId) })) }
}
async function job(): Promise<string> {
  const [paymentIntentId, customerId] = [await paid(), await newCustomer()]
  const { sessionId } = await newPage()
  await stripe.endHostedPayment(sessionId, key())
  await sim.do('age', { seconds: 100 * day })
  const ids = { paymentIntentIds: [paymentIntentId, sessionId], customerIds: [customerId] }
  return (await stripe.redact(ids, key())).redactionId
}
async function refusedJob(): Promise<string> {
  const { redactionId } = await stripe.redact({ paymentIntentIds: [await paid()], customerIds: [] }, key())
  await stripe.getRedaction(redactionId)
  return redactionId
}
const evidence = {
  productDescription: 'An eSIM',
  serviceDate: '2026-11-01',
  activityLog: 'Delivered, and used.',
  refundRefusal: 'It was used.',
  remarks: 'None.',
}
const refund = async (amountMinor: number | 'rest', reasonCode: string) =>
  stripe.refund({ paymentIntentId: await paid(), amountMinor, idempotencyKey: key(), reasonCode, lookFirst: true })

type CallName = Exclude<keyof StripePort, 'publishableKey' | 'redactionConfigured' | 'parseWebhook'>

const calls: Readonly<Record<CallName, () => Promise<unknown>>> = {
  createCustomer: newCustomer,
  createCustomerSession: async () => stripe.createCustomerSession(await newCustomer(), key()),
  deleteCustomer: async () => stripe.deleteCustomer(await newCustomer()),
  customerState: async () => stripe.customerState(await newCustomer()),
  createPayment: async () => newPayment(await newCustomer()),
  getPayment: async () => stripe.getPayment(await paid()),
  cancelPayment: async () => stripe.cancelPayment(await newPayment(), key()),
  refund: async () => [await refund(100, 'requested_by_customer'), await refund('rest', 'not_delivered_in_time')],
  listRefunds: async () => stripe.listRefunds(await paid()),
  getDispute: async () => stripe.getDispute(await disputed()),
  listDisputes: async () => stripe.listDisputes(await paid()),
  stageEvidence: async () => stripe.stageEvidence(await disputed(), evidence, key()),
  submitEvidence: async () => stripe.submitEvidence(await disputed(), key()),
  acceptDispute: async () => stripe.acceptDispute(await disputed(), key()),
  getFraudWarning: async () => stripe.getFraudWarning((await warned()).warning),
  listFraudWarnings: async () => stripe.listFraudWarnings((await warned()).payment),
  createHostedPayment: async () => newPage(await newCustomer()),
  getHostedPayment: async () => stripe.getHostedPayment((await newPage()).sessionId),
  endHostedPayment: async () => stripe.endHostedPayment((await newPage()).sessionId, key()),
  pageOf: async () => stripe.pageOf(await paid()),
  openPages: () => readAll(stripe.openPages(...everything)),
  listSavedCards: async () => stripe.listSavedCards((await savedCard()).customerId),
  deleteSavedCard: async () => {
    const { customerId, card } = await savedCard()
    return stripe.deleteSavedCard(customerId, card)
  },
  redact: job,
  getRedaction: async () => stripe.getRedaction(await refusedJob()),
  runRedaction: async () => {
    const id = await job()
    await stripe.getRedaction(id)
    return stripe.runRedaction(id, key())
  },
  cancelRedaction: async () => stripe.cancelRedaction(await refusedJob(), key()),
  // More than a page of them, so that a cursor is sent.
  paymentsCreated: async () => {
    const planted = { amount: 500, currency: 'eur', metadata: {}, created: Math.floor(Date.now() / 1000) }
    await sim.do('plant', { payments: Array(101).fill(planted) })
    return readAll(stripe.paymentsCreated(...everything))
  },
  orderEvents: () => readAll(stripe.orderEvents(new Date(0))),
  bookedPayments: () => readAll(stripe.bookedPayments(...everything)),
  bookedPayment: async () => stripe.bookedPayment(await paid()),
  olderPaymentsRefunded: () => readAll(stripe.olderPaymentsRefunded(...everything)),
  bookedDisputes: () => readAll(stripe.bookedDisputes(...everything)),
  balances: () => stripe.balances(),
  transactionsCreated: () => readAll(stripe.transactionsCreated(...everything)),
  bookedPayouts: () => readAll(stripe.bookedPayouts(...everything)),
  paidOutMinor: async () => {
    await paid()
    const [payout = ''] = (await sim.do('pay-out', { early: true })).payouts
    return stripe.paidOutMinor(payout)
  },
}

test('each call of the Stripe adapter sends what Stripe publishes, and the simulator takes it', async () => {
  let seen = 0
  for (const [name, call] of Object.entries(calls)) {
    await call()
    const sent = await sim.log({ after: seen, limit: 1_000 })
    seen += sent.length
    expect([name, sent.length > 0]).toEqual([name, true])
    for (const { method, url, body, status } of sent)
      expect([name, method, url, body, status, faultsOf(method, url, body)]).toEqual([name, method, url, body, 200, []])
  }
  expect([...used].sort()).toEqual([...operations].sort())
})

test.each([
  ['POST', '/v1/refunds', 'payment_intent=pi_1&colour=red'],
  ['POST', '/v1/refunds', 'payment_intent=pi_1&reason=changed_mind'],
  ['POST', '/v1/payment_intents', 'amount=5'],
  ['GET', '/v1/refunds?limit=many', ''],
  ['POST', '/v1/checkout/sessions', 'mode=payment&locale=xx'],
  ['GET', '/v1/refunds/re_1/never', ''],
])('a request that Stripe would refuse is noticed: %s %s %s', (method, url, body) => {
  expect(faultsOf(method, url, body)).not.toEqual([])
})
