/**
 * U2, paid means delivered or refunded: an update is lost with its workflow task, its worker and its caller, and the
 * row of its order says what the run does not know. The hourly payment sweep brings both together.
 */
import { afterEach, expect, test } from 'vitest'
import { createOutOfStep, outOfStep, unappliedUpdates } from '../../../activities/out-of-step/orders.ts'
import { keysOf } from '../../../shared/keys-of.ts'
import { initialSearchAttributes } from '../../../shared/search-attributes.ts'
import { stageOf } from '../../../temporal/run-stage.ts'
import { type OrderStatus, orderAftercareWorkflowId, orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { isListed, orderUpdates } from '../../../workflows/order/order-states.ts'
import { paymentSweepType } from '../../../workflows/order/payment-sweep.contract.ts'
import { watchPlacements } from '../../harness/checks/placements.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { testPackages, testPriceMinor } from '../../harness/test-packages.ts'
import { until, untilValue } from '../../harness/until.ts'
import { orderWaits } from '../../replay/orders/order-waits.ts'

const harness = await shareStack()
const { stripe, esimAccess } = harness.sims
const { sql } = harness.stack.context
const { attention } = watchPlacements(harness.stack)
const packageCode = testPackages.onlyEsimAccess

afterEach(async () => {
  await Promise.all([stripe.clearFaults(), esimAccess.clearFaults()])
})

const buy = async (options: object) => (await harness.buy(await harness.signUp(), { packageCode, ...options })).id
const sweep = () => runLater(harness.stack, paymentSweepType, 0)
const kinds = async (orderId: string) => (await attention(orderId)).map(({ kind }) => kind)

const untilRunIs = (orderId: string, state: OrderStatus) =>
  until(`the run is ${state}`, async () => (await stageOf(harness.temporal, orderWorkflowId(orderId))) === state)

/** Writes a row as the run's local activity did before its workflow task was lost. */
async function write(orderId: string, status: OrderStatus, reason: string | null): Promise<void> {
  await sql`update orders set status = ${status}, reason = ${reason},
    deliver_by = case when ${status}::text = 'provisioning' then now() + interval '1 hour' else deliver_by end
    where id = ${orderId}`
}

async function refundedMinor(orderId: string): Promise<number[]> {
  const { paymentIntents, refunds } = await stripe.state()
  const ids = paymentIntents.filter(({ metadata }) => metadata.order_id === orderId).map(({ id }) => id)
  const made = refunds.filter(
    ({ payment_intent, status }) => ids.includes(String(payment_intent)) && status === 'succeeded',
  )
  return made.map(({ amount }) => amount)
}

/** The order whose row is planted once its run is in a state. */
const runs: { [State in OrderStatus]?: (row: OrderStatus, reason: string | null) => Promise<string> } = {
  async in_review(row, reason) {
    const id = await buy({ pay: { riskLevel: 'elevated' }, until: 'in_review' })
    await untilRunIs(id, 'in_review')
    await write(id, row, reason)
    return id
  },
  async provisioning(row, reason) {
    await esimAccess.fault({ match: { path: '/esim/order' }, status: 503, times: 1_000 })
    const id = await buy({ until: 'provisioning' })
    await untilRunIs(id, 'provisioning')
    await write(id, row, reason)
    return id
  },
  async refund_failed(row, reason) {
    const id = await buy({})
    await stripe.do('fail-refund', { orderId: id })
    expectStatus(await harness.service.post(`/v1/orders/${id}/refund`), 200)
    await untilRunIs(id, 'refund_failed')
    await harness.untilOrder(id, 'refund_failed')
    await write(id, row, reason)
    return id
  },
}

test('each update whose effect a local activity writes has its pair, in each state that takes it', () => {
  // Beside these: `checkout` comes with the start of a run, `resend` writes no state, and the others begin with a
  // regular activity.
  const byRegularActivity = ['awaiting_payment cancel']
  const needed = keysOf(runs).flatMap((run) =>
    orderUpdates
      .filter((update) => ['cancel', 'refund', 'approve', 'reject'].includes(update) && isListed(update, run))
      .map((update) => `${run} ${update}`),
  )
  const paired = new Set(unappliedUpdates.map(({ run, update }) => `${run} ${update.name}`))
  expect(needed.filter((pair) => !paired.has(pair) && !byRegularActivity.includes(pair))).toEqual([])
})

const plantable = unappliedUpdates.filter(({ run }) => run in runs)

test.each(plantable.map((pair) => [pair.row, pair.run, pair.update.name, pair] as const))(
  'an order whose row says %s while its run is %s: %s is sent again',
  async (row, run, _update, { because }) => {
    const id = await runs[run]?.(row, because ?? (row === 'refunding' ? 'returned_unused' : null))
    if (!id) throw new Error(`no way to ${run}`)
    await sweep()
    // A provider that is down is asked again, and nobody waits for it.
    if (row === 'provisioning') return void (await harness.untilOrder(id, 'delivered'))
    await harness.untilOrder(id, 'refunded')
    await until('the money is back', async () => (await refundedMinor(id)).length > 0)
    expect(await refundedMinor(id)).toEqual([testPriceMinor])
    expect(await kinds(id)).not.toContain(outOfStep)
  },
)

test('a run whose order’s row says that its refund is repeated, and that does not know it, is sent the update again', async () => {
  const workflowId = (await orderWaits['order-aftercare-waits-for-its-refund-to-be-repeated']?.(harness)) ?? ''
  const id = workflowId.replace(orderAftercareWorkflowId(''), '')
  await stripe.clearFaults()
  // Its row says so before its workflow task is over.
  await until('the run is refund_failed', async () => (await stageOf(harness.temporal, workflowId)) === 'refund_failed')
  await write(id, 'refunding', 'returned_unused')
  await sweep()
  await harness.untilOrder(id, 'refunded')
  await until('the money is back', async () => (await refundedMinor(id)).length === 1)
})

test('a difference that nothing explains is an operator task until both agree', async () => {
  const id = await buy({})
  await write(id, 'refunding', 'returned_unused')
  await sweep()
  expect(await kinds(id)).toEqual([outOfStep])
  await write(id, 'delivered', null)
  await sweep()
  expect(
    await untilValue(
      'settled',
      () => kinds(id),
      ({ length }) => length === 0,
    ),
  ).toEqual([])
})

test('a run whose workflow task waits for a worker is not out of step: what it does is not shown yet', async () => {
  const id = await buy({})
  const workflowId = orderWorkflowId(id)
  await harness.temporal.workflow.getHandle(workflowId).terminate('another one takes its place')
  await write(id, 'refunding', 'returned_unused')
  const waiting = await harness.temporal.workflow.start('order', {
    workflowId,
    taskQueue: 'a queue without workers',
    typedSearchAttributes: initialSearchAttributes({ status: 'delivered', waitingFor: 'a worker', dueAt: null }),
  })
  await sweep()
  expect(await kinds(id)).toEqual([])
  await waiting.terminate('the order’s own run goes on')
  await write(id, 'delivered', null)
})

test('operators learn of an eSIM that was used after a cancellation, also if nothing else is recorded', async () => {
  const { id, esims } = await harness.buy(await harness.signUp(), { packageCode })
  await esimAccess.do('use', { iccid: esims[0].iccid, bytes: 1_000 })
  await write(id, 'refunding', 'cancelled_by_customer')
  const { repeatUpdate } = createOutOfStep({ sql, temporal: harness.temporal }, async () => {
    throw new Error('the database is down')
  })
  const seen = { id, status: 'refunding', reason: 'cancelled_by_customer' } as const
  await expect(repeatUpdate(seen, 'delivered', new Date())).rejects.toThrow('the database is down')
  expect(await kinds(id)).toEqual(['cancelled_and_used'])
  await write(id, 'delivered', null)
})

test('a run that knows of its refund is asked for nothing', async () => {
  const id = await buy({})
  await stripe.fault({ match: { method: 'POST', path: '/v1/refunds$' }, status: 503, times: 1_000_000 })
  expectStatus(await harness.service.post(`/v1/orders/${id}/refund`), 200)
  await harness.untilOrder(id, 'refunding')
  await sweep()
  const { events } = await harness.temporal.workflow.getHandle(orderWorkflowId(id)).fetchHistory()
  const asked = events?.flatMap(
    ({ workflowExecutionUpdateAcceptedEventAttributes: update }) => update?.acceptedRequest?.meta?.updateId ?? [],
  )
  expect(asked?.filter((updateId) => updateId.startsWith('again-'))).toEqual([])
  expect(await kinds(id)).toEqual([])
})
