/**
 * U2: paid means delivered or refunded. A customer's claim to their money is settled also when they delete the account
 * before.
 */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Orders, Refunds } from '../../db/connection/schema.ts'
import { type ClaimRows, claimOf } from '../../db/erasure/claims.ts'
import { isOpen } from '../../temporal/runs.ts'
import { draftSweepType } from '../../workflows/housekeeping/draft-sweep.contract.ts'
import { partialRefundWorkflowId, refundIdOf } from '../../workflows/order/partial-refund.contract.ts'
import { deleteAccount } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { resetRun, resettable } from '../harness/temporal/reset-run.ts'
import { runLater } from '../harness/temporal/run-later.ts'
import { testPackages, testPriceMinor } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

// The books of erased customers name no order.
const harness = await shareStack({ books: false })
const { stripe, esimAccess } = harness.sims
const { sql } = harness.context
const packageCode = testPackages.onlyEsimAccess

async function ordered(options: { pay?: false } = {}) {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode, ...options })
  const [row] = await sql<{ payment: string; fact: string | null }[]>`
    select payment_intent_id as payment, fact_id as fact from orders where id = ${order.id}`
  if (!row) throw new Error(`no order ${order.id}`)
  return { person, order, ...row }
}

const refundedOf = async (payment: string): Promise<number> =>
  (await stripe.state()).refunds
    .filter(({ payment_intent, status }) => payment_intent === payment && status !== 'failed')
    .reduce((sum, { amount }) => sum + amount, 0)

test('a withdrawal that was acknowledged while the provider was down is refunded, and the eSIM returned', async () => {
  const { person, order, payment } = await ordered()
  await esimAccess.fault({ match: { path: '/esim/' }, status: 503, times: 1_000_000 })
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/withdrawal`), 200)
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/withdrawal/confirm`), 200)
  const deletion = await deleteAccount(harness.stack, person)
  await deletion.until('stripe', 'done')
  expect(await refundedOf(payment)).toBe(testPriceMinor)
  await esimAccess.clearFaults()
  await deletion.fastForward('2 days')
  await deletion.until('esim_provider', 'done')
  const { esims } = await esimAccess.state()
  expect(esims.findLast(({ iccid }) => iccid === order.esims[0].iccid)?.esimStatus).toBe('CANCEL')
})

test('U2: an eSIM with a paid top-up is not returned when its customer withdraws from the first order and is erased', async () => {
  const { person, order, payment } = await ordered()
  const body = { packageCode: testPackages.topUp }
  const topUp = expectStatus(await person.caller.post(`/v1/orders/${order.id}/top-up`, body), 201)
  await stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'delivered')
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/withdrawal`), 200)
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/withdrawal/confirm`), 200)
  const deletion = await deleteAccount(harness.stack, person)
  await deletion.until('stripe', 'done')
  expect(await refundedOf(payment)).toBe(testPriceMinor)
  await until('the provider was asked, or holds nothing', async () =>
    ['done', 'nothing_held'].includes((await deletion.states()).esim_provider ?? ''),
  )
  const { esims } = await esimAccess.state()
  expect(esims.findLast(({ iccid }) => iccid === order.esims[0].iccid)?.esimStatus).not.toBe('CANCEL')
})

test('the rest of a payment that was not accepted is refunded when the account is deleted', async () => {
  const { person, order, payment } = await ordered({ pay: false })
  await stripe.do('webhooks', { drop: 1_000 })
  await stripe.do('pay', { orderId: order.id })
  const byHand = await fetch(`${stripe.url}/v1/refunds`, {
    method: 'POST',
    headers: { authorization: `Bearer ${harness.config.STRIPE_SECRET_KEY}` },
    body: new URLSearchParams({ payment_intent: payment, amount: '200' }),
  })
  expect(byHand.status).toBe(200)
  await stripe.do('webhooks', { drop: 0 })
  await harness.fastForward(order.id, '1 minute')
  expect((await harness.untilOrder(order.id, 'cancelled')).reason).toBe('payment_not_accepted')
  const deletion = await deleteAccount(harness.stack, person)
  await deletion.until('stripe', 'done')
  expect(await refundedOf(payment)).toBe(testPriceMinor)
})

test('a partial refund whose reply is lost, and one that bounces later, are in the books of a customer who is gone', async () => {
  const { person, order, payment, fact } = await ordered()
  const [invoice] = await sql<{ number: string }[]>`
    select number from invoice_links where order_id = ${order.id} and document_key = 'invoice'`
  const credited = async (): Promise<number> => {
    const [notes] = await sql<{ minor: number }[]>`
      select coalesce(-sum(gross_minor), 0)::int as minor from invoices
      where corrects = ${invoice?.number ?? ''} and kind = 'credit_note'`
    return notes?.minor ?? 0
  }
  await stripe.do('pending-refunds', { enabled: true })
  await stripe.fault({ match: { method: 'POST', path: '/v1/refunds$' }, hang: 'after' })
  const asked = harness.operator.post(
    `/v1/orders/${order.id}/refund`,
    { amount: { minor: 200, currency: 'EUR' } },
    { 'idempotency-key': randomUUID() },
  )
  await until('Stripe has it', async () => (await refundedOf(payment)) === 200)
  const deletion = await deleteAccount(harness.stack, person)
  await until('the books have it', async () => (await credited()) === 200)
  await stripe.do('pending-refunds', { enabled: false })
  const facts = () => sql<{ refunded_minor: number }[]>`select refunded_minor from order_facts where id = ${fact}`
  expect(await facts()).toMatchObject([{ refunded_minor: 200 }])
  expect(await refundedOf(payment)).toBe(200)
  await deletion.until('stripe', 'done')

  const [refund] = (await stripe.state()).refunds.filter(({ payment_intent }) => payment_intent === payment)
  await stripe.do('fail-refund', { refund: refund?.id })
  await deletion.fastForward('8 days')
  expect(await deletion.until('stripe', 'needs_operator')).toMatchObject({ code: 'partial_refund_failed' })
  await asked
})

