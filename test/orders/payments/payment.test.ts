/** U2, from checkout to the delivered eSIM: all kinds of payments, and webhooks in any order and number. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { historyCost } from '../../../bench/history-cost.ts'
import type { Invoices, Orders, Sends } from '../../../db/connection/schema.ts'
import { searchAttributes } from '../../../shared/search-attributes.ts'
import { defaultSubscription } from '../../../sim/stripe/events.ts'
import { orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { mailsTo, pushesTo } from '../../harness/checks/messages.ts'
import { always } from '../../harness/checks/placements.ts'
import { shareStack } from '../../harness/harness.ts'
import type { Person } from '../../harness/people.ts'
import { testPackages, testPriceMinor } from '../../harness/test-packages.ts'
import { untilValue } from '../../harness/until.ts'

const harness = await shareStack()
const { stripe } = harness.sims
const { sql } = harness.stack.context
const paymentSignals = async (orderId: string): Promise<number> => {
  const { events } = await harness.temporal.workflow.getHandle(orderWorkflowId(orderId)).fetchHistory()
  return (events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes?.signalName === 'payment')
    .length
}
const shown = async (orderId: string) => (await harness.service.get(`/v1/orders/${orderId}`)).body

/** Waits until all messages of a delivery are sent. */
const allSent = (orderId: string, { measured = false } = {}) =>
  untilValue(
    `everything of ${orderId} is sent`,
    () => sql<Pick<Sends, 'kind' | 'state'>[]>`
      select kind, state from sends where subject_id = ${orderId} and state in ('sent', 'skipped')`,
    (rows) => {
      const sent = new Set(rows.map(({ kind }) => kind))
      return (
        ['mail', 'push'].every((by) => sent.has(`${by}:confirmation`)) && sent.has('measurement:purchase') === measured
      )
    },
  )

async function atStripe(orderId: string) {
  const { paymentIntents, events } = await stripe.state()
  const intents = paymentIntents.filter(({ metadata }) => metadata.order_id === orderId)
  const eventsOf = (type: string) =>
    events.filter((event) => event.type === type && intents.some(({ id }) => id === event.objectId))
  return { intents, eventsOf }
}

async function unpaid(person?: Person) {
  const buyer = person ?? (await harness.signUp())
  return { person: buyer, order: await harness.buy(buyer, { pay: false }) }
}

test('a paid order is delivered by mail with the eSIM in every form that phones accept', async () => {
  const person = await harness.signUp()
  const measurement = { adUserData: true, adPersonalization: false }
  const checkout = await harness.buy(person, { pay: false, order: { measurement } })
  expect(checkout).toMatchObject({
    status: 'awaiting_payment',
    amount: { minor: testPriceMinor, currency: 'EUR' },
    payment: { paymentIntentClientSecret: expect.stringMatching(/^pi_\w+_secret_/), customerId: null },
    esims: [],
    documents: [],
  })

  await stripe.do('pay', { orderId: checkout.id })
  const order = await harness.untilOrder(checkout.id, 'delivered')
  await allSent(order.id, { measured: true })

  expect(order).toMatchObject({
    payment: null,
    esims: [{ state: 'new', activationCode: expect.stringMatching(/^LPA:1\$[^$]+\$[^$]+/) }],
    documents: [{ kind: 'invoice' }],
    refunds: [],
  })
  const [esim] = order.esims
  const qr = await fetch(`${harness.urls.api}/v1/orders/${order.id}/qr.png`, {
    headers: { authorization: `Bearer ${harness.service.token}` },
  })
  const png = Buffer.from(await qr.arrayBuffer())

  const mails = await mailsTo(harness.stack, person.email)
  expect(mails).toHaveLength(1)
  expect(mails[0]?.attachments).toMatchObject([{ contentType: 'image/png', base64: png.toString('base64') }])
  expect(mails[0]?.html).toContain(`src="cid:${mails[0]?.attachments[0]?.cid}"`)
  for (const text of [esim.activationCode, esim.smdpAddress, esim.matchingId, order.installUrl]) {
    expect(mails[0]?.text).toContain(text)
  }
  expect(mails[0]?.text).toContain(order.documents[0].number)
  expect(await fetch(order.installUrl)).toMatchObject({ status: 200 })

  const pushes = await pushesTo(harness.stack, person.pushToken)
  expect(pushes.map(({ message }) => message.data)).toMatchObject([{ orderId: order.id, event: 'confirmation' }])

  const [meta, google] = await Promise.all([harness.sims.meta.state(), harness.sims.googleAnalytics.state()])
  expect([meta.violations, google.violations, meta.duplicates]).toEqual([[], [], []])
  expect(meta.events).toEqual([
    {
      event_name: 'Purchase',
      event_time: expect.any(Number),
      event_id: expect.any(String),
      action_source: 'other',
      user_data: { external_id: [expect.stringMatching(/^[0-9a-f]{64}$/)] },
      custom_data: { currency: 'EUR', value: 5 },
      // With measurement and without personalization.
      data_processing_options: ['LDU'],
      data_processing_options_country: 0,
      data_processing_options_state: 0,
      opt_out: true,
    },
  ])
  expect(google.events).toMatchObject([{ name: 'purchase', params: { currency: 'EUR', value: 5 } }])
  expect(JSON.stringify([meta.events, google.events])).not.toContain(order.id)
})

