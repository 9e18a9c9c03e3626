/** Every call to an outside party or another connection is refused inside a transaction, before a byte is sent. */

import { generateKeyPairSync } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import type { OutsideParty } from '../policy/outside-parties.ts'
import { createAiralo } from '../providers/airalo/airalo.ts'
import { createApple } from '../providers/apple.ts'
import { createEsimAccess } from '../providers/esim-access/esim-access.ts'
import { createEventReceivers } from '../providers/event-receiver.ts'
import { createFirebaseIdTokens } from '../providers/firebase/id-token.ts'
import { createPush } from '../providers/firebase/push.ts'
import { createFirebaseUsers } from '../providers/firebase/users.ts'
import { createGoogle } from '../providers/google.ts'
import { createMail } from '../providers/mail/mail.ts'
import { createMeasurement } from '../providers/measurement.ts'
import { createOperatorSignIn } from '../providers/operator-sign-in.ts'
import { createStripe } from '../providers/stripe/stripe.ts'
import { portOf } from '../shared/process/listen.ts'
import { insideTransaction } from '../shared/transaction-scope.ts'
import { connectTemporal } from '../temporal/client.ts'

let connections = 0
const server = createServer((socket) => {
  connections += 1
  socket.destroy()
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const port = portOf(server)
const address = `127.0.0.1:${port}`
const url = `http://${address}`

const { privateKey } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})
const stripe = createStripe({
  secretKey: 'sk_test_x',
  webhookSecret: 'whsec_x',
  publishableKey: 'pk_test_x',
  apiBase: url,
})
const esimAccess = createEsimAccess({ baseUrl: url, accessCode: 'x', secretKey: 'x', timeoutMs: 1_000 })
const airalo = createAiralo({ baseUrl: url, clientId: 'x', clientSecret: 'x', timeoutMs: 1_000 })
const apple = createApple({ baseUrl: url, teamId: 'T', keyId: 'K', privateKeyPem: privateKey, clientIds: ['app'] })
const google = createGoogle({ clientIds: ['app'], certsUrl: url, revokeUrl: url })
const firebase = {
  projectId: 'p',
  serviceAccount: { clientEmail: 'x@example.com', privateKey },
  connectTo: { host: '127.0.0.1', port, ca: '' },
}
const push = createPush(firebase)
const users = createFirebaseUsers(firebase)
const idTokens = createFirebaseIdTokens({ projectId: 'p', jwksUrl: url })
const mail = createMail({ url: `smtp://${address}`, from: 'a@example.com' })
const measurement = createMeasurement({
  meta: { baseUrl: url, apiVersion: 'v1', datasetId: '1', accessToken: 'x' },
  googleAnalytics: { baseUrl: url, firebaseAppId: '1', apiSecret: 'x' },
})
const receivers = createEventReceivers({ internal: true })
const operatorSignIn = createOperatorSignIn({
  issuerUrl: url,
  clientId: 'c',
  clientSecret: 's',
  scope: 'openid',
  redirectUrl: url,
})
const temporal = connectTemporal({ NODE_ENV: 'test', PAYLOAD_KEYS: undefined }, { TEMPORAL_ADDRESS: address })

afterAll(async () => {
  await Promise.all([receivers.close(), push.close(), users.close(), mail.close(), temporal.connection.close()])
  server.close()
})

const message = { to: 'b@example.com', subject: 's', html: '<p>', text: 't', messageId: '<a@example.com>' }
const purchase = {
  eventId: 'e',
  eventTime: new Date(),
  value: 1,
  currency: 'EUR',
  metaExternalIdHash: 'x',
  gaAppInstanceId: 'x',
  platform: 'ios',
  osVersion: '18',
  consent: { adUserData: true, adPersonalization: true },
} as const

type Calls = Record<string, () => PromiseLike<unknown>>

