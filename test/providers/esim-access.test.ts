import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { createEsimAccess } from '../../providers/esim-access/esim-access.ts'
import { signRequest } from '../../providers/esim-access/wire.ts'
import { parseActivationCode } from '../../providers/lpa.ts'
import { controlOf } from '../../sim/control.ts'
import { startEsimAccess } from '../../sim/esim-access.ts'
import type { Fault } from '../../sim/simulator.ts'
import { altered } from '../harness/altered.ts'
import { startWebhookReceiver } from './webhook-receiver.ts'

const GB = 1024 ** 3
const accessCode = 'code-planted'
const secretKey = 'secret-planted'

async function world() {
  const receiver = await startWebhookReceiver()
  const simulator = await startEsimAccess({ accessCode, secretKey, webhookUrl: receiver.url })
  onTestFinished(async () => {
    await simulator.stop()
    await receiver.stop()
  })
  const settings = { baseUrl: `${simulator.url}/api/v1/open`, accessCode, secretKey, timeoutMs: 20_000 }
  const provider = createEsimAccess(settings)
  /** a short time limit for a simulator that never answers */
  const callerFor = (fault: Fault) => (fault.hang ? createEsimAccess({ ...settings, timeoutMs: 500 }) : provider)
  const sim = controlOf(simulator)
  const order = { clientRef: 'ref-1', packageCode: 'JP_1_7', quantity: 1 }
  const placedAfter = new Date().toISOString()
  async function buy(packageCode = 'JP_1_7', clientRef = 'ref-1') {
    const { orderNo } = await provider.placeOrder({ ...order, clientRef, packageCode })
    const [esim] = await provider.getEsims(orderNo)
    if (!esim) throw new Error('no eSIM')
    return { orderNo, ...esim }
  }
  /** reads the next `count` webhooks */
  const readWebhooks = async (count: number) =>
    (await receiver.atLeast(count)).map(({ body }) =>
      provider.parseWebhook({ rawBody: body.toString('utf8'), headers: {} }),
    )
  return { simulator, provider, callerFor, settings, sim, receiver, order, placedAfter, buy, readWebhooks }
}

const envelope = (errorCode: string) => ({ success: false, errorCode, errorMsg: 'free text', obj: null })

const ORDER: Fault['match'] = { path: '/esim/order' }

test('of eSIM Access’s packages, only the readable ones are listed, and the others are counted', async () => {
  const { provider, sim } = await world()
  const good = {
    packageCode: 'GOOD',
    name: 'Germany 1 GB',
    price: 12_000,
    currencyCode: 'USD',
    volume: 2 ** 30,
    dataType: 1,
    duration: 7,
    location: 'DE',
    supportTopUpType: 2,
  }
  const packageList = [
    good,
    { ...good, packageCode: 'WORD', supportTopUpType: true, dataType: null, locationCode: null },
    { ...good, packageCode: 'FRACTION', price: 1.5 },
    { ...good, packageCode: 'NAMELESS', name: null },
    null,
  ]
  const body = { success: true, errorCode: '0', obj: { packageList } }
  await sim.fault({ match: { path: '/package/list$' }, status: 200, body, times: 2 })
  let unreadable = 0
  const listed = await provider.listPackages(() => {
    unreadable += 1
  })
  expect(listed.map(({ code, kind, supportsTopUp }) => `${code} ${kind} ${supportsTopUp}`)).toEqual([
    'GOOD base true',
    'WORD base true',
    'GOOD top_up true',
    'WORD top_up true',
  ])
  expect(unreadable).toBe(6)
})

test('a request to eSIM Access is signed as in the vendor’s example', () => {
  const signature = signRequest({
    timestamp: '1628670421',
    requestId: '4ce9d9cdac9e4e17b3a2c66c358c1ce2',
    accessCode: '11111',
    secretKey: '1111',
    body: '{"imsi":"326543826"}',
  })
  expect(signature).toBe('7eb765e27df5373dea2dbc8c41a7d9557743e46c8054750f3d851b3fd01d0835')
})

const replyForm = z.looseObject({ success: z.boolean(), errorCode: z.string().nullish() })

