/**
 * U2: paid means delivered or refunded. A provider's orders may differ from those of the dump, and one order never ends
 * a restore.
 */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { placementPrefix } from '../../activities/order/placement-reference.ts'
import { createFailureIsolation } from '../../cli/restore/failure-isolation.ts'
import { readOrderRun } from '../../cli/restore/order-runs.ts'
import { leaveDuplicates, type PlacedOrder } from '../../cli/restore/orders/own-order.ts'
import { rebuildOrder } from '../../cli/restore/orders/rebuild-order.ts'
import { findNotes } from '../../cli/restore/orders/rebuild-refunds.ts'
import { referencesOf } from '../../cli/restore/orders/run-reports.ts'
import { HistoryUnreadable, type RecordedActivity } from '../../cli/restore/run-history.ts'
import { repeating } from '../../cli/restore/until-answered.ts'
import { listItems } from '../../db/backup/restores.ts'
import type { OrderHistory, ProviderOrders } from '../../db/connection/schema.ts'
import { DataKeyMissing } from '../../db/crypto/data-keys.ts'
import { listDocuments } from '../../db/order/books.ts'
import { findOrder } from '../../db/order/orders.ts'
import { esimProviderIds } from '../../policy/outside-parties.ts'
import { ProviderFailure } from '../../providers/failure.ts'
import type { OrderStatus } from '../../workflows/order/order.contract.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { shareStack } from '../harness/harness.ts'
import { loseOrders, openRestore } from '../harness/lost.ts'
import type { OrderView } from '../harness/purchases.ts'
import { runLater } from '../harness/temporal/run-later.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack({ books: false })
const { temporal } = harness
const context = repeating(harness.context, 0)
const { sql, esimProviders, stripe } = context

interface Lost {
  order: OrderView
  placed: PlacedOrder[]
  /** Rebuilds the order's rows. @param as changes what its run has done @param isOpen of the run */
  rebuild(as?: (activities: RecordedActivity[]) => RecordedActivity[], isOpen?: boolean): Promise<unknown>
  references: string[]
}

/** An order whose rows are lost, while its run and the providers have it. */
async function lost(packageCode: string, before: (order: OrderView) => Promise<unknown> = async () => {}) {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode })
  await before(order)
  const { runId, startTime } = await temporal.workflow.getHandle(orderWorkflowId(order.id)).describe()
  const status: OrderStatus = 'delivered'
  const run = await readOrderRun(temporal, { orderId: order.id, runId, isOpen: true, status, startedAt: startTime })
  const payment = await stripe.getPayment((await findOrder(sql, order.id))?.payment_intent_id ?? '')
  if (!run) throw new Error('the run is gone')
  const references = referencesOf(run)
  const placed: PlacedOrder[] = []
  for (const provider of esimProviderIds) {
    const { findOrdersOf } = esimProviders[provider]
    const prefixes = references.map((each) => placementPrefix(each, provider))
    for (const found of await findOrdersOf(prefixes, startTime.toISOString())) placed.push({ provider, ...found })
  }
  await loseOrders(sql, person.accountId)
  // Its invoice is not lost.
  const beforeDelivery = run.activities.filter(({ type }) => type !== 'recordDelivery')
  return {
    order,
    placed,
    references,
    rebuild: (as = (activities) => activities, isOpen = true) =>
      rebuildOrder(context, {
        run: { ...run, isOpen, activities: as(beforeDelivery) },
        payment: { id: payment.paymentIntentId, read: async () => payment, readIfShown: async () => payment },
        placed,
        partialRefunds: [],
      }),
  } satisfies Lost
}

const beforeProvision = (activities: RecordedActivity[]) => activities.filter(({ type }) => type !== 'provision')
const whileProvisioning = (activities: RecordedActivity[]) =>
  activities.map((each) => (each.type === 'provision' ? { ...each, completed: undefined } : each))

const answered = (result: unknown) => (activities: RecordedActivity[]) =>
  activities.map((each) => (each.type === 'confirmPayment' ? { ...each, completed: { result } } : each))

/** A request that the dump has open. */
const plantOpen = (orderId: string, provider: string) => sql`
  insert into provider_orders (id, order_id, provider, provider_package_code, client_ref, state, placed_after)
  values (${randomUUID()}, ${orderId}, ${provider}, '', ${randomUUID()}, 'placing', now())`
const placements = (orderId: string) => sql<
  Pick<ProviderOrders, 'provider' | 'client_ref' | 'provider_order_no' | 'state'>[]
>`
  select provider, client_ref, provider_order_no, state from provider_orders where order_id = ${orderId}`
