/**
 * U5: fraud is prevented. The reaction to an early fraud warning of the card's issuer, as in
 * docs/fraud-and-disputes.md.
 */
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterEach, expect, test } from 'vitest'
import { createFraudWarningActivities } from '../../activities/fraud/fraud-warning.ts'
import type { Attention } from '../../db/connection/schema.ts'
import { periods } from '../../policy/periods.ts'
import { fastForward } from '../../temporal/time-skipping.ts'
import { orderAftercareWorkflowId, orderWorkflowId, providerSignal } from '../../workflows/order/order.contract.ts'
import { paymentSweepType } from '../../workflows/order/payment-sweep.contract.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { always } from '../harness/checks/placements.ts'
import { deleteAccount } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { iccidsOf, requestReturnOf } from '../harness/purchases.ts'
import { runLater } from '../harness/temporal/run-later.ts'
import { testPackages, testPriceMinor } from '../harness/test-packages.ts'
import { until, untilValue } from '../harness/until.ts'

// The books of erased customers name no order.
const harness = await shareStack({ books: false })
const { stripe, esimAccess } = harness.sims
const { sql } = harness.context
const packageCode = testPackages.onlyEsimAccess

afterEach(async () => {
  await Promise.all([stripe.clearFaults(), esimAccess.clearFaults()])
  await stripe.do('webhooks', { drop: 0, copies: 1 })
})

async function bought(status: string, pay: Record<string, unknown> = {}) {
  const person = await harness.signUp()
  return { person, order: await harness.buy(person, { packageCode, pay, until: status }) }
}

const warn = async (orderId: string, given: Record<string, unknown> = {}): Promise<string> =>
  (await stripe.do('warn-fraud', { orderId, ...given })).warning

const paymentOf = async (orderId: string) =>
  (await stripe.state()).paymentIntents.find(({ metadata }) => metadata.order_id === orderId)

async function refundsOf(orderId: string) {
  const intent = await paymentOf(orderId)
  return (await stripe.state()).refunds.filter(({ payment_intent }) => payment_intent === intent?.id)
}

async function taskOf(subjectId: string): Promise<Attention | undefined> {
  const [task] = await sql<Attention[]>`
    select * from attention where kind = 'fraud_warning' and subject_id = ${subjectId} and resolved_at is null`
  return task
}

/** Warns of an order, and waits until its provider is asked: time that is skipped earlier is not that of the tries. */
async function warnUntilAsked(orderId: string): Promise<void> {
  const asked = () => esimAccess.log().then((log) => log.filter(({ url }) => url.endsWith('/esim/cancel')).length)
  const before = await asked()
  await warn(orderId)
  await until('the provider is asked', async () => (await asked()) > before)
}

const untilTask = (subjectId: string) =>
  untilValue(
    `the task of ${subjectId}`,
    () => taskOf(subjectId),
    (task) => task !== undefined,
  )

const untilNoTask = (subjectId: string) =>
  until(`no task of ${subjectId}`, async () => (await taskOf(subjectId)) === undefined)

async function expectRefunded(orderId: string): Promise<void> {
  expect(await harness.untilOrder(orderId, 'refunded')).toMatchObject({ reason: 'fraud_warning' })
  expect(await refundsOf(orderId)).toMatchObject([{ status: 'succeeded', amount: testPriceMinor }])
  expect(await taskOf(orderId)).toBeUndefined()
}

const atProvider = async (iccid: string) =>
  (await esimAccess.state()).esims.findLast((each) => each.iccid === iccid)?.esimStatus

const runStatus = async (workflowId: string) =>
  (await harness.temporal.workflow.getHandle(workflowId).describe()).status.name

async function topUpOf({ person, order }: Awaited<ReturnType<typeof bought>>): Promise<string> {
  const wanted = { packageCode: testPackages.topUp }
  const { id } = expectStatus(await person.caller.post(`/v1/orders/${order.id}/top-up`, wanted), 201)
  await stripe.do('pay', { orderId: id })
  await harness.untilOrder(id, 'delivered')
  return id
}

