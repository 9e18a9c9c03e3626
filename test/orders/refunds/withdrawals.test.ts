/** The EU withdrawal function: opened, confirmed, acknowledged at once, and refunded in full. */
import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, test } from 'vitest'
import { createWithdrawalActivities } from '../../../activities/order/refunds/withdrawal.ts'
import { failureType } from '../../../shared/failures.ts'
import { withdrawalPeriodEnds } from '../../../shared/withdrawal-period.ts'
import { type DraftSweepReport, draftSweepType } from '../../../workflows/housekeeping/draft-sweep.contract.ts'
import { withdrawalStart } from '../../../workflows/order/withdrawal.contract.ts'
import { mailsTo } from '../../harness/checks/messages.ts'
import { always, watchPlacements } from '../../harness/checks/placements.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import type { Person } from '../../harness/people.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { testPackages, testPriceMinor } from '../../harness/test-packages.ts'
import { untilValue } from '../../harness/until.ts'

const harness = await shareStack()
const { stripe, esimAccess } = harness.sims
const { sql } = harness.stack.context
const { attention } = watchPlacements(harness.stack)
const performanceConsent = { version: '2026-06-19', at: '2025-11-20T10:00:00Z' }

const shown = async (orderId: string) => (await harness.service.get(`/v1/orders/${orderId}`)).body

async function delivered(order: Record<string, unknown> = {}) {
  const person = await harness.signUp()
  return { person, order: await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, order }) }
}

const open = (caller: Person['caller'], orderId: string, body?: unknown) =>
  caller.post(`/v1/orders/${orderId}/withdrawal`, body)
const confirm = (caller: Person['caller'], orderId: string) => caller.post(`/v1/orders/${orderId}/withdrawal/confirm`)

const mailOf = (person: Person, part: string) =>
  untilValue(
    `a mail with "${part}"`,
    async () => (await mailsTo(harness.stack, person.email)).filter(({ subject }) => subject.includes(part)),
    ({ length }) => length > 0,
  )

async function refundedMinor(orderId: string): Promise<number[]> {
  const { refunds, paymentIntents } = await stripe.state()
  const intent = paymentIntents.find(({ metadata }) => metadata.order_id === orderId)
  return refunds.filter(({ payment_intent }) => payment_intent === intent?.id).map(({ amount }) => amount)
}

test('U2: a withdrawal is opened, confirmed, acknowledged with date and time, and refunded in full', async () => {
  const { person, order } = await delivered({ performanceConsent })
  const opened = expectStatus(await open(person.caller, order.id), 200)
  expect(opened).toMatchObject({
    orderId: order.id,
    state: 'open',
    statement: `I hereby withdraw from the contract of order ${order.id}.`,
    confirmLabel: 'Confirm withdrawal',
    confirmationBy: { means: 'email', address: person.email },
    refund: { minor: testPriceMinor, currency: 'EUR' },
    statedAt: null,
    refundBy: null,
    performanceConsent: { version: performanceConsent.version },
  })
  expect(opened.name).not.toBe('')
  // Only the confirmation states it.
  expect(await shown(order.id)).toMatchObject({ status: 'delivered', refunds: [] })

  const stated = expectStatus(await confirm(person.caller, order.id), 200)
  expect(stated.state).toBe('stated')
  expect(Date.parse(stated.refundBy) - Date.parse(stated.statedAt)).toBe(14 * 86_400_000)
  const [acknowledgement] = await mailOf(person, 'received your withdrawal')
  expect(acknowledgement?.text).toContain(`I hereby withdraw from the contract of order ${order.id}.`)
  expect(acknowledgement?.text).toContain(opened.name)
  expect(acknowledgement?.text).toMatch(/\d{4} at \d\d:\d\d UTC/)
  expect(await harness.untilOrder(order.id, 'refunded')).toMatchObject({
    reason: 'withdrawn',
    esims: [{ state: 'cancelled' }],
    refunds: [{ minor: testPriceMinor, reason: 'withdrawn' }],
    documents: [{ kind: 'invoice' }, { kind: 'credit_note' }],
  })
  expect(expectStatus(await confirm(person.caller, order.id), 200).statedAt).toBe(stated.statedAt)
  expect(expectStatus(await open(person.caller, order.id), 200).statedAt).toBe(stated.statedAt)
})

