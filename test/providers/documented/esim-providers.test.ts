/** eSIM Access and Airalo as they document themselves: our adapters read it, and the simulators answer like it. */
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { createAiralo } from '../../../providers/airalo/airalo.ts'
import type { EsimProvider } from '../../../providers/esim.ts'
import { createEsimAccess } from '../../../providers/esim-access/esim-access.ts'
import { startAiralo } from '../../../sim/airalo.ts'
import { type ControlOf, controlOf } from '../../../sim/control.ts'
import { startEsimAccess } from '../../../sim/esim-access.ts'
import { startWebhookReceiver } from '../webhook-receiver.ts'
import { compareShapes, listDocumented, readDocumented } from './documents.ts'

const code = 'code-planted'
const secret = 'secret-planted'

let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>
let simulators: [Awaited<ReturnType<typeof startEsimAccess>>, Awaited<ReturnType<typeof startAiralo>>]
let access: ControlOf<typeof startEsimAccess>
let air: ControlOf<typeof startAiralo>
let providers: Record<Vendor, EsimProvider>

type Vendor = 'esim-access' | 'airalo'

beforeAll(async () => {
  receiver = await startWebhookReceiver()
  simulators = [
    await startEsimAccess({ accessCode: code, secretKey: secret, webhookUrl: receiver.url }),
    await startAiralo({ clientId: code, clientSecret: secret, webhookUrl: receiver.url }),
  ]
  const [accessSim, airSim] = simulators
  access = controlOf(accessSim)
  air = controlOf(airSim)
  providers = {
    'esim-access': createEsimAccess({
      baseUrl: `${accessSim.url}/api/v1/open`,
      accessCode: code,
      secretKey: secret,
      timeoutMs: 20_000,
    }),
    airalo: createAiralo({ baseUrl: `${airSim.url}/v2`, clientId: code, clientSecret: secret, timeoutMs: 20_000 }),
  }
})

beforeEach(async () => {
  await Promise.all([access.reset(), air.reset()])
  receiver.clear()
})

afterAll(async () => {
  await Promise.all(simulators.map((simulator) => simulator.stop()))
  await receiver.stop()
})

const placing = { clientRef: 'ref-1', packageCode: 'p', quantity: 1 }
const hint = { orderNo: 'B26042216320015', esimRef: '26042216320015', clientRef: 'ref-1' }
const airaloUsage = { activatedAt: null, expiresAt: '2022-01-01T00:00:00.000Z' }

/** An example, the path that answers with it, what our adapter does, and what it makes of it. */
type Reading = [name: string, path: string, read: (provider: EsimProvider) => Promise<unknown>, expected: unknown]

