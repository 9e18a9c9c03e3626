import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { isProviderFailure, ProviderFailure } from '../../providers/failure.ts'
import { createStripe } from '../../providers/stripe/stripe.ts'
import { portOf } from '../../shared/process/listen.ts'
import { type ControlOf, controlOf } from '../../sim/control.ts'
import { startStripe } from '../../sim/stripe.ts'
import { startWebhookReceiver } from './webhook-receiver.ts'

const secretKey = 'sk_test_planted'
const webhookSecret = 'whsec_planted'
const day = 86_400

let simulator: Awaited<ReturnType<typeof startStripe>>
let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>
let stripe: ReturnType<typeof createStripe>
let sim: ControlOf<typeof startStripe>

const settings = () => ({
  secretKey,
  webhookSecret,
  publishableKey: 'pk_test_planted',
  apiBase: simulator.url,
  redactionApiVersion: '2026-06-24.preview',
})

beforeAll(async () => {
  receiver = await startWebhookReceiver()
  simulator = await startStripe({ secretKey, webhookSecret, webhookUrl: receiver.url, webhookRetryDelayMs: 20 })
  stripe = createStripe(settings())
  sim = controlOf(simulator)
})

beforeEach(async () => {
  await sim.reset()
  receiver.clear()
})

afterAll(async () => {
  await simulator.stop()
  await receiver.stop()
})

let orders = 0
async function newPayment(given: { amountMinor?: number; customerId?: string } = {}) {
  orders += 1
  const order = {
    orderId: `00000000-0000-4000-8000-${String(orders).padStart(12, '0')}`,
    amountMinor: 990,
    currency: 'EUR',
    mark: 'of_the_order',
    ...given,
  }
  return { ...order, ...(await stripe.createPayment({ ...order, idempotencyKey: `pay:${order.orderId}` })) }
}

async function paidPayment(pay: Record<string, unknown> = {}) {
  const payment = await newPayment()
  await sim.do('pay', { paymentIntent: payment.paymentIntentId, ...pay })
  return payment
}

const failureOf = async (promise: Promise<unknown>): Promise<ProviderFailure> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isProviderFailure(error)) throw new Error(`expected a ProviderFailure, got ${String(error)}`)
  return error
}

test('a paid payment at Stripe has its method, time and risk', async () => {
  const { orderId, paymentIntentId, clientSecret } = await newPayment()
  expect(clientSecret).toMatch(new RegExp(`^${paymentIntentId}_secret_`))
  expect(await stripe.getPayment(paymentIntentId)).toEqual({
    paymentIntentId,
    status: 'requires_payment_method',
    amountMinor: 990,
    amountReceivedMinor: 0,
    currency: 'EUR',
    orderId,
    riskLevel: 'not_assessed',
    customerId: null,
    methodKind: 'other',
    cardCountry: null,
    createdAt: expect.stringMatching(/Z$/),
    refundedMinor: 0,
    disputed: false,
    clientSecret,
  })
  await sim.do('pay', { orderId, method: 'apple_pay', riskLevel: 'elevated' })
  expect(await stripe.getPayment(paymentIntentId)).toMatchObject({
    status: 'succeeded',
    amountReceivedMinor: 990,
    riskLevel: 'elevated',
    methodKind: 'apple_pay',
    cardCountry: 'DE',
    paidAt: expect.stringMatching(/Z$/),
  })
})

test.each(['card', 'google_pay'])('a payment by %s at Stripe is read as paid', async (method) => {
  const { paymentIntentId } = await paidPayment({ method })
  expect(await stripe.getPayment(paymentIntentId)).toMatchObject({ methodKind: method, riskLevel: 'normal' })
})

test('a payment at Stripe stays open after a failed card', async () => {
  const { orderId, paymentIntentId } = await newPayment()
  await sim.do('require-action', { orderId })
  expect((await stripe.getPayment(paymentIntentId)).status).toBe('requires_action')
  await sim.do('fail-payment', { orderId, declineCode: 'insufficient_funds' })
  const failed = await stripe.getPayment(paymentIntentId)
  expect(failed.status).toBe('requires_payment_method')
  expect(failed).not.toHaveProperty('paidAt')
  await sim.do('process', { orderId })
  await sim.do('pay', { orderId })
  expect((await stripe.getPayment(paymentIntentId)).status).toBe('succeeded')
  await expect(sim.do('pay', { orderId })).rejects.toThrow('succeeded')
  expect((await sim.state()).charges.map((charge) => charge.paid)).toEqual([false, true])
})

