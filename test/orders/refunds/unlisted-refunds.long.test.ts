/**
 * U2 and U6: paid means delivered or refunded, and accounting and tax duties are met. A refund that Stripe has made and
 * does not list yet is a refund, with its credit note.
 */
import { randomUUID } from 'node:crypto'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterEach, expect, test } from 'vitest'
import { createRestoreActivities } from '../../../activities/restore.ts'
import { insertItem, insertRestore } from '../../../db/backup/restores.ts'
import { partialRefundWorkflowId, refundIdOf } from '../../../workflows/order/partial-refund.contract.ts'
import { mailsTo } from '../../harness/checks/messages.ts'
import { always } from '../../harness/checks/placements.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { requestReturnOf } from '../../harness/purchases.ts'
import { testPackages, testPriceMinor } from '../../harness/test-packages.ts'
import { until } from '../../harness/until.ts'

// A payment is refunded as if a restore had lost its order.
const harness = await shareStack({ books: false })
const { stripe } = harness.sims
const { sql } = harness.context

afterEach(async () => {
  await stripe.clearFaults()
  await stripe.do('pending-refunds', { enabled: false })
})

async function delivered() {
  const person = await harness.signUp()
  return { person, order: await harness.buy(person, { packageCode: testPackages.onlyEsimAccess }) }
}

/** Stripe lists no refund yet. */
const unlisted = (times: number) =>
  stripe.fault({
    match: { method: 'GET', path: '^/v1/refunds' },
    status: 200,
    body: { object: 'list', url: '/v1/refunds', has_more: false, data: [] },
    times,
  })

const shown = async (orderId: string) => (await harness.service.get(`/v1/orders/${orderId}`)).body

test('a refund in full has its credit note', async () => {
  const { person, order } = await delivered()
  await unlisted(1)
  expectStatus(await requestReturnOf(person.caller, order.id), 200)
  await harness.untilOrder(order.id, 'refunded')
  expect(await shown(order.id)).toMatchObject({
    refunds: [{ minor: testPriceMinor, state: 'succeeded' }],
    documents: [{ kind: 'invoice' }, { kind: 'credit_note' }],
  })
})

test('a partial refund has its credit note, and its customer is not told that it has failed', async () => {
  const { person, order } = await delivered()
  await stripe.do('pending-refunds', { enabled: true })
  await unlisted(always)
  const asked = { amount: { minor: 120, currency: 'EUR' } }
  const made = expectStatus(await harness.operator.post(`/v1/orders/${order.id}/refund`, asked), 200)
  expect(made).toMatchObject({
    refunds: [{ minor: 120, state: 'pending' }],
    documents: [{ kind: 'invoice' }, { kind: 'credit_note' }],
  })
  // Its event is a hint for the run, which asks Stripe.
  await stripe.do('settle-refund', { orderId: order.id })
  const [row] = await sql<{ refund_key: string }[]>`select refund_key from refunds where order_id = ${order.id}`
  const run = harness.temporal.workflow.getHandle(partialRefundWorkflowId(refundIdOf(row?.refund_key) ?? ''))
  await until('the run has asked', async () => {
    const { events } = await run.fetchHistory()
    const hinted = events?.findIndex(({ workflowExecutionSignaledEventAttributes: signal }) => signal) ?? -1
    return hinted >= 0 && events?.slice(hinted).some(({ markerRecordedEventAttributes: marker }) => marker)
  })
  expect((await run.describe()).status.name).toBe('RUNNING')
  const failed = (await mailsTo(harness.stack, person.email)).filter(({ subject }) => subject.includes('did not get'))
  expect(failed).toEqual([])
  await stripe.clearFaults()
  await run.signal('refund')
  await until('it has settled', async () => (await shown(order.id)).refunds[0].state === 'succeeded')
})

test('a payment whose order a restore has lost has its credit note', async () => {
  const { order } = await delivered()
  const [row] = await sql<{ payment: string; fact: string; invoice: string }[]>`
    select o.payment_intent_id as payment, o.fact_id as fact, l.number as invoice
    from orders o join invoice_links l on l.order_id = o.id where o.id = ${order.id}`
  if (!row) throw new Error('no such order')
  const restoreId = randomUUID()
  const at = new Date()
  await sql.begin((tx) => insertRestore(tx, { id: restoreId, backupId: 'lost', readsSince: at, at }))
  await sql`update restores set opened_at = ${at} where id = ${restoreId}`
  const plan = {
    paymentIntentId: row.payment,
    orderId: null,
    factId: row.fact,
    invoiceNumber: row.invoice,
    placement: null,
  }
  await insertItem(sql, restoreId, { kind: 'payment', subjectId: row.payment, outcome: 'to_settle', plan })
  const activities = createRestoreActivities({ ...harness.context, temporal: harness.temporal })
  // It is looked for first, under its key, and then all are read.
  await unlisted(2)
  await new MockActivityEnvironment().run(() => activities.settleRestored({ restoreId, asOf: at.toISOString() }))
  const notes = await sql`select gross_minor from invoices where corrects = ${row.invoice} and kind = 'credit_note'`
  expect(notes).toMatchObject([{ gross_minor: -testPriceMinor }])
})
