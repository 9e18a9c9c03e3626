/**
 * U6: accounting and tax duties are met. A document has the day on which it is made, however long its activity had to
 * wait for others.
 */
import { randomUUID } from 'node:crypto'
import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, onTestFinished, test } from 'vitest'
import { recordedAt } from '../../activities/failures.ts'
import { createOrderDeliveryActivities } from '../../activities/order/delivery.ts'
import { createPartialRefundActivities } from '../../activities/order/refunds/partial-refund.ts'
import { createOrderRefundActivities } from '../../activities/order/refunds/refund.ts'
import type { Orders } from '../../db/connection/schema.ts'
import { listDocuments } from '../../db/order/books.ts'
import { insertEsims } from '../../db/order/esims.ts'
import { findOrder } from '../../db/order/orders.ts'
import { listPlacements } from '../../db/order/placements.ts'
import { milliseconds } from '../../policy/periods.ts'
import { shareStack } from '../harness/harness.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

// Documents are made behind the backs of their orders' runs, which therefore neither get an eSIM nor return one.
const harness = await shareStack({ books: false })
const { stripe, esimAccess } = harness.sims
const context = { ...harness.stack.context, temporal: harness.temporal }
const packageCode = testPackages.onlyEsimAccess

const { day } = milliseconds
const today = () => new Date().toISOString().slice(0, 10)
const begun = today()
/** When the run has asked for it: an outage of three days ago. */
const asOf = new Date(Date.now() - 3 * day).toISOString()
const inActivity = <Result>(work: () => Promise<Result>, at = Date.now()): Promise<Result> =>
  new MockActivityEnvironment({ currentAttemptScheduledTimestampMs: at }).run(work)

/** The days of the documents of an order, of which it has so many. */
async function expectMadeNow(orderId: string, kinds: string[]): Promise<void> {
  const documents = await listDocuments(context.sql, orderId)
  expect(documents.map(({ kind }) => kind).sort()).toEqual(kinds)
  for (const { issuedOn } of documents) expectNow(issuedOn)
}

function expectNow(issuedOn: string | undefined): void {
  expect([issuedOn, issuedOn && issuedOn >= begun && issuedOn <= today()]).toEqual([issuedOn, true])
}

const delivered = async () => harness.buy(await harness.signUp(), { packageCode })

let esimsMade = 10
/** An order whose eSIM is there, and whose delivery is not recorded. */
async function provided(): Promise<string> {
  await esimAccess.fault({ match: { path: '/esim/order' }, status: 503, times: 1_000 })
  onTestFinished(() => esimAccess.clearFaults())
  const order = await harness.buy(await harness.signUp(), { packageCode, until: 'provisioning' })
  // An order without eSIMs is never recorded as delivered.
  const placement = await until('it is placed', async () => {
    const { count } = await context.sql`
      update provider_orders set state = 'placed', provider_order_no = 'B1' where order_id = ${order.id}`
    return count === 0 ? undefined : (await listPlacements(context.sql, order.id))[0]
  })
  const row = await findOrder(context.sql, order.id)
  if (!row) throw new Error('it is gone')
  esimsMade += 1
  const iccid = `89000000000000000${esimsMade}`
  const esim = { esimRef: iccid, iccid, activationCode: `LPA:1$smdp.example$${iccid}` }
  await insertEsims(context, row, placement, [{ ...esim, confirmationCode: null, apn: null, unusedValidUntil: null }])
  return order.id
}

const sent = async () => undefined
const messages = { mail: sent, push: sent, purchase: sent }

test('an invoice is dated by the attempt that issues it, although its run has asked for it three days before', async () => {
  const orderId = await provided()
  const { recordDelivery } = createOrderDeliveryActivities(context, messages)
  await inActivity(() => recordDelivery({ orderId, asOf }))
  await expectMadeNow(orderId, ['invoice'])
})

test('a credit note of a refund is dated by the attempt that issues it', async () => {
  const order = await delivered()
  const { startRefund, refundPayment } = createOrderRefundActivities(context)
  const ofOrder = { orderId: order.id, asOf, reason: 'returned_unused' } as const
  await inActivity(() => startRefund(ofOrder))
  const made = await inActivity(() => refundPayment({ ...ofOrder, attempt: 1 }))
  const [issuedOn, ...more] = Object.values(made?.issuedOn ?? {})
  expectNow(issuedOn)
  expect(more).toEqual([])
  await expectMadeNow(order.id, ['credit_note', 'invoice'])
})

