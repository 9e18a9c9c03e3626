/** Every outside party's calls are watched: what is no answer counts as failed, a refusal counts as an answer. */
import { createServer } from 'node:net'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { outsideParties } from '../../policy/outside-parties.ts'
import { isOutage } from '../../providers/call-watch.ts'
import { undocumented } from '../../providers/codes/meaning.ts'
import { ProviderFailure, type ProviderFailureKind } from '../../providers/failure.ts'
import { createMail } from '../../providers/mail/mail.ts'
import { portOf } from '../../shared/process/listen.ts'
import { notice, purchase, startAdapters, unknownToken } from '../harness/adapters.ts'
import { failureOf } from './failing.ts'

let outcomes: [party: string, outcome: string][] = []
const watch = {
  answered: (party: string) => void outcomes.push([party, 'answered']),
  failed: (party: string, code: string) => void outcomes.push([party, code]),
}

/** the status that every party answers with; 0 closes the connection */
let status = 200
/** in place of the refusal: what somebody else answers */
let page: string | undefined
/** as Google's APIs write it; what the others say is in their status */
const refusal = () => ({ error: { code: status, status: status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL', message: '' } })
const { esimAccess, airalo, apple, google, idTokens, users, push, stripe, measurement, close } = await startAdapters(
  (request, response) => {
    if (status === 0) return void request.socket.destroy()
    // Google's token endpoint works, so that the call itself is made.
    const isToken = request.url === '/token' && request.headers.host?.includes('googleapis')
    const type = page?.startsWith('<') ? 'text/html' : 'application/json'
    response.writeHead(isToken ? 200 : status, { 'content-type': isToken ? 'application/json' : type })
    response.end(
      isToken ? JSON.stringify({ access_token: 'planted', expires_in: 3_600 }) : (page ?? JSON.stringify(refusal())),
    )
  },
  { timeoutMs: 5_000, watch },
)

const mailServer = createServer((socket) => {
  socket.on('error', () => undefined)
  if (status === 0) socket.destroy()
  else socket.end(status >= 500 ? '421 4.3.2 shutting down\r\n' : '554 5.7.1 not you\r\n')
})
await new Promise<void>((resolve) => mailServer.listen(0, '127.0.0.1', resolve))
const mailPort = portOf(mailServer)

const mail = createMail({ url: `smtp://127.0.0.1:${mailPort}`, from: 'a@example.com', watch })

afterAll(async () => {
  await Promise.all([mail.close(), close()])
  mailServer.close()
})

beforeEach(() => {
  outcomes = []
  page = undefined
})

/** One call to each party. */
const calls: Record<string, [party: keyof typeof outsideParties, call: () => Promise<unknown>]> = {
  stripe: ['stripe', () => stripe.getPayment('pi_1')],
  'eSIM Access': ['esim-access', () => esimAccess.balance()],
  Airalo: ['airalo', () => airalo.balance()],
  'the mail server': ['smtp', () => mail.verify()],
  Apple: ['apple', () => apple.revoke({ refreshToken: 'x', clientId: 'app' })],
  "Apple's keys": ['apple', () => apple.verifyIdToken(unknownToken)],
  Google: ['google', () => google.revoke('x')],
  "Google's keys": ['google', () => google.verifyIdToken(unknownToken)],
  "Firebase's keys": ['firebase', () => idTokens.verifyFirebaseIdToken(unknownToken)],
  'Firebase users': ['firebase', () => users.deleteUser('x')],
  FCM: ['fcm', () => push.send(notice)],
  Meta: ['meta', () => measurement.sendToMeta(purchase, new Date())],
  'Google Analytics': ['google_analytics', () => measurement.sendToGoogleAnalytics(purchase, new Date())],
}

test('each outside party has a call in the list of calls that the call watch is tested with', () => {
  const called = Object.values(calls).map(([party]): string => party)
  const missing = Object.keys(outsideParties).filter((party) => !called.includes(party))
  expect(missing, 'add a call to `calls`').toEqual([])
})

test.each(Object.entries(calls))('%s: a lost connection and a 5xx count as failed', async (_name, [party, call]) => {
  for (const broken of [0, 500]) {
    outcomes = []
    status = broken
    await call().catch(() => undefined)
    expect(outcomes.length).toBeGreaterThan(0)
    for (const each of outcomes) expect(each).toEqual([party, expect.not.stringMatching('answered')])
  }
})

test.each(Object.entries(calls))('%s: a refusal counts as an answer', async (_name, [party, call]) => {
  status = 400
  await call().catch(() => undefined)
  expect(outcomes.length).toBeGreaterThan(0)
  for (const each of outcomes) expect(each).toEqual([party, 'answered'])
})

/** Those whose refusals have a documented form. The SDK of FCM hides replies that are JSON. */
const worded = ['stripe', 'eSIM Access', 'Airalo', 'Apple', 'Google', 'Firebase users', 'FCM', 'Meta'] as const

test.each(worded)('%s: a 401, 403 or 404 without its words decides nothing, and counts as an outage', async (name) => {
  const [party = '', call = () => Promise.resolve()] = calls[name] ?? []
  const pages = ['<html>planted</html>', ...(name === 'FCM' ? [] : ['{}', '{"fault":{"faultstring":"planted"}}'])]
  for (status of [401, 403, 404]) {
    for (page of pages) {
      outcomes = []
      const [kind, code] = (await failureOf(call())).split(' ')
      expect([status, page, kind]).toEqual([status, page, expect.stringMatching(/^(?:unavailable|unknown_outcome)$/)])
      expect(outcomes).toEqual([[party, code]])
    }
  }
})

test.each<[ProviderFailureKind, string, boolean]>([
  ['unavailable', 'unreachable', true],
  ['unavailable', 'bad_certificate', true],
  ['unknown_outcome', 'timed_out', true],
  ['unknown_outcome', 'connection_lost', true],
  ['unavailable', 'rate_limited', true],
  ['unavailable', 'http_503', true],
  ['unknown_outcome', 'http_502', true],
  ['unavailable', 'econnrefused', true],
  ['unavailable', 'smtp_4.3.2', true],
  ['unavailable', 'smtp_4.7.1', false],
  ['unavailable', 'still_allocating', false],
  ['unavailable', 'provider_busy', false],
  ['unavailable', 'lock_timeout', false],
  ['unavailable', 'foreign_http_404', true],
  ['unavailable', 'token_foreign_http_403', true],
  ['unknown_outcome', 'malformed_reply', false],
  ['rejected', 'out_of_stock', false],
  ['rejected', 'expired', false],
  ['misconfigured', 'bad_credentials', false],
])('%s, %s: an outage: %s', (kind, code, expected) => {
  // A certificate that is not accepted becomes an operator task as well, and so does an address that may be wrong.
  const needsOperator = code === 'bad_certificate' || code.includes('foreign')
  expect(isOutage(new ProviderFailure('p', kind, code, { needsOperator }))).toBe(expected)
})

test('a code that nobody knows is no outage, even if it is called like an error of the network', () => {
  expect(isOutage(undocumented('p', 'exceeded', true))).toBe(false)
})
