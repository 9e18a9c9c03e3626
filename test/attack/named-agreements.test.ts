/** What a person agrees to by a mailed link is named: somebody else may have asked for it, or have sent the link. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLinkToken } from '../../db/crypto/link-tokens.ts'
import { insertEmailChange, openEmailChange } from '../../db/email-changes.ts'
import { languages } from '../../messages/languages.ts'
import { plusMs } from '../../shared/calendar.ts'
import { type ApiHarness, newPerson, startApiHarness } from '../harness/api/api-harness.ts'

let harness: ApiHarness
let service: string
beforeAll(async () => {
  harness = await startApiHarness()
  service = await harness.key('service')
})
afterAll(() => harness.stop())

const at = new Date()
const expiresAt = plusMs(at, 3_600_000)

async function aPerson(): Promise<{ id: string; email: string }> {
  const person = newPerson()
  const answer = await harness.call('POST', '/v1/accounts', { token: service, body: person })
  expect(answer.status, answer.text).toBe(201)
  return { id: answer.body.id, email: person.email }
}

const pageIn = async (language: string, path: string): Promise<string> =>
  (await harness.call('GET', path, { headers: { cookie: `lang=${language}` } })).text

test.each(languages)(
  'the page on which an old address agrees names the new one, and nothing else does (%s)',
  async (of) => {
    const { sql } = harness.api
    const { id: accountId, email: oldEmail } = await aPerson()
    const [changeId, newEmail] = [randomUUID(), `${randomUUID()}@new.example`]
    const limit = { most: 5, since: new Date(0) }
    await insertEmailChange(sql, harness.api, { id: changeId, accountId, oldEmail, newEmail, at, expiresAt }, limit)
    await openEmailChange(sql, changeId)
    const pageOf = async (purpose: 'email_change_old' | 'email_change_new') => {
      const link = await createLinkToken(sql, { purpose, accountId, subjectId: changeId, at, expiresAt })
      return pageIn(of, `/email-change/${link}`)
    }
    const [asksOld, asksNew] = [await pageOf('email_change_old'), await pageOf('email_change_new')]
    expect(asksOld).toContain(newEmail)
    // Nobody knows yet whose the new address is.
    expect(asksNew).toContain('<button type="submit">')
    expect(asksNew).not.toContain(oldEmail)
  },
)

test.each(languages)('the page of a sign-in link says whose account it opens (%s)', async (of) => {
  const { id: accountId, email } = await aPerson()
  const link = await createLinkToken(harness.api.sql, { purpose: 'sign_in', accountId, at, expiresAt })
  expect(await pageIn(of, `/account/sign-in/${link}`)).toContain(email)
})
