/**
 * U2: paid means delivered or refunded. Payments and payment pages that are newer than the dump: each is an order's, or
 * ended, or given back.
 */
import { randomUUID } from 'node:crypto'
import type { Client } from '@temporalio/client'
import { expect, test } from 'vitest'
import { paymentMark } from '../../activities/order/payment/payment-mark.ts'
import { createFailureIsolation } from '../../cli/restore/failure-isolation.ts'
import { type PartialRefund, redoReservation } from '../../cli/restore/partial-refunds.ts'
import { rebuild } from '../../cli/restore/rebuild.ts'
import { repeating } from '../../cli/restore/until-answered.ts'
import { listItems } from '../../db/backup/restores.ts'
import type { Attention, Esims, Invoices, ProviderOrders } from '../../db/connection/schema.ts'
import { listDocuments } from '../../db/order/books.ts'
import { findOrder } from '../../db/order/orders.ts'
import { listRefunds } from '../../db/order/refunds.ts'
import { plusMs } from '../../shared/calendar.ts'
import { orderAftercareWorkflowId, orderWorkflowId, paymentSignal } from '../../workflows/order/order.contract.ts'
import { partialRefundKey } from '../../workflows/order/partial-refund.contract.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { loseAccount, loseDelivery, loseOrders, losePayment, openRestore, startRestoreRun } from '../harness/lost.ts'
import type { Person } from '../harness/people.ts'
import { runLater } from '../harness/temporal/run-later.ts'
import { testPackages, testPriceMinor } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'
import { visit } from '../harness/visits.ts'

const harness = await shareStack({ books: false, model: false })
const { temporal } = harness
const { stripe } = harness.sims
const context = repeating(harness.context, 0)
const { sql, cipher } = context
const since = plusMs(new Date(), -1_000)

/** A client a moment after the start of a run: the list of runs does not have the run yet. */
const behind: Client = Object.assign(Object.create(temporal), {
  workflow: Object.assign(Object.create(temporal.workflow), {
    async *list() {
      // The list shows no run.
    },
  }),
})

async function restored(
  client: Client = temporal,
): Promise<{ restoreId: string; itemsOf(subjectId: string): Promise<unknown[]> }> {
  const restoreId = await openRestore(sql)
  const isolate = createFailureIsolation(sql, restoreId)
  await rebuild(context, { restoreId, since, settled: [], temporal: client, isolate, say: () => undefined })
  return {
    restoreId,
    async itemsOf(subjectId) {
      const items = await listItems(sql, restoreId, { after: undefined, outcome: undefined, limit: 100 })
      return items.filter((item) => item.subjectId === subjectId).map(({ outcome, detail }) => [outcome, detail])
    },
  }
}

interface Page {
  person: Person
  id: string
  payAt: string
  sessionId: string
}

/** A top-up that is ordered on the web, and not paid yet. */
async function orderedOnTheWeb(): Promise<Page> {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  const surfer = await visit(harness.stack, person)
  const path = `/account/esims/${order.esims[0].id}/top-up`
  const { location } = await surfer.submit(path, path)
  const payAt = /href="(http[^"]+\/c\/pay\/[^"]+)"/.exec((await surfer.open(location ?? '')).html)?.[1] ?? ''
  const id = location?.split('/').at(-1) ?? ''
  return { person, id, payAt, sessionId: payAt.split('/').at(-1) ?? '' }
}
const pay = (address: string, number = '4242424242424242') =>
  fetch(address, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ number }) })
const loseRow = ({ person, id }: Pick<Page, 'person' | 'id'>) =>
  sql.begin(async (tx) => {
    await tx`select erase_only(${person.accountId})`
    await tx`delete from orders where id = ${id}`
  })
const chargesOf = async (orderId: string) =>
  (await stripe.state()).paymentIntents.filter(({ metadata }) => metadata.order_id === orderId)

/** A delivered top-up is in its row a moment before its history has it. */
const untilRunIsOver = (topUpId: string) => temporal.workflow.getHandle(orderWorkflowId(topUpId)).result()

