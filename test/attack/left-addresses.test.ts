/** Whoever reads the mail of an address that an account leaves does not get into the account, however close it is. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSignInEvents } from '../../api/runs/sign-in-events.ts'
import { createWebSignIn } from '../../api/sign-in/web-sign-in.ts'
import { emailIndexOf, findAccount, lockAccount } from '../../db/accounts.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { tableEncryption } from '../../db/crypto/column-encryption.ts'
import { createLinkToken } from '../../db/crypto/link-tokens.ts'
import { linkIdentity } from '../../db/identities.ts'
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

async function aPerson(given: { email?: string } = {}): Promise<{ id: string; email: string }> {
  const person = { ...newPerson(), ...given }
  const answer = await harness.call('POST', '/v1/accounts', { token: service, body: person })
  expect(answer.status, answer.text).toBe(201)
  return { id: answer.body.id, email: person.email }
}

/** What a change of address does in its transaction. */
const leaving = (accountId: string) => async (tx: Transaction) => {
  await lockAccount(tx, accountId)
  const index = emailIndexOf(harness.api, `${randomUUID()}@new.example`)
  await tx`update accounts set email_index = ${index} where id = ${accountId}`
  await tx`delete from web_sessions where account_id = ${accountId}`
  await tx`delete from link_tokens where account_id = ${accountId}`
}

const count = async (table: 'link_tokens' | 'web_sessions', accountId: string): Promise<number> => {
  const { sql } = harness.api
  return (await sql`select 1 from ${sql(table)} where account_id = ${accountId}`).length
}

test('a sign-in link that was asked for just before is not made for the address that the account has left', async () => {
  const [leaver, other] = [await aPerson(), await aPerson()]
  const signIn = createWebSignIn(harness.api)
  // There is no mail server. The request is none of the transaction's, in which it is asked for below.
  const ask = (email: string) =>
    AsyncLocalStorage.bind(() => signIn.mailLink(email, 'account').catch((error: unknown) => String(error)))
  await ask(other.email)()
  expect(await count('link_tokens', other.id)).toBe(1)
  await meanwhile(harness.api.sql, 'allowances', ask(leaver.email), leaving(leaver.id))
  expect(await count('link_tokens', leaver.id)).toBe(0)
})

test('a link that is used at the moment at which the account leaves its address opens no session', async () => {
  const [leaver, other] = [await aPerson(), await aPerson()]
  const linkOf = (accountId: string) => {
    const at = new Date()
    return createLinkToken(harness.api.sql, { purpose: 'sign_in', accountId, at, expiresAt: plusMs(at, 60_000) })
  }
  const signsInBy = (link: string) => () =>
    fetch(`${harness.url}/account/sign-in/${link}`, { method: 'POST', redirect: 'manual' })
  const [theirs, others] = [signsInBy(await linkOf(leaver.id)), signsInBy(await linkOf(other.id))]
  expect((await meanwhile(harness.api.sql, 'web_sessions', theirs, leaving(leaver.id))).status).toBe(404)
  expect(await count('web_sessions', leaver.id)).toBe(0)
  // A change of address of somebody else does not matter.
  expect((await meanwhile(harness.api.sql, 'web_sessions', others, leaving(leaver.id))).status).toBe(303)
  expect(await count('web_sessions', other.id)).toBe(1)
})

test('what Apple says of its relay is not held against the address that an account has at that moment left it for', async () => {
  const { sql, cipher, dataKeys } = harness.api
  const email = `${randomUUID()}@private.icloud.com`
  const { id } = await aPerson({ email })
  const key = await dataKeys.get(sql, id)
  const subject = randomUUID()
  const linked = { provider: 'apple', subject, clientId: 'the app', refreshToken: null } as const
  await linkIdentity(sql, harness.api, key, { ...linked, at: plusMs(new Date(), -60_000) })
  const left = async (tx: Transaction) => {
    await leaving(id)(tx)
    const sealed = tableEncryption(cipher, key, 'accounts').seal('email', 'left@new.example')
    await tx`update accounts set email = ${sealed}, mail_state = 'ok' where id = ${id}`
  }
  const disabled = { type: 'email-disabled', subject, email, eventId: randomUUID(), at: new Date() } as const
  const ask = AsyncLocalStorage.bind(() => createSignInEvents(harness.api).fromApple(disabled))
  await meanwhile(sql, 'accounts', ask, left, 'exclusive')
  expect(await findAccount(sql, harness.api, id)).toMatchObject({ email: 'left@new.example', mailState: 'ok' })
})
