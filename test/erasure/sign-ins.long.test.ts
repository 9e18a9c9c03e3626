/**
 * G3: everybody can delete their account at once. Sign-ins of deleted accounts are revoked, also when Apple, Google or
 * Firebase are down for long.
 */
import { expect, test } from 'vitest'
import type { Accounts } from '../../db/connection/schema.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { deleteAccount } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import { createCaller, expectStatus } from '../harness/http.ts'
import { loseOrders } from '../harness/lost.ts'
import type { Person } from '../harness/people.ts'
import { until, untilValue } from '../harness/until.ts'

const harness = await shareStack()
const { apple, firebase } = harness.sims
const { sql } = harness.context
const erase = (person: Person) => deleteAccount(harness.stack, person)

interface Grant {
  sub: string
  revokedAt: string | null
}

async function grantsOf(sub: string): Promise<Grant[]> {
  const { grants } = await apple.state()
  return grants.filter((grant) => grant.sub === sub)
}

interface AppleProof {
  sub: string
  apple: { identityToken: string; authorizationCode: string }
}

async function appleProof(sub?: string): Promise<AppleProof> {
  const made = await apple.do('sign-in', sub ? { sub } : {})
  return { sub: made.sub, apple: { identityToken: made.idToken, authorizationCode: made.code } }
}

async function signUpWithApple(): Promise<{ person: Person; sub: string }> {
  const proof = await appleProof()
  return { person: await harness.signUp({ account: { apple: proof.apple } }), sub: proof.sub }
}

test('a deletion while Apple is down for a day revokes the link afterwards, and shows it as done only then', async () => {
  const { person, sub } = await signUpWithApple()
  await apple.fault({ match: { path: '/auth/revoke' }, status: 503, times: 1_000_000 })
  const deletion = await erase(person)
  await deletion.until('mail', 'done')
  await deletion.fastForward('1 day')
  expect(await deletion.states()).toMatchObject({ apple: 'pending' })
  expect(await grantsOf(sub)).toMatchObject([{ revokedAt: null }])
  await apple.clearFaults()
  await deletion.fastForward('2 hours')
  expect(await deletion.until('apple', 'done')).toMatchObject({ code: null })
  expect((await grantsOf(sub))[0]?.revokedAt).not.toBeNull()
  const [seal] = await sql`select apple from deletion_seals where receipt_id = ${deletion.receiptId}`
  expect(seal?.apple ?? null).toBeNull()
})

test('an erasure step that takes longer than three days is an operator task until it is done', async () => {
  const { person } = await signUpWithApple()
  await apple.fault({ match: { path: '/auth/revoke' }, status: 503, times: 1_000_000 })
  const deletion = await erase(person)
  await deletion.fastForward('4 days')
  const tasks = () =>
    sql`select kind, detail from attention where subject_id = ${deletion.receiptId} and resolved_at is null`
  expect([...(await tasks())]).toEqual([{ kind: 'deletion_apple', detail: 'overdue' }])
  await apple.clearFaults()
  await deletion.fastForward('2 hours')
  await deletion.until('apple', 'done')
  await untilValue('nothing is left to look into', tasks, (rows) => rows.length === 0)
})

test.each([
  ['a token that is dead already', 'invalid_grant', 'done', 'already_invalid'],
  ['a refusal that no repetition changes', 'invalid_request', 'by_hand', 'invalid_request'],
] as const)('Apple’s answer 400 for %s ends the step of a revocation', async (_what, error, state, code) => {
  const { person } = await signUpWithApple()
  await apple.fault({ match: { path: '/auth/revoke' }, status: 400, body: { error }, times: 1 })
  const deletion = await erase(person)
  expect(await deletion.until('apple', state)).toMatchObject({ code })
})

test('a revocation that Apple refuses for our key is retried until an operator has corrected the key', async () => {
  const { person, sub } = await signUpWithApple()
  await apple.fault({ match: { path: '/auth/revoke' }, status: 400, body: { error: 'invalid_client' }, times: 3 })
  const deletion = await erase(person)
  await deletion.fastForward('1 hour')
  await deletion.until('apple', 'done')
  expect((await grantsOf(sub))[0]?.revokedAt).not.toBeNull()
})

test('a deletion without a stored Apple token tells the person by mail and receipt how to revoke', async () => {
  const { person } = await signUpWithApple()
  await sql`update identities set refresh_token = null where account_id = ${person.accountId}`
  const deletion = await erase(person)
  const step = await deletion.until('apple', 'by_hand')
  expect(step?.instruction).toContain('Sign in with Apple')
  await deletion.until('mail', 'done')
  const [mail] = await mailsTo(harness.stack, person.email)
  expect(mail?.text).toContain('Sign in with Apple')
  expect(mail?.text).toContain(deletion.receiptId)
})

