/**
 * U2: paid means delivered or refunded. A refund that the bank has not settled for a month is an operator's, also when
 * the run that waited for it is gone, and until the bank says what became of it.
 */
import { afterEach, expect, test } from 'vitest'
import { raiseOperatorTask } from '../../../db/operator-tasks.ts'
import { listUnsettledOrders } from '../../../db/order/payment-sweeps.ts'
import { listRefundsOnTheirWay } from '../../../db/order/refunds.ts'
import { searchAttributes } from '../../../shared/search-attributes.ts'
import { fastForward } from '../../../temporal/time-skipping.ts'
import { orderAftercareWorkflowId, orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { partialRefundWorkflowId, refundIdOf } from '../../../workflows/order/partial-refund.contract.ts'
import { type PaymentSweepReport, paymentSweepType } from '../../../workflows/order/payment-sweep.contract.ts'
import { watchPlacements } from '../../harness/checks/placements.ts'
import { deleteAccount } from '../../harness/deletions.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { requestReturnOf } from '../../harness/purchases.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { until } from '../../harness/until.ts'

// The books of erased customers name no order.
const harness = await shareStack({ books: false })
const { stripe } = harness.sims
const { temporal } = harness
const { sql } = harness.context
const { attention } = watchPlacements(harness.stack)

afterEach(() => stripe.do('pending-refunds', { enabled: false }))

async function delivered() {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  await stripe.do('pending-refunds', { enabled: true })
  return { person, id: String(order.id) }
}

async function refundedInFull() {
  const { person, id } = await delivered()
  expectStatus(await requestReturnOf(person.caller, id), 200)
  await harness.untilOrder(id, 'refunded')
  return { person, id }
}

async function refundedInPart() {
  const { id } = await delivered()
  const part = { amount: { minor: 200, currency: 'EUR' } }
  const key = { 'idempotency-key': `unsettled-${id}` }
  expectStatus(await harness.operator.post(`/v1/orders/${id}/refund`, part, key), 200)
  const [row] = await sql<{ refund_key: string }[]>`select refund_key from refunds where order_id = ${id}`
  return { id, refundId: refundIdOf(row?.refund_key) ?? '' }
}

const terminate = (workflowId: string) => temporal.workflow.getHandle(workflowId).terminate('by mistake')

/** A month passes for the records of an order, which has no run whose time could be skipped. */
const monthLater = (orderId: string) =>
  sql`update refunds set created_at = created_at - interval '31 days' where order_id = ${orderId}`

/** The hourly payment sweep, and what it starts. */
async function sweep(orderId: string): Promise<void> {
  await runLater<PaymentSweepReport>(harness.stack, paymentSweepType, 0)
  await until('nobody looks after it', async () => {
    const run = await temporal.workflow
      .getHandle(orderAftercareWorkflowId(orderId))
      .describe()
      .catch(() => undefined)
    return run?.status.name !== 'RUNNING'
  })
}

const unsettled = [{ kind: 'refund_unsettled', detail: null }]

test('U2: a refund that is pending for a month after its run was terminated is an operator’s, until it has arrived', async () => {
  const { id } = await refundedInFull()
  await terminate(orderWorkflowId(id))
  await sweep(id)
  expect(await attention(id)).toEqual([])
  await monthLater(id)
  await sweep(id)
  expect(await attention(id)).toEqual(unsettled)
  expect((await harness.service.get(`/v1/orders/${id}`)).body.endedAt).toBeNull()

  await stripe.do('settle-refund', { orderId: id })
  await sweep(id)
  expect(await attention(id)).toEqual([])
  expect((await harness.service.get(`/v1/orders/${id}`)).body.endedAt).not.toBeNull()
})

test.each([
  ['follows its eSIM', false],
  ['was terminated', true],
])(
  'U2: a partial refund that is pending for a month after its run was terminated is an operator’s, where the run of the order %s',
  async (_what, withoutOwnRun) => {
    const { id, refundId } = await refundedInPart()
    await terminate(partialRefundWorkflowId(refundId))
    if (withoutOwnRun) await terminate(orderWorkflowId(id))
    await monthLater(id)
    await sweep(id)
    await until('operators see it', async () => (await attention(id)).length > 0)
    expect(await attention(id)).toEqual(unsettled)

    await stripe.do('settle-refund', { orderId: id })
    await sweep(id)
    await until('it has arrived', async () => (await attention(id)).length === 0)
  },
)

test('U2: a late refund that an operator has closed is not opened again', async () => {
  const { id } = await refundedInFull()
  await terminate(orderWorkflowId(id))
  await monthLater(id)
  await sweep(id)
  const [task] = await sql<{ id: string }[]>`select id from attention where subject_id = ${id} and resolved_at is null`
  expectStatus(await harness.operator.post(`/v1/operator-tasks/${task?.id}/close`, { note: 'Stripe was asked' }), 200)
  await sweep(id)
  expect(await attention(id)).toEqual([])
})

/** An operator settles a task, at a time of the run's clock. */
async function settle(orderId: string, days: number): Promise<void> {
  const [task] = await sql<{ id: string }[]>`
    select id from attention where subject_id = ${orderId} and resolved_at is null`
  expectStatus(await harness.operator.post(`/v1/operator-tasks/${task?.id}/close`, { note: 'Stripe was asked' }), 200)
  await sql`update attention set resolved_at = resolved_at + ${days} * interval '1 day' where id = ${task?.id ?? null}`
}

const dueAt = async (workflowId: string): Promise<Date | undefined> =>
  (await temporal.workflow.getHandle(workflowId).describe()).typedSearchAttributes.get(searchAttributes.dueAt)

const inFull = async () => {
  const { id } = await refundedInFull()
  return { id, workflowId: orderWorkflowId(id) }
}
const inPart = async () => {
  const { id, refundId } = await refundedInPart()
  return { id, workflowId: partialRefundWorkflowId(refundId) }
}

test.each([
  ['in full', inFull],
  ['in part', inPart],
])('U2: a late refund %s that an operator has settled is not opened again by its own run', async (_what, refunded) => {
  const { id, workflowId } = await refunded()
  await fastForward(temporal, workflowId, '31 days')
  await until('operators see it', async () => (await attention(id)).length > 0)
  await settle(id, 32)
  const before = await dueAt(workflowId)
  await fastForward(temporal, workflowId, '31 days')
  await until('the run has looked again', async () => Number(await dueAt(workflowId)) > Number(before))
  expect(await attention(id)).toEqual([])
})

test('a refunded order whose refund is late is settled in one hour of a day, and one of any other state in each', async () => {
  const { id } = await refundedInFull()
  await monthLater(id)
  const [made] = await sql<{ created_at: Date }[]>`select created_at from refunds where order_id = ${id}`
  const isListedAfter = async (hours: number) => {
    const at = new Date(Number(made?.created_at) + 31 * 86_400_000 + hours * 3_600_000 + 60_000)
    const page = { at, dueBefore: at, refundedBefore: new Date(Number(at) - 30 * 86_400_000) }
    const orders = await listUnsettledOrders(sql, { ...page, after: undefined, limit: 10_000 })
    return orders.some((order) => order.id === id)
  }
  const hours = Array.from({ length: 48 }, (_, hour) => hour)
  const listed = async () => {
    const found = await Promise.all(hours.map(isListedAfter))
    return hours.filter((hour) => found[hour])
  }
  expect(await listed()).toEqual([0, 24])
  // It has come back, and an operator has found another way.
  await sql`update orders set status = 'refund_failed' where id = ${id}`
  expect(await listed()).toEqual(hours)
  await raiseOperatorTask(sql, { kind: 'refund_failed', subjectId: id, at: new Date() })
  expect(await listed()).toEqual(hours)
  await settle(id, 0)
  expect(await listed()).toEqual([])
  await sql`update orders set status = 'refunded' where id = ${id}`
})

test('U2: a late partial refund that fails is an operator’s as failed, and not as on its way', async () => {
  const { id, refundId } = await refundedInPart()
  await terminate(partialRefundWorkflowId(refundId))
  await monthLater(id)
  await sweep(id)
  await until('operators see it', async () => (await attention(id)).length > 0)
  await stripe.do('fail-refund', { orderId: id })
  await until('it is not on its way', async () =>
    (await attention(id)).every(({ kind }) => kind !== 'refund_unsettled'),
  )
})

test('a late refund is asked about during one hour of each day', async () => {
  const { id } = await refundedInPart()
  await monthLater(id)
  const [made] = await sql<{ created_at: Date }[]>`select created_at from refunds where order_id = ${id}`
  const askedAt = async (hours: number) => {
    const at = new Date(Number(made?.created_at) + 31 * 86_400_000 + hours * 3_600_000 + 60_000)
    const page = await listRefundsOnTheirWay(sql, { at, before: at, after: undefined, limit: 1_000 })
    return page.some(({ order_id }) => order_id === id)
  }
  const hours = Array.from({ length: 48 }, (_, hour) => hour)
  const asked = await Promise.all(hours.map(askedAt))
  expect(hours.filter((hour) => asked[hour])).toEqual([0, 24])
})

test('U2: a partial refund that is followed by its run is an operator’s after a month, until it has arrived', async () => {
  const { id, refundId } = await refundedInPart()
  const workflowId = partialRefundWorkflowId(refundId)
  await fastForward(temporal, workflowId, '31 days')
  await until('operators see it', async () => (await attention(id)).length > 0)
  expect(await attention(id)).toEqual(unsettled)
  await stripe.do('settle-refund', { orderId: id })
  await until('it has arrived', async () => (await attention(id)).length === 0)
})

test('U2: a refund of an erased customer that is pending for a month is an operator’s, until it has arrived', async () => {
  const { person, id } = await refundedInFull()
  const deletion = await deleteAccount(harness.stack, person)
  await deletion.until('stripe', 'done')
  await deletion.fastForward('31 days')
  expect(await deletion.until('stripe', 'needs_operator')).toMatchObject({ code: 'refund_unsettled' })
  await stripe.do('settle-refund', { orderId: id })
  await deletion.fastForward('100 days')
  await deletion.until('stripe', 'done')
})
