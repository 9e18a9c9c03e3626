/** The benchmark ends, whatever an order does. */
import { expect, test } from 'vitest'
import { watchForStandstill } from '../../bench/standstill.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { shareStack } from '../harness/harness.ts'

const harness = await shareStack()
const soon = { standstillMs: 200, everyMs: 50 }

test('the benchmark names a run that stands still, and what it waits for', async () => {
  const { id } = await harness.buy(await harness.signUp(), { pay: false })
  const watch = watchForStandstill(harness.temporal, soon)
  try {
    const delivered = new Promise<never>(() => undefined)
    await expect(watch.until(orderWorkflowId(id), delivered)).rejects.toThrow(
      `${orderWorkflowId(id)} stands still: no event for 0.2 s; it is RUNNING and waits for payment, its last event is`,
    )
  } finally {
    watch.close()
  }
})

test('the benchmark says why an activity of a run that stands still fails', async () => {
  await harness.sims.esimAccess.fault({ match: { path: '^/api/' }, status: 503, times: 1_000 })
  const order = await harness.buy(await harness.signUp(), { until: 'provisioning' })
  const watch = watchForStandstill(harness.temporal, soon)
  try {
    const delivered = new Promise<never>(() => undefined)
    await expect(watch.until(orderWorkflowId(order.id), delivered)).rejects.toThrow(
      /activity provision is (?:scheduled|started) in attempt \d/,
    )
  } finally {
    watch.close()
    await harness.sims.esimAccess.clearFaults()
  }
})

test('a run that reaches its point in time does not stand still', async () => {
  const { id } = await harness.buy(await harness.signUp(), { pay: false })
  const watch = watchForStandstill(harness.temporal, soon)
  try {
    await expect(watch.until(orderWorkflowId(id), Promise.resolve('delivered'))).resolves.toBe('delivered')
  } finally {
    watch.close()
  }
})
