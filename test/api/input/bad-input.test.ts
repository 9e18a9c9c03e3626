import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApiHarness, newPerson, startApiHarness } from '../../harness/api/api-harness.ts'

let harness: ApiHarness
let service: string

beforeAll(async () => {
  harness = await startApiHarness()
  service = await harness.key('service')
})
afterAll(() => harness.stop())

const post = (body: unknown, headers: Record<string, string> = {}) =>
  harness.call('POST', '/v1/accounts', { token: service, body, headers })

async function accounts(): Promise<number> {
  const [row] = await harness.api.sql<{ count: number }[]>`select count(*)::integer as count from accounts`
  return row?.count ?? Number.NaN
}

test.each(['idfa', 'gps', 'contacts', 'birthday', '__proto__', 'constructor', 'EMAIL'])(
  'C7: a sign-up with the field %s is refused, and the problem names the field',
  async (field) => {
    const before = await accounts()
    const answer = await post(`${JSON.stringify(newPerson()).slice(0, -1)},${JSON.stringify(field)}:"x"}`)
    expect([answer.status, answer.body.errors]).toEqual([400, [{ field, reason: 'unknown field' }]])
    expect(await accounts()).toBe(before)
  },
)

test('C7: unknown fields are refused on every route, also in nested objects and in the query', async () => {
  const { body } = await post(newPerson())
  const path = `/v1/accounts/${body.id}`
  const answers = await Promise.all([
    post({ ...newPerson(), google: { identityToken: 'x', gps: 1 } }),
    harness.call('PATCH', path, { token: service, body: { firstName: 'A', email: 'x@example.com' } }),
    harness.call('PUT', `${path}/devices/d`, { token: service, body: { platform: 'ios', idfa: 'x' } }),
    harness.call('POST', `${path}/sign-ins`, { token: service, body: { ip: '1.2.3.4' } }),
    harness.call('PUT', `${path}/consents/promotions`, {
      token: service,
      body: { granted: true, source: 'web', at: 1 },
    }),
    harness.call('DELETE', `${path}/devices/d`, { token: service, body: { reason: 'x' } }),
    harness.call('GET', '/v1/packages?latitude=1'),
    harness.call('GET', `${path}?verbose=1`, { token: service }),
  ])
  expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(400))
  expect(answers.map((answer) => answer.body.errors.map((error) => error.field))).toEqual([
    ['google.gps'],
    ['email'],
    ['idfa'],
    ['ip'],
    ['at'],
    ['reason'],
    ['latitude'],
    ['verbose'],
  ])
})

/** The codec's routes: Temporal's converters choose the keys of a payload's metadata. */
const openByDesign = new Set(['#/components/schemas/Payloads.properties.payloads.items.properties.metadata'])

test('no request schema of the OpenAPI document allows unknown fields', () => {
  const schemas = harness.document.components?.schemas ?? {}
  const open: string[] = []
  let closed = 0
  const look = (schema: unknown, where: string): void => {
    if (schema === null || typeof schema !== 'object') return
    const { $ref, type, additionalProperties }: Record<string, unknown> = { ...schema }
    if (typeof $ref === 'string') look(schemas[$ref.split('/').at(-1) ?? ''], $ref)
    if (type === 'object' && additionalProperties !== false) open.push(where)
    if (additionalProperties === false) closed += 1
    for (const [key, value] of Object.entries(schema)) look(value, `${where}.${key}`)
  }
  for (const [path, methods] of Object.entries(harness.document.paths ?? {})) {
    for (const [method, operation] of Object.entries(methods)) look(operation.requestBody, `${method} ${path}`)
  }
  expect(closed).toBeGreaterThan(50)
  expect(open.filter((where) => !openByDesign.has(where))).toEqual([])
})

test.each([
  ['email', { email: 'nobody' }],
  ['email', { email: `${'a'.repeat(250)}@example.com` }],
  ['firstName', { firstName: '   ' }],
  ['firstName', { firstName: 'a\r\nBcc: x@example.com' }],
  ['lastName', { lastName: 'x'.repeat(101) }],
  ['lastName', { lastName: 7 }],
  ['phone', { phone: '0176 1234' }],
  ['phone', { phone: null }],
  ['policyVersion', { policyVersion: '1999-01-01' }],
  ['apple', { apple: 'token' }],
  ['firebaseUid', { firebaseUid: '' }],
])('a sign-up with a wrong %s is refused, and the problem names the field', async (field, change) => {
  const answer = await post({ ...newPerson(), ...change })
  expect([answer.status, answer.body.code, answer.body.errors.map((error) => error.field)]).toEqual([
    400,
    'invalid_request',
    [field],
  ])
})

