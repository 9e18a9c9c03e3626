/**
 * U2 and U6: paid means delivered or refunded, and accounting and tax duties are met. Several differences of one order
 * are reported one by one: a payment that nobody names would never be refunded.
 */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { closeOperatorTask, raiseOperatorTask } from '../../db/operator-tasks.ts'
import { upsertDispute } from '../../db/order/disputes.ts'
import { listDifferences } from '../../db/reconciliation/reconciliations.ts'
import type { DifferenceKindName } from '../../policy/reconciliation.ts'
import {
  type ReconciliationReport,
  reconciliationType,
} from '../../workflows/reconciliation/reconciliation.contract.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { runLater } from '../harness/temporal/run-later.ts'
import { testPackages } from '../harness/test-packages.ts'
import { createPlanter, delivered, type Trade } from '../workflows/catalogue/planted-trade.ts'

const harness = await shareStack({ books: false })
const { sql } = harness.context
const { accountId } = await harness.signUp()
const planter = await createPlanter(harness.stack, accountId)
const at = new Date(Date.now() - 2 * 86_400_000)

let hours = 0
async function reconcile(after = 1): Promise<ReconciliationReport> {
  hours += after
  await harness.sims.stripe.do('clock', { advanceSeconds: 3_600 * after })
  const report = await runLater<ReconciliationReport>(harness.stack, reconciliationType, hours / 24)
  expect(report.failed).toEqual([])
  return report
}

/** The differences of a kind that the newest comparison finds for an order, and the text of the task. */
async function comparisonOf(kind: DifferenceKindName, subjectId: string) {
  const [newest] = await sql<{ id: string }[]>`select id from reconciliations order by finished_at desc limit 1`
  const differences = await listDifferences(sql, newest?.id ?? '', 1_000)
  const [task] = await sql<{ id: string; detail: string }[]>`
    select id, detail from attention where kind = ${kind} and subject_id = ${subjectId} and resolved_at is null`
  const its = differences.filter((each) => each.kind === kind && each.subjectId === subjectId)
  return {
    open: its.flatMap(({ part, explainedBy }) => (explainedBy === null ? [part] : [])).sort(),
    accepted: its.flatMap(({ part, explainedBy }) => (explainedBy === 'accepted_by_operator' ? [part] : [])).sort(),
    task,
  }
}

async function planted(change: Partial<Trade>): Promise<Trade> {
  const trade = delivered('esim-access', at, change)
  await planter.plant([trade])
  return trade
}

const paymentsOf = async (orderId: string): Promise<string[]> =>
  (await harness.sims.stripe.state()).paymentIntents
    .filter(({ metadata }) => metadata.order_id === orderId)
    .map(({ id }) => id)

test('each further payment of an order is a difference of its own, and all are named in the task', {
  tags: 'long',
}, async () => {
  const { orderId } = await planted({ payments: 4 })
  const [own] = await sql<{ id: string }[]>`select payment_intent_id as id from orders where id = ${orderId}`
  const further = (await paymentsOf(orderId)).filter((id) => id !== own?.id).sort()
  expect(further).toHaveLength(3)
  expect((await reconcile()).unexplained).toEqual({ charged_twice: 3 })
  const first = await comparisonOf('charged_twice', orderId)
  expect(first.open).toEqual(further)
  for (const id of further)
    expect(first.task?.detail).toContain(`${id} holds 500 minor units of EUR; cure: refund_payment`)

  // One is given back, and the operator accepts the others: they stay accepted when a fifth payment comes.
  const [refunded = '', ...others] = further
  await harness.context.stripe.refund({
    paymentIntentId: refunded,
    amountMinor: 500,
    idempotencyKey: refunded,
    reasonCode: 'duplicate',
    lookFirst: false,
  })
  await reconcile()
  const second = await comparisonOf('charged_twice', orderId)
  expect(second.open).toEqual(others)
  expect(second.task?.detail).not.toContain(refunded)
  await closeOperatorTask(sql, { id: second.task?.id ?? '', by: 'operator:somebody', at: new Date() })
  expect((await reconcile()).unexplained).toEqual({})

  const { metadata } = (await harness.sims.stripe.state()).paymentIntents.find(({ id }) => id === own?.id) ?? {}
  const created = Math.floor(at.getTime() / 1000)
  const [made] = (
    await harness.sims.stripe.do('plant', { payments: [{ amount: 500, currency: 'eur', metadata, created }] })
  ).planted
  for (const _night of ['the first', 'the next'])
    expect(await reconcile().then(() => comparisonOf('charged_twice', orderId))).toMatchObject({
      open: [made?.paymentIntent],
      accepted: others,
      task: { detail: `${made?.paymentIntent} holds 500 minor units of EUR; cure: refund_payment` },
    })
  await harness.context.stripe.refund({
    paymentIntentId: made?.paymentIntent ?? '',
    amountMinor: 500,
    idempotencyKey: 'the fifth',
    reasonCode: 'duplicate',
    lookFirst: false,
  })
  expect((await reconcile()).unexplained).toEqual({})
})

