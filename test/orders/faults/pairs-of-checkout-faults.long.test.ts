/** U2: paid means delivered or refunded. Pairs of passing faults at every call of the checkout: one charge. */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { shareStack } from '../../harness/harness.ts'
import { withId } from '../../harness/http.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { untilValue } from '../../harness/until.ts'
import { eachOf, pairs, passing, plantPairs } from './plant-pairs.ts'

const harness = await shareStack()
const { sims, service } = harness

/** A refusal of what nobody has paid yet is final, and the caller hears it. */
const atCheckout = pairs(passing.filter(({ status }) => status !== 404))
const checkoutCalls = [
  { method: 'POST', path: '/v1/customers$', of: 'account_ref(?:%5D|\\])=([\\w-]+)' },
  { method: 'POST', path: '/v1/payment_intents$', of: 'order_id(?:%5D|\\])=([\\w-]+)' },
  { method: 'POST', path: '/v1/customer_sessions$', of: 'customer=(cus_\\w+)' },
]

test('checkouts with pairs of faults at every call of Stripe are charged once, and repeated under their key', {
  timeout: 240_000,
}, async () => {
  await plantPairs(sims.stripe, checkoutCalls, atCheckout)
  const ids = await eachOf(atCheckout, async () => {
    const { accountId } = await harness.signUp()
    const body = { accountId, packageCode: testPackages.onlyEsimAccess, quantity: 1, savedCards: true }
    const headers = { 'idempotency-key': randomUUID() }
    const answer = await untilValue(
      'the checkout is open',
      () => service.post('/v1/orders', body, headers),
      ({ status }) => status === 201,
    )
    const { id } = withId.parse(answer.body)
    await sims.stripe.do('pay', { orderId: id })
    await harness.untilOrder(id, 'delivered')
    return id
  })
  await sims.stripe.clearFaults()
  expect(new Set(ids).size).toBe(atCheckout.length)
  await harness.checkBooks()
})