const esimsOf = async (orderId: string) => (await harness.service.get(`/v1/orders/${orderId}`)).body.esims
const itemsOf = (restoreId: string) => listItems(sql, restoreId, { after: undefined, outcome: undefined, limit: 100 })
const tasksOf = (subjectId: string) => sql`
  select kind, detail, attributes from attention where subject_id = ${subjectId} and resolved_at is null`

test('an order that Airalo has twice is rebuilt with the first, and an operator is told of the copy', {
  tags: 'long',
}, async () => {
  const { order, placed, references, rebuild } = await lost(testPackages.onlyAiralo, async ({ id }) => {
    const [placement] = await placements(id)
    const packageCode = 'hallo-mobil-7days-1gb'
    const clientRef = placement?.client_ref ?? ''
    await esimProviders.airalo.placeOrder({ clientRef, packageCode, quantity: 1 })
  })
  expect(placed).toHaveLength(2)
  await rebuild()
  const [first, copy] = placed
  expect(await placements(order.id)).toMatchObject([{ provider_order_no: first?.orderNo, state: 'provided' }])
  expect((await esimsOf(order.id)).map(({ iccid }: { iccid: string }) => iccid)).toEqual([order.esims[0].iccid])

  const restoreId = await openRestore(sql)
  await leaveDuplicates(sql, restoreId, { orderId: order.id, references, placed })
  const subjectId = `airalo:${copy?.orderNo}`
  expect(await itemsOf(restoreId)).toEqual([
    { kind: 'provider_order', subjectId, outcome: 'undecided', detail: 'duplicate' },
  ])
  expect(await tasksOf(order.id)).toEqual([
    { kind: 'provider_order_unreturned', detail: 'duplicate', attributes: { orders: subjectId } },
  ])
})

test.each([
  ['another provider has filled', testPackages.onlyAiralo, 'esim-access'],
  ['the same provider has filled under another reference', testPackages.onlyEsimAccess, 'esim-access'],
] as const)('a request that the dump has open gives way to that of an order that %s', async (_name, code, openAt) => {
  const { order, placed, rebuild } = await lost(code)
  await rebuild(beforeProvision)
  await plantOpen(order.id, openAt)
  await rebuild()
  const { provider, clientRef: client_ref, orderNo: provider_order_no }: Partial<PlacedOrder> = placed[0] ?? {}
  expect(await placements(order.id)).toEqual([{ provider, client_ref, provider_order_no, state: 'provided' }])
  expect((await esimsOf(order.id)).map(({ iccid }: { iccid: string }) => iccid)).toEqual([order.esims[0].iccid])
})

test('a request that the dump has open gives way to one whose answer the run still waits for', async () => {
  const { order, placed, rebuild } = await lost(testPackages.onlyAiralo)
  await rebuild(beforeProvision)
  await plantOpen(order.id, 'airalo')
  await rebuild(whileProvisioning)
  const found = { client_ref: placed[0]?.clientRef, provider_order_no: placed[0]?.orderNo }
  expect(await placements(order.id)).toMatchObject([{ ...found, state: 'placed' }])
  // Repeated, it stays so.
  await rebuild(whileProvisioning)
  expect(await placements(order.id)).toMatchObject([{ ...found, state: 'placed' }])
})

test('U2: an order whose eSIMs its provider does not know any more becomes an operator task or is refunded, and no check counts it as delivered', async () => {
  const { order, placed, rebuild } = await lost(testPackages.onlyEsimAccess)
  const orderNo = placed[0]?.orderNo ?? ''
  await harness.sims.esimAccess.refuse({ match: { contains: orderNo }, code: '310272', times: 1_000_000 })
  await rebuild()
  await harness.sims.esimAccess.clearFaults()
  expect(await tasksOf(order.id)).toMatchObject([{ kind: 'restore_undecided', detail: 'provider_order_unknown' }])
  expect(await placements(order.id)).toMatchObject([{ provider_order_no: orderNo, state: 'placed' }])

  // While its run still shows it as delivered, it is an operator task. Once the run is over, it is refunded, by a run
  // of its own.
  await until('a sweep leaves it to an operator, or has it refunded', async () => {
    await runLater(harness, 'paymentSweep', 0)
    const status = (await findOrder(sql, order.id))?.status ?? ''
    const kinds = (await tasksOf(order.id)).map(({ kind }) => kind)
    return status === 'provisioning' ? kinds.includes('order_out_of_step') : /^refund(ing|ed)$/.test(status)
  })
  expect((await findOrder(sql, order.id))?.delivered_at).toBeNull()
  expect(await listDocuments(sql, order.id)).toEqual([])
})

