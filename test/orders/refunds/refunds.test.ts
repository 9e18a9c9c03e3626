/**
 * U2: paid means delivered or refunded. An unused eSIM is returned and refunded once, and a failed refund becomes an
 * operator task.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Invoices, Orders } from '../../../db/connection/schema.ts'
import type { StripeState } from '../../../sim/stripe.ts'
import { mailsTo, pushesTo } from '../../harness/checks/messages.ts'
import { bothSimulators, esimSimulators, watchPlacements } from '../../harness/checks/placements.ts'
import { shareStack } from '../../harness/harness.ts'
import { requestReturnOf } from '../../harness/purchases.ts'
import { type EsimSimulator, testPackages, testPriceMinor } from '../../harness/test-packages.ts'
import { until, untilValue } from '../../harness/until.ts'

const harness = await shareStack()
const { stripe, esimAccess } = harness.sims
const { sql } = harness.stack.context
const { attention } = watchPlacements(harness.stack)
const gigabyte = 2 ** 30

const shown = async (orderId: string) => (await harness.service.get(`/v1/orders/${orderId}`)).body
const subjects = async (email: string) => (await mailsTo(harness.stack, email)).map(({ subject }) => subject)

/** The processor's own records of an order's refunds, oldest first. */
async function refundsOf(orderId: string): Promise<StripeState['refunds']> {
  const { paymentIntents, refunds } = await stripe.state()
  const intent = paymentIntents.find(({ metadata }) => metadata.order_id === orderId)
  return refunds.filter(({ payment_intent }) => payment_intent === intent?.id)
}

const documents = (orderId: string) => sql<Pick<Invoices, 'kind' | 'gross_minor' | 'corrects' | 'number'>[]>`
  select i.kind, i.gross_minor, i.corrects, i.number from invoices i join invoice_links l on l.number = i.number
  where l.order_id = ${orderId} order by i.kind desc`

async function delivered(packageCode: string = testPackages.onlyEsimAccess, quantity = 1) {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode, quantity })
  return { person, order, requestReturn: (headers = {}) => requestReturnOf(person.caller, order.id, headers) }
}

/** A refund that is made in Stripe's dashboard. */
async function refundElsewhere(orderId: string): Promise<void> {
  const [row] = await sql<
    Pick<Orders, 'payment_intent_id'>[]
  >`select payment_intent_id from orders where id = ${orderId}`
  const answer = await fetch(`${stripe.url}/v1/refunds`, {
    method: 'POST',
    headers: { authorization: `Bearer ${harness.config.STRIPE_SECRET_KEY}` },
    body: new URLSearchParams({ payment_intent: row?.payment_intent_id ?? '' }),
  })
  expect(answer.status).toBe(200)
}

test.each(bothSimulators)(
  'U6: %s: unused eSIMs are returned and the payment is refunded, with a credit note',
  async (simulator) => {
    const { person, order, requestReturn } = await delivered(esimSimulators[simulator].packageCode, 2)
    expect((await requestReturn()).status).toBe(200)
    const refunded = await harness.untilOrder(order.id, 'refunded')
    expect(refunded).toMatchObject({
      reason: 'returned_unused',
      esims: [{ state: 'cancelled' }, { state: 'cancelled' }],
      refunds: [{ minor: 2 * testPriceMinor, state: 'succeeded' }],
    })
    const [invoice, note] = await documents(order.id)
    expect(invoice).toMatchObject({ kind: 'invoice', gross_minor: 2 * testPriceMinor, corrects: null })
    expect(note).toMatchObject({ kind: 'credit_note', gross_minor: -2 * testPriceMinor, corrects: invoice?.number })
    expect(await refundsOf(order.id)).toMatchObject([{ status: 'succeeded', amount: 2 * testPriceMinor }])
    expect(await attention(order.id)).toMatchObject(
      simulator === 'airalo' ? [{ kind: 'provider_refund_requested' }] : [],
    )

    const mails = await untilValue(
      'both mails',
      () => mailsTo(harness.stack, person.email),
      ({ length }) => length === 2,
    )
    expect(mails[1]?.subject).toContain('refund')
    expect(mails[1]?.text).toContain(note?.number)
    expect((await requestReturn()).status).toBe(409)
    expect(await refundsOf(order.id)).toHaveLength(1)
  },
)

// Airalo does not report an installation.
const uses: [EsimSimulator, string, Record<string, unknown>][] = [
  ['esimAccess', 'install', {}],
  ['esimAccess', 'use', { bytes: 0.1 * gigabyte }],
  ['airalo', 'use', { bytes: 0.1 * gigabyte }],
]