const readings: Record<Vendor, Reading[]> = {
  'esim-access': [
    [
      'package-list',
      '/package/list',
      async (provider) => (await provider.listPackages())[0],
      {
        code: 'CKH139',
        kind: 'base',
        name: 'Slovenia 5GB 30Days',
        destinations: ['SI'],
        dataBytes: 5_368_709_120,
        daily: false,
        days: 30,
        costMicros: 11_250_000,
        costCurrency: 'USD',
        validityStarts: 'installation',
        family: 'SI',
        supportsTopUp: false,
        // The example's list of networks is empty.
        networks: null,
      },
    ],
    ['order', '/esim/order', (provider) => provider.placeOrder(placing), { orderNo: 'B23051616050537' }],
    [
      'query',
      '/esim/query',
      (provider) => provider.getEsims('B23120118131854'),
      [
        {
          esimRef: '23120118156818',
          iccid: '8943108170000000001',
          activationCode: 'LPA:1$rsp.example.com$43DE23C67EE747BCAD6B63E8B67B261F',
          confirmationCode: null,
          apn: 'drei.at',
          unusedValidUntil: '2024-05-29T18:34:17.000Z',
        },
      ],
    ],
    [
      'query',
      '/esim/query',
      (provider) => provider.getStatus('23120118156818'),
      { state: 'cancelled', totalBytes: 5_368_709_120, usedBytes: 0, activatedAt: null, expiresAt: null },
    ],
    ['cancel', '/esim/cancel', (provider) => provider.cancelUnused('23120118156818'), 'cancelled'],
    ['balance', '/balance/query', (provider) => provider.balance(), { amountMicros: 94_000_000, currency: 'USD' }],
    [
      'top-up',
      '/esim/topup',
      (provider) => provider.topUp({ clientRef: 'ref-2', esimRef: '1', packageCode: 'TOPUP_p' }),
      undefined,
    ],
  ],
  airalo: [
    ['token', '/token', async (provider) => (await provider.balance()).currency, 'USD'],
    [
      'packages',
      '/packages',
      async (provider) => await provider.listPackages(),
      [
        expect.objectContaining({
          code: 'change-7days-1gb',
          kind: 'base',
          destinations: ['US'],
          dataBytes: 1_073_741_824,
          days: 7,
          costMicros: 3_200_000,
          costCurrency: 'USD',
          validityStarts: 'first_use',
        }),
      ],
    ],
    [
      'packages-in-short',
      '/packages',
      async (provider) => await provider.listPackages(),
      [
        expect.objectContaining({
          code: 'elan-7days-1gb',
          destinations: ['FR'],
          costMicros: 1_400_000,
          validityStarts: null,
        }),
      ],
    ],
    ['order', '/orders$', (provider) => provider.placeOrder(placing), { orderNo: '583747' }],
    ['order-of-quantity-as-text', '/orders$', (provider) => provider.placeOrder(placing), { orderNo: '583747' }],
    [
      'order',
      '/orders/583747',
      (provider) => provider.getEsims('583747'),
      [
        expect.objectContaining({
          esimRef: '8944465400000000001',
          iccid: '8944465400000000001',
          activationCode: 'LPA:1$rsp.example.com$YVTGM-5LZC6-PIC56-KFEZJ',
          confirmationCode: null,
          apn: 'globaldata',
        }),
      ],
    ],
    [
      'order-of-quantity-as-text',
      '/orders/583747',
      (provider) => provider.getEsims('583747'),
      [expect.objectContaining({ iccid: '8944465400000000001', apn: null })],
    ],
    ['order-refused', '/orders$', (provider) => reasonOf(provider.placeOrder(placing)), 'rejected unknown_package'],
    [
      'order-quantity-not-available',
      '/orders$',
      (provider) => reasonOf(provider.placeOrder(placing)),
      'rejected out_of_stock',
    ],
    [
      'order-list',
      '/orders\\?',
      (provider) => provider.findOrder({ clientRef: 'ref-1', placedAfter: '2023-02-27T14:00:00Z' }),
      { orderNo: '9666', duplicates: [] },
    ],
    [
      'usage',
      '/usage$',
      (provider) => provider.getStatus('89'),
      { ...airaloUsage, state: 'in_use', totalBytes: null, usedBytes: expect.any(Number) },
    ],
    [
      'usage-of-a-recycled-esim',
      '/usage$',
      (provider) => provider.getStatus('89'),
      expect.objectContaining({ state: 'cancelled', expiresAt: null }),
    ],
    ['balance', '/balance$', (provider) => provider.balance(), { amountMicros: 941_000_000, currency: 'USD' }],
    ['refund', '/refund$', (provider) => provider.cancelUnused('8944465400000000001'), 'requested'],
    [
      'refund-of-foreign-esims',
      '/refund$',
      (provider) => reasonOf(provider.cancelUnused('8944465400000000001')),
      expect.stringMatching(/^(rejected|unavailable) /),
    ],
    [
      'top-up',
      '/orders/topups$',
      (provider) => provider.topUp({ clientRef: 'ref-2', esimRef: '89', packageCode: 'p-topup' }),
      undefined,
    ],
    [
      'top-up-of-a-recycled-esim',
      '/orders/topups$',
      (provider) => reasonOf(provider.topUp({ clientRef: 'ref-2', esimRef: '89', packageCode: 'p-topup' })),
      expect.stringMatching(/^rejected /),
    ],
  ],
}

/** Examples of calls that we do not make. */
const unread: Record<string, string> = {
  'esim-access/usage': 'the query of an eSIM has its usage',
  'airalo/order-accepted': 'orders are placed in the call that answers with the eSIMs',
}

const reasonOf = async (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    ({ kind, code }: { kind: string; code: string }) => `${kind} ${code}`,
  )