test('what the run of an order has left to operators of its providers is left to them again', async () => {
  const { order, rebuild } = await lost(testPackages.onlyEsimAccess)
  const left = (type: string, ...tasks: { kind: string; detail?: string }[]): RecordedActivity => ({
    type,
    input: undefined,
    at: new Date(),
    completed: { result: { tasks } },
  })
  await rebuild((activities) => [
    ...activities,
    left('withdrawEsims', { kind: 'provider_refund_requested' }),
    left('releaseProvision', { kind: 'provider_order_unreturned', detail: 'top_up_applied' }),
  ])
  expect(new Set(await tasksOf(order.id))).toEqual(
    new Set([
      { kind: 'provider_order_unreturned', detail: 'top_up_applied', attributes: null },
      { kind: 'provider_refund_requested', detail: null, attributes: null },
    ]),
  )
  // The books of its provider are compared with it.
  expect(await sql`select state, reason from provider_orders where order_id = ${order.id}`).toMatchObject([
    { state: 'released', reason: 'top_up_applied' },
  ])
})

test('U2: a rebuilt order is promised for when its run has said, of whose payment nobody may have heard for long', async () => {
  const { order, rebuild } = await lost(testPackages.onlyEsimAccess)
  const promised = new Date(order.paidAt)
  promised.setMinutes(promised.getMinutes() + 17)
  const told = { state: 'paid', review: null, deliverBy: promised.toISOString() }
  await rebuild(answered(told))
  expect((await findOrder(sql, order.id))?.deliver_by).toEqual(promised)
})

test('a rebuilt order was reviewed when its run has said', async () => {
  const { order, rebuild } = await lost(testPackages.onlyEsimAccess)
  await rebuild(answered({ state: 'paid', review: 'payment_risk' }))
  const [review] = await sql<Pick<OrderHistory, 'at' | 'detail'>[]>`
    select at, detail from order_history where order_id = ${order.id}`
  expect(review).toEqual({ at: (await findOrder(sql, order.id))?.paid_at, detail: 'payment_risk' })
})

test('an order that its run follows no more is rebuilt with the use of its eSIMs, as the provider says it', async () => {
  const used = 2 ** 20
  const { order, rebuild } = await lost(testPackages.onlyEsimAccess, async ({ esims }) => {
    await harness.sims.esimAccess.do('use', { iccid: esims[0].iccid, bytes: used })
  })
  await rebuild(undefined, false)
  expect(await esimsOf(order.id)).toMatchObject([{ usedBytes: used, state: 'in_use' }])
  // One that the provider does not speak of keeps nothing from being rebuilt.
  await harness.sims.esimAccess.refuse({ match: { contains: 'esimTranNo' }, code: '310272', times: 1_000_000 })
  await rebuild(undefined, false)
  await harness.sims.esimAccess.clearFaults()
})

test('U6: a refund keeps its credit note when another one was made after it that no run knows', async () => {
  const of = { status: 'succeeded', refundKey: null } as const
  const [first, later] = [
    { ...of, refundId: 're_1', amountMinor: 100 },
    { ...of, refundId: 're_2', amountMinor: 50 },
  ]
  const note = { number: 'AMA-CN-2026-000999', issuedOn: '2026-11-29' }
  const own = {
    reason: 'returned_unused',
    at: new Date('2026-11-29T10:00:00Z'),
    creditNotes: [note],
    isTakenBack: false,
  } as const
  // Stripe lists the newest first.
  const found = await sql.begin((tx) => findNotes(tx, [later, first], { partialRefunds: [], own }))
  expect(found).toEqual([{ refund: first, ...note }])
  // The note of a refund that has bounced is the only one, also of the refund that was made in its place.
  const bounced = { ...first, status: 'failed', refundKey: 'order-1:refund-1' } as const
  for (const [refunds, noted] of [
    [[bounced], bounced],
    [[later, bounced], later],
  ] as const)
    expect(await sql.begin((tx) => findNotes(tx, refunds, { partialRefunds: [], own }))).toEqual([
      { refund: noted, ...note },
    ])
})

