/** What a sign-in or a key has begun ends with it: it would go on for the one in whose hands it was. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pushToAccount } from '../../activities/sending/push-to-account.ts'
import type { ApiContext } from '../../context.ts'
import { createApiKey, endpointOfRevokedKeyTask, revokeApiKey } from '../../db/api-keys.ts'
import { createLinkToken } from '../../db/crypto/link-tokens.ts'
import { listDevices } from '../../db/devices.ts'
import { applyEmailChange, insertEmailChange, openEmailChange } from '../../db/email-changes.ts'
import { listEndpointsOfKey } from '../../db/events/recipients.ts'
import { endAddressChanges, endSignIns, endUserWithoutAccount, noteEndedUser } from '../../db/sign-in-events.ts'
import { plusMs } from '../../shared/calendar.ts'
import { type ApiHarness, newPerson, startApiHarness } from '../harness/api/api-harness.ts'
import { meanwhile } from './meanwhile.ts'

let harness: ApiHarness
let service: string
beforeAll(async () => {
  harness = await startApiHarness()
  service = await harness.key('service')
})
afterAll(() => harness.stop())

const at = new Date()
const hour = 3_600_000

/** A change of address that was asked for at a time, with its links. */
async function asked(person: { id: string; email: string }, requestedAt: Date, isOpen: boolean) {
  const { sql } = harness.api
  const id = randomUUID()
  const newEmail = newPerson().email
  const change = {
    id,
    accountId: person.id,
    oldEmail: person.email,
    newEmail,
    at: requestedAt,
    expiresAt: plusMs(at, hour),
  }
  expect(await insertEmailChange(sql, harness.api, change, { most: 5, since: new Date(0) })).toBe('stored')
  if (isOpen) expect(await openEmailChange(sql, id)).toBe('open')
  const linkFor = (purpose: 'email_change_old' | 'email_change_new') =>
    createLinkToken(sql, { purpose, accountId: person.id, subjectId: id, at: requestedAt, expiresAt: plusMs(at, hour) })
  return { id, links: [await linkFor('email_change_old'), await linkFor('email_change_new')] }
}

async function aPerson(): Promise<{ id: string; email: string }> {
  const { email } = newPerson()
  const answer = await harness.call('POST', '/v1/accounts', { token: service, body: { ...newPerson(), email } })
  expect(answer.status, answer.text).toBe(201)
  return { id: answer.body.id, email }
}

const statusOf = async (link: string) => (await harness.call('GET', `/email-change/${link}`)).status

test('a change of address that a hijacked sign-in has begun ends with it, in whatever state it is', async () => {
  const { sql } = harness.api
  const [hijacked, other] = [await aPerson(), await aPerson()]
  const before = plusMs(at, -hour)
  const [open, theirs] = [await asked(hijacked, before, true), await asked(other, before, true)]
  const draft = await asked(hijacked, before, false)
  for (const link of [...open.links, ...theirs.links]) expect(await statusOf(link)).toBe(200)
  await endSignIns(sql, hijacked.id, at)
  await endAddressChanges(sql, hijacked.id, at)
  for (const link of [...open.links, ...draft.links]) expect(await statusOf(link)).toBe(404)
  expect(await applyEmailChange(sql, harness.api, open.id, at)).toBe('cancelled')
  expect(await openEmailChange(sql, draft.id)).toBe('gone')
  const account = await harness.call('GET', `/v1/accounts/${hijacked.id}`, { token: service })
  expect(account.body.email).toBe(hijacked.email)
  // Nothing of anybody else ends.
  for (const link of theirs.links) expect(await statusOf(link)).toBe(200)
  expect(await applyEmailChange(sql, harness.api, theirs.id, at)).toBe('changed')
})

test.each(['app', 'backend'])(
  'a sign-in from before the deletion of an account opens none that its Firebase user makes by the %s since',
  async (by) => {
    const person = newPerson()
    const old = await harness.firebaseToken({ email: person.email, authTimeSecondsAgo: 300 })
    await noteEndedUser(harness.api.sql, harness.api, { firebaseUid: old.uid, at: plusMs(new Date(), -60_000) })
    const again = await harness.firebaseToken({ email: person.email, uid: old.uid })
    const body = by === 'app' ? person : { ...person, firebaseUid: old.uid }
    const made = await harness.call('POST', '/v1/accounts', { token: by === 'app' ? again.token : service, body })
    expect(made.status, made.text).toBe(201)
    const statusBy = async (token: string) =>
      (await harness.call('GET', `/v1/accounts/${made.body.id}`, { token })).status
    expect([await statusBy(again.token), await statusBy(old.token)]).toEqual([200, 401])
  },
)

test('who is signing up while Firebase is asked to delete the user makes no account that nobody could sign in to', async () => {
  const { sql } = harness.api
  const person = newPerson()
  const { uid, token } = await harness.firebaseToken({ email: person.email, authTimeSecondsAgo: 5 })
  const user = { firebaseUid: uid, at: new Date() }
  const signUp = () => harness.call('POST', '/v1/accounts', { token, body: person })
  const refused = await meanwhile(
    sql,
    'ended_sign_ins',
    signUp,
    (tx) => noteEndedUser(tx, harness.api, user),
    'exclusive',
  )
  expect([refused.status, refused.body.code]).toEqual([401, 'unauthenticated'])
  const again = await harness.firebaseToken({ email: person.email, uid, authTimeSecondsAgo: -5 })
  const made = await harness.call('POST', '/v1/accounts', { token: again.token, body: person })
  expect(made.status, made.text).toBe(201)
  // From now on the user has an account, and is not deleted.
  expect(await endUserWithoutAccount(sql, harness.api, { ...user, at: new Date() })).toBe(false)
})