const vendors = ['esim-access', 'airalo'] as const
test.each(
  vendors.flatMap((vendor) => readings[vendor].map(([name, path, ...rest]) => [vendor, name, path, ...rest] as const)),
)('the documented example of %s, %s, as the answer of %s is read', async (vendor, name, path, read, expected) => {
  const { body, status = 200 } = await readDocumented(vendor, name)
  const control = vendor === 'airalo' ? air : access
  if (name === 'token') {
    // The simulator knows its own tokens alone.
    await control.fault({
      match: { path: '/balance$' },
      status: 200,
      body: (await readDocumented(vendor, 'balance')).body,
    })
  }
  if (name === 'refund') {
    const { body: used } = await readDocumented(vendor, 'usage')
    const data = { ...z.looseObject({}).parse(used.data), status: 'NOT_ACTIVE', expired_at: null }
    await control.fault({ match: { path: '/usage$' }, status: 200, body: { ...used, data } })
  }
  await control.fault({ match: { path }, status, body, times: 5 })
  expect(await read(providers[vendor])).toEqual(expected)
})

const hints: Record<Vendor, Record<string, unknown[]>> = {
  'esim-access': {
    'webhook-order-status': [{ kind: 'order', orderNo: 'B26042217160011', clientRef: 'ref-1' }],
    'webhook-esim-status': [{ kind: 'esim', ...hint }],
    // A step of an installation: the status follows.
    'webhook-smdp-event': [],
    'webhook-data-usage': [{ kind: 'usage', usedShare: 0.5, ...hint }],
    'webhook-validity-usage': [{ kind: 'validity', ...hint }],
    'webhook-check-health': [],
  },
  airalo: {
    'webhook-low-data': [{ kind: 'usage', esimRef: '8944465400000000001', usedShare: 0.75 }],
    'webhook-async-order': [{ kind: 'order', orderNo: '583747', clientRef: 'ref-1' }],
    'webhook-credit-limit': [],
  },
}

test.each(
  vendors.flatMap((vendor) =>
    Object.entries(hints[vendor]).map(([name, expected]) => [vendor, name, expected] as const),
  ),
)('the documented example of %s, %s, is read as a hint', async (vendor, name, expected) => {
  const rawBody = JSON.stringify((await readDocumented(vendor, name)).body)
  const signature = createHmac('sha512', secret).update(rawBody).digest('hex')
  const event = providers[vendor].parseWebhook({ rawBody, headers: { 'airalo-signature': signature } })
  expect(event.hints).toEqual(expected)
})

test.each(vendors)('every documented example of %s is read, or says why not', async (vendor) => {
  const read = [...readings[vendor].map(([name]) => name), ...Object.keys(hints[vendor])]
  const all = await listDocumented(vendor)
  expect(all.filter((name) => !read.includes(name) && !unread[`${vendor}/${name}`])).toEqual([])
  for (const name of all)
    expect(await readDocumented(vendor, name)).toMatchObject({ source: /docs|developers/, seen: /^\d{4}-\d\d-\d\d$/ })
})

const bodyOf = async (response: Response): Promise<unknown> => response.json()