test('the eSIM Access simulator accepts correct signatures in either case, and no others', async () => {
  const { settings } = await world()
  const ask = async (change: (signature: string) => string, at = Date.now()) => {
    const [timestamp, requestId, body] = [String(at), 'id-1', '{}']
    const signature = change(signRequest({ timestamp, requestId, accessCode, secretKey, body }))
    const response = await fetch(`${settings.baseUrl}/balance/query`, {
      method: 'POST',
      headers: {
        'RT-AccessCode': accessCode,
        'RT-RequestID': requestId,
        'RT-Timestamp': timestamp,
        'RT-Signature': signature,
      },
      body,
    })
    return replyForm.parse(await response.json())
  }
  expect(await ask((signature) => signature)).toMatchObject({ success: true, errorCode: '0' })
  expect(await ask((signature) => signature.toUpperCase())).toMatchObject({ success: true })
  expect(await ask(altered)).toMatchObject({ errorCode: '101003' })
  expect(await ask((signature) => signature, Date.now() - 3_600_000)).toMatchObject({ errorCode: '101001' })
  const unsigned = await fetch(`${settings.baseUrl}/balance/query`, { method: 'POST', body: '{}' })
  expect([unsigned.status, await unsigned.json()]).toMatchObject([200, { success: false, errorCode: '000101' }])
})

test('an access code alone is enough at eSIM Access if the account allows it', async () => {
  const { settings, sim } = await world()
  const ask = async () => {
    const headers = { 'RT-AccessCode': accessCode }
    const response = await fetch(`${settings.baseUrl}/balance/query`, { method: 'POST', headers, body: '' })
    return replyForm.parse(await response.json()).success
  }
  expect(await ask()).toBe(false)
  await sim.do('auth', { mode: 'simple' })
  expect(await ask()).toBe(true)
})

test('eSIM Access’ packages and top-ups are listed in bytes, days and micro-units', async () => {
  const { provider } = await world()
  const packages = await provider.listPackages()
  const base = packages.filter(({ kind }) => kind === 'base')
  expect(base.length).toBeGreaterThanOrEqual(40)
  expect(base.find(({ name }) => name === 'Japan 1GB 7Days')).toEqual({
    code: expect.stringMatching(/^CKH/),
    kind: 'base',
    name: 'Japan 1GB 7Days',
    destinations: ['JP'],
    dataBytes: GB,
    daily: false,
    days: 7,
    costMicros: 1_100_000,
    costCurrency: 'USD',
    validityStarts: 'installation',
    family: 'JP',
    supportsTopUp: true,
    networks: [{ destination: 'JP', name: 'Softbank', generations: ['4G', '5G'] }],
  })
  const regional = base.find(({ name }) => name === 'Europe (32 countries) 5GB 30Days')
  expect(regional?.destinations).toHaveLength(32)
  expect(regional?.networks?.map(({ destination }) => destination).sort()).toEqual(regional?.destinations.toSorted())
  const daily = base.find(({ name }) => name === 'Japan 1GB/Day')
  expect(daily).toMatchObject({ daily: true, days: 1, dataBytes: GB, costMicros: 950_000 })
  expect(base.find(({ destinations }) => destinations.join() === 'EG')?.supportsTopUp).toBe(false)
  const topUps = packages.filter(({ kind, family }) => kind === 'top_up' && family === 'JP')
  expect(topUps.every(({ code }) => code.startsWith('TOPUP_'))).toBe(true)
  expect(topUps.length).toBeGreaterThan(1)
  expect(packages.some(({ kind, family }) => kind === 'top_up' && family === 'EG')).toBe(false)
  // A place can have both.
  const turkish = packages.filter(({ kind, family }) => kind === 'base' && family === 'TR')
  expect(turkish.map(({ dataBytes, supportsTopUp }) => [Number(dataBytes) / GB, supportsTopUp])).toEqual([
    [1, true],
    [5, true],
    [3, false],
  ])
})

test('the price of a package of eSIM Access is found, also that of a top-up, and none of what it does not sell', async () => {
  const { provider } = await world()
  const listed = await provider.listPackages()
  for (const kind of ['base', 'top_up'] as const) {
    const sold = listed.filter((each) => each.kind === kind).slice(0, 3)
    expect(sold).toHaveLength(3)
    for (const each of sold) expect(await provider.currentCost(each)).toBe(each.costMicros)
    expect(await provider.currentCost({ code: 'GONE', kind, destinations: ['DE'] })).toBeNull()
  }
})

test('an order at eSIM Access is allocated after a while', async () => {
  const { provider, sim, order } = await world()
  await sim.do('allocation', { polls: 2 })
  const { orderNo } = await provider.placeOrder({ ...order, quantity: 2 })
  for (let poll = 0; poll < 2; poll += 1) {
    await expect(provider.getEsims(orderNo)).rejects.toMatchObject({ kind: 'unavailable', code: 'still_allocating' })
  }
  const esims = await provider.getEsims(orderNo)
  expect(esims).toHaveLength(2)
  for (const esim of esims) {
    expect(parseActivationCode(esim.activationCode)).toMatchObject({ smdpAddress: 'rsp-eu.redteamobile.com' })
    expect(esim.iccid).toMatch(/^89\d{17}$/)
    expect(esim.esimRef).not.toBe(esim.iccid)
    expect(Date.parse(esim.unusedValidUntil ?? '')).toBeGreaterThan(Date.now() + 179 * 86_400_000)
  }
})

