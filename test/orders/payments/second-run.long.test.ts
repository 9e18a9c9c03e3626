/**
 * U2: paid means delivered or refunded. An order whose run was terminated may get another one, by the same request,
 * while its aftercare waits: one of them settles its payment. And what a terminated run has left has an end.
 */
import { randomUUID } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { createOrderSignals } from '../../../temporal/order-signals.ts'
import { openRunOf } from '../../../temporal/run-stage.ts'
import { fastForward } from '../../../temporal/time-skipping.ts'
import { orderAftercareWorkflowId, orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { type PaymentSweepReport, paymentSweepType } from '../../../workflows/order/payment-sweep.contract.ts'
import { always, watchPlacements } from '../../harness/checks/placements.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { requestReturnOf } from '../../harness/purchases.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { until } from '../../harness/until.ts'

const harness = await shareStack()
const { stripe, esimAccess } = harness.sims
const { sql } = harness.context
const { attention } = watchPlacements(harness.stack)
const packageCode = testPackages.onlyEsimAccess

afterEach(async () => {
  await Promise.all([stripe.clearFaults(), esimAccess.clearFaults()])
})

const terminate = (orderId: string) =>
  harness.temporal.workflow.getHandle(orderWorkflowId(orderId)).terminate('by mistake')
const sweep = () => runLater<PaymentSweepReport>(harness.stack, paymentSweepType, 1 / 24)
const untilClosed = (workflowId: string) =>
  until('it has closed', async () => {
    const { status } = await harness.temporal.workflow.getHandle(workflowId).describe()
    return status.name !== 'RUNNING'
  })

/** An unpaid order whose aftercare waits until its payment is due, while its own run is open again. */
async function withTwoRuns() {
  const person = await harness.signUp()
  const headers = { 'idempotency-key': randomUUID() }
  const { id } = await harness.buy(person, { packageCode, pay: false, headers })
  await terminate(id)
  await createOrderSignals({ temporal: harness.temporal, config: harness.config }).payment(id)
  const aftercare = orderAftercareWorkflowId(id)
  await until('aftercare waits', async () => {
    const run = await openRunOf(harness.temporal, aftercare)
    return run?.stage === 'awaiting_payment'
  })
  const body = { accountId: person.accountId, packageCode, quantity: 1 }
  expect(expectStatus(await person.caller.post('/v1/orders', body, headers), 201).id).toBe(id)
  return { id, aftercare }
}

test('an order that its second run holds for an operator is not refunded by its aftercare', async () => {
  const { id, aftercare } = await withTwoRuns()
  await stripe.do('pay', { orderId: id, riskLevel: 'elevated' })
  await harness.untilOrder(id, 'in_review')
  await fastForward(harness.temporal, aftercare, '2 hours')
  await untilClosed(aftercare)
  expect((await harness.service.get(`/v1/orders/${id}`)).body).toMatchObject({ status: 'in_review', refunds: [] })
  expectStatus(await harness.operator.post(`/v1/orders/${id}/approve`), 200)
  await harness.untilOrder(id, 'delivered')
  expect(await attention(id)).toEqual([])
})

test('an order that its second run is delivering is not refunded by its aftercare', async () => {
  const { id, aftercare } = await withTwoRuns()
  await esimAccess.fault({ match: { path: '^/api/' }, status: 503, times: always })
  await stripe.do('pay', { orderId: id })
  await harness.untilOrder(id, 'provisioning')
  await fastForward(harness.temporal, aftercare, '2 hours')
  await untilClosed(aftercare)
  expect((await harness.service.get(`/v1/orders/${id}`)).body.status).toBe('provisioning')
  await esimAccess.clearFaults()
  await harness.fastForward(id, '1 minute')
  await harness.untilOrder(id, 'delivered')
})

test('an unpaid order with two runs ends unpaid, once', async () => {
  const { id, aftercare } = await withTwoRuns()
  await fastForward(harness.temporal, aftercare, '2 hours')
  await untilClosed(aftercare)
  await harness.fastForward(id, '2 hours')
  await harness.untilOrder(id, 'unpaid')
  expect(await attention(id)).toEqual([])
})

test('a refunded order whose run was terminated ends when its refund can fail no more', async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { packageCode })
  expectStatus(await requestReturnOf(person.caller, id), 200)
  await harness.untilOrder(id, 'refunded')
  await terminate(id)
  // Such an order is looked at once a day, in the first hour after the time of its refund: the sweep is an hour later.
  await sql`update refunds set created_at = created_at - interval '30 days 23 hours 30 minutes' where order_id = ${id}`
  expect((await sweep()).ordersWithoutRun).toBe(1)
  await until('it has ended', async () => (await harness.service.get(`/v1/orders/${id}`)).body.endedAt !== null)
  await untilClosed(orderAftercareWorkflowId(id))
  expect((await sweep()).ordersWithoutRun).toBe(0)
})
