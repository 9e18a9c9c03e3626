/** Whoever ends the sign-in at Apple, around a new consent and around a deletion here, in every order of the events. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createSignInEvents } from '../../api/runs/sign-in-events.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { tableEncryption } from '../../db/crypto/column-encryption.ts'
import { milliseconds } from '../../policy/periods.ts'
import type { Delivery } from '../../sim/webhooks.ts'
import { describeRun, startUnlessOpen } from '../../temporal/runs.ts'
import {
  accountDeletionType,
  accountDeletionWorkflowId,
  deletionStart,
} from '../../workflows/account-deletion.contract.ts'
import type { Surfer } from '../harness/browser.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { deleteAccount } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { until, untilValue } from '../harness/until.ts'
import { visit } from '../harness/visits.ts'

const harness = await shareStack()
const { apple, mailbox } = harness.sims
const { sql, cipher } = harness.context
const minutesAgo = (minutes: number): number => Date.now() - minutes * milliseconds.minute

/** A person who has linked Apple an hour ago, with an address of their own or Apple's relay. */
async function linked(by: 'address' | 'relay' = 'address'): Promise<{ person: Person; sub: string }> {
  const { sub, idToken, code } = await apple.do('sign-in', { private: by === 'relay' })
  const apples = { apple: { identityToken: idToken, authorizationCode: code } }
  const person = await harness.signUp({ account: by === 'relay' ? { ...apples, email: undefined } : apples })
  await sql`update identities set linked_at = linked_at - interval '1 hour' where account_id = ${person.accountId}`
  return { person, sub }
}

/** The person agrees at Apple once more, and gives the app a new code. */
async function agreeAgain({ accountId }: Person, sub: string): Promise<void> {
  const { idToken, code } = await apple.do('sign-in', { sub })
  const body = { apple: { identityToken: idToken, authorizationCode: code } }
  expectStatus(await harness.service.post(`/v1/accounts/${accountId}/sign-ins`, body), 200)
}

async function notify(type: string, sub: string, at: number): Promise<void> {
  const { jti } = await apple.do('notify', { type, sub, at })
  expect(await answerTo(jti)).toBe(200)
}

async function answerTo(jti: string): Promise<unknown> {
  const isAnswered = ({ id, status }: Delivery) => id === jti && Number(status) > 0
  return (await until('it is answered', async () => (await apple.state()).deliveries.find(isAnswered))).status
}

const linksOf = ({ accountId }: Person) => sql`select 1 from identities where account_id = ${accountId}`
const grantsOf = async (sub: string) => (await apple.state()).grants.filter((grant) => grant.sub === sub)
const isSignedIn = async (surfer: Surfer): Promise<boolean> =>
  (await surfer.open('/account/data')).html.includes('action="/account/profile"')
const mailStateOf = async ({ accountId }: Person) =>
  (await sql`select mail_state from accounts where id = ${accountId}`)[0]?.mail_state
const unlinkedMails = async ({ email }: Person) =>
  (await mailsTo(harness.stack, email)).filter(({ subject }) => subject === 'Sign in with Apple is off')
const runsOf = async ({ accountId }: Person) => {
  const runs: string[] = []
  const query = `AccountRef = '${cipher.accountRef(accountId)}'`
  for await (const { workflowId } of harness.temporal.workflow.list({ query })) runs.push(workflowId)
  return runs
}

test('a consent that was given anew stays when the end of the earlier one is reported, and older sign-ins end', async () => {
  const { person, sub } = await linked()
  const before = await visit(harness.stack, person)
  await sql`update web_sessions set signed_in_at = signed_in_at - interval '30 minutes' where account_id = ${person.accountId}`
  await agreeAgain(person, sub)
  const since = await visit(harness.stack, person)
  await notify('consent-revoked', sub, minutesAgo(10))
  await until('what was signed in before is signed out', async () => !(await isSignedIn(before)))
  expect([await isSignedIn(since), (await linksOf(person)).length]).toEqual([true, 1])
  expect(await unlinkedMails(person)).toEqual([])
  const deletion = await deleteAccount(harness.stack, person, harness.service)
  await deletion.until('apple', 'done')
  expect((await grantsOf(sub)).at(-1)?.revokedAt).not.toBeNull()
})

test('a consent that was given anew ends when that is reported', async () => {
  const { person, sub } = await linked()
  await agreeAgain(person, sub)
  await notify('consent-revoked', sub, Date.now())
  await untilValue(
    'the mail is there',
    () => unlinkedMails(person),
    (mails) => mails.length === 1,
  )
  expect(await linksOf(person)).toHaveLength(0)
})

test.each([
  ['email-disabled', 'bounced'],
  ['email-enabled', 'ok'],
])('Apple’s %s counts, whether or not the person has agreed anew since', async (type, state) => {
  const { person, sub } = await linked('relay')
  if (type === 'email-enabled') await notify('email-disabled', sub, minutesAgo(20))
  await agreeAgain(person, sub)
  await notify(type, sub, minutesAgo(10))
  expect(await mailStateOf(person)).toBe(state)
})