test('U2: the first attempt after a reset carries a withdrawal out: its order does not answer as it did in the outage', {
  tags: 'long',
}, async () => {
  const { order } = await delivered()
  const { carryOutWithdrawal } = createWithdrawalActivities({ ...harness.context, temporal: harness.temporal })
  // A run that is reset, or an activity, counts its attempts from one again.
  const attempt = () =>
    new MockActivityEnvironment({ attempt: 1 }).run(carryOutWithdrawal, {
      orderId: order.id,
      asOf: new Date().toISOString(),
    })
  await esimAccess.fault({ match: { path: '/esim/' }, status: 503, times: always })
  await expect(attempt()).rejects.toMatchObject({ type: 'ProviderUnavailable' })
  await esimAccess.clearFaults()
  await attempt()
  expect(await harness.untilOrder(order.id, 'refunded')).toMatchObject({ reason: 'withdrawn' })
})

test('20 confirmations of a withdrawal at once are one withdrawal, also by the app backend', {
  tags: 'long',
}, async () => {
  const { person, order } = await delivered()
  expectStatus(await open(harness.service, order.id, { name: 'Maxi Muster' }), 200)
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => confirm(index % 2 ? person.caller : harness.service, order.id)),
  )
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
  expect(new Set(answers.map(({ body }) => body.statedAt)).size).toBe(1)
  await harness.untilOrder(order.id, 'refunded')
  expect(await refundedMinor(order.id)).toEqual([testPriceMinor])
  const acknowledgements = await mailOf(person, 'received your withdrawal')
  expect(acknowledgements).toHaveLength(1)
  expect(acknowledgements[0]?.text).toContain('Maxi Muster')
})

test('a confirmation of a withdrawal that was not opened, of an unpaid order and of a refunded one is refused', async () => {
  const { person, order } = await delivered()
  expect((await confirm(person.caller, order.id)).body.code).toBe('withdrawal_not_opened')
  const unpaid = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, pay: false })
  expect((await open(person.caller, unpaid.id)).body.code).toBe('order_state_conflict')
  expectStatus(await open(person.caller, order.id), 200)
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
  expect((await confirm(person.caller, order.id)).body.code).toBe('order_state_conflict')
  expect((await open(person.caller, order.id, { name: 'x', more: 1 })).status).toBe(400)
})

test('the right to withdraw is lost after the first use; without the performance consent an operator decides', async () => {
  for (const consent of [performanceConsent, undefined]) {
    const { person, order } = await delivered(consent && { performanceConsent: consent })
    expectStatus(await open(person.caller, order.id), 200)
    await esimAccess.do('install', { iccid: order.esims[0].iccid })
    const answer = await confirm(person.caller, order.id)
    expect([answer.status, answer.body.code]).toEqual([409, 'withdrawal_right_lost'])
    expect((await attention(order.id)).map(({ kind }) => kind)).toEqual(consent ? [] : ['withdrawal_after_use'])
    expect(await refundedMinor(order.id)).toEqual([])
  }
})

const suspendedBy = {
  'its dispute': async (orderId: string): Promise<void> => {
    await stripe.do('open-dispute', { orderId })
    await untilValue(
      'suspended',
      () => shown(orderId),
      ({ esims }) => esims[0].suspended,
    )
  },
  'its provider': async (_orderId: string, iccid: string): Promise<void> => {
    await esimAccess.do('suspend', { iccid })
  },
}