test.each([
  { currency: 'JPY', minor: 1_290, shownAs: 'JP¥1,290', value: 1_290 },
  { currency: 'HUF', minor: 49_900, shownAs: 'HUF\u00a0499.00', value: 499 },
])(
  'a price in $currency is the same amount in order, payment, mail and measurement',
  async ({ currency, minor, shownAs, value }) => {
    const person = await harness.signUp()
    const packageCode = testPackages.onlyAiralo
    await sql`update packages set price_minor = ${minor}, currency = ${currency} where code = ${packageCode}`
    const order = await harness.buy(person, {
      packageCode,
      order: { measurement: { adUserData: true, adPersonalization: true } },
    })
    await sql`update packages set price_minor = ${testPriceMinor}, currency = 'EUR' where code = ${packageCode}`
    await allSent(order.id, { measured: true })

    expect(order).toMatchObject({ amount: { minor, currency }, documents: [{ kind: 'invoice' }] })
    const { intents } = await atStripe(order.id)
    expect(intents).toMatchObject([{ amount: minor, currency: currency.toLowerCase() }])
    const [invoice] = await sql<Pick<Invoices, 'net_minor' | 'tax_minor' | 'gross_minor' | 'currency'>[]>`
    select i.net_minor, i.tax_minor, i.gross_minor, i.currency from invoices i join invoice_links l on l.number = i.number
    where l.order_id = ${order.id}`
    expect(invoice).toMatchObject({ gross_minor: minor, currency })
    expect((invoice?.net_minor ?? 0) + (invoice?.tax_minor ?? 0)).toBe(minor)
    expect((await mailsTo(harness.stack, person.email))[0]?.text).toContain(shownAs)
    const [meta, google] = await Promise.all([harness.sims.meta.state(), harness.sims.googleAnalytics.state()])
    expect(meta.events).toContainEqual(expect.objectContaining({ custom_data: { currency, value } }))
    expect(google.events).toContainEqual(
      expect.objectContaining({ params: expect.objectContaining({ currency, value }) }),
    )
  },
)

test('an order without consent sends no measurement', async () => {
  const before = await Promise.all([harness.sims.meta.log(), harness.sims.googleAnalytics.log()])
  const order = await harness.buy(await harness.signUp())
  await allSent(order.id)
  const after = await Promise.all([harness.sims.meta.log(), harness.sims.googleAnalytics.log()])
  expect(after.map(({ length }) => length)).toEqual(before.map(({ length }) => length))
})

