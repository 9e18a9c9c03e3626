/**
 * U2 and U6: paid means delivered or refunded, and accounting and tax duties are met. Operators refund a part of an
 * order's price; all parts together never exceed what was paid.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isOpen } from '../../../temporal/runs.ts'
import { fastForward } from '../../../temporal/time-skipping.ts'
import { draftSweepType } from '../../../workflows/housekeeping/draft-sweep.contract.ts'
import { orderAftercareWorkflowId, orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { partialRefundWorkflowId, refundIdOf } from '../../../workflows/order/partial-refund.contract.ts'
import { mailsTo } from '../../harness/checks/messages.ts'
import { always, watchPlacements } from '../../harness/checks/placements.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus, withId } from '../../harness/http.ts'
import { resetRun, resettable } from '../../harness/temporal/reset-run.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { testPackages, testPriceMinor } from '../../harness/test-packages.ts'
import { until, untilValue } from '../../harness/until.ts'

const harness = await shareStack()
const { stripe, esimAccess } = harness.sims
const { sql } = harness.stack.context
const { attention } = watchPlacements(harness.stack)

const shown = async (orderId: string) => (await harness.service.get(`/v1/orders/${orderId}`)).body

async function delivered(quantity = 1) {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, quantity })
  return { person, order }
}

const ask = (orderId: string, body: unknown, headers = {}) =>
  harness.operator.post(`/v1/orders/${orderId}/refund`, body, headers)
const askPart = (orderId: string, minor: number, more = {}, headers = {}) =>
  ask(orderId, { amount: { minor, currency: 'EUR' }, ...more }, headers)

/** The refunds of an order in Stripe's books. */
async function refundsOf(orderId: string) {
  const { refunds, paymentIntents } = await stripe.state()
  const intent = paymentIntents.find(({ metadata }) => metadata.order_id === orderId)
  return refunds.filter(({ payment_intent }) => payment_intent === intent?.id)
}
const refundedMinor = async (orderId: string) =>
  (await refundsOf(orderId)).filter(({ status }) => status !== 'failed').reduce((sum, { amount }) => sum + amount, 0)

interface Note {
  number: string
  gross: number
  net: number
  tax: number
}
const notesOf = (orderId: string) => sql<Note[]>`
  select i.number, -i.gross_minor as gross, -i.net_minor as net, -i.tax_minor as tax
  from invoices i join invoice_links l on l.number = i.number
  where l.order_id = ${orderId} and i.kind = 'credit_note' order by i.sequence`
async function invoiceOf(orderId: string): Promise<Note | undefined> {
  const [invoice] = await sql<Note[]>`
    select i.number, i.gross_minor as gross, i.net_minor as net, i.tax_minor as tax
    from invoices i join invoice_links l on l.number = i.number where l.order_id = ${orderId} and i.kind = 'invoice'`
  return invoice
}
const total = (notes: readonly Note[], field: 'gross' | 'net' | 'tax') =>
  notes.reduce((sum, note) => sum + note[field], 0)
const facts = async (orderId: string) => {
  const [fact] = await sql`
    select f.outcome, f.refunded_minor from order_facts f join orders o on o.fact_id = f.id where o.id = ${orderId}`
  return fact
}

/** The ids of an order's partial refunds, the oldest first. */
async function refundIds(orderId: string): Promise<string[]> {
  const rows = await sql<{ refund_key: string }[]>`
    select refund_key from refunds where order_id = ${orderId} order by created_at`
  return rows.flatMap(({ refund_key }) => refundIdOf(refund_key) ?? [])
}

const noticed = (orderId: string, kind: string) =>
  untilValue(
    kind,
    () => attention(orderId),
    (tasks) => tasks.some((task) => task.kind === kind),
  )

const untilClosed = (workflowId: string) =>
  until(`${workflowId} has closed`, async () => {
    const { status } = await harness.temporal.workflow.getHandle(workflowId).describe()
    return status.name === 'COMPLETED'
  })

async function paymentOf(orderId: string): Promise<string> {
  const [row] = await sql<{ payment_intent_id: string }[]>`select payment_intent_id from orders where id = ${orderId}`
  return row?.payment_intent_id ?? ''
}

