/**
 * U2: paid means delivered or refunded. Orders that a restore cannot decide are left to operators. Nothing refunds an
 * order of which nobody knows whether it was delivered.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createFailureIsolation } from '../../cli/restore/failure-isolation.ts'
import { listOrderRuns } from '../../cli/restore/order-runs.ts'
import { rebuild } from '../../cli/restore/rebuild.ts'
import { repeating } from '../../cli/restore/until-answered.ts'
import { listItems, listItemsToSettle } from '../../db/backup/restores.ts'
import { findOrder } from '../../db/order/orders.ts'
import { plusMs } from '../../shared/calendar.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { loseOrders, openRestore } from '../harness/lost.ts'
import type { Person } from '../harness/people.ts'
import { untilNoneIsMissing } from '../harness/temporal/stalled-orders.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack({ books: false })
const { temporal } = harness
const { stripe } = harness.sims
const context = repeating(harness.context, 0)
const { sql } = context
const always = 1_000_000
const since = plusMs(new Date(), -1_000)

const paymentOf = async (orderId: string): Promise<string> => (await findOrder(sql, orderId))?.payment_intent_id ?? ''
const tasksOf = (subjectId: string) => sql<{ kind: string; detail: string | null }[]>`
  select kind, detail from attention where subject_id = ${subjectId} and resolved_at is null order by kind`
const itemsOf = (restoreId: string) => listItems(sql, restoreId, { after: undefined, outcome: undefined, limit: 100 })
const unanswered = (payment: string) =>
  stripe.fault({ match: { path: `^/v1/payment_intents/${payment}` }, status: 503, times: always })
afterAll(() => stripe.clearFaults())

interface ToppedUp {
  person: Person
  orderId: string
  topUpId: string
  /** of the top-up */
  payment: string
}

/** The run of a top-up closes with its delivery. */
async function toppedUp(): Promise<ToppedUp> {
  const person = await harness.signUp()
  const { id: orderId } = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  const body = { packageCode: testPackages.topUp }
  const { id: topUpId } = expectStatus(await person.caller.post(`/v1/orders/${orderId}/top-up`, body), 201)
  await stripe.do('pay', { orderId: topUpId })
  await harness.untilOrder(topUpId, 'delivered')
  // Temporal lists it as closed some time after the end.
  await until('its run is listed as closed', async () =>
    (await listOrderRuns(temporal, since)).some((run) => run.orderId === topUpId && !run.isOpen),
  )
  return { person, orderId, topUpId, payment: await paymentOf(topUpId) }
}
/** Plants the row of an order as a dump from before its delivery has it. */
const plant = (orderId: string, row: { status: string; payment_intent_id?: null; checkout_session_id?: string }) =>
  sql`update orders set ${sql({ ...row, delivered_at: null, ended_at: null })} where id = ${orderId}`

let people: Record<'unread' | 'hosted' | 'failing' | 'lost', ToppedUp>
let lostPayment: string
let restoreId: string

beforeAll(async () => {
  const [unread, hosted, failing, lost] = await Promise.all([toppedUp(), toppedUp(), toppedUp(), toppedUp()])
  people = { unread, hosted, failing, lost }
  lostPayment = await paymentOf(lost.orderId)
  await plant(unread.topUpId, { status: 'awaiting_payment' })
  const page = `cs_test_${randomUUID()}`
  await plant(hosted.topUpId, { status: 'awaiting_payment', payment_intent_id: null, checkout_session_id: page })
  // Its invoice is not lost, so that it cannot be written again.
  await plant(failing.topUpId, { status: 'awaiting_payment' })
  await loseOrders(sql, lost.person.accountId)
  for (const payment of [unread.payment, hosted.payment, lostPayment]) await unanswered(payment)
  restoreId = await openRestore(sql)
  const isolate = createFailureIsolation(sql, restoreId)
  const options = { restoreId, since, settled: [], temporal, isolate, say: () => undefined }
  await rebuild(context, options)
  await stripe.clearFaults()
})

test.each([
  ['whose payment cannot be read', 'unread', 'payment_unread'],
  ['that was paid on Stripe’s page by a payment that cannot be read', 'hosted', 'payment_unread'],
  ['that cannot be written in full', 'failing', 'invoices_pkey'],
] as const)(
  'U2: an order %s, and has no run any more, is refunded by nobody but an operator',
  async (_what, who, detail) => {
    const { topUpId } = people[who]
    const order = await findOrder(sql, topUpId)
    expect(order).toMatchObject({ status: 'cancelled', reason: 'payment_not_accepted', ended_at: expect.any(Date) })
    expect(await tasksOf(topUpId)).toEqual([
      { kind: 'payment_not_accepted', detail: 'restore' },
      { kind: 'restore_undecided', detail },
    ])
    expect(await itemsOf(restoreId)).toContainEqual({ kind: 'order', subjectId: topUpId, outcome: 'undecided', detail })
  },
)

test('U2: a top-up of an order that is undecided is undecided, and not refunded', async () => {
  const { orderId, topUpId, payment } = people.lost
  const items = await itemsOf(restoreId)
  const undecided = { kind: 'order', outcome: 'undecided' }
  expect(items).toContainEqual({ ...undecided, subjectId: orderId, detail: 'payment_unread' })
  expect(items).toContainEqual({ ...undecided, subjectId: topUpId, detail: 'first_order_undecided' })
  expect(items.filter(({ subjectId }) => [payment, lostPayment].includes(subjectId))).toEqual([
    { kind: 'payment', subjectId: lostPayment, outcome: 'undecided', detail: 'http_503' },
  ])
  expect(await listItemsToSettle(sql, restoreId)).toEqual([])
})

test('orders of a large world that have stalled are named, with what their rows and runs say', async () => {
  const { orderId } = people.hosted
  const options = { stillForMs: 0, everyMs: 1, missing: () => [orderId] }
  const named = new RegExp(`1 orders have stalled.*${orderId}.*delivered.*watchEsims`, 's')
  await expect(untilNoneIsMissing(harness, async () => undefined, options)).rejects.toThrow(named)
})
