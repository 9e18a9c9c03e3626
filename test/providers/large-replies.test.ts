/** A reply without end: every party's is given up at its limit, and the failure says why. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { createAiralo } from '../../providers/airalo/airalo.ts'
import { createApple } from '../../providers/apple.ts'
import { createEsimAccess } from '../../providers/esim-access/esim-access.ts'
import { createFirebaseIdTokens } from '../../providers/firebase/id-token.ts'
import { createPush } from '../../providers/firebase/push.ts'
import { createFirebaseUsers } from '../../providers/firebase/users.ts'
import { createGoogle } from '../../providers/google.ts'
import { createMeasurement, type Purchase } from '../../providers/measurement.ts'
import { createStripe } from '../../providers/stripe/stripe.ts'
import { startTlsFront } from '../../sim/firebase/tls-front.ts'
import { failureOf } from './failing.ts'

const megabyte = 1024 ** 2
const chunk = Buffer.alloc(64 * 1024, ' ')
let sentBytes = 0
/** paths that are answered as they should be */
const answers: Record<string, object> = {
  '/token': { data: { access_token: 'planted', expires_in: 86_400 }, access_token: 'planted', expires_in: 3_600 },
}

function* endless(): Generator<Buffer> {
  for (let sent = 0; sent < 100 * megabyte; sent += chunk.length) {
    sentBytes += chunk.length
    yield chunk
  }
}

const server = createServer((request, response) => {
  const usual = answers[request.url ?? '']
  response.writeHead(200, { 'content-type': 'application/json' })
  if (usual) response.end(JSON.stringify(usual))
  // It ends with an error when the caller hangs up.
  else pipeline(endless, response, () => undefined)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo
const url = `http://127.0.0.1:${port}`
const tls = await startTlsFront(port, ['fcm.googleapis.com', 'identitytoolkit.googleapis.com', 'oauth2.googleapis.com'])

const esimAccess = createEsimAccess({ baseUrl: url, accessCode: 'x', secretKey: 'x', timeoutMs: 30_000 })
const airalo = createAiralo({ baseUrl: url, clientId: 'x', clientSecret: 'x', timeoutMs: 30_000 })
const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString()
const apple = createApple({
  baseUrl: url,
  teamId: 'T',
  keyId: 'K',
  privateKeyPem: pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
  clientIds: ['app'],
})
const google = createGoogle({ clientIds: ['app'], certsUrl: `${url}/certs`, revokeUrl: `${url}/revoke` })
const idTokens = createFirebaseIdTokens({ projectId: 'p', jwksUrl: `${url}/jwks` })
const stripe = createStripe({
  secretKey: 'sk_test_x',
  webhookSecret: 'whsec_x',
  publishableKey: 'pk_test_x',
  apiBase: url,
  timeoutMs: 30_000,
})
const firebase = {
  projectId: 'p',
  serviceAccount: {
    clientEmail: 'x@example.com',
    privateKey: pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
  },
  connectTo: { host: '127.0.0.1', port: tls.port, ca: tls.ca },
}
const push = createPush(firebase)
const users = createFirebaseUsers(firebase)
const measurement = createMeasurement({
  meta: { baseUrl: url, apiVersion: 'v1', datasetId: '1', accessToken: 'x' },
  googleAnalytics: { baseUrl: url, firebaseAppId: 'x', apiSecret: 'x' },
  timeoutMs: 30_000,
})
const purchase: Purchase = {
  eventId: '8d0d4a54-9c5f-4d4b-8c6e-0d5f3a2b1c0d',
  eventTime: new Date(),
  value: 9.9,
  currency: 'EUR',
  metaExternalIdHash: 'a'.repeat(64),
  gaAppInstanceId: 'x',
  consent: { adUserData: true, adPersonalization: true },
}
/** Well-formed, of a key that nobody has published. */
const unknownToken = [{ alg: 'RS256', kid: 'k' }, { sub: 's' }, {}]
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .join('.')
const notice = { token: 't', title: 't', body: 'b', data: {}, collapseKey: 'c', platform: 'ios' as const }

beforeEach(() => {
  sentBytes = 0
})

afterAll(async () => {
  await Promise.all([push.close(), users.close(), tls.stop()])
  server.closeAllConnections()
  server.close()
})

const place = { clientRef: 'ref', packageCode: 'p', quantity: 1, unitCostMicros: 1_000_000 }
const calls: Record<string, [ask: () => Promise<unknown>, expected: string]> = {
  'eSIM Access, its packages': [() => esimAccess.listPackages(), 'unavailable reply_too_large'],
  'eSIM Access, an order': [() => esimAccess.placeOrder(place), 'unknown_outcome reply_too_large'],
  'Airalo, its packages': [() => airalo.listPackages(), 'unavailable reply_too_large'],
  'Airalo, an order': [() => airalo.placeOrder(place), 'unknown_outcome reply_too_large'],
  'Apple, a revocation': [
    () => apple.revoke({ refreshToken: 'x', clientId: 'app' }),
    'unknown_outcome reply_too_large',
  ],
  'Apple, its keys': [() => apple.verifyIdToken(unknownToken), 'unavailable keys_too_large'],
  'Google, a revocation': [() => google.revoke('x'), 'unknown_outcome reply_too_large'],
  'Google, its keys': [() => google.verifyIdToken(unknownToken), 'unavailable keys_too_large'],
  'Firebase, its keys': [() => idTokens.verifyFirebaseIdToken(unknownToken), 'unavailable keys_too_large'],
  'Firebase, a user': [() => users.deleteUser('x'), 'unavailable reply_too_large'],
  'FCM, a push': [() => push.send(notice), 'unknown_outcome reply_too_large'],
  'Stripe, a look': [() => stripe.getPayment('pi_x'), 'unavailable reply_too_large'],
  'Meta, a purchase': [() => measurement.sendToMeta(purchase, new Date()), 'unknown_outcome reply_too_large'],
  'Google Analytics, a purchase': [
    () => measurement.sendToGoogleAnalytics(purchase, new Date()),
    'unknown_outcome reply_too_large',
  ],
}

test.each(Object.entries(calls))('%s: 100 MB are not read', async (_name, [ask, expected]) => {
  expect(await failureOf(ask())).toBe(expected)
  expect(sentBytes).toBeGreaterThan(4 * megabyte)
  expect(sentBytes).toBeLessThan(90 * megabyte)
})