test('P2: Stripe gets the order id, a keyed hash of it, and no other detail of the order or person', async () => {
  const customerId = await stripe.createCustomer({ idempotencyKey: 'customer:1', accountRef: 'ref1' })
  await newPayment({ customerId })
  const bodies = (await sim.log()).map((request) => decodeURIComponent(request.body))
  expect(bodies[0]).toBe('metadata[account_ref]=ref1')
  expect(bodies[1]?.split('&').map((field) => field.split('=')[0])).toEqual([
    'amount',
    'currency',
    'allowed_payment_method_types[0]',
    'metadata[order_id]',
    'metadata[mark]',
    'customer',
  ])
  // Other ways of paying would be other parties: the policy names cards, Apple Pay and Google Pay.
  expect(bodies[1]).toContain('allowed_payment_method_types[0]=card')
  const headers = (await sim.log()).map((request) => request.headers)
  expect(headers[1]).toMatchObject({ 'stripe-version': '2026-10-28.endive' })
  expect(headers[1]).not.toHaveProperty('x-stripe-client-telemetry')
})

test('a repeated idempotency key at Stripe makes one payment, and other parameters with it are refused', async () => {
  const order = {
    orderId: 'ord_same',
    amountMinor: 500,
    currency: 'EUR',
    mark: 'of_the_order',
    idempotencyKey: 'pay:same',
  }
  const first = await stripe.createPayment(order)
  expect(await stripe.createPayment(order)).toEqual(first)
  expect(await failureOf(stripe.createPayment({ ...order, amountMinor: 501 }))).toMatchObject({
    kind: 'rejected',
    code: 'idempotency_error',
  })
  await sim.do('clock', { advanceSeconds: day + 1 })
  expect(await stripe.createPayment(order)).not.toEqual(first)
})

test('of two simultaneous requests with one key at Stripe one is unavailable, and its answer is not stored', async () => {
  const order = {
    orderId: 'ord_clash',
    amountMinor: 500,
    currency: 'EUR',
    mark: 'of_the_order',
    idempotencyKey: 'pay:clash',
  }
  await sim.do('misbehave-next', { path: 'payment_intents', delayMs: 100 })
  const results = await Promise.allSettled([stripe.createPayment(order), stripe.createPayment(order)])
  const refused = results.find((result) => result.status === 'rejected')
  expect(refused?.reason).toMatchObject({ kind: 'unavailable', code: 'idempotency_key_in_use' })
  const made = results.find((result) => result.status === 'fulfilled')
  expect(await stripe.createPayment(order)).toEqual(made?.value)
  expect((await sim.state()).paymentIntents).toHaveLength(1)
})

test('a refusal of parameters by Stripe is not stored under the key', async () => {
  const order = {
    orderId: 'ord_small',
    amountMinor: 49,
    currency: 'EUR',
    mark: 'of_the_order',
    idempotencyKey: 'pay:small',
  }
  expect(await failureOf(stripe.createPayment(order))).toMatchObject({ kind: 'rejected', code: 'amount_too_small' })
  expect(await stripe.createPayment({ ...order, amountMinor: 50 })).toHaveProperty('paymentIntentId')
})

test('a 500 that Stripe stores under the key is avoided with the next key', async () => {
  await sim.do('misbehave-next', { path: 'payment_intents$', status: 500, times: 1 })
  const order = {
    orderId: 'ord_500',
    amountMinor: 500,
    currency: 'EUR',
    mark: 'of_the_order',
    idempotencyKey: 'pay:500',
  }
  expect(await failureOf(stripe.createPayment(order))).toMatchObject({ kind: 'unknown_outcome', code: 'http_500' })
  const made = await stripe.createPayment(order)
  expect(await stripe.createPayment(order)).toEqual(made)
})

test('a Stripe that stores 500s or 429s under many keys in a row is asked with the next one, and makes one object', async () => {
  const order = { orderId: 'ord_long', amountMinor: 500, currency: 'EUR', mark: 'of_the_order', idempotencyKey: 'long' }
  for (const status of [500, 429, 500, 503, 429, 500]) {
    await sim.do('misbehave-next', { path: 'payment_intents$', status, times: 1 })
    expect(isProviderFailure(await failureOf(stripe.createPayment(order)))).toBe(true)
  }
  const made = await stripe.createPayment(order)
  expect(await stripe.createPayment(order)).toEqual(made)
  expect((await sim.state()).paymentIntents).toHaveLength(1)
})

test('a refund that Stripe applied and answered with 500 is found and not repeated', async () => {
  const { paymentIntentId } = await paidPayment()
  await sim.do('misbehave-next', { path: 'refunds', status: 500, applied: true })
  const order = {
    paymentIntentId,
    amountMinor: 400,
    idempotencyKey: 'refund:1',
    reasonCode: 'not_delivered',
    lookFirst: false,
  }
  expect(await failureOf(stripe.refund(order))).toMatchObject({ kind: 'unknown_outcome' })
  expect(await stripe.refund(order)).toMatchObject({ status: 'succeeded', amountMinor: 400 })
  expect((await sim.state()).refunds).toHaveLength(1)
})

