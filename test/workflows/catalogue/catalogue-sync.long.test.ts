import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { ProviderOrders } from '../../../db/connection/schema.ts'
import { periods } from '../../../policy/periods.ts'
import { createCatalogue } from '../../../sim/esim-access/catalogue.ts'
import { fastForward } from '../../../temporal/time-skipping.ts'
import { catalogueSyncState, catalogueSyncType } from '../../../workflows/catalogue/catalogue-sync.contract.ts'
import { nothingChanged, openCatalogue } from '../../harness/catalogue.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { until, untilValue } from '../../harness/until.ts'

const harness = await shareStack()
const { sql } = harness.context
const { sync, packageRow, operatorTasks } = await openCatalogue(harness)

/** Location and transaction ids of each row, which every write or lock changes. */
const versions = () => sql`
  select 'package', code, '' as provider, ctid::text, xmin::text, xmax::text from packages union all
  select 'offer', package_code, provider, ctid::text, xmin::text, xmax::text from package_offers union all
  select 'attention', id::text, '', ctid::text, xmin::text, xmax::text from attention order by 1, 2, 3`

test('the first sync asks both providers and puts their packages on sale', async () => {
  const { items } = expectStatus(await harness.anonymous.get('/v1/packages?destination=DE&limit=200'), 200)
  const germany = items.filter(({ destinations }: { destinations: string[] }) => destinations.length === 1)
  expect(germany.map(({ code }: { code: string }) => code).filter((code: string) => !code.startsWith('test-'))).toEqual(
    ['de-10gb-30d', 'de-1gb-7d', 'de-20gb-30d', 'de-3gb-30d', 'de-5gb-30d'],
  )
  expect(items).toContainEqual({
    code: 'de-1gb-7d',
    kind: 'base',
    name: 'Germany 1 GB, 7 days',
    destinations: ['DE'],
    dataBytes: 2 ** 30,
    daily: false,
    days: 7,
    price: { minor: 199, currency: 'EUR' },
    takesTopUps: true,
    // eSIM Access says the installation, Airalo the first use.
    validityStarts: null,
    networks: [{ destination: 'DE', name: 'Telekom', generations: ['4G', '5G'] }],
  })
  expect(await packageRow('de-1gb-7d')).toMatchObject({
    offers: {
      'esim-access': { code: 'CKH100', cost: 900_000, available: true },
      airalo: { code: 'hallo-mobil-7days-1gb', cost: 1_800_000, available: true },
    },
  })
  const topUps = expectStatus(await harness.anonymous.get('/v1/packages?destination=DE&kind=top_up&limit=200'), 200)
  expect(topUps.items).toContainEqual(expect.objectContaining({ code: 'de-1gb-7d-topup', kind: 'top_up' }))
})

test('a sync without changes writes nothing, also when several run at the same time', async () => {
  // The test packages were added after the first sync, which may find better ones for the list.
  await sync()
  const before = await versions()
  const { providers, changes } = await sync()
  expect(changes).toEqual(nothingChanged)
  expect(providers).toMatchObject({
    'esim-access': { state: 'listed', packages: 90 },
    airalo: { state: 'listed', packages: 68 },
  })
  const runs = await Promise.all(Array.from({ length: 4 }, () => startRun().then((run) => run.result())))
  expect(runs.map((run) => run.changes)).toEqual(runs.map(() => nothingChanged))
  expect(await versions()).toEqual(before)
})

test('a sync updates when an offer was last listed, at most once in the precision of that time', async () => {
  await sql`update package_offers set seen_at = seen_at - ${periods.catalogue.seenGrainMs + 60_000} * interval '1 ms' where provider = 'airalo'`
  const [row] = await sql<
    { count: number }[]
  >`select count(*)::int as count from package_offers where provider = 'airalo'`
  expect((await sync()).changes).toEqual({ ...nothingChanged, offersChanged: row?.count })
  expect((await sync()).changes).toEqual(nothingChanged)
})