test('U5: an order in review with a fraud warning is refunded, and the customer is notified', async () => {
  const { person, order } = await bought('in_review', { riskLevel: 'elevated' })
  await warn(order.id)
  await expectRefunded(order.id)
  await until('the mail', async () =>
    (await mailsTo(harness.stack, person.email)).some(({ text }) => text.includes('possibly fraudulent')),
  )
  expect((await harness.operator.post(`/v1/orders/${order.id}/approve`)).status).toBe(409)
})

test('U5: a fraud warning stops the provisioning of an order, and what the provider holds is returned', async () => {
  await esimAccess.do('allocation', { never: true })
  const { order } = await bought('provisioning')
  await warn(order.id)
  await expectRefunded(order.id)
  await esimAccess.do('allocate')
  await esimAccess.do('allocation', {})
  await harness.fastForward(order.id, '20 minutes')
  await until('nothing is held', async () => {
    const rows = await sql`select 1 from provider_orders where order_id = ${order.id} and state <> 'released'`
    return rows.length === 0
  })
})

test('eSIMs that are delivered while Stripe is slow to tell of the warning are returned', async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { packageCode, pay: false })
  // The order is usually delivered before the answer comes; if it is not, its provisioning is stopped.
  await stripe.fault({ match: { path: '/v1/radar/early_fraud_warnings$' }, delayMs: 8_000, times: 1 })
  await stripe.do('webhooks', { hold: true })
  await stripe.do('pay', { orderId: id })
  await warn(id)
  await stripe.do('release')
  await expectRefunded(id)
  for (const { iccid } of (await harness.service.get(`/v1/orders/${id}`)).body.esims)
    await until('the eSIM is returned', async () => (await atProvider(iccid)) === 'CANCEL')
})

test('U5: an order that ends while Stripe is slow to tell of the warning is left to operators', async () => {
  const { order } = await bought('delivered')
  const warning = { warningId: 'issfr_slow', fraudType: 'misc', amountMinor: 500, currency: 'EUR', actionable: true }
  const listFraudWarnings = async () => {
    await sql`update orders set status = 'ended', ended_at = now() where id = ${order.id}`
    return [{ ...warning, createdAt: new Date().toISOString(), paymentIntentId: null }]
  }
  const slow = { ...harness.context.stripe, listFraudWarnings }
  const { readFraudWarnings } = createFraudWarningActivities({ ...harness.context, stripe: slow })
  const asked = { orderId: order.id, asOf: new Date().toISOString() }
  expect(await new MockActivityEnvironment().run(() => readFraudWarnings(asked))).toBe('operator')
  await sql`update orders set status = 'delivered', ended_at = null where id = ${order.id}`
})

test('a warning that arrives before the payment does keeps the order from its provider', async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { packageCode, pay: false })
  await stripe.do('webhooks', { hold: true })
  await stripe.do('pay', { orderId: id })
  await warn(id)
  const { held } = await stripe.do('webhooks', {})
  await stripe.do('release', { order: held.map((_id, index) => held.length - 1 - index) })
  await harness.fastForward(id, '1 minute')
  await harness.untilOrder(id, ['refunded', 'delivered'])
  await expectRefunded(id)
})

test.each([
  ['by its payment', {}],
  ['by its charge alone', { withIntent: false }],
])('U5: unused eSIMs of a warning that names the order %s go back, and so does the money', async (_what, given) => {
  const { order } = await bought('delivered')
  await warn(order.id, given)
  await expectRefunded(order.id)
  expect(await atProvider(order.esims[0].iccid)).toBe('CANCEL')
  const { documents } = (await harness.service.get(`/v1/orders/${order.id}`)).body
  expect(documents).toMatchObject([{ kind: 'invoice' }, { kind: 'credit_note' }])
})

test('U5: a fraud warning of a used eSIM becomes an operator task with reason, amount and date, until the warning needs nothing any more', async () => {
  const { order } = await bought('delivered')
  await esimAccess.do('use', { iccid: order.esims[0].iccid, bytes: 1_000 })
  const warning = await warn(order.id, { fraudType: 'card_never_received' })
  const task = await untilTask(order.id)
  const { fraudWarnings } = await stripe.state()
  const warnedAt = Number(fraudWarnings.find(({ id }) => id === warning)?.created) * 1000
  expect(task).toMatchObject({
    detail: 'esim_in_use',
    due_at: new Date(warnedAt + periods.fraudWarning.decideWithinMs),
    attributes: {
      warningId: warning,
      fraudType: 'card_never_received',
      amountMinor: testPriceMinor,
      currency: 'EUR',
    },
  })
  expect((await harness.service.get(`/v1/orders/${order.id}`)).body.status).toBe('delivered')
  expect(await refundsOf(order.id)).toEqual([])
  // The bank has disputed the payment: the warning is over, the dispute has a task of its own.
  await stripe.do('open-dispute', { orderId: order.id })
  await untilNoTask(order.id)
})

