import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Caller } from '../../api/http/caller.ts'
import { actOnce, readIdempotencyKey } from '../../api/http/idempotency.ts'
import { Problem } from '../../api/http/problem.ts'
import { type ApiHarness, newPerson, startApiHarness } from '../harness/api/api-harness.ts'
import { loseAccount } from '../harness/lost.ts'
import { until } from '../harness/until.ts'

let harness: ApiHarness
let service: string

beforeAll(async () => {
  harness = await startApiHarness()
  service = await harness.key('service')
})
afterAll(() => harness.stop())

const signUp = (body: unknown, key: string, token = service) =>
  harness.call('POST', '/v1/accounts', { token, body, headers: { 'idempotency-key': key } })

test('repeated sign-ups with one idempotency key make one account and return it each time', async () => {
  const person = newPerson()
  const key = randomUUID()
  const first = await signUp(person, key)
  const reordered = Object.fromEntries(Object.entries(person).reverse())
  const second = await signUp(reordered, key)
  expect([first.status, second.status]).toEqual([201, 201])
  expect(second.body).toEqual(first.body)
})

test('simultaneous sign-ups with one idempotency key make one account', async () => {
  const person = newPerson()
  const key = randomUUID()
  const answers = await Promise.all(Array.from({ length: 10 }, () => signUp(person, key)))
  expect(answers.map((answer) => answer.status)).toEqual(Array(10).fill(201))
  expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1)
})

test('a repeated request with another service key returns the first result', async () => {
  const person = newPerson()
  const key = randomUUID()
  const first = await signUp(person, key)
  const second = await signUp(person, key, await harness.key('service'))
  expect(second.body.id).toBe(first.body.id)
})

test('a different request with the same idempotency key is refused', async () => {
  const key = randomUUID()
  await signUp(newPerson(), key)
  const other = await signUp(newPerson(), key)
  expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused'])
})

test('a refused request does not use its idempotency key', async () => {
  const [taken, mine] = [newPerson(), newPerson()]
  await signUp(taken, randomUUID())
  const key = randomUUID()
  expect((await signUp({ ...mine, email: taken.email }, key)).body.code).toBe('email_taken')
  expect((await signUp(mine, key)).status).toBe(201)
})

test('the refusal of one of two equal requests leaves the key under which the other one was done', async () => {
  const header = randomUUID()
  const caller: Caller = { kind: 'operator', keyId: 'planted', label: 'planted' }
  const given = { header, required: true, operation: 'POST /v1/planted', caller, content: {} }
  const request = () => readIdempotencyKey(harness.api, given)
  let refuse = (): void => {}
  const first = actOnce(request(), null, async () => {
    await new Promise<void>((resolve) => (refuse = resolve))
    throw new Problem('order_state_conflict')
  })
  await until('the first has its key', async () => (await request()?.find(null)) !== undefined)
  const second = await actOnce(request(), null, async (ids) => ids)
  refuse()
  await expect(first).rejects.toThrow(Problem)
  const third = await actOnce(request(), null, async (ids) => ids)
  expect([third.requestId, third.repeated]).toEqual([second.requestId, true])
  // Temporal would answer an update with the first one's id as it answered that.
  expect(third.updateId).not.toBe(second.updateId)
})

test('a sign-up with the idempotency key of an erased account makes a new account', async () => {
  const person = newPerson()
  const key = randomUUID()
  const first = await signUp(person, key)
  await loseAccount(harness.api.sql, first.body.id)
  const again = await signUp(person, key)
  expect(again.status).toBe(201)
  expect(again.body.id).not.toBe(first.body.id)
})

test.each(['', 'a b', 'ä', 'x'.repeat(256)])('%j as an idempotency key is refused', async (key) => {
  const header = Buffer.from(key, 'utf8').toString('latin1')
  const answer = await signUp(newPerson(), header)
  // Some clients and servers treat an empty header as missing; here it is an error.
  expect([answer.status, answer.body.errors.map((error) => error.field)]).toEqual([400, ['Idempotency-Key']])
})

test('neither an idempotency key nor the body of its request is stored', async () => {
  const person = newPerson()
  const key = randomUUID()
  await signUp(person, key)
  const rows = await harness.api.sql`select idempotency_keys::text as whole from idempotency_keys`
  expect(rows).not.toHaveLength(0)
  const kept = JSON.stringify(rows)
  for (const value of [key, ...Object.values(person)]) {
    expect(kept).not.toContain(value)
    expect(kept).not.toContain(Buffer.from(value).toString('hex'))
  }
})

test('each caller, account, operation and idempotency key has its own claim, with a random id', async () => {
  const owner = (await signUp(newPerson(), randomUUID())).body.id
  const other = (await signUp(newPerson(), randomUUID())).body.id
  const person = (firebaseUid: string): Caller => ({
    kind: 'person',
    accountId: owner,
    firebaseUid,
    signedInAt: new Date(),
  })
  const claim = async (caller: Caller, accountId: string | null, operation: string, header: string) => {
    const request = readIdempotencyKey(harness.api, { header, required: true, operation, caller, content: {} })
    return await request?.claim(accountId)
  }
  const uid = randomUUID()
  const key = randomUUID()
  const first = await claim(person(uid), owner, 'POST /a', key)
  expect(first).toMatchObject({ repeated: false, resourceId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4/) })
  expect(await claim(person(uid), owner, 'POST /a', key)).toMatchObject({
    repeated: true,
    resourceId: first?.resourceId,
  })
  const others = [
    await claim(person(randomUUID()), owner, 'POST /a', key),
    await claim({ kind: 'service', keyId: 'k' }, owner, 'POST /a', key),
    await claim(person(uid), other, 'POST /a', key),
    await claim(person(uid), null, 'POST /a', key),
    await claim(person(uid), owner, 'POST /b', key),
    await claim(person(uid), owner, 'POST /a', randomUUID()),
  ]
  for (const each of others) expect(each?.repeated).toBe(false)
  expect(new Set([first, ...others].map((each) => each?.resourceId)).size).toBe(7)

  // A second request has come under the key of the first one.
  await first?.release()
  expect(await claim(person(uid), owner, 'POST /a', key)).toMatchObject({
    repeated: true,
    resourceId: first?.resourceId,
  })
  const alone = randomUUID()
  const one = await claim(person(uid), owner, 'POST /a', alone)
  await one?.release()
  const again = await claim(person(uid), owner, 'POST /a', alone)
  expect(again?.repeated).toBe(false)
  expect(again?.resourceId).not.toBe(one?.resourceId)
})

test.each([undefined, 'order'] as const)(
  'an idempotency key with a missing account is not claimed, which spends: %s',
  async (spends) => {
    const given = { header: randomUUID(), required: true, operation: 'POST /a', content: {} }
    const request = readIdempotencyKey(harness.api, { ...given, caller: { kind: 'service', keyId: 'k' } })
    await expect(request?.claim(randomUUID(), spends)).rejects.toMatchObject({ code: 'account_missing' })
  },
)

test('a request without a required idempotency key is refused', () => {
  const given: Parameters<typeof readIdempotencyKey>[1] = {
    header: undefined,
    required: true,
    operation: 'x',
    caller: { kind: 'service', keyId: 'k' },
    content: {},
  }
  expect(() => readIdempotencyKey(harness.api, given)).toThrow(Problem)
})
