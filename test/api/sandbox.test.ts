import { expect, test } from 'vitest'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { shareStack } from '../harness/harness.ts'

const harness = await shareStack()

test("an operator moves an order's clock, and the order ends unpaid", async () => {
  const order = await harness.buy(await harness.signUp(), { pay: false })
  const move = { workflowId: orderWorkflowId(order.id), forwardMs: 61 * 60_000 }
  const answer = await harness.operator.post('/v1/sandbox/clock', move)
  expect(answer.status).toBe(200)
  expect(answer.body.outcome).toBe('ended')
  await harness.untilOrder(order.id, 'unpaid')
})

test('only an operator can move the clock of a run, and the run must exist', async () => {
  const move = { workflowId: 'order-unknown', forwardMs: 1000 }
  expect((await harness.service.post('/v1/sandbox/clock', move)).status).toBe(403)
  expect((await harness.operator.post('/v1/sandbox/clock', move)).status).toBe(404)
  expect((await harness.operator.post('/v1/sandbox/clock', { ...move, forwardMs: -1 })).status).toBe(400)
})
