/**
 * U2 and U3: paid means delivered or refunded, and messages about orders are sent once. An eSIM that its provider ends
 * by itself is not taken for one that we returned.
 */
import { expect, test } from 'vitest'
import { milliseconds, periods } from '../../policy/periods.ts'
import type { OrderStatus } from '../../workflows/order/order.contract.ts'
import { mailsTo, pushesTo } from '../harness/checks/messages.ts'
import { esimSimulators, watchPlacements } from '../harness/checks/placements.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { iccidsOf, untilWatched } from '../harness/purchases.ts'
import { type EsimSimulator, testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack()
const { sims } = harness
const { sql } = harness.stack.context
const { attention } = watchPlacements(harness.stack)
const { minute } = milliseconds

async function delivered(simulator: EsimSimulator, quantity = 1) {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: esimSimulators[simulator].packageCode, quantity })
  await untilWatched(harness.stack, order.id)
  return { person, order, iccids: iccidsOf(order) }
}

/** Lets the run's next check of its eSIMs pass. */
const look = (orderId: string) => harness.fastForward(orderId, periods.order.esimPollMs + minute)

/**
 * Lets checks pass until the order has a status. When the provider's hint and a check meet, each may find a notice
 * under way at the other, and checks again a quarter of an hour later.
 */
async function lookUntil(orderId: string, status: OrderStatus) {
  await look(orderId)
  await until(`order ${orderId} is ${status}`, async () => {
    const order = await shown(orderId)
    if (order.status !== 'delivered') return order.status === status
    await harness.fastForward(orderId, '16 minutes').catch(async (error: unknown) => {
      if ((await shown(orderId)).status === 'delivered') throw error
    })
    return false
  })
  return shown(orderId)
}

const shown = async (orderId: string) => (await harness.service.get(`/v1/orders/${orderId}`)).body

async function untilNotifiedOnce({ email, pushToken }: Person): Promise<void> {
  await until('the mail is there', async () =>
    (await mailsTo(harness.stack, email)).some(({ subject }) => subject.includes('switched off')),
  )
  const mails = (await mailsTo(harness.stack, email)).filter(({ subject }) => subject.includes('switched off'))
  const pushes = (await pushesTo(harness.stack, pushToken)).filter(
    ({ message: { data } }) => data?.event === 'ended_early',
  )
  expect([mails.length, pushes.length]).toEqual([1, 1])
}

const endings: [EsimSimulator, string][] = [
  ['esimAccess', 'withdraw'],
  ['esimAccess', 'revoke'],
  ['airalo', 'recycle'],
]

test.each(endings)(
  '%s: an unused eSIM after the provider’s %s is refunded, and customer and operators are told',
  async (simulator, action) => {
    const { person, order, iccids } = await delivered(simulator)
    await sims[simulator].do(action, { iccid: iccids[0] })
    expect(await lookUntil(order.id, 'refunded')).toMatchObject({
      reason: 'ended_by_provider',
      esims: [{ state: 'cancelled' }],
      refunds: [{ minor: order.amount.minor, state: 'succeeded' }],
    })
    await untilNotifiedOnce(person)
    expect(await attention(order.id)).toEqual([{ kind: 'esim_ended_by_provider', detail: 'unused' }])
    expect((await mailsTo(harness.stack, person.email)).at(-1)?.text).toContain('The network has ended your eSIM')
  },
)

test.each(endings.slice(1))(
  '%s: a used eSIM after the provider’s %s is an operator task, and the customer is notified',
  async (simulator, action) => {
    const { person, order, iccids } = await delivered(simulator)
    await sims[simulator].do('use', { iccid: iccids[0], bytes: 50 * 2 ** 20 })
    await harness.fastForward(order.id, '25 hours')
    await sims[simulator].do(action, { iccid: iccids[0] })
    expect(await lookUntil(order.id, 'ended')).toMatchObject({ refunds: [] })
    await untilNotifiedOnce(person)
    expect(await attention(order.id)).toEqual([{ kind: 'esim_ended_by_provider', detail: 'used' }])
  },
)

/** Buys more data for an eSIM of an order. @returns the top-up once it is delivered */
async function topUp(person: Person, orderId: string) {
  const body = { packageCode: testPackages.topUp }
  const { id } = expectStatus(await person.caller.post(`/v1/orders/${orderId}/top-up`, body), 201)
  await sims.stripe.do('pay', { orderId: id })
  return harness.untilOrder(id, 'delivered')
}

test.each(endings.filter(([, action]) => action !== 'revoke'))(
  'U2: %s: what was paid for an unused eSIM after the provider’s %s is refunded with its top-ups',
  async (simulator, action) => {
    const { person, order, iccids } = await delivered(simulator)
    const topUps = [await topUp(person, order.id), await topUp(person, order.id)]
    await sims[simulator].do(action, { iccid: iccids[0] })
    expect(await lookUntil(order.id, 'refunded')).toMatchObject({ reason: 'ended_by_provider' })
    for (const { id, amount } of topUps) {
      expect(await harness.untilOrder(id, 'refunded')).toMatchObject({
        reason: 'ended_by_provider',
        refunds: [{ minor: amount.minor, state: 'succeeded' }],
        documents: [{ kind: 'invoice' }, { kind: 'credit_note' }],
      })
      expect(await attention(id)).toEqual([])
    }
    const refunds = async () =>
      (await mailsTo(harness.stack, person.email)).filter(({ subject }) => subject.includes('refund'))
    await until('each refund is told of', async () => (await refunds()).length === 3)
  },
)