test('a cancellation at Stripe: open, repeated, paid, paid meanwhile and processing payments', async () => {
  const open = await newPayment()
  expect(await stripe.cancelPayment(open.paymentIntentId, 'cancel:1')).toBe('cancelled')
  expect(await stripe.cancelPayment(open.paymentIntentId, 'cancel:1')).toBe('cancelled')
  expect(await stripe.cancelPayment(open.paymentIntentId, 'cancel:1b')).toBe('already_cancelled')

  const paid = await paidPayment()
  expect(await stripe.cancelPayment(paid.paymentIntentId, 'cancel:2')).toBe('already_paid')

  const late = await newPayment()
  await sim.do('late-success', { paymentIntent: late.paymentIntentId })
  expect(await stripe.cancelPayment(late.paymentIntentId, 'cancel:3')).toBe('already_paid')

  const slow = await newPayment()
  await sim.do('process', { paymentIntent: slow.paymentIntentId })
  expect(await stripe.cancelPayment(slow.paymentIntentId, 'cancel:4')).toBe('processing')
  await sim.do('fail-payment', { paymentIntent: slow.paymentIntentId })
  expect(await stripe.cancelPayment(slow.paymentIntentId, 'cancel:4')).toBe('cancelled')
})

/** A page of Stripe's on which a card was declined: its payment is there, and may still be paid. */
async function declinedPage() {
  const { sessionId, url } = await stripe.createHostedPayment({
    ...pageUntil(new Date(Date.now() + 3_600_000)),
    idempotencyKey: `page-${++orders}`,
  })
  await fetch(url ?? '', { method: 'POST', body: 'number=4000000000000002', redirect: 'manual' })
  const { paymentIntentId } = await stripe.getHostedPayment(sessionId)
  return { sessionId, url: url ?? '', paymentIntentId: paymentIntentId ?? '' }
}

test('U2: the cancellation of a payment on Stripe’s page ends the page, since Stripe refuses anything else', async () => {
  const open = await declinedPage()
  expect(await stripe.cancelPayment(open.paymentIntentId, 'cancel:page')).toBe('cancelled')
  expect((await stripe.getHostedPayment(open.sessionId)).status).toBe('expired')
  expect(await stripe.cancelPayment(open.paymentIntentId, 'cancel:page')).toBe('already_cancelled')
  await fetch(open.url, { method: 'POST', body: 'number=4242424242424242', redirect: 'manual' })
  expect((await stripe.getPayment(open.paymentIntentId)).status).toBe('canceled')

  const paid = await declinedPage()
  await fetch(paid.url, { method: 'POST', body: 'number=4242424242424242', redirect: 'manual' })
  expect(await stripe.cancelPayment(paid.paymentIntentId, 'cancel:paid-page')).toBe('already_paid')
})

test('a card that another request has deleted a moment ago counts as deleted', async () => {
  const customerId = await stripe.createCustomer({ idempotencyKey: 'holder', accountRef: 'planted' })
  const { paymentIntentId: paymentIntent } = await newPayment({ customerId })
  await sim.do('pay', { paymentIntent })
  const { card } = await sim.do('save-card', { paymentIntent })
  await sim.do('misbehave-next', { path: 'detach', delayMs: 200 })
  expect(await Promise.all([1, 2].map(() => stripe.deleteSavedCard(customerId, card)))).toEqual([true, true])
})

test('Stripe lists events of 30 days, and refuses a cursor that is in no list', async () => {
  await paidPayment()
  const seen = async (): Promise<number> => {
    let count = 0
    for await (const _event of stripe.orderEvents(new Date(0))) count += 1
    return count
  }
  expect(await seen()).toBe(1)
  const headers = { authorization: `Bearer ${secretKey}` }
  const ask = (path: string) => fetch(`${simulator.url}/v1/${path}`, { headers })
  expect((await ask('charges?starting_after=ch_unknown')).status).toBe(400)
  await sim.do('clock', { advanceSeconds: 31 * day })
  expect(await seen()).toBe(0)
})

