/**
 * U2, G3 and U6: paid means delivered or refunded, everybody can delete their account at once, and accounting and tax
 * duties are met. One restore of a dump that is older than Temporal's memory of closed runs, and what it makes of
 * everything that happened since: what a run has done counts, not that it exists.
 */
import { randomUUID } from 'node:crypto'
import { readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { paymentMark } from '../../../activities/order/payment/payment-mark.ts'
import { broughtBack } from '../../../cli/restore/columns.ts'
import { databaseName, databaseUrl, withDatabase } from '../../../db/backup/restore.ts'
import type { Queryable } from '../../../db/connection/database.ts'
import type { Attention, RestoredItems } from '../../../db/connection/schema.ts'
import { milliseconds } from '../../../policy/periods.ts'
import { keysOf } from '../../../shared/keys-of.ts'
import { fastForward } from '../../../temporal/time-skipping.ts'
import { accountDeletionType, deletionStart } from '../../../workflows/account-deletion.contract.ts'
import { backupIdOf, backupType } from '../../../workflows/backup/backup.contract.ts'
import { breachWorkflowId } from '../../../workflows/breach/breach.contract.ts'
import { orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { partialRefundWorkflowId, refundIdOf } from '../../../workflows/order/partial-refund.contract.ts'
import { reconciliationType } from '../../../workflows/reconciliation/reconciliation.contract.ts'
import { mailsTo } from '../../harness/checks/messages.ts'
import { openHarness } from '../../harness/harness.ts'
import { expectStatus, withId } from '../../harness/http.ts'
import type { Person } from '../../harness/people.ts'
import { startProgram } from '../../harness/processes.ts'
import type { BuyOptions } from '../../harness/purchases.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { until, untilValue } from '../../harness/until.ts'

const harness = await openHarness({
  books: false,
  settings: { VAT_BY: 'buyer_country', SELLER_COUNTRY: 'XK', COUNTRY_HEADER: 'cf-ipcountry' },
})
const { config, temporal } = harness
const { stripe, esimAccess } = harness.sims
const { sql: lost, cipher } = harness.context
const { day } = milliseconds
/** The namespace keeps closed runs for 7 days. */
const dumpIsOldMs = 10 * day
const { onlyEsimAccess } = testPackages
const performanceConsent = { version: '2026-06-19', at: '2025-11-20T10:00:00Z' }

const deletionOf = async ({ accountId }: Person, reason: 'inactivity' | 'requested') => {
  const accountRef = cipher.accountRef(accountId)
  const { args, workflowId, ...start } = deletionStart({ accountRef, reason }, config.TEMPORAL_TASK_QUEUE)
  return temporal.workflow.start(accountDeletionType, { ...start, workflowId, args })
}
const bought = async (how: BuyOptions = {}, buyer?: Person) => {
  const person = buyer ?? (await harness.signUp())
  const { id } = withId.parse(await harness.buy(person, { packageCode: onlyEsimAccess, ...how }))
  return { person, id }
}
const topUpOf = async ({ person, id }: { person: Person; id: string }): Promise<string> => {
  const body = { packageCode: testPackages.topUp }
  const topUp = expectStatus(await person.caller.post(`/v1/orders/${id}/top-up`, body), 201)
  await stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'delivered')
  return topUp.id
}
const withdraw = async ({ person, id }: { person: Person; id: string }) => {
  expectStatus(await person.caller.post(`/v1/orders/${id}/withdrawal`), 200)
  expectStatus(await person.caller.post(`/v1/orders/${id}/withdrawal/confirm`), 200)
}
const refundPart = async (orderId: string, minor: number, more = {}) => {
  const body = { amount: { minor, currency: 'EUR' }, ...more }
  expectStatus(await harness.operator.post(`/v1/orders/${orderId}/refund`, body), 200)
}
/** While Stripe is down for two days: the credit note is of another day than the request. */
const refundPartLate = async (orderId: string) => {
  await stripe.fault({ match: { method: 'POST', path: '/v1/refunds' }, status: 503, times: 1_000_000 })
  const body = { amount: { minor: 110, currency: 'EUR' } }
  const answer = harness.operator.post(`/v1/orders/${orderId}/refund`, body)
  const reserved = await until(
    'it is reserved',
    async () =>
      (
        await lost<{ refund_key: string }[]>`
    select refund_key from refunds where order_id = ${orderId}`
      )[0],
  )
  const workflowId = partialRefundWorkflowId(refundIdOf(reserved.refund_key) ?? '')
  await fastForward(temporal, workflowId, '2 days')
  await stripe.clearFaults()
  await fastForward(temporal, workflowId, '1 hour')
  await answer
  await until(
    'it is credited',
    async () =>
      (
        await lost`
    select from refunds where order_id = ${orderId} and credit_note is not null`
      ).length === 1,
  )
}
const plantPayment = async (orderId: string, ageMs: number): Promise<string> => {
  const created = Math.floor((Date.now() - ageMs) / 1000)
  const metadata = { order_id: orderId, mark: paymentMark(cipher, orderId) }
  const { planted } = await stripe.do('plant', { payments: [{ amount: 500, currency: 'eur', metadata, created }] })
  return planted[0]?.paymentIntent ?? ''
}
const refundedOf = async (orderId: string): Promise<number> => {
  const { refunds, paymentIntents } = await stripe.state()
  const intents = paymentIntents.filter(({ metadata }) => metadata.order_id === orderId).map(({ id }) => id)
  return refunds.reduce(
    (sum, { payment_intent, amount }) => sum + (intents.includes(String(payment_intent)) ? amount : 0),
    0,
  )
}

/** An order's row and all that hangs on it, as far as a restore brings it back. */
async function readOrder(sql: Queryable, id: string) {
  const tables = {
    orders: sql`select * from orders where id = ${id}`,
    order_facts: sql`select f.* from order_facts f join orders o on o.fact_id = f.id where o.id = ${id}`,
    provider_orders: sql`select * from provider_orders where order_id = ${id} order by client_ref`,
    esims: sql`select * from esims where order_id = ${id} order by id`,
    refunds: sql`select * from refunds where order_id = ${id} order by refund_key`,
    invoice_links: sql`select * from invoice_links where order_id = ${id} order by number`,
    invoices: sql`select i.* from invoices i join invoice_links l on l.number = i.number where l.order_id = ${id}
      order by i.number`,
    order_history: sql`select * from order_history where order_id = ${id} order by kind, source`,
    withdrawals: sql`select * from withdrawals where order_id = ${id}`,
  }
  const read = keysOf(tables).map(async (table) => {
    const rows = await tables[table]
    return [table, rows.map((row) => broughtBack(table, row))] as const
  })
  return Object.fromEntries(await Promise.all(read))
}

const tasksOf = (sql: Queryable, subjectId: string) => sql<Pick<Attention, 'kind' | 'detail' | 'due_at'>[]>`
  select kind, detail, due_at from attention where subject_id = ${subjectId} and resolved_at is null order by kind`
const now = <Result>(work: (sql: Queryable) => Promise<Result>): Promise<Result> =>
  withDatabase(config.DATABASE_URL, work)
const itemOf = (subjectId: string) =>
  now(
    async (sql) =>
      (
        await sql<Pick<RestoredItems, 'kind' | 'outcome' | 'detail'>[]>`
          select kind, outcome, detail from restored_items where subject_id = ${subjectId}`
      )[0],
  )

async function beforeTheDump() {
  const [used, ended, erased, erasing] = [
    await bought(),
    await bought({ pay: false }),
    await bought(),
    await bought({ pay: false }),
  ]
  const { id: late } = await bought()
  const { id: bounced } = await bought()
  const [part, returnedPart, twice, parent, unpaid] = [
    await bought(),
    await bought(),
    await bought(),
    await bought(),
    await bought({ pay: false }),
  ]
  const stated = await bought()
  const topUp = await topUpOf(parent)
  const buyers = [await harness.signUp(), await harness.signUp(), await harness.signUp()] as const
  await runLater(harness, reconciliationType, 0)
  return {
    used,
    ended,
    erased,
    erasing,
    part,
    returnedPart,
    twice,
    parent,
    topUp,
    unpaid,
    stated,
    buyers,
    late,
    bounced,
  }
}

async function sinceTheDump(people: Awaited<ReturnType<typeof beforeTheDump>>) {
  const { used, erased, part, returnedPart, twice, parent, topUp, unpaid, stated, buyers, late, bounced } = people
  await expect((await deletionOf(used.person, 'inactivity')).result()).rejects.toMatchObject({
    cause: { type: 'AccountInUse' },
  })
  expectStatus(await erased.person.caller.delete(`/v1/accounts/${erased.person.accountId}`), 200)
  await temporal.workflow
    .getHandle(`account-deletion-${cipher.accountRef(erased.person.accountId)}`)
    .terminate('by an operator, after the erasure')

  const fresh = await bought(
    { order: { performanceConsent }, headers: { 'cf-ipcountry': 'HU' }, pay: { country: null } },
    buyers[0],
  )
  const freshPart = await bought({}, buyers[1])
  const newTopUp = await topUpOf(await bought({}, buyers[2]))
  await refundPart(part.id, 120)
  await refundPart(part.id, 80, { reason: 'service_fault' })
  await refundPart(returnedPart.id, 300, { reason: 'returned_unused', esims: 'returned' })
  await refundPart(freshPart.id, 150)
  await refundPartLate(late)
  expectStatus(await harness.service.post(`/v1/orders/${bounced}/refund`), 200)
  await harness.untilOrder(bounced, 'refunded')
  await stripe.do('fail-refund', { orderId: bounced })
  await harness.untilOrder(bounced, 'refund_failed')
  await stripe.do('pay', { orderId: unpaid.id })
  await harness.untilOrder(unpaid.id, 'delivered')

  await withdraw({ ...parent, id: topUp })
  await until('an operator is told', async () => (await tasksOf(lost, topUp)).length > 0)
  await esimAccess.fault({ match: { path: '^/api/' }, status: 503, times: 1_000 })
  await withdraw(stated)
  const texts = { nature: 'n', consequences: 'c', measures: 'm', contact: 'dpo@ama-esim.example' }
  const breach = expectStatus(await harness.operator.post('/v1/breaches', { keyId: 'stolen', ...texts }), 201)

  const ids = [fresh.id, freshPart.id, part.id, returnedPart.id, late, bounced, newTopUp]
  const rows = new Map(await Promise.all(ids.map(async (id) => [id, await readOrder(lost, id)] as const)))
  const forgotten = randomUUID()
  const payments = {
    forgotten: await plantPayment(forgotten, 9 * day),
    remembered: await plantPayment(randomUUID(), 6 * day),
    second: await plantPayment(twice.id, 0),
  }
  return { fresh, freshPart, breach, rows, payments }
}

let people: Awaited<ReturnType<typeof beforeTheDump>>
let since: Awaited<ReturnType<typeof sinceTheDump>>

beforeAll(async () => {
  people = await beforeTheDump()
  await runLater(harness, backupType, 0)
  since = await sinceTheDump(people)
  await Promise.all([harness.api.stop(), harness.worker.stop()])
  await esimAccess.clearFaults()
  await (await deletionOf(people.ended.person, 'requested')).terminate('by an operator, before the erasure')
  await deletionOf(people.erasing.person, 'requested')
  // Temporal has no run of an order that was delivered before the time it remembers.
  await temporal.workflowService.deleteWorkflowExecution({
    namespace: temporal.options.namespace,
    workflowExecution: { workflowId: orderWorkflowId(people.unpaid.id) },
  })
  await withDatabase(
    databaseUrl(config.DATABASE_URL, 'postgres'),
    (sql) => sql`drop database ${sql(databaseName(config.DATABASE_URL))} with (force)`,
  )
  const oldId = backupIdOf(new Date(Date.now() - dumpIsOldMs))
  for (const file of await readdir(config.BACKUP_FOLDER)) {
    const purpose = file.slice(0, file.indexOf('-'))
    await rename(join(config.BACKUP_FOLDER, file), join(config.BACKUP_FOLDER, `${purpose}-${oldId}.enc`))
  }
  const args = ['--import', 'tsx', 'cli/restore.ts', 'latest', config.DATABASE_URL]
  const program = startProgram(process.execPath, args, harness.settings)
  expect(await program.ended, program.output()).toMatchObject({ code: 0 })
}, 600_000)

test('U6: orders and documents newer than the dump are as they were: evidence, consent, parts given back, numbers', async () => {
  for (const [id, before] of since.rows) expect(await now((sql) => readOrder(sql, id))).toEqual(before)
})

test('U2: a payment whose run Temporal may have forgotten is left to operators, a younger one is not', async () => {
  expect(await itemOf(since.payments.forgotten)).toEqual({
    kind: 'payment',
    outcome: 'undecided',
    detail: 'older_than_runs',
  })
  expect(await now((sql) => tasksOf(sql, since.payments.forgotten))).toMatchObject([{ kind: 'payment_without_order' }])
  expect(await itemOf(since.payments.remembered)).toMatchObject({ detail: 'perhaps_of_an_erased_person' })
})

test('U2: an order of the dump whose run Temporal may have forgotten is left to operators', async () => {
  const { id } = people.unpaid
  expect(await itemOf(id)).toEqual({ kind: 'order', outcome: 'undecided', detail: 'older_than_runs' })
  expect(await now((sql) => tasksOf(sql, id))).toMatchObject([
    { kind: 'payment_not_accepted', detail: 'older_than_runs' },
  ])
})

test('R4, U2: runs whose rows are lost become operator tasks, with their due date', async () => {
  const workflowId = breachWorkflowId(since.breach.id)
  expect(await itemOf(workflowId)).toEqual({ kind: 'run', outcome: 'undecided', detail: 'breach' })
  expect(await now((sql) => tasksOf(sql, workflowId))).toEqual([
    { kind: 'restore_undecided', detail: 'breach', due_at: new Date(since.breach.authorityDueAt) },
  ])
  expect(await now((sql) => tasksOf(sql, people.topUp))).toMatchObject([
    { kind: 'withdrawal_unsettled', detail: 'restore' },
  ])
  expect(await itemOf(people.topUp)).toEqual({ kind: 'run', outcome: 'rebuilt', detail: 'withdrawal' })
})

test('U2: the operator task of a refund that has failed since is raised again', async () => {
  expect(await now((sql) => tasksOf(sql, people.bounced))).toMatchObject([{ kind: 'refund_failed' }])
})

test('a restore deletes the readings of the providers’ balances', async () => {
  expect(await now((sql) => sql`select from provider_balances`)).toHaveLength(0)
})

test('G3: only a deletion that has erased counts; what is left to do is done when the workers are back', async () => {
  const { used, ended, erased, erasing, twice, unpaid, stated, part } = people
  await Promise.all([harness.api.start(), harness.worker.start()])
  await until('the API serves', async () => (await harness.service.get('/v1/packages')).status === 200)
  for (const { accountId } of [used.person, ended.person]) {
    expectStatus(await harness.service.get(`/v1/accounts/${accountId}`), 200)
  }
  expect(await harness.service.get(`/v1/orders/${used.id}`)).toMatchObject({ body: { status: 'delivered' } })
  expect((await harness.service.get(`/v1/accounts/${erased.person.accountId}`)).status).toBe(404)
  await until('the run that was under way erases', async () => {
    return (await harness.service.get(`/v1/accounts/${erasing.person.accountId}`)).status === 404
  })

  // A withdrawal that was stated is acknowledged and carried out.
  expect(await harness.untilOrder(stated.id, 'refunded')).toMatchObject({ reason: 'withdrawn' })
  await untilValue(
    'the withdrawal is acknowledged once',
    async () =>
      (await mailsTo(harness.stack, stated.person.email)).filter(({ subject }) =>
        subject.includes('received your withdrawal'),
      ),
    ({ length }) => length === 1,
  )
  // A second payment of an order is given back, and the order's own run goes on.
  await until('the second payment is given back', async () => (await refundedOf(twice.id)) === 500)
  const { status } = await temporal.workflow.getHandle(orderWorkflowId(twice.id)).describe()
  expect(status.name).toBe('RUNNING')
  expect(await harness.service.get(`/v1/orders/${twice.id}`)).toMatchObject({ body: { status: 'delivered' } })

  await runLater(harness, 'paymentSweep', 0)
  await runLater(harness, reconciliationType, 0)
  for (const { id } of [used, erased, unpaid]) expect(await refundedOf(id)).toBe(0)
  expect(await refundedOf(part.id)).toBe(200)
  const differences = await now(
    (sql) => sql`select kind, subject_id from reconciliation_differences
      where explained_by is null and (kind = 'provider_remainder' or kind like '%credit%')`,
  )
  expect([...differences]).toEqual([])
})