/** Made in Stripe's dashboard: without metadata of ours. */
async function refundByHand(orderId: string): Promise<string> {
  const made = await fetch(`${stripe.url}/v1/refunds`, {
    method: 'POST',
    headers: { authorization: `Bearer ${harness.config.STRIPE_SECRET_KEY}` },
    body: new URLSearchParams({ payment_intent: await paymentOf(orderId), amount: '100' }),
  })
  expect(made.status).toBe(200)
  return withId.parse(await made.json()).id
}

test('U6: a partial refund as goodwill keeps the eSIM, with a credit note and a mail', async () => {
  const { person, order } = await delivered()
  const answer = expectStatus(await askPart(order.id, 120), 200)
  const [note] = await notesOf(order.id)
  expect(answer).toMatchObject({
    status: 'delivered',
    refunds: [{ minor: 120, state: 'succeeded', reason: 'goodwill', creditNote: note?.number }],
  })
  // The answer to an operator has no eSIMs (test/audit/what-operators-get.test.ts).
  expect(await shown(order.id)).toMatchObject({ esims: [{ state: 'new' }] })
  expect(note?.gross).toBe(120)
  expect(await refundedMinor(order.id)).toBe(120)
  expect(await facts(order.id)).toEqual({ outcome: 'delivered', refunded_minor: 120 })
  const mails = await untilValue(
    'the customer is told',
    () => mailsTo(harness.stack, person.email),
    ({ length }) => length === 2,
  )
  expect(mails[1]?.subject).toContain('1.20')
  expect(mails[1]?.text).toContain(note?.number)
  expect(mails[1]?.text).toContain('You keep what you ordered')
})

test('credit notes of partial refunds until nothing is left sum to the invoice exactly, in net and tax', async () => {
  const { order } = await delivered()
  for (const minor of [1, 33, 199]) expectStatus(await askPart(order.id, minor), 200)
  expectStatus(await ask(order.id, { reason: 'service_fault' }), 200)
  const notes = await notesOf(order.id)
  expect(notes.map(({ gross }) => gross)).toEqual([1, 33, 199, testPriceMinor - 233])
  const invoice = await invoiceOf(order.id)
  for (const field of ['gross', 'net', 'tax'] as const) expect(total(notes, field), field).toBe(invoice?.[field])
  const more = await askPart(order.id, 1)
  expect([more.status, more.body.code]).toEqual([409, 'refund_exceeds_payment'])
  expect(await refundedMinor(order.id)).toBe(testPriceMinor)
})

test('20 partial refunds at once under different keys never exceed what was paid, and each has its credit note', async () => {
  const { order } = await delivered()
  const part = 70
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_each, index) => {
      const key = { 'idempotency-key': `part-${index}-${order.id}` }
      // Who gets no answer in time repeats the request.
      for (;;) {
        const answer = await askPart(order.id, part, {}, key)
        if (answer.status !== 503) return answer
      }
    }),
  )
  const made = answers.filter(({ status }) => status === 200).length
  expect(made).toBe(Math.floor(testPriceMinor / part))
  for (const { status, body } of answers)
    if (status !== 200) expect([status, body.code]).toEqual([409, 'refund_exceeds_payment'])
  expect(await refundedMinor(order.id)).toBe(made * part)
  const notes = await notesOf(order.id)
  expect(notes.map(({ gross }) => gross)).toEqual(Array(made).fill(part))
  const view = await shown(order.id)
  const numbers = view.refunds.map(({ creditNote }: { creditNote: string }) => creditNote)
  expect(numbers.toSorted()).toEqual(notes.map(({ number }) => number).toSorted())
  expect(await facts(order.id)).toEqual({ outcome: 'delivered', refunded_minor: made * part })
})

test('20 requests at once under one key make one partial refund, and a key is for one amount', async () => {
  const { order } = await delivered()
  const key = { 'idempotency-key': `part-${order.id}` }
  const answers = await Promise.all(Array.from({ length: 20 }, () => askPart(order.id, 50, {}, key)))
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
  expect(await refundedMinor(order.id)).toBe(50)
  expect((await askPart(order.id, 60, {}, key)).status).toBe(422)
})

