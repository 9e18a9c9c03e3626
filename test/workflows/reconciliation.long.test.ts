/** U2, U6, R3: our books, compared with those of Stripe, the eSIM providers and the backup store. */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { byOrder } from '../../activities/reconciliation/providers.ts'
import { createTally, differs } from '../../activities/reconciliation/tally.ts'
import { readOrderFigures } from '../../db/evidence/orders.ts'
import { closeOperatorTask, raiseOperatorTask } from '../../db/operator-tasks.ts'
import { paymentSweepParts, recordSweep } from '../../db/order/payment-sweeps.ts'
import { recordDifferences } from '../../db/reconciliation/reconciliations.ts'
import { differenceKinds } from '../../policy/reconciliation.ts'
import {
  type ReconciliationInput,
  type ReconciliationReport,
  reconciliationType,
} from '../../workflows/reconciliation/reconciliation.contract.ts'
import { always } from '../harness/checks/placements.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { runLater } from '../harness/temporal/later.ts'
import { testPackages } from '../harness/test-packages.ts'
import { createPlanter, delivered, givenBack, paidMinor, type Trade } from './planted-trade.ts'

const harness = await shareStack({ books: false })
const { sql } = harness.context
const { stripe, airalo } = harness.sims
const person = await harness.signUp()
const planter = await createPlanter(harness.stack, person.accountId)

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Each comparison is an hour after the one before, at Stripe as well: what was made just now is in flight. */
let hours = 0
async function reconcile(): Promise<ReconciliationReport> {
  hours += 1
  await stripe.do('clock', { advanceSeconds: hourMs / 1000 })
  return runLater<ReconciliationReport>(harness.stack, reconciliationType, hours / 24, [], { timeoutMs: 400_000 })
}

const openTasks = async (): Promise<{ kind: string; subject_id: string; detail: string | null }[]> =>
  sql<{ kind: string; subject_id: string; detail: string | null }[]>`
    select kind, subject_id, detail from attention
    where resolved_at is null and kind = any(${Object.keys(differenceKinds)}) order by kind, subject_id`

test('what people really bought, gave back and left behind differs in nothing', { timeout: 240_000 }, async () => {
  for (const packageCode of [testPackages.onlyEsimAccess, testPackages.onlyAiralo]) {
    await harness.buy(person, { packageCode })
    const returned = await harness.buy(person, { packageCode })
    expectStatus(await person.caller.post(`/v1/orders/${returned.id}/refund`), 200)
    await harness.untilOrder(returned.id, 'refunded')
  }
  const topped = await harness.buy(person, { packageCode: testPackages.onlyAiralo })
  const topUp = await person.caller.post(`/v1/orders/${topped.id}/top-up`, { packageCode: testPackages.topUp })
  await stripe.do('pay', { orderId: expectStatus(topUp, 201).id })
  await harness.untilOrder(topUp.body.id, 'delivered')
  const erased = await harness.signUp()
  await harness.buy(erased, { packageCode: testPackages.onlyEsimAccess })
  await harness.buy(erased, { packageCode: testPackages.onlyAiralo })
  expectStatus(await harness.service.delete(`/v1/accounts/${erased.accountId}`), 200)

  const report = await reconcile()
  expect(report).toMatchObject({ failed: [], unexplained: {} })
  expect(report.explained).toMatchObject({
    payment_without_order: { erased_person: 2 },
    esim_without_order: { erased_person: 2 },
  })
  expect(await openTasks()).toEqual([])
  expect(report.sums).toMatchObject([{ currency: 'EUR', grossMinor: 8 * paidMinor, remainderMinor: 0 }])
  const costs = await sql<{ provider: string; charged: bigint | null; expected: bigint | null }[]>`
    select provider, charged_micros as charged, expected_cost_micros as expected from provider_orders`
  for (const { provider, charged, expected } of costs) {
    expect(expected).toBeGreaterThan(0n)
    expect([provider, charged]).toEqual([provider, provider === 'airalo' ? expected : null])
  }
})