test('a package that a provider no longer lists is sold only if another provider has it', async () => {
  const soldBefore = await sold()
  await harness.sims.esimAccess.fault({
    match: { path: 'package/list', contains: '"BASE"' },
    status: 200,
    body: { success: true, errorCode: '0', obj: { packageList: [onlyPackage] } },
  })
  const { changes } = await sync()
  expect(changes).toMatchObject({ packagesAdded: 0, putOnSale: 0 })
  expect(changes.offersWithdrawn).toBeGreaterThan(40)
  expect(await packageRow('de-1gb-7d')).toMatchObject({ onSale: true, offers: { 'esim-access': { available: true } } })
  expect(await packageRow('fr-1gb-7d')).toMatchObject({
    onSale: true,
    offers: { 'esim-access': { available: false }, airalo: { available: true } },
  })
  expect(await packageRow('fr-10gb-30d')).toMatchObject({
    onSale: false,
    offers: { 'esim-access': { available: false } },
  })
  expect(await operatorTasks('package_price')).toEqual([])

  expect((await sync()).changes).toMatchObject({
    putOnSale: changes.takenOffSale,
    offersChanged: changes.offersWithdrawn,
  })
  expect(await sold()).toEqual(soldBefore)
})

const sold = () => sql`select code, price_minor from packages where active order by code`

const onlyPackage = createCatalogue().base.find(({ packageCode }) => packageCode === 'CKH100')

test('a package code that a provider reuses for another package is not sold as the old one', async () => {
  await harness.sims.esimAccess.fault({
    match: { path: 'package/list', contains: '"BASE"' },
    status: 200,
    body: { success: true, errorCode: '0', obj: { packageList: [{ ...onlyPackage, volume: 2 ** 31 }] } },
  })
  await sync()
  expect(await packageRow('de-1gb-7d')).toMatchObject({ offers: { 'esim-access': { available: false } } })
  expect(await packageRow('de-2gb-7d')).toMatchObject({ onSale: true, offers: { 'esim-access': { code: 'CKH100' } } })
  await sync()
  expect(await packageRow('de-1gb-7d')).toMatchObject({ offers: { 'esim-access': { available: true } } })
  expect(await packageRow('de-2gb-7d')).toMatchObject({ onSale: false })
})

test('an empty price list counts as a failure of the provider', async () => {
  const empty = { success: true, errorCode: '0', obj: { packageList: [] } }
  await harness.sims.esimAccess.fault({ match: { path: 'package/list' }, times: 2, status: 200, body: empty })
  const run = await startRun()
  await untilValue(
    'the list was refused',
    () => run.query(catalogueSyncState),
    ({ providers }) => providers['esim-access'].state === 'failed',
  )
  const { outcome } = await fastForward(harness.temporal, run.workflowId, '1 minute')
  expect(['ended', 'reached']).toContain(outcome)
  expect(await run.result()).toMatchObject({
    providers: { 'esim-access': { state: 'listed' } },
    changes: nothingChanged,
  })
})

async function startRun() {
  return await harness.temporal.workflow.start(catalogueSyncType, {
    workflowId: `catalogue-sync-test-${randomUUID()}`,
    taskQueue: harness.config.TEMPORAL_TASK_QUEUE,
  })
}

test('a provider that is down keeps its offers for two days and does not delay the other', async () => {
  await harness.sims.airalo.fault({ match: { path: '/v2/packages' }, times: 1_000, status: 503 })
  await harness.sims.esimAccess.do('price', { packageCode: 'CKH108', price: 52_100 })
  const offersBefore = await airaloOffers()

  const run = await startRun()
  const soFar = await untilValue(
    'both were asked',
    () => run.query(catalogueSyncState),
    ({ providers }) => providers.airalo.state === 'failed',
  )
  expect(soFar).toEqual({
    providers: {
      'esim-access': { state: 'listed', packages: 90, leftOut: {} },
      airalo: { state: 'failed', code: 'http_503' },
    },
    changes: { ...nothingChanged, offersChanged: 1 },
  })
  expect(await packageRow('es-10gb-30d')).toMatchObject({ offers: { 'esim-access': { cost: 5_210_000 } } })
  expect(
    await untilValue(
      'the run says what it waits for',
      () => run.describe(),
      ({ searchAttributes }) => 'DueAt' in searchAttributes,
    ),
  ).toMatchObject({
    searchAttributes: { Stage: ['asking_again'], WaitingFor: ['airalo'] },
  })

  expect((await fastForward(harness.temporal, run.workflowId, '1 hour')).outcome).toBe('ended')
  expect(await run.result()).toEqual(soFar)
  expect(await airaloOffers()).toEqual(offersBefore)
  const asked = (await harness.sims.airalo.log()).filter(
    ({ status, url }) => status === 503 && url.startsWith('/v2/packages'),
  )
  expect(asked).toHaveLength(1 + periods.catalogue.askAgainAfterMs.length)

  // Two days later.
  await sql`update package_offers set seen_at = seen_at - interval '48 hours 1 minute' where provider = 'airalo'`
  const later = await startRun()
  await fastForward(harness.temporal, later.workflowId, '1 hour')
  expect((await later.result()).changes).toMatchObject({ offersWithdrawn: offersBefore.length })
  expect(await packageRow('de-10gb-30d')).toMatchObject({ onSale: false })
  expect(await packageRow('de-1gb-7d')).toMatchObject({ onSale: true })
  expect(await operatorTasks('provider_offers_stale')).toEqual([{ subject: 'airalo', detail: 'http_503' }])

  await harness.sims.airalo.clearFaults()
  expect((await sync()).providers.airalo).toMatchObject({ state: 'listed' })
  expect(await packageRow('de-10gb-30d')).toMatchObject({ onSale: true })
  expect(await operatorTasks('provider_offers_stale')).toEqual([])
})