test('a provider that is down for an hour gets the unused eSIM back after a fraud warning', async () => {
  const { order } = await bought('delivered')
  await esimAccess.fault({ match: { path: '/esim/cancel' }, status: 503, times: 6 })
  await warn(order.id)
  await harness.fastForward(order.id, '1 hour')
  await expectRefunded(order.id)
})

test('a customer’s refund is no conflict while the provider is down, and succeeds once it answers', async () => {
  const { person, order } = await bought('delivered')
  await esimAccess.fault({ match: { path: '/esim/cancel' }, status: 503, times: always })
  await warnUntilAsked(order.id)
  for (let hours = 0; hours < 3; hours += 1) await harness.fastForward(order.id, '1 hour')
  const requestReturn = () => requestReturnOf(person.caller, order.id)
  const refused = await untilValue(
    'no try is under way',
    requestReturn,
    ({ body }) => body.code !== 'order_state_conflict',
  )
  expect([refused.status, refused.body.code]).toEqual([503, 'provider_unavailable'])
  await esimAccess.clearFaults()
  expectStatus(await untilValue('no try is under way', requestReturn, ({ status }) => status !== 409), 200)
  await harness.untilOrder(order.id, 'refunded')
  expect(await refundsOf(order.id)).toMatchObject([{ status: 'succeeded', amount: testPriceMinor }])
  await until('nothing is tried any more', async () => (await atProvider(order.esims[0].iccid)) === 'CANCEL')
})

test('an order is followed to its end while its provider takes no return after a warning', async () => {
  const { order } = await bought('delivered')
  await esimAccess.fault({ match: { path: '/esim/cancel' }, status: 503, times: always })
  await warnUntilAsked(order.id)
  await harness.fastForward(order.id, '2 hours')
  await esimAccess.do('expire', { iccid: order.esims[0].iccid })
  await harness.fastForward(order.id, '2 days')
  await harness.untilOrder(order.id, 'ended')
  await until('its run has closed', async () => (await runStatus(orderWorkflowId(order.id))) === 'COMPLETED')
})

/** Its provider answers nothing at all: neither whether the eSIM was used, nor a return. */
async function warnWhileProviderIsAway(orderId: string): Promise<void> {
  await esimAccess.fault({ match: { path: '/esim/' }, status: 503, times: always })
  const asked = () => esimAccess.log().then((log) => log.filter(({ url }) => url.endsWith('/esim/query')).length)
  const before = await asked()
  await warn(orderId)
  await until('the provider is asked', async () => (await asked()) > before)
}

const untilReturned = (iccid: string) =>
  until('the eSIM is returned', async () => (await atProvider(iccid)) === 'CANCEL')

test('U5: a warned order whose provider is down is refunded within the days of a decision, and its eSIM is returned when the provider is back', async () => {
  const { order } = await bought('delivered')
  await warnWhileProviderIsAway(order.id)
  await harness.fastForward(order.id, '46 hours')
  expect((await harness.service.get(`/v1/orders/${order.id}`)).body.status).toBe('delivered')
  await harness.fastForward(order.id, '3 hours')
  await expectRefunded(order.id)
  await esimAccess.clearFaults()
  await harness.fastForward(order.id, '1 hour')
  await untilReturned(order.esims[0].iccid)
  expect(await refundsOf(order.id)).toHaveLength(1)
})

test('U5: a warned order is refunded in time also when its provider was to be asked once more before it went away', async () => {
  const { order } = await bought('delivered')
  await esimAccess.fault({ match: { path: '/esim/' }, status: 503, times: always })
  const run = harness.temporal.workflow.getHandle(orderWorkflowId(order.id))
  await run.signal(providerSignal)
  await until('the run asks once more', async () =>
    (await run.describe()).raw.pendingActivities?.some(({ activityType }) => activityType?.name === 'refreshEsims'),
  )
  await warnWhileProviderIsAway(order.id)
  await harness.fastForward(order.id, '49 hours')
  await expectRefunded(order.id)
  await esimAccess.clearFaults()
  await harness.fastForward(order.id, '1 hour')
  await untilReturned(order.esims[0].iccid)
})

