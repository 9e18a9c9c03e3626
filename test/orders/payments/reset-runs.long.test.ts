/**
 * U2: paid means delivered or refunded. An operator resets the run of an order, as the runbook says, to any of its
 * workflow tasks: what has become of the order since stays, whatever the run thinks that is still to be done.
 */
import { randomUUID } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import type { Attention, Refunds, Sends } from '../../../db/connection/schema.ts'
import { isOpen } from '../../../temporal/runs.ts'
import { fastForward } from '../../../temporal/time-skipping.ts'
import { orderAftercareWorkflowId, orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { partialRefundWorkflowId, refundIdOf } from '../../../workflows/order/partial-refund.contract.ts'
import { withdrawalWorkflowId } from '../../../workflows/order/withdrawal.contract.ts'
import { watchPlacements } from '../../harness/checks/placements.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { requestReturnOf } from '../../harness/purchases.ts'
import { type Resettable, resetRun, resettable } from '../../harness/temporal/reset-run.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { until, untilValue } from '../../harness/until.ts'

// The model knows no run that begins again in the middle.
const harness = await shareStack({ model: false })
const { stripe, esimAccess } = harness.sims
const { sql } = harness.context
const { attention, ordersAt, placements } = watchPlacements(harness.stack)
const packageCode = testPackages.onlyEsimAccess

afterEach(async () => {
  await Promise.all([stripe.clearFaults(), esimAccess.clearFaults()])
})

const buy = async (options: object = {}) => harness.buy(await harness.signUp(), { packageCode, ...options })
const act = async (id: string, name: string) =>
  expectStatus(await harness.operator.post(`/v1/orders/${id}/${name}`), 200)

const terminate = (id: string) => harness.temporal.workflow.getHandle(orderWorkflowId(id)).terminate('by mistake')

/** An order whose own run was terminated, and that its aftercare refunds. */
async function refundedByAftercare(): Promise<string> {
  const { id } = await buy()
  await terminate(id)
  expectStatus(await requestReturnOf(harness.service, id), 200)
  await untilRefundedAndTold(id)
  return id
}

/** Waits for a refund and for its mail and push, of which another run than the one that is reset takes care. */
async function untilRefundedAndTold(id: string): Promise<void> {
  await harness.untilOrder(id, 'refunded')
  await until('its customer is told', async () => {
    const sent = await sql`select from sends where subject_id = ${id} and state = 'sent' and kind like '%:refunded'`
    return sent.length === 2
  })
}

/** An operator pays an order whose refund has failed another way, and says so. */
async function payAnotherWay(id: string): Promise<void> {
  const [task] = await sql<Pick<Attention, 'id'>[]>`
    select id from attention where subject_id = ${id} and kind = 'refund_failed' and resolved_at is null`
  const note = { note: 'paid by transfer' }
  expectStatus(await harness.operator.post(`/v1/operator-tasks/${task?.id}/close`, note), 200)
}

/** A delivered order is returned, and as many refunds of it as are said bounce, the last of which stays so. */
async function refundBouncesOf(id: string, times: number): Promise<void> {
  for (let made = 0; made < times; made += 1) {
    await stripe.do('fail-refund', { orderId: id })
    if (made === 0) expectStatus(await requestReturnOf(harness.service, id), 200)
    else await act(id, 'refund')
    await harness.untilOrder(id, 'refund_failed')
  }
}

/** Lives of orders, each to where nothing changes by itself for a day. */
const lives: Record<string, () => Promise<string>> = {
  delivered: async () => (await buy()).id,
  async used() {
    const { id, esims } = await buy()
    await esimAccess.do('use', { iccid: esims[0].iccid, bytes: 1_000 })
    return id
  },
  async 'delivered after its review'() {
    const { id } = await buy({ pay: { riskLevel: 'elevated' }, until: 'in_review' })
    await act(id, 'approve')
    await harness.untilOrder(id, 'delivered')
    return id
  },
  async rejected() {
    const { id } = await buy({ pay: { riskLevel: 'elevated' }, until: 'in_review' })
    await act(id, 'reject')
    await harness.untilOrder(id, 'refunded')
    return id
  },
  async returned() {
    const { id } = await buy()
    expectStatus(await requestReturnOf(harness.service, id), 200)
    await harness.untilOrder(id, 'refunded')
    return id
  },
  async 'not filled'() {
    await esimAccess.do('stock', { packageCode: 'CKH100', out: true })
    const { id } = await buy({ until: 'refunded' })
    await esimAccess.do('stock', { packageCode: 'CKH100', out: false })
    return id
  },
  async 'with a refund that failed'() {
    const { id } = await buy({ pay: { riskLevel: 'elevated' }, until: 'in_review' })
    await stripe.do('fail-refund', { orderId: id })
    await act(id, 'reject')
    await harness.untilOrder(id, 'refund_failed')
    return id
  },
  async 'with a refund that failed the day before'() {
    const id = (await lives['with a refund that failed']?.()) ?? ''
    // Stripe has forgotten its key, and would make another one.
    await stripe.do('clock', { advanceSeconds: 25 * 3_600 })
    return id
  },
  async 'with a refund that failed and was repeated'() {
    const { id } = await buy()
    await refundBouncesOf(id, 1)
    await act(id, 'refund')
    await harness.untilOrder(id, 'refunded')
    return id
  },
  async 'paid another way after two refunds that failed'() {
    const { id } = await buy()
    await refundBouncesOf(id, 2)
    await payAnotherWay(id)
    return id
  },
  async 'paid another way while a dispute stopped its refund'() {
    const { id } = await buy({ pay: { riskLevel: 'elevated' }, until: 'in_review' })
    const { dispute } = await stripe.do('open-dispute', { orderId: id })
    await act(id, 'reject')
    await harness.untilOrder(id, 'refund_failed')
    await payAnotherWay(id)
    await stripe.do('close-dispute', { dispute, outcome: 'won' })
    return id
  },
  async cancelled() {
    const { id } = await buy({ pay: false })
    await act(id, 'cancel')
    return id
  },
  async unpaid() {
    const { id } = await buy({ pay: false })
    await harness.fastForward(id, '61 minutes')
    await harness.untilOrder(id, 'unpaid')
    return id
  },
  async 'a top-up'() {
    const person = await harness.signUp()
    const { id } = await harness.buy(person, { packageCode })
    const asked = await person.caller.post(`/v1/orders/${id}/top-up`, { packageCode: testPackages.topUp })
    const topUp = expectStatus(asked, 201)
    await stripe.do('pay', { orderId: topUp.id })
    await harness.untilOrder(topUp.id, 'delivered')
    return topUp.id
  },
}

/** Runs beside the order's own, and the orders on which they have acted. */
const others: Record<string, () => Promise<{ id: string; workflowId: string }>> = {
  async 'its aftercare'() {
    const id = await refundedByAftercare()
    return { id, workflowId: orderAftercareWorkflowId(id) }
  },
  async 'its aftercare, whose refund has failed'() {
    const { id } = await buy()
    await terminate(id)
    await refundBouncesOf(id, 1)
    return { id, workflowId: orderAftercareWorkflowId(id) }
  },
  async 'its aftercare, whose refund has failed and was repeated'() {
    const { id } = await buy()
    await terminate(id)
    await refundBouncesOf(id, 1)
    await act(id, 'refund')
    await untilRefundedAndTold(id)
    return { id, workflowId: orderAftercareWorkflowId(id) }
  },
  async 'its aftercare, two of whose refunds have failed, when it was paid another way'() {
    const { id } = await buy()
    await terminate(id)
    await refundBouncesOf(id, 2)
    await payAnotherWay(id)
    return { id, workflowId: orderAftercareWorkflowId(id) }
  },
  async 'its own after its aftercare has refunded it'() {
    const id = await refundedByAftercare()
    return { id, workflowId: orderWorkflowId(id) }
  },
  async 'that of its partial refund'() {
    const { id } = await buy()
    const body = { amount: { minor: 200, currency: 'EUR' } }
    const headers = { 'idempotency-key': randomUUID() }
    expectStatus(await harness.operator.post(`/v1/orders/${id}/refund`, body, headers), 200)
    const [row] = await sql<Pick<Refunds, 'refund_key'>[]>`select refund_key from refunds where order_id = ${id}`
    return { id, workflowId: partialRefundWorkflowId(refundIdOf(row?.refund_key) ?? '') }
  },
  async 'that of its withdrawal'() {
    const { id } = await buy()
    for (const step of ['withdrawal', 'withdrawal/confirm'])
      expectStatus(
        await harness.service.post(`/v1/orders/${id}/${step}`, step === 'withdrawal' ? { name: 'Maxi' } : undefined),
        200,
      )
    await untilRefundedAndTold(id)
    return { id, workflowId: withdrawalWorkflowId(id) }
  },
}

/** What the customer has, and has been told. */
async function outcomeOf(id: string) {
  const { status, esims, documents, refunds } = (await harness.operator.get(`/v1/orders/${id}`)).body
  const { paymentIntents, refunds: made } = await stripe.state()
  const payments = paymentIntents.filter(({ metadata }) => metadata.order_id === id).map((payment) => payment.id)
  const sent = await sql<Pick<Sends, 'kind'>[]>`
    select kind from sends where subject_id = ${id} and state = 'sent' order by kind`
  return {
    status,
    esims: esims.map(({ state }: { state: string }) => state),
    documents: documents.length,
    refunds: refunds.map(({ state }: { state: string }) => state),
    refunded: made
      .filter(({ payment_intent, status: its }) => payments.includes(String(payment_intent)) && its === 'succeeded')
      .map(({ amount }) => amount),
    orders: await ordersAt(id),
    placements: (await placements(id)).map(({ state }) => state),
    sent: sent.map(({ kind }) => kind),
    settled: (
      await sql<Pick<Attention, 'kind'>[]>`
        select kind from attention where subject_id = ${id} and resolved_by like 'operator:%'`
    ).map(({ kind }) => kind),
  }
}

/** Lets a run go on for a day and more, unless it ends before. */
async function goOn(workflowId: string): Promise<void> {
  await fastForward(harness.temporal, workflowId, '26 hours').catch(async (error: unknown) => {
    if (await isOpen(harness.temporal, workflowId)) throw error
  })
  await until('its run waits', async () => {
    const { pendingWorkflowTask, pendingActivities } = (
      await harness.temporal.workflow.getHandle(workflowId).describe()
    ).raw
    return !pendingWorkflowTask && !pendingActivities?.some(({ attempt }) => (attempt ?? 1) <= 1)
  })
}

/** @returns what is wrong after a reset */
async function faultsAfter(
  { run, id, name }: { run: Resettable; id: string; name: string },
  reset: Parameters<typeof resetRun>[2],
): Promise<string[]> {
  const before = await outcomeOf(id)
  await resetRun(harness.temporal, run, reset)
  await goOn(run.workflowId)
  const after = await outcomeOf(id)
  const how = `${name}, reset to ${reset.taskId} ${reset.messages ? 'with' : 'without'} its messages`
  const now = Object.entries(after).map(([field, is]) => [field, JSON.stringify(is)] as const)
  const was = new Map(Object.entries(before).map(([field, value]) => [field, JSON.stringify(value)]))
  const faults = now.flatMap(([field, is]) =>
    is === was.get(field) ? [] : [`${how}: ${field} was ${was.get(field)}, is ${is}`],
  )
  const { status } = await harness.temporal.workflow.getHandle(run.workflowId).describe()
  // A run that cannot open its checkout has not got the order: that of before is an operator's (run_lost).
  const isOpening = reset.taskId === run.taskIds[0]
  const isTold = (await attention(id)).some(({ kind }) => kind === 'order_run_failed')
  if (status.name === 'FAILED' && !isOpening && !isTold) faults.push(`${how}: its run has failed, and nobody is told`)
  return faults
}

async function faultsOfResets(of: { id: string; name: string; workflowId: string }): Promise<string[]> {
  // Its messages are sent by then.
  await goOn(of.workflowId)
  const run = await resettable(harness.temporal, of.workflowId)
  const faults: string[] = []
  // The later messages may be what has changed the order: the run knows least without them. With them it does again
  // what it did, and each history has to replay (docs/decisions/0900-updates-come-after-signals.md).
  for (const taskId of run.taskIds)
    for (const messages of [false, true]) faults.push(...(await faultsAfter({ run, ...of }, { taskId, messages })))
  return faults
}

test.each(Object.keys(lives))(
  'an order that is %s stays so when its run is reset, to whichever point',
  {
    timeout: 400_000,
  },
  async (name) => {
    const id = (await lives[name]?.()) ?? ''
    expect(await faultsOfResets({ id, name, workflowId: orderWorkflowId(id) })).toEqual([])
  },
)

test.each(Object.keys(others))(
  'an order stays as it is when a run is reset, to whichever point: %s',
  {
    timeout: 400_000,
  },
  async (name) => {
    const made = await others[name]?.()
    expect(made && (await faultsOfResets({ ...made, name }))).toEqual([])
  },
)

test('an order that its aftercare has refunded stays refunded when its own run is reset', async () => {
  const { id } = await buy()
  const run = await resettable(harness.temporal, orderWorkflowId(id))
  await terminate(id)
  await stripe.fault({ match: { method: 'POST', path: '/v1/refunds$' }, status: 503, times: 1_000_000 })
  expectStatus(await requestReturnOf(harness.service, id), 200)
  await harness.untilOrder(id, 'refunding')
  await resetRun(harness.temporal, run, { taskId: run.lastTaskId, messages: true })
  await until('its run has seen that the eSIM is gone', async () => !(await isOpen(harness.temporal, run.workflowId)))
  expect((await harness.service.get(`/v1/orders/${id}`)).body.status).toBe('refunding')
  await stripe.clearFaults()
  await fastForward(harness.temporal, orderAftercareWorkflowId(id), '1 hour')
  await harness.untilOrder(id, 'refunded')
  // The bank returns the refund: with the order as ended nobody would notice.
  await stripe.do('fail-refund', { orderId: id })
  await harness.untilOrder(id, 'refund_failed')
  expect(
    await untilValue(
      'operators are told',
      () => attention(id),
      (tasks) => tasks.length > 0,
    ),
  ).toMatchObject([{ kind: 'refund_failed' }])
  await act(id, 'refund')
  await harness.untilOrder(id, 'refunded')
})

test.each(['its own run', 'its aftercare'])(
  'a refund that was repeated, and bounces after %s was reset to where it knew the first alone, is an operator’s',
  async (which) => {
    const { id } = await buy()
    if (which === 'its aftercare') await terminate(id)
    await refundBouncesOf(id, 1)
    const workflowId = which === 'its aftercare' ? orderAftercareWorkflowId(id) : orderWorkflowId(id)
    const run = await resettable(harness.temporal, workflowId)
    await act(id, 'refund')
    await harness.untilOrder(id, 'refunded')
    await resetRun(harness.temporal, run, { taskId: run.lastTaskId, messages: false })
    await goOn(workflowId)
    expect((await harness.service.get(`/v1/orders/${id}`)).body.status).toBe('refunded')
    await stripe.do('fail-refund', { orderId: id })
    await harness.untilOrder(id, 'refund_failed')
    expect((await attention(id)).map(({ kind }) => kind)).toContain('refund_failed')
  },
)

test('an operator refunds what was paid another way, though its run was reset to where it follows the failed refund', async () => {
  const { id } = await buy()
  expectStatus(await requestReturnOf(harness.service, id), 200)
  await harness.untilOrder(id, 'refunded')
  const run = await resettable(harness.temporal, orderWorkflowId(id))
  await stripe.do('fail-refund', { orderId: id })
  await harness.untilOrder(id, 'refund_failed')
  await payAnotherWay(id)
  await resetRun(harness.temporal, run, { taskId: run.lastTaskId, messages: false })
  await goOn(run.workflowId)
  await act(id, 'refund')
  await harness.untilOrder(id, 'refunded')
  expect((await outcomeOf(id)).refunds).toEqual(['failed', 'succeeded'])
})
