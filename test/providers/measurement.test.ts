import { createHash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { isProviderFailure } from '../../providers/failure.ts'
import { createMeasurement, type Purchase } from '../../providers/measurement.ts'
import { type ControlOf, controlOf } from '../../sim/control.ts'
import { startGoogleAnalytics } from '../../sim/google-analytics.ts'
import { startMeta } from '../../sim/meta.ts'

const datasetId = '1234567890'
const accessToken = 'planted-access-token'
const firebaseAppId = '1:1:ios:1'
const apiSecret = 'planted-api-secret'
const hour = 3_600_000
const nothing = { events: [], violations: [] }

let metaSimulator: Awaited<ReturnType<typeof startMeta>>
let googleSimulator: Awaited<ReturnType<typeof startGoogleAnalytics>>
let meta: ControlOf<typeof startMeta>
let google: ControlOf<typeof startGoogleAnalytics>
let measurement: ReturnType<typeof createMeasurement>

const metaSettings = () => ({ baseUrl: metaSimulator.url, apiVersion: 'v25.0', datasetId, accessToken })
const googleSettings = () => ({ baseUrl: googleSimulator.url, firebaseAppId, apiSecret })

beforeAll(async () => {
  metaSimulator = await startMeta({ datasetId, accessToken })
  googleSimulator = await startGoogleAnalytics({ firebaseAppId, apiSecret })
  meta = controlOf(metaSimulator)
  google = controlOf(googleSimulator)
  measurement = createMeasurement({ meta: metaSettings(), googleAnalytics: googleSettings(), timeoutMs: 300 })
})

beforeEach(async () => {
  await meta.reset()
  await google.reset()
})

afterAll(async () => {
  await metaSimulator.stop()
  await googleSimulator.stop()
})

const externalId = createHash('sha256').update('made for measurement').digest('hex')

const purchase = (change: Partial<Purchase> = {}): Purchase => ({
  eventId: randomUUID(),
  eventTime: new Date(Date.now() - hour),
  value: 9.9,
  currency: 'EUR',
  metaExternalIdHash: externalId,
  gaAppInstanceId: 'f'.repeat(32),
  consent: { adUserData: true, adPersonalization: false },
  ...change,
})

test.each(['OK', {}, { events_received: 0 }])(
  'the answer %j to an event at Meta does not say that it was taken',
  async (body) => {
    await meta.fault({ status: 200, body })
    const failure = await measurement.sendToMeta(purchase(), new Date()).catch((error: unknown) => error)
    expect(failure).toMatchObject({ kind: 'unknown_outcome', code: 'malformed_reply' })
  },
)

test('a purchase is sent to Meta and Google with the least data', async () => {
  const given = purchase()
  expect(await measurement.sendPurchase(given, new Date())).toEqual({ meta: 'sent', googleAnalytics: 'sent' })
  const eventTime = given.eventTime.getTime()
  expect(await meta.state()).toEqual({
    duplicates: [],
    violations: [],
    events: [
      {
        event_name: 'Purchase',
        event_time: Math.floor(eventTime / 1000),
        event_id: given.eventId,
        action_source: 'other',
        user_data: { external_id: [externalId] },
        custom_data: { currency: 'EUR', value: 9.9 },
        data_processing_options: ['LDU'],
        data_processing_options_country: 0,
        data_processing_options_state: 0,
        opt_out: true,
      },
    ],
  })
  expect(await google.state()).toEqual({
    violations: [],
    events: [
      {
        app_instance_id: given.gaAppInstanceId,
        timestamp_micros: eventTime * 1000,
        consent: { ad_user_data: 'GRANTED', ad_personalization: 'DENIED' },
        name: 'purchase',
        params: { transaction_id: given.eventId, currency: 'EUR', value: 9.9 },
      },
    ],
  })
  const [request] = await meta.log()
  expect(request?.url).toBe(`/v25.0/${datasetId}/events`)
})

test('an event for Google passes its validation server', async () => {
  await measurement.sendPurchase(purchase({ consent: { adUserData: true, adPersonalization: true } }), new Date())
  const [request] = await google.log()
  const validation = await fetch(`${googleSimulator.url}/debug/mp/collect`, {
    method: 'POST',
    body: request?.body ?? '',
  })
  expect(await validation.json()).toEqual({ validationMessages: [] })
})

test.each([
  ['JPY', 990],
  ['eur', 49.99],
])('a purchase of %s %d arrives with this amount', async (currency, value) => {
  await measurement.sendToMeta(purchase({ currency, value }), new Date())
  expect((await meta.state()).events[0]).toMatchObject({ custom_data: { currency: currency.toUpperCase(), value } })
})

test('an event older than 72 hours for Google or 7 days for Meta is not sent', async () => {
  const eventTime = new Date()
  const after = (hours: number) => new Date(eventTime.getTime() + hours * hour)
  const send = (asOf: Date) => measurement.sendPurchase(purchase({ eventTime }), asOf)
  expect(await send(after(72))).toEqual({ meta: 'sent', googleAnalytics: 'sent' })
  expect(await send(after(73))).toEqual({ meta: 'sent', googleAnalytics: 'too_old' })
  expect(await send(after(168))).toEqual({ meta: 'sent', googleAnalytics: 'too_old' })
  expect(await send(after(169))).toEqual({ meta: 'too_old', googleAnalytics: 'too_old' })
  expect((await meta.state()).events).toHaveLength(3)
  expect((await google.state()).events).toHaveLength(1)
})

test('no event is sent without consent, identifier or settings', async () => {
  const both = async (given: Purchase) => measurement.sendPurchase(given, new Date())
  const refused = { adUserData: false, adPersonalization: true }
  expect(await both(purchase({ consent: refused }))).toEqual({ meta: 'no_consent', googleAnalytics: 'no_consent' })
  const anonymous = purchase({ metaExternalIdHash: undefined, gaAppInstanceId: undefined })
  expect(await both(anonymous)).toEqual({ meta: 'no_identifier', googleAnalytics: 'no_identifier' })
  expect(await createMeasurement({}).sendPurchase(purchase(), new Date())).toEqual({
    meta: 'not_configured',
    googleAnalytics: 'not_configured',
  })
  expect([await meta.log(), await google.log()]).toEqual([[], []])
})

test('a repeated event counts once at Meta for 48 hours', async () => {
  const given = purchase()
  await measurement.sendToMeta(given, new Date())
  await measurement.sendToMeta(given, new Date())
  const { events, duplicates } = await meta.state()
  expect([events.length, duplicates.length]).toEqual([1, 1])
})

test.each([
  {
    fault: { status: 429, headers: { 'retry-after': '3' } },
    kind: 'unavailable',
    code: 'rate_limited',
    retryAfterMs: 3000,
  },
  { fault: { status: 503 }, kind: 'unavailable', code: 'http_503' },
  { fault: { status: 500, body: 'John' }, kind: 'unknown_outcome', code: 'http_500' },
  { fault: { cut: 'after' as const }, kind: 'unknown_outcome' },
  { fault: { hang: 'before' as const }, kind: 'unknown_outcome', code: 'timed_out' },
  { fault: { status: 302, headers: { location: '/elsewhere' } }, kind: 'misconfigured', code: 'http_302' },
])('the fault $fault at Meta or Google is $kind', async ({ fault, ...expected }) => {
  for (const [control, send] of [
    [meta, measurement.sendToMeta],
    [google, measurement.sendToGoogleAnalytics],
  ] as const) {
    await control.fault(fault)
    const failure = await send(purchase(), new Date()).catch((error: unknown) => error)
    if (!isProviderFailure(failure)) throw failure
    expect(failure).toMatchObject(expected)
    expect(JSON.stringify([String(failure), failure.cause])).not.toMatch(/planted|John|127\.0\.0\.1/)
  }
})

test.each([
  { error: { code: 190 }, kind: 'misconfigured', named: 'graph_190' },
  { error: { code: 200 }, kind: 'misconfigured', named: 'graph_200' },
  { error: { code: 4 }, kind: 'unavailable', named: 'graph_4' },
  { error: { code: 100, is_transient: true }, kind: 'unavailable', named: 'graph_100' },
  { error: { code: 100, message: 'John' }, kind: 'rejected', named: 'graph_100' },
])('Meta’s Graph error $error is $kind', async ({ error, kind, named }) => {
  await meta.fault({ status: 400, body: { error } })
  const failure = await measurement.sendToMeta(purchase(), new Date()).catch((thrown: unknown) => thrown)
  expect(failure).toMatchObject({ kind, code: named, provider: 'meta' })
})

test('wrong credentials are refused by Meta and accepted silently by Google', async () => {
  const wrong = createMeasurement({
    meta: { ...metaSettings(), accessToken: 'wrong' },
    googleAnalytics: { ...googleSettings(), apiSecret: 'wrong' },
  })
  await expect(wrong.sendToMeta(purchase(), new Date())).rejects.toMatchObject({ kind: 'misconfigured' })
  expect(await wrong.sendToGoogleAnalytics(purchase(), new Date())).toBe('sent')
  expect(await google.state()).toEqual({ events: [], violations: ['wrong firebase_app_id or api_secret'] })
})

test('a refused connection to Meta or Google is unavailable', async () => {
  const { port, stop } = await startMeta({ datasetId, accessToken })
  await stop()
  const gone = createMeasurement({ meta: { ...metaSettings(), baseUrl: `http://127.0.0.1:${port}` } })
  await expect(gone.sendToMeta(purchase(), new Date())).rejects.toMatchObject({
    kind: 'unavailable',
    code: 'unreachable',
  })
})

test('the Meta simulator refuses a whole request for one old event or one additional field', async () => {
  await measurement.sendToMeta(purchase(), new Date())
  const [request] = await meta.log()
  const sent = JSON.parse(request?.body ?? '')
  await meta.reset()
  const post = async (events: unknown[]) => {
    const body = JSON.stringify({ ...sent, data: events })
    return (await fetch(`${metaSimulator.url}${request?.url}`, { method: 'POST', body })).status
  }
  const [event] = sent.data
  const fresh = { ...event, event_id: 'fresh' }
  const old = { ...event, event_id: 'old', event_time: Math.floor(Date.now() / 1000) - 8 * 86_400 }
  expect(await post([fresh, old])).toBe(400)
  expect(await post([{ ...fresh, user_data: { ...event.user_data, em: [externalId] } }])).toBe(400)
  expect(await post([{ ...fresh, event_source_url: 'https://example.test' }])).toBe(400)
  expect(await meta.state()).toEqual({
    ...nothing,
    duplicates: [],
    violations: ['user_data.em is not least data', 'event.event_source_url is not least data'],
  })
  expect(await post([fresh])).toBe(200)
  await meta.do('clock', { advanceSeconds: 8 * 86_400 })
  expect(await post([{ ...fresh, event_id: 'late' }])).toBe(400)
})

test('the Google Analytics simulator answers 204 to an invalid event, and records a violation', async () => {
  const url = `${googleSimulator.url}/mp/collect?firebase_app_id=${firebaseAppId}&api_secret=${apiSecret}`
  const params = { transaction_id: 'x', currency: 'EUR', value: 1 }
  const good = { app_instance_id: 'a', events: [{ name: 'purchase', params }] }
  const bodies = [
    'rubbish',
    JSON.stringify({ ...good, user_id: 'somebody' }),
    JSON.stringify({ ...good, events: [{ name: 'purchase', params: { ...params, destination: 'JP' } }] }),
    JSON.stringify({ ...good, events: [{ name: '_bad', params }] }),
    JSON.stringify({ ...good, timestamp_micros: (Date.now() - 73 * hour) * 1000 }),
  ]
  for (const body of bodies) expect((await fetch(url, { method: 'POST', body })).status).toBe(204)
  expect(await google.state()).toEqual({
    events: [],
    violations: [
      ': not a JSON object',
      'user_id: is not least data',
      'events.params.destination: is not least data',
      'events: has an invalid name',
      'timestamp_micros: older than 72 hours',
    ],
  })
  const validation = await fetch(url.replace('/mp/', '/debug/mp/'), { method: 'POST', body: bodies[1] ?? '' })
  expect(await validation.json()).toEqual({
    validationMessages: [{ fieldPath: 'user_id', description: 'is not least data', validationCode: 'VALUE_INVALID' }],
  })
})