test('an operator has the books compared, and reads the result; nobody else does', async () => {
  const { workflowId } = expectStatus(await harness.operator.post('/v1/reconciliations'), 202)
  await harness.temporal.workflow.getHandle(workflowId).result()
  const { items } = expectStatus(await harness.operator.get('/v1/reconciliations'), 200)
  expect(items).toHaveLength(2)
  const [{ id }] = items
  const shown = expectStatus(await harness.operator.get(`/v1/reconciliations/${id}`), 200)
  expect(shown).toMatchObject({ id, state: 'complete', report: { failed: [], unexplained: {} } })
  // Airalo decides about a return by hand, of which the order's run has told the operators.
  expect(shown.differences).toEqual([
    {
      kind: 'esim_alive_after_refund',
      subjectId: expect.any(String),
      detail: expect.stringMatching(/of an order that is refunded; cure: return_esim$/),
      explainedBy: 'with_an_operator',
      meaning: expect.any(String),
      acts: 'operators',
      cure: expect.any(String),
    },
  ])
  expectStatus(await harness.operator.get(`/v1/reconciliations/${person.accountId}`), 404)
  expectStatus(await harness.operator.get('/v1/reconciliations/1'), 400)
  for (const path of ['/v1/reconciliations', `/v1/reconciliations/${id}`]) {
    expectStatus(await harness.service.get(path), 403)
    expectStatus(await person.caller.get(path), 403)
  }
  expectStatus(await harness.service.post('/v1/reconciliations'), 403)
})

test('a provider that is down for a day: the rest is compared, no task is resolved, and operators are told', async () => {
  await raiseOperatorTask(sql, { kind: 'invoice_missing', subjectId: 'another day', at: new Date() })
  await airalo.fault({ match: { path: '/v2/orders' }, times: always, status: 503 })
  const report = await reconcile()
  await airalo.clearFaults()
  expect(report).toMatchObject({ failed: ['airalo'], unexplained: {} })
  expect(Object.keys(report.compared)).toContain('esim-access')
  expect(await openTasks()).toMatchObject([{ kind: 'invoice_missing' }])
  const incomplete = () => sql`
    select detail from attention where kind = 'reconciliation_incomplete' and resolved_at is null`
  expect(await incomplete()).toEqual([{ detail: 'airalo' }])
  const [newest] = expectStatus(await harness.operator.get('/v1/reconciliations'), 200).items
  expect(newest).toMatchObject({ state: 'incomplete' })
  // What this night alone has seen is too old to be seen by the next.
  const [seenAt, subjectId] = [new Date(Date.now() - 40 * dayMs), randomUUID()]
  await recordDifferences(sql, newest.id, [
    { kind: 'placement_unknown', subjectId, subjectAt: seenAt, detail: 'old', explainedBy: null },
  ])
  await reconcile()
  expect(await incomplete()).toEqual([])
  expect(await openTasks()).toEqual([{ kind: 'placement_unknown', subject_id: subjectId, detail: 'old' }])
  await sql`delete from reconciliation_differences where subject_id = ${subjectId}`
  await reconcile()
  expect(await openTasks()).toEqual([])
})

test('what an attempt has found that did not end is not recorded', async () => {
  const [{ id }] = expectStatus(await harness.operator.get('/v1/reconciliations'), 200).items
  const found = { id: randomUUID(), at: new Date() }
  const recorded = () => sql`select kind from reconciliation_differences where subject_id = ${found.id}`
  const tally = createTally(sql, id)
  tally.note([differs('placed_twice', found, 'two')])
  expect(await recorded()).toEqual([])
  await tally.close()
  expect(await recorded()).toEqual([{ kind: 'placed_twice' }])
  await sql`delete from reconciliation_differences where subject_id = ${found.id}`
})