test.each([
  ['an address of iCloud that the event names', 'hidden-by-apple@icloud.com', 'hidden-by-apple@icloud.com', 'bounced'],
  ['another address than the one that the event names', 'own@icloud.com', 'hidden-by-apple@icloud.com', 'ok'],
  ['an address of the relay, of which the event names none', '1a2b@privaterelay.appleid.com', undefined, 'bounced'],
  ['an address of its new domain, of which the event names none', '3c4d@private.icloud.com', undefined, 'bounced'],
  ['an own address, where the event names none', 'own@people.example', undefined, 'ok'],
])('Apple’s email-disabled is held against %s or not', async (_what, address, named, state) => {
  const { person, sub: subject } = await linked()
  const email = `${randomUUID()}-${address}`
  const key = await harness.context.dataKeys.get(sql, person.accountId)
  await sql`update accounts set email = ${tableEncryption(cipher, key, 'accounts').seal('email', email)}
    where id = ${person.accountId}`
  const relay = named && { email: email.replace(address, named) }
  const event = { type: 'email-disabled', subject, ...relay, eventId: randomUUID(), at: new Date() } as const
  await createSignInEvents({ ...harness.context, temporal: harness.temporal }).fromApple(event)
  expect(await mailStateOf(person)).toBe(state)
})

/** Who waits for this transaction. */
const blocked = (tx: Transaction) => tx`
  select distinct pid from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))`

test('a deletion that Apple’s owner asks for is made, although one for inactivity has just begun that finds the account in use', async () => {
  const { person, sub } = await linked()
  const start = deletionStart(
    { accountRef: cipher.accountRef(person.accountId), reason: 'inactivity' },
    harness.config.TEMPORAL_TASK_QUEUE,
  )
  // Neither is asked by the transaction for which the deletion waits.
  const begin = AsyncLocalStorage.bind(() => startUnlessOpen(harness.temporal, { type: accountDeletionType, ...start }))
  const report = AsyncLocalStorage.bind(() => apple.do('notify', { type: 'account-deleted', sub }))
  const { jti } = await sql.begin(async (tx) => {
    await tx`select 1 from accounts where id = ${person.accountId} for update`
    await begin()
    await until('the deletion waits for the account', async () => (await blocked(tx)).length > 0)
    return report()
  })
  expect(await answerTo(jti)).toBe(200)
  await until('the account is gone', async () => {
    return (await harness.service.get(`/v1/accounts/${person.accountId}`)).status === 404
  })
  const [row] = await sql`select reason from deletions where account_ref = ${cipher.accountRef(person.accountId)}`
  expect(row?.reason).toBe('sign_in_account_deleted')
})

test.each(['consent-revoked', 'account-deleted', 'email-disabled', 'email-enabled'])(
  'Apple’s %s about a person who was erased changes nothing, and leaves nothing',
  async (type) => {
    const { person, sub } = await linked()
    const deletion = await deleteAccount(harness.stack, person, harness.service)
    await deletion.until('apple', 'done')
    await notify(type, sub, Date.now())
    expect(await sql`select 1 from security_log where account_id = ${person.accountId}`).toHaveLength(0)
    expect(await sql`select 1 from sign_in_events where account_id = ${person.accountId}`).toHaveLength(0)
    await deletion.fastForward('12 minutes')
    await deletion.until('temporal', 'done')
    expect(await runsOf(person)).toEqual([])
  },
)

test('who ends the sign-in at Apple and then deletes the account gets the last mail alone, and Apple is not asked', async () => {
  const { person, sub } = await linked()
  await mailbox.do('rule', { recipient: person.email, code: 451 })
  await notify('consent-revoked', sub, Date.now())
  await until('the link is gone', async () => (await linksOf(person)).length === 0)
  const deletion = await deleteAccount(harness.stack, person, harness.service)
  expect(await deletion.states()).toMatchObject({ apple: 'nothing_held' })
  await mailbox.do('clear-rules')
  await deletion.fastForward('12 minutes')
  await deletion.until('mail', 'done')
  await deletion.until('temporal', 'done')
  const mails = await mailsTo(harness.stack, person.email)
  expect(mails.map(({ subject, text }) => [subject, text.includes(deletion.receiptId)])).toEqual([
    [expect.any(String), true],
  ])
  expect(await runsOf(person)).toEqual([])
})

test('the end at Apple of an erased person leaves an account that was made since as it is', async () => {
  const { person, sub } = await linked()
  const deletion = await deleteAccount(harness.stack, person, harness.service)
  await deletion.until('apple', 'done')
  const revokedAt = Date.now()
  const { idToken, code } = await apple.do('sign-in', { sub })
  const body = {
    email: `${randomUUID()}@people.example`,
    firstName: 'Back',
    lastName: 'Again',
    apple: { identityToken: idToken, authorizationCode: code },
  }
  const { id } = expectStatus(await harness.service.post('/v1/accounts', body), 201)
  await notify('account-deleted', sub, revokedAt)
  await notify('consent-revoked', sub, revokedAt)
  expect(await linksOf({ ...person, accountId: id })).toHaveLength(1)
  expect((await harness.service.get(`/v1/accounts/${id}`)).status).toBe(200)
  expect(await describeRun(harness.temporal, accountDeletionWorkflowId(cipher.accountRef(id)))).toBeUndefined()
})