test('U5: an eSIM whose use is found after its warned order was refunded is an operator task', async () => {
  const { order } = await bought('delivered')
  await warnWhileProviderIsAway(order.id)
  await harness.fastForward(order.id, '49 hours')
  await expectRefunded(order.id)
  await esimAccess.clearFaults()
  await esimAccess.do('use', { iccid: order.esims[0].iccid, bytes: 1_000 })
  await harness.fastForward(order.id, '1 hour')
  await until('operators are told', async () => {
    const [task] = await sql`
      select 1 from attention where kind = 'provider_order_unreturned' and subject_id = ${order.id}`
    return task !== undefined
  })
  expect(await refundsOf(order.id)).toHaveLength(1)
})

test('U5: a refund that Stripe refuses leaves a warned order to an operator, and its eSIM is returned when the provider is back', async () => {
  const { order } = await bought('delivered')
  await warnWhileProviderIsAway(order.id)
  await stripe.refuse({ code: 'charge_not_refundable', match: { method: 'POST', path: '/v1/refunds$' } })
  await harness.fastForward(order.id, '49 hours')
  await harness.untilOrder(order.id, 'refund_failed')
  await esimAccess.clearFaults()
  await harness.fastForward(order.id, '1 hour')
  await untilReturned(order.esims[0].iccid)
  expectStatus(await harness.operator.post(`/v1/orders/${order.id}/refund`), 200)
  await expectRefunded(order.id)
})

test('U5: the eSIM of a warned order whose run is terminated before its refund is made is returned all the same', async () => {
  const { order } = await bought('delivered')
  await warnWhileProviderIsAway(order.id)
  await stripe.fault({ match: { method: 'POST', path: '/v1/refunds$' }, status: 503, times: always })
  await harness.fastForward(order.id, '49 hours')
  await harness.untilOrder(order.id, 'refunding')
  await harness.temporal.workflow.getHandle(orderWorkflowId(order.id)).terminate('by mistake')
  await Promise.all([stripe.clearFaults(), esimAccess.clearFaults()])
  await runLater(harness.stack, paymentSweepType, 1 / 24)
  await expectRefunded(order.id)
  await untilReturned(order.esims[0].iccid)
})

test('U5: of two eSIMs of a refunded warned order the unused one is returned, though the other one is in use', async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { packageCode, quantity: 2 })
  // In the order in which they are returned.
  const [first, second] = iccidsOf((await harness.service.get(`/v1/orders/${id}`)).body)
  await warnWhileProviderIsAway(id)
  await harness.fastForward(id, '49 hours')
  await harness.untilOrder(id, 'refunded')
  await esimAccess.clearFaults()
  await esimAccess.do('use', { iccid: first, bytes: 1_000 })
  await harness.fastForward(id, '1 hour')
  await untilReturned(second ?? '')
  expect(await atProvider(first)).not.toBe('CANCEL')
  await until('operators are told', async () => {
    const rows = await sql`select 1 from attention where kind = 'provider_order_unreturned' and subject_id = ${id}`
    return rows.length === 1
  })
})

test('U5: no top-up is sold for an eSIM whose order was refunded while its provider is down', async () => {
  const { person, order } = await bought('delivered')
  const { id } = expectStatus(
    await person.caller.post(`/v1/orders/${order.id}/top-up`, { packageCode: testPackages.topUp }),
    201,
  )
  await warnWhileProviderIsAway(order.id)
  await harness.fastForward(order.id, '49 hours')
  await expectRefunded(order.id)
  await stripe.do('pay', { orderId: id })
  await harness.untilOrder(id, 'refunded')
})

