import { generateKeyPairSync } from 'node:crypto'
import { connect, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { isProviderFailure } from '../../providers/failure.ts'
import { createPush, type Push, type PushSender } from '../../providers/firebase/push.ts'
import { createFirebaseUsers, type FirebaseUsers } from '../../providers/firebase/users.ts'
import { portOf } from '../../shared/process/listen.ts'
import { type ControlOf, controlOf } from '../../sim/control.ts'
import { type RunningFirebase, startFirebase } from '../../sim/firebase.ts'
import { untilValue } from '../harness/until.ts'
import { failureOf } from './failing.ts'

const token = 'planted-push-token'
const push: Push = {
  token,
  title: 'Your eSIM is ready',
  body: 'Open the app to install it.',
  data: { order: 'ord_1' },
  collapseKey: 'ord_1.ready',
  platform: 'ios',
}

let firebase: RunningFirebase
let sender: PushSender
let users: FirebaseUsers
let sim: ControlOf<typeof startFirebase>

const settings = () => ({
  projectId: firebase.projectId,
  serviceAccount: firebase.serviceAccount,
  connectTo: { host: '127.0.0.1', port: firebase.tlsPort, ca: firebase.ca },
})

beforeAll(async () => {
  firebase = await startFirebase()
  sim = controlOf(firebase)
  sender = createPush(settings())
  users = createFirebaseUsers(settings())
})

beforeEach(() => sim.reset())

afterAll(async () => {
  await Promise.all([sender.close(), users.close()])
  await firebase.stop()
})

test('P4: a push is delivered once, in a form in which a repeat replaces it', async () => {
  const sent = await sender.send(push)
  expect(sent).toMatchObject({ outcome: 'sent', messageId: expect.stringContaining('/messages/') })
  await sender.send({ ...push, platform: 'android' })
  const [ios, android] = (await sim.state()).delivered
  expect(ios?.message).toEqual({
    token,
    notification: { title: 'Your eSIM is ready', body: 'Open the app to install it.' },
    data: { order: 'ord_1', dedupe_key: 'ord_1.ready' },
    apns: {
      headers: { 'apns-collapse-id': 'ord_1.ready', 'apns-priority': '10' },
      payload: { aps: { sound: 'default' } },
    },
  })
  expect(android?.message).toMatchObject({
    android: { priority: 'high', collapse_key: 'ord_1.ready', notification: { tag: 'ord_1.ready' } },
  })
})

test('a push whose connection was cut before the end of its TLS handshake was not sent', async () => {
  const sockets = new Set<Socket>()
  let cut = false
  const front = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    if (cut) socket.once('data', () => socket.destroy())
    else socket.pipe(connect(firebase.tlsPort, '127.0.0.1').on('error', () => undefined)).pipe(socket)
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  const port = portOf(front)
  const throughFront = createPush({ ...settings(), connectTo: { host: '127.0.0.1', port, ca: firebase.ca } })
  // The client has an access token from here on.
  await throughFront.send(push)
  cut = true
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  const failed = await untilValue(
    'a push on a new connection',
    () => failureOf(throughFront.send(push)),
    () => sockets.size > 0,
  )
  expect(failed).toBe('unavailable no_connection')
  expect((await sim.state()).delivered).toHaveLength(1)
  await throughFront.close()
  front.close()
})

test.each([
  ['unregistered', 'unregistered'],
  ['invalid', 'invalid'],
  ['sender-mismatch', 'other_sender'],
  ['legacy-not-registered', 'unregistered'],
  ['legacy-invalid-registration', 'invalid'],
])('FCM’s answer %s marks the token as dead', async (behaviour, reason) => {
  await sim.do('token', { token, behaviour })
  expect(await sender.send(push)).toEqual({ outcome: 'token_dead', reason })
  expect((await sim.state()).delivered).toHaveLength(0)
})

test.each([
  ['bare-404', 'misconfigured http_404'],
  ['bare-403', 'misconfigured http_403'],
  ['bare-401', 'misconfigured third_party_auth_error'],
  ['third-party-auth', 'misconfigured third_party_auth_error'],
  ['invalid-field', 'rejected invalid_argument'],
  ['too-big', 'rejected invalid_argument'],
  ['quota', 'unavailable quota_exceeded'],
  ['internal', 'unknown_outcome http_500'],
  ['not-json', 'unknown_outcome unexpected_reply'],
])('FCM’s answer %s keeps the token', async (behaviour, expected) => {
  await sim.do('token', { token, behaviour })
  expect(await failureOf(sender.send(push))).toBe(expected)
  await sim.do('token', { token, behaviour: 'ok' })
  expect(await sender.send(push)).toMatchObject({ outcome: 'sent' })
})

test('FCM is asked again a minute after it has had too many messages, also where it says no time', async () => {
  const tooMany = { kind: 'unavailable', retryAfterMs: 60_000 }
  await sim.do('token', { token, behaviour: 'quota' })
  await expect(sender.send(push)).rejects.toMatchObject({ ...tooMany, code: 'quota_exceeded' })
  await sim.do('token', { token, behaviour: 'unregistered' })
  await sim.fault({ match: { contains: 'validate_only' }, status: 429 })
  await expect(sender.send(push)).rejects.toMatchObject({ ...tooMany, code: 'http_429' })
})

test('a refusal of FCM that a second request does not confirm keeps the token', async () => {
  await sim.do('token', { token, behaviour: 'unregistered', times: 1 })
  expect(await failureOf(sender.send(push))).toBe('unavailable refusal_not_confirmed')
  expect(await sim.state()).toMatchObject({ delivered: [], dryRuns: 1 })
})

test('an outage of FCM between refusal and confirmation keeps the token, and returns its Retry-After', async () => {
  await sim.do('token', { token, behaviour: 'unregistered' })
  await sim.fault({ match: { contains: 'validate_only' }, status: 503, headers: { 'retry-after': '7' } })
  await expect(sender.send(push)).rejects.toMatchObject({ kind: 'unavailable', code: 'http_503', retryAfterMs: 7000 })
  const date = new Date(Date.now() + 3_600_000).toUTCString()
  await sim.fault({ match: { contains: 'validate_only' }, status: 503, headers: { 'retry-after': date } })
  const asked = await sender
    .send(push)
    .catch((error: unknown) => (isProviderFailure(error) ? error.retryAfterMs : error))
  expect(asked).toBeGreaterThan(3_000_000)
  expect(asked).toBeLessThanOrEqual(3_600_000)
})

test.each([
  ['a lost reply', { cut: 'after' }, 'unknown_outcome econnreset', 1],
  ['a cut connection', { cut: 'before' }, 'unknown_outcome econnreset', 0],
  ['a 503', { status: 503, body: '<html>' }, 'unavailable http_503', 0],
  [
    'a 503 with Retry-After',
    { status: 503, body: '<html>', headers: { 'Retry-After': '1' } },
    'unavailable http_503',
    0,
  ],
] as const)(
  '%s ends a push after one request: the send ledger decides about another',
  async (_what, fault, expected, count) => {
    await sim.fault({ match: { path: 'messages:send' }, ...fault })
    expect(await failureOf(sender.send(push))).toBe(expected)
    expect((await sim.state()).delivered).toHaveLength(count)
  },
)

test.each([
  ['a cut connection', { cut: 'before' }, 'unavailable token_endpoint_unreachable'],
  ['a 503', { status: 503 }, 'unavailable token_endpoint_http_503'],
  ['a reply of null', { status: 200, body: 'null' }, 'unavailable token_endpoint_unreadable'],
  ['a page of a proxy', { status: 200, body: '<html>' }, 'unavailable token_endpoint_unreadable'],
] as const)('%s ends the search for an access token after one request', async (_what, fault, expected) => {
  const fresh = createPush(settings())
  await sim.fault({ match: { path: '/token' }, ...fault })
  expect(await failureOf(fresh.send(push))).toBe(expected)
  await fresh.close()
})

test('a 503 of FCM with a long Retry-After fails at once', async () => {
  await sim.do('token', { token, behaviour: 'unavailable', retryAfter: 120 })
  expect(await failureOf(sender.send(push))).toBe('unavailable http_503')
})

test.each([
  ['an activation code', { body: 'LPA:1$rsp.example.com$ABC-1' }],
  ['an ICCID', { data: { esim: '8900000000000000001' } }],
  ['an address', { title: 'Hello planted@example.com' }],
])('a push with %s is never sent', async (_what, change) => {
  expect(await failureOf(sender.send({ ...push, ...change }))).toBe('rejected personal_data')
  expect(await sim.log()).toHaveLength(0)
})

test('the access token for FCM is fetched once, and a failure to get one is translated to its kind', async () => {
  const fresh = createPush(settings())
  await Promise.all([fresh.send(push), fresh.send(push), fresh.send(push)])
  expect((await sim.state()).accessTokensIssued).toBe(1)
  await fresh.close()

  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const otherKey = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  for (const [key, expected] of [
    [otherKey, 'misconfigured service_account_refused'],
    ['planted PRIVATE nonsense', 'misconfigured unreadable_private_key'],
  ] as const) {
    const serviceAccount = { ...firebase.serviceAccount, privateKey: key }
    const otherClient = createPush({ ...settings(), serviceAccount })
    expect(await failureOf(otherClient.send(push))).toBe(expected)
    await otherClient.close()
  }
})

test('a push is certainly not sent when FCM is unreachable or shows another certificate', async () => {
  for (const connectTo of [
    { ...settings().connectTo, port: 1 },
    { ...settings().connectTo, ca: (await startedAndStopped()).ca },
  ]) {
    const lost = createPush({ ...settings(), connectTo })
    expect(await failureOf(lost.send(push))).toBe('unavailable token_endpoint_unreachable')
    await lost.close()
  }
})

test('a Firebase user is deleted, and an unknown one is no failure', async () => {
  await sim.do('user', { uid: 'uid-1' })
  expect(await users.deleteUser('uid-1')).toBe('deleted')
  expect(await users.deleteUser('uid-1')).toBe('unknown')
  expect((await sim.state()).deletedUsers).toEqual(['uid-1'])
  await sim.fault({
    match: { path: 'accounts:delete' },
    status: 403,
    body: { error: { message: 'INSUFFICIENT_PERMISSION' } },
  })
  expect(await failureOf(users.deleteUser('uid-1'))).toBe('misconfigured insufficient_permission')
  await sim.fault({ match: { path: 'accounts:delete' }, status: 500, body: 'oops planted' })
  expect(await failureOf(users.deleteUser('uid-1'))).toBe('unknown_outcome http_500')
  await sim.fault({ match: { path: 'accounts:delete' }, status: 200, body: 'OK planted' })
  expect(await failureOf(users.deleteUser('uid-1'))).toBe('unknown_outcome malformed_reply')
  // One request without retries: a retry has to check again whether the user is in use.
  const asked = async () => (await sim.log()).filter(({ url }) => url.includes('accounts:delete')).length
  const before = await asked()
  await sim.fault({ match: { path: 'accounts:delete' }, status: 503, times: 5 })
  expect(await failureOf(users.deleteUser('uid-1'))).toBe('unavailable http_503')
  expect(await asked()).toBe(before + 1)
})

test('a Firebase user gets a new address in place of the old one alone, and with a password alone', async () => {
  const [from, to] = ['Ann@old.example', 'ann@new.example']
  const move = (uid: string) => users.moveAddress(uid, { from: ['ann@first.example', from], to })
  const addressOf = async (uid: string) => (await sim.state()).addresses[uid]
  expect(await move('uid-nobody')).toBe('unknown')
  for (const [uid, email, providers, outcome] of [
    ['uid-phone', undefined, ['password'], 'another'],
    ['uid-google', from, ['google.com'], 'another'],
    ['uid-changed', 'ann@elsewhere.example', ['password'], 'elsewhere'],
    ['uid-ann', from, ['google.com', 'password'], 'moved'],
    // It had it before: nothing is changed.
    ['uid-ann', to, ['password'], 'moved'],
    ['uid-bob', from, ['password'], 'taken'],
  ] as const) {
    await sim.do('user', { uid, email, providers })
    expect(await move(uid), uid).toBe(outcome)
  }
  expect(await addressOf('uid-ann')).toEqual({ email: to, verified: false })
  expect((await addressOf('uid-bob'))?.email).toBe(from.toLowerCase())
  for (const [path, reply, expected] of [
    [
      'accounts:lookup',
      { status: 403, body: { error: { message: 'INSUFFICIENT_PERMISSION' } } },
      'misconfigured insufficient_permission',
    ],
    ['accounts:lookup', { status: 200, body: 'OK planted' }, 'unavailable malformed_reply'],
    ['accounts:update', { status: 500, body: 'oops planted' }, 'unknown_outcome http_500'],
    ['accounts:update', { status: 200, body: 'OK planted' }, 'unknown_outcome malformed_reply'],
    ['accounts:update', { status: 400, body: { error: { message: 'INVALID_EMAIL' } } }, 'rejected invalid_email'],
  ] as const) {
    await sim.do('user', { uid: 'uid-eve', email: 'ann@old.example', providers: ['password'] })
    await sim.fault({ match: { path }, ...reply })
    const other = { from: [from], to: 'eve@new.example' }
    expect(await failureOf(users.moveAddress('uid-eve', other)), path).toBe(expected)
  }
  await sim.do('user', { uid: 'uid-gone', email: from, providers: ['password'] })
  await sim.fault({ match: { path: 'accounts:update' }, status: 400, body: { error: { message: 'USER_NOT_FOUND' } } })
  expect(await users.moveAddress('uid-gone', { from: [from], to: 'gone@new.example' })).toBe('unknown')
})

async function startedAndStopped(): Promise<RunningFirebase> {
  const other = await startFirebase()
  await other.stop()
  return other
}