/** Leaves of an order what a dump has that was made before its refund. */
const loseRefund = ({ accountId }: Person, orderId: string, documents: readonly { kind: string; number: string }[]) =>
  sql.begin(async (tx) => {
    await tx`select erase_only(${accountId})`
    const notes = documents.flatMap(({ kind, number }) => (kind === 'credit_note' ? [number] : []))
    await tx`delete from invoices where number in ${tx(notes)}`
    await tx`delete from refunds where order_id = ${orderId}`
    await tx`update esims set state = 'new', return_asked_at = null where order_id = ${orderId}`
    await tx`update orders set status = 'delivered', reason = null where id = ${orderId}`
  })

test('U2: a top-up that waits on Stripe’s page is lost, and can be paid there after the restore all the same', async () => {
  const page = await orderedOnTheWeb()
  const { id, payAt, sessionId } = page
  await loseRow(page)
  const { itemsOf } = await restored()
  expect(await itemsOf(id)).toEqual([['rebuilt', null]])
  expect(await findOrder(sql, id)).toMatchObject({ status: 'awaiting_payment', checkout_session_id: sessionId })
  expect((await pay(payAt)).status).toBe(303)
  await harness.untilOrder(id, 'delivered')
})

test('U2: an order whose customer has tried in vain to pay on Stripe’s page has the page again, which ends with it', {
  tags: 'long',
}, async () => {
  const page = await orderedOnTheWeb()
  const { person, id, payAt, sessionId } = page
  expect(await (await pay(payAt, '4000000000000002')).text()).toContain('Try another card')
  const [tried] = await chargesOf(id)
  await loseRow(page)
  await restored()
  expect(await findOrder(sql, id)).toMatchObject({ payment_intent_id: tried?.id, checkout_session_id: sessionId })
  expectStatus(await person.caller.post(`/v1/orders/${id}/cancel`), 200)
  const { sessions } = await stripe.state()
  expect(sessions.find((each) => each.id === sessionId)?.status).toBe('expired')
})

test('G3: an order that was paid on Stripe’s page has the page again, with which its payment is redacted', {
  tags: 'long',
}, async () => {
  const page = await orderedOnTheWeb()
  const { id, payAt, sessionId } = page
  expect((await pay(payAt)).status).toBe(303)
  await untilRunIsOver(id)
  await loseDelivery(sql, id)
  await loseRow(page)
  await restored()
  expect(await findOrder(sql, id)).toMatchObject({ status: 'delivered', checkout_session_id: sessionId })
})

test('U2: an order that the backup has on Stripe’s page, and that was paid since, has its payment', async () => {
  const { id, payAt, sessionId } = await orderedOnTheWeb()
  expect((await pay(payAt)).status).toBe(303)
  await untilRunIsOver(id)
  const [charge] = await chargesOf(id)
  await losePayment(sql, id)
  await sql`update orders set payment_intent_id = null where id = ${id}`
  await restored()
  const paid = { status: 'delivered', payment_intent_id: charge?.id, checkout_session_id: sessionId }
  expect(await findOrder(sql, id)).toMatchObject(paid)
})

test('U2: a top-up that was applied at its second attempt is rebuilt under that reference, by which its run asks for it', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const first = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  await harness.sims.esimAccess.fault({ match: { path: '/esim/topup$' }, status: 429 })
  const body = { packageCode: testPackages.topUp }
  const { id } = expectStatus(await person.caller.post(`/v1/orders/${first.id}/top-up`, body), 201)
  await stripe.do('pay', { orderId: id })
  await untilRunIsOver(id)
  const placements = () => sql<Pick<ProviderOrders, 'client_ref' | 'state'>[]>`
    select client_ref, state from provider_orders where order_id = ${id}`
  const placed = await placements()
  expect(placed).toEqual([{ client_ref: expect.stringMatching(/-2$/), state: 'provided' }])
  await loseDelivery(sql, id)
  await loseRow({ person, id })
  await restored()
  expect(await placements()).toEqual(placed)

  // A request that the backup has open is the one before it.
  await losePayment(sql, id)
  await sql`
    insert into provider_orders (id, order_id, provider, provider_package_code, client_ref, state, placed_after)
    values (${randomUUID()}, ${id}, 'esim-access', '', ${randomUUID()}, 'placing', now())`
  await restored()
  expect(await placements()).toEqual(placed)
})

