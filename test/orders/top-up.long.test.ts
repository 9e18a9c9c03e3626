/** A top-up is a separate order; the first order's run reports its effect. */
import { expect, test } from 'vitest'
import { findCompleted, readHistory } from '../../cli/restore/run-history.ts'
import { milliseconds } from '../../policy/periods.ts'
import { workflowNow } from '../../temporal/time-skipping.ts'
import { orderWorkflowId, providerSignal } from '../../workflows/order/order.contract.ts'
import { paymentSweepType } from '../../workflows/order/payment-sweep.contract.ts'
import { mailsTo, pushesTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { iccidsOf } from '../harness/purchases.ts'
import { runLater } from '../harness/temporal/run-later.ts'
import { eachProvider, testPackages } from '../harness/test-packages.ts'
import { untilValue } from '../harness/until.ts'
import { visit } from '../harness/visits.ts'

const harness = await shareStack()
const { esimAccess, airalo, stripe } = harness.sims
const { sql } = harness.stack.context
const gigabyte = 2 ** 30
const { minute, hour, day } = milliseconds

/** A delivered order with its eSIM. */
async function delivered(packageCode: string = testPackages.onlyEsimAccess, quantity = 1) {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode, quantity })
  return { person, order, eSim: { iccid: iccidsOf(order)[0] } }
}

const request = (person: Person, orderId: string, body: Record<string, unknown> = {}) =>
  person.caller.post(`/v1/orders/${orderId}/top-up`, { packageCode: testPackages.topUp, ...body })

/** A top-up that is not paid yet. */
async function requested(person: Person, orderId: string) {
  return expectStatus(await request(person, orderId), 201)
}

async function toppedUp(person: Person, orderId: string) {
  const topUp = await requested(person, orderId)
  await stripe.do('pay', { orderId: topUp.id })
  return harness.untilOrder(topUp.id, 'delivered')
}

const eSimOf = async (orderId: string) => (await harness.service.get(`/v1/orders/${orderId}`)).body.esims[0]

const topUpsAt = async (): Promise<number> => (await esimAccess.state()).topUps.length

async function untilPushed(person: Person, ...events: string[]): Promise<void> {
  const pushes = await untilValue(
    `told ${events.join(', ')}`,
    async () =>
      (await pushesTo(harness.stack, person.pushToken)).flatMap(({ message: { data } }) =>
        data?.esimId ? [data.event] : [],
      ),
    ({ length }) => length >= events.length,
  )
  expect(pushes).toEqual(events)
}

test.each(eachProvider)(
  '%s: a top-up makes a used-up eSIM work again, and its run follows it to the new end',
  async (simulator, packageCode) => {
    const provider = harness.sims[simulator]
    await airalo.do('limits', { tokenPerMinute: 1_000 })
    const { person, order, eSim } = await delivered(packageCode)
    const pass = async (ms: number): Promise<void> => {
      await provider.do('clock', { advanceSeconds: ms / 1000 })
      await harness.fastForward(order.id, ms + 5 * minute)
    }
    await provider.do('use', { ...eSim, bytes: 0.95 * gigabyte })
    await untilPushed(person, 'in_use', 'low_data')
    await provider.do('use', { ...eSim, bytes: gigabyte })
    await pass(day)
    const before = ['in_use', 'low_data', 'used_up']
    await untilPushed(person, ...before)
    const first = await eSimOf(order.id)
    expect(first).toMatchObject({ state: 'used_up', totalBytes: gigabyte })

    const topUp = await toppedUp(person, order.id)
    expect(topUp).toMatchObject({ topUpOf: order.id, quantity: 1, esims: [], documents: [{ kind: 'invoice' }] })

    const second = await untilValue(
      'the eSIM lives',
      () => eSimOf(order.id),
      ({ state }) => state === 'in_use',
    )
    expect(second).toMatchObject({ id: first.id, iccid: first.iccid, totalBytes: 2 * gigabyte, usedBytes: gigabyte })
    const longer = Date.parse(second.expiresAt) - Date.parse(first.expiresAt)
    expect(Math.round(longer / day)).toBe(7)

    await provider.do('use', { ...eSim, bytes: 0.9 * gigabyte })
    await pass(day)
    await untilPushed(person, ...before, 'low_data')

    // The eSIM does not end at its first expiry.
    await pass(6 * day)
    expect((await harness.service.get(`/v1/orders/${order.id}`)).body).toMatchObject({
      status: 'delivered',
      esims: [{ state: 'in_use' }],
    })

    const now = (await workflowNow(harness.temporal, orderWorkflowId(order.id))).getTime()
    await pass(Date.parse(second.expiresAt) - now - hour)
    await untilPushed(person, ...before, 'low_data', 'last_day')
    await pass(3 * hour)
    await harness.untilOrder(order.id, 'ended')
    await untilPushed(person, ...before, 'low_data', 'last_day', 'expired')
    const subjects = (await mailsTo(harness.stack, person.email)).map(({ subject }) => subject)
    expect(subjects.filter((subject) => subject.startsWith('80%'))).toHaveLength(2)
    expect((await request(person, order.id)).status).toBe(409)
  },
)

