/**
 * U2 and U6: paid means delivered or refunded, and accounting and tax duties are met. Orders that a restore cannot
 * rebuild while their run is open. The run goes on with the row as it is: nothing of that may refund what was
 * delivered, deliver what was refunded, or number a document twice.
 */
import { beforeAll, expect, test } from 'vitest'
import { createFailureIsolation } from '../../cli/restore/failure-isolation.ts'
import { listOrderRuns } from '../../cli/restore/order-runs.ts'
import { rebuild } from '../../cli/restore/rebuild.ts'
import { repeating } from '../../cli/restore/until-answered.ts'
import { listItems, listItemsToSettle } from '../../db/backup/restores.ts'
import { listDocuments } from '../../db/order/books.ts'
import { findOrder } from '../../db/order/orders.ts'
import { plusMs } from '../../shared/calendar.ts'
import { orderWorkflowId, paymentSignal, providerSignal } from '../../workflows/order/order.contract.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { loseDelivery, loseOrders, losePayment, openRestore } from '../harness/lost.ts'
import type { BuyOptions } from '../harness/purchases.ts'
import { runLater } from '../harness/temporal/run-later.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack({ books: false, model: false })
const { temporal } = harness
const { stripe, esimAccess } = harness.sims
const context = repeating(harness.context, 0)
const { sql } = context
const always = 1_000_000
const missing = { error: { type: 'invalid_request_error', code: 'resource_missing', message: 'No such payment' } }
const since = plusMs(new Date(), -1_000)

interface Task {
  kind: string
  detail: string | null
  attributes: Record<string, unknown> | null
}

interface Bought {
  accountId: string
  orderId: string
  payment: string
  /** of its documents, which the dump does not have */
  numbers: string[]
}

async function bought(how: BuyOptions = {}): Promise<Bought> {
  const { accountId } = await harness.signUp()
  const { id: orderId } = await harness.buy({ accountId }, { packageCode: testPackages.onlyEsimAccess, ...how })
  return { accountId, orderId, payment: (await findOrder(sql, orderId))?.payment_intent_id ?? '', numbers: [] }
}
const inReview = { pay: { riskLevel: 'elevated' }, until: 'in_review' }
const statusOf = async (orderId: string) => (await findOrder(sql, orderId))?.status
const documentsOf = async (orderId: string) => (await listDocuments(sql, orderId)).map(({ number }) => number)
const refundsOf = async (payment: string) =>
  (await stripe.state()).refunds.filter(({ payment_intent }) => payment_intent === payment)
const openTasksOf = (subjectId: string) => sql<Task[]>`
  select kind, detail, attributes from attention where subject_id = ${subjectId} and resolved_at is null order by kind`
const itemsOf = async (subjectId: string) =>
  (await listItems(sql, restoreId, { after: undefined, outcome: undefined, limit: 100 })).filter(
    (item) => item.subjectId === subjectId,
  )

/** Refunded since the dump, with a credit note. */
async function refunded(): Promise<Bought> {
  const buyer = await bought()
  const { accountId, orderId } = buyer
  expectStatus(await harness.service.post(`/v1/orders/${orderId}/refund`), 200)
  await harness.untilOrder(orderId, 'refunded')
  const [, ...numbers] = await documentsOf(orderId)
  await sql.begin(async (tx) => {
    await tx`select erase_only(${accountId})`
    await tx`delete from invoices where number in ${tx(numbers)}`
    await tx`delete from refunds where order_id = ${orderId}`
    await tx`update orders set status = 'delivered', reason = null where id = ${orderId}`
  })
  return { ...buyer, numbers }
}

let people: Record<'delivered' | 'unpaid' | 'failing' | 'lost' | 'held' | 'credited', Bought>
let restoreId: string

