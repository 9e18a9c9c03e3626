/**
 * U2 and U6: one entry of a list that an eSIM provider fills in another way hides no other one, and null is no number.
 */
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { createAiralo } from '../../providers/airalo/airalo.ts'
import { createEsimAccess } from '../../providers/esim-access/esim-access.ts'
import { startAiralo } from '../../sim/airalo.ts'
import { controlOf } from '../../sim/control.ts'
import { startEsimAccess } from '../../sim/esim-access.ts'

const secret = 'planted'
const unlisted: string[] = []
const watch = {
  answered: () => undefined,
  failed: () => undefined,
  unlisted: (party: string, code: string) => void unlisted.push(`${party} ${code}`),
}
const simulators = [
  await startEsimAccess({ accessCode: secret, secretKey: secret, webhookUrl: '' }),
  await startAiralo({ clientId: secret, clientSecret: secret, webhookUrl: '' }),
] as const
const [access, air] = [controlOf(simulators[0]), controlOf(simulators[1])]
const timeoutMs = 20_000
const esimAccess = createEsimAccess({
  baseUrl: `${simulators[0].url}/api/v1/open`,
  accessCode: secret,
  secretKey: secret,
  timeoutMs,
  watch,
})
const airalo = createAiralo({
  baseUrl: `${simulators[1].url}/v2`,
  clientId: secret,
  clientSecret: secret,
  timeoutMs,
  watch,
})

beforeEach(() => void unlisted.splice(0))
afterEach(() => Promise.all([access.clearFaults(), air.clearFaults()]))
afterAll(() => Promise.all(simulators.map((each) => each.stop())))

const placedAfter = '2026-11-29T10:00:00.000Z'
const between = { from: '2026-11-29T00:00:00.000Z', to: '2026-11-30T00:00:00.000Z' }

const esim = {
  esimTranNo: '1',
  orderNo: 'B1',
  transactionId: 'ours',
  esimStatus: 'GOT_RESOURCE',
  smdpStatus: 'RELEASED',
  packageList: [{ transactionId: 'ours', createTime: '2026-11-29T10:00:00+0000' }],
}

const esimsAre = (...esimList: unknown[]) =>
  access.fault({
    match: { path: '/esim/query' },
    status: 200,
    body: { success: true, errorCode: '0', obj: { esimList } },
  })

const order = {
  id: 7,
  type: 'sim',
  description: 'ours',
  created_at: '2026-11-29 10:00:00',
  currency: 'USD',
  net_price: 4.5,
  status: { slug: 'completed' },
}

const ordersAre = (...data: unknown[]) =>
  air.fault({ match: { path: '/v2/orders\\?' }, status: 200, body: { data, meta: { last_page: 1 } } })

async function listed(provider: typeof esimAccess | typeof airalo) {
  let unreadable = 0
  const orders = []
  const pages = provider.listOrders(between, () => {
    unreadable += 1
  })
  for await (const page of pages) orders.push(...page)
  return { references: orders.map(({ clientRef }) => clientRef), unreadable }
}

test.each([
  ['an eSIM without a status', { ...esim, esimStatus: null }],
  ['a negative usage', { ...esim, orderUsage: -1 }],
  ['a volume in words', { ...esim, totalVolume: '1 GB' }],
  ['no eSIM at all', null],
])('U2: eSIM Access: %s of another customer hides no order whose answer was lost', async (_what, other) => {
  await esimsAre({ ...Object(other), ...(other && { orderNo: 'B0', transactionId: 'another' }) }, esim)
  expect(await esimAccess.findOrder({ clientRef: 'ours', placedAfter })).toMatchObject({ orderNo: 'B1' })
})