test('an eSIM that is returned after a partial refund has the rest refunded; both at once never exceed what was paid', async () => {
  const { person, order } = await delivered()
  expectStatus(await askPart(order.id, 100), 200)
  const answers = await Promise.all([
    person.caller.post(`/v1/orders/${order.id}/refund`),
    ...[1, 2, 3, 4].map((n) => askPart(order.id, 10 + n)),
  ])
  expect(answers[0]?.status).toBe(200)
  await harness.untilOrder(order.id, 'refunded')
  expect(await refundedMinor(order.id)).toBe(testPriceMinor)
  const notes = await notesOf(order.id)
  expect(total(notes, 'tax')).toBe((await invoiceOf(order.id))?.tax)
  const late = await askPart(order.id, 1)
  expect([late.status, late.body.code]).toEqual([409, 'order_state_conflict'])
})

test('unused eSIMs are returned with a partial refund; a used one is refused and nothing is refunded', async () => {
  const { order } = await delivered()
  expectStatus(await askPart(order.id, 300, { esims: 'returned', reason: 'returned_unused' }), 200)
  expect(await harness.untilOrder(order.id, 'ended')).toMatchObject({ esims: [{ state: 'cancelled' }] })
  expect(await refundedMinor(order.id)).toBe(300)

  const { order: used } = await delivered()
  await esimAccess.do('install', { iccid: used.esims[0].iccid })
  const answer = await askPart(used.id, 300, { esims: 'returned' })
  expect([answer.status, answer.body.code]).toEqual([409, 'esim_in_use'])
  expect(await shown(used.id)).toMatchObject({ refunds: [{ state: 'refused', creditNote: null }] })
  expect(await refundedMinor(used.id)).toBe(0)
  expectStatus(await ask(used.id, {}), 200)
  expect(await refundedMinor(used.id)).toBe(testPriceMinor)
})

test('a part of a top-up, whose run has closed, is refunded, and the failure of the refund is followed', async () => {
  const { person, order } = await delivered()
  const request = { packageCode: testPackages.topUp }
  const topUp = expectStatus(await person.caller.post(`/v1/orders/${order.id}/top-up`, request), 201)
  await stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'delivered')
  await untilClosed(orderWorkflowId(topUp.id))
  expectStatus(await askPart(topUp.id, 80), 200)
  const [refund] = await refundsOf(topUp.id)
  await stripe.do('fail-refund', { refund: refund?.id })
  await untilValue(
    'operators are told',
    () => attention(topUp.id),
    (tasks) => tasks.some(({ kind }) => kind === 'partial_refund_failed'),
  )
  expect(await shown(topUp.id)).toMatchObject({ status: 'delivered', refunds: [{ state: 'failed' }] })
  // Made again under a new key. Its amount is credited already.
  expectStatus(await askPart(topUp.id, 80), 200)
  expect(await attention(topUp.id)).toEqual([])
  expect((await notesOf(topUp.id)).map(({ gross }) => gross)).toEqual([80])
})

test('a partial refund that bounces 20 days later is told to the customer and to operators, once', async () => {
  const { person, order } = await delivered()
  expectStatus(await askPart(order.id, 90), 200)
  const [refundId = ''] = await refundIds(order.id)
  await fastForward(harness.temporal, partialRefundWorkflowId(refundId), '20 days')
  await stripe.do('fail-refund', { orderId: order.id })
  await untilValue(
    'the customer is told',
    () => mailsTo(harness.stack, person.email),
    (mails) => mails.some(({ subject }) => subject.includes('did not get through')),
  )
  expect(await attention(order.id)).toMatchObject([{ kind: 'partial_refund_failed' }])
  expect(await shown(order.id)).toMatchObject({ status: 'delivered', refunds: [{ state: 'failed' }] })
  expect(await facts(order.id)).toEqual({ outcome: 'delivered', refunded_minor: 0 })
})

test('after a partial refund, the mail about the failure of the rest names the rest', async () => {
  const { person, order } = await delivered()
  expectStatus(await askPart(order.id, 120), 200)
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
  const rest = (await refundsOf(order.id)).find(({ amount }) => amount === testPriceMinor - 120)
  await stripe.do('fail-refund', { refund: rest?.id })
  const mail = await until('the customer is told', async () =>
    (await mailsTo(harness.stack, person.email)).find(({ subject }) => subject.includes('did not get through')),
  )
  expect(mail.subject).toContain('3.80')
})

