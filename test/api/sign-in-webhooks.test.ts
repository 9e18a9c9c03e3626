/** Notifications of Apple and Google about people, and their effect on accounts. */
import { expect, test } from 'vitest'
import type { Deletions } from '../../db/connection/schema.ts'
import type { SimulatorControl } from '../../sim/control.ts'
import type { Delivery } from '../../sim/webhooks.ts'
import type { Surfer } from '../harness/browser.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { followDeletion } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import type { Person } from '../harness/people.ts'
import { until, untilValue } from '../harness/until.ts'
import { visit } from '../harness/visits.ts'

const harness = await shareStack()
const { apple, google } = harness.sims
const { sql } = harness.context

async function withApple(options: Record<string, unknown> = {}): Promise<{ person: Person; sub: string }> {
  const { sub, idToken, code } = await apple.do('sign-in', options)
  return {
    person: await harness.signUp({ account: { apple: { identityToken: idToken, authorizationCode: code } } }),
    sub,
  }
}

async function withGoogle(): Promise<{ person: Person; sub: string }> {
  const { sub, idToken } = await google.do('sign-in')
  return { person: await harness.signUp({ account: { google: { identityToken: idToken } } }), sub }
}

const isSignedIn = async (surfer: Surfer): Promise<boolean> =>
  (await surfer.open('/account')).html.includes('action="/account/profile"')
const linksOf = (person: Person) => sql`select 1 from link_tokens where account_id = ${person.accountId}`

type Deliveries = { deliveries: Delivery[] }

/** The receiver's answers to one notification. */
async function answersTo(sender: Pick<SimulatorControl<Deliveries, object>, 'books'>, jti: string): Promise<unknown[]> {
  const statuses = async () => {
    const { deliveries } = await sender.books()
    return deliveries.filter(({ id }) => id === jti).map(({ status }) => status)
  }
  return untilValue('it is answered', statuses, (seen) => seen.length > 0 && seen.every((status) => Number(status) > 0))
}

test.each(['account-deleted', 'account-delete'])(
  'Apple’s notification %s deletes the account, also when it comes several times',
  async (type) => {
    const { person, sub } = await withApple()
    await apple.do('webhooks', { copies: 3 })
    await apple.do('notify', { type, sub })
    await apple.do('webhooks', { copies: 1 })
    const ref = harness.context.cipher.accountRef(person.accountId)
    const [row] = await untilValue(
      'the account is erased',
      () =>
        sql<
          Pick<Deletions, 'receipt_id' | 'reason'>[]
        >`select receipt_id, reason from deletions where account_ref = ${ref}`,
      (rows) => rows.length === 1,
    )
    expect(row?.reason).toBe('sign_in_account_deleted')
    expect((await harness.service.get(`/v1/accounts/${person.accountId}`)).status).toBe(404)
    await followDeletion(harness.stack, person.accountId, row?.receipt_id ?? '').until('apple', 'done')
    await untilValue(
      'the last mail is there',
      () => mailsTo(harness.stack, person.email),
      (mails) => mails.length === 1,
    )
  },
)

test('Apple’s consent-revoked deletes the link and its token, mails the person, and keeps the account', async () => {
  const { person, sub } = await withApple()
  const surfer = await visit(harness.stack, person)
  expect(await isSignedIn(surfer)).toBe(true)
  await apple.do('notify', { type: 'consent-revoked', sub })
  const [mail] = await untilValue(
    'the mail is there',
    async () => (await mailsTo(harness.stack, person.email)).filter(({ subject }) => subject !== 'Your sign-in link'),
    (mails) => mails.length === 1,
  )
  expect(mail?.subject).toBe('Sign in with Apple is off')
  expect(await isSignedIn(surfer)).toBe(false)
  expect(await sql`select 1 from identities where account_id = ${person.accountId}`).toHaveLength(0)
  expect((await harness.service.get(`/v1/accounts/${person.accountId}`)).status).toBe(200)
})

test('a notification of Apple that is older than a new link does not end the link', async () => {
  const { person, sub } = await withApple()
  await sql`update identities set linked_at = linked_at + interval '1 hour' where account_id = ${person.accountId}`
  const revoked = await apple.do('notify', { type: 'consent-revoked', sub })
  const deleted = await apple.do('notify', { type: 'account-deleted', sub })
  expect(await answersTo(apple, revoked.jti)).toEqual([200])
  expect(await answersTo(apple, deleted.jti)).toEqual([200])
  expect(await sql`select 1 from identities where account_id = ${person.accountId}`).toHaveLength(1)
  expect((await harness.service.get(`/v1/accounts/${person.accountId}`)).status).toBe(200)
})