test('a top-up that a provider has made twice is a difference, though our placement has no number of it', async () => {
  const person = await harness.signUp()
  const { id, esims } = await harness.buy(person, { packageCode: testPackages.onlyAiralo })
  const body = { packageCode: testPackages.topUp }
  const topUp = expectStatus(await person.caller.post(`/v1/orders/${id}/top-up`, body), 201)
  await harness.sims.stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'delivered')
  await reconcile()
  expect((await comparisonOf('placed_twice', topUp.id)).open).toEqual([])
  const [placed] = await sql<{ client_ref: string; code: string }[]>`
    select client_ref, provider_package_code as code from provider_orders where order_id = ${topUp.id}`
  // What Airalo does with a request that is repeated before it shows the first one.
  const again = { clientRef: placed?.client_ref ?? '', packageCode: placed?.code ?? '', esimRef: esims[0].iccid }
  await harness.context.esimProviders.airalo.topUp(again)
  await reconcile()
  const { open, task } = await comparisonOf('placed_twice', topUp.id)
  expect(open).toHaveLength(1)
  expect(task?.detail).toContain('cure: return_esim')
})

/** Plants an order at Airalo under a placement that our books have given up. @returns its number there */
async function givenUpAtAiralo(orderId: string, state: 'refused' | 'released', refunded: boolean): Promise<string> {
  const clientRef = randomUUID()
  const packageId = 'hallo-mobil-7days-1gb'
  await sql`insert into provider_orders (id, order_id, provider, provider_package_code, client_ref, state, placed_after)
    values (${randomUUID()}, ${orderId}, 'airalo', ${packageId}, ${clientRef}, ${state}, ${at})`
  const orders = [{ packageId, description: clientRef, createdAt: at.getTime(), refunded }]
  const [made] = (await harness.sims.airalo.do('plant', { orders })).planted
  return String(made?.orderId)
}