test('the eSIM Access simulator ends an allocation on request, or after seconds of its clock', async () => {
  const { provider, sim, order } = await world()
  await sim.do('allocation', { never: true })
  const { orderNo: stuck } = await provider.placeOrder(order)
  await sim.do('allocation', { seconds: 120 })
  const { orderNo: slow } = await provider.placeOrder({ ...order, clientRef: 'ref-2' })
  await expect(provider.getEsims(slow)).rejects.toMatchObject({ code: 'still_allocating' })
  await sim.do('clock', { advanceSeconds: 121 })
  await expect(provider.getEsims(slow)).resolves.toHaveLength(1)
  await expect(provider.getEsims(stuck)).rejects.toMatchObject({ code: 'still_allocating' })
  await sim.do('allocate', { orderNo: stuck })
  await expect(provider.getEsims(stuck)).resolves.toHaveLength(1)
})

test('a repeated clientRef at eSIM Access is one order, paid once, also in parallel', async () => {
  const { provider, sim, order } = await world()
  const before = (await sim.state()).balance
  const placed = await Promise.all(Array.from({ length: 5 }, () => provider.placeOrder(order)))
  expect(new Set(placed.map(({ orderNo }) => orderNo)).size).toBe(1)
  const books = await sim.state()
  expect(books.orders).toHaveLength(1)
  expect(before - books.balance).toBe(11_000)
})

test.each([
  ['cut', { cut: 'after' }, 'connection_lost'],
  ['silent', { hang: 'after' }, 'timed_out'],
] as const)(
  'a lost reply of eSIM Access to an applied order (%s) is an unknown outcome; the order is found and not placed twice',
  async (_name, fault, code) => {
    const { provider, callerFor, sim, order, placedAfter } = await world()
    await sim.fault({ match: ORDER, ...fault })
    await expect(callerFor(fault).placeOrder(order)).rejects.toMatchObject({ kind: 'unknown_outcome', code })
    const found = await provider.findOrder({ clientRef: 'ref-1', placedAfter })
    expect(found).toEqual({ orderNo: expect.stringMatching(/^B/), duplicates: [] })
    expect(await provider.placeOrder(order)).toEqual({ orderNo: found?.orderNo })
    expect((await sim.state()).orders).toHaveLength(1)
  },
)

test.each([
  ['cut', { cut: 'before' }, 'connection_lost'],
  ['silent', { hang: 'before' }, 'timed_out'],
  ['500', { status: 500 }, 'http_500'],
  ['502', { status: 502, body: '<html>' }, 'http_502'],
  ['503', { status: 503 }, 'http_503'],
  ['server error in the envelope', { status: 200, body: envelope('000001') }, 'provider_error'],
  ['no JSON', { status: 200, body: 'OK' }, 'malformed_reply'],
  ['other JSON', { status: 200, body: { success: true, obj: { orderNo: 7 } } }, 'malformed_reply'],
] as const)(
  'an order that eSIM Access may have applied (%s) is an unknown outcome; it is not found, and then placed once',
  async (_name, fault, code) => {
    const { provider, callerFor, sim, order, placedAfter } = await world()
    await sim.fault({ match: ORDER, ...fault })
    await expect(callerFor(fault).placeOrder(order)).rejects.toMatchObject({ kind: 'unknown_outcome', code })
    expect(await provider.findOrder({ clientRef: 'ref-1', placedAfter })).toBeNull()
    await provider.placeOrder(order)
    expect((await sim.state()).orders).toHaveLength(1)
  },
)

test.each([
  ['cut', { cut: 'before' }, 'connection_lost'],
  ['silent', { hang: 'before' }, 'timed_out'],
  ['500', { status: 500 }, 'http_500'],
  ['server error in the envelope', { status: 200, body: envelope('000001') }, 'provider_error'],
  ['no JSON', { status: 200, body: 'LPA:1$secret' }, 'malformed_reply'],
] as const)('a failed read at eSIM Access (%s) is unavailable', async (_name, fault, code) => {
  const { callerFor, sim } = await world()
  await sim.fault(fault)
  const error = await callerFor(fault)
    .balance()
    .catch((caught: Error) => caught)
  expect(error).toMatchObject({ kind: 'unavailable', code })
  expect(error).not.toHaveProperty('cause')
  expect(String(error)).not.toContain('LPA')
})