test.each([
  ['a violated constraint', () => sql`insert into counters (series, last) values ('', 1), ('', 2)`, 'counters_pkey'],
  ['data that cannot be stored', () => sql`select 'x'::text::integer`, 'sql_22P02'],
  [
    'a refusal of an outside party',
    () => new ProviderFailure('stripe', 'rejected', 'unknown_payment'),
    'unknown_payment',
  ],
  [
    'an answer that does not come',
    () => new ProviderFailure('airalo', 'unavailable', 'still_allocating'),
    'still_allocating',
  ],
  ['a fault of ours', () => new TypeError('undefined has no name'), 'TypeError'],
  ['a text that is no JSON', () => new SyntaxError('Unexpected token'), 'SyntaxError'],
  ['a person whose key is lost', () => new DataKeyMissing(randomUUID()), 'DataKeyMissing'],
  ['a history that nobody can read', () => new HistoryUnreadable(), 'HistoryUnreadable'],
  ['a value that is missing', () => sql`select ${JSON.parse('{}').missing}`, 'UNDEFINED_VALUE'],
  ['an address that is none', () => new URL('none'), 'ERR_INVALID_URL'],
  ['a refusal by a rule of the database', () => sql`do $$ begin raise exception 'refused'; end $$`, 'sql_P0001'],
] as const)('%s leaves one order undecided, and the restore goes on', async (_name, cause, code) => {
  const restoreId = await openRestore(sql)
  const isolate = createFailureIsolation(sql, restoreId)
  const subjectId = randomUUID()
  const failing = async () => {
    const answer = await cause()
    if (answer instanceof Error) throw answer
  }
  expect(await isolate({ kind: 'order', subjectId }, failing)).toBeUndefined()
  expect(await isolate({ kind: 'order', subjectId: randomUUID() }, async () => 'done')).toBe('done')
  expect(await itemsOf(restoreId)).toEqual([{ kind: 'order', subjectId, outcome: 'undecided', detail: code }])
  expect(await tasksOf(subjectId)).toMatchObject([{ kind: 'restore_undecided', detail: code }])
})

test('what concerns all orders ends the restore, which is repeated: the database, a party that is down or refuses us', async () => {
  const isolate = createFailureIsolation(sql, await openRestore(sql))
  const step = (error: Error) => isolate({ kind: 'order', subjectId: randomUUID() }, () => Promise.reject(error))
  await expect(step(Object.assign(new Error('gone'), { code: 'CONNECTION_CLOSED' }))).rejects.toThrow('gone')
  await expect(step(Object.assign(new Error('full'), { code: '53100' }))).rejects.toThrow('full')
  for (const failing of ['unavailable', 'misconfigured'] as const) {
    const away = new ProviderFailure('airalo', failing, 'http_503')
    const others = createFailureIsolation(sql, await openRestore(sql))
    const stepOf = () => others({ kind: 'order', subjectId: randomUUID() }, () => Promise.reject(away))
    for (const _one of [1, 2, 3]) expect(await stepOf()).toBeUndefined()
    await expect(stepOf()).rejects.toThrow('http_503')
  }
})

test('a party that is down several times for one order counts once, and the restore goes on', async () => {
  const isolate = createFailureIsolation(sql, await openRestore(sql))
  const away = new ProviderFailure('airalo', 'unavailable', 'http_503')
  const subjectId = randomUUID()
  for (const _one of [1, 2, 3, 4, 5])
    expect(await isolate({ kind: 'order', subjectId }, () => Promise.reject(away))).toBeUndefined()
})

test('a restore goes on however many runs cannot be read: the key of all older ones may be lost', async () => {
  const isolate = createFailureIsolation(sql, await openRestore(sql))
  const unreadable = () => Promise.reject(new HistoryUnreadable())
  for (let index = 0; index < 30; index += 1)
    expect(await isolate({ kind: 'order', subjectId: randomUUID() }, unreadable)).toBeUndefined()
})

test('a restore ends when most orders fail, as with the key of another Stripe account, and not when a few of many do', async () => {
  const unknown = new ProviderFailure('stripe', 'rejected', 'unknown_payment')
  const steps = async (others: number) => {
    const isolate = createFailureIsolation(sql, await openRestore(sql))
    const step = (outcome: Promise<unknown>) => isolate({ kind: 'order', subjectId: randomUUID() }, () => outcome)
    for (let index = 0; index < others; index += 1) await step(Promise.resolve())
    for (let index = 0; index < 21; index += 1) await step(Promise.reject(unknown))
  }
  await expect(steps(0)).rejects.toThrow('unknown_payment')
  await steps(21)
  // However often other things are tried.
  const isolate = createFailureIsolation(sql, await openRestore(sql))
  const failing = async () => {
    for (let index = 0; index < 21; index += 1) {
      const subjectId = `pi_${index}`
      for (const _one of [1, 2, 3]) await isolate({ kind: 'order', subjectId }, async () => undefined)
      await isolate({ kind: 'payment', subjectId }, () => Promise.reject(unknown))
    }
  }
  await expect(failing()).rejects.toThrow('unknown_payment')
})
