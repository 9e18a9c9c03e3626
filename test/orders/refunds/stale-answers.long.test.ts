/**
 * U2: paid means delivered or refunded. One of Stripe's machines may not know yet what another one has just done: such
 * an answer decides neither that a refund fails nor that it was made.
 */
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterEach, expect, test } from 'vitest'
import { createOrderRefundActivities } from '../../../activities/order/refunds/refund.ts'
import type { StripePort } from '../../../providers/stripe/stripe.ts'
import { watchPlacements } from '../../harness/checks/placements.ts'
import { deleteAccount } from '../../harness/deletions.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { requestReturnOf } from '../../harness/purchases.ts'
import { testPackages, testPriceMinor } from '../../harness/test-packages.ts'
import { until } from '../../harness/until.ts'

// The books of erased customers name no order.
const harness = await shareStack({ books: false })
const { stripe, esimAccess } = harness.sims
const { sql } = harness.context
const { attention } = watchPlacements(harness.stack)

afterEach(async () => {
  await stripe.clearFaults()
  await esimAccess.do('allocation', {})
})

async function bought(status: string) {
  const person = await harness.signUp()
  const pay = status === 'in_review' ? { riskLevel: 'elevated' } : {}
  return { person, order: await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, pay, until: status }) }
}

/** What Stripe says of the payment now, to be said once more later. */
async function paymentNow(orderId: string) {
  const [row] = await sql<{ id: string }[]>`select payment_intent_id as id from orders where id = ${orderId}`
  const headers = { authorization: `Bearer ${harness.config.STRIPE_SECRET_KEY}` }
  const url = `${stripe.url}/v1/payment_intents/${row?.id}?expand[]=latest_charge`
  const body: { latest_charge: object } = JSON.parse(await (await fetch(url, { headers })).text())
  const match = { method: 'GET', path: `/v1/payment_intents/${row?.id}` }
  const say = (answer: object) => stripe.fault({ match, status: 200, body: answer })
  return {
    id: row?.id ?? '',
    sayAgain: () => say(body),
    /** what a machine says that does not know the payment yet */
    sayUnpaid: () => say({ ...body, status: 'processing', amount_received: 0, latest_charge: null }),
    /** what a machine says that does not know yet that a refund of all has failed */
    sayRefunded: () =>
      say({ ...body, latest_charge: { ...body.latest_charge, amount_refunded: testPriceMinor, refunded: true } }),
  }
}

async function refundsOf(paymentIntentId: string) {
  const { refunds } = await stripe.state()
  return refunds
    .filter(({ payment_intent }) => payment_intent === paymentIntentId)
    .map(({ amount, status }) => `${status} ${amount}`)
    .sort()
}

const refundPart = async (paymentIntentId: string, amountMinor: number) =>
  harness.context.stripe.refund({
    paymentIntentId,
    amountMinor,
    idempotencyKey: `by-hand-${paymentIntentId}`,
    reasonCode: 'goodwill',
    lookFirst: false,
  })

const decided = ['refunded', 'refund_failed']

test('a part that was refunded a moment ago fails no refund of the rest', async () => {
  const { person, order } = await bought('delivered')
  const before = await paymentNow(order.id)
  await refundPart(before.id, 120)
  await before.sayAgain()
  expectStatus(await requestReturnOf(person.caller, order.id), 200)
  expect((await harness.untilOrder(order.id, decided)).status).toBe('refunded')
  expect(await refundsOf(before.id)).toEqual([`succeeded ${testPriceMinor - 120}`, 'succeeded 120'].sort())
})

test('a refund that has failed a moment ago is made again, and does not count as made', async () => {
  const { person, order } = await bought('delivered')
  expectStatus(await requestReturnOf(person.caller, order.id), 200)
  await harness.untilOrder(order.id, 'refunded')
  const before = await paymentNow(order.id)
  await stripe.do('fail-refund', { orderId: order.id })
  await harness.untilOrder(order.id, 'refund_failed')
  await before.sayAgain()
  expectStatus(await harness.operator.post(`/v1/orders/${order.id}/refund`), 200)
  expect((await harness.untilOrder(order.id, decided)).status).toBe('refunded')
  expect(await refundsOf(before.id)).toEqual([`failed ${testPriceMinor}`, `succeeded ${testPriceMinor}`])
})