test('an eSIM that its provider has suspended unused is returned: it is as it was delivered', {
  tags: 'long',
}, async () => {
  const { person, order } = await delivered({ performanceConsent })
  await suspendedBy['its provider'](order.id, order.esims[0].iccid)
  expectStatus(await open(person.caller, order.id), 200)
  expectStatus(await confirm(person.caller, order.id), 200)
  expect(await harness.untilOrder(order.id, 'refunded')).toMatchObject({
    reason: 'withdrawn',
    esims: [{ state: 'cancelled', suspended: false }],
    documents: [{ kind: 'invoice' }, { kind: 'credit_note' }],
  })
  expect(await refundedMinor(order.id)).toEqual([testPriceMinor])
})

test('a customer who withdraws while the bank decides has the money once: the lost dispute is the refund', {
  tags: 'long',
}, async () => {
  const { person, order } = await delivered({ performanceConsent })
  await suspendedBy['its dispute'](order.id)
  expectStatus(await open(person.caller, order.id), 200)
  expectStatus(await confirm(person.caller, order.id), 200)
  await mailOf(person, 'received your withdrawal')
  // Stripe refunds nothing of what is disputed.
  await harness.untilOrder(order.id, 'refund_failed')
  await stripe.do('close-dispute', { orderId: order.id, outcome: 'lost' })
  expect(await harness.untilOrder(order.id, 'refunded')).toMatchObject({
    esims: [{ state: 'cancelled' }],
    refunds: [{ minor: testPriceMinor, reason: 'dispute_lost' }],
    documents: [{ kind: 'invoice' }, { kind: 'credit_note' }],
  })
  expect(await refundedMinor(order.id)).toEqual([])
})

test.each(Object.entries(suspendedBy))('an installed eSIM that %s has suspended is used', async (_what, suspend) => {
  const { person, order } = await delivered({ performanceConsent })
  const { iccid } = order.esims[0]
  await esimAccess.do('install', { iccid })
  await suspend(order.id, iccid)
  expectStatus(await open(person.caller, order.id), 200)
  expect((await confirm(person.caller, order.id)).body.code).toBe('withdrawal_right_lost')
})

test('the period of withdrawal ends after 14 days and the days for public holidays', async () => {
  const { person, order } = await delivered()
  expectStatus(await open(person.caller, order.id), 200)
  await sql`update orders set paid_at = paid_at - interval '24 days' where id = ${order.id}`
  for (const ask of [open, confirm])
    expect((await ask(person.caller, order.id)).body.code).toBe('withdrawal_period_over')
  await sql`update orders set paid_at = paid_at + interval '11 days' where id = ${order.id}`
  expectStatus(await confirm(person.caller, order.id), 200)
  await harness.untilOrder(order.id, 'refunded')
})

test('the day of the order does not count for a withdrawal, and a period that ends on a weekend ends on Monday', () => {
  const ends = (at: string) => withdrawalPeriodEnds(new Date(at)).toISOString()
  // Tuesday to Tuesday, in the westernmost zone; where it was Wednesday already, to Wednesday.
  expect(ends('2026-11-03T12:00:00Z')).toBe('2026-11-23T12:00:00.000Z')
  expect(ends('2026-11-03T23:59:59Z')).toBe('2026-11-23T23:59:59.000Z')
  // Saturday and Sunday to Monday.
  expect(ends('2026-11-07T12:00:00Z')).toBe('2026-11-29T12:00:00.000Z')
  expect(ends('2026-11-08T12:00:00Z')).toBe('2026-11-29T12:00:00.000Z')
})

test.each([
  // Christmas Eve is a public holiday there, then two more, then a weekend.
  ['Czechia, Christmas', '2025-12-10T11:00:00Z', '2025-12-29T23:00:00Z'],
  ['Bulgaria, Christmas', '2025-12-10T10:00:00Z', '2025-12-29T22:00:00Z'],
  ['Germany, Easter', '2026-03-20T11:00:00Z', '2026-04-07T22:00:00Z'],
  ['Poland, Labour Day', '2024-04-17T10:00:00Z', '2024-05-02T22:00:00Z'],
])('a period that would end on a public holiday is not over before the next working day: %s', (_what, bought, over) => {
  expect(withdrawalPeriodEnds(new Date(bought)) >= new Date(over)).toBe(true)
})