test('after a partial refund, a withdrawal names the rest before it is confirmed, afterwards, and by mail', async () => {
  const { person, order } = await delivered()
  expectStatus(await askPart(order.id, 120), 200)
  const path = `/v1/orders/${order.id}/withdrawal`
  const refund = { minor: testPriceMinor - 120, currency: 'EUR' }
  expect(expectStatus(await person.caller.post(path), 200)).toMatchObject({ state: 'open', refund })
  expect(expectStatus(await person.caller.post(`${path}/confirm`), 200)).toMatchObject({ state: 'stated', refund })
  await harness.untilOrder(order.id, 'refunded')
  expect(expectStatus(await person.caller.post(`${path}/confirm`), 200)).toMatchObject({ state: 'stated', refund })
  const mail = await until('it is acknowledged', async () =>
    (await mailsTo(harness.stack, person.email)).find(({ subject }) => subject.includes('received your withdrawal')),
  )
  expect(mail.text).toContain('3.80')
  expect(mail.text).not.toContain('5.00')
})

test('a partial refund whose failure nobody told is found at the end of its wait', async () => {
  const { order } = await delivered()
  expectStatus(await askPart(order.id, 90), 200)
  const [refundId = ''] = await refundIds(order.id)
  await stripe.do('webhooks', { drop: 1_000 })
  await stripe.do('fail-refund', { orderId: order.id })
  await stripe.do('webhooks', { drop: 0 })
  await fastForward(harness.temporal, partialRefundWorkflowId(refundId), '31 days')
  await untilValue(
    'it is found',
    () => attention(order.id),
    (tasks) => tasks.some(({ kind }) => kind === 'partial_refund_failed'),
  )
})

test('a refund made by hand that fails on a closed order is no claim to the rest of the price', async () => {
  const { person, order } = await delivered()
  const request = { packageCode: testPackages.topUp }
  const topUp = expectStatus(await person.caller.post(`/v1/orders/${order.id}/top-up`, request), 201)
  await stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'delivered')
  await untilClosed(orderWorkflowId(topUp.id))
  const refund = await refundByHand(topUp.id)
  await noticed(topUp.id, 'refund_made_elsewhere')
  await stripe.do('fail-refund', { refund })
  await noticed(topUp.id, 'refund_elsewhere_failed')
  await untilClosed(orderAftercareWorkflowId(topUp.id))
  expect((await attention(topUp.id)).map(({ kind }) => kind)).not.toContain('refund_failed')
})