test('U2: a page on which an order of a lost account could be paid is ended', { tags: 'long' }, async () => {
  const { person, id, payAt, sessionId } = await orderedOnTheWeb()
  await loseAccount(sql, person.accountId)
  const { restoreId, itemsOf } = await restored()
  expect(await itemsOf(sessionId)).toEqual([['to_settle', 'page_without_order']])
  await temporal.workflow.getHandle(await startRestoreRun(harness, restoreId)).result()
  expect(await itemsOf(sessionId)).toEqual([['cancelled', 'page_without_order']])
  expect((await (await pay(payAt)).text()).includes('has expired')).toBe(true)
  expect(await chargesOf(id)).toEqual([])
})

test('U2: a page that is paid before it can be ended is given back', { tags: 'long' }, async () => {
  const { person, id, payAt, sessionId } = await orderedOnTheWeb()
  await loseAccount(sql, person.accountId)
  const { restoreId, itemsOf } = await restored()
  expect((await pay(payAt)).status).toBe(303)
  await temporal.workflow.getHandle(await startRestoreRun(harness, restoreId)).result()
  expect(await itemsOf(sessionId)).toEqual([['refunded', 'page_without_order']])
  const { refunds } = await stripe.state()
  const [charge] = await chargesOf(id)
  expect(refunds.filter(({ payment_intent }) => payment_intent === charge?.id)).toHaveLength(1)
})

test('U2: a payment whose run Temporal’s list does not show yet is not given back', async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  const payment = (await findOrder(sql, id))?.payment_intent_id ?? ''
  await loseOrders(sql, person.accountId)
  const { itemsOf } = await restored(behind)
  expect(await itemsOf(payment)).toEqual([['undecided', 'run_not_listed']])
})

test('U6: a refund of an order whose own run is closed has its credit note again, and the aftercare goes on', async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  await temporal.workflow.getHandle(orderWorkflowId(id)).terminate()
  await stripe.do('warn-fraud', { orderId: id })
  await harness.untilOrder(id, 'refunded')
  const documents = await listDocuments(sql, id)
  expect(documents).toHaveLength(2)
  await loseRefund(person, id, documents)
  const { itemsOf } = await restored()
  expect(await itemsOf(id)).toEqual([['rebuilt', null]])
  expect(await findOrder(sql, id)).toMatchObject({ status: 'refunded', reason: 'fraud_warning' })
  expect(await listDocuments(sql, id)).toEqual(documents)
  await temporal.workflow.getHandle(orderAftercareWorkflowId(id)).signal(paymentSignal)
  await runLater(harness, 'paymentSweep', 0)
  expect(await listDocuments(sql, id)).toEqual(documents)
})

test('U6: the credit note of a refund that has bounced is there again under its number, and no second one is issued', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  expectStatus(await person.caller.post(`/v1/orders/${id}/refund`), 200)
  await harness.untilOrder(id, 'refunded')
  await stripe.do('fail-refund', { orderId: id })
  await harness.untilOrder(id, 'refund_failed')
  const documents = await listDocuments(sql, id)
  expect(documents).toHaveLength(2)
  const refunds = (await listRefunds(sql, id)).map(({ created_at: _at, ...refund }) => refund)
  await loseRefund(person, id, documents)
  await restored()
  expect((await findOrder(sql, id))?.status).toBe('refund_failed')
  expect(await listDocuments(sql, id)).toEqual(documents)
  expect(await listRefunds(sql, id)).toMatchObject(refunds)
  expectStatus(await harness.operator.post(`/v1/orders/${id}/refund`), 200)
  await harness.untilOrder(id, 'refunded')
  expect(await listDocuments(sql, id)).toEqual(documents)
})

test('U6: credit notes that were issued after a bounced refund have their own amounts again, not those of the refunds', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  const notes = () => sql<Pick<Invoices, 'number' | 'gross_minor' | 'tax_minor'>[]>`
    select i.number, i.gross_minor, i.tax_minor from invoices i join invoice_links l on l.number = i.number
    where l.order_id = ${id} and i.kind = 'credit_note' order by i.number`
  for (const minor of [100, 300]) {
    const key = { 'idempotency-key': randomUUID() }
    const body = { amount: { minor, currency: 'EUR' } }
    expectStatus(await harness.operator.post(`/v1/orders/${id}/refund`, body, key), 200)
    await stripe.do('fail-refund', { orderId: id })
    await until('it has bounced', async () => (await listRefunds(sql, id)).every(({ state }) => state === 'failed'))
  }
  expectStatus(await person.caller.post(`/v1/orders/${id}/refund`), 200)
  await harness.untilOrder(id, 'refunded')
  const before = await notes()
  expect(before.map(({ gross_minor: minor }) => minor)).toEqual([-100, -200, 300 - testPriceMinor])
  const refunds = (await listRefunds(sql, id)).map(({ created_at: _at, ...refund }) => refund)
  await loseRefund(person, id, await listDocuments(sql, id))
  await restored()
  expect(await notes()).toEqual(before)
  expect((await listRefunds(sql, id)).map(({ created_at: _at, ...refund }) => refund)).toEqual(
    expect.arrayContaining(refunds),
  )
})

