/**
 * Forged webhooks of every sender, by its documented scheme: another key, an old time, a replay, another body, doubled
 * headers, cut bytes. Keys are published by a server of the test, so that the forger can sign what the issuer would.
 */
import { createHmac, randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { type CryptoKey, exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { portOf } from '../../shared/process/listen.ts'
import { altered } from '../harness/altered.ts'
import { type ApiHarness, startApiHarness } from '../harness/api/api-harness.ts'

let harness: ApiHarness
let keyServer: Server
let issuers: CryptoKey
let foreignKey: CryptoKey
let publicKey: string

beforeAll(async () => {
  const made = await generateKeyPair('RS256')
  issuers = made.privateKey
  foreignKey = (await generateKeyPair('RS256')).privateKey
  const jwk = { ...(await exportJWK(made.publicKey)), use: 'sig', alg: 'RS256', kid: 'one' }
  publicKey = JSON.stringify(jwk)
  keyServer = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] }))
  })
  await new Promise<void>((resolve) => void keyServer.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${portOf(keyServer)}`
  harness = await startApiHarness({
    env: {
      APPLE_URL: url,
      APPLE_CLIENT_IDS: 'app.ama',
      GOOGLE_CLIENT_IDS: 'ama.apps',
      GOOGLE_RISC_CERTS_URL: `${url}/keys`,
      MAIL_BOUNCE_TOKEN: 'b'.repeat(32),
    },
  })
})
afterAll(async () => {
  await harness.stop()
  keyServer.close()
})

const now = (): number => Math.floor(Date.now() / 1000)
const recorded = async (): Promise<number> =>
  Number((await harness.api.sql`select count(*) as count from webhook_events`)[0]?.count)

interface Sent {
  body: string
  headers?: Record<string, string>
  path?: string
}

async function statusOf(path: string, { body, headers = {}, path: rest = '' }: Sent): Promise<number> {
  const answer = await harness.call('POST', path + rest, { body, headers })
  if (answer.status !== 200 && answer.status !== 202) {
    expect(['webhook_refused', 'not_found', 'body_too_large'], answer.text).toContain(answer.body.code)
  }
  return answer.status
}

type Forgeries = Record<string, () => Sent | Promise<Sent>>

/** @param status of a refusal */
async function expectRefused(path: string, status: number, forgeries: Forgeries): Promise<void> {
  const before = await recorded()
  for (const [what, forge] of Object.entries(forgeries)) {
    expect([what, await statusOf(path, await forge())]).toEqual([what, status])
  }
  expect(await recorded()).toBe(before)
}

/**
 * A success without an order is recorded by the payment sweep, not by its webhook; a cancellation is recorded at once.
 */
const stripeEvent = (): string =>
  JSON.stringify({
    id: `evt_${randomUUID()}`,
    object: 'event',
    type: 'payment_intent.canceled',
    created: now(),
    data: { object: { id: 'pi_forged', object: 'payment_intent', metadata: {} } },
  })
const stripeMac = (at: number | string, body: string, secret = harness.env.STRIPE_WEBHOOK_SECRET): string =>
  createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')
const stripeSent = (body: string, signature: string): Sent => ({ body, headers: { 'stripe-signature': signature } })

test('a forged event of Stripe is refused, whatever is wrong with it', async () => {
  const body = stripeEvent()
  const at = now()
  const old = at - 301
  const right = `t=${at},v1=${stripeMac(at, body)}`
  await expectRefused('/v1/webhooks/stripe', 400, {
    'without a signature': () => ({ body }),
    'with an empty signature': () => stripeSent(body, ''),
    'signed with another key': () => stripeSent(body, `t=${at},v1=${stripeMac(at, body, 'whsec_other')}`),
    'signed with an empty key': () => stripeSent(body, `t=${at},v1=${stripeMac(at, body, '')}`),
    'from five minutes ago': () => stripeSent(body, `t=${old},v1=${stripeMac(old, body)}`),
    'from five minutes ago with the time of now': () => stripeSent(body, `t=${at},v1=${stripeMac(old, body)}`),
    'with both times': () => stripeSent(body, `t=${old},t=${at},v1=${stripeMac(old, body)}`),
    'with both times in the other order': () => stripeSent(body, `t=${at},t=${old},v1=${stripeMac(old, body)}`),
    'with an old header and a new one': () =>
      stripeSent(body, `t=${old},v1=${stripeMac(old, body)}, t=${at},v1=${stripeMac(at, body, 'x')}`),
    'without a time': () => stripeSent(body, `v1=${stripeMac(at, body)}`),
    'with a time that is none': () => stripeSent(body, `t=NaN,v1=${stripeMac('NaN', body)}`),
    'signed by the scheme of test events': () => stripeSent(body, `t=${at},v0=${stripeMac(at, body)}`),
    'signed without its time': () =>
      stripeSent(
        body,
        `t=${at},v1=${createHmac('sha256', harness.env.STRIPE_WEBHOOK_SECRET).update(body).digest('hex')}`,
      ),
    'with another body': () => stripeSent(stripeEvent(), right),
    'with a blank more': () => stripeSent(`${body} `, right),
    'with a body that is cut': () => stripeSent(body.slice(0, -1), right),
    'with a signature that is cut': () => stripeSent(body, right.slice(0, -2)),
    'with an altered signature': () => stripeSent(body, `t=${at},v1=${altered(stripeMac(at, body))}`),
    'that is no event, signed': () => stripeSent('[]', `t=${at},v1=${stripeMac(at, '[]')}`),
    'that is no JSON, signed': () => stripeSent('{', `t=${at},v1=${stripeMac(at, '{')}`),
  })
})

test('a right event of Stripe is taken once, also when it is sent again later and twenty times at once', async () => {
  const body = stripeEvent()
  const before = await recorded()
  const send = (at: number) => statusOf('/v1/webhooks/stripe', stripeSent(body, `t=${at},v1=${stripeMac(at, body)}`))
  expect(await Promise.all(Array.from({ length: 20 }, () => send(now())))).toEqual(Array(20).fill(200))
  expect(await send(now() - 200)).toBe(200)
  expect((await recorded()) - before).toBe(1)
})

test('an event of Stripe with a time that is none is refused, and one with texts that cannot be stored is taken', async () => {
  const at = now()
  const sent = (body: string) => stripeSent(body, `t=${at},v1=${stripeMac(at, body)}`)
  for (const time of ['1e300', '-1e15', '253402300800', '1e20']) {
    const body = stripeEvent().replace(/"created":\d+/, `"created":${time}`)
    expect([time, await statusOf('/v1/webhooks/stripe', sent(body))]).toEqual([time, 400])
  }
  for (const id of ['pi_\\u0000', 'pi_\\ud800']) {
    const body = stripeEvent().replace('pi_forged', id)
    expect([id, await statusOf('/v1/webhooks/stripe', sent(body))]).toEqual([id, 200])
  }
})

const airaloBody = JSON.stringify({ level: '75%', iccid: '8900000000000000001', package_name: 'x' })
const airaloMac = (body: string, secret = harness.env.AIRALO_CLIENT_SECRET, hash = 'sha512'): string =>
  createHmac(hash, secret).update(body).digest('hex')

test('a forged notification of Airalo is refused, whatever is wrong with it', async () => {
  const sent = (body: string, signature: string): Sent => ({ body, headers: { 'airalo-signature': signature } })
  const right = airaloMac(airaloBody)
  await expectRefused('/v1/webhooks/airalo', 400, {
    'without a signature': () => ({ body: airaloBody }),
    'with an empty signature': () => sent(airaloBody, ''),
    'signed with another key': () => sent(airaloBody, airaloMac(airaloBody, 'other')),
    'signed with the client id': () => sent(airaloBody, airaloMac(airaloBody, harness.env.AIRALO_CLIENT_ID.repeat(2))),
    'signed with a shorter hash': () => sent(airaloBody, airaloMac(airaloBody, undefined, 'sha256')),
    'with another body': () => sent(airaloBody.replace('75', '90'), right),
    'with a body that is cut': () => sent(airaloBody.slice(0, -1), right),
    'with a signature that is cut': () => sent(airaloBody, right.slice(0, 64)),
    'with a signature that is longer': () => sent(airaloBody, `${right}00`),
    'with two headers, a forged one and a right one': () => sent(airaloBody, `${'0'.repeat(128)}, ${right}`),
    'with two right headers': () => sent(airaloBody, `${right}, ${right}`),
    'with a signature that is no hexadecimal': () => sent(airaloBody, 'z'.repeat(128)),
    'that is no JSON, signed': () => sent('{', airaloMac('{')),
  })
  expect(await statusOf('/v1/webhooks/airalo', sent(airaloBody, right))).toBe(200)
})

test('a notification of eSIM Access is refused without the secret of its path', async () => {
  const secret = harness.env.ESIM_ACCESS_WEBHOOK_TOKEN
  const body = JSON.stringify({ notifyType: 'CHECK_HEALTH', eventGenerateTime: '2026-11-23T10:00:00Z' })
  const at = (path: string) => (): Sent => ({ body, path })
  await expectRefused('/v1/webhooks/esim-access/', 404, {
    'with another secret': at('x'.repeat(secret.length)),
    'with the secret cut': at(secret.slice(0, -1)),
    'with the secret in capital letters': at(secret.toUpperCase()),
    'with the secret twice': at(secret + secret),
    'with a blank behind the secret': at(`${secret}%20`),
    'with the secret in a header': () => ({ body, path: 'x', headers: { authorization: `Bearer ${secret}` } }),
  })
  for (const path of [`${secret}%00`, `x?secret=${secret}`]) {
    const refused = await harness.call('POST', `/v1/webhooks/esim-access/${path}`, { body })
    expect([refused.status, refused.body.code]).toEqual([400, 'invalid_request'])
  }
  expect(await statusOf(`/v1/webhooks/esim-access/${secret}`, { body })).toBe(200)
})

test('a notification of eSIM Access whose names cannot be stored is of no order of ours', async () => {
  const path = `/v1/webhooks/esim-access/${harness.env.ESIM_ACCESS_WEBHOOK_TOKEN}`
  for (const name of ['B\0', 'B\ud800', 'x'.repeat(10_000)]) {
    for (const content of [{ orderNo: name }, { esimTranNo: name, orderNo: name }]) {
      const body = JSON.stringify({
        notifyType: 'ESIM_STATUS',
        notifyId: name,
        content: { ...content, esimStatus: 'IN_USE' },
      })
      expect([content, await statusOf(path, { body })]).toEqual([content, 200])
    }
  }
})

test('a mail that comes back is refused without the secret of its path', async () => {
  const body = 'Content-Type: text/plain\r\n\r\nback'
  const at = (path: string) => (): Sent => ({ body, path, headers: { 'content-type': 'message/rfc822' } })
  await expectRefused('/v1/webhooks/mail-bounces/', 404, {
    'with another secret': at('c'.repeat(32)),
    'with the secret cut': at('b'.repeat(31)),
    'with the secret longer': at('b'.repeat(33)),
    'with the secret of eSIM Access': at(harness.env.ESIM_ACCESS_WEBHOOK_TOKEN),
  })
})

const key: JWTHeaderParameters = { alg: 'RS256', kid: 'one' }
const signed = (claims: Record<string, unknown>, by = issuers, header: JWTHeaderParameters = key): Promise<string> =>
  new SignJWT(claims).setProtectedHeader(header).sign(by)
const unsigned = (header: unknown, claims: unknown): string =>
  `${[header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`
/** Signs as if the published key were a shared secret. */
const confused = (claims: Record<string, unknown>): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'one' }).sign(new TextEncoder().encode(publicKey))

/** Faults of any signed token; `claims` are right. */
const tokenForgeries = (claims: () => Record<string, unknown>): Record<string, () => Promise<string> | string> => ({
  'by another key': () => signed(claims(), foreignKey),
  'by nobody': () => unsigned({ alg: 'none' }, claims()),
  'by nobody with the name of the key': () => unsigned(key, claims()),
  'by the published key as a secret': () => confused(claims()),
  'by a key of its own header': async () => signed(claims(), foreignKey, { ...key, jwk: JSON.parse(publicKey) }),
  'by an unknown key': () => signed(claims(), foreignKey, { ...key, kid: 'two' }),
  'for another audience': () => signed({ ...claims(), aud: 'another.app' }),
  'of another issuer': () => signed({ ...claims(), iss: 'https://issuer.example' }),
  'without an id': () => signed({ ...claims(), jti: undefined }),
  'with an id that is an object': () => signed({ ...claims(), jti: {} }),
  'with an id that is empty': () => signed({ ...claims(), jti: '' }),
  'without events': () => signed({ ...claims(), events: undefined }),
  'with events that are a number': () => signed({ ...claims(), events: 1 }),
  'that is cut': async () => (await signed(claims())).slice(0, -5),
  'with other claims under its signature': async () => {
    const [header, , signature] = (await signed({ ...claims(), jti: 'mine' })).split('.')
    return `${header}.${Buffer.from(JSON.stringify(claims())).toString('base64url')}.${signature}`
  },
})

const appleClaims = (change: Record<string, unknown> = {}): Record<string, unknown> => ({
  iss: 'https://appleid.apple.com',
  aud: 'app.ama',
  jti: randomUUID(),
  iat: now(),
  exp: now() + 600,
  events: JSON.stringify({ type: 'consent-revoked', sub: 'nobody', event_time: Date.now() }),
  ...change,
})

test('a forged notification of Apple is refused, whatever is wrong with it', async () => {
  const sent = (payload: unknown): Sent => ({ body: JSON.stringify({ payload }) })
  const tokens = Object.entries(tokenForgeries(() => appleClaims())).map(
    ([what, token]) => [what, async () => sent(await token())] as const,
  )
  await expectRefused('/v1/webhooks/apple', 400, {
    ...Object.fromEntries(tokens),
    'that has expired': async () => sent(await signed(appleClaims({ exp: now() - 60 }))),
    'that is an ID token': async () => sent(await signed({ ...appleClaims(), events: undefined, sub: 'nobody' })),
    'with an event of no type': async () => sent(await signed(appleClaims({ events: '{"sub":"nobody"}' }))),
    'with an event about nobody': async () =>
      sent(await signed(appleClaims({ events: '{"type":"account-deleted","event_time":1}' }))),
    'with a time before all times': async () =>
      sent(await signed(appleClaims({ events: '{"type":"consent-revoked","sub":"nobody","event_time":-1e14}' }))),
    'with events that are no text': async () =>
      sent(await signed(appleClaims({ events: { type: 'account-deleted' } }))),
    'in a list': async () => sent([await signed(appleClaims())]),
    'without the field of its token': async () => ({ body: JSON.stringify({ other: await signed(appleClaims()) }) }),
    'as bare text': async () => ({ body: await signed(appleClaims()) }),
  })
  expect(await statusOf('/v1/webhooks/apple', sent(await signed(appleClaims())))).toBe(200)
})

const googleClaims = (change: Record<string, unknown> = {}): Record<string, unknown> => ({
  iss: 'https://accounts.google.com/',
  aud: ['ama.apps'],
  jti: randomUUID(),
  iat: now(),
  events: { 'https://schemas.openid.net/secevent/risc/event-type/sessions-revoked': { subject: { sub: 'nobody' } } },
  ...change,
})

test('a forged security event of Google is refused, whatever is wrong with it', async () => {
  const sent = (body: string): Sent => ({ body, headers: { 'content-type': 'application/secevent+jwt' } })
  const tokens = Object.entries(tokenForgeries(() => googleClaims())).map(
    ([what, token]) => [what, async () => sent(await token())] as const,
  )
  await expectRefused('/v1/webhooks/google', 400, {
    ...Object.fromEntries(tokens),
    'of the issuer of ID tokens': async () => sent(await signed(googleClaims({ iss: 'https://accounts.google.com' }))),
    'for no audience': async () => sent(await signed(googleClaims({ aud: [] }))),
    'with events that are a list': async () => sent(await signed(googleClaims({ events: [1] }))),
    'with an event that is text': async () => sent(await signed(googleClaims({ events: { a: 'b' } }))),
    'as JSON': async () => sent(JSON.stringify({ payload: await signed(googleClaims()) })),
    'with a time before all times': async () => sent(await signed(googleClaims({ toe: -1e14 }))),
    'of nothing': () => sent(' '),
  })
  // Google has receivers ignore the expiry.
  const late = await signed(googleClaims({ iat: now() - 90_000, exp: now() - 86_400 }))
  expect(await statusOf('/v1/webhooks/google', sent(late))).toBe(202)
})