test('an order is certainly not applied when eSIM Access refuses connections or is overloaded', async () => {
  const { provider, sim, order, simulator, settings } = await world()
  await sim.fault({ match: ORDER, status: 429, headers: { 'Retry-After': '7' } })
  const limited = { kind: 'unavailable', code: 'rate_limited', retryAfterMs: 7000 }
  await expect(provider.placeOrder(order)).rejects.toMatchObject(limited)
  await simulator.stop()
  const otherClient = createEsimAccess({ ...settings, baseUrl: settings.baseUrl.replace('127.0.0.1', 'localhost') })
  await expect(otherClient.placeOrder(order)).rejects.toMatchObject({ kind: 'unavailable', code: 'unreachable' })
})

test.each([
  ['000101', 'misconfigured', 'bad_request'],
  ['000102', 'misconfigured', 'bad_request'],
  ['000103', 'misconfigured', 'bad_request'],
  ['000104', 'misconfigured', 'bad_request'],
  ['000105', 'misconfigured', 'bad_request'],
  ['000106', 'misconfigured', 'bad_request'],
  ['000107', 'misconfigured', 'bad_request'],
  ['101001', 'misconfigured', 'clock_skew'],
  ['101002', 'misconfigured', 'ip_not_allowed'],
  ['101003', 'misconfigured', 'bad_credentials'],
  ['200002', 'rejected', 'wrong_state'],
  ['200005', 'rejected', 'price_changed'],
  ['200006', 'rejected', 'price_changed'],
  ['200007', 'misconfigured', 'no_balance'],
  ['200008', 'misconfigured', 'bad_request'],
  ['200009', 'rejected', 'wrong_state'],
  ['200010', 'unavailable', 'still_allocating'],
  ['200011', 'rejected', 'out_of_stock'],
  ['310201', 'rejected', 'unknown_package'],
  ['310241', 'rejected', 'unknown_package'],
  ['310243', 'rejected', 'unknown_package'],
  ['310272', 'rejected', 'unknown_order'],
  ['310403', 'rejected', 'unknown_esim'],
  ['900001', 'unavailable', 'provider_busy'],
  ['310211', 'misconfigured', 'bad_request'],
  ['310251', 'misconfigured', 'bad_request'],
  ['999999', 'unknown_outcome', 'provider_code_999999'],
])('eSIM Access’ error code %s, in each spelling, is %s with the code %s', async (errorCode, kind, code) => {
  const { provider, sim, order } = await world()
  const documented = { success: 'false', errorCode: Number(errorCode), errorMessage: 'free text', obj: null }
  const withoutObject = { success: false, errorCode, errorMsg: 'free text' }
  for (const body of [envelope(errorCode), documented, withoutObject]) {
    await sim.fault({ match: ORDER, status: 200, body })
    await expect(provider.placeOrder(order)).rejects.toMatchObject({ kind, code })
  }
})

test('eSIM Access’ refusals of stock, balance, price, package, order and credentials get their codes', async () => {
  const { provider, sim, order, settings } = await world()
  await sim.do('stock', { packageCode: 'JP_1_7', out: true })
  await expect(provider.placeOrder(order)).rejects.toMatchObject({ code: 'out_of_stock' })
  await sim.do('stock', { out: false })
  await sim.do('balance', { amount: 10_999 })
  await expect(provider.placeOrder(order)).rejects.toMatchObject({ kind: 'misconfigured', code: 'no_balance' })
  expect(await provider.balance()).toEqual({ amountMicros: 1_099_900, currency: 'USD' })
  await sim.do('balance', { amount: 1_000_000 })
  await sim.do('price', { packageCode: 'JP_1_7', price: 12_000 })
  const priced = { ...order, unitCostMicros: 1_100_000 }
  await expect(provider.placeOrder(priced)).rejects.toMatchObject({ kind: 'rejected', code: 'price_changed' })
  await expect(provider.placeOrder({ ...priced, unitCostMicros: 1_200_001 })).rejects.toMatchObject({
    code: 'price_changed',
  })
  const unknown = { ...order, packageCode: 'NOWHERE' }
  await expect(provider.placeOrder(unknown)).rejects.toMatchObject({ code: 'unknown_package' })
  await expect(provider.getEsims('B0')).rejects.toMatchObject({ kind: 'rejected', code: 'unknown_order' })
  await expect(provider.getStatus('0')).rejects.toMatchObject({ kind: 'rejected', code: 'unknown_esim' })
  const otherClient = createEsimAccess({ ...settings, secretKey: 'another' })
  await expect(otherClient.placeOrder(order)).rejects.toMatchObject({ kind: 'misconfigured', code: 'bad_credentials' })
  expect((await sim.state()).orders).toEqual([])
  await provider.placeOrder({ ...order, unitCostMicros: 1_200_000 })
})

