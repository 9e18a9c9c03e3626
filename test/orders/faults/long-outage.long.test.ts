/**
 * A long outage of the database: a waiting run adds no more events in a day than in a minute, and continues afterwards.
 */
import proto from '@temporalio/proto'
import { expect, test } from 'vitest'
import { orderWorkflowId, paymentSignal } from '../../../workflows/order/order.contract.ts'
import { shareStack } from '../../harness/harness.ts'
import { untilValue } from '../../harness/until.ts'

const harness = await shareStack()
const { EventType } = proto.temporal.api.enums.v1

test('an order that waits for the database adds a few events to its history in any time', async () => {
  const { id } = await harness.buy(await harness.signUp(), { pay: false })
  const run = harness.temporal.workflow.getHandle(orderWorkflowId(id))
  const attempts = async (): Promise<number> => (await run.describe()).raw.pendingActivities?.[0]?.attempt ?? 0
  const before = await events(id)

  await harness.database.crash()
  await run.signal(paymentSignal)
  await untilValue('the worker has handed it over', attempts, (attempt) => attempt > 1)
  const handedOver = await events(id)
  // The signal, a workflow task, the failed local activity, and the regular activity.
  expect(handedOver.slice(before.length).length, handedOver.join()).toBeLessThanOrEqual(8)
  await harness.fastForward(id, '25 minutes')
  expect(await attempts()).toBeGreaterThan(90)
  expect(await events(id)).toEqual(handedOver)

  await harness.database.start()
  await harness.sims.stripe.do('pay', { orderId: id })
  await harness.untilOrder(id, 'delivered')
})

/** The number of events, without those of skipped time. */
async function events(orderId: string): Promise<string[]> {
  const { events = [] } = await harness.temporal.workflow.getHandle(orderWorkflowId(orderId)).fetchHistory()
  return (events ?? [])
    .map(({ eventType }) => EventType[eventType ?? 0] ?? '')
    .filter((name) => !/SKIP|OPTIONS/.test(name))
}
