import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { assertFreshSignIn } from '../../api/http/auth.ts'
import { Problem } from '../../api/http/problem.ts'
import { createApiKey, revokeApiKey } from '../../db/api-keys.ts'
import type { Accounts, SecurityLog } from '../../db/connection/schema.ts'
import { type ApiHarness, newPerson, startApiHarness } from '../harness/api/api-harness.ts'

let harness: ApiHarness
let service: string

beforeAll(async () => {
  harness = await startApiHarness()
  service = await harness.key('service')
})
afterAll(() => harness.stop())

/** A person with an account, signed in. */
async function aPerson(sent: Record<string, unknown> = newPerson()) {
  const { uid, token } = await harness.firebaseToken({ email: sent.email })
  const answer = await harness.call('POST', '/v1/accounts', { token, body: sent })
  expect(answer.status, answer.text).toBe(201)
  return { uid, token, id: answer.body.id, account: answer.body }
}

const securityEvents = (requestId: string | null) =>
  harness.api.sql<Omit<SecurityLog, 'at' | 'request_id'>[]>`
    select kind, actor, account_id, detail, ip from security_log where request_id = ${requestId}`

test('a person signs up with a Firebase token and signs in with the same user afterwards', async () => {
  const body = newPerson()
  const { uid, token } = await harness.firebaseToken({ email: body.email })
  const unknown = await harness.call('GET', `/v1/accounts/${randomUUID()}`, { token })
  expect([unknown.status, unknown.body.code]).toEqual([403, 'no_account'])
  const made = await harness.call('POST', '/v1/accounts', { token, body })
  expect(made.status, made.text).toBe(201)
  expect(made.body.identities).toEqual([{ provider: 'firebase', subject: uid, linkedAt: null }])
  expect((await harness.call('GET', `/v1/accounts/${made.body.id}`, { token })).body).toEqual(made.body)
  const again = await harness.call('POST', '/v1/accounts', { token, body: newPerson() })
  expect([again.status, again.body.code]).toEqual([409, 'identity_taken'])
})

test('a person cannot sign up as another Firebase user', async () => {
  const { token } = await harness.firebaseToken()
  const answer = await harness.call('POST', '/v1/accounts', { token, body: { ...newPerson(), firebaseUid: 'another' } })
  expect([answer.status, answer.body.errors]).toEqual([
    400,
    [{ field: 'firebaseUid', reason: 'is taken from the sign-in token' }],
  ])
})

test('a person signs up only with an address that their sign-in proves', async () => {
  const body = newPerson()
  const unproven = { email: body.email, emailVerified: false }
  for (const signIn of [{}, { email: newPerson().email }, unproven]) {
    const { token } = await harness.firebaseToken(signIn)
    const answer = await harness.call('POST', '/v1/accounts', { token, body })
    expect([answer.status, answer.body.errors]).toEqual([
      400,
      [{ field: 'email', reason: 'is not proven by a sign-in token' }],
    ])
  }
  const { email, ...withoutEmail } = body
  const { token } = await harness.firebaseToken({ email: String(email).toUpperCase() })
  const made = await harness.call('POST', '/v1/accounts', { token, body: withoutEmail })
  expect([made.status, String(made.body.email).toLowerCase()]).toEqual([201, String(email).toLowerCase()])
})

test('a repeated sign-up of a person returns the existing account', async () => {
  const body = newPerson()
  const { token } = await harness.firebaseToken({ email: body.email })
  const request = { token, body, headers: { 'idempotency-key': randomUUID() } }
  const first = await harness.call('POST', '/v1/accounts', request)
  const second = await harness.call('POST', '/v1/accounts', request)
  expect([second.status, second.body.id]).toEqual([201, first.body.id])
})

test('a person cannot read, change or detect the account of another person', async () => {
  const [one, two] = await Promise.all([aPerson(), aPerson()])
  const missing = await harness.call('GET', `/v1/accounts/${randomUUID()}`, { token: one.token })
  const path = `/v1/accounts/${two.id}`
  const before = (await harness.call('GET', path, { token: two.token })).body
  const attempts = await Promise.all([
    harness.call('GET', path, { token: one.token }),
    harness.call('PATCH', path, { token: one.token, body: { firstName: 'X' } }),
    harness.call('POST', `${path}/sign-ins`, { token: one.token, body: {} }),
    harness.call('PUT', `${path}/devices/d`, { token: one.token, body: { platform: 'ios' } }),
    harness.call('DELETE', `${path}/devices/d`, { token: one.token }),
    harness.call('PUT', `${path}/consents/promotions`, { token: one.token, body: { granted: true, source: 'web' } }),
  ])
  const bare = ({ requestId: _, ...body }: Record<string, unknown>) => body
  for (const attempt of attempts) expect(bare(attempt.body)).toEqual(bare(missing.body))
  expect((await harness.call('GET', path, { token: two.token })).body).toEqual(before)
})