test.each(uses)('%s: after the first %s an eSIM is not returned and not refunded', async (simulator, action, input) => {
  const { order, requestReturn } = await delivered(esimSimulators[simulator].packageCode, 2)
  await harness.sims[simulator].do(action, { iccid: order.esims[1].iccid, ...input })
  const answer = await requestReturn()
  expect([answer.status, answer.body.code]).toEqual([409, 'esim_in_use'])
  expect(await shown(order.id)).toMatchObject({ status: 'delivered', documents: [{ kind: 'invoice' }], refunds: [] })
  expect(await refundsOf(order.id)).toEqual([])
})

test('five simultaneous refund requests, with one key and with many, make one refund', async () => {
  const { order, requestReturn } = await delivered()
  const oneKey = { 'idempotency-key': `refund-${order.id}` }
  const answers = await Promise.all([
    requestReturn(oneKey),
    requestReturn(oneKey),
    requestReturn(),
    requestReturn(),
    requestReturn(),
  ])
  expect(answers.map(({ status }) => status)).toContain(200)
  for (const { status } of answers) expect([200, 409]).toContain(status)
  await harness.untilOrder(order.id, 'refunded')
  expect(await refundsOf(order.id)).toHaveLength(1)
})

test('a refund request while the provider is down changes nothing, and the problem says so', {
  tags: 'long',
}, async () => {
  const { order, requestReturn } = await delivered()
  await esimAccess.fault({ match: { path: '/esim/query' }, status: 503, times: 1_000 })
  const answer = await requestReturn()
  await esimAccess.clearFaults()
  expect([answer.status, answer.body.code]).toEqual([503, 'provider_unavailable'])
  expect(await shown(order.id)).toMatchObject({ status: 'delivered', refunds: [] })
  expect((await requestReturn()).status).toBe(200)
})

test('an order is refunded when the provider took the eSIM back and its reply was lost', { tags: 'long' }, async () => {
  const { order, requestReturn } = await delivered()
  await esimAccess.fault({ match: { path: '/esim/cancel' }, cut: 'after' })
  expect((await requestReturn()).status).toBe(200)
  expect(await harness.untilOrder(order.id, 'refunded')).toMatchObject({ reason: 'returned_unused' })
})

test('a refund that the provider applied and answered with 503 is found by the next poll, and a repeat gets 200', {
  tags: 'long',
}, async () => {
  const { order, requestReturn } = await delivered()
  const key = { 'idempotency-key': `refund-${order.id}` }
  const cancels = async () => (await esimAccess.state()).cancels.length
  const before = await cancels()
  await esimAccess.do('webhooks', { drop: 1_000 })
  await esimAccess.fault({ match: { path: '/esim/cancel' }, cut: 'after', times: 1_000 })
  const answer = requestReturn(key)
  await until('it was taken back', async () => (await cancels()) > before)
  await esimAccess.fault({ match: { path: '/esim/query' }, status: 503, times: 1_000 })
  const { status } = await answer
  await esimAccess.do('webhooks', { drop: 0 })
  await esimAccess.clearFaults()
  if (status !== 200) {
    expect(status).toBe(503)
    await harness.fastForward(order.id, '2 days')
  }
  await harness.untilOrder(order.id, 'refunded')
  expect(await requestReturn(key)).toMatchObject({ status: 200, body: { status: 'refunded' } })
  // Another request is refused, and its refusal is not stored under its key.
  const other = { 'idempotency-key': `again-${order.id}` }
  expect([(await requestReturn(other)).status, (await requestReturn(other)).status]).toEqual([409, 409])
})

test('a refund waits while Stripe is down, and is not repeated after a lost reply', { tags: 'long' }, async () => {
  const { order, requestReturn } = await delivered()
  await stripe.fault({ match: { method: 'POST', path: '/v1/refunds' }, status: 503, times: 12 })
  await stripe.fault({ match: { method: 'POST', path: '/v1/refunds' }, cut: 'after' })
  expect((await requestReturn()).status).toBe(200)
  await harness.fastForward(order.id, '1 hour')
  await harness.untilOrder(order.id, 'refunded')
  expect(await refundsOf(order.id)).toHaveLength(1)
  await stripe.clearFaults()
})

