/** Limits of requests hold exactly for requests that come at the same moment. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sessionCookieName } from '../../api/sign-in/session-cookie.ts'
import { saveOperator } from '../../db/operator/operators.ts'
import { spendAllowance } from '../../db/requests/allowances.ts'
import { openSession } from '../../db/web-sessions.ts'
import { allowances } from '../../policy/allowances.ts'
import { plusMs } from '../../shared/calendar.ts'
import { type ApiHarness, newPerson, startApiHarness } from '../harness/api/api-harness.ts'

const limit = 20
const atOnce = 50
let harness: ApiHarness

beforeAll(async () => {
  harness = await startApiHarness({
    limits: {
      service: limit,
      operator: limit,
      person: limit,
      newcomer: limit,
      public: limit,
      failedAuthentications: limit,
    },
  })
})
afterAll(() => harness.stop())

const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address })

/** How many of simultaneous requests were answered by what. */
async function count(
  method: string,
  path: string,
  request: Parameters<ApiHarness['call']>[2] = {},
): Promise<Record<number, number>> {
  const answers = await Promise.all(Array.from({ length: atOnce }, () => harness.call(method, path, request)))
  const statuses: Record<number, number> = {}
  for (const { status, headers } of answers) {
    statuses[status] = (statuses[status] ?? 0) + 1
    if (status === 429) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  }
  return statuses
}

const path = `/v1/accounts/${randomUUID()}`

test('fifty requests at once of one caller without a key are answered exactly up to the limit', async () => {
  expect(await count('GET', '/v1/policies', { headers: from('203.0.113.1') })).toEqual({ 200: limit, 429: 30 })
})

test('fifty requests at once with one service key are answered exactly up to the limit', async () => {
  expect(await count('GET', path, { token: await harness.key('service') })).toEqual({ 404: limit, 429: 30 })
})

test('fifty requests at once with one operator key are answered exactly up to the limit', async () => {
  expect(await count('GET', path, { token: await harness.key('operator') })).toEqual({ 404: limit, 429: 30 })
})

test.each(['service', 'operator'] as const)('a %s key that is over the limit keeps out no other one', async (kind) => {
  const [greedy, other] = [await harness.key(kind), await harness.key(kind)]
  expect(await count('GET', path, { token: greedy })).toEqual({ 404: limit, 429: 30 })
  expect((await harness.call('GET', path, { token: other })).status).toBe(404)
})

test('an operator on the console who is over the limit keeps out no other one', { tags: 'long' }, async () => {
  const { sql } = harness.api
  const at = new Date()
  const cookieOf = async (name: string): Promise<Record<string, string>> => {
    const email = `${name}-${randomUUID()}@people.example`
    const { id } = await saveOperator(harness.api, { name, email, role: 'support', at })
    const session = { owner: { operatorId: id }, replaces: undefined, at, expiresAt: plusMs(at, 60_000) }
    return { cookie: `${sessionCookieName('console', 'https://api.example.com')}=${await openSession(sql, session)}` }
  }
  const [greedy, other] = [await cookieOf('Ada'), await cookieOf('Bea')]
  expect(await count('GET', '/console/sessions', { headers: greedy })).toEqual({ 200: limit, 429: 30 })
  expect((await harness.call('GET', '/console/sessions', { headers: other })).status).toBe(200)
})

test('fifty requests at once of one newcomer are answered exactly up to the limit', async () => {
  const { token } = await harness.firebaseToken()
  expect(await count('GET', path, { token })).toEqual({ 403: limit, 429: 30 })
})

test('fifty requests at once of one person are answered exactly up to the limit, whatever the address', async () => {
  const person = newPerson()
  const { token } = await harness.firebaseToken({ email: person.email })
  const { body: account } = await harness.call('POST', '/v1/accounts', { token, body: person })
  let sent = 0
  const answers = await Promise.all(
    Array.from({ length: atOnce }, () => {
      sent += 1
      return harness.call('GET', `/v1/accounts/${account.id}`, { token, headers: from(`198.51.100.${sent}`) })
    }),
  )
  // The sign-up counts, too.
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(limit - 1)
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(atOnce - limit + 1)
})

test.each<[string, string, () => string]>([
  ['wrong keys', '203.0.113.2', () => `ama_service_${'0'.repeat(16)}_${'A'.repeat(43)}`],
  ['credentials that are none', '203.0.113.3', () => 'nonsense'],
])('of fifty %s at once of one address exactly the limit is looked at and recorded', async (_what, address, token) => {
  const recorded = async () =>
    Number(
      (await harness.api.sql`select count(*) as count from security_log where kind = 'authentication_failed'`)[0]
        ?.count,
    )
  const before = await recorded()
  expect(await count('GET', path, { token: token(), headers: from(address) })).toEqual({ 401: limit, 429: 30 })
  expect((await recorded()) - before).toBe(limit)
})

test('of fifty forged tokens at once of one address exactly the limit is looked at', async () => {
  const { token } = await harness.firebaseToken({ forged: true })
  expect(await count('GET', path, { token, headers: from('203.0.113.4') })).toEqual({ 401: limit, 429: 30 })
})

test('a valid token passes while its address has failed too often', async () => {
  await count('GET', path, { token: 'nonsense', headers: from('203.0.113.5') })
  const { token } = await harness.firebaseToken()
  expect((await harness.call('GET', path, { token, headers: from('203.0.113.5') })).status).toBe(403)
})

test('sign-ins of one person that are recorded are limited, whoever says them', async () => {
  const { sql } = harness.api
  const person = newPerson()
  const { token } = await harness.firebaseToken({ email: person.email })
  const { body: account } = await harness.call('POST', '/v1/accounts', { token, body: person })
  const signIn = () => harness.call('POST', `/v1/accounts/${account.id}/sign-ins`, { token, body: {} })
  expect((await signIn()).status).toBe(200)
  const subject = { accountId: account.id }
  for (let times = 1; times < allowances.sign_in.most; times += 1)
    expect(await spendAllowance(sql, harness.api, { kind: 'sign_in', subject, at: new Date() })).toBeUndefined()
  const refused = await signIn()
  expect([refused.status, refused.body.code]).toEqual([429, 'too_many_requests'])
  expect(await sql`select from security_log where account_id = ${account.id} and kind = 'sign_in'`).toHaveLength(1)
})