test('a refund made by hand while a top-up’s run waits for its last mail is noticed', async () => {
  const { person, order } = await delivered()
  const request = { packageCode: testPackages.topUp }
  const topUp = expectStatus(await person.caller.post(`/v1/orders/${order.id}/top-up`, request), 201)
  await harness.sims.mailbox.do('rule', { code: 451, times: always })
  await stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'delivered')
  await refundByHand(topUp.id)
  await until('the run has the hint', async () => {
    const { events } = await harness.temporal.workflow.getHandle(orderWorkflowId(topUp.id)).fetchHistory()
    return events?.some(({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName === 'payment')
      ? events.filter(({ workflowExecutionSignaledEventAttributes: signal }) => signal).length >= 2
      : false
  })
  await harness.sims.mailbox.do('clear-rules')
  await harness.fastForward(topUp.id, '20 minutes')
  await noticed(topUp.id, 'refund_made_elsewhere')
})

test('a refund is not repeated after a lost reply, and waits while Stripe is down', async () => {
  const { order } = await delivered()
  const key = { 'idempotency-key': `lost-${order.id}` }
  await stripe.fault({ match: { method: 'POST', path: '/v1/refunds' }, status: 503, times: 2 })
  await stripe.fault({ match: { method: 'POST', path: '/v1/refunds' }, cut: 'after' })
  expectStatus(await askPart(order.id, 40, {}, key), 200)
  await stripe.clearFaults()
  expect(await refundedMinor(order.id)).toBe(40)
})

test('a refund that bounces before the next attempt finds it, its reply lost, is answered as refused', async () => {
  const { person, order } = await delivered()
  const listing = { method: 'GET', path: `^/v1/refunds.*${await paymentOf(order.id)}` }
  // It is looked for before it is made.
  await stripe.fault({ match: listing, delayMs: 1 })
  await stripe.fault({ match: listing, status: 503, times: always })
  await stripe.fault({ match: { method: 'POST', path: '^/v1/refunds' }, cut: 'after' })
  const asked = askPart(order.id, 40)
  await until('Stripe has made it', async () => (await refundsOf(order.id)).length === 1)
  await stripe.do('fail-refund', { orderId: order.id })
  await stripe.clearFaults()
  const { status, body } = await asked
  expect([status, body.code]).toEqual([409, 'refund_refused'])
  expect(await attention(order.id)).toMatchObject([{ kind: 'partial_refund_failed' }])
  expect(await shown(order.id)).toMatchObject({ status: 'delivered', refunds: [{ state: 'failed' }] })
  expect(await facts(order.id)).toEqual({ outcome: 'delivered', refunded_minor: 0 })
  const mails = await mailsTo(harness.stack, person.email)
  expect(mails.filter(({ subject }) => subject.includes('refund'))).toEqual([])
})

test('a partial refund that Stripe refuses is released, and shown as refused', async () => {
  const { order } = await delivered()
  await stripe.do('open-dispute', { orderId: order.id })
  const answer = await askPart(order.id, 40)
  expect([answer.status, answer.body.code]).toEqual([409, 'refund_refused'])
  expect(await shown(order.id)).toMatchObject({ refunds: [{ state: 'refused' }] })
})

test('a refund that Stripe refuses after the eSIMs are back is an operator task', async () => {
  const { order } = await delivered()
  // Stripe refuses so for a dispute of which no event has come yet: the eSIM of a known one is suspended, and cannot go
  // back.
  await stripe.fault({
    match: { method: 'POST', path: '/v1/refunds$' },
    status: 400,
    body: { error: { type: 'invalid_request_error', code: 'charge_disputed' } },
    times: 10,
  })
  const answer = await askPart(order.id, 300, { esims: 'returned' })
  await stripe.clearFaults()
  expect([answer.status, answer.body.code]).toEqual([409, 'refund_refused'])
  expect(await attention(order.id)).toContainEqual(
    expect.objectContaining({ kind: 'partial_refund_failed', detail: 'charge_disputed' }),
  )
})

test('only operators make partial refunds, in the currency of the order, under a key, and of a delivered order', async () => {
  const { person, order } = await delivered()
  const path = `/v1/orders/${order.id}/refund`
  const body = { amount: { minor: 10, currency: 'EUR' } }
  expect((await person.caller.post(path, body)).status).toBe(403)
  expect((await harness.service.post(path, body)).status).toBe(403)
  expect((await harness.operator.post(path, body, { 'idempotency-key': null })).body.code).toBe(
    'idempotency_key_required',
  )
  const wrong = await ask(order.id, { amount: { minor: 10, currency: 'USD' } })
  expect([wrong.status, wrong.body.errors[0].field]).toEqual([400, 'amount.currency'])
  for (const minor of [0, -1, 1.5, 1e12]) expect((await askPart(order.id, minor)).status).toBe(400)
  expect((await ask(order.id, { ...body, note: 'x' })).status).toBe(400)
  const tooMuch = await askPart(order.id, testPriceMinor + 1)
  expect([tooMuch.status, tooMuch.body.code]).toEqual([409, 'refund_exceeds_payment'])
  expect(await refundedMinor(order.id)).toBe(0)

  const unpaid = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, pay: false })
  expect((await askPart(unpaid.id, 10)).body.code).toBe('order_state_conflict')
})

test('any partial refunds of any price have credit notes that sum to the invoice', async () => {
  const { creditInvoice } = await import('../../../db/order/books.ts')
  const parts = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(parts, fc.integer({ min: 0, max: 2700 }), async (amounts, rate) => {
      const gross = amounts.reduce((sum, amount) => sum + amount, 0)
      const number = `TEST-${crypto.randomUUID()}`
      await sql
        .begin(async (tx) => {
          const tax = Math.round((gross * rate) / (10_000 + rate))
          await tx`insert into invoices (number, series, sequence, kind, issued_on, supplied_on, seller, description,
            destination, quantity, net_minor, tax_minor, gross_minor, tax_rate_bps, currency, payment_kind)
            values (${number}, ${number}, 1, 'invoice', '2026-01-01', '2026-01-01', '', '', '', 1, ${gross - tax},
              ${tax}, ${gross}, ${rate}, 'EUR', 'card')`
          let refunded = 0
          for (const amount of amounts) {
            refunded += amount
            await creditInvoice(tx, number, refunded, '2026-11-30')
          }
          const [sums] = await tx`
            select count(*)::int as notes, sum(net_minor)::int as net, sum(tax_minor)::int as tax,
              max(tax_minor)::int as most from invoices where corrects = ${number}`
          expect(sums).toMatchObject({ notes: amounts.length, net: tax - gross, tax: 0 - tax })
          expect(sums?.most).toBeLessThanOrEqual(0)
          throw new Error('rolled back')
        })
        .catch((error: Error) => {
          if (error.message !== 'rolled back') throw error
        })
    }),
    { numRuns: 30 },
  )
})

