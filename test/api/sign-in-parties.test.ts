/** Sign-up and sign-in by Apple and Google, against their simulators. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { Accounts, Identities } from '../../db/connection/schema.ts'
import { insertDraft, postPolicy, returnNewcomers, versionForNewcomers, withdrawPolicy } from '../../db/policies.ts'
import { meanwhile } from '../attack/meanwhile.ts'
import { type ApiHarness, newPerson, startApiHarness } from '../harness/api/api-harness.ts'
import { until } from '../harness/until.ts'

interface AppleSignIn {
  sub: string
  idToken: string
  code: string
}

let harness: ApiHarness
let service: string

beforeAll(async () => {
  harness = await startApiHarness()
  service = await harness.key('service')
})
afterAll(() => harness.stop())

const apple = (input: Record<string, unknown> = {}) => harness.apple.do('sign-in', input)
const google = (input: Record<string, unknown> = {}) => harness.google.do('sign-in', input)
const proofOf = ({ idToken, code }: AppleSignIn) => ({ identityToken: idToken, authorizationCode: code })
const signUp = (body: Record<string, unknown>, headers: Record<string, string> = {}) =>
  harness.call('POST', '/v1/accounts', { token: service, body, headers })

async function accountsWith(email: string): Promise<number> {
  const answer = await signUp({ ...newPerson(), email })
  if (answer.status === 201) return 0
  return answer.body.code === 'email_taken' ? 1 : Number.NaN
}

test('C6 G3: a sign-up with Apple links the user, and stores the refresh token encrypted with its client id', async () => {
  const signIn = await apple({ email: newPerson().email })
  const { email: _, ...person } = newPerson()
  const answer = await signUp({ ...person, apple: proofOf(signIn) })
  expect(answer.status, answer.text).toBe(201)
  expect(answer.body.identities).toEqual([{ provider: 'apple', subject: signIn.sub, linkedAt: expect.any(String) }])
  const [row] = await harness.api.sql<Pick<Identities, 'refresh_token' | 'client_id'>[]>`
    select refresh_token, client_id from identities where account_id = ${answer.body.id}`
  const { grants } = await harness.apple.state()
  const grant = grants.find((one) => one.sub === signIn.sub)
  const key = await harness.api.dataKeys.get(harness.api.sql, answer.body.id)
  expect(row?.client_id).toBe('app.ama-esim.ios')
  expect(harness.api.cipher.decrypt(key, 'identities.refresh_token', row?.refresh_token ?? Buffer.alloc(0))).toBe(
    grant?.refreshToken,
  )
})

test('a person links another Apple or Google user soon after their sign-in alone, as they delete the account', async () => {
  const person = newPerson()
  const fresh = await harness.firebaseToken({ email: person.email })
  const made = await harness.call('POST', '/v1/accounts', { token: fresh.token, body: person })
  const old = await harness.firebaseToken({ uid: fresh.uid, authTimeSecondsAgo: 3600 })
  const record = (token: string, body: object) =>
    harness.call('POST', `/v1/accounts/${made.body.id}/sign-ins`, { token, body })
  const linked = async (): Promise<string[]> => {
    const account = await harness.call('GET', `/v1/accounts/${made.body.id}`, { token: service })
    const identities = z.array(z.object({ provider: z.string() })).parse(account.body.identities)
    return identities.map(({ provider }) => provider).sort()
  }
  const [byApple, { idToken }] = [await apple(), await google()]
  const proofs = [{ apple: proofOf(byApple) }, { google: { identityToken: idToken } }]
  for (const proof of proofs) {
    const { status, body } = await record(old.token, proof)
    expect([status, body.code]).toEqual([401, 'fresh_sign_in_required'])
  }
  expect(await linked()).toEqual(['firebase'])
  // Apple's code is not spent by the refusal.
  for (const proof of proofs) expect((await record(fresh.token, proof)).status).toBe(200)
  expect(await linked()).toEqual(['apple', 'firebase', 'google'])
  // Who is linked already signs in at any time.
  const again = { apple: { identityToken: byApple.idToken }, google: { identityToken: idToken } }
  expect((await record(old.token, again)).status).toBe(200)
  expect((await record(old.token, {})).status).toBe(200)
})

test('a sign-up uses the e-mail address of the request, not the one in the token', async () => {
  const person = newPerson()
  const signIn = await google({ email: newPerson().email })
  const answer = await signUp({ ...person, google: { identityToken: signIn.idToken } })
  expect([answer.status, answer.body.email]).toEqual([201, person.email])
  expect(answer.body.identities).toEqual([{ provider: 'google', subject: signIn.sub, linkedAt: expect.any(String) }])
})

test.each(['apple', 'google'] as const)(
  'an address that %s has not verified proves nothing: it makes no account',
  async (party) => {
    const { email, ...person } = newPerson()
    const signIn = { email, emailVerified: false }
    const proof =
      party === 'apple'
        ? async () => ({ apple: proofOf(await apple(signIn)) })
        : async () => ({ google: { identityToken: (await google(signIn)).idToken } })
    const { token } = await harness.firebaseToken()
    const asked = async (body: Record<string, unknown>, by: string) =>
      harness.call('POST', '/v1/accounts', { token: by, body: { ...body, ...(await proof()) } })
    const byPerson = await asked({ ...person, email }, token)
    expect([byPerson.status, byPerson.body.errors], byPerson.text).toEqual([
      400,
      [{ field: 'email', reason: 'is not proven by a sign-in token' }],
    ])
    for (const by of [token, service]) {
      const unnamed = await asked(person, by)
      expect([unnamed.status, unnamed.body.errors], unnamed.text).toEqual([
        400,
        [{ field: 'email', reason: 'missing' }],
      ])
    }
    // Its owner is not kept out.
    expect(await accountsWith(String(email))).toBe(0)
  },
)

test('a sign-up without any e-mail address makes no account', async () => {
  const { email: _, ...person } = newPerson()
  const answer = await signUp({ ...person, apple: proofOf(await apple()) })
  expect([answer.status, answer.body.errors]).toEqual([400, [{ field: 'email', reason: 'missing' }]])
})

test.each([
  ['forged', { forged: true }],
  ['expired', { expiresInSeconds: -3_600 }],
  ['of another issuer', { issuer: 'https://apple.example.com' }],
  ['for another app', { clientId: 'com.example.other' }],
])('a sign-up with an Apple token that is %s makes no account', async (_what, input) => {
  const person = newPerson()
  const answer = await signUp({ ...person, apple: proofOf(await apple(input)) })
  expect([answer.status, answer.body.code], answer.text).toEqual([422, 'sign_in_refused'])
  expect(await accountsWith(person.email)).toBe(0)
})

test('a sign-up with a nonce of another sign-in is refused', async () => {
  const person = newPerson()
  const proof = proofOf(await apple({ nonce: 'mine' }))
  const wrong = await signUp({ ...person, apple: { ...proof, nonce: 'another' } })
  expect([wrong.status, wrong.body.code]).toEqual([422, 'sign_in_refused'])
  expect((await signUp({ ...person, apple: { ...proof, nonce: 'mine' } })).status).toBe(201)
})

test('a sign-up with a code that Apple refuses makes no account, and the problem says so', async () => {
  const person = newPerson()
  const answer = await signUp({ ...person, apple: { ...proofOf(await apple()), authorizationCode: 'made-up' } })
  expect([answer.status, answer.body.code, answer.body.detail]).toEqual([
    422,
    'sign_in_refused',
    'The sign-in was refused: invalid_grant.',
  ])
  expect(await accountsWith(person.email)).toBe(0)
})

test('a first sign-up with Apple that is sent twice makes one account: Apple takes its code once', async () => {
  const body = { ...newPerson(), apple: proofOf(await apple()) }
  const key = { 'idempotency-key': randomUUID() }
  const match = { path: '/auth/token', contains: body.apple.authorizationCode }
  const before = (await harness.apple.log()).length
  await harness.apple.fault({ match, delayMs: 3_000 })
  const first = signUp(body, key)
  await until('Apple is asked', async () => (await harness.apple.log()).length > before)
  const second = await signUp(body, key)
  const answers = [second, await first, await signUp(body, key)]
  expect(answers.map(({ status, body: { id } }) => [status, id])).toEqual(Array(3).fill([201, second.body.id]))
})

test("a sign-up with another person's code is refused", async () => {
  const [mine, theirs] = await Promise.all([apple(), apple()])
  const answer = await signUp({ ...newPerson(), apple: { ...proofOf(mine), authorizationCode: theirs.code } })
  expect([answer.status, answer.body.code]).toEqual([422, 'sign_in_refused'])
})

test('a sign-up with Apple stores nothing while Apple is down, and answers with Retry-After', async () => {
  const person = newPerson()
  const proof = proofOf(await apple())
  await harness.apple.fault({ match: { path: '/auth/token' }, status: 503 })
  const answer = await signUp({ ...person, apple: proof })
  expect([answer.status, answer.body.code]).toEqual([503, 'unavailable'])
  expect(answer.headers.get('retry-after')).toMatch(/^\d+$/)
  const [row] = await harness.api.sql`select count(*)::integer as count from accounts
    where email_index = ${harness.api.cipher.blindIndex('accounts.email', person.email.toLowerCase())}`
  expect(row?.count).toBe(0)
  expect((await signUp({ ...person, apple: proof })).status).toBe(201)
})

test('an Apple or Google user has at most one account, and a taken address does not use the code', async () => {
  const signIn = await apple()
  const taken = newPerson()
  expect((await signUp(taken)).status).toBe(201)
  const refused = await signUp({ ...newPerson(), email: taken.email, apple: proofOf(signIn) })
  expect([refused.status, refused.body.code]).toEqual([409, 'email_taken'])
  expect((await signUp({ ...newPerson(), apple: proofOf(signIn) })).status).toBe(201)

  const again = await apple({ sub: signIn.sub })
  const second = await signUp({ ...newPerson(), apple: proofOf(again) })
  expect([second.status, second.body.code]).toEqual([409, 'identity_taken'])
  // Apple names the address in the first sign-in alone: what is missing is not the address.
  const { email: _, ...unnamed } = newPerson()
  const third = await signUp({ ...unnamed, apple: proofOf(await apple({ sub: signIn.sub })) })
  expect([third.status, third.body.code]).toEqual([409, 'identity_taken'])
  const googleUser = await google()
  const identityToken = googleUser.idToken
  expect((await signUp({ ...newPerson(), google: { identityToken } })).status).toBe(201)
  expect((await signUp({ ...newPerson(), google: { identityToken } })).body.code).toBe('identity_taken')
})

test('a later sign-in links Apple and Google once each, and stores the newest refresh token', async () => {
  const { body } = await signUp(newPerson())
  const signIns = `/v1/accounts/${body.id}/sign-ins`
  const first = await apple()
  const post = (sent: Record<string, unknown>) => harness.call('POST', signIns, { token: service, body: sent })

  const codeless = await post({ apple: { identityToken: first.idToken } })
  expect([codeless.status, codeless.body.errors]).toEqual([
    400,
    [{ field: 'apple.authorizationCode', reason: 'missing' }],
  ])
  const linked = await post({ apple: proofOf(first), google: { identityToken: (await google()).idToken } })
  expect(linked.status, linked.text).toBe(200)
  expect(linked.body.identities).toMatchObject([{ provider: 'apple', subject: first.sub }, { provider: 'google' }])

  const tokens = async () =>
    (
      await harness.api.sql`select refresh_token from identities where account_id = ${body.id} and provider = 'apple'`
    ).map((row) => String(row.refresh_token))
  const before = await tokens()
  expect((await post({ apple: { identityToken: first.idToken } })).status).toBe(200)
  expect(await tokens()).toEqual(before)
  expect((await post({ apple: proofOf(await apple({ sub: first.sub })) })).status).toBe(200)
  expect(await tokens()).not.toEqual(before)

  const other = await post({ apple: proofOf(await apple()) })
  expect([other.status, other.body.code]).toEqual([409, 'identity_differs'])
  const { body: otherPerson } = await signUp(newPerson())
  const stolen = await harness.call('POST', `/v1/accounts/${otherPerson.id}/sign-ins`, {
    token: service,
    body: { apple: proofOf(await apple({ sub: first.sub })) },
  })
  expect([stolen.status, stolen.body.code]).toEqual([409, 'identity_taken'])
})

test.each([
  [
    'the Apple token has no code',
    [400, 'invalid_request'],
    async () => ({ google: await google(), apple: { identityToken: (await apple()).idToken } }),
  ],
  [
    'Apple refuses the code',
    [422, 'sign_in_refused'],
    async () => ({ google: await google(), apple: { ...proofOf(await apple()), authorizationCode: 'made-up' } }),
  ],
  [
    'the Apple user has another account',
    [409, 'identity_taken'],
    async () => {
      const theirs = await apple()
      await signUp({ ...newPerson(), apple: proofOf(theirs) })
      return { google: await google(), apple: proofOf(await apple({ sub: theirs.sub })) }
    },
  ],
  [
    'the Google user has another account',
    [409, 'identity_taken'],
    async () => {
      const theirs = await google()
      await signUp({ ...newPerson(), google: { identityToken: theirs.idToken } })
      return { google: theirs, apple: proofOf(await apple()) }
    },
  ],
] as const)(
  'a sign-in that is refused links neither of two users, and spends no code: %s',
  async (_why, refusal, make) => {
    const { body: person } = await signUp(newPerson())
    const { google: googleUser, apple: proof } = await make()
    const sent = { google: { identityToken: googleUser.idToken }, apple: proof }
    const path = `/v1/accounts/${person.id}`
    const answer = await harness.call('POST', `${path}/sign-ins`, { token: service, body: sent })
    expect([answer.status, answer.body.code], answer.text).toEqual(refusal)
    expect((await harness.call('GET', path, { token: service })).body.identities).toEqual([])
  },
)

test('a repeated sign-up with Apple returns the same account, although the code is used', async () => {
  const body = { ...newPerson(), apple: proofOf(await apple()) }
  const headers = { 'idempotency-key': randomUUID() }
  const first = await signUp(body, headers)
  const second = await signUp(body, headers)
  expect([first.status, second.status], second.text).toEqual([201, 201])
  expect(second.body.id).toBe(first.body.id)
})

test('N2: a version that is withdrawn while a person signs up is not the one that they have accepted', async () => {
  const { sql } = harness.api
  const at = new Date()
  const before = await versionForNewcomers(sql)
  const coming = { version: 'withdrawn-soon', title: 'T', body: 'B', changes: ['c'], material: true, effective_at: at }
  await insertDraft(sql, coming, { by: 'a test', at })
  await sql.begin((tx) => postPolicy(tx, coming.version, at))
  expect(await versionForNewcomers(sql)).toBe(coming.version)
  const { email: _, ...person } = newPerson()
  const proof = proofOf(await apple({ email: newPerson().email }))
  const answer = await meanwhile(
    sql,
    // The API reads this table before it asks Apple.
    'identities',
    () => signUp({ ...person, apple: proof }),
    async (tx) => {
      await withdrawPolicy(tx, coming.version, at)
      await returnNewcomers(tx, coming.version)
    },
    'access exclusive',
  )
  expect(answer.status, answer.text).toBe(201)
  const [row] = await sql<Pick<Accounts, 'policy_version'>[]>`
    select policy_version from accounts where id = ${answer.body.id}`
  expect(row?.policy_version).toBe(before)
})