test.each([
  ['used', { used_bytes: '1000' }],
  ['installed', { state: 'installed' }],
])(
  'U5: a warned order that is %s by our own books becomes an operator task while its provider is down',
  async (_what, seen) => {
    const { order } = await bought('delivered')
    await sql`update esims set ${sql(seen)} where order_id = ${order.id}`
    await warnWhileProviderIsAway(order.id)
    await harness.fastForward(order.id, '49 hours')
    const detail = expect.stringMatching(/http_503|provider_unavailable/)
    expect(await untilTask(order.id)).toMatchObject({ detail })
    expect((await harness.service.get(`/v1/orders/${order.id}`)).body.status).toBe('delivered')
    expect(await refundsOf(order.id)).toEqual([])
  },
)

test('twenty warnings at once, each delivered twice, refund an order once', async () => {
  const { order } = await bought('delivered')
  await stripe.do('webhooks', { copies: 2 })
  await Promise.all(Array.from({ length: 20 }, () => warn(order.id)))
  await expectRefunded(order.id)
})

test('a fraud warning that needs nothing any more changes nothing', async () => {
  const { order } = await bought('delivered')
  const dispute = (await stripe.do('open-dispute', { orderId: order.id })).dispute
  await warn(order.id)
  await stripe.do('close-dispute', { dispute, outcome: 'lost' })
  await until('the dispute is known', async () => {
    return (await harness.service.get(`/v1/orders/${order.id}`)).body.dispute === 'lost'
  })
  expect((await harness.service.get(`/v1/orders/${order.id}`)).body.status).toBe('delivered')
  expect(await taskOf(order.id)).toBeUndefined()
})

test('a fraud warning of a top-up becomes an operator task, and so does one of an order whose unused eSIM has a top-up', async () => {
  const first = await bought('delivered')
  const topUp = await topUpOf(first)
  await until('its run has closed', async () => (await runStatus(orderWorkflowId(topUp))) === 'COMPLETED')
  await warn(topUp)
  expect(await untilTask(topUp)).toMatchObject({ detail: 'not_returnable' })
  await warn(first.order.id)
  expect(await untilTask(first.order.id)).toMatchObject({ detail: 'not_returnable' })
  expect((await harness.service.get(`/v1/orders/${first.order.id}`)).body.status).toBe('delivered')
})

test('a top-up with a fraud warning that is not delivered yet is refunded', async () => {
  const { person, order } = await bought('delivered')
  const wanted = { packageCode: testPackages.topUp }
  const { id } = expectStatus(await person.caller.post(`/v1/orders/${order.id}/top-up`, wanted), 201)
  await stripe.do('pay', { orderId: id, riskLevel: 'elevated' })
  await harness.untilOrder(id, 'in_review')
  await warn(id)
  await expectRefunded(id)
})

test('a warning about an order whose run has closed becomes one operator task', async () => {
  const { order } = await bought('delivered')
  await esimAccess.do('expire', { iccid: order.esims[0].iccid })
  await harness.fastForward(order.id, '2 days')
  await harness.untilOrder(order.id, 'ended')
  await stripe.do('webhooks', { copies: 3 })
  await warn(order.id)
  await untilTask(order.id)
  await until(
    'the aftercare is over',
    async () => (await runStatus(orderAftercareWorkflowId(order.id))) === 'COMPLETED',
  )
})

test('orders with a fraud warning whose run was terminated are refunded, and unused eSIMs are returned', async () => {
  for (const [status, pay] of [
    ['delivered', {}],
    ['in_review', { riskLevel: 'elevated' }],
  ] as const) {
    const { order } = await bought(status, pay)
    await harness.temporal.workflow.getHandle(orderWorkflowId(order.id)).terminate('by mistake')
    await warn(order.id)
    await harness.untilOrder(order.id, 'refunded')
    expect(await refundsOf(order.id)).toMatchObject([{ status: 'succeeded', amount: testPriceMinor }])
    const iccids: string[] = order.esims.map(({ iccid }: { iccid: string }) => iccid)
    expect(await Promise.all(iccids.map(atProvider))).toEqual(status === 'delivered' ? ['CANCEL'] : [])
  }
})

test('U5: a warned order whose run was terminated is refunded in time while its provider is down, and its eSIM is returned later', async () => {
  const { order } = await bought('delivered')
  await harness.temporal.workflow.getHandle(orderWorkflowId(order.id)).terminate('by mistake')
  await warnWhileProviderIsAway(order.id)
  const aftercare = orderAftercareWorkflowId(order.id)
  await fastForward(harness.temporal, aftercare, '49 hours')
  await expectRefunded(order.id)
  await esimAccess.clearFaults()
  await fastForward(harness.temporal, aftercare, '1 hour')
  await untilReturned(order.esims[0].iccid)
})