test('eSIM Access’ replies with the documented envelope are read too', async () => {
  const { provider, sim, buy } = await world()
  await sim.do('spelling', { documented: true })
  const { esimRef } = await buy()
  expect((await provider.getStatus(esimRef)).state).toBe('new')
  await expect(provider.getEsims('B0')).rejects.toMatchObject({ code: 'unknown_order' })
})

test('an eSIM of eSIM Access is read as new, installed, in use, used up, topped up and expired', async () => {
  const { provider, sim, buy } = await world()
  const { esimRef } = await buy()
  const status = () => provider.getStatus(esimRef)
  expect(await status()).toEqual({ state: 'new', totalBytes: GB, usedBytes: 0, activatedAt: null, expiresAt: null })
  await sim.do('install', { esimTranNo: esimRef })
  const installed = await status()
  expect(installed.state).toBe('installed')
  expect(Date.parse(installed.expiresAt ?? '') - Date.parse(installed.activatedAt ?? '')).toBe(7 * 86_400_000)
  await sim.do('use', { esimTranNo: esimRef, bytes: 1000 })
  expect(await status()).toMatchObject({ state: 'in_use', usedBytes: 1000 })
  await sim.do('use', { esimTranNo: esimRef, bytes: 2 * GB })
  expect(await status()).toMatchObject({ state: 'used_up', usedBytes: GB })
  await provider.topUp({ clientRef: 'top-1', esimRef, packageCode: 'JP_5_30' })
  expect(await status()).toMatchObject({ state: 'in_use', totalBytes: 6 * GB, usedBytes: GB })
  await sim.do('clock', { advanceSeconds: 36 * 86_400 })
  expect((await status()).state).toBe('in_use')
  await sim.do('clock', { advanceSeconds: 2 * 86_400 })
  expect((await status()).state).toBe('expired')
})

test('the expiry is read for validity from the first connection, and for eSIMs that are never installed', async () => {
  const { provider, sim, buy } = await world()
  const american = await buy('US_1_7')
  await sim.do('install', { esimTranNo: american.esimRef })
  expect(await provider.getStatus(american.esimRef)).toMatchObject({ state: 'installed', activatedAt: null })
  await sim.do('use', { esimTranNo: american.esimRef, bytes: 1 })
  expect((await provider.getStatus(american.esimRef)).activatedAt).not.toBeNull()
  const forgotten = await buy('JP_1_7', 'ref-2')
  await sim.do('clock', { advanceSeconds: 181 * 86_400 })
  expect(await provider.getStatus(forgotten.esimRef)).toMatchObject({ state: 'expired', expiresAt: null })
})

test('eSIM Access reports an eSIM that was removed from the phone', async () => {
  const { provider, sim, buy } = await world()
  const { esimRef } = await buy()
  await sim.do('use', { esimTranNo: esimRef, bytes: 5 })
  await sim.do('remove', { esimTranNo: esimRef })
  expect(await provider.getStatus(esimRef)).toMatchObject({ state: 'removed', usedBytes: 5 })
})

test('an eSIM of eSIM Access is suspended and resumed repeatedly, and not after its end', async () => {
  const { provider, sim, buy } = await world()
  const { esimRef } = await buy()
  await sim.do('use', { esimTranNo: esimRef, bytes: 5 })
  for (let time = 0; time < 2; time += 1) expect(await provider.suspend(esimRef)).toBe('done')
  expect((await provider.getStatus(esimRef)).state).toBe('suspended')
  for (let time = 0; time < 2; time += 1) expect(await provider.unsuspend(esimRef)).toBe('done')
  expect((await provider.getStatus(esimRef)).state).toBe('in_use')
  await sim.do('expire', { esimTranNo: esimRef })
  await expect(provider.suspend(esimRef)).rejects.toMatchObject({ kind: 'rejected', code: 'wrong_state' })
  await expect(provider.unsuspend(esimRef)).rejects.toMatchObject({ kind: 'rejected', code: 'wrong_state' })
})

