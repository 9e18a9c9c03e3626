/**
 * U2 and U4: paid means delivered or refunded, and promotions go only to those who asked for them. One run of the
 * command that meets what providers, Stripe and people did since the dump: a copy of an order, another provider than
 * the dump's, a payment that cannot be read, a fault at each read, and an opt-out that only the lost database had.
 */
import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { databaseName, databaseUrl, withDatabase } from '../../../db/backup/restore.ts'
import type { Queryable } from '../../../db/connection/database.ts'
import type { ProviderOrders, RestoredItems } from '../../../db/connection/schema.ts'
import { backupType } from '../../../workflows/backup/backup.contract.ts'
import { openHarness } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { startProgram } from '../../harness/processes.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { until, untilValue } from '../../harness/until.ts'

const harness = await openHarness({ books: false })
const { config } = harness
const { stripe, esimAccess, airalo, mailbox } = harness.sims
const { sql: lost, esimProviders } = harness.context
const inReview = { pay: { riskLevel: 'elevated' }, until: 'in_review' }
const always = 1_000_000

/** Accounts that are in the dump. */
const buyers = await Promise.all(Array.from({ length: 5 }, () => harness.signUp()))
const buy = async (packageCode: string, how = {}): Promise<string> => {
  const buyer = buyers.pop()
  if (!buyer) throw new Error('there is no further buyer')
  return (await harness.buy(buyer, { packageCode, ...how })).id
}
const approve = async (orderId: string) => {
  expectStatus(await harness.operator.post(`/v1/orders/${orderId}/approve`), 200)
  await harness.untilOrder(orderId, 'delivered')
}
const now = <Result>(work: (sql: Queryable) => Promise<Result>): Promise<Result> =>
  withDatabase(config.DATABASE_URL, work)
const itemsOf = (subjectId: string) =>
  now(
    (sql) => sql<Pick<RestoredItems, 'kind' | 'outcome' | 'detail'>[]>`
      select kind, outcome, detail from restored_items where subject_id = ${subjectId}`,
  )
const placementsOf = (sql: Queryable, orderId: string) => sql<ProviderOrders[]>`
  select * from provider_orders where order_id = ${orderId}`
/** One read of each kind. */
const kindOf = ({ method, url, body }: { method: string; url: string; body: string }): string => {
  const kind = body.includes('"startTime"') ? ' of a time' : body.includes('"orderNo"') ? ' of an order' : ''
  return `${method} ${url.split('?')[0]?.replace(/\/(?:pi_\w+|\d+)$/, '/{id}')}${kind}`
}

const outsider = { email: '', accountId: '' }
let orders: Record<'copied' | 'elsewhere' | 'unread' | 'refunded' | 'early', string>
let unreadPayment = ''
let copyNo = ''
let said = ''
const reads = { asked: new Set<string>(), failed: new Set<string>() }

beforeAll(async () => {
  const person = await harness.signUp()
  Object.assign(outsider, person)
  const consents = `/v1/accounts/${person.accountId}/consents/promotions`
  expectStatus(await person.caller.put(consents, { granted: true, source: 'app_settings' }), 200)
  const elsewhere = await buy(testPackages.anyProvider, inReview)
  const unread = await buy(testPackages.onlyEsimAccess, inReview)
  // The first provider has been asked, and its answer is open.
  const planted = randomUUID()
  await lost`insert into provider_orders (id, order_id, provider, provider_package_code, client_ref, state, placed_after)
    values (${planted}, ${elsewhere}, 'esim-access', 'CKH100', ${randomUUID()}, 'placing', now())`
  await runLater(harness, backupType, 0)
  await lost`delete from provider_orders where id = ${planted}`

  expectStatus(await person.caller.put(consents, { granted: false, source: 'app_settings' }), 200)
  await esimAccess.do('stock', { packageCode: 'CKH100', out: true })
  await approve(elsewhere)
  await esimAccess.do('stock', { packageCode: 'CKH100', out: false })
  const copied = await buy(testPackages.onlyAiralo)
  const [placement] = await placementsOf(lost, copied)
  const packageCode = 'hallo-mobil-7days-1gb'
  const copy = { clientRef: placement?.client_ref ?? '', packageCode, quantity: 1 }
  copyNo = (await esimProviders.airalo.placeOrder(copy)).orderNo
  const refunded = await buy(testPackages.onlyEsimAccess)
  expectStatus(await harness.service.post(`/v1/orders/${refunded}/refund`), 200)
  await harness.untilOrder(refunded, 'refunded')
  const early = await buy(testPackages.onlyEsimAccess)
  orders = { copied, elsewhere, unread, refunded, early }
  const [order] = await lost<{ payment_intent_id: string }[]>`select payment_intent_id from orders where id = ${unread}`
  unreadPayment = order?.payment_intent_id ?? ''

  await Promise.all([harness.api.stop(), harness.worker.stop()])
  await withDatabase(
    databaseUrl(config.DATABASE_URL, 'postgres'),
    (sql) => sql`drop database ${sql(databaseName(config.DATABASE_URL))} with (force)`,
  )
  const sims = [stripe, airalo, esimAccess]
  const before = await Promise.all(sims.map(async (sim) => (await sim.log()).length))
  const missing = { error: { type: 'invalid_request_error', code: 'resource_missing', message: 'No such payment' } }
  const ofOrder = {
    match: { path: `^/v1/payment_intents/${unreadPayment}` },
    status: 404,
    body: missing,
    times: always,
  }
  await stripe.fault(ofOrder)
  for (const path of ['^/v1/payment_intents\\?', '^/v1/payment_intents/pi_', '^/v1/checkout/sessions', '^/v1/refunds'])
    await stripe.fault({ match: { method: 'GET', path }, status: 503 })
  for (const path of ['^/v2/orders\\?', '^/v2/orders/\\d', '^/v2/token'])
    await airalo.fault({ match: { path }, status: 503 })
  for (const contains of ['"startTime"', '"orderNo"']) await esimAccess.fault({ match: { contains }, status: 503 })

  const args = ['--import', 'tsx', 'cli/restore.ts', 'latest', config.DATABASE_URL]
  const program = startProgram(process.execPath, args, harness.settings)
  const { code } = await program.ended
  said = program.output()
  expect(code, said).toBe(0)
  for (const [index, sim] of sims.entries()) {
    const asked = (await sim.log()).slice(before[index])
    for (const request of asked) {
      reads.asked.add(kindOf(request))
      if (request.status === 503) reads.failed.add(kindOf(request))
    }
    await sim.clearFaults()
  }
}, 600_000)

