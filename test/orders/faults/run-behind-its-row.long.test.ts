/**
 * A row may show a state that its run has not reached: the local activity that has written it is repeated when its
 * workflow task is lost. A request that the shown state allows is answered by it.
 */
import proto from '@temporalio/proto'
import { afterAll, expect, test } from 'vitest'
import { orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { startWorldStack } from '../../chaos/world/stack/stack.ts'
import { expectStatus } from '../../harness/http.ts'
import { until } from '../../harness/until.ts'

const { EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT } = proto.temporal.api.enums.v1.EventType

const stack = await startWorldStack()
afterAll(() => stack.stop())

test('U5: an operator who rejects an order that is shown as in review is not refused, although its run is behind', {
  timeout: 180_000,
}, async () => {
  const { sims, service, operator, temporal } = stack
  const { id } = await stack.buy(await stack.signUp(), { pay: false })
  const run = temporal.workflow.getHandle(orderWorkflowId(id))
  const link = stack.links.get('temporal')
  await sims.stripe.fault({ match: { method: 'GET', path: '/v1/payment_intents/' }, delayMs: 1_500 })
  const asked = async () =>
    (await sims.stripe.log()).filter(({ method, url }) => method === 'GET' && /payment_intents\/pi_/.test(url)).length
  const before = await asked()
  await sims.stripe.do('pay', { orderId: id, riskLevel: 'elevated' })
  await until('the run confirms the payment', async () => (await asked()) > before)
  // The row is written, and what the run would say of it is lost.
  link?.cut()
  await until('the order is shown as in review', async () => {
    return expectStatus(await service.get(`/v1/orders/${id}`), 200).status === 'in_review'
  })
  const rejecting = operator.post(`/v1/orders/${id}/reject`)
  await until('the workflow task is lost', async () => {
    const { events } = await run.fetchHistory()
    return events?.some(({ eventType }) => eventType === EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT)
  })
  link?.mend()
  const { status, body } = await rejecting
  expect([status, body.code]).toEqual([200, undefined])
  await stack.untilOrder(id, 'refunded')
})