test('a phone of a sign-in that has ended gets no more pushes, until it is registered again', async () => {
  const { sql } = harness.api
  const [hijacked, other] = [await aPerson(), await aPerson()]
  const register = async (id: string, deviceId: string) => {
    const body = { platform: 'ios', pushToken: `push of ${deviceId} of ${id}` }
    const made = await harness.call('PUT', `/v1/accounts/${id}/devices/${deviceId}`, { token: service, body })
    expect(made.status, made.text).toBe(200)
    return new Date(String(made.body.seenAt))
  }
  const pushesTo = async (id: string) =>
    (await listDevices(sql, harness.api, id)).flatMap(({ deviceId, pushToken }) => (pushToken ? [deviceId] : [])).sort()
  await register(other.id, 'theirs')
  await register(hijacked.id, 'own')
  const seenAt = await register(hijacked.id, 'hijackers')
  await endSignIns(sql, hijacked.id, plusMs(seenAt, -hour))
  expect(await pushesTo(hijacked.id)).toEqual(['hijackers', 'own'])
  await endSignIns(sql, hijacked.id, seenAt)
  expect(await pushesTo(hijacked.id)).toEqual([])
  expect(await pushesTo(other.id)).toEqual(['theirs'])
  await register(hijacked.id, 'own')
  expect(await pushesTo(hijacked.id)).toEqual(['own'])
})

test('a phone that is signed out, or changes hands, while the phone before it is pushed to gets nothing', async () => {
  const [person, next] = [await aPerson(), await aPerson()]
  const register = async (id: string, pushToken: string) => {
    const path = `/v1/accounts/${id}/devices/${randomUUID()}`
    const made = await harness.call('PUT', path, { token: service, body: { platform: 'android', pushToken } })
    expect(made.status, made.text).toBe(200)
  }
  const [kept, handedOver, first] = [randomUUID(), randomUUID(), randomUUID()]
  for (const token of [kept, handedOver, first]) await register(person.id, token)
  const pushed: string[] = []
  const send: ApiContext['push']['send'] = async ({ token }) => {
    pushed.push(token)
    if (token === first) await register(next.id, handedOver)
    return { outcome: 'sent', messageId: '' }
  }
  const context = { ...harness.api, push: { ...harness.api.push, send } }
  const text = { title: 'Your eSIM', body: 'It is ready.', data: {}, collapseKey: 'order' }
  expect(await pushToAccount(context, person.id, () => text)).toBe('sent')
  expect(pushed).toEqual([first, kept])
})

test('a change of address that was asked for since stays', async () => {
  const person = await aPerson()
  const { id, links } = await asked(person, at, true)
  await endSignIns(harness.api.sql, person.id, at)
  await endAddressChanges(harness.api.sql, person.id, plusMs(at, -1))
  for (const link of links) expect(await statusOf(link)).toBe(200)
  expect(await applyEmailChange(harness.api.sql, harness.api, id, at)).toBe('changed')
})

test('an endpoint at the address of a revoked key is an operator task until a valid key says where its events go', async () => {
  const { sql } = harness.api
  const { id: keyId, token } = await createApiKey(sql, { kind: 'service', label: 'leaked', at })
  const make = async (key: string) => {
    const headers = { 'idempotency-key': randomUUID() }
    const body = { url: `https://hooks.example/${randomUUID()}` }
    const made = await harness.call('POST', '/v1/webhook-endpoints', { token: key, headers, body })
    expect(made.status, made.text).toBe(201)
    return made.body.id
  }
  const [kept, gone, moved, ours] = [await make(token), await make(token), await make(service), await make(service)]
  const change = (id: string, key: string) =>
    harness.call('PATCH', `/v1/webhook-endpoints/${id}`, {
      token: key,
      body: { url: `https://hooks.example/${randomUUID()}` },
    })
  expect((await change(moved, token)).status).toBe(200)
  const open = async () => {
    const rows = await sql<{ subject_id: string; detail: string }[]>`
      select subject_id, detail from attention where kind = ${endpointOfRevokedKeyTask} and resolved_at is null`
    return rows.map(({ subject_id, detail }) => `${subject_id} ${detail}`).sort()
  }
  expect(await open()).toEqual([])
  expect(await revokeApiKey(sql, keyId, at)).toBe(true)
  expect(await open()).toEqual([kept, gone, moved].map((id) => `${id} ${keyId}`).sort())
  expect((await listEndpointsOfKey(sql, keyId)).map(({ id }) => id).sort()).toEqual([kept, gone, moved].sort())
  // Revoked once: what an operator has settled does not come back.
  await sql`update attention set resolved_at = now(), resolved_by = 'test' where subject_id = ${kept}`
  expect(await revokeApiKey(sql, keyId, at)).toBe(false)
  expect((await change(moved, service)).status).toBe(200)
  expect((await harness.call('DELETE', `/v1/webhook-endpoints/${gone}`, { token: service })).status).toBe(204)
  expect(await open()).toEqual([])
  expect((await harness.call('GET', `/v1/webhook-endpoints/${ours}`, { token: service })).body.state).toBe('enabled')
})
