/**
 * A worker that dies in the middle of a call for an order: another one repeats it within seconds, and does not pay
 * twice.
 */
import proto from '@temporalio/proto'
import { expect, test } from 'vitest'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { openHarness } from '../harness/harness.ts'
import { until } from '../harness/until.ts'

const { TIMEOUT_TYPE_HEARTBEAT } = proto.temporal.api.enums.v1.TimeoutType

const harness = await openHarness({ processes: 'apart' })
const { stripe } = harness.sims

test('U2: a refund whose worker dies in the middle is noticed by its heartbeat, and made once', {
  timeout: 120_000,
}, async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  await stripe.fault({ match: { method: 'POST', path: '^/v1/refunds$' }, hang: 'after' })
  const asked = async () =>
    (await stripe.log()).filter(({ method, url }) => method === 'POST' && url.startsWith('/v1/refunds')).length
  const before = await asked()
  await person.caller.post(`/v1/orders/${order.id}/refund`)
  await until('Stripe is asked', async () => (await asked()) > before)
  await harness.worker.kill()
  // A later attempt may fail in another way: Stripe says for a while that the first one is under way.
  const run = harness.temporal.workflow.getHandle(orderWorkflowId(order.id))
  const lost = await until('the lost attempt is noticed', async () => {
    const { pendingActivities } = (await run.describe()).raw
    return pendingActivities?.flatMap(({ lastFailure }) => lastFailure?.timeoutFailureInfo ?? [])[0]
  })
  expect(lost.timeoutType).toBe(TIMEOUT_TYPE_HEARTBEAT)
  await harness.worker.start()
  await harness.untilOrder(order.id, 'refunded', { timeoutMs: 60_000 })
  const { payment_intent_id: paid } = (
    await harness.context.sql<{ payment_intent_id: string }[]>`
      select payment_intent_id from orders where id = ${order.id}`
  )[0] ?? { payment_intent_id: '' }
  const { refunds } = await stripe.state()
  expect(refunds.filter(({ payment_intent: of }) => of === paid)).toHaveLength(1)
})