test('a disabled Apple relay address gets no mail until it is enabled again; other addresses are unchanged', async () => {
  const stateOf = async (person: Person) =>
    (await sql`select mail_state from accounts where id = ${person.accountId}`)[0]?.mail_state
  const { sub, idToken, code } = await apple.do('sign-in', {
    private: true,
  })
  const relayed = await harness.signUp({
    account: { email: undefined, apple: { identityToken: idToken, authorizationCode: code } },
  })
  const other = await withApple({ private: true })
  await apple.do('notify', { type: 'email-disabled', sub: other.sub })
  await apple.do('notify', { type: 'email-disabled', sub })
  await untilValue(
    'mail is off',
    () => stateOf(relayed),
    (state) => state === 'bounced',
  )
  expect(await stateOf(other.person)).toBe('ok')
  await apple.do('notify', { type: 'email-enabled', sub })
  await untilValue(
    'mail is on',
    () => stateOf(relayed),
    (state) => state === 'ok',
  )
})

test('forged and malformed notifications of Apple and Google are refused', async () => {
  const { person, sub } = await withApple()
  const linked = await withGoogle()
  const forged = await apple.do('notify', { type: 'account-deleted', sub, forged: true })
  expect(await answersTo(apple, forged.jti)).toContain(400)
  const event = await google.do('notify', { type: 'account-disabled', sub: linked.sub, forged: true })
  expect(await answersTo(google, event.jti)).toContain(400)
  for (const body of [{}, { payload: 'no token' }, '{']) {
    expect((await harness.anonymous.post('/v1/webhooks/apple', body)).body).toMatchObject({ code: 'webhook_refused' })
  }
  expect((await harness.anonymous.post('/v1/webhooks/google', 'no token')).status).toBe(400)
  expect((await harness.service.get(`/v1/accounts/${person.accountId}`)).status).toBe(200)
})

test.each(['sessions-revoked', 'tokens-revoked', 'account-disabled'])(
  'Google’s notification %s signs only this person out of the web pages',
  async (type) => {
    const { person, sub } = await withGoogle()
    const [theirs, others] = [await visit(harness.stack, person), await visit(harness.stack, await harness.signUp())]
    await theirs.post('/account/sign-in', { email: person.email, next: 'account' })
    await until('an unused link', async () => (await linksOf(person)).length > 0)
    expect([await isSignedIn(theirs), await isSignedIn(others)]).toEqual([true, true])
    const event = await google.do('notify', { type, sub })
    expect(await answersTo(google, event.jti)).toEqual([202])
    expect([await isSignedIn(theirs), await isSignedIn(others)]).toEqual([false, true])
    expect(await linksOf(person)).toHaveLength(0)
  },
)

test('Google’s notice of a hijacked account becomes an operator task and stops promotions; others are only recorded', async () => {
  const { person, sub } = await withGoogle()
  const consents = `/v1/accounts/${person.accountId}/consents/promotions`
  await harness.service.put(consents, { granted: true, source: 'app_settings' })
  const disabled = await google.do('notify', { type: 'account-disabled', sub, reason: 'hijacking' })
  expect(await answersTo(google, disabled.jti)).toEqual([202])
  const account = (await harness.service.get(`/v1/accounts/${person.accountId}`)).body
  expect(account.consents.promotions).toMatchObject({ granted: false, source: 'sign_in_provider' })
  const open = () =>
    sql`select kind, detail from attention where subject_id = ${person.accountId} and resolved_at is null`
  expect([...(await open())]).toEqual([{ kind: 'sign_in_account_disabled', detail: 'hijacking' }])
  await google.do('notify', { type: ['sessions-revoked', 'tokens-revoked'], sub })
  await google.do('notify', { type: 'account-enabled', sub })
  await untilValue('it is settled', open, (rows) => rows.length === 0)
  await until('all are recorded', async () => {
    const events =
      await sql`select detail from security_log where account_id = ${person.accountId} and actor = 'google'`
    return (
      events
        .map(({ detail }) => detail)
        .sort()
        .join() === 'account-disabled:hijacking,account-enabled,sessions-revoked,tokens-revoked'
    )
  })
  const ping = await google.do('notify', { type: 'verification', state: 'hello' })
  expect(await answersTo(google, ping.jti)).toEqual([202])
})