test('the period of withdrawal is not over in any time zone in which the buyer may be', () => {
  // In Berlin this was Saturday, 28 November, 00:30: the last day is Monday, 14 December, until 23:00 UTC.
  expect(withdrawalPeriodEnds(new Date('2026-11-27T23:30:00Z')) >= new Date('2026-12-14T23:00:00Z')).toBe(true)
  for (let hour = 0; hour < 7 * 24; hour += 1) {
    const concludedAt = new Date(Date.UTC(2026, 10, 2, hour, 20))
    for (let ahead = -12; ahead <= 14; ahead += 1) {
      const local = new Date(concludedAt.getTime() + ahead * 3_600_000)
      const lastDay = new Date(Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate() + 14))
      if (lastDay.getUTCDay() === 6) lastDay.setUTCDate(lastDay.getUTCDate() + 2)
      if (lastDay.getUTCDay() === 0) lastDay.setUTCDate(lastDay.getUTCDate() + 1)
      const end = lastDay.getTime() + (24 - ahead) * 3_600_000
      expect(withdrawalPeriodEnds(concludedAt).getTime()).toBeGreaterThanOrEqual(end)
    }
  }
})

test('a withdrawal counts and is acknowledged while the provider is down, and is carried out afterwards', async () => {
  const { person, order } = await delivered()
  expectStatus(await open(person.caller, order.id), 200)
  await esimAccess.fault({ match: { path: '^/api/' }, status: 503, times: 1_000 })
  expectStatus(await confirm(person.caller, order.id), 200)
  await mailOf(person, 'received your withdrawal')
  expect(await shown(order.id)).toMatchObject({ status: 'delivered' })
  await esimAccess.clearFaults()
  expect(await harness.untilOrder(order.id, 'refunded')).toMatchObject({ reason: 'withdrawn' })
})

test('an attempt whose time is up states no withdrawal: its run has said that it failed', async () => {
  const { person, order } = await delivered()
  expectStatus(await open(person.caller, order.id), 200)
  const { recordWithdrawal } = createWithdrawalActivities({ ...harness.context, temporal: harness.temporal })
  const startToCloseTimeoutMs = 4_000
  const ago = Date.now() - startToCloseTimeoutMs
  const late = { startToCloseTimeoutMs, scheduledTimestampMs: ago, currentAttemptScheduledTimestampMs: ago }
  const attempt = new MockActivityEnvironment(late).run(recordWithdrawal, {
    orderId: order.id,
    asOf: new Date().toISOString(),
  })
  await expect(attempt).rejects.toMatchObject({ type: 'ProviderUnavailable', details: ['too_late'] })
  expect(await sql`select stated_at from withdrawals where order_id = ${order.id}`).toEqual([{ stated_at: null }])
})

/** As an attempt leaves it whose time was over: the row says stated, and the run has failed. */
async function statedByFailedRun(ago = '1 hour') {
  const { person, order } = await delivered()
  const accountRef = harness.context.cipher.accountRef(person.accountId)
  const { type, ...start } = withdrawalStart({ orderId: order.id, accountRef }, harness.config.TEMPORAL_TASK_QUEUE)
  const fails = harness.temporal.workflow.execute(type, start).catch((error: unknown) => failureType(error))
  expect(await fails).toBe('WithdrawalNotOpened')
  expectStatus(await open(person.caller, order.id), 200)
  await sql`update withdrawals set stated_at = now() - ${ago}::interval where order_id = ${order.id}`
  return { person, order }
}

test('a statement of withdrawal whose run has failed is carried out when it is repeated', async () => {
  const { person, order } = await statedByFailedRun()
  expect(expectStatus(await confirm(person.caller, order.id), 200).state).toBe('stated')
  expect(await harness.untilOrder(order.id, 'refunded')).toMatchObject({ reason: 'withdrawn' })
  expect(await mailOf(person, 'received your withdrawal')).toHaveLength(1)
})