test('an order needs at most 24 events and 9 actions up to its delivery', async () => {
  const order = await harness.buy(await harness.signUp())
  await allSent(order.id)
  const history = await harness.temporal.workflow.getHandle(orderWorkflowId(order.id)).fetchHistory()
  const { events, actions } = historyCost(history)
  expect(events).toBeLessThanOrEqual(24)
  expect(actions).toBeLessThanOrEqual(9)
})

test('an order is paid by another card after a declined one', async () => {
  const { order } = await unpaid()
  await stripe.do('fail-payment', { orderId: order.id, declineCode: 'insufficient_funds' })
  expect(await shown(order.id)).toMatchObject({ status: 'awaiting_payment', payment: expect.anything() })
  await stripe.do('require-action', { orderId: order.id })
  await stripe.do('fail-payment', { orderId: order.id })
  await stripe.do('pay', { orderId: order.id })
  await harness.untilOrder(order.id, 'delivered')
  expect((await atStripe(order.id)).intents).toHaveLength(1)
})

test.each(['apple_pay', 'google_pay'])(
  'a payment by %s is delivered, and the books have the payment method',
  async (method) => {
    const order = await harness.buy(await harness.signUp(), { pay: { method } })
    const [row] = await sql<Pick<Invoices, 'payment_kind'>[]>`
    select i.payment_kind from invoices i join invoice_links l on l.number = i.number where l.order_id = ${order.id}`
    expect(row).toEqual({ payment_kind: method })
  },
)

test('an unpaid order is closed after an hour, and its payment cancelled at Stripe', async () => {
  const { person, order } = await unpaid()
  await harness.fastForward(order.id, '59 minutes')
  expect((await shown(order.id)).status).toBe('awaiting_payment')
  expect((await harness.fastForward(order.id, '1 minute')).outcome).toMatch(/reached|ended/)

  const closed = await harness.untilOrder(order.id, 'unpaid')
  expect(closed).toMatchObject({ reason: 'not_paid_in_time', payment: null, documents: [], esims: [] })
  expect((await atStripe(order.id)).intents).toMatchObject([{ status: 'canceled' }])
  await expect(stripe.do('pay', { orderId: order.id })).rejects.toThrow('canceled')
  expect(await sql`select 1 from provider_orders where order_id = ${order.id}`).toHaveLength(0)
  expect(await sql`select 1 from order_facts f join orders o on o.fact_id = f.id where o.id = ${order.id}`).toEqual([])
  expect(await mailsTo(harness.stack, person.email)).toEqual([])
})

test('a payment at the exact deadline is delivered if Stripe accepted it', async () => {
  const { order } = await unpaid()
  await stripe.do('webhooks', { drop: 1_000 })
  await stripe.do('late-success', { orderId: order.id })
  await harness.fastForward(order.id, '61 minutes')
  await stripe.do('webhooks', { drop: 0 })
  expect(await harness.untilOrder(order.id, 'delivered')).toMatchObject({ reason: null, esims: [{ state: 'new' }] })
})

test('a payment at the moment of the cancellation is refunded', async () => {
  const { person, order } = await unpaid()
  await stripe.do('late-success', { orderId: order.id })
  expect((await person.caller.post(`/v1/orders/${order.id}/cancel`)).status).toBe(200)
  expect(await harness.untilOrder(order.id, 'refunded')).toMatchObject({ reason: 'paid_after_cancel', documents: [] })
})

test('a payment that the bank still processes at the deadline keeps the order open', async () => {
  const { order } = await unpaid()
  await stripe.do('process', { orderId: order.id })
  await harness.fastForward(order.id, '90 minutes')
  expect((await shown(order.id)).status).toBe('awaiting_payment')
  await stripe.do('pay', { orderId: order.id })
  await harness.fastForward(order.id, '30 minutes')
  await harness.untilOrder(order.id, 'delivered')
})