test('a refund at Stripe: in parts, in full, with nothing left, of more than is left, and of an unpaid payment', async () => {
  const { paymentIntentId } = await paidPayment()
  const refund = (amountMinor: number, n: number) =>
    stripe.refund({
      paymentIntentId,
      amountMinor,
      idempotencyKey: `refund:parts:${n}`,
      reasonCode: 'requested_by_customer',
      lookFirst: false,
    })
  const first = await refund(300, 1)
  expect(first).toMatchObject({ status: 'succeeded', amountMinor: 300, refundKey: 'refund:parts:1' })
  expect(await refund(300, 1)).toEqual(first)
  expect(await failureOf(refund(900, 2))).toMatchObject({ kind: 'rejected', code: 'http_400' })
  const last = await refund(690, 3)
  expect(await refund(690, 4)).toEqual(last)
  expect((await stripe.listRefunds(paymentIntentId)).map((each) => each.amountMinor)).toEqual([690, 300])
  expect((await sim.state()).charges[0]).toMatchObject({ amount_refunded: 990, refunded: true })

  const unpaid = await newPayment()
  const tooEarly = { amountMinor: 1, idempotencyKey: 'refund:unpaid', reasonCode: 'x', lookFirst: false }
  expect(await failureOf(stripe.refund({ ...tooEarly, paymentIntentId: unpaid.paymentIntentId }))).toMatchObject({
    kind: 'rejected',
  })
})

test('a refund repeated after Stripe has forgotten the key is found by `lookFirst`', async () => {
  const { paymentIntentId } = await paidPayment()
  const order = { paymentIntentId, amountMinor: 400, idempotencyKey: 'refund:late', reasonCode: 'x', lookFirst: true }
  const first = await stripe.refund(order)
  await sim.do('clock', { advanceSeconds: 2 * day })
  expect(await stripe.refund(order)).toEqual(first)
  expect((await sim.state()).refunds).toHaveLength(1)
  await stripe.refund({ ...order, lookFirst: false })
  expect((await sim.state()).refunds).toHaveLength(2)
})

test('a refund at Stripe stays pending, succeeds, or fails days later and can be repeated', async () => {
  const { paymentIntentId } = await paidPayment()
  await sim.do('pending-refunds', { enabled: true })
  const order = { paymentIntentId, amountMinor: 990, reasonCode: 'not_delivered', lookFirst: false }
  const refund = await stripe.refund({ ...order, idempotencyKey: 'refund:slow:1' })
  expect(refund.status).toBe('pending')
  await sim.do('settle-refund', { refund: refund.refundId })
  expect(await stripe.listRefunds(paymentIntentId)).toMatchObject([{ status: 'succeeded' }])
  await sim.do('fail-refund', { paymentIntent: paymentIntentId })
  expect(await stripe.listRefunds(paymentIntentId)).toMatchObject([{ refundId: refund.refundId, status: 'failed' }])
  expect((await stripe.refund({ ...order, idempotencyKey: 'refund:slow:2' })).refundId).not.toBe(refund.refundId)
})

test('U2: a refund that waits for our balance at Stripe is shown to operators, and one that the bank is at is not', async () => {
  const shown: string[] = []
  const ignored = (): void => undefined
  const watch = { answered: ignored, failed: ignored, unlisted: (_: string, code: string) => void shown.push(code) }
  const watched = createStripe({ ...settings(), watch })
  const order = { amountMinor: 990, reasonCode: 'not_delivered', lookFirst: false }
  for (const reason of ['processing', 'charge_pending', 'insufficient_funds', 'of_next_year']) {
    const { paymentIntentId } = await paidPayment()
    await sim.do('pending-refunds', { enabled: true, reason })
    const asked = { ...order, paymentIntentId, idempotencyKey: `refund:${reason}` }
    expect(await watched.refund(asked)).toMatchObject({ status: 'pending' })
  }
  expect(shown).toEqual(['refund_pending_insufficient_funds', 'refund_pending_of_next_year'])
})

test('a dispute at Stripe blocks refunds until it is won', async () => {
  const { orderId, paymentIntentId } = await paidPayment()
  const { dispute: disputeId } = await sim.do('open-dispute', { orderId, reason: 'fraudulent' })
  expect(await stripe.getDispute(disputeId)).toMatchObject({
    disputeId,
    paymentIntentId,
    status: 'needs_response',
    reason: 'fraudulent',
    amountMinor: 990,
    currency: 'EUR',
  })
  const order = { paymentIntentId, amountMinor: 990, idempotencyKey: 'refund:d', reasonCode: 'x', lookFirst: false }
  expect(await failureOf(stripe.refund(order))).toMatchObject({ kind: 'rejected', code: 'charge_disputed' })
  await sim.do('review-dispute', { orderId })
  await sim.do('close-dispute', { dispute: disputeId, outcome: 'won' })
  expect((await stripe.getDispute(disputeId)).status).toBe('won')
  // Stripe keeps the refusal for a day. It is no answer to the request that comes after the dispute, nor to its repetition.
  const refund = await stripe.refund(order)
  expect(refund).toMatchObject({ status: 'succeeded', refundKey: 'refund:d' })
  expect(await stripe.refund(order)).toMatchObject({ refundId: refund.refundId })
  expect(await stripe.listRefunds(paymentIntentId)).toHaveLength(1)
})