test('the problem of a refused body lists all faults of it', async () => {
  const answer = await post({ email: 'x', lastName: '' })
  expect(answer.body.errors.map((error) => error.field).sort()).toEqual(['email', 'firstName', 'lastName'])
  expect(answer.body.errors).toContainEqual({ field: 'firstName', reason: 'missing' })
})

test('a body that is not a JSON object gets a 4xx', async () => {
  const cases: [string, Record<string, string>, number, string][] = [
    ['{"email": "leak@exam', {}, 400, 'malformed_json'],
    ['"text"', {}, 400, 'malformed_json'],
    ['null', {}, 400, 'malformed_json'],
    ['[]', {}, 400, 'invalid_request'],
    ['[1]', {}, 400, 'invalid_request'],
    ['a=1', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'unsupported_media_type'],
    ['{}', { 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
    ['{}', { 'content-type': 'application/json; charset=latin7' }, 415, 'unsupported_media_type'],
    ['{}', { 'content-encoding': 'zstandard' }, 415, 'unsupported_media_type'],
    [JSON.stringify({ a: 'x'.repeat(70_000) }), {}, 413, 'body_too_large'],
    [`${'['.repeat(30_000)}${']'.repeat(30_000)}`, {}, 400, 'invalid_request'],
  ]
  for (const [body, headers, status, code] of cases) {
    const answer = await post(body, headers)
    expect([answer.status, answer.body.code], body.slice(0, 30)).toEqual([status, code])
    expect(answer.text).not.toContain('leak@')
  }
  const none = await harness.call('POST', '/v1/accounts', { token: service })
  expect([none.status, none.body.errors]).toEqual([400, [{ field: 'body', reason: 'missing' }]])
})

test('unknown addresses, wrong methods and undecodable paths are answered with a problem', async () => {
  const nowhere = await harness.call('GET', '/v1/nowhere')
  expect([nowhere.status, nowhere.body.code]).toEqual([404, 'not_found'])
  const wrong = await harness.call('DELETE', '/v1/packages')
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  const options = await harness.call('OPTIONS', `/v1/accounts/${randomUUID()}`)
  expect([options.status, options.headers.get('allow')]).toEqual([405, 'GET, PATCH, DELETE, HEAD'])
  expect((await harness.call('GET', '/v1/accounts/%E0%A4%A', { token: service })).status).toBe(400)
  const noId = await harness.call('GET', '/v1/accounts/17', { token: service })
  expect([noId.status, noId.body.errors.map((error) => error.field)]).toEqual([400, ['id']])
  expect((await harness.call('HEAD', '/v1/packages')).status).toBe(200)
})

test('the type of every problem leads to its meaning, and no answer has more details', async () => {
  const answer = await harness.call('GET', '/v1/nowhere')
  expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  expect(answer.body).toEqual({
    type: 'https://api.example.com/problems/not_found',
    title: 'Not found',
    status: 404,
    code: 'not_found',
    requestId: answer.headers.get('x-request-id'),
  })
  const page = await harness.call('GET', new URL(String(answer.body.type)).pathname)
  expect([page.status, page.text.includes('belongs to somebody else')]).toEqual([200, true])
  expect((await harness.call('GET', '/problems/toString')).status).toBe(404)
})

test('any invalid request is answered with a problem and never a 5xx', async () => {
  const leaf = fc.oneof(fc.string({ unit: 'grapheme' }), fc.double(), fc.boolean(), fc.constant(null), fc.string())
  const value = fc.oneof(leaf, fc.array(leaf), fc.dictionary(fc.string(), leaf))
  const field = fc.constantFrom('email', 'firstName', 'lastName', 'phone', 'apple', 'google', 'firebaseUid', 'x')
  await fc.assert(
    fc.asyncProperty(fc.dictionary(field, value), async (body) => {
      const answer = await post({ ...newPerson(), ...body })
      expect([201, 400, 409], answer.text).toContain(answer.status)
    }),
    { numRuns: 150 },
  )
  const segment = fc.webSegment().filter((text) => text !== '' && text !== '.' && text !== '..')
  await fc.assert(
    fc.asyncProperty(segment, fc.webQueryParameters(), async (id, query) => {
      const answer = await harness.call('GET', `/v1/accounts/${id}?${query}`, { token: service })
      expect([400, 404]).toContain(answer.status)
    }),
    { numRuns: 100 },
  )
})