test('a refund that bounces before the next attempt finds it, its reply lost, is told as failed alone', {
  tags: 'long',
}, async () => {
  const { person, order, requestReturn } = await delivered()
  await stripe.fault({ match: { method: 'POST', path: '^/v1/refunds' }, cut: 'after' })
  await stripe.fault({ match: { method: 'GET', path: '^/v1/refunds' }, status: 503, times: 1_000 })
  expect((await requestReturn()).status).toBe(200)
  await until('Stripe has made it', async () => (await refundsOf(order.id)).length === 1)
  await stripe.do('fail-refund', { orderId: order.id })
  await stripe.clearFaults()
  await harness.fastForward(order.id, '1 hour')
  await harness.untilOrder(order.id, 'refund_failed')
  expect(await attention(order.id)).toEqual([{ kind: 'refund_failed', detail: 'refund_bounced' }])
  const pushes = await untilValue(
    'the push about the failure',
    () => pushesTo(harness.stack, person.pushToken),
    ({ length }) => length >= 2,
  )
  expect(pushes.map(({ message }) => message.data?.event)).toEqual(['confirmation', 'refund_failed'])
  expect((await harness.operator.post(`/v1/orders/${order.id}/refund`)).status).toBe(200)
  await harness.untilOrder(order.id, 'refunded')
  expect((await refundsOf(order.id)).map(({ status }) => status)).toEqual(['failed', 'succeeded'])
})

test('U6: a credit note is dated by the day of its issue, not by the day before an outage of Stripe', {
  tags: 'long',
}, async () => {
  const { order, requestReturn } = await delivered()
  await stripe.fault({ match: { method: 'POST', path: '/v1/refunds' }, status: 503, times: 1_000_000 })
  expect((await requestReturn()).status).toBe(200)
  const begun = (await harness.fastForward(order.id, '3 days')).now
  await stripe.clearFaults()
  const { now } = await harness.fastForward(order.id, '1 hour')
  const { documents: shownDocuments } = await harness.untilOrder(order.id, 'refunded')
  // Two days when this hour is the last of one.
  const days = [begun, now].map((time) => time.toISOString().slice(0, 10))
  expect(shownDocuments).toMatchObject([
    { kind: 'invoice', issuedOn: order.deliveredAt.slice(0, 10) },
    { kind: 'credit_note', issuedOn: expect.toBeOneOf(days) },
  ])
})

test('an order shows the state of a refund that takes days', { tags: 'long' }, async () => {
  const { order, requestReturn } = await delivered()
  await stripe.do('pending-refunds', { enabled: true })
  expect((await requestReturn()).status).toBe(200)
  expect(await harness.untilOrder(order.id, 'refunded')).toMatchObject({ refunds: [{ state: 'pending' }] })
  await stripe.do('settle-refund', { orderId: order.id })
  await stripe.do('pending-refunds', { enabled: false })
  await untilValue(
    'settled',
    () => shown(order.id),
    ({ refunds }) => refunds[0].state === 'succeeded',
  )
})

test.each([
  ['at once', '0 seconds', []],
  ['20 days later', '20 days', ['refunded']],
] as const)('a refund that fails %s is notified, and an operator repeats it', async (when, wait, before) => {
  const { person, order, requestReturn } = await delivered()
  if (when === 'at once') await stripe.do('fail-refund', { orderId: order.id })
  expect((await requestReturn()).status).toBe(200)
  if (when !== 'at once') {
    await harness.untilOrder(order.id, 'refunded')
    await harness.fastForward(order.id, wait)
    await stripe.do('fail-refund', { orderId: order.id })
  }
  expect(await harness.untilOrder(order.id, 'refund_failed')).toMatchObject({ endedAt: null })
  expect(await attention(order.id)).toEqual([{ kind: 'refund_failed', detail: 'refund_bounced' }])
  const listed = (await harness.operator.get('/v1/orders?status=refund_failed')).body.items
  expect(listed).toContainEqual(expect.objectContaining({ id: order.id }))

  expect((await harness.operator.post(`/v1/orders/${order.id}/refund`)).status).toBe(200)
  expect(await harness.untilOrder(order.id, 'refunded')).toMatchObject({ reason: 'returned_unused' })
  expect((await refundsOf(order.id)).map(({ status }) => status)).toEqual(['failed', 'succeeded'])
  expect((await documents(order.id)).map(({ kind }) => kind)).toEqual(['invoice', 'credit_note'])
  expect(await attention(order.id)).toEqual([])
  const pushes = await untilValue(
    'the push about the failure',
    () => pushesTo(harness.stack, person.pushToken),
    (all) => all.some(({ message }) => message.data?.event === 'refund_failed'),
  )
  expect(pushes.map(({ message }) => message.data?.event).slice(0, 2 + before.length)).toEqual([
    'confirmation',
    ...before,
    'refund_failed',
  ])
  // A mail of each refund that was found to be made, and one of that which the bank has returned.
  const told = await untilValue(
    'the mail about the repeated refund',
    () => subjects(person.email),
    ({ length }) => length >= 3 + before.length,
  )
  expect(told.filter((subject) => subject.startsWith('Your refund')).toSorted()).toEqual([
    ...before.map(() => 'Your refund of €5.00'),
    'Your refund of €5.00',
    'Your refund of €5.00 did not get through',
  ])
})