test('evidence for a dispute at Stripe that was refused a moment ago is submitted, and a dispute accepted', async () => {
  const disputes = await Promise.all(
    ['submit', 'accept'].map(async (act) => {
      const { orderId } = await paidPayment()
      const { dispute } = await sim.do('open-dispute', { orderId })
      const key = `dispute-${dispute}:${act}`
      return { dispute, ask: () => (act === 'submit' ? stripe.submitEvidence : stripe.acceptDispute)(dispute, key) }
    }),
  )
  for (const { dispute, ask } of disputes) {
    const code = 'dispute_evidence_page_limit_exceeded'
    await sim.do('misbehave-next', { path: `disputes/${dispute}`, status: 400, code })
    expect(await failureOf(ask())).toMatchObject({ kind: 'rejected', code })
    expect(await ask()).toMatchObject({ disputeId: dispute })
  }
})

test('a customer at Stripe is created, gets a session, and is deleted', async () => {
  const customerId = await stripe.createCustomer({ idempotencyKey: 'customer:2', accountRef: 'ref2' })
  expect(await stripe.createCustomerSession(customerId, 'session:1')).toMatch(/^cuss_secret_/)
  expect(await stripe.deleteCustomer(customerId)).toBe('deleted')
  expect(await stripe.deleteCustomer(customerId)).toBe('already_deleted')
  expect(await stripe.deleteCustomer('cus_never')).toBe('unknown')
  expect(await failureOf(stripe.createCustomerSession(customerId, 'session:2'))).toMatchObject({
    kind: 'rejected',
    code: 'resource_missing',
  })
  expect((await sim.state()).customers).toEqual([{ id: customerId, object: 'customer', deleted: true }])
})

test('Stripe refuses a redaction within 90 days and accepts it afterwards', async () => {
  const { paymentIntentId } = await paidPayment()
  const ids = { paymentIntentIds: [paymentIntentId], customerIds: [] }
  const early = await stripe.redact(ids, 'redact:1')
  expect(early.status).toBe('validating')
  expect(await stripe.getRedaction(early.redactionId)).toMatchObject({
    status: 'failed',
    problems: [{ code: 'invalid_state', objectId: paymentIntentId }],
  })
  expect(await failureOf(stripe.runRedaction(early.redactionId, 'run:1'))).toMatchObject({ kind: 'rejected' })

  await sim.do('clock', { advanceSeconds: 91 * day })
  const locked = await stripe.redact(ids, 'redact:2')
  expect(await stripe.getRedaction(locked.redactionId)).toMatchObject({
    status: 'failed',
    problems: [{ code: 'locked_by_other_job' }],
  })
  for (const { redactionId } of [early, locked]) {
    expect((await stripe.cancelRedaction(redactionId, `cancel:${redactionId}`)).status).toBe('canceling')
    expect((await stripe.getRedaction(redactionId)).status).toBe('canceled')
  }
  const { redactionId } = await stripe.redact(ids, 'redact:3')
  expect((await stripe.getRedaction(redactionId)).status).toBe('ready')
  expect((await stripe.runRedaction(redactionId, 'run:3')).status).toBe('redacting')
  expect((await stripe.getRedaction(redactionId)).status).toBe('succeeded')
  expect((await stripe.getPayment(paymentIntentId)).orderId).toBeNull()
})

test('a redaction at Stripe needs a preview version, access, and at most ten ids', async () => {
  const ids = { paymentIntentIds: ['pi_1'], customerIds: [] }
  const without = createStripe({ ...settings(), redactionApiVersion: undefined })
  expect(without.redactionConfigured).toBe(false)
  expect(await failureOf(without.redact(ids, 'k'))).toMatchObject({ code: 'redaction_not_configured' })
  await sim.do('redaction-access', { enabled: false })
  expect(await failureOf(stripe.redact(ids, 'k'))).toMatchObject({
    kind: 'misconfigured',
    code: 'redaction_not_available',
  })
  const many = { paymentIntentIds: Array.from({ length: 11 }, (_, n) => `pi_${n}`), customerIds: [] }
  expect(await failureOf(stripe.redact(many, 'k'))).toMatchObject({ kind: 'rejected', code: 'too_many_objects' })
})