test('a change that eSIM Access refuses for a state is refused for good only if a state can be read', async () => {
  const { provider, sim, buy } = await world()
  const { esimRef } = await buy()
  const refused = { success: false, errorCode: '200002', errorMsg: '', obj: null }
  const found = (esimList: object[]) => ({ success: true, errorCode: '0', obj: { esimList } })
  const odd = { esimTranNo: esimRef, orderNo: 'B1', smdpStatus: 'ENABLED', esimStatus: 'FROZEN' }
  const topUp = { clientRef: 'top-1', esimRef, packageCode: 'JP_1_7', unitCostMicros: 1_100_000 }
  const changes: [string, () => Promise<unknown>][] = [
    ['suspend', () => provider.suspend(esimRef)],
    ['unsuspend', () => provider.unsuspend(esimRef)],
    ['cancel', () => provider.cancelUnused(esimRef)],
    ['topup', () => provider.topUp(topUp)],
  ]
  for (const [path, change] of changes) {
    for (const [list, code] of [
      [[], 'unknown_esim'],
      [[odd], 'wrong_state'],
    ] as const) {
      await sim.fault({ match: { path: `/esim/${path}$` }, status: 200, body: refused })
      await sim.fault({ match: { path: '/esim/query$' }, status: 200, body: found([...list]) })
      await expect(change(), `${path} ${code}`).rejects.toMatchObject({ kind: 'unavailable', code })
      await sim.clearFaults()
    }
  }
})

test('eSIM Access takes an unused eSIM back once for its price, and refuses an installed one', async () => {
  const { provider, sim, buy } = await world()
  const before = (await sim.state()).balance
  const { esimRef } = await buy()
  expect(await provider.cancelUnused(esimRef)).toBe('cancelled')
  expect(await provider.cancelUnused(esimRef)).toBe('already')
  expect((await provider.getStatus(esimRef)).state).toBe('cancelled')
  expect((await sim.state()).balance).toBe(before)
  const used = await buy('JP_1_7', 'ref-2')
  const refused = { success: false, errorCode: '200002', errorMsg: '', obj: null }
  await sim.fault({ match: { path: '/esim/cancel$' }, status: 200, body: refused })
  await expect(provider.cancelUnused(used.esimRef)).rejects.toMatchObject({ kind: 'unavailable', code: 'wrong_state' })
  await sim.do('install', { esimTranNo: used.esimRef })
  await expect(provider.cancelUnused(used.esimRef)).rejects.toMatchObject({
    kind: 'rejected',
    code: 'not_cancellable',
  })
  expect((await sim.state()).cancels).toHaveLength(1)
})

test('a suspended eSIM that eSIM Access does not take back stays suspended', async () => {
  const { provider, sim, buy } = await world()
  const { esimRef } = await buy()
  await provider.suspend(esimRef)
  const match = { path: '/esim/cancel$' }
  await sim.fault({ match, status: 200, body: envelope('200002') })
  await sim.fault({ match, status: 503 })
  await expect(provider.cancelUnused(esimRef)).rejects.toMatchObject({ kind: 'unknown_outcome' })
  expect((await provider.getStatus(esimRef)).state).toBe('suspended')
  await sim.fault({ match, status: 200, body: envelope('200002') })
  await sim.fault({ match, cut: 'after' })
  await expect(provider.cancelUnused(esimRef)).rejects.toMatchObject({ kind: 'unknown_outcome' })
  expect((await provider.getStatus(esimRef)).state).toBe('cancelled')
})

test('a cancellation at eSIM Access with a lost reply is found as done', async () => {
  const { provider, sim, buy } = await world()
  const { esimRef } = await buy()
  await sim.fault({ match: { path: '/esim/cancel' }, cut: 'after' })
  await expect(provider.cancelUnused(esimRef)).rejects.toMatchObject({ kind: 'unknown_outcome' })
  expect(await provider.cancelUnused(esimRef)).toBe('already')
  expect((await sim.state()).cancels).toHaveLength(1)
})

test('a reused ICCID of eSIM Access belongs to two eSIMs, which the provider’s own number identifies', async () => {
  const { provider, sim, buy } = await world()
  const first = await buy()
  await provider.cancelUnused(first.esimRef)
  const second = await buy('JP_1_7', 'ref-2')
  expect(second.iccid).toBe(first.iccid)
  await sim.do('use', { esimTranNo: second.esimRef, bytes: 5 })
  expect((await provider.getStatus(first.esimRef)).state).toBe('cancelled')
  expect((await provider.getStatus(second.esimRef)).state).toBe('in_use')
})