test.each([
  ['30 s', '31 seconds'],
  ['2 minutes', '2 minutes'],
  ['10 minutes', '10 minutes'],
] as const)('a payment with a lost webhook is found by the poll after %s', async (_when, wait) => {
  const { order } = await unpaid()
  await stripe.do('webhooks', { drop: 1_000 })
  if (wait !== '31 seconds') await harness.fastForward(order.id, wait === '2 minutes' ? '31 seconds' : '3 minutes')
  await stripe.do('pay', { orderId: order.id })
  expect((await shown(order.id)).status).toBe('awaiting_payment')
  await harness.fastForward(order.id, wait)
  await harness.untilOrder(order.id, 'delivered')
  await stripe.do('webhooks', { drop: 0 })
  // Late, it tells the run nothing that would be worth a question to Stripe.
  const [event] = (await atStripe(order.id)).eventsOf('payment_intent.succeeded')
  expect((await stripe.do('send-raw', { eventId: event?.id })).status).toBe(200)
  expect(await paymentSignals(order.id)).toBe(0)
})

test('five simultaneous copies of a payment’s webhook deliver once', async () => {
  const { person, order } = await unpaid()
  await stripe.do('webhooks', { copies: 5 })
  await stripe.do('pay', { orderId: order.id })
  await harness.untilOrder(order.id, 'delivered')
  await stripe.do('webhooks', { copies: 1 })
  const { eventsOf } = await atStripe(order.id)
  const [event] = eventsOf('payment_intent.succeeded')
  await Promise.all(Array.from({ length: 5 }, () => stripe.do('send-raw', { eventId: event?.id })))
  await allSent(order.id)
  expect(await paymentSignals(order.id)).toBe(1)
  expect(await mailsTo(harness.stack, person.email)).toHaveLength(1)
})

test('webhooks of a payment in any order and number lead to the same end', {
  tags: 'long',
  timeout: 90_000,
}, async () => {
  const person = await harness.signUp()
  await stripe.do('webhooks', { events: ['*'] })
  // Two attempts at the payment, and possibly a dispute about the second.
  const events = 7
  const order = fc
    .tuple(
      fc.shuffledSubarray([...Array(events).keys()], { minLength: events }),
      fc.array(fc.nat(events - 1), { maxLength: 4 }),
    )
    .map(([all, again]) => [...all, ...again])
  await fc.assert(
    fc.asyncProperty(order, fc.boolean(), async (arrival, disputed) => {
      const { id: orderId } = await harness.buy(person, { pay: false })
      await stripe.do('webhooks', { hold: true })
      await stripe.do('fail-payment', { orderId })
      await stripe.do('require-action', { orderId })
      await stripe.do('process', { orderId })
      await stripe.do('pay', { orderId })
      expect((await stripe.do('webhooks', {})).held).toHaveLength(events - 1)
      if (disputed) await stripe.do('open-dispute', { orderId })
      await stripe.do('release', { order: arrival.filter((index) => disputed || index < events - 1) })
      await untilValue(
        disputed ? `${orderId} is not accepted, and disputed` : `${orderId} is delivered`,
        () => shown(orderId),
        ({ status, dispute, documents }) =>
          disputed
            ? status === 'cancelled' && dispute !== null && documents.length === 0
            : status === 'delivered' && dispute === null && documents.length === 1,
      )
      // Otherwise the daily number would send the next order to review.
      await sql`update orders set paid_at = paid_at - interval '25 hours' where id = ${orderId}`
    }),
    { numRuns: 8 },
  )
  await stripe.do('webhooks', { events: defaultSubscription })
})