beforeAll(async () => {
  const [delivered, unpaid, failing, lost, held, credited] = await Promise.all([
    bought(),
    bought(),
    bought(),
    bought(),
    bought(inReview),
    refunded(),
  ])
  people = { delivered, unpaid, failing, lost, held, credited }
  await until('their runs show what they have done', async () => {
    const runs = await listOrderRuns(temporal, since)
    const shows = (wanted: string) => (buyer: Bought) =>
      runs.some(({ orderId, status }) => orderId === buyer.orderId && status === wanted)
    return (
      [delivered, unpaid, failing, lost].every(shows('delivered')) &&
      shows('in_review')(held) &&
      shows('refunded')(credited)
    )
  })
  for (const each of [delivered, failing]) each.numbers = await loseDelivery(sql, each.orderId)
  unpaid.numbers = await losePayment(sql, unpaid.orderId)
  // Its document cannot be written again: the number is another one's.
  await sql`insert into invoices select (jsonb_populate_record(i, jsonb_build_object(
      'number', ${failing.numbers[0] ?? ''}::text, 'series', 'AMA-OTHER', 'sequence', 1))).*
    from invoices i where kind = 'invoice' limit 1`
  for (const { accountId } of [lost, held]) await loseOrders(sql, accountId)
  for (const { payment } of [delivered, unpaid, lost, held, credited])
    await stripe.fault({
      match: { path: `^/v1/payment_intents/${payment}` },
      status: 404,
      body: missing,
      times: always,
    })
  restoreId = await openRestore(sql)
  const options = {
    restoreId,
    since,
    settled: [],
    temporal,
    isolate: createFailureIsolation(sql, restoreId),
    say: () => undefined,
  }
  await rebuild(context, options)
  await stripe.clearFaults()
  // The first hint that comes has each run look at its rows.
  for (const { orderId } of [delivered, unpaid, failing, lost])
    await temporal.workflow.getHandle(orderWorkflowId(orderId)).signal(providerSignal)
  await temporal.workflow.getHandle(orderWorkflowId(credited.orderId)).signal(paymentSignal)
  await runLater(harness, 'paymentSweep', 0)
})

test('U6: a delivered order whose payment cannot be read has its own invoice again', async () => {
  const { orderId, numbers } = people.delivered
  expect(numbers).toHaveLength(1)
  expect(await statusOf(orderId)).toBe('delivered')
  expect(await documentsOf(orderId)).toEqual(numbers)
  expect(await itemsOf(orderId)).toEqual([{ kind: 'order', subjectId: orderId, outcome: 'rebuilt', detail: null }])
})

test.each([
  ['whose payment the dump does not have and Stripe does not show', 'unpaid', 'payment_unread'],
  ['whose invoice cannot be written', 'failing', 'invoices_pkey'],
] as const)(
  'U2, U6: a delivered order %s gets no second invoice and no refund, but an operator',
  async (_what, who, detail) => {
    const { orderId, payment, numbers } = people[who]
    expect(await findOrder(sql, orderId)).toMatchObject({ status: 'cancelled', reason: 'payment_not_accepted' })
    expect(await documentsOf(orderId)).toEqual([])
    expect(await refundsOf(payment)).toEqual([])
    const attributes = expect.objectContaining({ run: 'open, delivered', payments: payment, invoice: numbers[0] })
    expect(await openTasksOf(orderId)).toEqual([
      { kind: 'payment_not_accepted', detail: 'restore', attributes: null },
      { kind: 'restore_undecided', detail, attributes },
    ])
  },
)

test('U6: a refund that cannot be read has no second credit note, as long as no operator has looked', async () => {
  const { orderId, numbers } = people.credited
  expect(numbers).toHaveLength(1)
  expect(await statusOf(orderId)).toBe('refunded')
  await until(
    'its run has looked',
    async () => (await sql`select from refunds where order_id = ${orderId}`).length === 1,
  )
  expect(await documentsOf(orderId)).toHaveLength(1)
  expect(await openTasksOf(orderId)).toMatchObject([{ kind: 'restore_undecided', detail: 'payment_unread' }])
})

test.each([
  ['is delivered', 'lost', 'open, delivered'],
  ['is held for an operator', 'held', 'open, in_review'],
] as const)(
  'U2: an order that is lost, and %s as its open run has it, is an operator task as a whole',
  async (_what, who, run) => {
    const { orderId, payment } = people[who]
    expect(await statusOf(orderId)).toBeUndefined()
    expect((await listItemsToSettle(sql, restoreId)).map(({ subjectId }) => subjectId)).not.toContain(payment)
    expect(await refundsOf(payment)).toEqual([])
    const attributes = expect.objectContaining({ run, payments: payment })
    expect(await openTasksOf(orderId)).toEqual([{ kind: 'restore_undecided', detail: 'payment_unread', attributes }])
    const named = (await openTasksOf(orderId))[0]?.attributes ?? {}
    const { orders } = await esimAccess.state()
    if (who === 'lost') expect(orders.map(({ orderNo }) => `esim-access:${orderNo}`)).toContain(named.orders)
    else expect(named).not.toHaveProperty('orders')
    expect(await openTasksOf(payment)).toMatchObject([{ kind: 'restore_undecided', detail: 'resource_missing' }])
  },
)