test('a person who signs up again with the same Apple Account and Firebase user keeps both', async () => {
  const { person, sub } = await signUpWithApple()
  await apple.fault({ match: { path: '/auth/revoke' }, status: 503, times: 1_000_000 })
  await firebase.fault({ match: { path: 'accounts:delete' }, status: 503, times: 1_000_000 })
  const deletion = await erase(person)
  const again = { ...(await appleProof(sub)), email: person.email, firebaseUid: person.firebaseUid }
  const body = {
    email: again.email,
    firstName: 'Back',
    lastName: 'Again',
    firebaseUid: again.firebaseUid,
    apple: again.apple,
  }
  const account = expectStatus(await harness.service.post('/v1/accounts', body), 201)
  expect(account.id).not.toBe(person.accountId)
  const before = (await harness.service.get(`/v1/accounts/${account.id}`)).body

  await apple.clearFaults()
  await firebase.clearFaults()
  await deletion.fastForward('2 hours')
  expect(await deletion.until('apple', 'done')).toMatchObject({ code: 'signed_up_again' })
  expect(await deletion.until('firebase', 'done')).toMatchObject({ code: 'signed_up_again' })
  await deletion.fastForward('91 days')
  expect((await harness.service.get(`/v1/accounts/${account.id}`)).body).toEqual(before)
  expect((await firebase.state()).deletedUsers).not.toContain(person.firebaseUid)
  expect((await grantsOf(sub)).at(-1)?.revokedAt).toBeNull()
  // The deletion of the new account has its own receipt and revokes the sign-ins.
  const second = expectStatus(await harness.service.delete(`/v1/accounts/${account.id}`), 200)
  expect(second.receiptId).not.toBe(deletion.receiptId)
  await untilValue(
    'the new grant is revoked',
    () => grantsOf(sub),
    (grants) => grants.at(-1)?.revokedAt !== null,
  )
})

test('who has signed in before Firebase has deleted the user makes no account afterwards, that nobody could sign in to', async () => {
  const person = await harness.signUp()
  const { email, firstName, lastName, firebaseUid: uid } = person
  await firebase.fault({ match: { path: 'accounts:delete' }, status: 503, times: 1_000_000 })
  const deletion = await erase(person)
  await deletion.until('mail', 'done')
  // A sign-in has whole seconds: one in the second of the erasure is from before.
  const newcomer = await until('the sign-in counts', async () => {
    const { idToken } = await harness.sims.google.do('firebase-sign-in', { uid, email })
    const caller = createCaller(harness.urls.api, idToken)
    return (await caller.get('/v1/account')).body.code === 'no_account' && caller
  })
  await firebase.clearFaults()
  await deletion.fastForward('2 hours')
  await deletion.until('firebase', 'done')
  const refused = await newcomer.post('/v1/accounts', { email, firstName, lastName })
  expect([refused.status, refused.body.code]).toEqual([401, 'unauthenticated'])
})

test('a deletion run without receipt and seal after a restore becomes operator tasks, and no step is shown as done', async () => {
  const { person, sub } = await signUpWithApple()
  await apple.fault({ match: { path: '/auth/revoke' }, status: 503, times: 1_000_000 })
  const deletion = await erase(person)
  await deletion.until('mail', 'done')
  await sql`delete from deletions where receipt_id = ${deletion.receiptId}`
  await apple.clearFaults()
  await deletion.fastForward('91 days')
  expect(await harness.temporal.workflow.getHandle(deletion.workflowId).result()).toEqual({ complete: false })
  const tasks =
    await sql`select kind from attention where subject_id = ${deletion.receiptId} and detail = 'receipt_lost' order by 1`
  expect(tasks.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['deletion_apple', 'deletion_database']))
  expect(await grantsOf(sub)).toMatchObject([{ revokedAt: null }])
})

test('an erasure step is done when Stripe’s customer was deleted there, or Firebase does not know the person', async () => {
  const person = await harness.signUp()
  await harness.buy(person, { pay: false, order: { savedCards: true } })
  const [account] = await sql<Pick<Accounts, 'stripe_customer_id'>[]>`
    select stripe_customer_id from accounts where id = ${person.accountId}`
  const deleted = await fetch(`${harness.sims.stripe.url}/v1/customers/${account?.stripe_customer_id}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${harness.config.STRIPE_SECRET_KEY}` },
  })
  expect(deleted.status).toBe(200)
  await loseOrders(sql, person.accountId)
  const email = 'unknown-at-firebase@people.example'
  const { idToken } = await harness.sims.google.do('firebase-sign-in', { uid: 'nobody-there', email })
  const otherPerson = await createCaller(harness.urls.api, idToken).post('/v1/accounts', {
    email,
    firstName: 'Un',
    lastName: 'Known',
  })
  const unknown = {
    ...person,
    accountId: expectStatus(otherPerson, 201).id,
    caller: createCaller(harness.urls.api, idToken),
  }
  const [first, second] = [await erase(person), await erase(unknown)]
  expect(await first.until('stripe', 'done')).toMatchObject({ code: 'already_gone' })
  expect(await second.until('firebase', 'done')).toMatchObject({ code: 'already_gone' })
})

test('a customer that Stripe has no record of was not deleted: an operator decides after three days', async () => {
  const person = await harness.signUp()
  await sql`update accounts set stripe_customer_id = 'cus_unknown' where id = ${person.accountId}`
  const deletion = await erase(person)
  await deletion.fastForward('2 days')
  expect(await deletion.states()).toMatchObject({ stripe: 'pending' })
  await deletion.fastForward('2 days')
  expect(await deletion.until('stripe', 'needs_operator')).toMatchObject({ code: 'unknown_customer' })
})
