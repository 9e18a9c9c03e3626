/**
 * U2: paid means delivered or refunded. What a restore has left undecided is tried again once its cause has gone,
 * without doing anything twice.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createFailureIsolation } from '../../cli/restore/failure-isolation.ts'
import { listOrderRuns } from '../../cli/restore/order-runs.ts'
import { rebuild } from '../../cli/restore/rebuild.ts'
import { retryUndecided } from '../../cli/restore/retry.ts'
import { repeating } from '../../cli/restore/until-answered.ts'
import { listItems } from '../../db/backup/restores.ts'
import { listDocuments } from '../../db/order/books.ts'
import { findOrder } from '../../db/order/orders.ts'
import { plusMs } from '../../shared/calendar.ts'
import { shareStack } from '../harness/harness.ts'
import { loseDelivery, loseOrders, losePayment, openRestore } from '../harness/lost.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack({ books: false })
const { temporal } = harness
const { stripe } = harness.sims
const context = repeating(harness.context, 0)
const { sql } = context
const always = 1_000_000
const since = plusMs(new Date(), -1_000)
afterAll(() => stripe.clearFaults())

interface Bought {
  accountId: string
  orderId: string
  payment: string
  numbers: string[]
}
async function bought(): Promise<Bought> {
  const { accountId } = await harness.signUp()
  const { id: orderId } = await harness.buy({ accountId }, { packageCode: testPackages.onlyEsimAccess })
  const numbers = (await listDocuments(sql, orderId)).map(({ number }) => number)
  return { accountId, orderId, payment: (await findOrder(sql, orderId))?.payment_intent_id ?? '', numbers }
}

async function loseWithDocuments({ accountId, numbers }: Bought): Promise<void> {
  await loseOrders(sql, accountId)
  await sql`delete from invoices where number = any(${numbers})`
}

const itemsOf = async (subjectId: string) =>
  (await listItems(sql, restoreId, { after: undefined, outcome: undefined, limit: 100 })).filter(
    (item) => item.subjectId === subjectId,
  )
const openTasksOf = async (subjectId: string) => {
  const tasks = await sql<{ kind: string }[]>`
    select kind from attention where subject_id = ${subjectId} and resolved_at is null order by kind`
  return tasks.map(({ kind }) => kind)
}
/** All that a second try could have done twice. */
async function stateOf({ orderId, payment }: Bought) {
  const intent = (await stripe.state()).refunds.filter(({ payment_intent }) => payment_intent === payment)
  const [counts] = await sql`
    select (select count(*)::int from esims where order_id = ${orderId}) as esims,
      (select count(*)::int from provider_orders where order_id = ${orderId}) as placements,
      (select count(*)::int from refunds where order_id = ${orderId}) as refunds,
      (select array_agg(number order by number) from invoice_links where order_id = ${orderId}) as numbers,
      (select count(*)::int from order_facts f join orders o on o.fact_id = f.id where o.id = ${orderId}) as facts`
  return { ...counts, status: (await findOrder(sql, orderId))?.status, refundsAtStripe: intent.length }
}
const retry = () => retryUndecided(context, temporal, { id: restoreId, readsSince: since }, () => undefined)

let people: Record<'closed' | 'lost' | 'failing' | 'decided' | 'otherUnpaid' | 'otherGone', Bought>
let restoreId: string
const before = new Map<string, unknown>()

beforeAll(async () => {
  const [closed, lost, failing, decided] = await Promise.all([bought(), bought(), bought(), bought()])
  const [otherUnpaid, otherGone] = await Promise.all([bought(), bought()])
  people = { closed, lost, failing, decided, otherUnpaid, otherGone }
  const all = Object.values(people)
  await until('their runs show what they have done', async () => {
    const runs = await listOrderRuns(temporal, since)
    return all.every(({ orderId }) => runs.some((run) => run.orderId === orderId && run.status === 'delivered'))
  })
  for (const each of all) before.set(each.orderId, await stateOf(each))
  // The document of this order cannot be written again: its number is another one's.
  await loseDelivery(sql, failing.orderId)
  await sql`insert into invoices select (jsonb_populate_record(i, jsonb_build_object(
      'number', ${failing.numbers[0] ?? ''}::text, 'series', 'AMA-OTHER', 'sequence', 1))).*
    from invoices i where kind = 'invoice' limit 1`
  for (const { orderId } of [closed, decided]) await losePayment(sql, orderId)
  await loseWithDocuments(lost)
  for (const { payment } of [closed, lost, decided])
    await stripe.fault({ match: { path: `^/v1/payment_intents/${payment}` }, status: 503, times: always })
  restoreId = await openRestore(sql)
  const isolate = createFailureIsolation(sql, restoreId)
  await rebuild(context, { restoreId, since, settled: [], temporal, isolate, say: () => undefined })
  // A retry that does not leave them alone rebuilds the one, and takes the payment of the other for one without an
  // order.
  await losePayment(sql, otherUnpaid.orderId)
  await loseWithDocuments(otherGone)
})