test('U2: a top-up is refunded also while its delivery mail waits for the mail server', async () => {
  const { person, order, iccids } = await delivered('esimAccess')
  await sims.mailbox.do('rule', { recipient: person.email, code: 421 })
  const { id } = await topUp(person, order.id)
  await sims.esimAccess.do('withdraw', { iccid: iccids[0] })
  await look(order.id)
  await harness.untilOrder(id, 'refunded')
  await sims.mailbox.do('clear-rules')
  await lookUntil(order.id, 'refunded')
})

test('the operator task of a used eSIM that the provider ends names the top-ups that ended with it', async () => {
  const { person, order, iccids } = await delivered('esimAccess')
  const { id } = await topUp(person, order.id)
  await sims.esimAccess.do('use', { iccid: iccids[0], bytes: 50 * 2 ** 20 })
  await harness.fastForward(order.id, '25 hours')
  await sims.esimAccess.do('revoke', { iccid: iccids[0] })
  await lookUntil(order.id, 'ended')
  const tasks = await sql`select kind, detail, attributes from attention where subject_id = ${order.id}`
  expect([...tasks]).toEqual([
    { kind: 'esim_ended_by_provider', detail: 'used', attributes: { used: order.esims[0].id, topUps: id } },
  ])
  expect(await shown(id)).toMatchObject({ status: 'delivered', refunds: [] })
})

test('a refund that was refused because the eSIM is in use is not made when the provider ends the eSIM later', async () => {
  const { person, order, iccids } = await delivered('esimAccess')
  await sims.esimAccess.do('use', { iccid: iccids[0], bytes: 50 * 2 ** 20 })
  expect((await person.caller.post(`/v1/orders/${order.id}/refund`)).status).toBe(409)
  await sims.esimAccess.do('revoke', { iccid: iccids[0] })
  expect(await lookUntil(order.id, 'ended')).toMatchObject({ refunds: [] })
  await untilNotifiedOnce(person)
})

test('one of two eSIMs that the provider ends is an operator task, and the order goes on', async () => {
  const { person, order, iccids } = await delivered('esimAccess', 2)
  await sims.esimAccess.do('revoke', { iccid: iccids[1] })
  await look(order.id)
  await untilNotifiedOnce(person)
  const [task, ...others] = await sql<{ id: string; attributes: object }[]>`
    select id, attributes from attention where subject_id = ${order.id} and resolved_at is null`
  expect(others).toEqual([])
  expect(await attention(order.id)).toEqual([{ kind: 'esim_ended_by_provider', detail: 'unused, one of 2' }])
  expect(await shown(order.id)).toMatchObject({ status: 'delivered', refunds: [] })
  const note = 'the provider resends it'
  expectStatus(await harness.operator.post(`/v1/operator-tasks/${task?.id}/close`, { note }), 200)
  await sims.esimAccess.do('withdraw', { iccid: iccids[0] })
  expect(await lookUntil(order.id, 'refunded')).toMatchObject({ reason: 'ended_by_provider' })
  // The operator has settled the end of the other one.
  const [again] = await sql<{ attributes: object }[]>`
    select attributes from attention where subject_id = ${order.id} and resolved_at is null`
  const [first, second] = order.esims
  expect([task?.attributes, again?.attributes]).toEqual([{ unused: second.id }, { unused: `${second.id} ${first.id}` }])
})

test('an unused eSIM that the provider recycles after its time is not refunded', async () => {
  const { order, iccids } = await delivered('airalo')
  await sql`update orders set delivered_at = delivered_at - ${`${periods.order.unusedValidMs} milliseconds`}::interval
    where id = ${order.id}`
  await sims.airalo.do('recycle', { iccid: iccids[0] })
  expect(await lookUntil(order.id, 'ended')).toMatchObject({ refunds: [] })
})

test('a customer whose mail cannot be sent at the end of the eSIM is told later', async () => {
  const { person, order, iccids } = await delivered('esimAccess')
  await sims.esimAccess.do('use', { iccid: iccids[0], bytes: 50 * 2 ** 20 })
  await look(order.id)
  await sims.mailbox.do('rule', { recipient: person.email, code: 421 })
  await sims.esimAccess.do('revoke', { iccid: iccids[0] })
  await look(order.id)
  expect(await shown(order.id)).toMatchObject({ status: 'delivered', esims: [{ state: 'cancelled' }] })
  await sims.mailbox.do('clear-rules')
  await harness.fastForward(order.id, '2 hours')
  await harness.untilOrder(order.id, 'ended')
  await untilNotifiedOnce(person)
})

test('an eSIM that the provider suspends becomes an operator task, one that we suspend does not', async () => {
  const { order, iccids } = await delivered('esimAccess')
  await sims.esimAccess.do('suspend', { iccid: iccids[0] })
  await look(order.id)
  expect(await attention(order.id)).toEqual([{ kind: 'esim_suspended_by_provider', detail: null }])
  const ours = await delivered('esimAccess')
  await sims.stripe.do('open-dispute', { orderId: ours.order.id })
  await until('it is suspended', async () => (await shown(ours.order.id)).esims[0].suspended)
  await look(ours.order.id)
  expect(await attention(ours.order.id)).toEqual([])
})
