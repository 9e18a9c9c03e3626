/** U2: a customer whose record was deleted in Stripe's dashboard, with its saved cards, can buy again and save cards. */
import { afterEach, expect, test } from 'vitest'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { testPackages } from '../../harness/test-packages.ts'

const harness = await shareStack()
const { stripe } = harness.sims
const { sql } = harness.context

afterEach(() => stripe.clearFaults())

async function shopper() {
  const person = await harness.signUp()
  const wanted = { accountId: person.accountId, packageCode: testPackages.anyProvider, savedCards: true }
  return {
    person,
    order: (headers = {}) => person.caller.post('/v1/orders', wanted, headers),
    async customer(): Promise<string> {
      const [row] = await sql<{ id: string }[]>`
        select stripe_customer_id as id from accounts where id = ${person.accountId}`
      return row?.id ?? ''
    },
  }
}

test('an order with saved cards gets another customer', async () => {
  const { person, order, customer } = await shopper()
  const first = expectStatus(await order(), 201)
  const gone = await customer()
  await harness.context.stripe.deleteCustomer(gone)
  const second = expectStatus(await order(), 201)
  expect(second.payment).toMatchObject({ customerId: await customer() })
  expect(await customer()).not.toBe(gone)
  const third = expectStatus(await order(), 201)
  expect(third.payment).toMatchObject({ customerId: await customer() })
  for (const { id } of [first, second, third]) expectStatus(await person.caller.post(`/v1/orders/${id}/cancel`), 200)
})

test('a customer who is deleted between payment and session gets another one as well, under the same key', {
  tags: 'long',
}, async () => {
  const { order, customer } = await shopper()
  expectStatus(await order(), 201)
  const gone = await customer()
  const key = { 'idempotency-key': `deleted-${gone}` }
  await stripe.fault({ match: { method: 'POST', path: '/v1/customer_sessions' }, status: 503, times: 10 })
  expect((await order(key)).status).toBe(503)
  await stripe.clearFaults()
  await harness.context.stripe.deleteCustomer(gone)
  const { id, payment } = expectStatus(await order(key), 201)
  expect(payment).toMatchObject({ customerId: await customer() })
  await stripe.do('pay', { orderId: id })
  await harness.untilOrder(id, 'delivered')
})

test('a customer whom Stripe does not know at the moment is kept', { tags: 'long' }, async () => {
  const { order, customer } = await shopper()
  expectStatus(await order(), 201)
  const known = await customer()
  const error = {
    type: 'invalid_request_error',
    code: 'resource_missing',
    param: 'customer',
    message: 'No such customer',
  }
  await stripe.fault({
    match: { method: 'POST', path: '/v1/payment_intents$' },
    status: 400,
    body: { error },
    times: 10,
  })
  expect((await order()).status).toBe(503)
  await stripe.clearFaults()
  expectStatus(await order(), 201)
  expect(await customer()).toBe(known)
})
