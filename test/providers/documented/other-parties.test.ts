/**
 * FCM, Google's tokens for it, Meta, Stripe's events and notifications of mail systems as they are documented: our
 * adapters read them, and the simulators answer like it. Of Stripe's events the object is shortened to what each object
 * has; test/providers/stripe-schemas.test.ts compares the objects with Stripe's schemas.
 */
import { importPKCS8, SignJWT } from 'jose'
import { afterAll, expect, test } from 'vitest'
import { z } from 'zod'
import { createPush } from '../../../providers/firebase/push.ts'
import { createFirebaseUsers } from '../../../providers/firebase/users.ts'
import { readBounce } from '../../../providers/mail/bounce.ts'
import { createMeasurement } from '../../../providers/measurement.ts'
import { concernsOrder, isAboutSuccess } from '../../../providers/stripe/event-types.ts'
import { createStripe } from '../../../providers/stripe/stripe.ts'
import { controlOf } from '../../../sim/control.ts'
import { refusalBody } from '../../../sim/firebase/fcm-replies.ts'
import { startFirebase } from '../../../sim/firebase.ts'
import { composeBounce } from '../../../sim/mailbox/bounce.ts'
import type { ReadMail } from '../../../sim/mailbox/store.ts'
import { startMeta } from '../../../sim/meta.ts'
import { sign } from '../../../sim/stripe/events.ts'
import { startStripe } from '../../../sim/stripe.ts'
import { notice, purchase } from '../../harness/adapters.ts'
import { startWebhookReceiver } from '../webhook-receiver.ts'
import { compareShapes, listDocumented, readDocumented } from './documents.ts'

const receiver = await startWebhookReceiver()
const secrets = { secretKey: 'sk_test_x', webhookSecret: 'whsec_x' }
const [firebaseSim, metaSim, stripeSim] = await Promise.all([
  startFirebase(),
  startMeta({ datasetId: '1', accessToken: 'x' }),
  startStripe({ ...secrets, webhookUrl: receiver.url }),
])
const firebase = controlOf(firebaseSim)
const meta = controlOf(metaSim)
const firebaseSettings = {
  projectId: firebaseSim.projectId,
  serviceAccount: firebaseSim.serviceAccount,
  connectTo: { host: '127.0.0.1', port: firebaseSim.tlsPort, ca: firebaseSim.ca },
}
const openPush = () => createPush(firebaseSettings)
const push = openPush()
const users = createFirebaseUsers(firebaseSettings)
const stripe = createStripe({ ...secrets, publishableKey: 'pk_test_x', apiBase: stripeSim.url })
const measurement = createMeasurement({
  meta: { baseUrl: metaSim.url, apiVersion: 'v25.0', datasetId: '1', accessToken: 'x' },
})

afterAll(async () => {
  await Promise.all([push.close(), users.close()])
  await Promise.all([firebaseSim.stop(), metaSim.stop(), stripeSim.stop(), receiver.stop()])
})

test.each([
  // The first one says nothing about the token, the second one does.
  ['send-invalid-field', 'a failure'],
  ['send-invalid-token', { outcome: 'token_dead', reason: 'invalid' }],
] as const)('FCM’s documented refusal %s is read', async (name, expected) => {
  const { status = 200, body } = await readDocumented('firebase', name)
  await firebase.fault({ match: { path: 'messages:send$' }, status, body, times: 2 })
  const sent = await push.send(notice).catch((error: unknown) => ({ error }))
  await firebase.clearFaults()
  if (expected === 'a failure') expect(sent).toMatchObject({ error: { code: 'http_400' } })
  else expect(sent).toMatchObject(expected)
})

test('FCM’s documented success is read, after Google’s documented reply with a token', async () => {
  const [token, sent] = await Promise.all(['access-token', 'send'].map((name) => readDocumented('firebase', name)))
  await firebase.fault({ match: { path: '/token$' }, status: 200, body: token?.body })
  await firebase.fault({ match: { path: 'messages:send$' }, status: 200, body: sent?.body })
  // One that has no token yet.
  const fresh = openPush()
  expect(await fresh.send(notice)).toEqual({
    outcome: 'sent',
    messageId: 'projects/myproject-b5ae1/messages/0:1500415314455276%31bd1c9631bd1c96',
  })
  await fresh.close()
  const asked = (await firebase.log()).filter(({ url }) => url.endsWith('messages:send'))
  expect(asked.at(-1)?.headers.authorization).toBe('Bearer 1/8xbJqaOZXSUZbHLl5EOtu1pxz3fmmetKx9W8CV4t79M')
  await firebase.clearFaults()
})

