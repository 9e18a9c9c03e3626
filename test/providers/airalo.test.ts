import { createHmac } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { milliseconds } from '../../policy/periods.ts'
import { createAiralo } from '../../providers/airalo/airalo.ts'
import type { EsimState } from '../../providers/esim.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { parseActivationCode } from '../../providers/lpa.ts'
import { startAiralo } from '../../sim/airalo.ts'
import { controlOf } from '../../sim/control.ts'
import type { Fault } from '../../sim/simulator.ts'
import { until } from '../harness/until.ts'
import { startWebhookReceiver } from './webhook-receiver.ts'

const GB = 1024 ** 3
const clientId = 'client-planted'
const clientSecret = 'secret-planted'

async function world() {
  const receiver = await startWebhookReceiver()
  const simulator = await startAiralo({ clientId, clientSecret, webhookUrl: receiver.url })
  onTestFinished(async () => {
    await simulator.stop()
    await receiver.stop()
  })
  const settings = { baseUrl: `${simulator.url}/v2`, clientId, clientSecret, timeoutMs: 20_000 }
  const provider = createAiralo(settings)
  /** a short time limit for a simulator that never answers */
  const callerFor = (fault: Fault) => (fault.hang ? createAiralo({ ...settings, timeoutMs: 500 }) : provider)
  const sim = controlOf(simulator)
  const order = { clientRef: 'ref-1', packageCode: 'moshi-moshi-7days-1gb', quantity: 1 }
  const placedAfter = new Date().toISOString()
  async function buy(packageCode = order.packageCode, clientRef = 'ref-1') {
    const { orderNo } = await provider.placeOrder({ ...order, clientRef, packageCode })
    const [esim] = await provider.getEsims(orderNo)
    if (!esim) throw new Error('no eSIM')
    return { orderNo, ...esim }
  }
  const read = ({ headers, body }: { headers: Record<string, unknown>; body: Buffer }) =>
    provider.parseWebhook({
      rawBody: body.toString('utf8'),
      headers: { 'airalo-signature': String(headers['airalo-signature']) },
    })
  const readWebhooks = async (count: number) => (await receiver.atLeast(count)).map(read)
  /** calls the simulator without the adapter */
  async function post(path: string, form: Record<string, string>, json = false) {
    const reply = await fetch(`${settings.baseUrl}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        client_id: clientId,
        client_secret: clientSecret,
        grant_type: 'client_credentials',
      }),
    })
    const { data } = z.object({ data: z.object({ access_token: z.string() }) }).parse(await reply.json())
    const body = new FormData()
    for (const [name, value] of Object.entries(form)) body.append(name, value)
    const response = await fetch(settings.baseUrl + path, {
      method: 'POST',
      headers: { Authorization: `Bearer ${data.access_token}` },
      body: json ? JSON.stringify(form) : body,
    })
    return { status: response.status, body: answerForm.parse(await response.json()) }
  }
  return { simulator, provider, callerFor, settings, sim, receiver, order, placedAfter, buy, readWebhooks, read, post }
}

const answerForm = z.looseObject({ data: z.union([z.record(z.string(), z.unknown()), z.unknown().array()]) })
/** A page is a list, or from the second one on an object by positions. */
const pageForm = z.object({ data: z.unknown(), meta: z.looseObject({ last_page: z.number(), total: z.number() }) })

const ORDER: Fault['match'] = { method: 'POST', path: '/orders$' }

test('a restore finds Airalo’s orders by pages of their days, and not by a call for each', async () => {
  const { provider, sim } = await world()
  const { day } = milliseconds
  const planted = Array.from({ length: 250 }, (_, index) => ({
    packageId: 'moshi-moshi-7days-1gb',
    description: `prefix-${String(index).padStart(3, '0')}-1`,
    createdAt: Date.now() - (index % 2) * day,
  }))
  await sim.do('plant', { orders: planted })
  await sim.do('plant', { orders: [{ ...planted[0], description: 'prefix-000-1', createdAt: Date.now() - 5 * day }] })
  const wanted = planted.slice(0, 200).map(({ description }) => description.slice(0, -2))
  const before = (await sim.log()).length
  const found = await provider.findOrdersOf(wanted, new Date(Date.now() - 1.5 * day).toISOString())
  expect(found.map(({ clientRef }) => clientRef)).toEqual(planted.slice(0, 200).map(({ description }) => description))
  const calls = (await sim.log()).slice(before).filter(({ url }) => url.includes('/orders'))
  expect(calls).toHaveLength(3)
  expect(await provider.findOrdersOf([], new Date().toISOString())).toEqual([])
})

test('Airalo’s packages are listed page by page, with net prices in micro-units', async () => {
  const { provider, sim } = await world()
  const packages = await provider.listPackages()
  expect(packages.find(({ code }) => code === 'moshi-moshi-30days-5gb')).toEqual({
    code: 'moshi-moshi-30days-5gb',
    kind: 'base',
    name: 'Japan 5 GB - 30 days',
    destinations: ['JP'],
    dataBytes: 5 * GB,
    daily: false,
    days: 30,
    costMicros: 4_600_000,
    costCurrency: 'USD',
    validityStarts: 'installation',
    family: expect.any(String),
    supportsTopUp: true,
    networks: [{ destination: 'JP', name: 'Moshi Moshi JP', generations: ['LTE', '5G'] }],
  })
  const byCode = new Map(packages.map((each) => [each.code, each]))
  expect(byCode.get('moshi-moshi-30days-5gb-topup')).toMatchObject({
    kind: 'top_up',
    family: byCode.get('moshi-moshi-30days-5gb')?.family,
  })
  expect(byCode.get('elan-7days-unlimited')).toMatchObject({ dataBytes: null, costMicros: 10_600_000 })
  expect(byCode.get('eurolink-7days-1gb')?.destinations.length).toBeGreaterThan(20)
  expect(byCode.get('nile-mobile-7days-1gb')?.supportsTopUp).toBe(false)
  expect(byCode.has('nile-mobile-7days-1gb-topup')).toBe(false)
  expect((await sim.log()).filter(({ url }) => url.startsWith('/v2/packages'))).toHaveLength(1)
})

test('Airalo’s later pages, which are objects, and prices without a net price are read', async () => {
  const { provider, sim } = await world()
  const operator = (id: number, isKyc: boolean) => ({
    id,
    title: 'Operator',
    rechargeability: true,
    is_kyc_verify: isKyc,
    countries: [],
    packages: [{ id: `p-${id}`, type: 'sim', title: '1 GB', amount: 1024, day: 7, price: 4.35, net_price: null }],
  })
  const page = (data: unknown) => ({ pricing: { discount_percentage: 10 }, data, meta: { last_page: 2 } })
  const destination = (id: number, isKyc = false) => ({
    country_code: 'PT',
    title: 'Portugal',
    operators: [operator(id, isKyc)],
  })
  await sim.fault({ match: { path: 'page=1$' }, status: 200, body: page([destination(1), destination(2, true)]) })
  await sim.fault({ match: { path: 'page=2$' }, status: 200, body: page({ 2: destination(3) }) })
  const packages = await provider.listPackages()
  expect(packages.map(({ code, costMicros, destinations }) => [code, costMicros, destinations])).toEqual([
    ['p-1', 3_915_000, ['PT']],
    ['p-3', 3_915_000, ['PT']],
  ])
})

test('of Airalo’s packages, only the readable ones are listed, and the others are counted', async () => {
  const { provider, sim } = await world()
  const good = { id: 'good', type: 'sim', title: '1 GB', amount: 1024, day: 7, price: 4.35, net_price: null }
  const packages = [
    good,
    { ...good, id: 'nulls', is_unlimited: null, net_price: '4.30' },
    { ...good, id: 'odd-type', type: 'voucher' },
    { ...good, id: 'odd-days', day: 1.5 },
    { ...good, id: 'odd-price', price: '4,35' },
    null,
  ]
  const operator = { id: 1, title: 'O', rechargeability: null, is_kyc_verify: null, countries: null, packages }
  const destination = { country_code: 'PT', title: 'Portugal', operators: [operator, { id: 2 }] }
  const body = { pricing: null, data: [destination, 'no destination'], meta: { last_page: null } }
  await sim.fault({ match: { path: '/packages' }, status: 200, body })
  let unreadable = 0
  const listed = await provider.listPackages(() => {
    unreadable += 1
  })
  expect([listed.map(({ code }) => code), unreadable]).toEqual([['good', 'nulls'], 6])
})

test('the usage of a recycled eSIM is read as Airalo documents it', async () => {
  const { provider, sim } = await world()
  // developers.partners.airalo.com, "Get usage (data, text & voice)", example of a recycled eSIM
  const data = {
    remaining: 0,
    total: 0,
    expired_at: null,
    is_unlimited: null,
    status: 'RECYCLED',
    remaining_voice: 0,
    remaining_text: 0,
    total_voice: 0,
    total_text: 0,
  }
  await sim.fault({ match: { path: '/usage$' }, status: 200, body: { data } })
  expect(await provider.getStatus('8944')).toMatchObject({ state: 'cancelled', expiresAt: null, usedBytes: 0 })
})

test('the Airalo simulator returns pages as documented', async () => {
  const { provider, settings, sim } = await world()
  await provider.balance()
  const authorization = String((await sim.log()).at(-1)?.headers.authorization)
  const page = async (query: string) =>
    pageForm.parse(await (await fetch(`${settings.baseUrl}/packages?${query}`, { headers: { authorization } })).json())
  const second = await page('limit=10&page=2')
  expect(Array.isArray((await page('limit=10')).data)).toBe(true)
  expect(Object.keys(Object(second.data))).toEqual(['10', '11', '12', '13', '14'])
  expect(second.meta).toMatchObject({ last_page: 2, total: 15 })
  expect((await page('filter[type]=global')).meta.total).toBe(3)
  expect((await page('filter[country]=JP')).meta.total).toBe(3)
})

test('an Airalo order returns its eSIMs', async () => {
  const { provider, sim, order } = await world()
  const { orderNo } = await provider.placeOrder({ ...order, packageCode: 'eurolink-7days-1gb', quantity: 2 })
  const esims = await provider.getEsims(orderNo)
  expect(esims).toHaveLength(2)
  for (const esim of esims) {
    expect(parseActivationCode(esim.activationCode)).toMatchObject({ smdpAddress: 'lpa.airalo.com' })
    expect(esim).toMatchObject({ esimRef: esim.iccid, apn: 'rh', confirmationCode: null, unusedValidUntil: null })
  }
  expect((await sim.state()).orders).toMatchObject([{ description: 'ref-1', iccids: esims.map(({ iccid }) => iccid) }])
  expect(await provider.balance()).toEqual({ amountMicros: 99_996_000_000, currency: 'USD' })
})

test('all calls to Airalo use one token, and a refused token is replaced', async () => {
  const { provider, sim, order } = await world()
  await Promise.all([provider.balance(), provider.listPackages(), provider.placeOrder(order)])
  const tokenCalls = async () => (await sim.log()).filter(({ url }) => url === '/v2/token').length
  expect(await tokenCalls()).toBe(1)
  await sim.do('clock', { advanceSeconds: 90_000 })
  await Promise.all([provider.balance(), provider.placeOrder({ ...order, clientRef: 'ref-2' })])
  expect(await tokenCalls()).toBe(2)
  expect((await sim.state()).orders).toHaveLength(2)
})

test('Airalo refuses a fourth token within a minute as rate limited', async () => {
  const { provider, sim } = await world()
  for (let time = 0; time < 3; time += 1) {
    await provider.balance()
    await sim.do('tokens')
  }
  const error = await provider.balance().catch((caught: unknown) => caught)
  if (!isProviderFailure(error)) throw error
  expect(error).toMatchObject({ kind: 'unavailable', code: 'rate_limited' })
  expect(error.retryAfterMs).toBeGreaterThan(30_000)
})

test('wrong credentials and repeatedly refused tokens at Airalo are misconfigured', async () => {
  const { provider, settings, sim } = await world()
  const otherClient = createAiralo({ ...settings, clientSecret: 'another' })
  await expect(otherClient.balance()).rejects.toMatchObject({ kind: 'misconfigured', code: 'bad_credentials' })
  await sim.fault({ match: { path: '/balance' }, times: 2, status: 401, body: { data: [], meta: {} } })
  await expect(provider.balance()).rejects.toMatchObject({ kind: 'misconfigured', code: 'bad_credentials' })
  await sim.fault({ match: { path: '/balance' }, status: 403, body: { code: 89, reason: 'IP' } })
  await expect(provider.balance()).rejects.toMatchObject({ kind: 'misconfigured', code: 'ip_not_allowed' })
})

test('Airalo’s own 404 says that it has no such order or eSIM; another server’s does not', async () => {
  const { provider, sim, order, buy } = await world()
  const { orderNo, esimRef } = await buy()
  const looks = [
    ['unknown_order', '/orders/', () => provider.getEsims(orderNo)],
    ['unknown_esim', '/usage', () => provider.getStatus(esimRef)],
  ] as const
  for (const [code, path, look] of looks) {
    await sim.fault({
      match: { path },
      status: 404,
      body: { data: [], meta: { message: 'messages.resource_not_found' } },
    })
    await expect(look()).rejects.toMatchObject({ kind: 'rejected', code })
    await sim.fault({ match: { path }, status: 404, body: '<html>not here</html>' })
    await expect(look()).rejects.toMatchObject({ kind: 'unavailable', code: 'foreign_http_404', needsOperator: true })
    // Of a path that Airalo's server does not have.
    await sim.fault({ match: { path }, status: 404, body: { message: 'The route could not be found.' } })
    await expect(look()).rejects.toMatchObject({ kind: 'unavailable', code: 'http_404', needsOperator: true })
    await look()
  }
  await sim.fault({ match: { method: 'POST', path: '/orders' }, status: 404, body: '<html>not here</html>' })
  await expect(provider.placeOrder(order)).rejects.toMatchObject({ kind: 'unknown_outcome', code: 'foreign_http_404' })
})

test('a page that refuses a call to Airalo costs no token and is no wrong password', async () => {
  const { provider, sim } = await world()
  await provider.balance()
  const tokens = async () => (await sim.log()).filter(({ url }) => url.endsWith('/token')).length
  const before = await tokens()
  for (const status of [401, 403]) {
    await sim.fault({ match: { path: '/balance' }, status, body: '<html>log in first</html>' })
    await expect(provider.balance()).rejects.toMatchObject({ kind: 'unavailable', code: `foreign_http_${status}` })
  }
  await provider.balance()
  expect(await tokens()).toBe(before)
})

test('two equal orders at Airalo are two orders, found by their description', async () => {
  const { provider, sim, order, placedAfter } = await world()
  const first = await provider.placeOrder(order)
  const second = await provider.placeOrder(order)
  expect(second.orderNo).not.toBe(first.orderNo)
  await provider.placeOrder({ ...order, clientRef: 'ref-10' })
  expect((await sim.state()).orders).toHaveLength(3)
  const found = { orderNo: first.orderNo, duplicates: [second.orderNo] }
  expect(await provider.findOrder({ clientRef: 'ref-1', placedAfter })).toEqual(found)
  expect(await provider.findOrder({ clientRef: 'ref-', placedAfter })).toBeNull()
})

test.each([
  ['cut', { cut: 'after' }, 'connection_lost'],
  ['silent', { hang: 'after' }, 'timed_out'],
] as const)(
  'a lost reply of Airalo to an applied order (%s) is an unknown outcome, and the order is found',
  async (_name, fault, code) => {
    const { provider, callerFor, sim, order, placedAfter } = await world()
    await sim.fault({ match: ORDER, ...fault })
    await expect(callerFor(fault).placeOrder(order)).rejects.toMatchObject({ kind: 'unknown_outcome', code })
    const found = await provider.findOrder({ clientRef: 'ref-1', placedAfter })
    expect(found).toEqual({ orderNo: expect.stringMatching(/^\d+$/), duplicates: [] })
    await expect(provider.getEsims(found?.orderNo ?? '')).resolves.toHaveLength(1)
  },
)

test.each([
  ['cut', { cut: 'before' }, 'connection_lost'],
  ['silent', { hang: 'before' }, 'timed_out'],
  ['500', { status: 500 }, 'http_500'],
  ['503', { status: 503 }, 'http_503'],
  ['504', { status: 504, body: '<html>' }, 'http_504'],
  ['code 53', { status: 422, body: { code: 53, reason: 'Something unexpected happened.' } }, 'provider_error'],
  ['no JSON', { status: 200, body: 'OK' }, 'malformed_reply'],
  ['other JSON', { status: 200, body: { data: {} } }, 'malformed_reply'],
] as const)(
  'an order that Airalo may have applied (%s) is an unknown outcome, and is not found',
  async (_name, fault, code) => {
    const { provider, callerFor, sim, order, placedAfter } = await world()
    await sim.fault({ match: ORDER, ...fault })
    await expect(callerFor(fault).placeOrder(order)).rejects.toMatchObject({ kind: 'unknown_outcome', code })
    expect(await provider.findOrder({ clientRef: 'ref-1', placedAfter })).toBeNull()
  },
)

test.each([
  ['cut', { cut: 'before' }, 'connection_lost'],
  ['silent', { hang: 'before' }, 'timed_out'],
  ['500', { status: 500 }, 'http_500'],
  ['503', { status: 503 }, 'http_503'],
  ['code 53', { status: 422, body: { code: 53, reason: '' } }, 'provider_error'],
  ['no JSON', { status: 200, body: 'LPA:1$secret' }, 'malformed_reply'],
] as const)('a failed read at Airalo (%s) is unavailable', async (_name, fault, code) => {
  const { callerFor, sim } = await world()
  await sim.fault({ match: { path: '/balance' }, ...fault })
  const error = await callerFor(fault)
    .balance()
    .catch((caught: Error) => caught)
  expect(error).toMatchObject({ kind: 'unavailable', code })
  expect(error).not.toHaveProperty('cause')
})

test('an order at Airalo is certainly not placed when no token can be fetched', async () => {
  const { provider, sim, order, simulator } = await world()
  await sim.fault({ match: { path: '/token' }, cut: 'after' })
  await expect(provider.placeOrder(order)).rejects.toMatchObject({ kind: 'unavailable', code: 'connection_lost' })
  expect((await sim.state()).orders).toEqual([])
  await simulator.stop()
  const otherClient = createAiralo({
    baseUrl: `${simulator.url.replace('127.0.0.1', 'localhost')}/v2`,
    clientId,
    clientSecret,
    timeoutMs: 9000,
  })
  await expect(otherClient.placeOrder(order)).rejects.toMatchObject({ kind: 'unavailable', code: 'unreachable' })
})

test.each([
  [11, 'misconfigured', 'no_balance'],
  [13, 'unavailable', 'provider_busy'],
  [14, 'misconfigured', 'bad_request'],
  [23, 'rejected', 'top_up_unsupported'],
  [33, 'rejected', 'out_of_stock'],
  [34, 'rejected', 'out_of_stock'],
  [43, 'misconfigured', 'bad_request'],
  [73, 'rejected', 'expired'],
  [99, 'unknown_outcome', 'provider_code_99'],
])('Airalo’s error code %i is %s with the code %s', async (number, kind, code) => {
  const { provider, sim, order } = await world()
  await sim.fault({ match: ORDER, status: 422, body: { code: number, reason: 'free text' } })
  await expect(provider.placeOrder(order)).rejects.toMatchObject({ kind, code })
})

test.each([
  ['test-insufficient-balance-7days-1gb', 'no_balance'],
  ['test-maintenance-mode-7days-1gb', 'provider_busy'],
  ['test-disabled-top-up-7days-1gb', 'top_up_unsupported'],
  ['test-not-enough-7days-1gb', 'out_of_stock'],
  ['test-out-of-stock-7days-1gb', 'out_of_stock'],
  ['no-such-package', 'unknown_package'],
])('Airalo’s sandbox package %s is refused with the code %s', async (packageCode, code) => {
  const { provider, order } = await world()
  await expect(provider.placeOrder({ ...order, packageCode })).rejects.toMatchObject({ code })
})

test('Airalo’s refusals of stock, credit, maintenance, quantity, order and eSIM get their codes', async () => {
  const { provider, sim, order } = await world()
  await sim.do('stock', { packageId: order.packageCode, out: true })
  await expect(provider.placeOrder(order)).rejects.toMatchObject({ kind: 'rejected', code: 'out_of_stock' })
  await sim.do('stock', { out: false })
  await sim.do('left', { packageId: order.packageCode, quantity: 1 })
  await expect(provider.placeOrder({ ...order, quantity: 2 })).rejects.toMatchObject({
    kind: 'rejected',
    code: 'out_of_stock',
  })
  await sim.do('left', { packageId: order.packageCode, quantity: null })
  await sim.do('balance', { amount: 1.79 })
  await expect(provider.placeOrder(order)).rejects.toMatchObject({ kind: 'misconfigured', code: 'no_balance' })
  await sim.do('balance', { amount: 100 })
  await sim.do('maintenance', { operatorId: 507, on: true })
  await expect(provider.placeOrder(order)).rejects.toMatchObject({ kind: 'unavailable', code: 'provider_busy' })
  await sim.do('maintenance', { operatorId: 507, on: false })
  const many = { ...order, quantity: 51 }
  await expect(provider.placeOrder(many)).rejects.toMatchObject({ kind: 'misconfigured', code: 'bad_request' })
  await expect(provider.getEsims('1')).rejects.toMatchObject({ kind: 'rejected', code: 'unknown_order' })
  await expect(provider.getStatus('89')).rejects.toMatchObject({ kind: 'rejected', code: 'unknown_esim' })
  expect((await sim.state()).orders).toEqual([])
})

test('an eSIM of Airalo is read as new, in use, used up, topped up and expired', async () => {
  const { provider, sim, buy } = await world()
  const { esimRef: iccid } = await buy('change-7days-1gb')
  const status = () => provider.getStatus(iccid)
  expect(await status()).toEqual({ state: 'new', totalBytes: GB, usedBytes: 0, activatedAt: null, expiresAt: null })
  await sim.do('install', { iccid })
  expect((await status()).state).toBe('new')
  await sim.do('use', { iccid, bytes: 256 * 1024 ** 2 })
  const used = await status()
  expect(used).toMatchObject({ state: 'in_use', usedBytes: 256 * 1024 ** 2 })
  expect(Date.parse(used.expiresAt ?? '')).toBeGreaterThan(Date.now() + 6.9 * 86_400_000)
  await sim.do('use', { iccid, bytes: GB })
  expect((await status()).state).toBe('used_up')
  await provider.topUp({ clientRef: 'top-1', esimRef: iccid, packageCode: 'change-30days-5gb-topup' })
  expect(await status()).toMatchObject({ state: 'in_use', totalBytes: 6 * GB, usedBytes: GB })
  await sim.do('clock', { advanceSeconds: 38 * 86_400 })
  expect((await status()).state).toBe('expired')
  await sim.do('recycle', { iccid })
  expect((await status()).state).toBe('cancelled')
})

test('unlimited packages, unknown states, and the cache and limit of usage at Airalo are read', async () => {
  const { provider, sim, buy } = await world()
  const { esimRef: iccid } = await buy('elan-7days-unlimited')
  await sim.do('usageCache', { seconds: 1200 })
  expect(await provider.getStatus(iccid)).toMatchObject({ state: 'new', totalBytes: null })
  await sim.do('use', { iccid, bytes: 5 * GB })
  expect((await provider.getStatus(iccid)).state).toBe('new')
  await sim.do('clock', { advanceSeconds: 1201 })
  expect(await provider.getStatus(iccid)).toMatchObject({ state: 'in_use', totalBytes: null, usedBytes: 0 })
  await sim.do('limits', { usagePerMinute: 1 })
  await provider.getStatus(iccid)
  await expect(provider.getStatus(iccid)).rejects.toMatchObject({ kind: 'unavailable', code: 'rate_limited' })
  const body = { data: { status: 'UNKNOWN', remaining: 0, total: 0, expired_at: null } }
  await sim.fault({ match: { path: '/usage' }, status: 200, body })
  expect((await provider.getStatus(iccid)).state).toBe('unknown')
})

test('a top-up at Airalo is found after a lost reply, and refused when it does not fit', async () => {
  const { provider, sim, buy } = await world()
  const { esimRef } = await buy('change-7days-1gb')
  const topUp = { clientRef: 'top-1', esimRef, packageCode: 'change-7days-1gb-topup' }
  expect(await provider.hasTopUp(topUp)).toBe(false)
  await sim.fault({ match: { path: '/orders/topups' }, cut: 'after' })
  await expect(provider.topUp(topUp)).rejects.toMatchObject({ kind: 'unknown_outcome', code: 'connection_lost' })
  for (const body of ['OK', {}, { data: {} }]) {
    await sim.fault({ match: { method: 'POST', path: '/orders/topups$' }, status: 200, body })
    await expect(provider.topUp(topUp)).rejects.toMatchObject({ kind: 'unknown_outcome', code: 'malformed_reply' })
  }
  expect(await provider.hasTopUp(topUp)).toBe(true)
  expect(await provider.hasTopUp({ ...topUp, clientRef: 'top' })).toBe(false)
  expect(await provider.topUpsOf(['top', 'sub'], esimRef)).toEqual(['top-1'])
  expect(await provider.topUpsOf(['op-1'], esimRef)).toEqual([])
  const wrong = { ...topUp, clientRef: 'top-2' }
  await expect(provider.topUp({ ...wrong, packageCode: 'maew-15days-3gb-topup' })).rejects.toMatchObject({
    code: 'unknown_package',
  })
  await expect(provider.topUp({ ...wrong, esimRef: '89' })).rejects.toMatchObject({ code: 'unknown_esim' })
  await sim.do('recycle', { iccid: esimRef })
  await expect(provider.topUp(wrong)).rejects.toMatchObject({ kind: 'rejected', code: 'expired' })
  expect((await sim.state()).orders.filter(({ type }) => type === 'topup')).toHaveLength(1)
})

test('a return of unused eSIMs at Airalo is requested, and Airalo’s staff decides', async () => {
  const { provider, sim, buy } = await world()
  const before = (await sim.state()).balance
  const { esimRef } = await buy()
  expect(await provider.cancelUnused(esimRef)).toBe('requested')
  const { refunds, balance } = await sim.state()
  expect(refunds).toMatchObject([{ iccids: [esimRef], reason: 'CHANGE_OF_PLAN' }])
  expect(balance).toBeLessThan(before)
  await sim.do('approveRefund', { refundId: refunds[0]?.refundId })
  expect((await sim.state()).balance).toBe(before)
  expect(await provider.cancelUnused(esimRef)).toBe('already')
  const used = await buy('change-7days-1gb', 'ref-2')
  await sim.do('use', { iccid: used.esimRef, bytes: 1 })
  await expect(provider.cancelUnused(used.esimRef)).rejects.toMatchObject({ code: 'not_cancellable' })
  const usage = { status: 'UNKNOWN', remaining: null, total: null, is_unlimited: null, expired_at: null }
  await sim.fault({ match: { path: '/usage$' }, status: 200, body: { data: usage } })
  await expect(provider.cancelUnused(used.esimRef)).rejects.toMatchObject({ kind: 'unavailable' })
  await expect(provider.cancelUnused('89')).rejects.toMatchObject({ code: 'unknown_esim' })
  expect((await sim.state()).refunds).toHaveLength(1)
  await sim.do('limits', { refundPerMinute: 0 })
  const third = await buy('change-7days-1gb', 'ref-3')
  await expect(provider.cancelUnused(third.esimRef)).rejects.toMatchObject({ code: 'rate_limited' })
  for (const wait of [undefined, '0', '-7', 'soon', new Date(0).toUTCString()]) {
    const headers: Record<string, string> = wait === undefined ? {} : { 'Retry-After': wait }
    await sim.fault({ match: { path: '/refund' }, status: 429, headers, body: { message: 'Too Many Attempts.' } })
    // Five requests in a minute, as the page of the call says.
    await expect(provider.cancelUnused(third.esimRef)).rejects.toMatchObject({ retryAfterMs: 60_000 })
  }
})

const goingBack = (esimRefs: readonly string[], asked: string[] = []) => ({
  esimRefs,
  states: new Map<string, Promise<EsimState>>(),
  onAsked: (esimRef: string) => void asked.push(esimRef),
})

test('eSIMs that go back together are one request at Airalo, of at most five', async () => {
  const { provider, sim } = await world()
  await sim.do('limits', { refundPerMinute: 1 })
  const { orderNo } = await provider.placeOrder({ clientRef: 'ref', packageCode: 'change-7days-1gb', quantity: 6 })
  const [first = '', ...rest] = (await provider.getEsims(orderNo)).map(({ esimRef }) => esimRef)
  const asked: string[] = []
  expect(await provider.cancelUnused(first, goingBack(rest, asked))).toBe('requested')
  expect(asked).toEqual(rest.slice(0, 4))
  expect((await sim.state()).refunds.map(({ iccids }) => iccids)).toEqual([[first, ...asked]])
  await expect(provider.cancelUnused(rest.at(-1) ?? '')).rejects.toMatchObject({ code: 'rate_limited' })
})

test('one that is used or of which Airalo says nothing keeps no other one back, and each is looked at once', async () => {
  const { provider, sim } = await world()
  const { orderNo } = await provider.placeOrder({ clientRef: 'ref', packageCode: 'change-7days-1gb', quantity: 7 })
  const [first = '', used = '', unclear = '', silent = '', ...others] = (await provider.getEsims(orderNo)).map(
    ({ esimRef }) => esimRef,
  )
  await sim.do('use', { iccid: used, bytes: 0.1 * GB })
  const data = { status: 'UNKNOWN', remaining: null, total: null, is_unlimited: null, expired_at: null }
  await sim.fault({ match: { path: `/${unclear}/usage$` }, status: 200, body: { data } })
  await sim.fault({ match: { path: `/${silent}/usage$` }, status: 503 })
  const together = goingBack([used, unclear, silent, ...others])
  expect(await provider.cancelUnused(first, together)).toBe('requested')
  expect((await sim.state()).refunds.map(({ iccids }) => iccids)).toEqual([[first, ...others]])
  // Each in its own turn, by what Airalo has said of it.
  await expect(provider.cancelUnused(used, together)).rejects.toMatchObject({ code: 'not_cancellable' })
  await expect(provider.cancelUnused(unclear, together)).rejects.toMatchObject({ code: 'unknown_state' })
  await expect(provider.cancelUnused(silent, together)).rejects.toMatchObject({ kind: 'unavailable', code: 'http_503' })
  const looks = (await sim.log()).filter(({ url }) => url.endsWith('/usage')).map(({ url }) => url)
  expect(looks).toHaveLength(7)
  expect(new Set(looks).size).toBe(7)
})

test('an eSIM of which Airalo has just spoken is not looked at again', async () => {
  const { provider, sim, buy } = await world()
  const { esimRef } = await buy()
  const together = goingBack([])
  together.states.set(esimRef, Promise.resolve('new'))
  expect(await provider.cancelUnused(esimRef, together)).toBe('requested')
  expect((await sim.log()).filter(({ url }) => url.endsWith('/usage'))).toEqual([])
})

test('a refund that Airalo refuses counts as not requested, with whichever status it says so', async () => {
  const { provider, sim, buy } = await world()
  const { esimRef } = await buy()
  const refused = { kind: 'misconfigured', code: 'refund_refused' }
  const meta = { message: 'The following ICCIDs do not belong to your company' }
  for (const status of [202, 422])
    for (const data of [[], { reason: 'The selected reason is invalid.' }]) {
      await sim.fault({ match: { path: '/refund' }, status, body: { data, meta } })
      await expect(provider.cancelUnused(esimRef)).rejects.toMatchObject(refused)
    }
  await sim.fault({ match: { path: '/refund' }, status: 422, body: { code: 43, reason: 'Bad request.' } })
  await expect(provider.cancelUnused(esimRef)).rejects.toMatchObject(refused)
  for (const body of ['thanks', { data: {}, meta }, { data: [{ refund_id: 1 }], meta }, { data: { id: 7 }, meta }]) {
    await sim.fault({ match: { path: '/refund' }, status: 202, body })
    await expect(provider.cancelUnused(esimRef)).rejects.toMatchObject({ kind: 'unknown_outcome' })
  }
  // A refusal of the look says nothing about the return.
  await sim.fault({ match: { path: '/usage$' }, status: 422, body: { code: 43, reason: 'Bad request.' } })
  await expect(provider.cancelUnused(esimRef)).rejects.toMatchObject({ kind: 'misconfigured', code: 'bad_request' })
  expect((await sim.state()).refunds).toEqual([])
})

test('the Airalo simulator refuses a refund with an eSIM of others, and refunds an order in part', async () => {
  const { provider, sim, order, post } = await world()
  const { orderNo } = await provider.placeOrder({ ...order, quantity: 2 })
  const [first = '', second = ''] = (await provider.getEsims(orderNo)).map(({ iccid }) => iccid)
  const reason = 'CHANGE_OF_PLAN'
  const foreign = await post('/refund', { iccids: JSON.stringify([first, '894000000000001']), reason })
  expect(foreign).toMatchObject({ status: 202, body: { data: [] } })
  expect((await sim.state()).refunds).toEqual([])
  expect((await post('/refund', { iccids: JSON.stringify([first]), reason, notes: 'x'.repeat(256) })).status).toBe(422)
  const statusAfterRefundOf = async (iccid: string) => {
    await provider.cancelUnused(iccid)
    await sim.do('approveRefund', { refundId: (await sim.state()).refunds.at(-1)?.refundId })
    return (await sim.state()).orders.map(({ status }) => status)
  }
  expect(await statusAfterRefundOf(first)).toEqual(['partially_refunded'])
  expect(await statusAfterRefundOf(second)).toEqual(['refunded'])
})

test('Airalo does not support suspending an eSIM', async () => {
  const { provider } = await world()
  expect([await provider.suspend('89'), await provider.unsuspend('89')]).toEqual(['unsupported', 'unsupported'])
})

test('Airalo webhooks report low data and short validity', async () => {
  const { sim, buy, readWebhooks } = await world()
  const { esimRef: iccid } = await buy('change-7days-1gb')
  await sim.do('use', { iccid, bytes: 0.8 * GB })
  expect((await readWebhooks(1)).map(({ hints }) => hints)).toEqual([
    [{ kind: 'usage', esimRef: iccid, usedShare: 0.75 }],
  ])
  await sim.do('use', { iccid, bytes: 0.15 * GB })
  await readWebhooks(2)
  await sim.do('clock', { advanceSeconds: 4.5 * 86_400 })
  await readWebhooks(3)
  await sim.do('clock', { advanceSeconds: 2 * 86_400 })
  const all = await readWebhooks(4)
  expect(all.map(({ hints }) => hints[0]?.kind)).toEqual(['usage', 'usage', 'validity', 'validity'])
  expect(new Set(all.map(({ eventId }) => eventId)).size).toBe(4)
})

test('an asynchronous order at Airalo is accepted first; a webhook reports its end or failure', async () => {
  const { provider, sim, receiver, readWebhooks, post } = await world()
  const form = { package_id: 'change-7days-1gb', quantity: '1', type: 'sim', description: 'ref-9' }
  const accepted = await post('/orders-async', form)
  expect(accepted).toMatchObject({ status: 202, body: { data: { request_id: expect.stringMatching(/^.{25}$/) } } })
  const [done] = await readWebhooks(1)
  const { orders } = await sim.state()
  expect(done?.hints).toEqual([{ kind: 'order', orderNo: String(orders[0]?.id), clientRef: 'ref-9' }])
  await expect(provider.getEsims(String(orders[0]?.id))).resolves.toHaveLength(1)
  await sim.do('asyncOrders', { failure: 'no profile' })
  await post('/orders-async', form)
  const [, failed] = await readWebhooks(2)
  expect(failed?.hints).toEqual([])
  expect(JSON.parse(String((await receiver.atLeast(2))[1]?.body))).toMatchObject({ reason: expect.any(String) })
})

test('Airalo’s signatures of the bytes and of the escaped text are accepted, wrong ones refused', async () => {
  const { provider, sim, buy, receiver, read } = await world()
  const { esimRef: iccid } = await buy('change-7days-1gb')
  await sim.do('signature', { form: 'wrong' })
  await sim.do('use', { iccid, bytes: 0.8 * GB })
  const [wrong] = await receiver.atLeast(1)
  expect(() => wrong && read(wrong)).toThrow('bad_signature')
  const rawBody = '{"iccid":"89","level":"75%","package_name":"a/b"}'
  const sign = (text: string) => createHmac('sha512', clientSecret).update(text).digest('hex')
  const accepts = (signature: string | undefined, body = rawBody) => {
    try {
      return provider.parseWebhook({ rawBody: body, headers: { 'airalo-signature': signature } }).hints.length === 1
    } catch {
      return false
    }
  }
  expect(accepts(sign(rawBody))).toBe(true)
  expect(accepts(sign(rawBody).toUpperCase())).toBe(true)
  expect(accepts(sign(rawBody.replaceAll('/', '\\/')))).toBe(true)
  const escaped = rawBody.replaceAll('/', '\\/')
  expect(accepts(sign(escaped), escaped)).toBe(true)
  expect(accepts(sign(`${rawBody} `))).toBe(false)
  expect(accepts('')).toBe(false)
  expect(accepts(undefined)).toBe(false)
  const none = { rawBody: '7', headers: { 'airalo-signature': sign('7') } }
  expect(() => provider.parseWebhook(none)).toThrow('malformed_webhook')
})

test('the Airalo simulator repeats refused webhooks every 15 minutes, or at once, until an answer of 200', async () => {
  const { sim, buy, receiver } = await world()
  const { esimRef: iccid } = await buy('change-7days-1gb')
  receiver.answerWith(204)
  await sim.do('use', { iccid, bytes: 0.8 * GB })
  await receiver.atLeast(1)
  const seen = async (count: number) => {
    await receiver.atLeast(count)
    // The sender records the answer after the receiver has sent it.
    await until('it is in its books', async () => (await sim.state()).deliveries.length === count)
  }
  await seen(1)
  await sim.do('clock', { advanceSeconds: 600 })
  expect((await sim.state()).deliveries).toHaveLength(1)
  await sim.do('clock', { advanceSeconds: 301 })
  await seen(2)
  receiver.answerWith(200)
  expect(await sim.do('retry')).toEqual({ sent: 1 })
  await seen(3)
  expect(await sim.do('retry')).toEqual({ sent: 0 })
})

test('a subscription to Airalo’s webhooks checks the URL with HEAD', async () => {
  const { sim, receiver, post } = await world()
  const optIn = (url: string) => post('/notifications/opt-in', { type: 'webhook_low_data', webhook_url: url }, true)
  expect((await optIn(`${receiver.url}/new`)).status).toBe(200)
  expect((await sim.state()).optedIn.webhook_low_data).toBe(`${receiver.url}/new`)
  receiver.answerWith(404)
  expect((await optIn(`${receiver.url}/broken`)).status).toBe(422)
  expect((await sim.state()).optedIn.webhook_low_data).toBe(`${receiver.url}/new`)
})

test('P1: Airalo receives only technical fields', async () => {
  const { provider, sim, buy, placedAfter } = await world()
  const { esimRef } = await buy('change-7days-1gb')
  await provider.findOrder({ clientRef: 'ref-1', placedAfter })
  await provider.topUp({ clientRef: 'top-1', esimRef, packageCode: 'change-7days-1gb-topup' })
  await provider.hasTopUp({ clientRef: 'top-1', esimRef })
  await provider.cancelUnused(esimRef)
  const log = await sim.log()
  const names = log.flatMap(({ body, headers }) =>
    String(headers['content-type']).includes('urlencoded')
      ? [...new URLSearchParams(body).keys()]
      : [...body.matchAll(/form-data; name="([^"]+)"/g)].map(([, name]) => name ?? ''),
  )
  expect([...new Set(names)].sort()).toEqual([
    'client_id',
    'client_secret',
    'description',
    'grant_type',
    'iccid',
    'iccids',
    'package_id',
    'quantity',
    'reason',
    'type',
  ])
  const queries = log.flatMap(({ url }) => [...new URL(url, 'http://sim').searchParams.keys()])
  expect([...new Set(queries)].sort()).toEqual(['filter[description]', 'include', 'page'])
})
