import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Accounts } from '../../db/connection/schema.ts'
import { listDevices } from '../../db/devices.ts'
import { type ApiHarness, newPerson, startApiHarness } from '../harness/api/api-harness.ts'
import { loseAccount } from '../harness/lost.ts'

let harness: ApiHarness
let service: string

beforeAll(async () => {
  harness = await startApiHarness()
  service = await harness.key('service')
})
afterAll(() => harness.stop())

async function signUp(body: Record<string, unknown> = newPerson(), headers: Record<string, string> = {}) {
  const answer = await harness.call('POST', '/v1/accounts', { token: service, body, headers })
  expect(answer.status, answer.text).toBe(201)
  return answer
}

test('C1 C2 C5 C6 G1 P6 U1: an account stores exactly the given fields that the promises allow', async () => {
  const person = newPerson()
  const made = await signUp(person, { 'x-forwarded-for': '203.0.113.7' })
  const read = await harness.call('GET', `/v1/accounts/${made.body.id}`, { token: service })
  expect(read.status).toBe(200)
  expect(read.body).toEqual(made.body)
  expect(made.headers.get('location')).toBe(`/v1/accounts/${made.body.id}`)
  expect(read.body).toEqual({
    id: made.body.id,
    ...person,
    emailState: 'ok',
    language: 'en',
    signUpIp: '203.0.113.7',
    lastLoginIp: '203.0.113.7',
    identities: [],
    consents: { promotions: { granted: false, changedAt: null, source: null } },
    devices: 0,
    policyVersion: '2026-11-28',
    createdAt: expect.any(String),
    lastActiveAt: expect.any(String),
  })
})

test('C2: sign-up works without a phone number', async () => {
  const { phone: _, ...person } = newPerson()
  expect((await signUp(person)).body.phone).toBeNull()
})

test('C5 S1: personal columns of an account are unreadable without the key', async () => {
  const person = newPerson()
  const { body } = await signUp(person, { 'x-forwarded-for': '203.0.113.77' })
  const [row] = await harness.api.sql`select accounts::text as whole from accounts where id = ${body.id}`
  const bytes = Buffer.from(String(row?.whole), 'latin1').toString('latin1')
  for (const value of [...Object.values(person), '203.0.113.77']) {
    expect(bytes).not.toContain(value)
    expect(bytes).not.toContain(Buffer.from(value).toString('hex'))
  }
})

test('an e-mail address in any spelling has at most one account', async () => {
  const person = newPerson()
  await signUp(person)
  const again = { ...newPerson(), email: person.email.toUpperCase() }
  const answer = await harness.call('POST', '/v1/accounts', { token: service, body: again })
  expect([answer.status, answer.body.code]).toEqual([409, 'email_taken'])
})

test('a Firebase user has at most one account', async () => {
  const firebaseUid = randomUUID()
  const made = await signUp({ ...newPerson(), firebaseUid })
  expect(made.body.identities).toEqual([{ provider: 'firebase', subject: firebaseUid, linkedAt: null }])
  const body = { ...newPerson(), firebaseUid }
  const again = await harness.call('POST', '/v1/accounts', { token: service, body })
  expect([again.status, again.body.code]).toEqual([409, 'identity_taken'])
})

test('two simultaneous sign-ups with one address make one account', async () => {
  const person = newPerson()
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => harness.call('POST', '/v1/accounts', { token: service, body: person })),
  )
  expect(answers.map((answer) => answer.status).sort()).toEqual([201, ...Array(7).fill(409)])
})

test('G2: a correction changes names and phone number, and no other field', async () => {
  const { body, headers } = await signUp()
  const path = `/v1/accounts/${body.id}`
  const changed = await harness.call('PATCH', path, { token: service, body: { lastName: ' Neu ', phone: null } })
  expect(changed.status).toBe(200)
  expect(changed.body).toEqual({ ...body, lastName: 'Neu', phone: null, lastActiveAt: expect.any(String) })
  expect(changed.headers.get('etag')).not.toBe(headers.get('etag'))
})

