/** What an operator has settled stays settled when a look finds the same again. */
import { randomUUID } from 'node:crypto'
import { MockActivityEnvironment } from '@temporalio/testing'
import { describe, expect, test } from 'vitest'
import { createOrderDeliveryActivities } from '../../../activities/order/delivery.ts'
import { createOrderRefundActivities } from '../../../activities/order/refunds/refund.ts'
import {
  closeOperatorTask,
  findTaskAttributes,
  listSubjectsOfOpenTasks,
  type NewOperatorTask,
  raiseOperatorTask,
  raiseUnlessSettled,
  resolveOperatorTask,
} from '../../../db/operator-tasks.ts'
import { recordOrphanedWarning } from '../../../db/order/fraud-warnings.ts'
import { findOrder } from '../../../db/order/orders.ts'
import { raiseForEsim, raiseForRefund } from '../../../db/order/part-tasks.ts'
import { shareStack } from '../../harness/harness.ts'
import { requestReturnOf } from '../../harness/purchases.ts'
import { testPackages } from '../../harness/test-packages.ts'

const harness = await shareStack()
const { sql } = harness.context

const kind = 'esim_ended_by_provider'
const first = new Date('2026-03-01T00:00:00Z')
const settledAt = new Date('2026-03-02T00:00:00Z')
const later = new Date('2026-03-03T00:00:00Z')

async function settle(subjectId: string, of = kind): Promise<void> {
  const [task] = await sql<{ id: string }[]>`select id from attention where kind = ${of} and subject_id = ${subjectId}`
  const act = { id: task?.id ?? '', by: 'operator:ada', at: settledAt }
  expect(await closeOperatorTask(sql, act)).toBe(true)
}
const isOpen = async (subjectId: string, of = kind) => (await listSubjectsOfOpenTasks(sql, of)).includes(subjectId)

const known = { kind, detail: 'used', attributes: { topUps: 'one' }, dueAt: later }
test.each<[string, Partial<NewOperatorTask>, Date | undefined, boolean]>([
  ['the same', {}, undefined, false],
  ['the same, without a detail', { detail: undefined }, undefined, false],
  ['the same, of something that began before', {}, first, false],
  ['the same, of something that has begun since', {}, later, true],
  ['another detail', { detail: 'unused' }, undefined, true],
  ['other facts', { attributes: { topUps: 'one two' } }, undefined, true],
  ['another due date', { dueAt: settledAt }, undefined, true],
])(
  'a task that an operator has settled is opened again by %s: %j, since %s: %s',
  async (_what, change, since, again) => {
    const subjectId = randomUUID()
    await raiseUnlessSettled(sql, { ...known, subjectId, at: first })
    await settle(subjectId)
    await raiseUnlessSettled(sql, { ...known, ...change, subjectId, at: later }, since)
    expect(await isOpen(subjectId)).toBe(again)
  },
)

test('what a machine has resolved, and what is new each time, is opened again', async () => {
  const subjectId = randomUUID()
  const task = { ...known, subjectId, at: first }
  await raiseUnlessSettled(sql, task)
  await resolveOperatorTask(sql, { ...task, by: 'order' })
  await raiseUnlessSettled(sql, task)
  expect(await isOpen(subjectId)).toBe(true)
  await settle(subjectId)
  await raiseOperatorTask(sql, task)
  expect(await isOpen(subjectId)).toBe(true)
})

test.each([
  ['refund_unsettled', false],
  ['payment_unresolved', false],
  ['mail_undelivered', true],
] as const)(
  'a task %s that the run of an order raises again after an operator has settled it is opened: %s',
  async (of, again) => {
    const context = { ...harness.context, temporal: harness.temporal }
    const sent = async () => undefined
    const { raiseAttention } = createOrderDeliveryActivities(context, { mail: sent, push: sent, purchase: sent })
    const orderId = randomUUID()
    await raiseAttention({ orderId, kind: of, asOf: first.toISOString(), code: 'processing' })
    await settle(orderId, of)
    await raiseAttention({ orderId, kind: of, asOf: later.toISOString(), code: 'timed_out' })
    expect(await isOpen(orderId, of)).toBe(again)
  },
)