test('each further order at a provider is a difference of its own, of an order of ours and of nobody', {
  tags: 'long',
}, async () => {
  const { orderId } = await planted({ placed: 3 })
  const strange = await planted({ known: false, payments: 0, placed: 2 })
  // Our books have given these up, and Airalo has their eSIMs.
  const [refused, released, back] = [await planted({}), await planted({}), await planted({})]
  const alive = [
    [refused.orderId, await givenUpAtAiralo(refused.orderId, 'refused', false)],
    [released.orderId, await givenUpAtAiralo(released.orderId, 'released', false)],
  ] as const
  await givenUpAtAiralo(back.orderId, 'released', true)
  // Delivered, and our books name no payment; not paid, and there is an invoice.
  const unnamed = await planted({ payments: 0 })
  const invoiced = await planted({ payments: 0, status: 'provisioning', placement: false, placed: 0 })
  await sql`update orders set payment_intent_id = null where id = ${unnamed.orderId}`
  await sql`update orders set payment_intent_id = null, paid_at = null, status = 'unpaid' where id = ${invoiced.orderId}`
  await reconcile()
  for (const [subject, part] of alive) {
    const { open, task } = await comparisonOf('placed_twice', subject)
    expect(open).toEqual([part])
    expect(task?.detail).toContain('cure: return_esim')
  }
  expect((await comparisonOf('placed_twice', back.orderId)).open).toEqual([])
  for (const { orderId: paidByNobody } of [unnamed, invoiced])
    expect((await comparisonOf('payment_unknown', paidByNobody)).task?.detail).toContain('no payment')
  for (const [kind, subject] of [
    ['placed_twice', orderId],
    ['esim_without_order', `esim-access:${strange.clientRef}`],
  ] as const) {
    const { open, task } = await comparisonOf(kind, subject)
    expect(open, kind).toHaveLength(2)
    for (const part of open) expect(task?.detail, kind).toContain(part)
  }
})

test('what is in flight for days is an operator task, unless an operator has it: its run is gone', {
  tags: 'long',
}, async () => {
  const [gone, withOperator, settled] = [await planted({}), await planted({}), await planted({})]
  const orders = [gone, withOperator, settled].map(({ orderId }) => orderId)
  await sql`update orders set status = 'refunding' where id in ${sql(orders)}`
  await raiseOperatorTask(sql, { kind: 'refund_failed', subjectId: withOperator.orderId, at: new Date() })
  // Stripe does not know it.
  const { orderId: disputedId } = await planted({ disputed: true })
  const listed = (await harness.sims.stripe.state()).disputes.at(-1)
  const dispute = await harness.context.stripe.getDispute(listed?.id ?? '')
  await upsertDispute(sql, disputedId, { ...dispute, disputeId: 'dp_nobodys' }, new Date())
  const unknownThere = async () => (await comparisonOf('dispute_state_differs', disputedId)).open
  const explained = async (hoursLater: number) => (await reconcile(hoursLater)).explained.paid_not_settled
  const open = async () =>
    Promise.all(orders.map(async (orderId) => (await comparisonOf('paid_not_settled', orderId)).open.length))
  expect(await explained(1)).toEqual({ in_flight: 3 })
  expect(await explained(24)).toEqual({ in_flight: 3 })
  expect(await open()).toEqual([0, 0, 0])
  expect(await unknownThere()).toEqual([])
  // One night it was not in flight.
  await sql`update orders set status = 'delivered' where id = ${settled.orderId}`
  await reconcile(24)
  await sql`update orders set status = 'refunding' where id = ${settled.orderId}`
  expect(await explained(8 * 24)).toEqual({ in_flight: 1, with_an_operator: 1 })
  expect(await open()).toEqual([1, 0, 0])
  expect(await unknownThere()).toEqual(['dp_nobodys'])
  // The next night says the same of it.
  expect(await explained(24)).toEqual({ in_flight: 1, with_an_operator: 1 })
  expect(await open()).toEqual([1, 0, 0])
})

test('a top-up that its provider has applied, and our books call refused, is a difference once it is refunded', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { packageCode: testPackages.onlyAiralo })
  const body = { packageCode: testPackages.topUp }
  const topUp = expectStatus(await person.caller.post(`/v1/orders/${id}/top-up`, body), 201)
  await harness.sims.stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'delivered')
  await sql`update orders set status = 'refunded' where id = ${topUp.id}`
  for (const [state, reason, count] of [
    ['refused', 'out_of_stock', 1],
    ['released', 'never_applied', 1],
    ['released', 'top_up_applied', 0],
    ['provided', null, 0],
  ] as const) {
    await sql`update provider_orders set state = ${state}, reason = ${reason} where order_id = ${topUp.id}`
    await reconcile()
    expect((await comparisonOf('esim_alive_after_refund', topUp.id)).open, `${state} ${reason}`).toHaveLength(count)
  }
})
