/**
 * P1, P3 and S1: eSIM providers get technical identifiers only, ad measurement gets a purchase and its value, and
 * sensitive data is encrypted at rest. A person with unique data buys eSIMs while outside parties answer with errors
 * that quote that data. Then histories, logs, metrics and requests are searched for it.
 */
import { createHash, randomBytes } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import type { ProviderOrders } from '../../db/connection/schema.ts'
import { secretNames } from '../../dev/development-secrets.ts'
import { simulatorNames } from '../../dev/simulators/simulators.ts'
import { parseActivationCode } from '../../providers/lpa.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { openHarness } from '../harness/harness.ts'
import { type Caller, createCaller, expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

const harness = await openHarness({
  settings: {
    LOG_LEVEL: 'debug',
    TRUSTED_PROXIES: '1',
    // Encrypted as in production; the search decodes payloads.
    PAYLOAD_KEYS: `canary:${randomBytes(32).toString('base64')}`,
  },
})
const { esimAccess, airalo, stripe, mailbox, firebase } = harness.sims
const address = '203.0.113.199'
const gigabyte = 2 ** 30
const device = { model: 'Canaryphone 9', osVersion: '97.53.1', appVersion: '8.642.75' }
const userAgent = 'CanaryBrowser/4.2 (Canaryland)'

interface Bought {
  iccid: string
  activationCode: string
}

let person: Person
let bought: Bought[]
let orderIds: string[]
const secrets: Record<string, string> = {}

beforeAll(async () => {
  person = await newcomer()
  const me = throughProxy(person.caller)
  await misdirected(me)
  const delivered = [
    await purchase(testPackages.onlyEsimAccess, () => esimAccess.fault(quoting(500, '/esim/order'))),
    await purchase(testPackages.onlyAiralo, () => airalo.fault(quoting(502, '/sims'))),
    await purchase(testPackages.anyProvider, () => stripe.fault(quoting(500, '/payment_intents/'))),
    await purchase(testPackages.anyProvider, () =>
      mailbox.do('rule', { recipient: person.email, code: 451, times: 2 }),
    ),
    await purchase(testPackages.anyProvider, () => firebase.fault(quoting(400, 'messages:send'))),
  ]
  bought = delivered.flatMap(({ esims }) => esims)
  const [first, second] = delivered
  const refunded = await undelivered()
  orderIds = [...delivered.map(({ id }) => id), refunded]

  // The lifecycle of an eSIM, with every message about it.
  await esimAccess.fault(quoting(500, '/esim/query'))
  await esimAccess.do('use', { iccid: first.esims[0].iccid, bytes: 0.9 * gigabyte })
  await airalo.do('use', { iccid: second.esims[0].iccid, bytes: 0.95 * gigabyte })
  await until('both are told', async () => {
    const sent = await harness.stack.context.sql`
      select 1 from sends where account_id = ${person.accountId} and kind like 'mail:low_data%' and state = 'sent'`
    return sent.length === 2
  })
  const topUp = expectStatus(await me.post(`/v1/orders/${first.id}/top-up`, { packageCode: testPackages.topUp }), 201)
  await stripe.do('fail-payment', { orderId: topUp.id, declineCode: 'insufficient_funds' })
  await stripe.do('pay', { orderId: topUp.id, method: 'google_pay' })
  await harness.untilOrder(topUp.id, 'delivered')
  orderIds.push(topUp.id)

  // Each action once, and an address that refuses mails permanently.
  expectStatus(await me.get(`/v1/orders/${first.id}/qr.png`), 200)
  expectStatus(await me.get(`/v1/accounts/${person.accountId}/export`), 200)
  await mailbox.do('rule', { recipient: person.email, code: 550, times: 1 })
  await me.post(`/v1/orders/${first.id}/resend`)
  expectStatus(await me.post(`/v1/orders/${first.id}/refund`), 409)
  const { dispute } = await stripe.do('open-dispute', { orderId: second.id })
  await stripe.do('close-dispute', { dispute, outcome: 'won' })
  await until('the dispute is closed', async () => {
    return (await harness.service.get(`/v1/orders/${second.id}`)).body.dispute === 'won'
  })
  expectStatus(await me.post(`/v1/orders/${delivered[2].id}/refund`), 200)
}, 60_000)

test('the canary’s orders got the errors that quote personal data', async () => {
  const met = async (simulator: 'esimAccess' | 'airalo' | 'stripe' | 'firebase', status: number): Promise<boolean> =>
    (await harness.sims[simulator].log()).some((request) => request.status === status)
  const all = [met('esimAccess', 500), met('airalo', 502), met('stripe', 500), met('firebase', 400)]
  expect(await Promise.all(all)).toEqual([true, true, true, true])
  expect((await mailbox.state()).refusals).toMatchObject([{ code: 451 }, { code: 451 }, { code: 550 }])
  expect(harness.logLines.filter((line) => /"level":"(warn|error)"/.test(line)).length).toBeGreaterThan(5)
})

test('the canary search finds texts that are present', { tags: 'long' }, async () => {
  const [orderId = ''] = orderIds
  const [placement] = await harness.stack.context.sql<Pick<ProviderOrders, 'client_ref'>[]>`
    select client_ref from provider_orders where provider = 'airalo'`
  const places = async (canary: string): Promise<string[]> => {
    const findings = await harness.findCanaries({ canary }, { parties: simulatorNames })
    return [...new Set(findings.map(({ where }) => where.replace(/ order-.*/, '')))]
  }
  expect(await places(orderId)).toEqual(expect.arrayContaining(['history', 'visibility', 'stripe received']))
  // Logs are kept after an erasure.
  expect(await places(orderId)).not.toContain('log')
  expect(await places('/v1/orders/{id}')).toEqual(expect.arrayContaining(['log', 'metrics of the API']))
  expect(await places('process_cpu_seconds')).toContain('metrics of a worker')
  expect(await places('Purchase')).toEqual(expect.arrayContaining(['meta received', 'googleAnalytics received']))
  expect(await places('CKH100')).toContain('esimAccess received')
  expect(await places(placement?.client_ref ?? '')).toEqual(['airalo received'])
  expect(await places(person.pushToken)).toEqual(['firebase received'])
})

test('the search knows every field of an account and of a device', async () => {
  const { schemas } = (await harness.service.get('/openapi.json')).body.components
  const fields = [schemas.NewAccount, schemas.NewDevice].flatMap(({ properties }) => Object.keys(properties))
  // Fields that are no person's own, and sign-ins, which test/erasure/sign-ins.long.test.ts plants.
  const others = ['platform', 'policyVersion', 'language', 'apple', 'google']
  expect(fields.filter((name) => !(name in canaries())).sort()).toEqual(others.sort())
})

test('P1 P3: nobody outside who need not know, and nothing inside that is not sealed, learns who buys', async () => {
  const { appInstanceId, ...unknown } = canaries()
  const recipients = ['googleAnalytics', 'firebase', 'google', 'mailbox']
  const others = simulatorNames.filter((name) => !recipients.includes(name))
  expect(await harness.findCanaries({ ...unknown, appInstanceId }, { parties: others })).toEqual([])
  // The id of the app's own measurement, which Google makes.
  expect(await harness.findCanaries(unknown, { parties: ['googleAnalytics'] })).toEqual([])
  const { pushToken: _known, ...rest } = unknown
  expect(await harness.findCanaries(rest, { parties: ['firebase'] })).toEqual([])
})

test('no outside party gets a hash of a person’s data, or our own ids', async () => {
  const { email, phone, ip, firstName, lastName } = canaries()
  const spellings = [email, phone, phone.slice(1), ip, firstName, firstName.toLowerCase(), lastName.toLowerCase()]
  const hashes = spellings.flatMap((text) =>
    ['md5', 'sha1', 'sha256', 'sha512'].flatMap((algorithm) => {
      const digest = createHash(algorithm).update(text).digest()
      return [digest.toString('hex'), digest.toString('base64').replace(/=+$/, '')]
    }),
  )
  const named = Object.fromEntries(hashes.map((hash) => [`hash ${hash}`, hash]))
  expect(await harness.findCanaries(named)).toEqual([])

  expect(await harness.findCanaries({ userAgent }, { parties: simulatorNames })).toEqual([])
  const ofAccount = await harness.findCanaries({ account: person.accountId }, { parties: simulatorNames })
  expect(ofAccount.filter(({ where }) => where.endsWith('received'))).toEqual([])
  const findings = await harness.findCanaries({ ...named, ...numbered(orderIds) })
  expect(findings.filter(({ where }) => where.endsWith('received'))).toEqual([])
})

test('no history, log or push contains the data to install an eSIM', async () => {
  expect(bought).toHaveLength(5)
  const codes = bought.flatMap(({ iccid, activationCode }) => {
    const { matchingId = '' } = parseActivationCode(activationCode) ?? {}
    return [iccid, activationCode, matchingId]
  })
  expect(codes.every((code) => code.length > 10)).toBe(true)
  const simulators = ['firebase', 'stripe', 'meta', 'googleAnalytics'] as const
  expect(await harness.findCanaries(numbered(codes), { parties: simulators })).toEqual([])
})

test('no history, log or metric contains a secret', async () => {
  const { settings, keys } = harness
  const published = ['STRIPE_PUBLISHABLE_KEY', 'AIRALO_CLIENT_ID']
  for (const name of [...secretNames, 'PAYLOAD_KEYS'].filter((each) => !published.includes(each))) {
    const text = settings[name] ?? ''
    // Keys follow their id and a colon.
    secrets[name] = text.includes('PRIVATE KEY') ? pemLine(text) : (text.split(':').at(-1) ?? '')
  }
  Object.assign(secrets, { service: keys.service, operator: keys.operator, idToken: person.caller.token })
  expect(Object.entries(secrets).filter(([, secret]) => (secret?.length ?? 0) < 16)).toEqual([])
  expect(await harness.findCanaries(secrets, { parties: [] })).toEqual([])
})

test('no URL that we call contains personal data', async () => {
  const urls: string[] = []
  for (const simulator of simulatorNames)
    urls.push(...(await harness.sims[simulator].log()).map(({ url }) => decodeURIComponent(url)))
  expect(urls.length).toBeGreaterThan(50)
  for (const canary of Object.values(canaries())) expect(urls.filter((url) => url.includes(canary))).toEqual([])
})

/** The canaries by name. */
function canaries() {
  const { email, firstName, lastName, phone, pushToken, deviceId, firebaseUid, appInstanceId } = person
  const known = { email, firstName, lastName, phone, pushToken, deviceId, firebaseUid, appInstanceId }
  return { ...known, ...device, ip: address, userAgent }
}

const numbered = (texts: string[]): Record<string, string> =>
  Object.fromEntries(texts.map((text, at) => [`${at}`, text]))

const pemLine = (pem = ''): string => pem.replaceAll('\\n', '\n').split('\n')[2] ?? ''

/** Calls the API with the address that our proxy sends. */
function throughProxy({ token }: Caller): Caller {
  const caller = createCaller(harness.urls.api, token)
  const call: Caller['call'] = (method, path, { headers, ...request } = {}) =>
    caller.call(method, path, {
      ...request,
      headers: { 'user-agent': userAgent, ...headers, 'x-forwarded-for': address },
    })
  return {
    ...caller,
    call,
    get: (path, headers) => call('GET', path, { headers: headers ?? {} }),
    post: (path, body, headers) => call('POST', path, { body, headers: headers ?? {} }),
  }
}

/** Signs up from the person's own IP address. */
async function newcomer(): Promise<Person> {
  const made = await harness.signUp({ device })
  const service = throughProxy(harness.service)
  expectStatus(await service.post(`/v1/accounts/${made.accountId}/sign-ins`, {}), 200)
  const shown = expectStatus(await harness.service.get(`/v1/accounts/${made.accountId}`), 200)
  expect(shown).toMatchObject({ lastLoginIp: address, phone: made.phone })
  return made
}

/** An error answer that quotes all that the outside party may know of the person and the order. */
function quoting(status: number, path: string) {
  const { email, firstName, lastName, phone, pushToken } = person
  const known = { email, firstName, lastName, phone, pushToken, ac: 'LPA:1$quoted.example$QUOTED-MATCHING-ID' }
  const error = {
    message: `cannot serve ${Object.values(known).join(' ')}`,
    status: 'INTERNAL',
    code: status,
    ...known,
  }
  secrets.quotedCode = known.ac
  return { match: { path }, status, body: { error, errorMsg: error.message, success: false, ...known } }
}

/** Buys as the person, from their own IP address, during faults. */
async function purchase(packageCode: string, trouble: () => Promise<unknown>) {
  const measurement = { adUserData: true, adPersonalization: true }
  const body = { accountId: person.accountId, packageCode, measurement, savedCards: true }
  const order = expectStatus(await throughProxy(person.caller).post('/v1/orders', body), 201)
  secrets[`client secret ${order.id}`] = order.payment.paymentIntentClientSecret
  secrets[`session secret ${order.id}`] = order.payment.customerSessionClientSecret
  await trouble()
  await stripe.do('pay', { orderId: order.id })
  const delivered = await harness.untilOrder(order.id, 'delivered')
  secrets[`install ${order.id}`] = delivered.installUrl.split('/').at(-1)
  await harness.fastForward(order.id, '1 minute')
  return delivered
}

/** No provider has the package: the order is refunded, with a mail and a push. */
async function undelivered(): Promise<string> {
  await esimAccess.do('stock', { out: true })
  await airalo.do('stock', { out: true })
  const { id } = await harness.buy(person, { until: 'refunded' })
  await esimAccess.do('stock', { out: false })
  await airalo.do('stock', { out: false })
  await harness.fastForward(id, '31 days')
  const { status } = await harness.temporal.workflow.getHandle(orderWorkflowId(id)).describe()
  expect(status.name).toBe('COMPLETED')
  return id
}

/** Requests with personal data in unusual places. */
async function misdirected(me: Caller): Promise<void> {
  const { accountId, email, firstName, phone } = person
  const wrong = [
    me.get(`/v1/orders/${encodeURIComponent(email)}`),
    me.get(`/v1/people/${encodeURIComponent(email)}?phone=${encodeURIComponent(phone)}`),
    me.get(`/v1/orders?accountId=${encodeURIComponent(email)}`),
    me.get(`/v1/orders?${encodeURIComponent(email)}=1`),
    me.get('/v1/orders/none', { 'x-request-id': email, 'user-agent': `${firstName} ${phone}`, referer: email }),
    me.post('/v1/orders', { accountId, packageCode: email }),
    me.post('/v1/orders', { accountId, packageCode: testPackages.anyProvider, [email]: phone }),
    me.post('/v1/orders', `{"email": "${email}", "phone": "${phone}"`),
    me.post(
      '/v1/orders',
      { accountId, packageCode: testPackages.anyProvider, quantity: phone },
      { 'idempotency-key': email },
    ),
    me.post('/v1/webhooks/stripe', { data: { object: { receipt_email: email } } }, { 'stripe-signature': email }),
    me.post(`/v1/webhooks/esim-access/${encodeURIComponent(email)}`, { content: { iccid: phone } }),
    me.post('/v1/webhooks/airalo', { iccid: phone }, { 'airalo-signature': email }),
    createCaller(harness.urls.api, `${email}.${phone}`).get('/v1/orders'),
    harness.service.post('/v1/accounts', { email, firstName, lastName: 'again' }),
  ]
  for (const answer of await Promise.all(wrong))
    expect([answer.status, answer.text]).toEqual([refusal, expect.any(String)])
}

const refusal = expect.toSatisfy((status: number) => status >= 400 && status < 500, 'a refusal')
