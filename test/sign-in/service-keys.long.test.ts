/**
 * Restricted service keys: each reaches the operations of its scopes; and the address of a person that the backend
 * passes on.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { neededScope } from '../../api/http/route.ts'
import { createApiKey } from '../../db/api-keys.ts'
import { type ServiceScope, serviceScopes } from '../../policy/access/service-scopes.ts'
import { keysOf } from '../../shared/keys-of.ts'
import { type ApiHarness, newPerson, startApiHarness } from '../harness/api/api-harness.ts'

let harness: ApiHarness
beforeAll(async () => {
  harness = await startApiHarness()
})
afterAll(() => harness.stop())

const keyWith = async (scopes: ServiceScope[]): Promise<string> =>
  (await createApiKey(harness.api.sql, { kind: 'service', label: scopes.join(), scopes, at: new Date() })).token

test('a restricted service key reaches every operation of its scope, and is refused on every other with a remedy', async () => {
  const operations = harness.routes.filter(({ callers }) => callers.includes('service') && !callers.includes('public'))
  expect(operations.length).toBeGreaterThan(25)
  const names = keysOf(serviceScopes)
  for (const scope of names) {
    const token = await keyWith([scope])
    const reached: boolean[] = []
    for (const route of operations) {
      // No body, and ids of nothing: what is admitted is refused for another reason.
      const path = route.path.replaceAll(/\{\w+\}/g, () => randomUUID())
      const { status, body } = await harness.call(route.method.toUpperCase(), path, { token })
      const refused = status === 403 && body.code === 'scope_insufficient'
      const operation = `${route.method} ${route.path}`
      expect([scope, operation, refused]).toEqual([scope, operation, neededScope(route) !== scope])
      reached.push(!refused)
    }
    expect(reached).toContain(true)
  }
})

test('every operation of the app backend has a scope, which the OpenAPI document names', () => {
  const silent = harness.routes.filter(
    (route) => route.callers.includes('service') && !route.callers.includes('public') && !neededScope(route),
  )
  expect(silent.map(({ method, path }) => `${method} ${path}`)).toEqual([])
  const operation = harness.document.paths?.['/v1/accounts/{id}']
  expect(operation?.delete).toMatchObject({ 'x-callers': ['service', 'person'], 'x-scope': 'erasure' })
  expect(operation?.get).toMatchObject({ 'x-scope': 'read' })
  expect(operation?.delete?.responses?.[403]).toMatchObject({
    description: expect.stringContaining('scope_insufficient'),
  })
})

test('a key has several scopes or no restriction; what is no scope opens nothing', async () => {
  const { id } = (
    await harness.call('POST', '/v1/accounts', { token: await harness.key('service'), body: newPerson() })
  ).body
  const statusOf = async (token: string, method: string) =>
    (await harness.call(method, `/v1/accounts/${id}`, { token })).status
  const both = await keyWith(['read', 'accounts'])
  expect([await statusOf(both, 'GET'), await statusOf(both, 'DELETE')]).toEqual([200, 403])
  const { token, id: keyId } = await createApiKey(harness.api.sql, {
    kind: 'service',
    label: 'x',
    scopes: ['read'],
    at: new Date(),
  })
  await harness.api.sql`update api_keys set scopes = '{reads}' where id = ${keyId}`
  expect(await statusOf(token, 'GET')).toBe(403)
  // Public operations stay open to everybody.
  expect((await harness.call('GET', '/v1/packages', { token })).status).toBe(200)
  // Only a service key can be restricted, and not to nothing: that would look like no restriction.
  const insert = (kind: string, scopes: string[]) =>
    harness.api.sql`update api_keys set kind = ${kind}, scopes = ${scopes} where id = ${keyId}`
  await expect(insert('operator', ['read'])).rejects.toThrow('api_keys_scopes')
  await expect(insert('service', [])).rejects.toThrow('api_keys_scopes')
})

test('P6: the address of the person that the app backend passes on is recorded as theirs, and nobody else can pass one on', async () => {
  const service = await harness.key('service')
  const headers = { 'person-address': '::ffff:198.51.100.7', 'x-forwarded-for': '203.0.113.50' }
  const made = await harness.call('POST', '/v1/accounts', { token: service, body: newPerson(), headers })
  expect(made.body).toMatchObject({ signUpIp: '198.51.100.7', lastLoginIp: '198.51.100.7' })
  const path = `/v1/accounts/${made.body.id}/sign-ins`
  const again = { token: service, body: {}, headers: { ...headers, 'person-address': '2001:db8::7' } }
  expect((await harness.call('POST', path, again)).body).toMatchObject({
    signUpIp: '198.51.100.7',
    lastLoginIp: '2001:db8::7',
  })
  // One address has one form, by which it is found again.
  const forms = {
    '2001:DB8:0:0:0::7': '2001:db8::7',
    '0:0:0:0:0:ffff:198.51.100.9': '198.51.100.9',
    '::ffff:c633:6409': '198.51.100.9',
    'fe80::1%eth0': 'fe80::1',
  }
  for (const [sent, stored] of Object.entries(forms)) {
    const answer = await harness.call('POST', path, { ...again, headers: { 'person-address': sent } })
    expect([sent, answer.body.lastLoginIp]).toEqual([sent, stored])
  }
  for (const sent of ['', '198.51.100', '198.51.100.7:80', '[2001:db8::7]', '01.2.3.4', 'x'.repeat(8_000)]) {
    const answer = await harness.call('POST', path, { ...again, headers: { 'person-address': sent } })
    expect([sent.slice(0, 20), answer.status]).toEqual([sent.slice(0, 20), 400])
  }
  const wrong = await harness.call('POST', path, { ...again, headers: { 'person-address': '198.51.100.7, 10.0.0.1' } })
  expect(wrong.status).toBe(400)
  expect(wrong.body.errors).toEqual([{ field: 'header.Person-Address', reason: 'must be an IP address' }])

  const body = newPerson()
  const { token } = await harness.firebaseToken({ email: body.email })
  const own = await harness.call('POST', '/v1/accounts', { token, body, headers })
  // A person's own request comes from their own address, whatever it claims.
  expect(own.body).toMatchObject({ signUpIp: '203.0.113.50' })
})
