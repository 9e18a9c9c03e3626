/**
 * U3: messages about orders are sent once. Notices about an order arrive once, also with faults of the mail server and
 * the push service.
 */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createActivities } from '../../activities/index.ts'
import type { Accounts, Sends } from '../../db/connection/schema.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { mailsTo, pushesTo } from '../harness/checks/messages.ts'
import { bounceToken, shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until, untilValue } from '../harness/until.ts'

const harness = await shareStack()
const { sql } = harness.stack.context

// This mail takes half a minute of real time: it starts first and is checked last.
const late = await harness.signUp()
// The first attempt, a local activity, times out after 10 s.
await harness.sims.mailbox.do('rule', { recipient: late.email, delayMs: 25_000, times: 1 })
const lateOrder = await harness.buy(late)

/** Waits until a row of the send ledger has a state. @returns the row */
const ledger = (subjectId: string, kind: string, state: string) =>
  untilValue(
    `${kind} of ${subjectId} is ${state}`,
    async () =>
      (
        await sql<Pick<Sends, 'state' | 'attempts' | 'code'>[]>`
          select state, attempts, code from sends where subject_id = ${subjectId} and kind = ${kind}`
      )[0],
    (row) => row?.state === state,
  )

const mailState = async ({ accountId }: Person): Promise<string | undefined> =>
  (await sql<Pick<Accounts, 'mail_state'>[]>`select mail_state from accounts where id = ${accountId}`)[0]?.mail_state