test.each([
  ['nothing', undefined],
  ['a word', 'hello'],
  ['an unknown key', `ama_service_${'0'.repeat(16)}_${'A'.repeat(43)}`],
  ['a cut key', 'ama_service_0123'],
])('%s as a credential is refused', async (_what, token) => {
  const answer = await harness.call('GET', `/v1/accounts/${randomUUID()}`, { token })
  expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated'])
  expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
})

test.each([
  ['forged', { forged: true }],
  ['expired', { expiresInSeconds: -3_600 }],
  ['for another project', { projectId: 'another-project' }],
  ['of an anonymous user', { provider: 'anonymous' }],
])('a Firebase token that is %s is refused', async (_what, input) => {
  const { token } = await harness.firebaseToken(input)
  expect((await harness.call('GET', `/v1/accounts/${randomUUID()}`, { token })).status).toBe(401)
})

/** A token whose parts nobody signed. */
const made = (header: unknown, claims: unknown = {}, signature = 'c2lnbmVk') =>
  `${[header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.${signature}`

test.each<[string, string]>([
  ['without a key id while two keys are published', made({ alg: 'RS256' })],
  ['with an unknown key id', made({ alg: 'RS256', kid: 'nobody' })],
  ['with a critical extension', made({ alg: 'RS256', kid: 'securetoken-1', crit: ['b64'], b64: true })],
  ['with an unknown critical extension', made({ alg: 'RS256', kid: 'securetoken-1', crit: ['exp'], exp: 1 })],
  ['without encoded claims', made({ alg: 'RS256', kid: 'securetoken-1', crit: ['b64'], b64: false })],
  ['without an algorithm', made({ kid: 'securetoken-1' })],
  ['with no signature', made({ alg: 'none' }, {}, '')],
  ['with an algorithm of another kind', made({ alg: 'HS256', kid: 'securetoken-1' })],
  ['with an elliptic algorithm', made({ alg: 'ES256', kid: 'securetoken-1' })],
  ['with a key id that is an object', made({ alg: 'RS256', kid: { a: 1 } })],
  ['with a header that is a list', made([])],
  ['with a header that is null', made(null)],
  ['with claims that are text', made({ alg: 'RS256', kid: 'securetoken-1' }, 'claims')],
  ['of five parts', `${made({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.YQ.YQ`],
  ['of dots', '..'],
])('a Firebase token %s is refused and counted', async (_what, token) => {
  await harness.google.do('rotate-keys')
  const answer = await harness.call('GET', `/v1/accounts/${randomUUID()}`, { token })
  expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated'])
  expect(await securityEvents(answer.headers.get('x-request-id'))).toMatchObject([{ kind: 'authentication_failed' }])
})

test('a Firebase token under a key that was published a moment ago is accepted', { tags: 'long' }, async () => {
  await harness.firebaseToken()
  for (let rotations = 0; rotations < 2; rotations += 1) {
    await harness.google.do('rotate-keys')
    const { token } = await harness.firebaseToken()
    const answer = await harness.call('GET', `/v1/accounts/${randomUUID()}`, { token })
    expect([answer.status, answer.body.code]).toEqual([403, 'no_account'])
  }
})

test('a Firebase token is answered by 503 while the keys cannot be fetched', { tags: 'long' }, async () => {
  await harness.google.fault({ match: { path: 'certs|jwk' }, status: 503, times: 2 })
  await harness.google.do('rotate-keys')
  const { token } = await harness.firebaseToken()
  const path = `/v1/accounts/${randomUUID()}`
  expect((await harness.call('GET', path, { token })).status).toBe(503)
  await harness.google.clearFaults()
  expect((await harness.call('GET', path, { token })).status).toBe(403)
})

test('an API key with a wrong secret or the other kind is refused and logged', async () => {
  const path = `/v1/accounts/${randomUUID()}`
  const [, , id = '', secret = ''] = /^(ama_service)_([0-9a-f]+)_(.*)$/.exec(service)?.map(String) ?? []
  const [wrong, disguised] = await Promise.all([
    harness.call('GET', path, { token: `ama_service_${id}_${'A'.repeat(43)}` }),
    harness.call('GET', path, { token: `ama_operator_${id}_${secret}` }),
  ])
  expect([wrong.status, disguised.status]).toEqual([401, 401])
  const events = await securityEvents(wrong.headers.get('x-request-id'))
  expect(events).toMatchObject([{ kind: 'authentication_failed', actor: `key:${id}`, detail: 'key_unknown' }])
  expect(events[0]?.ip).toBeInstanceOf(Buffer)
})