test('a refund that fails repeatedly becomes an operator task each time', { tags: 'long' }, async () => {
  const { person, order, requestReturn } = await delivered()
  const again = () => harness.operator.post(`/v1/orders/${order.id}/refund`)
  const untilRefunds = (status: string, states: string[]) =>
    untilValue(
      `${status} with refunds that have ${states}`,
      () => shown(order.id),
      (seen) =>
        seen.status === status && String(seen.refunds.map(({ state }: { state: string }) => state)) === `${states}`,
    )
  for (const [index, ask] of [requestReturn, again].entries()) {
    await stripe.do('fail-refund', { orderId: order.id })
    expect((await ask()).status).toBe(200)
    await untilRefunds('refund_failed', Array(index + 1).fill('failed'))
  }
  expect((await again()).status).toBe(200)
  await untilRefunds('refunded', ['failed', 'failed', 'succeeded'])
  expect((await refundsOf(order.id)).map(({ status }) => status)).toEqual(['failed', 'failed', 'succeeded'])
  await until('the customer is told of each failure', async () => {
    const failures = (await subjects(person.email)).filter((subject) => subject.endsWith('did not get through'))
    return failures.length === 2
  })
})

test('a refund that fails after the run has closed becomes an operator task', async () => {
  const { order, requestReturn } = await delivered()
  expect((await requestReturn()).status).toBe(200)
  await harness.untilOrder(order.id, 'refunded')
  await harness.fastForward(order.id, '31 days')
  await untilValue(
    'closed',
    () => shown(order.id),
    ({ endedAt }) => endedAt !== null,
  )
  await stripe.do('fail-refund', { orderId: order.id })
  await harness.untilOrder(order.id, 'refund_failed')
  expect(await attention(order.id)).toEqual([{ kind: 'refund_failed', detail: 'refund_bounced' }])
  expect((await harness.operator.post(`/v1/orders/${order.id}/refund`)).status).toBe(200)
  await harness.untilOrder(order.id, 'refunded')
  expect((await refundsOf(order.id)).map(({ status }) => status)).toEqual(['failed', 'succeeded'])
})

test('a refund that is made in Stripe’s dashboard becomes an operator task', async () => {
  const { order } = await delivered()
  await refundElsewhere(order.id)
  await untilValue(
    'noticed',
    () => attention(order.id),
    ({ length }) => length > 0,
  )
  expect(await attention(order.id)).toMatchObject([{ kind: 'refund_made_elsewhere' }])
  expect(await shown(order.id)).toMatchObject({
    status: 'delivered',
    refunds: [{ state: 'succeeded', reason: 'made_elsewhere' }],
  })
})

test('an order is refunded once when a refund was made in Stripe’s dashboard before', async () => {
  const person = await harness.signUp()
  await esimAccess.fault({ match: { path: '/esim/order' }, status: 503, times: 1_000 })
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, until: 'provisioning' })
  // Nobody is told of the refund: the order would end by itself.
  await stripe.do('webhooks', { drop: 1_000 })
  await refundElsewhere(order.id)
  expect((await person.caller.post(`/v1/orders/${order.id}/cancel`)).status).toBe(200)
  await stripe.do('webhooks', { drop: 0 })
  await esimAccess.clearFaults()
  await harness.untilOrder(order.id, 'refunded')
  expect(await refundsOf(order.id)).toMatchObject([{ status: 'succeeded', amount: testPriceMinor }])
})

test('webhooks of a refund in any order and number lead to the same end', { tags: 'long' }, async () => {
  const person = await harness.signUp()
  // The events: created, charge updated, refund updated, failed.
  const events = 4
  const arrival = fc
    .tuple(
      fc.shuffledSubarray([...Array(events).keys()], { minLength: events }),
      fc.array(fc.nat(events - 1), { maxLength: 3 }),
    )
    .map(([all, again]) => [...all, ...again])
  await fc.assert(
    fc.asyncProperty(arrival, async (order) => {
      const { id } = await harness.buy(person)
      await stripe.do('webhooks', { hold: true })
      expect((await person.caller.post(`/v1/orders/${id}/refund`)).status).toBe(200)
      await harness.untilOrder(id, 'refunded')
      await stripe.do('fail-refund', { orderId: id })
      expect((await stripe.do('webhooks', {})).held).toHaveLength(events)
      await stripe.do('release', { order })
      await harness.untilOrder(id, 'refund_failed')
      expect((await harness.operator.post(`/v1/orders/${id}/refund`)).status).toBe(200)
      await harness.untilOrder(id, 'refunded')
      expect((await refundsOf(id)).map(({ status }) => status)).toEqual(['failed', 'succeeded'])
      await sql`update orders set paid_at = paid_at - interval '25 hours' where id = ${id}`
    }),
    { numRuns: 5 },
  )
  expect((await subjects(person.email)).length).toBeGreaterThan(0)
})