test.each([
  {
    fault: { status: 429, headers: { 'retry-after': '7' } },
    kind: 'unavailable',
    code: 'http_429',
    retryAfterMs: 7000,
  },
  { fault: { status: 409, body: { error: { code: 'lock_timeout' } } }, kind: 'unavailable', code: 'lock_timeout' },
  { fault: { status: 500, body: { error: { type: 'api_error' } } }, kind: 'unknown_outcome', code: 'http_500' },
  { fault: { status: 503 }, kind: 'unknown_outcome', code: 'http_503' },
  { fault: { status: 502, body: '<html>Bad gateway</html>' }, kind: 'unknown_outcome', code: 'invalid_reply' },
  { fault: { status: 401, body: { error: { message: 'planted' } } }, kind: 'misconfigured', code: 'http_401' },
  { fault: { status: 403, body: { error: { message: 'planted' } } }, kind: 'misconfigured', code: 'http_403' },
  { fault: { status: 402, body: { error: { code: 'card_declined' } } }, kind: 'rejected', code: 'card_declined' },
  { fault: { status: 400, body: { error: { code: 'balance_insufficient' } } }, kind: 'misconfigured' },
  { fault: { status: 400, body: { error: { code: 'free text, John' } } }, kind: 'unknown_outcome', code: 'http_400' },
  { fault: { hang: 'after' as const }, kind: 'unknown_outcome', code: 'etimedout' },
])('a write at Stripe with the fault $fault is $kind', async ({ fault, ...expected }) => {
  await sim.fault(fault)
  const shortTimeout = createStripe({ ...settings(), timeoutMs: 200 })
  const order = { orderId: 'ord_f', amountMinor: 500, currency: 'EUR', mark: 'of_the_order', idempotencyKey: 'pay:f' }
  const failure = await failureOf(shortTimeout.createPayment(order))
  expect(failure).toMatchObject(expected)
  expect(String(failure) + String(failure.cause)).not.toMatch(/planted|John|gateway/)
})

test('a time that Stripe, or a proxy before it, names as a date is waited for', async () => {
  const date = new Date(Date.now() + 3_600_000).toUTCString()
  await sim.fault({ match: { path: '/v1/payment_intents' }, status: 503, headers: { 'retry-after': date } })
  const { retryAfterMs } = await failureOf(stripe.getPayment('pi_1'))
  expect(retryAfterMs).toBeGreaterThan(3_000_000)
  expect(retryAfterMs).toBeLessThanOrEqual(3_600_000)
})

test('a failed read at Stripe is unavailable, and no unknown outcome', async () => {
  for (const fault of [{ status: 500 }, { status: 502, body: 'x' }, { hang: 'before' as const }]) {
    await sim.fault(fault)
    const shortTimeout = createStripe({ ...settings(), timeoutMs: 200 })
    expect(await failureOf(shortTimeout.getPayment('pi_any'))).toMatchObject({ kind: 'unavailable' })
  }
  expect(await failureOf(stripe.getPayment('pi_any'))).toMatchObject({ kind: 'rejected', code: 'resource_missing' })
})

test('a lost reply of Stripe is retried once by the SDK with the same key; two lost replies are an unknown outcome', async () => {
  const order = {
    orderId: 'ord_cut',
    amountMinor: 500,
    currency: 'EUR',
    mark: 'of_the_order',
    idempotencyKey: 'pay:cut',
  }
  await sim.fault({ cut: 'after', times: 2 })
  expect(await failureOf(stripe.createPayment(order))).toMatchObject({ kind: 'unknown_outcome', code: 'econnreset' })
  await stripe.createPayment(order)
  expect((await sim.state()).paymentIntents).toHaveLength(1)
})

test('a wrong secret key for Stripe is misconfigured', async () => {
  const wrong = createStripe({ ...settings(), secretKey: 'sk_wrong' })
  expect(await failureOf(wrong.getPayment('pi_any'))).toMatchObject({ kind: 'misconfigured', code: 'http_401' })
})