test('U2: eSIMs that went back with a refund that Stripe has refused are an operator’s after the restore, too', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  const body = { error: { type: 'invalid_request_error', message: 'not today' } }
  await stripe.fault({ match: { method: 'POST', path: '/v1/refunds' }, status: 400, body, times: 100 })
  const part = { amount: { minor: 200, currency: 'EUR' }, esims: 'returned' }
  expect((await harness.operator.post(`/v1/orders/${id}/refund`, part)).body.code).toBe('refund_refused')
  await stripe.clearFaults()
  const tasks = () => sql<Pick<Attention, 'kind' | 'detail'>[]>`
    select kind, detail from attention where subject_id = ${id} and kind = 'returned_not_refunded'`
  const known = await tasks()
  expect(known).toEqual([{ kind: 'returned_not_refunded', detail: '1 of 1 eSIMs' }])
  await sql`delete from attention where subject_id = ${id}`
  await sql`update esims set state = 'new', return_asked_at = null where order_id = ${id}`
  await sql`delete from refunds where order_id = ${id}`
  await restored()
  expect(await tasks()).toEqual(known)
  const [esim] = await sql<Pick<Esims, 'state' | 'return_asked_at'>[]>`
    select state, return_asked_at from esims where order_id = ${id}`
  expect(esim).toEqual({ state: 'cancelled', return_asked_at: expect.any(Date) })
  // Nothing is reserved for it any more.
  expect((await listRefunds(sql, id)).filter(({ state }) => state === 'requested')).toEqual([])
})

test('U2: what a refund has reserved is not left for the one after it', async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  const order = await findOrder(sql, id)
  const payment = await context.stripe.getPayment(order?.payment_intent_id ?? '')
  const asked = (refundId: string, amountMinor: number | null): PartialRefund => ({
    input: { refundId, orderId: id, amountMinor, reason: 'goodwill', esims: 'kept' },
    refundKey: partialRefundKey(id, refundId),
    reservedAt: new Date(),
    returnedAt: undefined,
    tasks: [],
    made: undefined,
    isReleased: false,
  })
  const [some, rest] = [asked(randomUUID(), 200), asked(randomUUID(), null)]
  await sql.begin(async (tx) => {
    if (!order) throw new Error('the order is gone')
    for (const each of [some, rest, rest]) await redoReservation(tx, order, payment, each, [])
  })
  const reserved = new Map((await listRefunds(sql, id)).map((row) => [row.refund_key, row.amount_minor]))
  expect(reserved).toEqual(
    new Map([
      [some.refundKey, 200],
      [rest.refundKey, payment.amountReceivedMinor - 200],
    ]),
  )
  const stale = { ...payment, status: 'processing', amountReceivedMinor: 0 } as const
  await expect(
    sql.begin(async (tx) => order && redoReservation(tx, order, stale, asked(randomUUID(), null), [])),
  ).rejects.toThrow('cannot be reached')
  await sql`delete from refunds where order_id = ${id}`
})

test('U2: of two payments of one order since the dump none is forgotten', async () => {
  const orderId = randomUUID()
  const metadata = { order_id: orderId, mark: paymentMark(cipher, orderId) }
  const created = Math.floor(Date.now() / 1000)
  const payment = { amount: 500, currency: 'eur', metadata, created }
  const { planted } = await stripe.do('plant', { payments: [payment, payment] })
  expect(planted).toHaveLength(2)
  const { itemsOf } = await restored()
  for (const { paymentIntent } of planted) expect(await itemsOf(paymentIntent)).toEqual([['to_settle', 'no_run']])
})