test('an order whose cause is still there stays undecided, with its tasks', async () => {
  const { closed } = people
  expect(await retry()).toMatchObject({ decided: 0, toSettle: false })
  expect(await itemsOf(closed.orderId)).toMatchObject([{ outcome: 'undecided', detail: 'payment_unread' }])
  expect(await findOrder(sql, closed.orderId)).toMatchObject({ status: 'cancelled', reason: 'payment_not_accepted' })
  expect(await openTasksOf(closed.orderId)).toEqual(['payment_not_accepted', 'restore_undecided'])
})

test('U2, U6: undecided orders are rebuilt under their own numbers once their payment can be read, and their tasks are settled', async () => {
  const { closed, lost, failing, decided } = people
  // An operator has looked at it, and leaves it closed.
  await sql`update attention set resolved_at = now(), resolved_by = 'operator' where subject_id = ${decided.orderId}`
  await stripe.clearFaults()
  // The five are two orders and three payments.
  expect(await retry()).toMatchObject({ decided: 5, toSettle: false })
  for (const each of [closed, lost]) {
    expect(await stateOf(each)).toEqual(before.get(each.orderId))
    expect(await itemsOf(each.orderId)).toMatchObject([{ kind: 'order', outcome: 'rebuilt', detail: null }])
    expect(await itemsOf(each.payment)).toMatchObject([{ kind: 'payment', outcome: 'rebuilt' }])
    expect([await openTasksOf(each.orderId), await openTasksOf(each.payment)]).toEqual([[], []])
  }
  expect(await findOrder(sql, decided.orderId)).toMatchObject({ status: 'cancelled', reason: 'payment_not_accepted' })
  expect(await itemsOf(decided.orderId)).toMatchObject([{ outcome: 'undecided' }])
  expect(await itemsOf(failing.orderId)).toMatchObject([{ outcome: 'undecided', detail: 'invoices_pkey' }])
  expect(await openTasksOf(failing.orderId)).toEqual(['payment_not_accepted', 'restore_undecided'])
  expect(await findOrder(sql, failing.orderId)).toMatchObject({ status: 'cancelled', reason: 'payment_not_accepted' })
  const lostNumbers = await sql`select from lost_numbers where restore_id = ${restoreId}`
  expect(lostNumbers).toHaveLength(0)
})

test('what is decided is not tried again', async () => {
  const { closed, lost, failing } = people
  expect(await retry()).toEqual({ tried: 1, decided: 0, toSettle: false })
  for (const each of [closed, lost]) expect(await stateOf(each)).toEqual(before.get(each.orderId))
  // The cause has gone.
  await sql`delete from invoices where number = any(${failing.numbers})`
  expect(await retry()).toEqual({ tried: 1, decided: 1, toSettle: false })
  expect(await stateOf(failing)).toEqual(before.get(failing.orderId))
  expect(await retry()).toEqual({ tried: 0, decided: 0, toSettle: false })
})

test('an order or payment that is not undecided is not touched', async () => {
  const { otherUnpaid, otherGone } = people
  const others = [otherUnpaid, otherGone]
  expect(await findOrder(sql, otherUnpaid.orderId)).toMatchObject({ status: 'awaiting_payment' })
  expect(await findOrder(sql, otherGone.orderId)).toBeUndefined()
  for (const { orderId, payment } of others) expect([await itemsOf(orderId), await itemsOf(payment)]).toEqual([[], []])
  // Both are rebuilt when they are wanted.
  const again = new Set(others.map(({ orderId }) => orderId))
  const isolate = createFailureIsolation(sql, restoreId)
  await rebuild(context, { restoreId, since, settled: [], temporal, isolate, say: () => undefined, again })
  for (const each of others) expect(await stateOf(each)).toEqual(before.get(each.orderId))
})
