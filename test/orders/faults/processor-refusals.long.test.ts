/** U2: paid means delivered or refunded. A single refusal of Stripe about its own payment ends no order. */
import { expect, test } from 'vitest'
import { orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { testPackages } from '../../harness/test-packages.ts'

const harness = await shareStack()
const { stripe } = harness.sims
const packageCode = testPackages.onlyEsimAccess

const error = (code: string) => ({ error: { type: 'invalid_request_error', code, message: '' } })
const refusals = [
  ['404 of something in between', { status: 404, body: {} }],
  ['unknown object', { status: 404, body: error('resource_missing') }],
  ['400 of something in between', { status: 400, body: 'Bad Request' }],
  ['wait of less than nothing', { status: 429, headers: { 'Retry-After': '-5' } }],
] as const

async function unpaid() {
  const person = await harness.signUp()
  return { person, order: await harness.buy(person, { pay: false, packageCode }) }
}

test.each(refusals)(
  'a read of a succeeded payment that Stripe refuses once (%s) ends as delivered',
  async (_what, answer) => {
    const { order } = await unpaid()
    await stripe.fault({ match: { method: 'GET', path: '/v1/payment_intents/' }, ...answer })
    await stripe.do('pay', { orderId: order.id })
    await harness.untilOrder(order.id, 'delivered')
  },
)

test.each(refusals)(
  'a cancellation of a payment that Stripe refuses once (%s) ends as cancelled',
  async (_what, answer) => {
    const { person, order } = await unpaid()
    await stripe.fault({ match: { method: 'POST', path: '/cancel$' }, ...answer })
    expectStatus(await person.caller.post(`/v1/orders/${order.id}/cancel`), 200)
    await harness.untilOrder(order.id, 'cancelled')
    expect((await stripe.state()).paymentIntents).toContainEqual(
      expect.objectContaining({ metadata: expect.objectContaining({ order_id: order.id }), status: 'canceled' }),
    )
  },
)

test.each(refusals)('a refund and its read that Stripe refuses once (%s) end as refunded', async (_what, answer) => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode })
  await stripe.fault({ match: { method: 'POST', path: '/v1/refunds$' }, ...answer })
  await stripe.fault({ match: { method: 'GET', path: '/v1/refunds\\?' }, ...answer })
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
  await stripe.do('fail-refund', { orderId: order.id })
  await harness.untilOrder(order.id, 'refund_failed')
  expectStatus(await harness.operator.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
})

test('an order that is cancelled before its disputed payment is known ends correctly', async () => {
  const { person, order } = await unpaid()
  await stripe.do('webhooks', { hold: true })
  await stripe.do('pay', { orderId: order.id })
  await stripe.do('open-dispute', { orderId: order.id })
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/cancel`), 200)
  await stripe.do('release')
  const run = harness.temporal.workflow.getHandle(orderWorkflowId(order.id))
  expect(await run.result()).toMatchObject({ status: 'cancelled' })
})