const airaloOffers = () => sql`
  select package_code, provider_package_code, cost_micros, available from package_offers
  where provider = 'airalo' and available order by 1`

test('an operator’s sync while a provider is down answers with the state so far, and later with the result', async () => {
  await harness.sims.airalo.fault({ match: { path: '/v2/packages' }, times: 1_000, status: 503 })
  const answer = await harness.operator.post('/v1/packages/sync')
  expect([answer.status, answer.body.providers]).toMatchObject([
    202,
    { 'esim-access': { state: 'listed' }, airalo: { state: 'failed', code: 'http_503' } },
  ])
  await harness.sims.airalo.clearFaults()
  const joined = harness.operator.post('/v1/packages/sync')
  await fastForward(harness.temporal, 'catalogue-sync', '2 minutes')
  expect(expectStatus(await joined, 200).providers).toMatchObject({ airalo: { state: 'listed' } })
})

test.each([
  // The vendor's documented code of a wrong signature.
  ['in its own words', { status: 200, body: { success: false, errorCode: '101003', errorMsg: '' } }, 'bad_credentials'],
  // A proxy in front of it, or another server: its word on our credentials is none.
  ['in nobody’s words', { status: 401 }, 'foreign_http_401'],
])(
  'credentials that a provider refuses %s make an operator task, and the sync goes on',
  async (_words, reply, code) => {
    await sql`delete from attention where kind = 'provider_misconfigured'`
    await harness.sims.esimAccess.fault({ match: { path: 'package/list' }, times: 2, ...reply })
    const run = await startRun()
    await fastForward(harness.temporal, run.workflowId, '2 minutes')
    expect((await run.result()).providers['esim-access']).toMatchObject({ state: 'listed' })
    expect(await operatorTasks('provider_misconfigured')).toEqual([{ subject: 'esim-access', detail: code }])
  },
)

test('a sync waits for the end of a database outage', async () => {
  await harness.database.crash()
  const run = await startRun()
  await until('the run has tried', async () => {
    const { raw } = await run.describe()
    return (raw.pendingActivities ?? []).some(({ attempt }) => (attempt ?? 0) > 1)
  })
  await harness.database.start()
  expect(await run.result()).toMatchObject({ providers: { airalo: { state: 'listed' } }, changes: nothingChanged })
})

test('packages of the second provider and packages sold by the day can be bought', async () => {
  const person = await harness.signUp()
  const [first, second] = [
    await harness.buy(person, { packageCode: 'fr-5gb-30d' }),
    await harness.sims.esimAccess
      .do('stock', { packageCode: 'CKH104', out: true })
      .then(() => harness.buy(person, { packageCode: 'fr-5gb-30d' })),
  ]
  const daily = await harness.buy(person, { packageCode: 'jp-1gb-7d-daily' })
  const placements = await sql<Pick<ProviderOrders, 'order_id' | 'provider' | 'state'>[]>`
    select order_id, provider, state from provider_orders where order_id in ${sql([first.id, second.id, daily.id])}`
  const filledBy = (id: string) => placements.find((row) => row.order_id === id && row.state === 'provided')?.provider
  expect([first, second, daily].map(({ id }) => filledBy(id))).toEqual(['esim-access', 'airalo', 'esim-access'])
  const { orders } = await harness.sims.esimAccess.state()
  expect(orders).toContainEqual(
    expect.objectContaining({ packages: [{ packageCode: 'CKH139', count: 1, days: 7 }], amount: 7 * 9_500 }),
  )
})

