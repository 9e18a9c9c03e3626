/** Webhooks of eSIM providers and Stripe are accepted only from their senders, by secret, address or signature. */
import { createHmac, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { altered } from '../harness/altered.ts'
import { type ApiHarness, startApiHarness } from '../harness/api/api-harness.ts'

const sender = '3.1.131.226'
let harness: ApiHarness

beforeAll(async () => {
  harness = await startApiHarness({ env: { ESIM_ACCESS_WEBHOOK_IPS: `${sender},54.254.74.88` } })
})
afterAll(() => harness.stop())

const from = (address: string) => ({ 'x-forwarded-for': address })
const eventsKept = async () => Number((await harness.api.sql`select count(*) as count from webhook_events`)[0]?.count)

test('a webhook of eSIM Access needs the secret in its path and a configured sender address', async () => {
  const secret = harness.env.ESIM_ACCESS_WEBHOOK_TOKEN
  const health = { notifyType: 'CHECK_HEALTH', eventGenerateTime: '2026-11-23T10:00:00Z' }
  const post = (path: string, address: string) =>
    harness.call('POST', `/v1/webhooks/esim-access/${path}`, { body: health, headers: from(address) })
  expect((await post(secret, sender)).status).toBe(200)
  for (const path of [
    `${secret}x`,
    secret.slice(1),
    altered(secret),
    secret.toUpperCase(),
    'x'.repeat(secret.length),
  ]) {
    const refused = await post(path, sender)
    expect([refused.status, refused.body.code], path).toEqual([404, 'not_found'])
  }
  expect((await post(secret, '198.51.100.7')).status).toBe(404)
  const words = { body: 'no event', headers: from(sender) }
  expect((await harness.call('POST', `/v1/webhooks/esim-access/${secret}`, words)).body.code).toBe('webhook_refused')
  expect(harness.logged.join('')).not.toContain(secret)
})

/** JSON as PHP prints it, with `\\/` for `/`, which the vendor signs. */
const escaped = (text: string) => text.replaceAll('/', '\\/')
const low = JSON.stringify({ level: '75%', iccid: '8900000000000000001', package_name: '1 GB / 7 days' })
const signed = (text: string, secret = harness.env.AIRALO_CLIENT_SECRET) =>
  createHmac('sha512', secret).update(text).digest('hex')

test('a webhook of Airalo needs a signature of its bytes, as sent or as PHP prints them', async () => {
  const post = (body: string, signature?: string) =>
    harness.call('POST', '/v1/webhooks/airalo', {
      body,
      headers: { ...(signature !== undefined && { 'airalo-signature': signature }) },
    })
  expect((await post(low, signed(low))).status).toBe(200)
  expect((await post(low, signed(low).toUpperCase())).status).toBe(200)
  expect((await post(low, signed(escaped(low)))).status).toBe(200)
  const forged = [
    undefined,
    '',
    'zz',
    signed(low, 'another secret'),
    signed(`${low} `),
    altered(signed(low)),
    signed(low).slice(2),
  ]
  for (const signature of forged) {
    const refused = await post(low, signature)
    expect([refused.status, refused.body.code], String(signature)).toEqual([400, 'webhook_refused'])
    expect(refused.text).not.toContain('8900000000000000001')
  }
  // The same content in other bytes than the signed ones.
  const reprinted = JSON.stringify(JSON.parse(low), null, 1)
  expect((await post(reprinted, signed(low))).body.code).toBe('webhook_refused')
})

test('the Airalo webhook answers the HEAD request that checks it', async () => {
  const probe = await harness.call('HEAD', '/v1/webhooks/airalo')
  expect([probe.status, probe.text]).toEqual([200, ''])
})

test('a webhook of Stripe needs a signature of its bytes', async () => {
  const body = JSON.stringify({
    id: 'evt_1',
    object: 'event',
    type: 'payment_intent.canceled',
    created: 1_795_000_000,
    data: { object: { id: 'pi_1', object: 'payment_intent', metadata: {} } },
  })
  const now = Math.floor(Date.now() / 1000)
  const header = (at: number, text: string, secret = harness.env.STRIPE_WEBHOOK_SECRET) =>
    `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${text}`).digest('hex')}`
  const post = (text: string, signature: string) =>
    harness.call('POST', '/v1/webhooks/stripe', { body: text, headers: { 'stripe-signature': signature } })
  const refused = [
    await post(body, header(now, body, 'whsec_other')),
    await post(body, header(now - 301, body)),
    await post(JSON.stringify(JSON.parse(body), null, 1), header(now, body)),
    await post(body, `t=${now}`),
  ]
  expect(refused.map(({ status, body: { code } }) => [status, code])).toEqual(
    refused.map(() => [400, 'webhook_refused']),
  )
  expect(await eventsKept()).toBe(0)
  expect((await post(body, header(now, body))).status).toBe(200)
  expect((await post(body, header(now, body))).status).toBe(200)
  expect(await eventsKept()).toBe(1)
})

test.each(['abc', '', 'x'.repeat(500), "'; --", '00000000-0000-0000-0000-000000000000'])(
  'an event of Stripe whose metadata name the order %j is taken',
  async (orderId) => {
    const object = { id: 'pi_1', object: 'payment_intent', metadata: { order_id: orderId } }
    const event = {
      id: `evt_${randomUUID()}`,
      object: 'event',
      type: 'payment_intent.succeeded',
      created: 1,
      data: { object },
    }
    const body = JSON.stringify(event)
    const at = Math.floor(Date.now() / 1000)
    const signature = createHmac('sha256', harness.env.STRIPE_WEBHOOK_SECRET).update(`${at}.${body}`).digest('hex')
    const headers = { 'stripe-signature': `t=${at},v1=${signature}` }
    expect((await harness.call('POST', '/v1/webhooks/stripe', { body, headers })).status).toBe(200)
  },
)
