/** A reply without end: every party's is given up at its limit, and the failure says why. */
import { pipeline } from 'node:stream'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { notice, purchase, startAdapters, unknownToken } from '../harness/adapters.ts'
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

const { esimAccess, airalo, apple, google, idTokens, users, push, stripe, measurement, close } = await startAdapters(
  (request, response) => {
    const usual = answers[request.url ?? '']
    response.writeHead(200, { 'content-type': 'application/json' })
    if (usual) response.end(JSON.stringify(usual))
    // The pipeline ends with an error when the caller hangs up.
    else pipeline(endless, response, () => undefined)
  },
  { timeoutMs: 30_000 },
)
afterAll(close)

beforeEach(() => {
  sentBytes = 0
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
  'Stripe, a payment': [() => stripe.getPayment('pi_x'), 'unavailable reply_too_large'],
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
