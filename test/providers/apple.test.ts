import { createHash, generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Apple, createApple } from '../../providers/apple.ts'
import { type RunningApple, startApple } from '../../sim/apple.ts'
import { type ControlOf, controlOf } from '../../sim/control.ts'
import { failureOf } from './failing.ts'
import { startWebhookReceiver } from './webhook-receiver.ts'

const ios = 'app.ama-esim.ios'
const web = 'app.ama-esim.web'

let simulator: RunningApple
let apple: Apple
let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>
let sim: ControlOf<typeof startApple>

const settings = () => ({
  baseUrl: simulator.url,
  teamId: simulator.teamId,
  keyId: simulator.keyId,
  privateKeyPem: simulator.privateKeyPem,
  clientIds: simulator.clientIds,
  keyCooldownMs: 0,
})

const signIn = (input: Record<string, unknown> = {}) => sim.do('sign-in', input)

beforeAll(async () => {
  receiver = await startWebhookReceiver()
  simulator = await startApple({ clientIds: [ios, web], webhookUrl: receiver.url })
  sim = controlOf(simulator)
  apple = createApple(settings())
})

beforeEach(async () => {
  await sim.reset()
  receiver.clear()
})

afterAll(async () => {
  await simulator.stop()
  await receiver.stop()
})

test.each(['text', 'boolean'])('an Apple ID token is read (with booleans as %s)', async (booleans) => {
  const { sub, idToken } = await signIn({ private: true, clientId: web, booleans })
  expect(await apple.verifyIdToken(idToken)).toEqual({
    subject: sub,
    email: expect.stringMatching(/@private\.icloud\.com$/),
    emailVerified: true,
    clientId: web,
  })
})

test('an Apple ID token without an e-mail address is accepted', async () => {
  const { sub, idToken } = await signIn()
  const identity = { subject: sub, emailVerified: false, clientId: ios }
  expect(await apple.verifyIdToken(idToken)).toEqual(identity)
})

test('an Apple ID token with the plain or hashed nonce is accepted, with another refused', async () => {
  const hashed = createHash('sha256').update('once').digest('hex')
  for (const nonce of ['once', hashed]) {
    const { idToken } = await signIn({ nonce })
    expect(await apple.verifyIdToken(idToken, { nonce: 'once' })).toHaveProperty('subject')
    expect(await failureOf(apple.verifyIdToken(idToken, { nonce: 'twice' }))).toBe('rejected wrong_nonce')
  }
  const { idToken } = await signIn()
  expect(await failureOf(apple.verifyIdToken(idToken, { nonce: 'once' }))).toBe('rejected wrong_nonce')
})

test.each([
  [{ expiresInSeconds: -60 }, 'rejected expired_token'],
  [{ clientId: 'app.planted.other' }, 'rejected wrong_audience'],
  [{ issuer: 'https://planted.example' }, 'rejected wrong_issuer'],
  [{ forged: true }, 'rejected invalid_token'],
])('an Apple ID token %o is refused', async (input, expected) => {
  const { idToken } = await signIn(input)
  expect(await failureOf(apple.verifyIdToken(idToken))).toBe(expected)
})