test('U2: a partial refund that a terminated run has reserved keeps no other refund from being made', async () => {
  const { person, order } = await delivered()
  await stripe.fault({ match: { method: 'POST', path: '^/v1/refunds' }, status: 503, times: always })
  const refused = askPart(order.id, 300)
  const refundId = await until('it is reserved', async () => (await refundIds(order.id))[0])
  await harness.temporal.workflow.getHandle(partialRefundWorkflowId(refundId)).terminate('by mistake')
  expect((await refused).status).toBe(503)
  await stripe.clearFaults()

  const returned = await person.caller.post(`/v1/orders/${order.id}/refund`)
  expect(returned.status, returned.text).toBe(200)
  await harness.fastForward(order.id, '5 minutes')
  await harness.untilOrder(order.id, 'refunded')
  expect(await refundedMinor(order.id)).toBe(testPriceMinor)
})

test.each([
  ['at once', 0],
  ['when Stripe has forgotten its key', 25 * 3_600],
])(
  'U2: a partial refund that Stripe has made for a terminated run is made once, though its request is repeated %s',
  async (_when, advanceSeconds) => {
    const { order } = await delivered()
    const key = { 'idempotency-key': `terminated-${order.id}` }
    await stripe.fault({ match: { method: 'POST', path: '^/v1/refunds' }, hang: 'after' })
    const cutOff = askPart(order.id, 120, {}, key)
    await until('Stripe has made it', async () => (await refundedMinor(order.id)) === 120)
    const [refundId = ''] = await refundIds(order.id)
    await harness.temporal.workflow.getHandle(partialRefundWorkflowId(refundId)).terminate('by mistake')
    const { status, body } = await cutOff
    expect([status, body.code]).toEqual([503, 'unavailable'])
    await stripe.do('clock', { advanceSeconds })
    expectStatus(await askPart(order.id, 120, {}, key), 200)
    expect(await refundedMinor(order.id)).toBe(120)
    expect((await notesOf(order.id)).map(({ gross }) => gross)).toEqual([120])
  },
)

test.each(['kept', 'returned'])(
  'U2: a partial refund whose amount was released is not made when its run is reset: eSIMs %s',
  async (esims) => {
    const { order } = await delivered()
    await stripe.fault({ match: { method: 'POST', path: '^/v1/refunds' }, status: 503, times: always })
    const cutOff = askPart(order.id, 100, { esims })
    const refundId = await until('it is reserved', async () => (await refundIds(order.id))[0])
    const workflowId = partialRefundWorkflowId(refundId)
    // An attempt that is under way goes on behind the end of its run: Stripe refuses it until the end of the minute.
    await until('Stripe has refused it', async () => {
      const { raw } = await harness.temporal.workflow.getHandle(workflowId).describe()
      return raw.pendingActivities?.some(
        ({ activityType, lastFailure }) => activityType?.name === 'makePartialRefund' && lastFailure,
      )
    })
    const run = await resettable(harness.temporal, workflowId)
    await harness.temporal.workflow.getHandle(workflowId).terminate('by mistake')
    expect((await cutOff).status).toBe(503)

    // Whether an attempt of the first one goes on is not certain yet.
    const tooSoon = await askPart(order.id, 100)
    expect([tooSoon.status, tooSoon.body.code]).toEqual([503, 'payment_unavailable'])
    await runLater(harness.stack, draftSweepType, 1 / 24)
    await stripe.clearFaults()
    expectStatus(await askPart(order.id, 100), 200)
    for (const taskId of run.taskIds) {
      await resetRun(harness.temporal, run, { taskId, messages: true })
      await until('its run has ended', async () => !(await isOpen(harness.temporal, workflowId)))
      expect(await refundedMinor(order.id)).toBe(100)
      expect(await attention(order.id)).toContainEqual({ kind: 'partial_refund_failed', detail: 'refund_released' })
      await sql`delete from attention where subject_id = ${order.id} and kind = 'partial_refund_failed'`
    }
    expect((await notesOf(order.id)).map(({ gross }) => gross)).toEqual([100])
  },
)