test('a top-up with a lost reply is applied once', async () => {
  const { person, order } = await delivered()
  const before = await topUpsAt()
  await esimAccess.fault({ match: { path: '/esim/topup' }, cut: 'after' })
  await toppedUp(person, order.id)
  expect((await topUpsAt()) - before).toBe(1)
})

test('a top-up that cannot be applied is refunded, and the first order is unchanged', async () => {
  const { person, order, eSim } = await delivered()
  const topUp = await requested(person, order.id)
  await esimAccess.do('expire', eSim)
  await stripe.do('pay', { orderId: topUp.id })
  expect(await harness.untilOrder(topUp.id, 'refunded')).toMatchObject({ reason: 'out_of_stock', documents: [] })
  expect((await harness.service.get(`/v1/orders/${order.id}`)).body).toMatchObject({
    refunds: [],
    documents: [{ kind: 'invoice' }],
  })
})

test('a top-up whose provider never answers is refunded after an hour, and not applied later', async () => {
  const { person, order } = await delivered()
  const before = await topUpsAt()
  await esimAccess.fault({ match: { path: '/esim/topup' }, status: 500, times: 1_000 })
  const topUp = await requested(person, order.id)
  await stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'provisioning')
  expect((await person.caller.post(`/v1/orders/${topUp.id}/cancel`)).status).toBe(409)

  await harness.fastForward(topUp.id, '61 minutes')
  expect(await harness.untilOrder(topUp.id, 'refunded')).toMatchObject({ reason: 'not_delivered_in_time' })
  await esimAccess.clearFaults()
  await harness.fastForward(topUp.id, '31 days')
  await harness.fastForward(order.id, '2 days')
  expect((await topUpsAt()) - before).toBe(0)
})

/** A top-up that its provider has applied and says nothing about until the order is refunded; it is silent still. */
async function refundedWithoutAnswer() {
  const { person, order } = await delivered()
  const topUp = await requested(person, order.id)
  await esimAccess.fault({ match: { path: '/esim/topup' }, cut: 'after' })
  await esimAccess.fault({ match: { path: '/esim/query' }, status: 500, times: 1_000 })
  await stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'provisioning')
  await harness.fastForward(topUp.id, '61 minutes')
  await harness.untilOrder(topUp.id, 'refunded')
  return topUp
}

test('a top-up that was applied without an answer is refunded and becomes an operator task', async () => {
  const topUp = await refundedWithoutAnswer()
  await esimAccess.clearFaults()
  await harness.fastForward(topUp.id, '31 days')
  const raised =
    await sql`select detail from attention where kind = 'provider_order_unreturned' and subject_id = ${topUp.id}`
  expect([...raised]).toEqual([{ detail: 'top_up_applied' }])
  // A restore finds it in the history of the run.
  const workflowId = orderWorkflowId(topUp.id)
  const { runId } = await harness.temporal.workflow.getHandle(workflowId).describe()
  const history = await readHistory(harness.temporal, { workflowId, runId })
  const released = findCompleted(history?.activities ?? [], 'releaseProvision')
  expect(released?.completed.result).toEqual({
    tasks: [{ kind: 'provider_order_unreturned', detail: 'top_up_applied' }],
  })
})

test('a top-up that was applied without an answer is an operator task though the run that refunds it was terminated', async () => {
  const topUp = await refundedWithoutAnswer()
  await harness.temporal.workflow.getHandle(orderWorkflowId(topUp.id)).terminate('by mistake')
  await esimAccess.clearFaults()
  await runLater(harness.stack, paymentSweepType, 1 / 24)
  const raised = await untilValue(
    'operators are told',
    () => sql`select detail from attention where kind = 'provider_order_unreturned' and subject_id = ${topUp.id}`,
    ({ length }) => length > 0,
  )
  expect([...raised]).toEqual([{ detail: 'top_up_applied' }])
})

test('a provider that takes longer over a top-up than we wait adds the data once', async () => {
  await airalo.do('limits', { tokenPerMinute: 1_000 })
  const { person, order } = await delivered(testPackages.onlyAiralo)
  const atAiralo = async () => (await airalo.state()).orders.filter(({ type }) => type === 'topup').length
  const before = await atAiralo()
  await airalo.fault({ match: { method: 'POST', path: '/topups$' }, delayMs: 18_000 })
  const topUp = await requested(person, order.id)
  await stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'delivered', { timeoutMs: 120_000 })
  expect((await atAiralo()) - before).toBe(1)
})