test('an order of several eSIMs is alive while one of them is', () => {
  const line = { kind: 'order', orderNo: 'B1', clientRef: 'ours', alive: false } as const
  const rest = { unitCostMicros: null, costCurrency: null, createdAt: null }
  const listed = (...alive: (boolean | null)[]) => byOrder(alive.map((each) => ({ ...line, ...rest, alive: each })))
  for (const states of [
    [true, false, false],
    [false, true, null],
    [null, false, true],
  ])
    expect(listed(...states)).toMatchObject([{ alive: true }])
  expect(listed(false, null)).toMatchObject([{ alive: null }])
  expect(listed(false, false)).toMatchObject([{ alive: false }])
})

test('a balance that falls without a purchase, or lasts for less than three days, is an operator’s', async () => {
  const airaloTasks = () => sql<{ kind: string }[]>`
    select kind from attention where subject_id = 'airalo' and resolved_at is null order by kind`
  await harness.buy(person, { packageCode: testPackages.onlyAiralo })
  const { balance } = await airalo.state()
  await airalo.do('balance', { amount: balance - 3 })
  expect((await reconcile()).unexplained).toEqual({ provider_remainder: 1 })
  expect(await airaloTasks()).toEqual([{ kind: 'provider_remainder' }])

  await airalo.do('balance', { amount: 0.01 })
  const balances = { only: 'provider_balances' } satisfies ReconciliationInput
  await runLater(harness.stack, reconciliationType, hours / 24, [balances])
  expect((await airaloTasks()).map(({ kind }) => kind)).toContain('provider_balance_low')
  // After a week without a reading nobody knows how fast it falls.
  const silent = (days: number) =>
    sql`update provider_balances set read_at = read_at - ${days} * interval '1 day' where provider = 'airalo'`
  await silent(8)
  await runLater(harness.stack, reconciliationType, (hours + 0.5) / 24, [balances])
  await sql`delete from provider_balances where provider = 'airalo' and read_at > now() - interval '1 day'`
  await silent(-8)
  expect((await airaloTasks()).map(({ kind }) => kind)).toContain('provider_balance_low')
  await airalo.do('balance', { amount: balance })
  const report = await reconcile()
  expect(report.explained.provider_remainder).toEqual({ paid_in: 1 })
  expect((await airaloTasks()).map(({ kind }) => kind)).toEqual(['provider_remainder'])
  await sql`delete from attention where kind = 'provider_remainder'`
})

/** A time at which nothing of it is in flight any more, within the time that is compared. */
const someTimeAgo = (index: number): Date => new Date(Date.now() - 2 * dayMs - ((index * 37) % (28 * 24)) * hourMs)
const eitherProvider = (index: number): Trade['provider'] => (index % 5 < 3 ? 'esim-access' : 'airalo')

/** How to make each kind of difference from a clean order. */
const plantings: Record<string, { change: Partial<Trade>; base?: typeof delivered; provider?: Trade['provider'] }> = {
  payment_without_order: { change: { known: false, placement: false, placed: 0 } },
  payment_unknown: { change: { payments: 0 } },
  paid_not_settled: { change: { status: 'provisioning', invoicedMinor: null, placement: false, placed: 0 } },
  charged_twice: { change: { payments: 2 } },
  refund_without_credit_note: { change: { refundedMinor: paidMinor } },
  credit_note_without_refund: { base: givenBack, change: { refundedMinor: 0 } },
  refund_amount_differs: { change: { refundedMinor: 200, creditedMinor: 100 } },
  dispute_unknown: { change: { disputed: true } },
  invoice_missing: { change: { invoicedMinor: null } },
  invoice_amount_differs: { change: { invoicedMinor: paidMinor - 100 } },
  esim_without_order: { change: { known: false, payments: 0 } },
  placement_unknown: { change: { placed: 0 } },
  placed_twice: { change: { placed: 2 } },
  provider_cost_differs: { provider: 'airalo', change: { netPrice: planter.airaloPrice + 0.5 } },
  esim_alive_after_refund: { base: givenBack, change: { cancelled: false } },
}
const each = 100
const clean = 10_000

