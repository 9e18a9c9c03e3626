/**
 * U3: messages about orders are sent once. Each step of a delivered eSIM's lifecycle is notified once, with or without
 * the provider's webhooks.
 */
import { expect, test } from 'vitest'
import { historyCost } from '../../bench/history-cost.ts'
import { milliseconds } from '../../policy/periods.ts'
import { workflowNow } from '../../temporal/time-skipping.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { mailsTo, pushesTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import type { Person } from '../harness/people.ts'
import { iccidsOf, untilWatched } from '../harness/purchases.ts'
import { eachProvider, testPackages } from '../harness/test-packages.ts'
import { untilValue } from '../harness/until.ts'

const harness = await shareStack()
const gigabyte = 2 ** 30
const { minute, hour, day } = milliseconds

// A token of the day before is within the limit's minute by real time.
await harness.sims.airalo.do('limits', { tokenPerMinute: 1_000 })

const wholeLife = ['in_use', 'low_data', 'used_up', 'last_day', 'expired']

test.each(eachProvider)(
  '%s: the daily poll finds all changes of an eSIM when no webhook comes',
  async (simulator, packageCode) => {
    const { provider, order, person, eSim, pass } = await delivered(simulator, packageCode)
    await provider.do('webhooks', { drop: 1_000, copies: 1 })

    await provider.do('install', eSim)
    await pass(day)
    expect(await pushesAbout(person)).toEqual([])

    await provider.do('use', { ...eSim, bytes: 0.1 * gigabyte })
    await pass(day)
    expect(await pushesAbout(person)).toEqual(['in_use'])

    await provider.do('use', { ...eSim, bytes: 0.71 * gigabyte })
    await pass(day)
    expect(await pushesAbout(person)).toEqual(['in_use', 'low_data'])

    await provider.do('use', { ...eSim, bytes: gigabyte })
    await pass(day)
    expect(await pushesAbout(person)).toEqual(['in_use', 'low_data', 'used_up'])

    const expiresAt = Date.parse((await harness.service.get(`/v1/orders/${order.id}`)).body.esims[0].expiresAt)
    await pass(expiresAt - (await runsClock(order.id)) - hour)
    expect(await pushesAbout(person)).toEqual(wholeLife.slice(0, -1))

    await pass(3 * hour)
    await harness.untilOrder(order.id, 'ended')
    expect(await pushesAbout(person)).toEqual(wholeLife)
    await expectMails(person)
  },
)

test.each(eachProvider)(
  '%s: a webhook notifies the customer at once, and its copies do nothing',
  async (simulator, packageCode) => {
    const { provider, order, person, eSim, pass } = await delivered(simulator, packageCode)
    await provider.do('webhooks', { drop: 0, copies: 3 })

    await provider.do('install', eSim)
    if (simulator === 'esimAccess') await untilState(order.id, 'installed')

    // Airalo sends webhooks at 75 and 90 %.
    await provider.do('use', { ...eSim, bytes: (simulator === 'airalo' ? 0.95 : 0.85) * gigabyte })
    await untilPushed(person, 'in_use', 'low_data')
    expect(await shownState(order.id)).toBe('in_use')

    await provider.do('use', { ...eSim, bytes: gigabyte })
    // Airalo sends no webhook at the end of the data: the poll finds it.
    if (simulator === 'airalo') await pass(day)
    await untilPushed(person, 'in_use', 'low_data', 'used_up')
    expect(await shownState(order.id)).toBe('used_up')

    const expiresAt = Date.parse((await harness.service.get(`/v1/orders/${order.id}`)).body.esims[0].expiresAt)
    await pass(expiresAt - (await runsClock(order.id)) - hour)
    await untilPushed(person, ...wholeLife.slice(0, -1))
    await pass(3 * hour)
    await harness.untilOrder(order.id, 'ended')
    await untilPushed(person, ...wholeLife)
    await expectMails(person)

    const history = await harness.temporal.workflow.getHandle(orderWorkflowId(order.id)).fetchHistory()
    const { events, actions } = historyCost(history)
    expect(events).toBeLessThanOrEqual(46)
    expect(actions).toBeLessThanOrEqual(15)
  },
)

test('a webhook during the poll of an eSIM does not send a mail twice', async () => {
  const { provider, person, eSim, pass } = await delivered('esimAccess', testPackages.onlyEsimAccess)
  await provider.do('webhooks', { copies: 1, hold: true })
  await provider.do('use', { ...eSim, bytes: 0.85 * gigabyte })
  await harness.sims.mailbox.do('rule', { recipient: person.email, delayMs: 1_500, times: 1 })

  const look = pass(day)
  const { sql } = harness.stack.context
  await untilValue(
    'the mail is being sent',
    () =>
      sql`select 1 from sends where account_id = ${person.accountId} and kind like 'mail:low%' and state = 'sending'`,
    ({ length }) => length > 0,
  )
  await provider.do('release')
  await look

  await untilPushed(person, 'in_use', 'low_data')
  const mails = await mailsTo(harness.stack, person.email)
  expect(mails.filter(({ subject }) => subject.startsWith('80%'))).toHaveLength(1)
})

