/** Notifications of Apple and Google about people, and their effect on accounts. */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Deletions } from '../../db/connection/schema.ts'
import { findEmailChange, insertEmailChange, openEmailChange } from '../../db/email-changes.ts'
import { milliseconds } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import type { SimulatorControl } from '../../sim/control.ts'
import type { Delivery } from '../../sim/webhooks.ts'
import { describeRun } from '../../temporal/runs.ts'
import { accountDeletionWorkflowId } from '../../workflows/account-deletion.contract.ts'
import type { Surfer } from '../harness/browser.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { followDeletion } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import { createCaller } from '../harness/http.ts'
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
  (await surfer.open('/account/data')).html.includes('action="/account/profile"')
const linksOf = (person: Person) => sql`select 1 from link_tokens where account_id = ${person.accountId}`

type Deliveries = { deliveries: Delivery[] }

/** The receiver's answers to one notification. */
async function answersTo(sender: Pick<SimulatorControl<Deliveries, object>, 'state'>, jti: string): Promise<unknown[]> {
  const statuses = async () => {
    const { deliveries } = await sender.state()
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
  // Both are carried out by runs, after the answer.
  const deletion = accountDeletionWorkflowId(harness.context.cipher.accountRef(person.accountId))
  expect(await describeRun(harness.temporal, deletion)).toBeUndefined()
  const known = await sql`select detail from security_log where account_id = ${person.accountId} and actor = 'apple'`
  // It has ended the sign-ins from before.
  expect([...known]).toEqual([{ detail: 'consent-revoked' }])
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

/** A change of address that a person has asked for before an event. */
async function changingAddress({ accountId, email: oldEmail }: Person) {
  const id = randomUUID()
  const at = plusMs(new Date(), -milliseconds.minute)
  const newEmail = `${id}@new.example`
  const change = { id, accountId, oldEmail, newEmail, at, expiresAt: plusMs(at, milliseconds.hour) }
  expect(await insertEmailChange(sql, harness.context, change, { most: 5, since: at })).toBe('stored')
  expect(await openEmailChange(sql, id)).toBe('open')
  return async () => (await findEmailChange(sql, harness.context, id))?.state
}

test.each([
  ['sessions-revoked', 'cancelled'],
  ['account-disabled', 'cancelled'],
  ['tokens-revoked', 'open'],
  ['token-revoked', 'open'],
])('after Google’s %s a change of address is %s', async (type, state) => {
  const { person, sub } = await withGoogle()
  const stateOf = await changingAddress(person)
  const { jti } = await google.do('notify', { type, sub })
  expect(await answersTo(google, jti)).toEqual([202])
  expect(await stateOf()).toBe(state)
})

test('who removes us from their Apple Account goes on changing their address', async () => {
  const { person, sub } = await withApple()
  const stateOf = await changingAddress(person)
  await apple.do('notify', { type: 'consent-revoked', sub })
  const mail = await until('the mail', async () =>
    (await mailsTo(harness.stack, person.email)).find(({ subject }) => /Apple/.test(subject)),
  )
  expect(mail.text).toMatch(/change of your e.mail address/)
  expect(await stateOf()).toBe('open')
})

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

const minuteMs = 60_000
const mailStateOf = async ({ accountId }: Person) =>
  (await sql`select mail_state from accounts where id = ${accountId}`)[0]?.mail_state

async function withRelay(): Promise<{ person: Person; sub: string }> {
  const { sub, idToken, code } = await apple.do('sign-in', {
    private: true,
  })
  const proof = { identityToken: idToken, authorizationCode: code }
  const person = await harness.signUp({ account: { email: undefined, apple: proof } })
  await sql`update identities set linked_at = linked_at - interval '1 day' where account_id = ${person.accountId}`
  return { person, sub }
}

test.each([
  ['enabled', 'ok', false],
  ['disabled', 'bounced', false],
  ['enabled', 'ok', true],
])('Apple’s email-%s is not undone by an older event that arrives later', async (newer, state, seconds) => {
  const { person, sub } = await withRelay()
  const older = newer === 'enabled' ? 'disabled' : 'enabled'
  for (const [what, at] of [
    [newer, Date.now()],
    [older, Date.now() - 5 * minuteMs],
  ]) {
    const { jti } = await apple.do('notify', { type: `email-${what}`, sub, at, seconds })
    expect(await answersTo(apple, jti)).toEqual([200])
  }
  expect(await mailStateOf(person)).toBe(state)
})

test('an event of Apple with its time in seconds is taken for what it is', async () => {
  const { person, sub } = await withRelay()
  const { jti } = await apple.do('notify', { type: 'email-disabled', sub, seconds: true })
  expect(await answersTo(apple, jti)).toEqual([200])
  expect(await mailStateOf(person)).toBe('bounced')
})

test('Google’s account-enabled is not undone by an older account-disabled, nor a consent given since', async () => {
  const { person, sub } = await withGoogle()
  const consents = `/v1/accounts/${person.accountId}/consents/promotions`
  await harness.service.put(consents, { granted: true, source: 'app_settings' })
  const granted = async () =>
    (await harness.service.get(`/v1/accounts/${person.accountId}`)).body.consents.promotions.granted
  const notify = async (type: string, at: number) => {
    const { jti } = await google.do('notify', { type, sub, reason: 'hijacking', at })
    expect(await answersTo(google, jti)).toEqual([202])
  }
  await notify('account-enabled', Date.now())
  await notify('account-disabled', Date.now() - 5 * minuteMs)
  const tasks = await sql`select 1 from attention where subject_id = ${person.accountId} and resolved_at is null`
  expect([tasks.length, await granted()]).toEqual([0, true])

  const other = await withGoogle()
  await harness.service.put(`/v1/accounts/${other.person.accountId}/consents/promotions`, {
    granted: true,
    source: 'app_settings',
  })
  const late = { type: 'account-disabled', sub: other.sub, reason: 'hijacking', at: Date.now() - 5 * minuteMs }
  const { jti } = await google.do('notify', late)
  expect(await answersTo(google, jti)).toEqual([202])
  const account = (await harness.service.get(`/v1/accounts/${other.person.accountId}`)).body
  expect(account.consents.promotions.granted).toBe(true)
  // The Google account was linked since: its owner could sign in with it again.
  expect(await sql`select from attention where subject_id = ${other.person.accountId}`).toEqual([])
})

/** A sign-in of the same Firebase user, some seconds from now. */
async function tokenOf({ firebaseUid, email }: Person, inSeconds: number) {
  const signIn = { uid: firebaseUid, email, authTimeSecondsAgo: -inSeconds }
  const { idToken } = await google.do('firebase-sign-in', signIn)
  return createCaller(harness.stack.urls.api, idToken)
}

test.each(['sessions-revoked', 'tokens-revoked', 'account-disabled'])(
  'Google’s %s ends the tokens of the app, and a new sign-in counts',
  async (type) => {
    const { person, sub } = await withGoogle()
    const path = `/v1/accounts/${person.accountId}`
    expect((await person.caller.get(path)).status).toBe(200)
    const { jti } = await google.do('notify', { type, sub, reason: 'hijacking' })
    expect(await answersTo(google, jti)).toEqual([202])
    for (const answer of [
      await person.caller.get(path),
      await person.caller.get(`${path}/export`),
      await person.caller.call('DELETE', path),
    ])
      expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated'])
    expect((await (await tokenOf(person, 5)).get(path)).status).toBe(200)
  },
)

test('an event that Google’s clock puts into the future ends the sign-ins until now, and not those to come', async () => {
  const { person, sub } = await withGoogle()
  const path = `/v1/accounts/${person.accountId}`
  const { jti } = await google.do('notify', { type: 'sessions-revoked', sub, at: Date.UTC(2999, 0, 1) })
  expect(await answersTo(google, jti)).toEqual([202])
  expect((await person.caller.get(path)).status).toBe(401)
  expect((await (await tokenOf(person, 5)).get(path)).status).toBe(200)
})

test('Apple’s consent-revoked ends the tokens of the app', async () => {
  const { person, sub } = await withApple()
  await apple.do('notify', { type: 'consent-revoked', sub })
  await until('the token is refused', async () => {
    return (await person.caller.get(`/v1/accounts/${person.accountId}`)).status === 401
  })
})

test('the token of an erased person signs up no account, and a new sign-in does', async () => {
  const person = await harness.signUp({ device: false })
  const { email, firstName, lastName } = person
  expect((await person.caller.call('DELETE', `/v1/accounts/${person.accountId}`)).status).toBeLessThan(300)
  const again = { email, firstName, lastName }
  expect((await person.caller.post('/v1/accounts', again)).status).toBe(401)
  expect((await (await tokenOf(person, 5)).post('/v1/accounts', again)).status).toBe(201)
})