test('the payment sweep finds a fraud warning whose webhook was lost, and settles tasks that need nothing any more', async () => {
  const used = await bought('delivered')
  await esimAccess.do('use', { iccid: used.order.esims[0].iccid, bytes: 1_000 })
  await warn(used.order.id)
  await untilTask(used.order.id)
  const lost = await bought('delivered')
  await stripe.do('webhooks', { drop: 1_000 })
  await warn(lost.order.id)
  await stripe.do('open-dispute', { orderId: used.order.id })
  await stripe.do('webhooks', { drop: 0 })
  await runLater(harness.stack, paymentSweepType, 1 / 24)
  await expectRefunded(lost.order.id)
  await untilNoTask(used.order.id)
})

test('the warning about an erased customer’s delivered order becomes a task without a tie to it, until it needs nothing', async () => {
  const { person, order } = await bought('delivered')
  const intent = await paymentOf(order.id)
  await deleteAccount(harness.stack, person)
  const warning = await warn(order.id)
  const task = await untilTask(warning)
  expect(task).toMatchObject({ detail: 'erased', attributes: { amountMinor: testPriceMinor, currency: 'EUR' } })
  const said = JSON.stringify(task)
  for (const tie of [order.id, person.accountId, intent?.id ?? '']) expect(said).not.toContain(tie)
  await stripe.do('open-dispute', { orderId: order.id })
  await until(
    'no trace is left',
    async () => (await sql`select from attention where subject_id = ${warning}`).length === 0,
  )
})

test('the task of a warning outlives the erasure of its customer, without a tie to the order', async () => {
  const { person, order } = await bought('delivered')
  await esimAccess.do('use', { iccid: order.esims[0].iccid, bytes: 1_000 })
  const warning = await warn(order.id)
  const before = await untilTask(order.id)
  await deleteAccount(harness.stack, person)
  expect(await taskOf(order.id)).toBeUndefined()
  const after = await taskOf(warning)
  expect(after).toMatchObject({ detail: 'erased', due_at: before?.due_at, attributes: before?.attributes })
  expect(JSON.stringify(after)).not.toContain(order.id)
})

test('an erased customer’s undelivered order is refunded by the deletion, and its warning leaves no task', async () => {
  const { person, order } = await bought('in_review', { riskLevel: 'elevated' })
  await stripe.do('webhooks', { hold: true })
  await warn(order.id)
  const deletion = await deleteAccount(harness.stack, person)
  await stripe.do('release')
  await deletion.until('stripe', 'done')
  expect(await refundsOf(order.id)).toMatchObject([{ status: 'succeeded', amount: testPriceMinor }])
  await until(
    'no task',
    async () =>
      (
        await sql`select from attention where kind = 'fraud_warning' and detail = 'erased'
    and attributes ->> 'warningId' in (${(await stripe.state()).fraudWarnings.at(-1)?.id ?? ''})`
      ).length === 0,
  )
})

test('U5: a warning that Stripe refuses to show is an operator task, and keeps no other one waiting', async () => {
  const [refused, other] = [await bought('delivered'), await bought('delivered')]
  await stripe.do('webhooks', { drop: 1_000 })
  const [first] = [await warn(refused.order.id), await warn(other.order.id)]
  await stripe.do('webhooks', { drop: 0 })
  const body = { error: { type: 'invalid_request_error', code: 'resource_missing', message: 'No such warning' } }
  const match = { method: 'GET', path: `/v1/radar/early_fraud_warnings/${first}` }
  await stripe.fault({ match, status: 404, body, times: 1_000_000 })
  await runLater(harness.stack, paymentSweepType, 1 / 24)
  await expectRefunded(other.order.id)
  const unread = () => sql`
    select kind from attention where subject_id = ${first} and resolved_at is null`
  expect(await unread()).toEqual([{ kind: 'fraud_warning_unread' }])

  await stripe.clearFaults()
  await runLater(harness.stack, paymentSweepType, 1 / 24)
  await expectRefunded(refused.order.id)
  expect(await unread()).toEqual([])
})