test('a credit note of a partial refund is dated by the attempt that issues it', async () => {
  const order = await delivered()
  const { reservePartialRefund, makePartialRefund } = createPartialRefundActivities(context)
  const refund = { refundId: randomUUID(), orderId: order.id, asOf }
  const part = { amountMinor: 100, reason: 'goodwill', esims: 'kept' } as const
  await inActivity(() => reservePartialRefund({ ...refund, ...part }))
  expectNow((await inActivity(() => makePartialRefund(refund)))?.issuedOn)
  await expectMadeNow(order.id, ['credit_note', 'invoice'])
})

test('a credit note of a refund that was made elsewhere is dated by the attempt that issues it', async () => {
  const order = await delivered()
  const [paid] = await context.sql<Pick<Orders, 'payment_intent_id'>[]>`
    select payment_intent_id from orders where id = ${order.id}`
  await stripe.do('webhooks', { drop: 1_000 })
  const answer = await fetch(`${stripe.url}/v1/refunds`, {
    method: 'POST',
    headers: { authorization: `Bearer ${harness.config.STRIPE_SECRET_KEY}` },
    body: new URLSearchParams({ payment_intent: paid?.payment_intent_id ?? '', amount: '100' }),
  })
  expect(answer.status).toBe(200)
  const { checkRefunds } = createOrderRefundActivities(context)
  await inActivity(() => checkRefunds({ orderId: order.id, asOf }))
  await stripe.do('webhooks', { drop: 0 })
  await expectMadeNow(order.id, ['credit_note', 'invoice'])
})

test('a document is dated by its attempt also where time was skipped', async () => {
  const attemptAt = Date.now() + 40 * day
  const environment = new MockActivityEnvironment({ currentAttemptScheduledTimestampMs: attemptAt })
  expect(await environment.run(async () => recordedAt(asOf))).toEqual(new Date(attemptAt))
})

/** Half an hour before the next year in UTC, and half an hour behind its beginning in Berlin. */
const newYear = Date.parse('2099-12-31T23:30:00Z')
const daysOfSellers = [
  ['UTC', '2099-12-31'],
  ['Europe/Berlin', '2100-01-01'],
  ['America/New_York', '2099-12-31'],
] as const
const inZone = (SELLER_TIME_ZONE: string) => ({ ...context, config: { ...context.config, SELLER_TIME_ZONE } })

test.each(daysOfSellers)(
  'where the seller is in %s, an invoice of new year has the day %s, and is of its year',
  async (zone, day) => {
    const orderId = await provided()
    const { recordDelivery } = createOrderDeliveryActivities(inZone(zone), messages)
    const recorded = await inActivity(() => recordDelivery({ orderId, asOf }), newYear)
    const [invoice] = await context.sql`
    select i.number, i.series, issued_on::text, supplied_on::text from invoices i join invoice_links l on l.number = i.number
    where l.order_id = ${orderId}`
    expect(invoice).toMatchObject({ series: `AMA-${day.slice(0, 4)}`, issued_on: day, supplied_on: day })
    // A restore dates it by what the history says, whatever the setting is by then.
    expect(recorded).toMatchObject({ invoiceNumber: invoice?.number, issuedOn: day })
    expect(await inActivity(() => recordDelivery({ orderId, asOf }), newYear)).toMatchObject({
      invoiceNumber: invoice?.number,
      issuedOn: day,
    })
  },
)

test.each(daysOfSellers)('where the seller is in %s, a credit note of new year has the day %s', async (zone, day) => {
  const there = inZone(zone)
  const [inFull, inPart] = await Promise.all([delivered(), delivered()])
  const { startRefund, refundPayment } = createOrderRefundActivities(there)
  const ofOrder = { orderId: inFull.id, asOf, reason: 'returned_unused' } as const
  await inActivity(() => startRefund(ofOrder))
  const made = await inActivity(() => refundPayment({ ...ofOrder, attempt: 1 }), newYear)
  expect(Object.values(made?.issuedOn ?? {})).toEqual([day])

  const { reservePartialRefund, makePartialRefund } = createPartialRefundActivities(there)
  const part = { refundId: randomUUID(), orderId: inPart.id, asOf }
  await inActivity(() => reservePartialRefund({ ...part, amountMinor: 100, reason: 'goodwill', esims: 'kept' }))
  expect((await inActivity(() => makePartialRefund(part), newYear))?.issuedOn).toBe(day)
})