test.each([
  ['a price of another form', { net_price: {} }],
  ['a status of another form', { status: [] }],
  ['a time of another form', { created_at: 1_764_410_400 }],
])('U2: Airalo: %s hides neither an order nor a top-up whose answer was lost', async (_what, odd) => {
  await ordersAre({ ...order, ...odd })
  expect(await airalo.findOrder({ clientRef: 'ours', placedAfter })).toEqual({ orderNo: '7', duplicates: [] })
  await ordersAre({ ...order, ...odd, type: 'topup' })
  expect(await airalo.hasTopUp({ clientRef: 'ours', esimRef: '89' })).toBe(true)
})

test('U2: Airalo: neither an order nor a top-up that was not filled counts as placed', async () => {
  const failed = { ...order, status: { slug: 'failed' } }
  await ordersAre(failed)
  expect(await airalo.findOrder({ clientRef: 'ours', placedAfter })).toBeNull()
  await ordersAre({ ...order, id: 8 }, failed)
  expect(await airalo.findOrder({ clientRef: 'ours', placedAfter })).toEqual({ orderNo: '8', duplicates: [] })
  await ordersAre({ ...failed, type: 'topup' })
  expect(await airalo.hasTopUp({ clientRef: 'ours', esimRef: '89' })).toBe(false)
  await ordersAre({ ...order, type: 'topup', status: { slug: 'invented' } })
  expect(await airalo.hasTopUp({ clientRef: 'ours', esimRef: '89' })).toBe(true)
  expect(unlisted).toEqual(['airalo order_status_invented'])
})

test('U2: Airalo: an order that is listed twice has no duplicate, which would be given back', async () => {
  await ordersAre(order, order)
  expect(await airalo.findOrder({ clientRef: 'ours', placedAfter })).toEqual({ orderNo: '7', duplicates: [] })
})

test('U2: Airalo: an order that cannot be read may be the one that is sought, and does not count as missing', async () => {
  await ordersAre({ ...order, id: [] })
  await expect(airalo.findOrder({ clientRef: 'ours', placedAfter })).rejects.toMatchObject({ kind: 'unavailable' })
})

test.each([
  ['no entry', null],
  ['a status that is missing', { ...esim, esimStatus: null }],
  ['a time that is none', { ...esim, packageList: [{ transactionId: 'ours', createTime: 'yesterday' }] }],
])('U6: eSIM Access: %s hides no other order of its books, and operators see it', async (_what, odd) => {
  await esimsAre(odd, { ...esim, orderNo: 'B2', transactionId: 'another', packageList: [] })
  expect(await listed(esimAccess)).toEqual({ references: ['another'], unreadable: 1 })
  expect(unlisted).toEqual(['esim-access order_unreadable'])
})

test.each([
  ['no entry', null],
  ['a price that is none', { ...order, net_price: 'on request' }],
  ['a time that is none', { ...order, created_at: 'yesterday' }],
])('U6: Airalo: %s hides no other order of its books, and operators see it', async (_what, odd) => {
  await ordersAre(odd, { ...order, description: 'another' })
  expect(await listed(airalo)).toEqual({ references: ['another'], unreadable: 1 })
  expect(unlisted).toEqual(['airalo order_unreadable'])
})

const wanted = { code: 'WANTED', kind: 'base' as const, destinations: ['DE'] }

test('U2: eSIM Access: a package whose entry cannot be read is not one that is sold no more', async () => {
  const packagesAre = (...packageList: unknown[]) =>
    access.fault({
      match: { path: '/package/list' },
      status: 200,
      body: { success: true, errorCode: '0', obj: { packageList } },
    })
  await packagesAre({ packageCode: 'WANTED', name: null })
  const unavailable = { kind: 'unavailable', code: 'malformed_reply' }
  await expect(esimAccess.currentCost(wanted)).rejects.toMatchObject(unavailable)
  await packagesAre({ packageCode: 'ANOTHER', name: null })
  expect(await esimAccess.currentCost(wanted)).toBeNull()
})