test('a statement of withdrawal whose run has failed is carried out by the draft sweep', { tags: 'long' }, async () => {
  const { person, order } = await statedByFailedRun()
  expect(await runLater<DraftSweepReport>(harness, draftSweepType, 0)).toMatchObject({ started: 1 })
  expect(await harness.untilOrder(order.id, 'refunded')).toMatchObject({ reason: 'withdrawn' })
  expect(await mailOf(person, 'received your withdrawal')).toHaveLength(1)
  expect(await runLater<DraftSweepReport>(harness, draftSweepType, 0)).toMatchObject({ started: 0 })
})

test('a statement of withdrawal whose run had failed before all workers were down for days is carried out', {
  tags: 'long',
}, async () => {
  const { person, order } = await statedByFailedRun('3 days')
  expect(await runLater<DraftSweepReport>(harness, draftSweepType, 0)).toMatchObject({ started: 1 })
  expect(await harness.untilOrder(order.id, 'refunded')).toMatchObject({ reason: 'withdrawn' })
  expect(await mailOf(person, 'received your withdrawal')).toHaveLength(1)
})

test('a withdrawal from an order that is not delivered yet cancels and refunds it', async () => {
  const person = await harness.signUp()
  await esimAccess.fault({ match: { path: '/esim/order' }, status: 503, times: 1_000 })
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, until: 'provisioning' })
  expectStatus(await open(person.caller, order.id), 200)
  expectStatus(await confirm(person.caller, order.id), 200)
  await harness.untilOrder(order.id, 'refunded')
  await esimAccess.clearFaults()
  expect(await refundedMinor(order.id)).toEqual([testPriceMinor])
})

test('a withdrawal from a top-up is received, and an operator settles it', { tags: 'long' }, async () => {
  const { person, order } = await delivered()
  const request = { packageCode: testPackages.topUp, performanceConsent }
  const topUp = expectStatus(await person.caller.post(`/v1/orders/${order.id}/top-up`, request), 201)
  await stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'delivered')
  expectStatus(await open(person.caller, topUp.id), 200)
  expectStatus(await confirm(person.caller, topUp.id), 200)
  await untilValue(
    'an operator is told',
    () => attention(topUp.id),
    (tasks) => tasks.some(({ kind }) => kind === 'withdrawal_unsettled'),
  )
  expectStatus(await harness.operator.post(`/v1/orders/${topUp.id}/refund`, { reason: 'other' }), 200)
})

test('the right to withdraw from a top-up ends with the use of its eSIM', async () => {
  const { person, order } = await delivered()
  await esimAccess.do('install', { iccid: order.esims[0].iccid })
  const request = { packageCode: testPackages.topUp, performanceConsent }
  const topUp = expectStatus(await person.caller.post(`/v1/orders/${order.id}/top-up`, request), 201)
  await stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'delivered')
  expectStatus(await open(person.caller, topUp.id), 200)
  expect((await confirm(person.caller, topUp.id)).body.code).toBe('withdrawal_right_lost')
})

test('the performance consent is recorded with the order, shown, and confirmed in the mail that delivers the eSIM', async () => {
  const { person, order } = await delivered({ performanceConsent })
  expect(await shown(order.id)).toMatchObject({
    performanceConsent: { version: performanceConsent.version, at: '2025-11-20T10:00:00.000Z' },
  })
  const [mail] = await mailOf(person, 'ready')
  expect(mail?.text).toContain('I lose my right of withdrawal when I install or use it')
  expect(mail?.text).toContain('20 November 2025')
  const { order: without } = await delivered()
  expect(await shown(without.id)).toMatchObject({ performanceConsent: null })
  for (const wrong of [
    { version: '1999-01-01', at: performanceConsent.at },
    { version: performanceConsent.version },
    true,
  ]) {
    const body = { accountId: person.accountId, packageCode: testPackages.onlyEsimAccess, performanceConsent: wrong }
    expect((await person.caller.post('/v1/orders', body)).status).toBe(400)
  }
})