test('a top-up at eSIM Access is applied once for each clientRef, found after a lost reply, and refused when it does not fit', async () => {
  const { provider, sim, buy } = await world()
  const { esimRef } = await buy()
  const topUp = { clientRef: 'top-1', esimRef, packageCode: 'JP_1_7', unitCostMicros: 1_100_000 }
  expect(await provider.hasTopUp(topUp)).toBe(false)
  await sim.fault({ match: { path: '/esim/topup' }, cut: 'after' })
  await expect(provider.topUp(topUp)).rejects.toMatchObject({ kind: 'unknown_outcome', code: 'connection_lost' })
  expect(await provider.hasTopUp(topUp)).toBe(true)
  expect(await provider.topUpsOf(['top'], esimRef)).toEqual(['top-1'])
  expect(await provider.topUpsOf(['op-'], esimRef)).toEqual([])
  await provider.topUp(topUp)
  expect((await sim.state()).topUps).toMatchObject([{ transactionId: 'top-1', price: 11_000 }])
  expect((await provider.getStatus(esimRef)).totalBytes).toBe(2 * GB)

  const other = { ...topUp, clientRef: 'top-2' }
  await expect(provider.topUp({ ...other, unitCostMicros: 900_000 })).rejects.toMatchObject({ code: 'price_changed' })
  await expect(provider.topUp({ ...other, packageCode: 'DE_1_7' })).rejects.toMatchObject({ code: 'unknown_package' })
  const takesNone = { ...other, esimRef: (await buy('TR_3_15', 'ref-2')).esimRef, packageCode: 'TR_1_7' }
  await expect(provider.topUp({ ...takesNone, unitCostMicros: 1_000_000 })).rejects.toMatchObject({
    kind: 'rejected',
    code: 'wrong_state',
  })
  await sim.do('expire', { esimTranNo: esimRef })
  await expect(provider.topUp(other)).rejects.toMatchObject({ kind: 'rejected', code: 'expired' })
  expect((await sim.state()).topUps).toHaveLength(1)
})

test('a daily package of eSIM Access is ordered for a number of days', async () => {
  const { provider, sim } = await world()
  const order = { clientRef: 'ref-1', packageCode: 'JP_1_Daily', quantity: 1, days: 5, unitCostMicros: 950_000 }
  const { orderNo } = await provider.placeOrder(order)
  expect((await sim.state()).orders[0]?.amount).toBe(5 * 9500)
  const [esim] = await provider.getEsims(orderNo)
  expect((await provider.getStatus(esim?.esimRef ?? '')).totalBytes).toBe(5 * GB)
  await expect(provider.placeOrder({ ...order, clientRef: 'ref-2', days: 366 })).rejects.toMatchObject({
    code: 'bad_request',
  })
})

test('an order at eSIM Access is found among more eSIMs than one page has', async () => {
  const { provider, sim, order, placedAfter } = await world()
  await sim.do('balance', { amount: 1_000_000_000 })
  const orders = Array.from({ length: 20 }, (_, index) => ({ ...order, clientRef: `many-${index}`, quantity: 30 }))
  await Promise.all(orders.map((each) => provider.placeOrder(each)))
  const { orderNo } = await provider.placeOrder(order)
  await provider.getEsims(orderNo)
  expect(await provider.findOrder({ clientRef: 'ref-1', placedAfter })).toEqual({ orderNo, duplicates: [] })
  expect(await provider.findOrder({ clientRef: 'ref-', placedAfter })).toBeNull()
})

test('eSIM Access’ webhooks are read as hints without the device’s identifier', async () => {
  const { provider, sim, buy, readWebhooks, receiver } = await world()
  const { orderNo, esimRef } = await buy()
  const about = { orderNo, clientRef: 'ref-1' }
  expect(await readWebhooks(1)).toEqual([
    { eventId: expect.stringMatching(/^\w{32}$/), hints: [{ kind: 'order', ...about }] },
  ])
  await sim.do('install', { esimTranNo: esimRef })
  await sim.do('use', { esimTranNo: esimRef, bytes: 0.85 * GB })
  await sim.do('clock', { advanceSeconds: 6.5 * 86_400 })
  await sim.do('clock', { advanceSeconds: 86_400 })
  const all = await readWebhooks(9)
  const hints = all.flatMap((each) => each.hints)
  // Only the result of an installation is reported, and only the end by date.
  const kinds = hints.map(({ kind }) => kind).sort()
  expect(kinds).toEqual(['esim', 'order', 'usage', 'usage', 'validity', 'validity'])
  const shares = hints.filter(({ kind }) => kind === 'usage').map(({ usedShare }) => usedShare)
  expect(shares.sort()).toEqual([0.5, 0.8])
  for (const hint of hints.slice(1)) expect(hint).toMatchObject({ esimRef, ...about })
  const bodies = receiver && (await receiver.atLeast(9)).map(({ body }) => JSON.parse(body.toString('utf8')))
  const eids = bodies.flatMap(({ content }) => content.eid ?? [])
  expect(eids).toHaveLength(3)
  for (const eid of eids) expect(JSON.stringify(all)).not.toContain(eid)
  expect(new Set(all.map(({ eventId }) => eventId)).size).toBe(9)
  expect((await provider.getStatus(esimRef)).state).toBe('expired')
})

