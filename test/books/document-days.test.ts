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
const inActivity = <Result>(work: () => Promise<Result>): Promise<Result> =>
  new MockActivityEnvironment({ currentAttemptScheduledTimestampMs: Date.now() }).run(work)

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

test('an invoice is dated by the attempt that issues it, although its run has asked for it three days before', async () => {
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
  const esim = { esimRef: '1', iccid: '8900000000000000001', activationCode: 'LPA:1$smdp.example$1' }
  await insertEsims(context, row, placement, [{ ...esim, confirmationCode: null, apn: null, unusedValidUntil: null }])
  const sent = async () => undefined
  const { recordDelivery } = createOrderDeliveryActivities(context, { mail: sent, push: sent, purchase: sent })
  await inActivity(() => recordDelivery({ orderId: order.id, asOf }))
  await expectMadeNow(order.id, ['invoice'])
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