test('U2: Airalo: neither an entry that cannot be read nor an empty list is a package that is sold no more', async () => {
  const packagesAre = (...data: unknown[]) =>
    air.fault({ match: { path: '/v2/packages' }, status: 200, body: { data, meta: { last_page: 1 } }, times: 2 })
  const destination = (operators: unknown) => ({ country_code: 'DE', title: 'Germany', operators })
  for (const operators of [[{ id: 1, packages: [{ id: 'WANTED', price: 'on request' }] }], { 1: ['WANTED'] }]) {
    await packagesAre(destination(operators))
    const unavailable = { kind: 'unavailable', code: 'malformed_reply' }
    await expect(airalo.currentCost(wanted)).rejects.toMatchObject(unavailable)
    await air.clearFaults()
  }
  await packagesAre()
  await expect(airalo.currentCost(wanted)).rejects.toMatchObject({ kind: 'unavailable', code: 'empty_catalogue' })
  // The one who orders does not wait for an entry of another package.
  await packagesAre(destination([{ id: 1, packages: [{ id: 'ANOTHER', price: 'on request' }] }]), ...readable)
  expect(await airalo.currentCost(wanted)).toBeNull()
})

const readable = [
  {
    country_code: 'FR',
    title: 'France',
    operators: [
      {
        id: 2,
        title: 'Orange',
        rechargeability: true,
        is_kyc_verify: false,
        countries: [{ country_code: 'FR' }],
        packages: [
          { id: 'fr', type: 'sim', title: '1 GB', amount: 1024, day: 7, is_unlimited: false, price: 4.5, net_price: 4 },
        ],
      },
    ],
  },
]

test('U6: Airalo: a price is read as its arithmetic has left it', async () => {
  await ordersAre({ ...order, net_price: 4.1000000000000005 })
  for await (const page of airalo.listOrders(between)) expect(page).toMatchObject([{ unitCostMicros: 4_100_000 }])
  const balances = { availableBalance: { amount: 1234.5600000000002, currency: 'USD' } }
  await air.fault({ match: { path: '/v2/balance' }, status: 200, body: { data: { balances } } })
  expect(await airalo.balance()).toEqual({ amountMicros: 1_234_560_000, currency: 'USD' })
})

test('U6: eSIM Access: a balance of null is no empty balance, and a share of null no used-up eSIM', async () => {
  const match = { path: '/balance/query' }
  for (const balance of [null, '', [], true]) {
    await access.fault({ match, status: 200, body: { success: true, errorCode: '0', obj: { balance } } })
    await expect(esimAccess.balance()).rejects.toMatchObject({ kind: 'unavailable', code: 'malformed_reply' })
  }
  await access.fault({ match, status: 200, body: { success: true, errorCode: '0', obj: { balance: '-100' } } })
  expect(await esimAccess.balance()).toEqual({ amountMicros: -10_000, currency: 'USD' })
  const content = { orderNo: 'B1', esimTranNo: '1', transactionId: 'ours' }
  const notice = (remainThreshold: unknown) =>
    esimAccess.parseWebhook({
      rawBody: JSON.stringify({ notifyType: 'DATA_USAGE', notifyId: 'n', content: { ...content, remainThreshold } }),
      headers: {},
    }).hints[0]?.usedShare
  expect([null, '', '0.2', 0.5].map(notice)).toEqual([undefined, undefined, 0.8, 0.5])
})

test('U2: Airalo: an eSIM of which it does not say what is left counts as used no more than it was', async () => {
  const usage = (data: object) =>
    air.fault({
      match: { path: '/usage$' },
      status: 200,
      body: { data: { expired_at: null, is_unlimited: null, ...data } },
    })
  await usage({ status: 'NOT_ACTIVE', remaining: null, total: 1024 })
  expect(await airalo.getStatus('89')).toMatchObject({ state: 'new', totalBytes: 2 ** 30, usedBytes: 0 })
  await usage({ status: 'ACTIVE', remaining: 1000, total: 1024 })
  expect(await airalo.getStatus('89')).toMatchObject({ state: 'in_use', usedBytes: 24 * 2 ** 20 })
})