test('U2: a partial refund that was released, and another one made instead, leaves no step to an operator', async () => {
  const { person, order, payment } = await ordered()
  const ask = () =>
    harness.operator.post(
      `/v1/orders/${order.id}/refund`,
      { amount: { minor: 100, currency: 'EUR' } },
      { 'idempotency-key': randomUUID() },
    )
  await stripe.fault({ match: { method: 'POST', path: '^/v1/refunds' }, status: 503, times: 1_000_000 })
  const cutOff = ask()
  const refundId = await until('it is reserved', async () => {
    const [row] = await sql<Pick<Refunds, 'refund_key'>[]>`select refund_key from refunds where order_id = ${order.id}`
    return refundIdOf(row?.refund_key)
  })
  const workflowId = partialRefundWorkflowId(refundId)
  const run = harness.temporal.workflow.getHandle(workflowId)
  await until('Stripe has refused', async () =>
    (await run.describe()).raw.pendingActivities?.some(({ lastFailure }) => lastFailure),
  )
  const known = await resettable(harness.temporal, workflowId)
  await run.terminate('by mistake')
  expect((await cutOff).status).toBe(503)
  await runLater(harness.stack, draftSweepType, 1 / 24)
  await stripe.clearFaults()
  expectStatus(await ask(), 200)
  await resetRun(harness.temporal, known, { taskId: known.lastTaskId, messages: true })
  await until('its run has ended', async () => !(await isOpen(harness.temporal, workflowId)))
  expect(await sql`select detail from attention where subject_id = ${order.id}`).toEqual([
    { detail: 'refund_released' },
  ])

  const deletion = await deleteAccount(harness.stack, person)
  await deletion.until('stripe', 'done')
  await deletion.fastForward('8 days')
  expect((await deletion.states()).stripe).toBe('done')
  expect(await refundedOf(payment)).toBe(100)
})

test('an erasure keeps each claim to money, and makes none', () => {
  const order: Pick<Orders, 'id' | 'status' | 'ended_at'> = { id: 'order', status: 'delivered', ended_at: null }
  const none: ClaimRows = { refunds: [], esims: [], withdrawals: [], tasks: [] }
  const task = (kind: string, detail = '') => ({
    ...none,
    tasks: [{ subject_id: 'order', kind, detail, attributes: null, resolved_at: null }],
  })
  const refund = (state: string) => ({
    ...none,
    refunds: [
      { order_id: 'order', refund_key: 'key', amount_minor: 200, reason: 'goodwill', state, created_at: new Date() },
    ],
  })
  expect(claimOf(order, none)).toBeUndefined()
  expect(claimOf(order, { ...none, withdrawals: [{ order_id: 'order', stated_at: null }] })).toBeUndefined()
  expect(claimOf(order, { ...none, withdrawals: [{ order_id: 'another', stated_at: new Date() }] })).toBeUndefined()
  for (const status of ['delivered', 'ended'] as const)
    expect(
      claimOf({ ...order, status }, { ...none, withdrawals: [{ order_id: 'order', stated_at: new Date() }] }),
    ).toMatchObject({ action: 'refund' })
  for (const state of ['requested', 'pending'])
    expect(claimOf(order, refund(state))).toMatchObject({ action: 'follow', promisedMinor: 200 })
  for (const state of ['succeeded', 'refused']) expect(claimOf(order, refund(state))).toBeUndefined()
  expect(
    claimOf(order, {
      ...task('partial_refund_failed'),
      ...refund('failed'),
      tasks: task('partial_refund_failed').tasks,
    }),
  ).toMatchObject({ action: 'follow', promisedMinor: 200 })
  expect(claimOf(order, task('withdrawal_after_use'))).toMatchObject({ trouble: 'withdrawal_after_use' })
  const refusedPayment = { ...order, status: 'cancelled' as const }
  for (const objection of ['refunded', 'disputed', 'older_than_order'])
    expect(claimOf(refusedPayment, task('payment_not_accepted', objection))).toMatchObject({ action: 'refund' })
  for (const objection of ['of_another_order', 'older_than_runs'])
    expect(claimOf(refusedPayment, task('payment_not_accepted', objection))).toBeUndefined()
  expect(claimOf(refusedPayment, none)).toBeUndefined()
})