test('the eSIM Access simulator duplicates, delays, reorders and drops webhooks', async () => {
  const { sim, buy, readWebhooks } = await world()
  await sim.do('webhooks', { drop: 1 })
  await buy('JP_1_7', 'lost')
  await sim.do('webhooks', { copies: 2 })
  await buy('JP_1_7', 'doubled')
  const [one, two] = await readWebhooks(2)
  expect(one).toEqual(two)
  expect(one?.hints[0]?.clientRef).toBe('doubled')
  await sim.do('webhooks', { copies: 1, hold: true })
  await buy('JP_1_7', 'first')
  await buy('JP_1_7', 'second')
  await sim.do('webhooks', { hold: false })
  await sim.do('release', { order: [1, 0] })
  const refs = (await readWebhooks(4)).map(({ hints }) => hints[0]?.clientRef)
  expect(refs).toEqual(['doubled', 'doubled', 'second', 'first'])
})

test('eSIM Access tests a new webhook URL before it saves it', async () => {
  const { settings, receiver, readWebhooks } = await world()
  const save = async (webhook: string) => {
    const [timestamp, requestId, body] = [String(Date.now()), 'id-1', JSON.stringify({ webhook })]
    const response = await fetch(`${settings.baseUrl}/webhook/save`, {
      method: 'POST',
      headers: {
        'RT-AccessCode': accessCode,
        'RT-RequestID': requestId,
        'RT-Timestamp': timestamp,
        'RT-Signature': signRequest({ timestamp, requestId, accessCode, secretKey, body }),
      },
      body,
    })
    return replyForm.parse(await response.json()).success
  }
  expect(await save(`${receiver.url}/new`)).toBe(true)
  expect(await readWebhooks(1)).toEqual([{ eventId: expect.any(String), hints: [] }])
  receiver.answerWith(500)
  expect(await save(`${receiver.url}/broken`)).toBe(false)
})

test('eSIM Access’ invalid webhooks are refused, and test events without a number accepted', async () => {
  const { provider } = await world()
  for (const rawBody of ['', 'no JSON', '[]', '{"notifyId":"1"}']) {
    expect(() => provider.parseWebhook({ rawBody, headers: {} })).toThrow('malformed_webhook')
  }
  const health = { notifyType: 'CHECK_HEALTH', content: { orderNo: '1234567890', orderStatus: 'Test' } }
  const parse = (content: unknown) => provider.parseWebhook({ rawBody: JSON.stringify(content), headers: {} })
  expect(parse(health)).toEqual({ eventId: expect.stringMatching(/^[0-9a-f]{64}$/), hints: [] })
  expect(parse(health).eventId).toBe(parse({ ...health }).eventId)
  expect(parse({ notifyType: 'SOMETHING_NEW', notifyId: 'n1', content: {} })).toEqual({ eventId: 'n1', hints: [] })
})

test('P1: eSIM Access receives only technical fields', async () => {
  const { provider, sim, buy, placedAfter } = await world()
  const { esimRef } = await buy()
  await provider.listPackages()
  await provider.findOrder({ clientRef: 'ref-1', placedAfter })
  await provider.topUp({ clientRef: 'top-1', esimRef, packageCode: 'JP_1_7' })
  await provider.suspend(esimRef)
  await provider.unsuspend(esimRef)
  await provider.cancelUnused(esimRef)
  await provider.balance()
  const keys = (value: unknown): string[] =>
    value !== null && typeof value === 'object'
      ? Object.entries(value).flatMap(([key, inner]) => [...(Array.isArray(value) ? [] : [key]), ...keys(inner)])
      : []
  const sent = (await sim.log()).flatMap(({ body }) => keys(JSON.parse(body)))
  expect([...new Set(sent)].sort()).toEqual([
    'count',
    'endTime',
    'esimTranNo',
    'orderNo',
    'packageCode',
    'packageInfoList',
    'pageNum',
    'pageSize',
    'pager',
    'startTime',
    'transactionId',
    'type',
  ])
})