test('an unpaid top-up can be cancelled, and a delivered one cannot be returned', async () => {
  const { person, order } = await delivered()
  const cancelled = await requested(person, order.id)
  expect((await person.caller.post(`/v1/orders/${cancelled.id}/cancel`)).status).toBe(200)
  await harness.untilOrder(cancelled.id, 'cancelled')
  const topUp = await toppedUp(person, order.id)
  expect((await person.caller.post(`/v1/orders/${topUp.id}/refund`)).status).toBe(409)
  expect((await person.caller.post(`/v1/orders/${topUp.id}/top-up`, { packageCode: testPackages.topUp })).status).toBe(
    400,
  )
})

test('U2: an eSIM that is over takes no top-up by API or on the web, while another one of its order does', async () => {
  const { person, order } = await delivered(testPackages.onlyEsimAccess, 2)
  const [one, two] = order.esims
  const surfer = await visit(harness.stack, person)
  const path = `/account/esims/${one.id}/top-up`
  const { html } = await surfer.open(path)
  const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(html)?.[1] ?? ''
  const form = { csrf: hidden('csrf'), once: hidden('once'), packageCode: testPackages.topUp }
  const listed = async (id: string) =>
    expectStatus(await person.caller.get(`/v1/esims/${id}/top-ups`), 200).items.length > 0
  for (const state of ['expired', 'removed', 'cancelled']) {
    await sql`update esims set state = ${state} where id = ${one.id}`
    const answers = [
      (await request(person, order.id, { esimId: one.id })).status,
      (await surfer.post(path, form)).status,
    ]
    expect([state, ...answers, await listed(one.id)]).toEqual([state, 409, 409, false])
    expect((await surfer.open(path)).html).not.toContain('name="once"')
  }
  expect(await listed(two.id)).toBe(true)
})

test('a top-up that is applied after the expiry of its eSIM makes it live again', async () => {
  const { person, order } = await delivered(testPackages.onlyAiralo, 2)
  const [one] = order.esims
  const shown = () => eSimOf(order.id)
  await airalo.do('use', { iccid: one.iccid, bytes: 1_000 })
  await airalo.fault({ match: { method: 'POST', path: '/v2/orders/topups$' }, status: 503, times: 1_000_000 })
  const topUp = expectStatus(await request(person, order.id, { esimId: one.id }), 201)
  await stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'provisioning')
  await airalo.do('expire', { iccid: one.iccid })
  await harness.temporal.workflow.getHandle(orderWorkflowId(order.id)).signal(providerSignal)
  await untilValue('it has expired', shown, ({ state }) => state === 'expired')
  await airalo.clearFaults()
  await harness.fastForward(topUp.id, '1 minute')
  await harness.untilOrder(topUp.id, 'delivered')
  await untilValue('it lives', shown, ({ state }) => state === 'in_use')
})

test('a top-up that does not fit the eSIM is refused', async () => {
  const { person, order } = await delivered(testPackages.onlyEsimAccess, 2)
  const otherPerson = await harness.signUp()
  const unpaid = await harness.buy(person, { pay: false })
  const [one, two] = order.esims
  const refusals = [
    [request(person, order.id), 400],
    [request(person, order.id, { esimId: unpaid.id }), 400],
    [request(person, order.id, { esimId: one.id, packageCode: testPackages.anyProvider }), 409],
    [request(person, order.id, { esimId: one.id, packageCode: 'no-such-package' }), 409],
    [request(person, order.id, { esimId: one.id, quantity: 2 }), 400],
    [request(otherPerson, order.id, { esimId: one.id }), 404],
    [request(person, unpaid.id), 400],
  ] as const
  for (const [answer, status] of refusals) expectStatus(await answer, status)

  const topUp = expectStatus(await request(person, order.id, { esimId: two.id }), 201)
  await stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'delivered')
  const after = await untilValue(
    'the second eSIM has more data',
    async () => (await harness.service.get(`/v1/orders/${order.id}`)).body.esims,
    (esims) => esims.some(({ totalBytes }: { totalBytes: number }) => totalBytes === 2 * gigabyte),
  )
  expect(after).toMatchObject([
    { id: one.id, totalBytes: gigabyte },
    { id: two.id, totalBytes: 2 * gigabyte },
  ])
  expect((await person.caller.post(`/v1/orders/${unpaid.id}/cancel`)).status).toBe(200)
})