test('Firebase’s documented answers about a user are read', async () => {
  const answer = async (path: string, name: string) =>
    firebase.fault({ match: { path }, status: 200, body: (await readDocumented('firebase', name)).body })
  await answer('accounts:lookup$', 'user-found')
  await answer('accounts:update$', 'user-updated')
  expect(await users.moveAddress('a-user', { from: ['old@people.example'], to: 'new@people.example' })).toBe('moved')
  await answer('accounts:delete$', 'user-deleted')
  expect(await users.deleteUser('a-user')).toBe('deleted')
  await firebase.clearFaults()
})

test('the simulator of Firebase answers and refuses in the documented shapes', async () => {
  const { clientEmail, privateKey } = firebaseSim.serviceAccount
  const scopes = ['firebase.messaging', 'identitytoolkit'].map((name) => `https://www.googleapis.com/auth/${name}`)
  const assertion = await new SignJWT({ scope: scopes.join(' ') })
    .setProtectedHeader({ alg: 'RS256' })
    .setIssuer(clientEmail)
    .setAudience('https://oauth2.googleapis.com/token')
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(await importPKCS8(privateKey, 'RS256'))
  const form = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion })
  const ask = async (path: string, init: RequestInit): Promise<unknown> =>
    (await fetch(`${firebaseSim.url}${path}`, { method: 'POST', ...init })).json()
  const token = z.looseObject({ access_token: z.string() }).parse(await ask('/token', { body: form }))
  const sent = await ask(`/v1/projects/${firebaseSim.projectId}/messages:send`, {
    headers: { authorization: `Bearer ${token.access_token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ message: { token: notice.token, notification: { title: 'a', body: 'b' } } }),
  })
  const { localId, email } = { localId: 'a-user', email: 'old@people.example' }
  await firebase.do('user', { uid: localId, email, providers: ['password'] })
  const ofUser = (act: string, body: object): Promise<unknown> =>
    ask(`/v1/projects/${firebaseSim.projectId}/accounts:${act}`, {
      headers: { authorization: `Bearer ${token.access_token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const replies = {
    'access-token': token,
    'user-found': await ofUser('lookup', { localId: [localId] }),
    'user-updated': await ofUser('update', { localId, email: 'new@people.example', emailVerified: true }),
    'user-deleted': await ofUser('delete', { localId }),
    send: sent,
    'send-invalid-field': refusalBody('invalid-field'),
    'send-invalid-token': refusalBody('invalid'),
  }
  const { found, listed } = await compareShapes('firebase', replies)
  expect(Object.keys(found).sort()).toEqual(await listDocumented('firebase'))
  expect(found).toEqual(listed)
})

test('Meta’s documented answers are read, and its simulator sends them in their shape', async () => {
  const events = await readDocumented('meta', 'events')
  await meta.fault({ match: { path: '/events$' }, status: 200, body: events.body })
  expect(await measurement.sendToMeta(purchase, new Date())).toBe('sent')
  const sent = (await meta.log()).at(-1)?.body ?? ''
  const taken = await fetch(`${metaSim.url}/v25.0/1/events`, { method: 'POST', body: sent })
  const { status = 200, body } = await readDocumented('meta', 'error')
  await meta.fault({ match: { path: '/events$' }, status, body })
  await expect(measurement.sendToMeta(purchase, new Date())).rejects.toMatchObject({
    kind: 'misconfigured',
    code: 'graph_190',
  })
  const refused = await fetch(`${metaSim.url}/v25.0/1/events`, { method: 'POST', body: '{"access_token":"wrong"}' })
  expect(refused.status).toBe(400)
  const { found, listed } = await compareShapes('meta', { error: await refused.json(), events: await taken.json() })
  expect(Object.keys(found).sort()).toEqual(await listDocumented('meta'))
  expect(found).toEqual(listed)
})

test('Stripe’s documented events are read, and its simulator sends events in their shape', async () => {
  const { body } = await readDocumented('stripe', 'event')
  const text = JSON.stringify(body)
  expect(stripe.parseWebhook(text, sign(text, secrets.webhookSecret))).toEqual({
    eventId: 'evt_1NG8Du2eZvKYlo2CUI79vXWy',
    type: 'setup_intent.created',
    objectId: 'seti_1NG8Du2eZvKYlo2C9XMqbR0x',
    createdAt: '2023-06-06T22:19:30.000Z',
  })
  const succeeded = await readDocumented('stripe', 'payment-succeeded')
  const read = stripe.parseWebhook(
    JSON.stringify(succeeded.body),
    sign(JSON.stringify(succeeded.body), secrets.webhookSecret),
  )
  expect(read).toEqual({
    eventId: 'evt_3PajIyCzbZon1zn90b9Wvsqf',
    type: 'payment_intent.succeeded',
    objectId: 'pi_3PajIyCzbZon1zn901xQeOdi',
    paymentIntentId: 'pi_3PajIyCzbZon1zn901xQeOdi',
    createdAt: '2024-07-09T19:02:39.000Z',
  })
  expect([concernsOrder(read), isAboutSuccess(read)]).toEqual([true, true])
  const orderId = '00000000-0000-4000-8000-000000000001'
  const payment = { orderId, amountMinor: 990, currency: 'EUR', mark: 'of_the_order', idempotencyKey: 'pay:1' }
  const { paymentIntentId } = await stripe.createPayment(payment)
  await controlOf(stripeSim).do('pay', { paymentIntent: paymentIntentId })
  const [received] = await receiver.atLeast(1)
  const sent = JSON.parse(String(received?.body))
  const { id, object, metadata } = sent.data.object
  const { found, listed } = await compareShapes('stripe', {
    event: { ...sent, data: { object: { id, object, metadata: {} } } },
    'payment-succeeded': { ...sent, data: { object: { id, object, metadata } } },
  })
  expect(sent.type).toBe('payment_intent.succeeded')
  expect(Object.keys(found)).toEqual(await listDocumented('stripe'))
  expect(found).toEqual(listed)
})

const messageId = 'a1b2c3'
const returned = (deliveryStatus: readonly string[]): string =>
  [
    `To: bounces+${messageId}@ama-esim.example`,
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="part"',
    '',
    '--part',
    'content-type: message/delivery-status',
    '',
    ...deliveryStatus,
    '',
    '--part--',
  ].join('\r\n')
const statusLinesOf = async (name: string): Promise<string[]> =>
  z.array(z.string()).parse((await readDocumented('smtp', name)).body.deliveryStatus)

test.each([
  // The mail system has given up after five days, though its last attempt could have been repeated.
  ['bounce-after-days', { status: '4.0.0', permanent: true, addressIsDead: false }],
  ['bounce-of-several', { status: '5.0.0', permanent: true, addressIsDead: false }],
  ['bounce-of-a-gateway', { status: '5.0.0', permanent: true, addressIsDead: false }],
  ['delay', { status: '4.0.0', permanent: false, addressIsDead: false }],
])('the notification %s of RFC 3464 is read', async (name, expected) => {
  expect(readBounce(returned(await statusLinesOf(name)))).toEqual({ messageId, ...expected })
})

test('the simulated mail system sends the fields that the examples of RFC 3464 have', async () => {
  const mail: ReadMail = {
    ...{ id: 1, at: '2026-11-29T12:00:00.000Z', size: 1, messageId: '<a@b>', subject: 'x', headers: {} },
    ...{ html: '', text: '', attachments: [] },
    envelope: { from: `bounces+${messageId}@ama-esim.example`, to: ['a@people.example'] },
  }
  const namesIn = (lines: readonly string[]) =>
    new Set(lines.flatMap((line) => /^([A-Za-z-]+):/.exec(line)?.[1]?.toLowerCase() ?? []))
  const common = ['reporting-mta', 'final-recipient', 'action', 'status']
  for (const name of await listDocumented('smtp')) {
    const names = namesIn(await statusLinesOf(name))
    for (const each of common) expect([name, each, names.has(each)]).toEqual([name, each, true])
  }
  for (const status of ['5.1.1', '4.4.1']) {
    const sent = namesIn((await composeBounce(mail, status)).split('\r\n'))
    for (const each of common) expect([status, each, sent.has(each)]).toEqual([status, each, true])
  }
})