test('an entry of a price list that cannot be read is left out and is an operator task; the others are sold', async () => {
  const entries = [{ packageCode: 'ODD', name: null }]
  const offers = () =>
    sql`select count(*)::int as count from package_offers where provider = 'esim-access' and available`
  await sync()
  const before = await offers()
  await harness.sims.esimAccess.do('odd', { entries })
  expect((await sync()).providers['esim-access']).toMatchObject({ state: 'listed', leftOut: { unreadable: 2 } })
  expect(await offers()).toEqual(before)
  expect(await operatorTasks('provider_packages_unreadable')).toEqual([{ subject: 'esim-access', detail: '2 entries' }])

  await harness.sims.esimAccess.do('odd', { entries, alone: true })
  const failed = await harness.operator.post('/v1/packages/sync')
  expect(failed.body.providers['esim-access']).toMatchObject({ state: 'failed', code: 'unreadable_catalogue' })
  expect(await offers()).toEqual(before)

  await harness.sims.esimAccess.do('odd', {})
  const joined = harness.operator.post('/v1/packages/sync')
  await fastForward(harness.temporal, 'catalogue-sync', '2 minutes')
  expect(expectStatus(await joined, 200).providers['esim-access']).toMatchObject({ state: 'listed' })
  expect(await operatorTasks('provider_packages_unreadable')).toEqual([])
})

test('an entry of a price list that PostgreSQL cannot store keeps nothing else from being sold', async () => {
  const [like] = createCatalogue().base
  const networks = (operatorName: string) => ({
    locationNetworkList: [{ locationName: 'Germany', operatorList: [{ operatorName, networkType: '4G' }] }],
  })
  const entries = [
    { ...like, packageCode: 'NUL\0' },
    { ...like, packageCode: 'NUL-OF-A-NETWORK', ...networks('a\0b') },
    { ...like, packageCode: 'HALF', ...networks('\ud800') },
    { ...like, packageCode: 'LONG', duration: 3_000_000_000 },
    { ...like, packageCode: 'LARGE', volume: Number.MAX_SAFE_INTEGER },
    { ...like, packageCode: 'DEAR', price: Number.MAX_SAFE_INTEGER },
  ].map((entry) => ({ ...entry, location: 'DE,FR', locationCode: 'DE-FR' }))
  await harness.sims.esimAccess.do('odd', { entries })
  const { providers } = expectStatus(await harness.operator.post('/v1/packages/sync'), 200)
  expect(providers['esim-access']).toMatchObject({
    state: 'listed',
    // In the list of packages, and in that of top-ups.
    leftOut: { odd_size: 2, odd_cost: 2 },
  })
  await harness.sims.esimAccess.do('odd', {})
})

test('of packages for other countries with one code the first is sold, whatever the other one costs', async () => {
  const [like] = createCatalogue().base
  const first = { ...like, packageCode: 'FIRST', location: 'AT,GR,PL,SE', locationCode: 'AT-GR-PL-SE' }
  const second = { ...like, packageCode: 'SECOND', location: 'BG,FI,LT,SK', locationCode: 'BG-FI-LT-SK', price: 5_000 }
  for (const entries of [[first], [second, first]]) {
    await harness.sims.esimAccess.do('odd', { entries })
    expectStatus(await harness.operator.post('/v1/packages/sync'), 200)
    const offers = await sql`
      select p.destinations, o.provider_package_code as code, o.available
      from packages p join package_offers o on o.package_code = p.code
      where p.kind = 'base' and (o.provider_package_code in ('FIRST', 'SECOND') or p.code like 'eu4-23c9b1-%')`
    expect(offers).toEqual([{ destinations: ['AT', 'GR', 'PL', 'SE'], code: 'FIRST', available: true }])
  }
  await harness.sims.esimAccess.do('odd', {})
})