test('a refund that has bounced fails no further look once an operator has found another way, until one asks for it', async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  await harness.sims.stripe.do('fail-refund', { orderId: id })
  expect((await requestReturnOf(person.caller, id)).status).toBe(200)
  await harness.untilOrder(id, 'refund_failed')
  const { checkRefunds } = createOrderRefundActivities({ ...harness.context, temporal: harness.temporal })
  const asOf = new Date().toISOString()
  const look = () =>
    new MockActivityEnvironment({ currentAttemptScheduledTimestampMs: Date.now() }).run(() =>
      checkRefunds({ orderId: id, asOf }),
    )
  expect(await look()).toBe('failed')
  await settle(id, 'refund_failed')
  expect(await look()).toBe('pending')
  expect([await isOpen(id, 'refund_failed'), (await findOrder(sql, id))?.status]).toEqual([false, 'refund_failed'])
  expect((await person.caller.post(`/v1/orders/${id}/refund`)).body.code).toBe('order_state_conflict')
  expect((await harness.operator.post(`/v1/orders/${id}/refund`)).status).toBe(200)
  await harness.untilOrder(id, 'refunded')
  expect(await look()).toBe('settled')
})

test('a fraud warning that is decided, and that Stripe reports again, stays decided', async () => {
  const warning = {
    warningId: `issfr_${randomUUID()}`,
    fraudType: 'misc',
    amountMinor: 500,
    currency: 'EUR',
    actionable: true,
    createdAt: first.toISOString(),
    paymentIntentId: null,
  }
  await recordOrphanedWarning(sql, warning, first)
  await settle(warning.warningId, 'fraud_warning')
  await recordOrphanedWarning(sql, warning, later)
  expect(await isOpen(warning.warningId, 'fraud_warning')).toBe(false)
})

describe('a task of an order about single refunds of it', () => {
  const raise = (subjectId: string, as: 'refunds' | 'released', refundKey: string, since = first) =>
    sql.begin((tx) => raiseForRefund(tx, { kind, subjectId, detail: as, at: later }, { as, refundKey }, since))
  const facts = (subjectId: string) => findTaskAttributes(sql, { kind, subjectId })

  test('names those that are owed, and those that are not', async () => {
    const subjectId = randomUUID()
    await raise(subjectId, 'refunds', 'one')
    await raise(subjectId, 'released', 'two')
    await raise(subjectId, 'refunds', 'three')
    expect(await facts(subjectId)).toEqual({ refunds: 'one three', released: 'two' })
  })

  test('stays settled for those that the operator knew of, and another one makes none of them owed again', async () => {
    const subjectId = randomUUID()
    await raise(subjectId, 'refunds', 'one')
    await settle(subjectId)
    for (const as of ['refunds', 'released'] as const) await raise(subjectId, as, 'one')
    expect(await isOpen(subjectId)).toBe(false)
    await raise(subjectId, 'released', 'two')
    expect([await isOpen(subjectId), await facts(subjectId)]).toEqual([true, { settled: 'one', released: 'two' }])
    await settle(subjectId)
    await raise(subjectId, 'refunds', 'one')
    expect(await isOpen(subjectId)).toBe(false)
    // It was asked for once more, and has failed once more, since.
    await raise(subjectId, 'refunds', 'one', later)
    expect([await isOpen(subjectId), await facts(subjectId)]).toEqual([true, { refunds: 'one' }])
  })
})

describe('a task of an order about single eSIMs of it', () => {
  const raise = (subjectId: string, esims: string[], since?: Date) =>
    raiseForEsim(sql, { kind, subjectId, at: later }, { esims }, since)
  const listed = async (subjectId: string) => {
    const attributes = await findTaskAttributes(sql, { kind, subjectId })
    return String(attributes?.esims).split(' ').toSorted()
  }

  test('stays settled for those that the operator knew of, and another one opens it again', async () => {
    const subjectId = randomUUID()
    await raise(subjectId, ['one'])
    await settle(subjectId)
    await raise(subjectId, ['one'])
    expect(await isOpen(subjectId)).toBe(false)
    await raise(subjectId, ['two'])
    expect([await isOpen(subjectId), await listed(subjectId)]).toEqual([true, ['one', 'two']])
    await settle(subjectId)
    for (const esim of ['one', 'two', 'one']) await raise(subjectId, [esim], first)
    expect(await isOpen(subjectId)).toBe(false)
    await raise(subjectId, ['two'], later)
    expect([await isOpen(subjectId), await listed(subjectId)]).toEqual([true, ['two']])
  })

  test('lists only those that it is about since a machine has resolved it', async () => {
    const subjectId = randomUUID()
    await raise(subjectId, ['one'])
    await resolveOperatorTask(sql, { kind, subjectId, by: 'order', at: settledAt })
    await raise(subjectId, ['two'])
    expect([await isOpen(subjectId), await listed(subjectId)]).toEqual([true, ['two']])
  })

  test('lists all that are found side by side', async () => {
    const { id } = await harness.buy(await harness.signUp(), { pay: false })
    const esims = ['five', 'four', 'one', 'three', 'two']
    await Promise.all(esims.map((esim) => raise(id, [esim])))
    expect(await listed(id)).toEqual(esims)
  })
})
