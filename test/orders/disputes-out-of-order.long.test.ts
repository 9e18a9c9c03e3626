/** Two signals of one thing are handled at the same time: the answer that was read first may be written last. */
import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, test } from 'vitest'
import { recordUntilCurrent } from '../../activities/order/dispute-record.ts'
import { createDisputeActivities } from '../../activities/order/disputes.ts'
import { closeOperatorTask } from '../../db/operator-tasks.ts'
import { upsertDispute } from '../../db/order/disputes.ts'
import { recordEsimStatus } from '../../db/order/esims.ts'
import { listRefunds, upsertRefund } from '../../db/order/refunds.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

// A person with an open dispute is erased.
const harness = await shareStack({ books: false })
const { stripe } = harness.sims
const { context } = harness
const { sql } = context

async function delivered() {
  const person = await harness.signUp()
  return { person, order: await harness.buy(person, { packageCode: testPackages.onlyEsimAccess }) }
}

const untilDispute = (orderId: string, state: string, suspended: boolean) =>
  until(`the dispute is ${state}`, async () => {
    const { dispute, esims } = expectStatus(await harness.service.get(`/v1/orders/${orderId}`), 200)
    return dispute === state && esims.every((each: { suspended: boolean }) => each.suspended === suspended)
  })

const openTasks = async (subject: string) =>
  (await sql<{ kind: string }[]>`select kind from attention where subject_id = ${subject} and resolved_at is null`).map(
    ({ kind }) => kind,
  )

test('an answer from before the decision, written after it, does not open the dispute again', async () => {
  const { order } = await delivered()
  const { dispute } = await stripe.do('open-dispute', { orderId: order.id })
  await untilDispute(order.id, 'needs_response', true)
  const early = await context.stripe.getDispute(dispute)
  await stripe.do('close-dispute', { dispute, outcome: 'won' })
  await untilDispute(order.id, 'won', false)

  expect(await upsertDispute(sql, order.id, early, new Date())).toBe(false)
  expect(await recordUntilCurrent(context, early, order.id, new Date())).toMatchObject({ status: 'won' })
  await untilDispute(order.id, 'won', false)
  expect(await openTasks(dispute)).toEqual([])

  // A bank may appeal: what is read after the decision counts.
  await stripe.do('review-dispute', { dispute })
  await untilDispute(order.id, 'under_review', true)
  await stripe.do('close-dispute', { dispute, outcome: 'won' })
  await untilDispute(order.id, 'won', false)
})

test('an early answer about an open dispute is corrected by who writes it', async () => {
  const { order } = await delivered()
  const { dispute } = await stripe.do('open-dispute', { orderId: order.id })
  await untilDispute(order.id, 'needs_response', true)
  const early = await context.stripe.getDispute(dispute)
  await stripe.do('review-dispute', { dispute })
  await untilDispute(order.id, 'under_review', true)
  expect(await recordUntilCurrent(context, early, order.id, new Date())).toMatchObject({ status: 'under_review' })
  await untilDispute(order.id, 'under_review', true)
  await stripe.do('close-dispute', { dispute, outcome: 'won' })
  await untilDispute(order.id, 'won', false)
})

test('the dispute of an erased order, which has no row, leaves no task behind once it is decided', async () => {
  const { person, order } = await delivered()
  const { dispute } = await stripe.do('open-dispute', { orderId: order.id })
  await untilDispute(order.id, 'needs_response', true)
  const early = await context.stripe.getDispute(dispute)
  expectStatus(await harness.service.delete(`/v1/accounts/${person.accountId}`), 200)
  await stripe.do('close-dispute', { dispute, outcome: 'won' })
  await until('no trace is left', async () => (await openTasks(dispute)).length === 0)
  await recordUntilCurrent(context, early, undefined, new Date())
  expect(await sql`select kind from attention where subject_id = ${dispute}`).toEqual([])
})

test('a webhook about the dispute of an erased order, answered from before the decision, leaves no task behind', async () => {
  const { person, order } = await delivered()
  const { dispute } = await stripe.do('open-dispute', { orderId: order.id })
  await untilDispute(order.id, 'needs_response', true)
  const path = `/v1/disputes/${dispute}`
  const headers = { authorization: `Bearer ${harness.config.STRIPE_SECRET_KEY}` }
  const early: object = JSON.parse(await (await fetch(stripe.url + path, { headers })).text())
  expectStatus(await harness.service.delete(`/v1/accounts/${person.accountId}`), 200)
  await stripe.do('webhooks', { hold: true })
  await stripe.do('close-dispute', { dispute, outcome: 'lost' })
  await stripe.fault({ match: { method: 'GET', path }, status: 200, body: early })
  await stripe.do('webhooks', {})
  await stripe.do('release')
  await until('no trace is left', async () => (await openTasks(dispute)).length === 0)
})