test('a refused connection to Stripe is unavailable, and an unknown outcome after a broken one', async () => {
  const server: Server = createServer((request) => {
    // The first connection breaks, and later ones are refused.
    server.close()
    request.socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const apiBase = `http://127.0.0.1:${portOf(server)}`
  const unreachable = createStripe({ ...settings(), apiBase })
  const order = { orderId: 'ord_r', amountMinor: 500, currency: 'EUR', mark: 'of_the_order', idempotencyKey: 'pay:r' }
  const expected = { kind: 'unknown_outcome', code: 'econnrefused' }
  expect(await failureOf(unreachable.createPayment(order))).toMatchObject(expected)
  expect(await failureOf(unreachable.createPayment(order))).toMatchObject({ ...expected, kind: 'unavailable' })
})

test('Stripe’s webhooks are verified and reduced to ids', async () => {
  await sim.do('webhooks', { hold: true })
  const { orderId, paymentIntentId } = await paidPayment()
  const refund = { paymentIntentId, amountMinor: 100, idempotencyKey: 'refund:w', reasonCode: 'x', lookFirst: false }
  const { refundId } = await stripe.refund(refund)
  const refundKey = refund.idempotencyKey
  const mark = 'of_the_order'
  const { dispute: disputeId } = await sim.do('open-dispute', { orderId })
  await sim.do('fail-refund', { refund: refundId })
  await sim.do('release')
  const webhooks = (await receiver.atLeast(7)).map(({ headers, body }) =>
    stripe.parseWebhook(body, headers['stripe-signature']),
  )
  const common = { paymentIntentId, eventId: expect.stringMatching(/^evt_/), createdAt: expect.any(String) }
  expect(webhooks).toEqual([
    { ...common, type: 'payment_intent.succeeded', objectId: paymentIntentId, orderId, mark },
    { ...common, type: 'refund.created', objectId: refundId, refundKey },
    { ...common, type: 'charge.refunded', objectId: expect.stringMatching(/^ch_/), orderId, mark },
    { ...common, type: 'charge.dispute.created', objectId: disputeId, disputeId },
    { ...common, type: 'charge.dispute.funds_withdrawn', objectId: disputeId, disputeId },
    { ...common, type: 'refund.updated', objectId: refundId, refundKey },
    { ...common, type: 'refund.failed', objectId: refundId, refundKey },
  ])
})

test('the Stripe simulator duplicates, drops, reorders and resends webhooks, and repeats refused ones', async () => {
  const { orderId } = await newPayment()
  await sim.do('webhooks', { copies: 3 })
  await sim.do('require-action', { orderId })
  const copies = await receiver.atLeast(3)
  expect(new Set(copies.map(({ body }) => JSON.parse(body.toString()).id)).size).toBe(1)
  receiver.clear()

  await sim.do('webhooks', { copies: 1, drop: 1, hold: true })
  await sim.do('process', { orderId })
  await sim.do('fail-payment', { orderId })
  await sim.do('pay', { orderId })
  expect((await sim.do('release', { order: [1, 0] })).released).toHaveLength(2)
  const types = (await receiver.atLeast(2)).map(({ body }) => JSON.parse(body.toString()).type)
  expect(types).toEqual(['payment_intent.succeeded', 'payment_intent.payment_failed'])
  receiver.clear()

  const events = (await sim.state()).events
  const lost = events.find(({ type }) => type === 'payment_intent.processing')
  receiver.answerWith(500)
  await sim.do('resend', { eventId: lost?.id })
  await receiver.atLeast(1)
  receiver.answerWith(200)
  const [first, second] = await receiver.atLeast(2)
  expect(first?.body.equals(second?.body ?? Buffer.alloc(0))).toBe(true)
  expect(JSON.parse(first?.body.toString() ?? '').id).toBe(lost?.id)
})

test('wrong, old, missing and foreign signatures of Stripe are refused with their codes', async () => {
  const { orderId } = await paidPayment()
  await receiver.atLeast(1)
  const eventId = (await sim.state()).events.find(({ type }) => type === 'payment_intent.succeeded')?.id
  const now = Math.floor(Date.now() / 1000)
  const parsed = async (raw: Record<string, unknown>) => {
    receiver.clear()
    expect(await sim.do('send-raw', { eventId, ...raw })).toEqual({ status: 200, body: 'seen' })
    const [webhook] = await receiver.atLeast(1)
    return async () => stripe.parseWebhook(webhook?.body ?? '', webhook?.headers['stripe-signature'], now)
  }
  expect((await (await parsed({}))()).orderId).toBe(orderId)
  const code = async (raw: Record<string, unknown>) => (await failureOf((await parsed(raw))())).code
  expect(await code({ timestamp: now - 301 })).toBe('old_signature')
  expect(await code({ secret: 'whsec_other' })).toBe('bad_signature')
  expect(await code({ secret: 'whsec_other', timestamp: now - 301 })).toBe('bad_signature')
  expect(await code({ signature: 't=1,v1=00' })).toBe('bad_signature')
  expect(await code({ signature: null })).toBe('bad_signature')
  expect(await code({ body: 'not json' })).toBe('bad_payload')
  expect(await code({ body: '{"id":"evt_1"}' })).toBe('bad_payload')
  const read = async (object: object) =>
    (
      await parsed({ body: JSON.stringify({ id: 'evt_1', type: 'balance.available', created: now, data: { object } }) })
    )()
  // A balance has no id, and whoever uses the dashboard writes any text for an order's.
  expect(await read({ object: 'balance' })).toMatchObject({ eventId: 'evt_1', objectId: '' })
  const foreign = { id: 'pi_1', object: 'payment_intent', metadata: { order_id: "o'1" } }
  expect(await read(foreign)).not.toHaveProperty('orderId')
})

test('Stripe’s webhook is accepted as string or buffer, and refused with a changed body', async () => {
  const { orderId } = await newPayment()
  await sim.do('cancel', { orderId })
  const [webhook] = await receiver.atLeast(1)
  const signature = webhook?.headers['stripe-signature']
  const text = webhook?.body.toString() ?? ''
  expect(stripe.parseWebhook(text, signature).type).toBe('payment_intent.canceled')
  expect(() => stripe.parseWebhook(text.replace('"livemode":false', '"livemode":true'), signature)).toThrow(
    ProviderFailure,
  )
})

test('the Stripe simulator pays new payments automatically with auto-pay', async () => {
  await sim.do('auto-pay', { enabled: true, riskLevel: 'highest' })
  const { paymentIntentId } = await newPayment()
  await receiver.atLeast(1)
  expect(await stripe.getPayment(paymentIntentId)).toMatchObject({ status: 'succeeded', riskLevel: 'highest' })
})

/** Stripe, as far as it shows one page that is complete, and its payment. */
async function completePage(status: string, paymentIntentId: string | null = 'pi_1') {
  const bodies: string[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += String(part)
    bodies.push(decodeURIComponent(body))
    const shown = request.url?.startsWith('/v1/payment_intents/')
      ? {
          id: 'pi_1',
          object: 'payment_intent',
          status,
          amount: 500,
          currency: 'eur',
          metadata: {},
          latest_charge: null,
        }
      : { id: 'cs_1', object: 'checkout.session', status: 'complete', payment_intent: paymentIntentId, url: null }
    response.setHeader('content-type', 'application/json').end(JSON.stringify(shown))
  }).listen(0)
  await new Promise((resolve) => server.once('listening', resolve))
  const unlisted: string[] = []
  const ignored = (): void => undefined
  const watch = { answered: ignored, failed: ignored, unlisted: (_: string, code: string) => void unlisted.push(code) }
  const port = createStripe({ ...settings(), apiBase: `http://127.0.0.1:${portOf(server)}`, watch })
  return { port, bodies, unlisted, close: () => new Promise((resolve) => server.close(resolve)) }
}

test.each([
  ['succeeded', 'already_paid'],
  ['canceled', 'already_cancelled'],
  ['requires_payment_method', 'already_cancelled'],
  ['processing', 'processing'],
  // A voucher can be paid for days.
  ['requires_action', 'processing'],
  ['requires_confirmation', 'processing'],
  ['requires_capture', 'processing'],
  ['of_next_year', 'processing'],
])(
  'U2: a complete page whose payment is %s is %s: nothing that may be paid yet counts as cancelled',
  async (status, outcome) => {
    const { port, unlisted, close } = await completePage(status)
    expect(await port.endHostedPayment('cs_1', 'end')).toBe(outcome)
    expect(unlisted).toEqual(status === 'of_next_year' ? ['payment_of_next_year'] : [])
    await close()
  },
)

test('U2: a complete page that names no payment says nothing yet: the payment neither counts as none nor as cancelled', async () => {
  const { port, close } = await completePage('succeeded', null)
  const contradicts = { kind: 'unavailable', code: 'page_contradicts' }
  await expect(port.getHostedPayment('cs_1')).rejects.toMatchObject(contradicts)
  await expect(port.endHostedPayment('cs_1', 'end')).rejects.toMatchObject(contradicts)
  await close()
})

const pageUntil = (expiresAt: Date) => {
  const returnTo = 'https://ama.example/account/paid'
  return {
    orderId: '00000000-0000-4000-8000-000000000001',
    amountMinor: 500,
    currency: 'EUR',
    name: 'Mobile data',
    mark: 'of_the_order',
    locale: 'en' as const,
    expiresAt,
    successUrl: returnTo,
    cancelUrl: returnTo,
    idempotencyKey: 'page',
  }
}

test('P2: the page of Stripe takes cards and their wallets alone, in the order’s currency, whatever the account has set', async () => {
  const { port, bodies, close } = await completePage('succeeded')
  await port.createHostedPayment(pageUntil(new Date(Date.now() + 3_600_000)))
  const asked = bodies.filter((body) => body.includes('line_items'))
  expect(asked).toHaveLength(1)
  for (const said of [
    'allowed_payment_method_types[0]=card',
    'adaptive_pricing[enabled]=false',
    'wallet_options[link][display]=never',
  ])
    expect(asked[0]).toContain(said)
  await close()
})

test('P2: a page lasts half an hour from its creation, however long its request was on the way', async () => {
  const { port, bodies, close } = await completePage('succeeded')
  const asked = Date.now() / 1000
  await port.createHostedPayment(pageUntil(new Date()))
  const [, end] = /expires_at=(\d+)/.exec(bodies.join('\n')) ?? []
  expect(Number(end) - asked).toBeGreaterThanOrEqual(31 * 60)
  await close()
})