test.each(['', 'planted', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.'])(
  '%j as an Apple ID token is refused',
  async (token) => {
    expect(await failureOf(apple.verifyIdToken(token))).toBe('rejected invalid_token')
  },
)

test('a new signing key of Apple is fetched; unreachable keys are no fault of the token', async () => {
  await apple.verifyIdToken((await signIn()).idToken)
  await sim.do('rotate-keys')
  const { sub, idToken } = await signIn()
  expect(await apple.verifyIdToken(idToken)).toHaveProperty('subject', sub)

  await sim.fault({ match: { path: '/auth/keys' }, status: 503 })
  expect(await failureOf(createApple(settings()).verifyIdToken(idToken))).toBe('unavailable keys_unavailable')
})

test('Apple’s code can be used once, within five minutes, by its own client', async () => {
  const { sub, code } = await signIn()
  expect(await failureOf(apple.exchangeCode(code, web))).toBe('rejected invalid_grant')
  const { refreshToken, subject } = await apple.exchangeCode(code, ios)
  expect(subject).toBe(sub)
  expect((await sim.state()).grants).toMatchObject([{ sub, clientId: ios, refreshToken, revokedAt: null }])
  expect(await failureOf(apple.exchangeCode(code, ios))).toBe('rejected invalid_grant')
  const old = await signIn({ ageSeconds: 301 })
  expect(await failureOf(apple.exchangeCode(old.code, ios))).toBe('rejected invalid_grant')
})

test('Apple’s refresh token can be revoked repeatedly by its own client', async () => {
  const { code } = await signIn({ clientId: web })
  const { refreshToken } = await apple.exchangeCode(code, web)
  expect(await apple.revoke({ refreshToken, clientId: ios })).toBe('revoked')
  expect((await sim.state()).grants).toMatchObject([{ revokedAt: null }])
  expect(await apple.revoke({ refreshToken, clientId: web })).toBe('revoked')
  expect((await sim.state()).grants).toMatchObject([{ revokedAt: expect.any(String) }])
  expect(await apple.revoke({ refreshToken, clientId: web })).toBe('revoked')
  expect(await apple.revoke({ refreshToken: 'planted', clientId: web })).toBe('revoked')
})

test('refusals of Apple because of our settings are misconfigured', async () => {
  const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const privateKeyPem = otherKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const given = { refreshToken: 'planted', clientId: ios }
  const failure = (change: object) => failureOf(createApple({ ...settings(), ...change }).revoke(given))
  expect(await failure({ privateKeyPem })).toBe('misconfigured invalid_client')
  expect(await failure({ keyId: 'OTHER' })).toBe('misconfigured invalid_client')
  expect(await failure({ teamId: 'OTHER' })).toBe('misconfigured invalid_client')
  expect(await failure({ privateKeyPem: 'planted' })).toBe('misconfigured unreadable_private_key')
  expect(await failureOf(apple.revoke({ ...given, clientId: 'app.other' }))).toBe('misconfigured invalid_client')
  expect(await failureOf(apple.revoke({ ...given, refreshToken: '' }))).toBe('rejected invalid_request')
})

test.each([
  [{ status: 503, headers: { 'retry-after': '30' } }, 'unavailable http_503'],
  [{ status: 500, body: 'planted' }, 'unknown_outcome http_500'],
  [{ status: 429, headers: { 'retry-after': '30' } }, 'unavailable rate_limited'],
  [{ status: 302, headers: { location: 'http://planted' } }, 'misconfigured http_302'],
  [{ cut: 'before' as const }, 'unknown_outcome connection_lost'],
  [{ status: 400, body: { error: 'invalid_scope' } }, 'rejected invalid_scope'],
  [{ status: 400, body: 'planted' }, 'unknown_outcome http_400'],
  [{ status: 404, body: '<html>planted' }, 'unknown_outcome foreign_http_404'],
  [{ status: 403, body: '<html>planted' }, 'unavailable foreign_http_403'],
  [{ status: 400, body: { error: 'planted free text' } }, 'unknown_outcome http_400'],
  [{ status: 200, body: 'OK planted' }, 'unknown_outcome malformed_reply'],
])('Apple’s answer %o is translated to its failure', async (fault, expected) => {
  await sim.fault(fault)
  expect(await failureOf(apple.revoke({ refreshToken: 'planted', clientId: ios }))).toBe(expected)
})

test('a revocation is certainly not applied when Apple cannot be reached', async () => {
  const gone = await startWebhookReceiver()
  await gone.stop()
  const nobody = createApple({ ...settings(), baseUrl: new URL(gone.url).origin })
  expect(await failureOf(nobody.revoke({ refreshToken: 'planted', clientId: ios }))).toBe('unavailable unreachable')
})

test.each([
  ['account-deleted', 'account-deleted'],
  ['account-delete', 'account-deleted'],
  ['consent-revoked', 'consent-revoked'],
  ['email-disabled', 'email-disabled'],
  ['email-enabled', 'email-enabled'],
])('Apple’s notification %s is read as %s', async (type, expected) => {
  const { sub } = await signIn({ private: true })
  const { jti } = await sim.do('notify', { type, sub })
  const [webhook] = await receiver.atLeast(1)
  const { payload } = JSON.parse(String(webhook?.body))
  const notification = await apple.parseNotification(payload)
  const email = expected.startsWith('email-') && { email: expect.stringMatching(/@private\.icloud\.com$/) }
  expect(notification).toEqual({ eventId: jti, type: expected, subject: sub, ...email, at: expect.any(Date) })
  expect(Math.abs(notification.at.getTime() - Date.now())).toBeLessThan(60_000)
})

test('a notification without Apple’s signature, and a token that is no notification, are refused', async () => {
  const { sub, idToken } = await signIn()
  await sim.do('notify', { type: 'account-deleted', sub, forged: true })
  const [webhook] = await receiver.atLeast(1)
  const { payload } = JSON.parse(String(webhook?.body))
  expect(await failureOf(apple.parseNotification(payload))).toBe('rejected invalid_token')
  expect(await failureOf(apple.parseNotification(idToken))).toBe('rejected invalid_token')
})

test('the Apple simulator repeats a refused notification unchanged', async () => {
  receiver.answerWith(500)
  const { jti } = await sim.do('notify', { type: 'consent-revoked' })
  const webhooks = await receiver.atLeast(2)
  receiver.answerWith(200)
  const ids = await Promise.all(
    webhooks.slice(0, 2).map(({ body }) => apple.parseNotification(JSON.parse(String(body)).payload)),
  )
  expect(ids.map(({ eventId }) => eventId)).toEqual([jti, jti])
})