test('a revoked API key is refused at the next request', async () => {
  const { id, token } = await createApiKey(harness.api.sql, { kind: 'service', label: 'short-lived', at: new Date() })
  const path = `/v1/accounts/${randomUUID()}`
  expect((await harness.call('GET', path, { token })).status).toBe(404)
  expect(await revokeApiKey(harness.api.sql, id, new Date())).toBe(true)
  const refused = await harness.call('GET', path, { token })
  expect(refused.status).toBe(401)
  expect(await securityEvents(refused.headers.get('x-request-id'))).toMatchObject([{ detail: 'key_revoked' }])
})

test('the secret of an API key is not in the database', async () => {
  const rows = await harness.api.sql`select api_keys::text as whole from api_keys`
  const secret = service.split('_').slice(3).join('_')
  expect(rows).not.toHaveLength(0)
  for (const encoding of ['utf8', 'hex', 'base64'] as const)
    expect(JSON.stringify(rows)).not.toContain(Buffer.from(secret).toString(encoding))
})

test('a read of an account is logged for an operator, and not for the app backend', async () => {
  const person = await aPerson()
  const operator = await harness.key('operator')
  const path = `/v1/accounts/${person.id}`
  const looked = await harness.call('GET', path, { token: operator })
  expect(looked.status).toBe(200)
  expect(await securityEvents(looked.headers.get('x-request-id'))).toMatchObject([
    { kind: 'operator_action', account_id: person.id, detail: 'GET /v1/accounts/{id}' },
  ])
  const changed = await harness.call('PATCH', path, { token: operator, body: { firstName: 'X' } })
  expect([changed.status, changed.body.code]).toEqual([403, 'forbidden'])
  const byService = await harness.call('GET', path, { token: service })
  expect(await securityEvents(byService.headers.get('x-request-id'))).toEqual([])
})

test('the encrypted IP address of a security event can be decrypted with the key', async () => {
  const answer = await harness.call('GET', '/metrics', {
    token: 'nonsense',
    headers: { 'x-forwarded-for': '198.51.100.3' },
  })
  const [event] = await securityEvents(answer.headers.get('x-request-id'))
  const key = await harness.api.dataKeys.system(harness.api.sql)
  expect(harness.api.cipher.decrypt(key, 'security_log.ip', event?.ip ?? Buffer.of())).toBe('198.51.100.3')
})

test('R1: every request of a person counts as activity, at most once a day', async () => {
  const { id, token } = await aPerson()
  const activity = async () =>
    (
      await harness.api.sql<Pick<Accounts, 'last_active_at'>[]>`select last_active_at from accounts where id = ${id}`
    )[0]?.last_active_at.getTime()
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000)
  const set = (at: Date) => harness.api.sql`update accounts set last_active_at = ${at} where id = ${id}`
  await set(hoursAgo(23))
  const before = await activity()
  await harness.call('GET', `/v1/accounts/${id}`, { token })
  expect(await activity()).toBe(before)
  await set(hoursAgo(25))
  await harness.call('GET', '/v1/packages', { token })
  expect(await activity()).toBeGreaterThan(hoursAgo(1).getTime())
})

test('a sensitive operation requires a sign-in within the last ten minutes', () => {
  const now = new Date()
  const signedIn = (minutesAgo: number) => ({
    kind: 'person' as const,
    accountId: randomUUID(),
    firebaseUid: 'u',
    signedInAt: new Date(now.getTime() - minutesAgo * 60_000),
  })
  expect(() => assertFreshSignIn(signedIn(9), now)).not.toThrow()
  expect(() => assertFreshSignIn(signedIn(11), now)).toThrow(Problem)
  expect(() => assertFreshSignIn({ kind: 'service', keyId: 'k' }, now)).not.toThrow()
})

test('every route declares its callers and refuses all others', { tags: 'long' }, async () => {
  const operator = await harness.key('operator')
  const { token: newcomer } = await harness.firebaseToken()
  const { token: person } = await aPerson()
  const callers = { service, operator, person, newcomer, public: undefined }
  for (const route of harness.routes.filter(({ callers: admitted }) => !admitted.includes('public'))) {
    const path = route.path.replaceAll(/\{(\w+)\}/g, () => randomUUID())
    for (const [kind, token] of Object.entries(callers)) {
      if (route.callers.some((admitted) => admitted === kind)) continue
      const answer = await harness.call(route.method.toUpperCase(), path, { token })
      expect(answer.status, `${kind}: ${route.method} ${route.path}`).toBe(kind === 'public' ? 401 : 403)
    }
  }
})