async function pushTokensOf({ accountId }: Person): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(push_token)::int as count from devices where account_id = ${accountId}`
  return row?.count ?? 0
}

test('U3: a mail server that defers is asked again, and the mail comes once', async () => {
  const person = await harness.signUp()
  await harness.sims.mailbox.do('rule', { recipient: person.email, code: 451, times: 2 })
  const order = await harness.buy(person)
  expect(order.esims).toHaveLength(1)
  await ledger(order.id, 'mail:confirmation', 'due')

  await harness.fastForward(order.id, '1 minute')

  expect(await ledger(order.id, 'mail:confirmation', 'sent')).toMatchObject({ attempts: 3 })
  expect(await mailsTo(harness.stack, person.email)).toHaveLength(1)
  expect(await mailState(person)).toBe('ok')
})

test('a mail is delivered after an outage of the mail server of hours', { tags: 'long' }, async () => {
  const person = await harness.signUp()
  await harness.sims.mailbox.do('rule', { recipient: person.email, code: 421, times: 12 })
  const order = await harness.buy(person)

  await harness.fastForward(order.id, '3 hours')

  await ledger(order.id, 'mail:confirmation', 'sent')
  expect(await mailsTo(harness.stack, person.email)).toHaveLength(1)
})

test('an address that refuses mails permanently gets no more mails, and the order is delivered nevertheless', async () => {
  const person = await harness.signUp()
  await harness.sims.mailbox.do('rule', { recipient: person.email, code: 550 })
  const order = await harness.buy(person)
  await untilValue(
    'the address is marked',
    () => mailState(person),
    (state) => state === 'bounced',
  )
  const account = await person.caller.get(`/v1/accounts/${person.accountId}`)
  expect(account.body).toMatchObject({ email: person.email, emailState: 'bounced' })
  await harness.fastForward(order.id, '1 hour')

  expect(await ledger(order.id, 'mail:confirmation', 'failed')).toEqual({
    state: 'failed',
    attempts: 1,
    code: 'smtp_5.1.1',
  })
  const shown = (await person.caller.get(`/v1/orders/${order.id}`)).body
  expect(shown).toMatchObject({ status: 'delivered', esims: [{ activationCode: expect.stringMatching(/^LPA:1\$/) }] })
  expect(shown.installUrl).toContain('/i/')
  expect((await person.caller.get(`/v1/orders/${order.id}/qr.png`)).status).toBe(200)
  expect(await mailsTo(harness.stack, person.email)).toEqual([])
  expect(await pushesTo(harness.stack, person.pushToken)).toHaveLength(1)
})

const tasksAbout = (subject: string) =>
  sql<{ kind: string; detail: string }[]>`select kind, detail from attention where subject_id = ${subject}`

test.each([
  { code: 550, reply: '5.4.5 Daily user sending limit exceeded', known: 'smtp_5.4.5' },
  { code: 554, reply: '5.7.1 Service unavailable; client host blocked', known: 'smtp_5.7.1' },
  { code: 552, reply: '5.2.2 Mailbox full', known: 'smtp_5.2.2', stage: 'data' },
  { code: 553, reply: '5.1.8 Sender address rejected: domain not found', known: 'smtp_5.1.8' },
  { code: 550, reply: 'Requested action not taken', known: 'smtp_550' },
])('U3: a refusal that is not about the address loses no mail: $code $reply', async ({ known, ...rule }) => {
  const person = await harness.signUp()
  await sql`delete from attention where subject_id = 'smtp'`
  await harness.sims.mailbox.do('rule', { recipient: person.email, times: 3, ...rule })
  const order = await harness.buy(person)

  expect(await ledger(order.id, 'mail:confirmation', 'due')).toMatchObject({ code: known })
  await until('an operator is told', async () => (await tasksAbout('smtp')).length > 0)
  expect(await tasksAbout('smtp')).toEqual([{ kind: 'provider_misconfigured', detail: known }])
  expect(await mailState(person)).toBe('ok')
  await harness.fastForward(order.id, '4 hours')

  await ledger(order.id, 'mail:confirmation', 'sent')
  expect(await mailsTo(harness.stack, person.email)).toHaveLength(1)
  expect(await mailState(person)).toBe('ok')
})

test('a mail that is refused for three days for no fault of the address is an operator task', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  await harness.sims.mailbox.do('rule', { recipient: person.email, code: 550, reply: '5.7.1 Blocked' })
  const order = await harness.buy(person)
  await ledger(order.id, 'mail:confirmation', 'due')

  await harness.fastForward(order.id, '4 days')

  await until('the task', async () => (await tasksAbout(order.id)).length > 0)
  expect(await tasksAbout(order.id)).toEqual([{ kind: 'mail_undelivered', detail: 'smtp_5.7.1' }])
  expect(await mailState(person)).toBe('ok')
})

test.each([
  { status: '5.7.1', state: 'ok', tasks: [{ kind: 'mail_bounced', detail: '5.7.1' }] },
  { status: '5.2.2', state: 'ok', tasks: [{ kind: 'mail_bounced', detail: '5.2.2' }] },
  { status: '5.1.8', state: 'ok', tasks: [{ kind: 'mail_bounced', detail: '5.1.8' }] },
  { status: '5.1.0', state: 'ok', tasks: [{ kind: 'mail_bounced', detail: '5.1.0' }] },
  { status: '5.1.1', state: 'bounced', tasks: [] },
])('the mail of an order that comes back with $status', async ({ status, state, tasks }) => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  await ledger(order.id, 'mail:confirmation', 'sent')
  const [mail] = await mailsTo(harness.stack, person.email)
  const url = `${harness.urls.api}/v1/webhooks/mail-bounces/${bounceToken}`
  await harness.sims.mailbox.do('bounce', { messageId: mail?.messageId, status, url })

  expect(await ledger(order.id, 'mail:confirmation', 'failed')).toMatchObject({ code: status })
  expect(await mailState(person)).toBe(state)
  expect(await tasksAbout(order.id)).toEqual(tasks)
  expect((await person.caller.get(`/v1/orders/${order.id}`)).body.mails).toEqual([
    { mail: 'confirmation', state: 'bounced', code: status },
  ])
  const pushes = await untilValue(
    'the push',
    async () => (await pushesTo(harness.stack, person.pushToken)).map(({ message: { data } }) => data?.event),
    ({ length }) => length > 1,
  )
  expect(pushes).toEqual(['confirmation', 'mail_bounced'])
})

test('an order shows which of its mails are sent, wait or were refused', async () => {
  const person = await harness.signUp()
  await harness.sims.mailbox.do('rule', { recipient: person.email, code: 421, times: 1 })
  const order = await harness.buy(person)
  const mails = async () => (await person.caller.get(`/v1/orders/${order.id}`)).body.mails
  await untilValue('the mail is sent', mails, (shown) => shown[0]?.state === 'sent')
  expect(await mails()).toEqual([{ mail: 'confirmation', state: 'sent', code: null }])
  await harness.sims.mailbox.do('rule', { recipient: person.email, code: 550 })
  expect((await person.caller.post(`/v1/orders/${order.id}/resend`)).status).toBe(200)
  expect(await mails()).toMatchObject([
    { mail: 'confirmation', state: 'sent' },
    { mail: 'confirmation', state: 'failed', code: 'smtp_5.1.1' },
  ])
})

test.each(['before', 'after'])(
  'a mail is repeated with the same Message-ID when the connection breaks after DATA, %s the server stored it',
  async (drop) => {
    const person = await harness.signUp()
    await harness.sims.mailbox.do('rule', { recipient: person.email, drop, times: 1 })
    const order = await harness.buy(person)

    await ledger(order.id, 'mail:confirmation', 'sent')
    const mails = await mailsTo(harness.stack, person.email)
    expect(mails).toHaveLength(drop === 'before' ? 1 : 2)
    // Mail programs detect a copy by the Message-ID.
    expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(1)
  },
)

test('a resend sends another mail, and a repeated request for it does not', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  await harness.sims.mailbox.do('wait', { to: person.email })
  const key = { 'idempotency-key': `resend-${order.id}` }
  for (let times = 0; times < 2; times += 1) {
    expect((await person.caller.post(`/v1/orders/${order.id}/resend`, undefined, key)).status).toBe(200)
  }
  const mails = await mailsTo(harness.stack, person.email)
  expect(mails).toHaveLength(2)
  expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(2)
  expect(mails[1]?.attachments).toEqual(mails[0]?.attachments)
})

test('the mail of a top-up is sent again, although its run has closed with the delivery', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  const topUp = expectStatus(
    await person.caller.post(`/v1/orders/${order.id}/top-up`, { packageCode: testPackages.topUp }),
    201,
  )
  await harness.sims.stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'delivered')
  await ledger(topUp.id, 'mail:confirmation', 'sent')
  await until('its run has closed', async () => {
    const { status } = await harness.temporal.workflow.getHandle(orderWorkflowId(topUp.id)).describe()
    return status.name !== 'RUNNING'
  })
  const key = { 'idempotency-key': randomUUID() }
  for (let times = 0; times < 2; times += 1)
    expectStatus(await person.caller.post(`/v1/orders/${topUp.id}/resend`, undefined, key), 200)
  const { body } = await person.caller.get(`/v1/orders/${topUp.id}`)
  expect(body.mails).toEqual([
    { mail: 'confirmation', state: 'sent', code: null },
    { mail: 'confirmation', state: 'sent', code: null },
  ])
})

test('C4: a token that FCM calls unregistered is deleted, and the other phone still gets the push', async () => {
  const person = await harness.signUp()
  const second = { platform: 'android', pushToken: `second-${person.pushToken}` }
  expect((await person.caller.put(`/v1/accounts/${person.accountId}/devices/second`, second)).status).toBe(200)
  await harness.sims.firebase.do('token', { token: person.pushToken, behaviour: 'unregistered' })
  expect(await pushTokensOf(person)).toBe(2)

  const order = await harness.buy(person)

  await ledger(order.id, 'push:confirmation', 'sent')
  expect(await pushTokensOf(person)).toBe(1)
  expect(await pushesTo(harness.stack, person.pushToken)).toEqual([])
  expect(await pushesTo(harness.stack, second.pushToken)).toHaveLength(1)
})

test('a 404 of FCM that is not about the token keeps it, and the push is sent later', async () => {
  const person = await harness.signUp()
  // Each attempt makes two requests: one by the SDK, and one that confirms the refusal.
  await harness.sims.firebase.do('token', { token: person.pushToken, behaviour: 'bare-404', times: 4 })
  const order = await harness.buy(person)
  await ledger(order.id, 'push:confirmation', 'due')
  expect(await pushTokensOf(person)).toBe(1)

  await harness.fastForward(order.id, '1 minute')

  await ledger(order.id, 'push:confirmation', 'sent')
  expect(await pushTokensOf(person)).toBe(1)
  expect(await pushesTo(harness.stack, person.pushToken)).toHaveLength(1)
})

test('an unreachable phone does not delay the push to another phone', { tags: 'long' }, async () => {
  const person = await harness.signUp()
  const second = { platform: 'android', pushToken: `second-${person.pushToken}` }
  expect((await person.caller.put(`/v1/accounts/${person.accountId}/devices/second`, second)).status).toBe(200)
  for (const unlucky of [person.pushToken, second.pushToken]) {
    await harness.sims.firebase.do('token', { token: unlucky, behaviour: 'bare-404' })
    const order = await harness.buy(person)
    await ledger(order.id, 'push:confirmation', 'sent')
    await harness.sims.firebase.do('token', { token: unlucky, behaviour: 'ok' })
  }
  expect(await pushesTo(harness.stack, person.pushToken)).toHaveLength(1)
  expect(await pushesTo(harness.stack, second.pushToken)).toHaveLength(1)
})

test('a hanging measurement service does not delay an order, and one that is down is retried', {
  tags: 'long',
}, async () => {
  const consent = { measurement: { adUserData: true, adPersonalization: false } }
  const person = await harness.signUp()
  await harness.sims.meta.fault({ hang: 'before' })
  const held = await harness.buy(person, { order: consent })
  await Promise.all([ledger(held.id, 'mail:confirmation', 'sent'), ledger(held.id, 'push:confirmation', 'sent')])
  expect(await ledger(held.id, 'measurement:purchase', 'sending')).toMatchObject({ attempts: 1 })
  // After an unknown outcome a missing purchase is better than one that is counted twice.
  await ledger(held.id, 'measurement:purchase', 'failed')

  await harness.sims.meta.fault({ status: 503, times: 3 })
  const order = await harness.buy(person, { order: consent })
  await ledger(order.id, 'measurement:purchase', 'due')
  await harness.fastForward(order.id, '1 hour')
  await ledger(order.id, 'measurement:purchase', 'sent')

  const [meta, google] = await Promise.all([harness.sims.meta.state(), harness.sims.googleAnalytics.state()])
  expect([meta.events, google.events]).toMatchObject([{ length: 1 }, { length: 1 }])
  expect([meta.violations, google.violations]).toEqual([[], []])
})

test('a repeated activity whose result was lost sends no message again', async () => {
  const person = await harness.signUp()
  const measurement = { adUserData: true, adPersonalization: false }
  const { id: orderId } = await harness.buy(person, { order: { measurement } })
  const kinds = ['mail:confirmation', 'push:confirmation', 'measurement:purchase']
  for (const kind of kinds) await ledger(orderId, kind, 'sent')
  const sent = async () => {
    const { meta, googleAnalytics } = harness.sims
    const measured = [await meta.log(), await googleAnalytics.log()]
    return [
      (await mailsTo(harness.stack, person.email)).length,
      (await pushesTo(harness.stack, person.pushToken)).length,
      ...measured.map(({ length }) => length),
    ]
  }
  const before = await sent()
  expect(before.slice(0, 2)).toEqual([1, 1])

  const steps = createActivities({ ...harness.stack.context, temporal: harness.temporal }, async () => ({}))
  const asOf = new Date().toISOString()
  await Promise.all([
    steps.sendOrderMail({ orderId, mail: 'confirmation', asOf }),
    steps.sendOrderPush({ orderId, push: 'confirmation', asOf }),
    steps.measurePurchase({ orderId, asOf }),
  ])
  expect(await sent()).toEqual(before)
  for (const kind of kinds) expect(await ledger(orderId, kind, 'sent')).toMatchObject({ attempts: 1 })
})

test.each(['held', 'delayed', 'cancelled'] as const)(
  'a message that an order is %s is not sent once it is delivered: its server was down meanwhile',
  async (message) => {
    const person = await harness.signUp()
    const { id: orderId } = await harness.buy(person)
    await ledger(orderId, 'mail:confirmation', 'sent')
    const steps = createActivities({ ...harness.stack.context, temporal: harness.temporal }, async () => ({}))
    const asOf = new Date().toISOString()
    await steps.sendOrderMail({ orderId, mail: message, asOf })
    await steps.sendOrderPush({ orderId, push: message, asOf })
    for (const by of ['mail', 'push']) await ledger(orderId, `${by}:${message}`, 'skipped')
    expect(await mailsTo(harness.stack, person.email)).toHaveLength(1)
  },
)

test('a mail server that answers after the activity has timed out gets the mail once', { tags: 'long' }, async () => {
  expect(await ledger(lateOrder.id, 'mail:confirmation', 'sent')).toMatchObject({ attempts: 1 })
  expect(await mailsTo(harness.stack, late.email)).toHaveLength(1)
})