test('an account change with an old version is refused and changes nothing', async () => {
  const { body, headers } = await signUp()
  const path = `/v1/accounts/${body.id}`
  const tag = headers.get('etag') ?? ''
  const ifMatch = { 'if-match': tag }
  const [first, second] = await Promise.all([
    harness.call('PATCH', path, { token: service, body: { firstName: 'One' }, headers: ifMatch }),
    harness.call('PATCH', path, { token: service, body: { firstName: 'Two' }, headers: ifMatch }),
  ])
  expect([first.status, second.status].sort()).toEqual([200, 412])
  const { body: now } = await harness.call('GET', path, { token: service })
  expect(now.firstName).toBe(first.status === 200 ? 'One' : 'Two')
  const unchanged = await harness.call('GET', path, { token: service, headers: { 'if-none-match': tag } })
  expect(unchanged.status).toBe(200)
  const foreignTag = { 'if-match': 'W/"x"' }
  expect(
    (await harness.call('PATCH', path, { token: service, body: { firstName: 'X' }, headers: foreignTag })).status,
  ).toBe(412)
})

test('a GET of an account with If-None-Match of the current version answers 304', async () => {
  const { body, headers } = await signUp()
  const tag = headers.get('etag') ?? ''
  const answer = await harness.call('GET', `/v1/accounts/${body.id}`, {
    token: service,
    headers: { 'if-none-match': tag },
  })
  expect([answer.status, answer.text]).toEqual([304, ''])
})

test('a sign-in updates the last address and activity, and keeps the sign-up address', async () => {
  const { body } = await signUp(newPerson(), { 'x-forwarded-for': '203.0.113.1' })
  const before = new Date('2024-01-01T00:00:00Z')
  await harness.api.sql`update accounts set last_active_at = ${before} where id = ${body.id}`
  const answer = await harness.call('POST', `/v1/accounts/${body.id}/sign-ins`, {
    token: service,
    body: {},
    headers: { 'x-forwarded-for': '2001:db8::9' },
  })
  expect(answer.status, answer.text).toBe(200)
  expect(answer.body).toMatchObject({ signUpIp: '203.0.113.1', lastLoginIp: '2001:db8::9' })
  expect(Date.parse(String(answer.body.lastActiveAt))).toBeGreaterThan(Date.now() - 60_000)
  const [logged] = await harness.api.sql`select count(*)::integer as count from security_log
    where kind = 'sign_in' and account_id = ${body.id}`
  expect(logged?.count).toBe(1)
})

test('C4 C5: a device is registered, replaced and deleted', async () => {
  const { body } = await signUp()
  const deviceId = randomUUID()
  const path = `/v1/accounts/${body.id}/devices/${deviceId}`
  const full = {
    platform: 'ios',
    pushToken: `token-${randomUUID()}`,
    appVersion: '1.2.3',
    model: 'iPhone17,1',
    osVersion: '26.1',
    appInstanceId: randomUUID(),
  }
  const registered = await harness.call('PUT', path, { token: service, body: full })
  expect(registered.status, registered.text).toBe(200)
  expect(registered.body).toEqual({
    deviceId,
    platform: 'ios',
    hasPushToken: true,
    appVersion: '1.2.3',
    model: 'iPhone17,1',
    osVersion: '26.1',
    hasAppInstanceId: true,
    seenAt: expect.any(String),
  })
  expect(await listDevices(harness.api.sql, harness.api, body.id)).toMatchObject([{ deviceId, ...full }])

  await harness.call('PUT', path, { token: service, body: { platform: 'ios', appVersion: '1.3.0' } })
  expect(await listDevices(harness.api.sql, harness.api, body.id)).toMatchObject([
    { deviceId, appVersion: '1.3.0', pushToken: null, model: null },
  ])
  expect((await harness.call('GET', `/v1/accounts/${body.id}`, { token: service })).body.devices).toBe(1)
  expect((await harness.call('DELETE', path, { token: service })).status).toBe(204)
  expect((await harness.call('DELETE', path, { token: service })).status).toBe(404)
  expect(await listDevices(harness.api.sql, harness.api, body.id)).toEqual([])
})

