/** What is limited for a person is not limited for the app backend, which names all of them by one key. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { spendAllowance } from '../../db/requests/allowances.ts'
import { allowances } from '../../policy/allowances.ts'
import { type ApiHarness, newPerson, startApiHarness } from '../harness/api/api-harness.ts'

let harness: ApiHarness
let backend: string
beforeAll(async () => {
  harness = await startApiHarness()
  backend = await harness.key('service')
})
afterAll(() => harness.stop())

async function signUp(): Promise<string> {
  const made = await harness.call('POST', '/v1/accounts', { token: backend, body: newPerson() })
  expect(made.status, made.text).toBe(201)
  return made.body.id
}

test.each(['sign_in', 'give_back', 'withdrawal'] as const)('%s is counted for each person', async (kind) => {
  const { api } = harness
  const [eager, other] = [await signUp(), await signUp()]
  const spend = (accountId: string) => spendAllowance(api.sql, api, { kind, subject: { accountId }, at: new Date() })
  for (let used = 0; used < allowances[kind].most; used += 1) expect(await spend(eager)).toBeUndefined()
  expect([await spend(eager), await spend(other)]).toEqual([expect.any(Number), undefined])
})

test('the app backend records more sign-ins than one person may have', { tags: 'long' }, async () => {
  const people = await Promise.all(Array.from({ length: 3 }, signUp))
  const signIn = async (id: string) =>
    (await harness.call('POST', `/v1/accounts/${id}/sign-ins`, { token: backend, body: {} })).status
  const each = Math.ceil(allowances.sign_in.most * 0.6)
  const answers = await Promise.all(people.flatMap((id) => Array.from({ length: each }, () => signIn(id))))
  expect(answers.length).toBeGreaterThan(allowances.sign_in.most)
  expect(new Set(answers)).toEqual(new Set([200]))
})
