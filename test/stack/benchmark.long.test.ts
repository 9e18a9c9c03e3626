/** The benchmark ends, whatever an order does. */
import { expect, test } from 'vitest'
import { watchForStalledRuns } from '../../bench/stalled-runs.ts'
import { orderWorkflowId, providerSignal } from '../../workflows/order/order.contract.ts'
import { shareStack } from '../harness/harness.ts'

const harness = await shareStack()
const soon = { stalledAfterMs: 200, everyMs: 50, lookAfterMs: 0 }

test('the benchmark names a stalled run, and what it waits for', async () => {
  const { id } = await harness.buy(await harness.signUp(), { pay: false })
  const watch = watchForStalledRuns(harness.temporal, soon)
  try {
    const delivered = new Promise<never>(() => undefined)
    await expect(watch.until(orderWorkflowId(id), delivered)).rejects.toThrow(
      `${orderWorkflowId(id)} is stalled: no event for 0.2 s; it is RUNNING and waits for payment, its last event is`,
    )
  } finally {
    watch.close()
  }
})

test('the benchmark names a stalled run also behind an older one that goes on', async () => {
  const person = await harness.signUp()
  const [older, stalled] = [await harness.buy(person, { pay: false }), await harness.buy(person, { pay: false })]
  const watch = watchForStalledRuns(harness.temporal, soon)
  try {
    const never = new Promise<never>(() => undefined)
    watch.until(orderWorkflowId(older.id), never).catch(() => undefined)
    let why: unknown
    watch.until(orderWorkflowId(stalled.id), never).catch((error: unknown) => {
      why = error
    })
    const run = harness.temporal.workflow.getHandle(orderWorkflowId(older.id))
    while (why === undefined) await run.signal(providerSignal)
    expect(String(why)).toContain(`${orderWorkflowId(stalled.id)} is stalled`)
  } finally {
    watch.close()
  }
})

test('the benchmark says why an activity of a stalled run fails', async () => {
  await harness.sims.esimAccess.fault({ match: { path: '^/api/' }, status: 503, times: 1_000 })
  const order = await harness.buy(await harness.signUp(), { until: 'provisioning' })
  const watch = watchForStalledRuns(harness.temporal, soon)
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

test('a run that reaches its point in time is not stalled', async () => {
  const { id } = await harness.buy(await harness.signUp(), { pay: false })
  const watch = watchForStalledRuns(harness.temporal, soon)
  try {
    await expect(watch.until(orderWorkflowId(id), Promise.resolve('delivered'))).resolves.toBe('delivered')
  } finally {
    watch.close()
  }
})