/** A newly delivered eSIM, and a function that skips time for the run and the provider. */
async function delivered(simulator: (typeof eachProvider)[number][0], packageCode: string) {
  const provider = harness.sims[simulator]
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode })
  const eSim = { iccid: iccidsOf(order)[0] }
  const pass = async (ms: number): Promise<void> => {
    await provider.do('clock', { advanceSeconds: ms / 1000 })
    // A little longer, so that the poll at the end is done too.
    await harness.fastForward(order.id, ms + 5 * minute)
  }
  await untilWatched(harness.stack, order.id)
  // The provider's clock is where the test before left it.
  const { now } = await provider.do('clock', {})
  const behind = Date.parse(now) - (await runsClock(order.id))
  if (behind > hour) await harness.fastForward(order.id, behind)
  return { provider, person, order, eSim, pass }
}

const runsClock = async (orderId: string): Promise<number> =>
  (await workflowNow(harness.temporal, orderWorkflowId(orderId))).getTime()

/** The pushes about an eSIM, in order. */
const pushesAbout = async ({ pushToken }: Person): Promise<(string | undefined)[]> =>
  (await pushesTo(harness.stack, pushToken)).flatMap(({ message: { data } }) => (data?.esimId ? [data.event] : []))

async function untilPushed(person: Person, ...events: string[]): Promise<void> {
  const all = await untilValue(
    `told ${events.join(', ')}`,
    () => pushesAbout(person),
    ({ length }) => length >= events.length,
  )
  expect(all).toEqual(events)
}

/** The mails about an eSIM: only notices on which a person may want to act. */
async function expectMails({ email }: Person): Promise<void> {
  const subjects = (await mailsTo(harness.stack, email)).map(({ subject }) => subject)
  expect(subjects).toEqual([
    expect.stringContaining('eSIM'),
    expect.stringMatching(/^80% of your data/),
    expect.stringMatching(/is used up$/),
    expect.stringMatching(/one more day$/),
  ])
}

const shownState = async (orderId: string): Promise<string> =>
  (await harness.service.get(`/v1/orders/${orderId}`)).body.esims[0].state

const untilState = (orderId: string, wanted: string) =>
  untilValue(
    `the eSIM is ${wanted}`,
    () => shownState(orderId),
    (state) => state === wanted,
  )

test('Airalo: the second 90 % notice, after a top-up, has the words of the first and is told at once', async () => {
  const { provider, order, person, eSim } = await delivered('airalo', testPackages.onlyAiralo)
  await provider.do('webhooks', { drop: 0, copies: 2 })
  await provider.do('install', eSim)
  await provider.do('use', { ...eSim, bytes: 0.95 * gigabyte })
  await untilPushed(person, 'in_use', 'low_data')

  const topUp = await person.caller.post(`/v1/orders/${order.id}/top-up`, { packageCode: testPackages.topUp })
  await harness.sims.stripe.do('pay', { orderId: topUp.body.id })
  await harness.untilOrder(topUp.body.id, 'delivered')
  await untilValue(
    'the eSIM has two gigabytes',
    async () => (await harness.service.get(`/v1/orders/${order.id}`)).body.esims[0].totalBytes,
    (total) => total === 2 * gigabyte,
  )
  await provider.do('use', { ...eSim, bytes: 0.95 * gigabyte })
  await untilPushed(person, 'in_use', 'low_data', 'low_data')
})

test('eSIM Access: a notification without an eSIM’s number is about the eSIMs of its order', async () => {
  const { provider, order, person, eSim } = await delivered('esimAccess', testPackages.onlyEsimAccess)
  await provider.do('webhooks', { drop: 1_000, copies: 1 })
  await provider.do('install', eSim)
  await provider.do('use', { ...eSim, bytes: 0.85 * gigabyte })
  const { sql, config } = harness.stack.context
  const [row] = await sql`select provider_order_no from provider_orders where order_id = ${order.id}`
  const content = { orderNo: row?.provider_order_no, esimStatus: 'IN_USE', smdpStatus: 'ENABLED', esimTranNo: null }
  const body = { notifyType: 'ESIM_STATUS', notifyId: order.id, content }
  const path = `/v1/webhooks/esim-access/${config.ESIM_ACCESS_WEBHOOK_TOKEN}`
  expect((await harness.anonymous.post(path, body)).status).toBe(200)
  await untilPushed(person, 'in_use', 'low_data')
})
