/**
 * Tokens and notices of Apple and Google as they document them: our adapters read them, the simulators send their like.
 */
import { createServer } from 'node:http'
import { importPKCS8, SignJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { type Apple, createApple } from '../../../providers/apple.ts'
import { createGoogle, type Google } from '../../../providers/google.ts'
import { portOf } from '../../../shared/process/listen.ts'
import { startApple } from '../../../sim/apple.ts'
import { type ControlOf, controlOf } from '../../../sim/control.ts'
import { startGoogle } from '../../../sim/google.ts'
import { createSigner, type Signer } from '../../../sim/sign-in/signer.ts'
import { startWebhookReceiver } from '../webhook-receiver.ts'
import { compareShapes, differences, listDocumented, readDocumented } from './documents.ts'

const clientId = 'app.ama-esim.ios'
const googleClientId = '1029384756-ama.apps.googleusercontent.com'

let signer: Signer
let keySet: ReturnType<typeof createServer>
/** the next answer of `/auth/token` */
let tokenReply: unknown
let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>
let apple: Apple
let google: Google
let appleSim: Awaited<ReturnType<typeof startApple>>
let googleSim: Awaited<ReturnType<typeof startGoogle>>
let atApple: ControlOf<typeof startApple>
let atGoogle: ControlOf<typeof startGoogle>

beforeAll(async () => {
  signer = createSigner('documented')
  keySet = createServer(async ({ url }, response) =>
    response.end(JSON.stringify(url === '/auth/token' ? tokenReply : await signer.jwks())),
  )
  await new Promise<void>((resolve) => keySet.listen(0, '127.0.0.1', resolve))
  const keys = `http://127.0.0.1:${portOf(keySet)}`
  receiver = await startWebhookReceiver()
  appleSim = await startApple({ clientIds: [clientId], webhookUrl: receiver.url })
  googleSim = await startGoogle({ clientIds: [googleClientId], webhookUrl: receiver.url })
  atApple = controlOf(appleSim)
  atGoogle = controlOf(googleSim)
  const { teamId, keyId, privateKeyPem } = appleSim
  apple = createApple({ baseUrl: keys, teamId, keyId, privateKeyPem, clientIds: [clientId] })
  google = createGoogle({ clientIds: [googleClientId], certsUrl: keys, revokeUrl: keys })
})

beforeEach(() => receiver.clear())

afterAll(async () => {
  keySet.close()
  await Promise.all([appleSim.stop(), googleSim.stop(), receiver.stop()])
})

const signed = async (vendor: string, name: string) => signer.sign((await readDocumented(vendor, name)).body)
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

test('Apple’s documented ID token is read', async () => {
  expect(await apple.verifyIdToken(await signed('apple', 'id-token'), { nonce: 'a-nonce' })).toEqual({
    subject: '000342.18ac0f8d2c0f4fd8b0a3a1d6f0f2c1aa.0926',
    email: 'q4xk2bxbh7@privaterelay.appleid.com',
    emailVerified: true,
    clientId,
  })
})

test('Apple’s documented answer to an authorisation code is read', async () => {
  // The page shortens the tokens: the ID token is one that can be verified.
  tokenReply = { ...(await readDocumented('apple', 'token')).body, id_token: await signed('apple', 'id-token') }
  expect(await apple.exchangeCode('a-code', clientId)).toEqual({
    refreshToken: 'rca7...lABoQ',
    subject: '000342.18ac0f8d2c0f4fd8b0a3a1d6f0f2c1aa.0926',
  })
})

test('Apple’s documented answer to a refresh token, for which we never ask, is none to an authorisation code', async () => {
  const { body } = await readDocumented('apple', 'token-of-a-refresh')
  tokenReply = { ...body, id_token: await signed('apple', 'id-token') }
  await expect(apple.exchangeCode('a-code', clientId)).rejects.toMatchObject({
    kind: 'unknown_outcome',
    code: 'unreadable_reply',
  })
})

test('Apple’s documented refusal is read, and its simulator refuses a code that was used in that shape', async () => {
  const { teamId, keyId, privateKeyPem } = appleSim
  const atSimulator = createApple({ baseUrl: appleSim.url, teamId, keyId, privateKeyPem, clientIds: [clientId] })
  const refused = { kind: 'rejected', code: 'invalid_grant' }
  const { status = 200, body } = await readDocumented('apple', 'refusal')
  await atApple.fault({ match: { path: '/auth/token$' }, status, body })
  await expect(atSimulator.exchangeCode('a-code', clientId)).rejects.toMatchObject(refused)

  const { code } = await atApple.do('sign-in', {})
  await atSimulator.exchangeCode(code, clientId)
  await expect(atSimulator.exchangeCode(code, clientId)).rejects.toMatchObject(refused)
})

const notifications = ['email-disabled', 'email-enabled', 'consent-revoked', 'account-deleted'] as const

test.each(notifications)('Apple’s documented notification %s is read', async (type) => {
  expect(await apple.parseNotification(await signed('apple', `notification-${type}`))).toEqual({
    eventId: 'abede-67899',
    type,
    subject: '820417.faa325acbc78e1be1668ba852d492d8a.0219',
    ...(type.startsWith('email-') && { email: 'ep9ks2tnph@privaterelay.appleid.com' }),
    at: new Date(1508184845000),
  })
})

test('Google’s documented ID token is read', async () => {
  expect(await google.verifyIdToken(await signed('google', 'id-token'))).toMatchObject({
    subject: '10769150350006150715113082367',
    email: 'jsmith@example.com',
    emailVerified: true,
  })
})

test.each([
  ['account-disabled', ['7375626A656374'], { reason: 'hijacking' }],
  ['sessions-revoked', ['7375626A656374'], {}],
  ['token-revoked', [], {}],
  ['verification', [], {}],
] as const)('Google’s documented security event %s is read', async (name, subjects, more) => {
  expect(await google.parseSecurityEvent(await signed('google', name))).toEqual({
    eventId: '756E69717565206964656E746966696572',
    types: [name],
    subjects,
    at: new Date(1508184845999),
    ...more,
  })
})

/** Asks the simulator of Apple as the adapter does, and returns the whole reply. */
async function askForTokens(fields: Record<string, string>): Promise<{ refresh_token?: string | undefined }> {
  const secret = new SignJWT()
    .setProtectedHeader({ alg: 'ES256', kid: appleSim.keyId })
    .setIssuer(appleSim.teamId)
    .setSubject(clientId)
    .setAudience('https://appleid.apple.com')
    .setIssuedAt()
    .setExpirationTime('5m')
  const client_secret = await secret.sign(await importPKCS8(appleSim.privateKeyPem, 'ES256'))
  const body = new URLSearchParams({ client_id: clientId, client_secret, ...fields })
  const response = await fetch(`${appleSim.url}/auth/token`, { method: 'POST', body })
  return z.looseObject({ refresh_token: z.string().optional() }).parse(await response.json())
}

test('Apple’s simulator sends tokens and notifications in the documented shape', async () => {
  const { idToken, sub, code } = await atApple.do('sign-in', { private: true, nonce: 'a-nonce' })
  const claims: Record<string, unknown> = { 'id-token': claimsOf(idToken) }
  const token = await askForTokens({ grant_type: 'authorization_code', code })
  claims.token = token
  claims['token-of-a-refresh'] = await askForTokens({
    grant_type: 'refresh_token',
    refresh_token: token.refresh_token ?? '',
  })
  claims.refusal = await askForTokens({ grant_type: 'authorization_code', code })
  for (const type of notifications) await atApple.do('notify', { type, sub })
  for (const { body } of await receiver.atLeast(notifications.length)) {
    const sent = claimsOf(z.object({ payload: z.string() }).parse(JSON.parse(String(body))).payload)
    claims[`notification-${JSON.parse(sent.events).type}`] = sent
  }
  const { found, listed } = await compareShapes('apple', claims)
  expect(Object.keys(found).sort()).toEqual(await listDocumented('apple'))
  expect(found).toEqual(listed)
  for (const type of notifications) {
    const name = `notification-${type}`
    // The object in the text of `events` has the same fields, too.
    const both = [(await readDocumented('apple', name)).body, claims[name]]
    const [documented, sent] = both.map((each) => JSON.parse(z.object({ events: z.string() }).parse(each).events))
    expect([name, differences(documented, sent)]).toEqual([name, { leavesOut: [], adds: [], differs: [] }])
  }
})

test('Google’s simulator sends tokens and security events in the documented shape', async () => {
  const { idToken, sub } = await atGoogle.do('sign-in', { email: 'a@example.com', nonce: 'n' })
  const claims: Record<string, unknown> = { 'id-token': claimsOf(idToken) }
  const events = [
    { type: 'account-disabled', sub, reason: 'hijacking' },
    { type: 'sessions-revoked', sub },
    { type: 'token-revoked', refreshToken: '1//x' },
    { type: 'verification', state: 'a-state' },
  ]
  for (const event of events) {
    receiver.clear()
    await atGoogle.do('notify', event)
    const [sent] = await receiver.atLeast(1)
    claims[event.type] = claimsOf(String(sent?.body))
  }
  const { found, listed } = await compareShapes('google', claims)
  expect(Object.keys(found).sort()).toEqual(await listDocumented('google'))
  expect(found).toEqual(listed)
})
