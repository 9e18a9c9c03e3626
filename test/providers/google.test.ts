import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createFirebaseIdTokens, type FirebaseIdTokens } from '../../providers/firebase/id-token.ts'
import { createGoogle, type Google } from '../../providers/google.ts'
import { type ControlOf, controlOf } from '../../sim/control.ts'
import { type RunningGoogle, startGoogle } from '../../sim/google.ts'
import { failureOf } from './failing.ts'
import { startWebhookReceiver } from './webhook-receiver.ts'

let simulator: RunningGoogle
let google: Google
let firebase: FirebaseIdTokens
let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>
let sim: ControlOf<typeof startGoogle>

const settings = () => ({
  clientIds: simulator.clientIds,
  certsUrl: simulator.certsUrl,
  revokeUrl: simulator.revokeUrl,
  keyCooldownMs: 0,
})

const signIn = (input: Record<string, unknown> = {}) => sim.do('sign-in', input)
const firebaseSignIn = (input: Record<string, unknown> = {}) => sim.do('firebase-sign-in', input)

beforeAll(async () => {
  receiver = await startWebhookReceiver()
  simulator = await startGoogle({ webhookUrl: receiver.url })
  sim = controlOf(simulator)
  google = createGoogle(settings())
  firebase = createFirebaseIdTokens({
    projectId: simulator.projectId,
    jwksUrl: simulator.firebaseCertsUrl,
    keyCooldownMs: 0,
  })
})

beforeEach(async () => {
  await sim.reset()
  receiver.clear()
})

afterAll(async () => {
  await simulator.stop()
  await receiver.stop()
})

test.each(['https://accounts.google.com', 'accounts.google.com'])(
  'a Google ID token with the issuer %s is read',
  async (issuer) => {
    const { sub, idToken } = await signIn({ issuer, email: 'someone@example.com', emailVerified: false })
    const identity = { subject: sub, email: 'someone@example.com', emailVerified: false }
    expect(await google.verifyIdToken(idToken)).toEqual(identity)
  },
)

test.each([
  [{ expiresInSeconds: -60 }, 'rejected expired_token'],
  [{ clientId: 'planted.apps.googleusercontent.com' }, 'rejected wrong_audience'],
  [{ issuer: 'https://accounts.google.com/' }, 'rejected wrong_issuer'],
  [{ forged: true }, 'rejected invalid_token'],
])('a Google ID token %o is refused', async (input, expected) => {
  expect(await failureOf(google.verifyIdToken((await signIn(input)).idToken))).toBe(expected)
})

test('a Google ID token without a required nonce is refused', async () => {
  const { idToken } = await signIn({ nonce: 'once' })
  expect(await google.verifyIdToken(idToken, { nonce: 'once' })).toHaveProperty('subject')
  expect(await failureOf(google.verifyIdToken(idToken, { nonce: 'twice' }))).toBe('rejected wrong_nonce')
})

test('a revocation at Google accepts a valid, an unknown and a revoked refresh token', async () => {
  const { refreshToken = '' } = await signIn({ offline: true })
  expect(await google.revoke(refreshToken)).toBe('revoked')
  expect((await sim.state()).refreshTokens).toMatchObject([{ token: refreshToken, revokedAt: expect.any(String) }])
  expect(await google.revoke(refreshToken)).toBe('unknown')
  expect(await google.revoke('planted')).toBe('unknown')
  await sim.fault({ status: 503 })
  expect(await failureOf(google.revoke('planted'))).toBe('unavailable http_503')
})

test.each([
  [{ status: 200, body: 'OK planted' }, 'unknown_outcome malformed_reply'],
  [{ status: 400, body: 'planted' }, 'unknown_outcome http_400'],
  [{ status: 404, body: {} }, 'unknown_outcome foreign_http_404'],
  [{ status: 401, body: 'planted' }, 'unavailable foreign_http_401'],
  [{ status: 403, body: { error: 'access_denied' } }, 'unknown_outcome access_denied'],
])('the answer %o to a revocation, which may not be Google’s, is not taken for one', async (fault, expected) => {
  await sim.fault(fault)
  expect(await failureOf(google.revoke('planted'))).toBe(expected)
})

async function received(event: Record<string, unknown>): Promise<string> {
  await sim.do('notify', event)
  const [webhook] = await receiver.atLeast(1)
  expect(webhook?.headers['content-type']).toBe('application/secevent+jwt')
  return String(webhook?.body)
}

test('a security event of Google has its type and user, and never expires', async () => {
  const set = await received({ type: ['account-disabled', 'sessions-revoked'], sub: '1234', reason: 'hijacking' })
  expect(await google.parseSecurityEvent(set)).toEqual({
    eventId: expect.any(String),
    types: ['account-disabled', 'sessions-revoked'],
    subjects: ['1234'],
    at: expect.any(Date),
    reason: 'hijacking',
  })
})

test.each([
  ['verification', { state: 'planted' }],
  ['token-revoked', { refreshToken: 'planted' }],
])('Google’s security event %s has no user', async (type, details) => {
  const set = await received({ type, ...details })
  expect(await google.parseSecurityEvent(set)).toEqual({
    eventId: expect.any(String),
    types: [type],
    subjects: [],
    at: expect.any(Date),
  })
})

test('the Google simulator identifies a revoked token as Google documents', async () => {
  const set = await received({ type: 'token-revoked', refreshToken: '1//x' })
  const once = createHash('sha512').update('1//x').digest()
  const claims = JSON.parse(Buffer.from(String(set.split('.')[1]), 'base64url').toString())
  expect(Object.values(claims.events)).toMatchObject([
    { subject: { token: createHash('sha512').update(once).digest('base64') } },
  ])
})

test('a security event without Google’s signature, and an ID token, are refused as events', async () => {
  const set = await received({ type: 'account-disabled', sub: '1234', forged: true })
  expect(await failureOf(google.parseSecurityEvent(set))).toBe('rejected invalid_token')
  expect(await failureOf(google.parseSecurityEvent((await signIn()).idToken))).toBe('rejected invalid_token')
})

test('a Firebase ID token has the user, the sign-in provider and the sign-in time', async () => {
  const { uid, idToken } = await firebaseSignIn({
    provider: 'apple.com',
    authTimeSecondsAgo: 3600,
    email: 'a@b.example',
  })
  const { authTime, ...rest } = await firebase.verifyFirebaseIdToken(idToken)
  expect(rest).toEqual({ uid, signInProvider: 'apple.com', verifiedEmail: 'a@b.example' })
  expect(Math.abs(Date.now() - 3_600_000 - authTime.getTime())).toBeLessThan(60_000)
})

test.each([
  [{ expiresInSeconds: -60 }, 'rejected expired_token'],
  [{ projectId: 'planted' }, 'rejected wrong_issuer'],
  [{ forged: true }, 'rejected invalid_token'],
  [{ authTimeSecondsAgo: -3600 }, 'rejected invalid_token'],
  [{ uid: '' }, 'rejected invalid_token'],
])('a Firebase ID token %o is refused', async (input, expected) => {
  expect(await failureOf(firebase.verifyFirebaseIdToken((await firebaseSignIn(input)).idToken))).toBe(expected)
})

test('a Google ID token is refused as a Firebase ID token, and the reverse', async () => {
  const { idToken } = await signIn()
  expect(await failureOf(firebase.verifyFirebaseIdToken(idToken))).toBe('rejected unknown_key')
  expect(await failureOf(google.verifyIdToken((await firebaseSignIn()).idToken))).toBe('rejected unknown_key')
})