test('a dispute that begins while the provider resumes the eSIM after another one suspends it again', async () => {
  const { order } = await delivered()
  const { dispute } = await stripe.do('open-dispute', { orderId: order.id })
  await untilDispute(order.id, 'needs_response', true)
  await stripe.do('close-dispute', { dispute, outcome: 'won' })
  await untilDispute(order.id, 'won', false)
  await sql`update esims set suspended = true where order_id = ${order.id}`
  const asked: string[] = []
  const activities = createDisputeActivities({
    ...context,
    esimProviders: {
      ...context.esimProviders,
      'esim-access': {
        ...context.esimProviders['esim-access'],
        unsuspend: async () => {
          asked.push('resumed')
          const other = {
            ...(await context.stripe.getDispute(dispute)),
            disputeId: `${dispute}-2`,
            status: 'needs_response',
          }
          await upsertDispute(sql, order.id, { ...other, isOver: false }, new Date())
          return 'done'
        },
        suspend: async () => {
          asked.push('suspended')
          return 'done'
        },
      },
    },
  })
  await new MockActivityEnvironment().run(() =>
    activities.recordDispute({ orderId: order.id, disputeId: dispute, asOf: new Date().toISOString() }),
  )
  expect(asked).toEqual(['resumed', 'suspended'])
  expect(await sql`select suspended from esims where order_id = ${order.id}`).toEqual([{ suspended: true }])
  await sql`delete from disputes where stripe_dispute_id = ${`${dispute}-2`}`
  await sql`update esims set suspended = false where order_id = ${order.id}`
})

test.each([
  ['esim_not_suspendable', false],
  ['esim_not_resumable', true],
] as const)('the task %s of one eSIM, once settled, does not hide that of another one', async (kind, suspended) => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, quantity: 2 })
  const { dispute } = await stripe.do('open-dispute', { orderId: order.id })
  await untilDispute(order.id, 'needs_response', true)
  if (suspended) {
    await stripe.do('close-dispute', { dispute, outcome: 'won' })
    await untilDispute(order.id, 'won', false)
  }
  const rows = await sql<{ id: string }[]>`select id from esims where order_id = ${order.id} order by id`
  const refuses = async () => 'unsupported' as const
  const esimAccess = { ...context.esimProviders['esim-access'], suspend: refuses, unsuspend: refuses }
  const activities = createDisputeActivities({
    ...context,
    esimProviders: { ...context.esimProviders, 'esim-access': esimAccess },
  })
  const orderId = order.id
  const hear = () =>
    new MockActivityEnvironment().run(() =>
      activities.recordDispute({ orderId, disputeId: dispute, asOf: new Date().toISOString() }),
    )
  const named: string[][] = []
  for (const { id } of rows) {
    // Its provider's staff has undone what was asked.
    await sql`update esims set suspended = ${suspended} where id = ${id}`
    await hear()
    const [task] = await sql<{ id: string; attributes: { esims: string } }[]>`
      select id, attributes from attention where subject_id = ${orderId} and kind = ${kind} and resolved_at is null`
    named.push((task?.attributes.esims ?? '').split(' ').toSorted())
    const act = { id: task?.id ?? '', by: 'operator:ada', at: new Date() }
    expect(await closeOperatorTask(sql, act)).toBe(true)
  }
  expect(named).toEqual([[rows[0]?.id], rows.map(({ id }) => id)])
  await hear()
  expect(await openTasks(orderId)).toEqual([])
})

test.each(['cancelled', 'expired'] as const)(
  'an eSIM that is %s stays so when an earlier answer comes later',
  async (state) => {
    const { order } = await delivered()
    const status = { totalBytes: null, usedBytes: 7, activatedAt: null, expiresAt: null }
    const [esim] = await sql<
      { id: string }[]
    >`update esims set state = ${state} where order_id = ${order.id} returning id`
    await recordEsimStatus(sql, esim?.id ?? '', { ...status, state: 'new' }, new Date())
    expect(await sql`select state, used_bytes from esims where id = ${esim?.id ?? ''}`).toEqual([
      { state, used_bytes: 7n },
    ])
  },
)

test.each([
  ['expired', 'in_use'],
  ['cancelled', 'cancelled'],
] as const)('an eSIM that was %s and whose expiry a top-up moves is %s', async (before, after) => {
  const { order } = await delivered()
  const [esim] = await sql<
    { id: string }[]
  >`update esims set state = ${before} where order_id = ${order.id} returning id`
  const expiresAt = new Date(Date.now() + 86_400_000).toISOString()
  const status = { state: 'in_use', totalBytes: 8, usedBytes: 7, activatedAt: null, expiresAt } as const
  await recordEsimStatus(sql, esim?.id ?? '', status, new Date())
  expect(await sql`select state from esims where id = ${esim?.id ?? ''}`).toEqual([{ state: after }])
})

test.each([
  ['failed', 'succeeded', 'failed'],
  ['failed', 'pending', 'failed'],
  ['canceled', 'pending', 'canceled'],
  ['succeeded', 'pending', 'succeeded'],
  // A refund that has arrived may come back, and one that waits may need its customer.
  ['succeeded', 'failed', 'failed'],
  ['pending', 'requires_action', 'requires_action'],
])('a refund that is %s, of which an answer %s comes later, is %s', async (first, second, state) => {
  const { order } = await delivered()
  const ids = { orderId: order.id, refundKey: `order-${order.id}:refund-1`, stripeRefundId: `re_${order.id}` }
  const refund = { ...ids, amountMinor: 100, reason: 'goodwill' }
  for (const each of [first, second]) await upsertRefund(sql, { ...refund, state: each, at: new Date() })
  expect((await listRefunds(sql, order.id)).map((row) => row.state)).toEqual([state])
  await sql`delete from refunds where order_id = ${order.id}`
})
