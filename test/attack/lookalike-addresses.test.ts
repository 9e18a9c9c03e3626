/** An address with a letter that looks like one of another address, or becomes one, is that of somebody else. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { normalEmail } from '../../db/accounts.ts'
import { type ApiHarness, newPerson, startApiHarness } from '../harness/api/api-harness.ts'

let harness: ApiHarness
beforeAll(async () => {
  harness = await startApiHarness()
})
afterAll(() => harness.stop())

/** The Kelvin sign, which is a `k` in lower case. */
const kelvin = '\u212a'

test('no letter beside ASCII becomes one of ASCII', () => {
  const found: string[] = []
  for (let code = 0x80; code < 0x20000; code++) {
    const letter = String.fromCodePoint(code)
    if (/^\p{ASCII}*$/u.test(normalEmail(`a${letter}b@x.example`)) && letter.trim() !== '')
      found.push(code.toString(16))
  }
  expect(found).toEqual([])
})

test('spellings of one address stay one: case, composed and decomposed letters', () => {
  for (const [one, other] of [
    ['MIKE@X.EXAMPLE', ' mike@x.example'],
    ['re\u0301ne\u0301@x.example', 'R\u00c9N\u00c9@x.example'],
    ['\u0416@x.example', '\u0436@x.example'],
    [`mi${kelvin}e\u0301@x.example`, `MI${kelvin}\u00c9@x.example`],
  ] as const)
    expect([one, normalEmail(one)]).toEqual([one, normalEmail(other)])
})

test('a token with a look-alike address does not prove the address that it looks like, nor keep its owner out', async () => {
  const { email: drawn, ...person } = newPerson()
  const email = `mike.${drawn.toLowerCase()}`
  const signUp = async (proven: string, sent?: string) => {
    const { token } = await harness.firebaseToken({ email: proven })
    const body = { ...person, ...(sent !== undefined && { email: sent }) }
    return harness.call('POST', '/v1/accounts', { token, body })
  }
  const alike = email.replace('k', kelvin)
  const claimed = await signUp(alike, email)
  expect([claimed.status, claimed.body.errors]).toEqual([
    400,
    [{ field: 'email', reason: 'is not proven by a sign-in token' }],
  ])
  expect((await signUp(alike)).status).toBe(201)
  expect((await signUp(email)).status).toBe(201)
})

test.each([
  'two@x.example, addresses@y.example',
  'a blank@x.example',
  'mike@x.example\r\nBcc: eve@evil.example',
  'mike\u202e@x.example',
  'mike@x.example\u2028',
  `${'a'.repeat(300)}@x.example`,
  'no address',
])('an address of the form %j in a token is none', async (email) => {
  const { email: _, ...person } = newPerson()
  const { token } = await harness.firebaseToken({ email })
  const answer = await harness.call('POST', '/v1/accounts', { token, body: person })
  expect([answer.status, answer.body.errors]).toEqual([400, [{ field: 'email', reason: 'missing' }]])
})