test('15 kinds of planted differences and wrong payouts, 100 each among 10,000 clean orders: all found, none false', {
  timeout: 600_000,
}, async () => {
  const cleanTrades = Array.from({ length: clean }, (_, index) =>
    index % 20 === 0
      ? givenBack(eitherProvider(index), someTimeAgo(index))
      : delivered(eitherProvider(index), someTimeAgo(index), index % 3 === 0 ? { status: 'ended' } : {}),
  )
  await planter.plant(cleanTrades)
  await stripe.do('pay-out', { early: true, parts: 20 })

  const wanted: Record<string, string[]> = {}
  for (const [kind, { change, base = delivered, provider }] of Object.entries(plantings)) {
    const trades = Array.from({ length: each }, (_, index) =>
      base(provider ?? eitherProvider(index), someTimeAgo(index), change),
    )
    const { strays } = await planter.plant(trades)
    wanted[kind] = subjectsOf(kind, trades, strays)
  }
  const { payouts } = await stripe.do('pay-out', { early: true, parts: each, differsBy: 7 })
  wanted.payout_differs = payouts.toSorted()
  expect(Object.values(wanted).map(({ length }) => length)).toEqual(Object.keys(wanted).map(() => each))

  const report = await reconcile()
  const found: Record<string, string[]> = {}
  for (const { kind, subject_id } of await openTasks()) found[kind] = [...(found[kind] ?? []), subject_id]
  for (const subjects of Object.values(found)) subjects.sort()
  expect(found).toEqual(wanted)
  expect(report.failed).toEqual([])
  expect(report.unexplained).toEqual(Object.fromEntries(Object.keys(wanted).map((kind) => [kind, each])))
  expect(report.sums).toMatchObject([{ currency: 'EUR', remainderMinor: 0 }])
})

function subjectsOf(kind: string, trades: readonly Trade[], strays: readonly string[]): string[] {
  if (kind === 'payment_without_order') return strays.toSorted()
  if (kind === 'esim_without_order') return trades.map(({ provider, clientRef }) => `${provider}:${clientRef}`).sort()
  return trades.map(({ orderId }) => orderId).sort()
}

test('U2 U6: the figures count it; a cured difference goes, a closed one stays closed, a remainder stays open', {
  timeout: 600_000,
}, async () => {
  for (const part of paymentSweepParts) await recordSweep(sql, { part, readUntil: new Date(), at: new Date() })
  const figures = await readOrderFigures(sql, new Date())
  expect([figures.unsettled_payments, figures.unbooked_money]).toEqual([{ value: 4 * each }, { value: 6 * each }])
  const tasksOf = async (kind: string) => (await openTasks()).filter((task) => task.kind === kind)
  const [cured, accepted] = await tasksOf('invoice_amount_differs')
  const [costs] = await tasksOf('provider_cost_differs')
  await sql`update invoices set gross_minor = ${paidMinor} where number = (
    select number from invoice_links where order_id = ${cured?.subject_id ?? ''} and document_key = 'invoice')`
  for (const task of [accepted, costs]) {
    const [row] = await sql<{ id: string }[]>`
      select id from attention where kind = ${task?.kind ?? ''} and subject_id = ${task?.subject_id ?? ''}`
    await closeOperatorTask(sql, { id: row?.id ?? '', by: 'operator:somebody', at: new Date() })
  }
  // The accepted cost becomes another one: that is a new difference.
  await sql`update provider_orders set expected_cost_micros = 1 where order_id = ${costs?.subject_id ?? ''}`
  await stripe.do('unlisted', { amount: -1200 })

  const report = await reconcile()
  expect(report.explained.invoice_amount_differs).toEqual({ accepted_by_operator: 1 })
  expect(report.unexplained).toMatchObject({
    invoice_amount_differs: each - 2,
    provider_cost_differs: each,
    processor_remainder: 1,
    payout_differs: each,
  })
  expect(report.sums).toMatchObject([{ currency: 'EUR', grossMinor: 0, remainderMinor: -1200 }])
  expect(await tasksOf('invoice_amount_differs')).toHaveLength(each - 2)
  expect(await tasksOf('processor_remainder')).toMatchObject([{ subject_id: 'stripe:EUR' }])
})