/** Calls of each party: one that is missing does not compile. */
const callsOfParties: Record<OutsideParty, Calls> = {
  stripe: {
    reading: () => stripe.getDispute('dp_1'),
    writing: () => stripe.deleteCustomer('cus_1'),
  },
  'esim-access': { 'a call': () => esimAccess.listPackages() },
  airalo: { 'a call': () => airalo.listPackages() },
  smtp: {
    'one mail': () => mail.send(message, { kind: 'transactional', ...message }),
    'many mails': async () => (await mail.sendToMany(message))({ to: message.to, messageId: message.messageId }),
    'a check of the connection': () => mail.verify(),
  },
  apple: {
    'a call': () => apple.revoke({ refreshToken: 'r', clientId: 'app' }),
    'its keys': () => apple.verifyIdToken('a.b.c'),
  },
  google: {
    'a call': () => google.revoke('r'),
    'its keys': () => google.parseSecurityEvent('a.b.c'),
  },
  firebase: {
    'its keys': () => idTokens.verifyFirebaseIdToken('a.b.c'),
    'its users': () => users.deleteUser('u'),
  },
  fcm: {
    'a push': () => push.send({ token: 't', title: 't', body: 'b', data: {}, collapseKey: 'c', platform: 'ios' }),
  },
  meta: { 'a purchase': () => measurement.sendToMeta(purchase, new Date()) },
  google_analytics: { 'a purchase': () => measurement.sendToGoogleAnalytics(purchase, new Date()) },
}

const callsOfOthers: Calls = {
  ...Object.fromEntries(
    Object.entries(callsOfParties).flatMap(([party, calls]) =>
      Object.entries(calls).map(([what, call]) => [`${party}, ${what}`, call]),
    ),
  ),
  'an endpoint of the app backend': () => receivers.deliver({ id: 'e', url, body: '{}', secrets: [], at: new Date() }),
  'the operators’ OpenID provider': () => operatorSignIn.addressFor({ state: 's', nonce: 'n', verifier: 'v' }),
  'the keys of that provider': () => operatorSignIn.logoutIn('a.b.c'),
  'whether that provider knows a person': () => operatorSignIn.personNow('r'),
  'Temporal, a start': () => temporal.workflow.start('w', { workflowId: 'w', taskQueue: 'q' }),
  'Temporal, a signal': () => temporal.workflow.getHandle('w').signal('s'),
  'Temporal, an update': () => temporal.workflow.getHandle('w').executeUpdate('u'),
  'Temporal, a service call': () => temporal.workflowService.getSystemInfo({}),
}

test.each(Object.entries(callsOfOthers))('%s is refused inside a transaction', async (_name, ask) => {
  const before = connections
  await expect(insideTransaction(async () => ask())).rejects.toMatchObject({ name: 'AskedInsideTransaction' })
  // Also in a body that catches the error, as for failures of outside parties.
  const caught = insideTransaction(async () => Promise.resolve(ask()).catch(() => 'caught'))
  await expect(caught).rejects.toMatchObject({ name: 'AskedInsideTransaction' })
  expect(connections).toBe(before)
})

/** Modules that open connections, also where they are loaded late, with the files whose calls the test above covers. */
const openers =
  /(?:from |import\()'(?:node:(?:https?|http2|net|tls|dgram)|stripe|nodemailer|firebase-admin\/\w+|google-auth-library|@grpc\/grpc-js|openid-client|undici)'|createRemoteJWKSet|\bfetch\(/
/** Types, and the names of gRPC's statuses, open nothing. */
const namesOnly = /^import (?:type .*|\{ status \} from '@grpc\/grpc-js')/gm
const callingFiles = [
  'providers/event-receiver.ts',
  'providers/firebase/app.ts',
  'providers/http-request.ts',
  'providers/id-token.ts',
  'providers/mail/mail.ts',
  'providers/operator-sign-in.ts',
  'providers/stripe/client.ts',
  'temporal/client.ts',
]
/** Files that listen, connect only after one of the calls above, or ask Node whom it trusts. */
const harmless = [
  'api/http/address.ts',
  'api/server.ts',
  'db/backup/trusted-roots.ts',
  'providers/firebase/push.ts',
  'shared/settings/formats.ts',
  'temporal/late-retry.ts',
]

test('only listed files of the product open connections, and the list of covered calls is complete', async () => {
  const folders = ['activities', 'api', 'db', 'mails', 'providers', 'shared', 'temporal']
  const files = (
    await Promise.all([
      ...folders.map(async (folder) => (await readdir(folder, { recursive: true })).map((file) => `${folder}/${file}`)),
      readdir('.'),
    ])
  )
    .flat()
    .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.config.ts'))
  const opening = await Promise.all(
    files.map(async (file) => openers.test((await readFile(file, 'utf8')).replaceAll(namesOnly, '')) && file),
  )
  expect(opening.filter((file) => file !== false).sort()).toEqual([...callingFiles, ...harmless].sort())
  for (const file of callingFiles) expect(await readFile(file, 'utf8'), file).toContain('assertOutsideTransaction(')
})
