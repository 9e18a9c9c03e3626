/** SIGTERM to a busy worker: it finishes its open work, and nothing is done twice. */
import { expect, test } from 'vitest'
import { orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { openHarness } from '../../harness/harness.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { until } from '../../harness/until.ts'

const harness = await openHarness({ processes: 'apart' })
const { esimAccess, stripe } = harness.sims
const busyWith = 12

test('a busy worker drains on SIGTERM, and its orders are delivered once', async () => {
  await esimAccess.fault({ match: { path: '/esim/order$' }, delayMs: 2_000, times: busyWith })
  const orders = await Promise.all(
    Array.from({ length: busyWith }, async () => {
      const buyer = await harness.signUp()
      const { id } = await harness.buy(buyer, { packageCode: testPackages.onlyEsimAccess, pay: false })
      await stripe.do('pay', { orderId: id })
      return id
    }),
  )
  const asked = async () => (await esimAccess.log()).filter(({ url }) => url.endsWith('/esim/order'))
  await until('the worker waits for every eSIM', async () => (await asked()).length === busyWith)
  expect((await asked()).every(({ status }) => status === null)).toBe(true)

  // `stop` throws unless the exit code is 0.
  await harness.worker.stop()
  expect((await asked()).map(({ status }) => status)).toEqual(Array(busyWith).fill(200))
  for (const id of orders) {
    const { events = [] } = await harness.temporal.workflow.getHandle(orderWorkflowId(id)).fetchHistory()
    const attempts = events?.flatMap(({ activityTaskStartedEventAttributes: started }) => started?.attempt ?? [])
    expect(attempts).toEqual([1])
    expect(events?.some(({ activityTaskCompletedEventAttributes: completed }) => completed)).toBe(true)
  }

  await harness.worker.start()
  for (const id of orders) await harness.untilOrder(id, 'delivered')
  expect(await asked()).toHaveLength(busyWith)
})