test('a part that was refunded a moment ago leaves no erased customer’s money to an operator', async () => {
  await esimAccess.do('allocation', { never: true })
  const { person, order } = await bought('provisioning')
  const before = await paymentNow(order.id)
  await refundPart(before.id, 120)
  await before.sayAgain()
  const { receiptId } = await deleteAccount(harness.stack, person)
  await until('all is refunded', async () => (await refundsOf(before.id)).length === 2)
  expect(await refundsOf(before.id)).toEqual([`succeeded ${testPriceMinor - 120}`, 'succeeded 120'].sort())
  expect(await attention(receiptId)).toEqual([])
})

/** Asks Stripe about the refunds of an order, whose machine answers as it is given. */
async function look(orderId: string, answers: Partial<StripePort>) {
  const context = { ...harness.context, temporal: harness.temporal, stripe: { ...harness.context.stripe, ...answers } }
  const { checkRefunds } = createOrderRefundActivities(context)
  const environment = new MockActivityEnvironment({ currentAttemptScheduledTimestampMs: Date.now() })
  return environment.run(() => checkRefunds({ orderId, asOf: new Date().toISOString() }))
}

test('U6: the books of an order that is refunded while Stripe is slow to list its refunds say that it is refunded', async () => {
  const { person, order } = await bought('delivered')
  const { id } = await paymentNow(order.id)
  await refundPart(id, 120)
  await look(order.id, {
    async listRefunds(paymentIntentId) {
      const listed = await harness.context.stripe.listRefunds(paymentIntentId)
      expectStatus(await requestReturnOf(person.caller, order.id), 200)
      await harness.untilOrder(order.id, 'refunded')
      return listed
    },
  })
  const [fact] = await sql`select f.* from order_facts f join orders o on o.fact_id = f.id where o.id = ${order.id}`
  expect(fact).toMatchObject({ outcome: 'refunded', refunded_minor: testPriceMinor })
})

test('U2: a refund that is made after one has failed, and is not listed yet, has not failed', async () => {
  const { person, order } = await bought('delivered')
  expectStatus(await requestReturnOf(person.caller, order.id), 200)
  await harness.untilOrder(order.id, 'refunded')
  await stripe.do('fail-refund', { orderId: order.id })
  await harness.untilOrder(order.id, 'refund_failed')
  expectStatus(await harness.operator.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
  const { getPayment, listRefunds } = harness.context.stripe
  const outcome = await look(order.id, {
    getPayment: async (id) => ({ ...(await getPayment(id)), refundedMinor: 0 }),
    listRefunds: async (id) => (await listRefunds(id)).filter(({ status }) => status === 'failed'),
  })
  expect(outcome).toBe('pending')
  const { refunds } = (await harness.service.get(`/v1/orders/${order.id}`)).body
  expect(refunds).toMatchObject([{ state: 'failed' }, { state: 'succeeded' }])
})

type Now = Awaited<ReturnType<typeof paymentNow>>
const stale: [string, (now: Now) => Promise<void>][] = [
  ['not paid yet', (now) => now.sayUnpaid()],
  ['refunded by a refund that has failed', (now) => now.sayRefunded()],
]

test.each(stale)('an approved order whose payment one machine calls %s is delivered', async (_what, say) => {
  const { order } = await bought('in_review')
  const now = await paymentNow(order.id)
  await say(now)
  expectStatus(await harness.operator.post(`/v1/orders/${order.id}/approve`), 200)
  expect((await harness.untilOrder(order.id, ['delivered', ...decided])).status).toBe('delivered')
  expect(await refundsOf(now.id)).toEqual([])
})

test.each(stale)('a return of an order whose payment one machine calls %s is refunded', async (_what, say) => {
  const { person, order } = await bought('delivered')
  const now = await paymentNow(order.id)
  await say(now)
  expectStatus(await requestReturnOf(person.caller, order.id), 200)
  expect((await harness.untilOrder(order.id, decided)).status).toBe('refunded')
  expect(await refundsOf(now.id)).toEqual([`succeeded ${testPriceMinor}`])
})

test.each(stale)('an erased customer whose payment one machine calls %s gets it back', async (_what, say) => {
  await esimAccess.do('allocation', { never: true })
  const { person, order } = await bought('provisioning')
  const now = await paymentNow(order.id)
  await say(now)
  const deletion = await deleteAccount(harness.stack, person)
  await deletion.until('stripe', 'done')
  expect(await refundsOf(now.id)).toEqual([`succeeded ${testPriceMinor}`])
})