test('a payment’s webhook without Stripe’s signature, or with an old one, changes nothing', async () => {
  const { order } = await unpaid()
  await stripe.do('webhooks', { hold: true })
  await stripe.do('pay', { orderId: order.id })
  const [event] = (await atStripe(order.id)).eventsOf('payment_intent.succeeded')
  const eventId = event?.id
  const now = Math.floor(Date.now() / 1000)
  const forged = JSON.stringify({
    id: eventId,
    object: 'event',
    type: 'payment_intent.succeeded',
    created: now,
    data: { object: { id: event?.objectId, object: 'payment_intent', metadata: { order_id: order.id } } },
  })
  const stored = `t=${now},v1=${'0'.repeat(64)}`
  for (const attempt of [
    { eventId, signature: null },
    { eventId, signature: '' },
    { eventId, signature: 'nonsense' },
    { eventId, signature: stored },
    { eventId, secret: 'whsec_wrong' },
    { eventId, timestamp: now - 301 },
    { body: forged, secret: 'whsec_wrong' },
    { body: 'not json' },
    { body: '{}' },
  ]) {
    const answer = await stripe.do('send-raw', attempt)
    expect({ attempt, ...answer }).toMatchObject({ status: 400, body: expect.stringContaining('webhook_refused') })
  }
  expect((await shown(order.id)).status).toBe('awaiting_payment')
  const hash = harness.context.cipher.fingerprint('webhook-event', `stripe\0${eventId}`).toString('base64url')
  expect(await sql`select 1 from webhook_events where event_id = ${hash}`).toHaveLength(0)
  expect(await paymentSignals(order.id)).toBe(0)

  expect(await stripe.do('send-raw', { eventId, timestamp: now - 240 })).toMatchObject({ status: 200 })
  await harness.untilOrder(order.id, 'delivered')
  await stripe.do('release')
})

/** Pays an order of which no webhook comes. @returns the payment as Stripe shows it, and its path there */
async function paidUnheard() {
  const { order } = await unpaid()
  await stripe.do('webhooks', { hold: true })
  await stripe.do('pay', { orderId: order.id })
  const { intents } = await atStripe(order.id)
  const path = `/v1/payment_intents/${intents[0]?.id}`
  const headers = { authorization: `Bearer ${harness.config.STRIPE_SECRET_KEY}` }
  const paid = JSON.parse(await (await fetch(`${stripe.url}${path}?expand[]=latest_charge`, { headers })).text())
  return { order, path, paid }
}

test('U2: the hour of an order begins with its payment, also when nobody has heard of it for most of it', async () => {
  const { order, path, paid } = await paidUnheard()
  const { esimAccess, airalo } = harness.sims
  for (const provider of [esimAccess, airalo]) await provider.fault({ status: 503, times: always })
  const agoSeconds = 40 * 60
  const charge = { ...paid.latest_charge, created: paid.latest_charge.created - agoSeconds }
  const body = { ...paid, latest_charge: charge }
  await stripe.fault({ match: { method: 'GET', path }, status: 200, body, times: always })
  await stripe.do('release')
  await harness.untilOrder(order.id, 'provisioning')
  const leftMs = (at: Date | undefined): number => (at?.getTime() ?? 0) - Date.now()
  const dueAt = await untilValue(
    'the run shows until when it is delivered',
    async () => {
      const { typedSearchAttributes: shown } = await harness.temporal.workflow
        .getHandle(orderWorkflowId(order.id))
        .describe()
      return shown.get(searchAttributes.stage) === 'provisioning' ? shown.get(searchAttributes.dueAt) : undefined
    },
    (due) => due !== undefined,
  )
  const [row] = await sql<Pick<Orders, 'deliver_by'>[]>`select deliver_by from orders where id = ${order.id}`
  for (const due of [dueAt, row?.deliver_by ?? undefined]) {
    expect(leftMs(due)).toBeLessThanOrEqual(20 * 60_000)
    expect(leftMs(due)).toBeGreaterThan(10 * 60_000)
  }
  for (const sim of [stripe, esimAccess, airalo]) await sim.clearFaults()
  await harness.fastForward(order.id, '1 minute')
  await harness.untilOrder(order.id, 'delivered')
})

test('U2: a paid order is delivered though our clock is ten minutes ahead of Stripe’s', async () => {
  const { order, path, paid } = await paidUnheard()
  const aheadSeconds = 600
  const body = { ...paid, created: paid.created - aheadSeconds }
  const date = new Date(Date.now() - aheadSeconds * 1_000).toUTCString()
  await stripe.fault({ match: { method: 'GET', path }, status: 200, body, headers: { date }, times: always })
  await stripe.do('release')
  await harness.untilOrder(order.id, 'delivered')
  await stripe.clearFaults()
})