test('a push token that another account registers leaves the first account, also with simultaneous requests', async () => {
  const [one, two] = await Promise.all([signUp(), signUp()])
  const pushToken = `token-${randomUUID()}`
  const put = (account: string, device: string) =>
    harness.call('PUT', `/v1/accounts/${account}/devices/${device}`, {
      token: service,
      body: { platform: 'android', pushToken },
    })
  await put(one.body.id, 'phone-a')
  await put(two.body.id, 'phone-b')
  const tokensOf = async (id: string) =>
    (await listDevices(harness.api.sql, harness.api, id)).map((device) => device.pushToken)
  expect(await tokensOf(one.body.id)).toEqual([null])
  expect(await tokensOf(two.body.id)).toEqual([pushToken])

  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) => put((index % 2 ? one : two).body.id, index % 2 ? 'phone-a' : 'phone-b')),
  )
  expect(answers.map((answer) => answer.status)).toEqual(Array(12).fill(200))
  const owners = [...(await tokensOf(one.body.id)), ...(await tokensOf(two.body.id))].filter(Boolean)
  expect(owners).toEqual([pushToken])
})

test('U4 G4: consent is off by default, and every change is stored with its time and source', async () => {
  const { body } = await signUp()
  const path = `/v1/accounts/${body.id}/consents/promotions`
  const given = await harness.call('PUT', path, { token: service, body: { granted: true, source: 'app_settings' } })
  expect([given.status, given.body.granted, given.body.source]).toEqual([200, true, 'app_settings'])
  const again = await harness.call('PUT', path, { token: service, body: { granted: true, source: 'web' } })
  expect(again.body).toEqual(given.body)
  const withdrawn = await harness.call('PUT', path, { token: service, body: { granted: false, source: 'web' } })
  expect([withdrawn.body.granted, withdrawn.body.source]).toEqual([false, 'web'])
  const history = await harness.api.sql`select granted, source from consents where account_id = ${body.id} order by at`
  expect(history.map((row) => ({ ...row }))).toEqual([
    { granted: true, source: 'app_settings' },
    { granted: false, source: 'web' },
  ])
})

test('a device, consent or sign-in for a missing account answers 404', async () => {
  const path = `/v1/accounts/${randomUUID()}`
  const answers = await Promise.all([
    harness.call('GET', path, { token: service }),
    harness.call('PATCH', path, { token: service, body: { firstName: 'X' } }),
    harness.call('POST', `${path}/sign-ins`, { token: service, body: {} }),
    harness.call('PUT', `${path}/devices/d`, { token: service, body: { platform: 'ios' } }),
    harness.call('DELETE', `${path}/devices/d`, { token: service }),
    harness.call('PUT', `${path}/consents/promotions`, { token: service, body: { granted: true, source: 'web' } }),
  ])
  expect(answers.map((answer) => answer.status)).toEqual(Array(6).fill(404))
})

test('a device of a just erased account is refused, although the data key is still in memory', async () => {
  const { body } = await signUp()
  const put = () =>
    harness.call('PUT', `/v1/accounts/${body.id}/devices/d`, { token: service, body: { platform: 'ios', model: 'x' } })
  expect((await put()).status).toBe(200)
  await loseAccount(harness.api.sql, body.id)
  expect((await put()).status).toBe(404)
  const signIn = await harness.call('POST', `/v1/accounts/${body.id}/sign-ins`, { token: service, body: {} })
  expect(signIn.status).toBe(404)
})

test('requests of the app backend for a person count as activity, once a day', async () => {
  const { body } = await signUp()
  const activity = async () => {
    const [row] = await harness.api.sql<
      Pick<Accounts, 'last_active_at'>[]
    >`select last_active_at from accounts where id = ${body.id}`
    return row?.last_active_at.getTime() ?? 0
  }
  const put = () =>
    harness.call('PUT', `/v1/accounts/${body.id}/devices/d`, { token: service, body: { platform: 'ios' } })
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000)
  await harness.api.sql`update accounts set last_active_at = ${hoursAgo(25)} where id = ${body.id}`
  await put()
  const moved = await activity()
  expect(moved).toBeGreaterThan(hoursAgo(1).getTime())
  await put()
  expect(await activity()).toBe(moved)
})