async function callAccess(path: string, body: object): Promise<unknown> {
  return bodyOf(
    await fetch(`${simulators[0].url}/api/v1/open${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'RT-AccessCode': code },
      body: JSON.stringify(body),
    }),
  )
}

test('the simulator of eSIM Access answers in the shape of the documented examples', async () => {
  await access.do('auth', { mode: 'simple' })
  await access.do('balance', { amount: 10_000_000 })
  const provider = providers['esim-access']
  const answers: Record<string, unknown> = {
    'package-list': await callAccess('/package/list', { type: 'BASE' }),
    order: await callAccess('/esim/order', {
      transactionId: 'ref-1',
      packageInfoList: [{ packageCode: 'JP_1_7', count: 1 }],
    }),
    balance: await callAccess('/balance/query', {}),
  }
  const found = await provider.findOrder({ clientRef: 'ref-1', placedAfter: new Date().toISOString() })
  const pager = { pageNum: 1, pageSize: 20 }
  answers.query = await callAccess('/esim/query', { orderNo: found?.orderNo, pager })
  const [esim] = await provider.getEsims(found?.orderNo ?? '')
  const esimTranNo = esim?.esimRef ?? ''
  const topUps = (await provider.listPackages()).filter(({ kind }) => kind === 'top_up')
  const topUp = topUps.find(({ family }) => family === 'JP')?.code
  answers['top-up'] = await callAccess('/esim/topup', { esimTranNo, packageCode: topUp, transactionId: 'ref-2' })
  answers.usage = await callAccess('/esim/usage/query', { esimTranNoList: [esimTranNo] })
  await access.do('install', { esimTranNo })
  await access.do('use', { esimTranNo, bytes: 1.2 * 1024 ** 3 })
  await access.do('clock', { advanceSeconds: 20 * 86_400 })
  const other = await provider.placeOrder({ clientRef: 'ref-3', packageCode: 'JP_1_7', quantity: 1 })
  const [unused] = await provider.getEsims(other.orderNo)
  answers.cancel = await callAccess('/esim/cancel', { esimTranNo: unused?.esimRef })
  await callAccess('/webhook/save', { webhook: receiver.url })
  const notice = z.looseObject({ notifyType: z.string() })
  const webhooks = (await receiver.atLeast(9)).map(({ body }) => notice.parse(JSON.parse(String(body))))
  for (const webhook of webhooks) answers[`webhook-${webhook.notifyType.toLowerCase().replace('_', '-')}`] ??= webhook
  const names = await listDocumented('esim-access')
  expect(Object.keys(answers).sort()).toEqual(names)
  const { found: differing, listed } = await compareShapes('esim-access', answers)
  expect(differing).toEqual(listed)
})

test('the simulator of Airalo answers in the shape of the documented examples', async () => {
  const provider = providers.airalo
  const url = `${simulators[1].url}/v2`
  const answers: Record<string, unknown> = {}
  const credentials = { client_id: code, client_secret: secret, grant_type: 'client_credentials' }
  answers.token = await bodyOf(await fetch(`${url}/token`, { method: 'POST', body: new URLSearchParams(credentials) }))
  const { data } = z.object({ data: z.object({ access_token: z.string() }) }).parse(answers.token)
  const headers = { authorization: `Bearer ${data.access_token}` }
  const get = async (path: string) => bodyOf(await fetch(url + path, { headers }))
  const post = async (path: string, form: Record<string, string>) => {
    const body = new FormData()
    for (const [name, value] of Object.entries(form)) body.append(name, value)
    return bodyOf(await fetch(url + path, { method: 'POST', headers, body }))
  }
  const form = { package_id: 'change-7days-1gb', quantity: '1', type: 'sim', description: 'ref-1' }
  answers.packages = await get('/packages?limit=100')
  answers['packages-in-short'] = answers.packages
  answers.order = await post('/orders', form)
  answers['order-of-quantity-as-text'] = answers.order
  answers['order-refused'] = await post('/orders', { ...form, package_id: 'none', quantity: '51' })
  await air.do('left', { packageId: form.package_id, quantity: 0 })
  answers['order-quantity-not-available'] = await post('/orders', form)
  await air.do('left', { packageId: form.package_id, quantity: null })
  answers['order-accepted'] = await post('/orders-async', form)
  answers['order-list'] = await get('/orders?include=sims,user,status')
  const ordered = z.object({ data: z.object({ id: z.number() }) }).parse(answers.order)
  const [{ iccid } = { iccid: '' }] = await provider.getEsims(String(ordered.data.id))
  answers.balance = await get('/balance')
  answers['top-up'] = await post('/orders/topups', {
    package_id: 'change-7days-1gb-topup',
    iccid,
    description: 'ref-2',
  })
  await air.do('use', { iccid, bytes: 1.8 * 1024 ** 3 })
  answers.usage = await get(`/sims/${iccid}/usage`)
  answers.refund = await post('/refund', { 'iccids[]': iccid, reason: 'CHANGE_OF_PLAN' })
  answers['refund-of-foreign-esims'] = await post('/refund', {
    'iccids[]': '894000000000001',
    reason: 'CHANGE_OF_PLAN',
  })
  await air.do('recycle', { iccid })
  answers['top-up-of-a-recycled-esim'] = await post('/orders/topups', { package_id: 'change-7days-1gb-topup', iccid })
  await air.do('clock', { advanceSeconds: 3_600 })
  answers['usage-of-a-recycled-esim'] = await get(`/sims/${iccid}/usage`)
  const webhooks = (await receiver.atLeast(2)).map(({ body }): Record<string, unknown> => JSON.parse(String(body)))
  answers['webhook-low-data'] = webhooks.find(({ level }) => level)
  answers['webhook-async-order'] = webhooks.find(({ request_id }) => request_id)
  const names = (await listDocumented('airalo')).filter((name) => name !== 'webhook-credit-limit')
  expect(Object.keys(answers).sort()).toEqual(names)
  const { found, listed } = await compareShapes('airalo', answers)
  expect(found).toEqual(listed)
})