test('a fault at each kind of read does not end a restore', () => {
  expect([...reads.failed].sort()).toEqual([...reads.asked].sort())
  expect(reads.asked.size).toBeGreaterThanOrEqual(7)
})

test('U2: an order with a copy at Airalo, and one that another provider has filled than the dump says, are rebuilt', async () => {
  const { copied, elsewhere, early, refunded } = orders
  for (const id of [copied, elsewhere, early, refunded])
    expect(await itemsOf(id)).toEqual([{ kind: 'order', outcome: 'rebuilt', detail: null }])
  expect(await itemsOf(`airalo:${copyNo}`)).toEqual([
    { kind: 'provider_order', outcome: 'undecided', detail: 'duplicate' },
  ])
  for (const id of [copied, elsewhere])
    expect(await now((sql) => placementsOf(sql, id))).toMatchObject([{ provider: 'airalo', state: 'provided' }])
})

test('U2: a payment that cannot be read is left to an operator; its order, which needs nothing of it, and the others are not', async () => {
  const undecided = { outcome: 'undecided', detail: expect.any(String) }
  expect(await itemsOf(orders.unread)).toEqual([])
  expect(await itemsOf(unreadPayment)).toEqual([{ kind: 'payment', ...undecided }])
  expect(said).toContain(`undecided: payment ${unreadPayment}`)
  const tasks = await now((sql) => sql`select kind from attention where subject_id = ${unreadPayment}`)
  expect(tasks).toMatchObject([{ kind: 'restore_undecided' }])
})

test('U2: the command tries again what is undecided, and settles its task; with the API running it refuses', async () => {
  const retry = async () => {
    const program = startProgram(process.execPath, ['--import', 'tsx', 'cli/restore.ts', 'retry'], harness.settings)
    return { code: (await program.ended).code, said: program.output() }
  }
  const missing = { error: { type: 'invalid_request_error', code: 'resource_missing', message: 'No such payment' } }
  const ofOrder = { match: { path: `^/v1/payment_intents/${unreadPayment}` }, times: always }
  await stripe.fault({ ...ofOrder, status: 404, body: missing })
  expect(await retry()).toEqual({
    code: 0,
    said: expect.stringContaining('1 orders and payments were tried again, and 0'),
  })
  expect(await itemsOf(unreadPayment)).toMatchObject([{ kind: 'payment', outcome: 'undecided' }])
  await stripe.clearFaults()
  expect(await retry()).toEqual({
    code: 0,
    said: expect.stringContaining('1 orders and payments were tried again, and 1'),
  })
  expect(await itemsOf(unreadPayment)).toEqual([{ kind: 'payment', outcome: 'rebuilt', detail: null }])
  const tasks = await now(
    (sql) => sql`select from attention where subject_id = ${unreadPayment} and resolved_at is null`,
  )
  expect(tasks).toHaveLength(0)
  expect(await retry()).toEqual({ code: 0, said: expect.stringContaining('0 orders and payments were tried again') })
  const using = await now(async (sql) => {
    await sql`select`
    return retry()
  })
  expect(using).toEqual({ code: 1, said: expect.stringContaining('stop the API and the workers') })
  // A database that is copied for it, or refused, is as it was.
  expect(await itemsOf(orders.copied)).toEqual([{ kind: 'order', outcome: 'rebuilt', detail: null }])
})

test('U4: who opted out since the dump gets no promotion, and operators are told', async () => {
  await Promise.all([harness.api.start(), harness.worker.start()])
  await until('the API serves', async () => (await harness.service.get('/v1/packages')).status === 200)
  const { consents } = expectStatus(await harness.service.get(`/v1/accounts/${outsider.accountId}`), 200)
  expect(consents.promotions).toMatchObject({ granted: false, source: 'restore' })
  const subject = `Offer ${randomUUID()}`
  const { id } = expectStatus(await harness.operator.post('/v1/campaigns', { subject, paragraphs: ['Now.'] }), 201)
  await untilValue(
    'the campaign waits for an operator',
    async () => expectStatus(await harness.operator.get(`/v1/campaigns/${id}`), 200),
    ({ state }) => state === 'paused',
  )
  expect(await mailbox.do('find', { subject })).toEqual([])
  const tasks = await now((sql) => sql<{ kind: string }[]>`select kind from attention where resolved_at is null`)
  expect(tasks.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(['promotions_suspended', 'restored_access', 'campaign_stuck', 'provider_order_unreturned']),
  )
})
