/**
 * N2, a material change is mailed at least 30 days before, and GDPR article 34: a notice that came back reaches the
 * person once they have an address that takes mail, and moves no date.
 */
import { randomUUID } from 'node:crypto'
import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, test } from 'vitest'
import { createMissedNoticeActivities } from '../../activities/housekeeping/missed-notices.ts'
import { messageIdOf } from '../../activities/sending/send-mail.ts'
import { breachMailKind, raiseUnreached } from '../../db/access/breaches.ts'
import { emailIndexOf, markMailBounced } from '../../db/accounts.ts'
import type { Accounts, Attention } from '../../db/connection/schema.ts'
import { applyEmailChange, insertEmailChange, openEmailChange } from '../../db/email-changes.ts'
import { claimSend, recordBounce, recordSendResult } from '../../db/sends.ts'
import { milliseconds } from '../../policy/periods.ts'
import { plusDays, plusMs, startOfDay } from '../../shared/calendar.ts'
import { fastForward } from '../../temporal/time-skipping.ts'
import { type HousekeepingReport, housekeepingType } from '../../workflows/housekeeping/housekeeping.contract.ts'
import { policyNoticeState, policyNoticeWorkflowId } from '../../workflows/policy-notice.contract.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { bounceToken, shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { runLater } from '../harness/temporal/run-later.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack()
const { sql } = harness.context
const { mailbox, apple } = harness.sims
const { operator } = harness

const another = () => `${randomUUID()}@new.example`

async function post(version: string): Promise<{ effectiveAt: string }> {
  const posted = await operator.post('/v1/policies', {
    version,
    title: 'Privacy policy',
    text: '## What we keep\n\nLess.',
    changes: ['We keep one thing less.'],
    effectiveAt: plusDays(startOfDay(new Date()), 33).toISOString(),
    material: true,
  })
  const policy = expectStatus(posted, 201)
  await until('everybody is told', async () => {
    const run = harness.temporal.workflow.getHandle(policyNoticeWorkflowId(version))
    return (await run.query(policyNoticeState)).status === 'waiting'
  })
  return policy
}

const withdraw = async (version: string) => expectStatus(await operator.post(`/v1/policies/${version}/withdraw`), 200)

/** The subjects of the mails to an address about a change of the policy. */
async function noticesTo(address: string): Promise<string[]> {
  const mails = await mailsTo(harness.stack, address)
  return mails.filter(({ subject }) => /privacy policy/.test(subject)).map(({ subject }) => subject)
}

/** The newest mail about the policy to an address comes back as one to nobody. */
async function bounce(address: string): Promise<void> {
  const mail = await until(`a notice to ${address}`, async () =>
    (await mailsTo(harness.stack, address)).findLast(({ subject }) => /privacy policy/.test(subject)),
  )
  const before = (await mailbox.state()).bounces.length
  const url = `${harness.urls.api}/v1/webhooks/mail-bounces/${bounceToken}`
  await mailbox.do('bounce', { messageId: mail.messageId, status: '5.1.1', url })
  await until('it is handed in', async () => {
    const { bounces } = await mailbox.state()
    return bounces.length > before && bounces.every(({ status }) => status === 204)
  })
}

/** Gives an account another address, as a change does to which both have agreed. */
async function changeAddress(account: { id: string; email: string }, newEmail: string): Promise<void> {
  const id = randomUUID()
  const at = new Date()
  const change = { id, accountId: account.id, oldEmail: account.email, newEmail, at, expiresAt: plusMs(at, 60_000) }
  await insertEmailChange(sql, harness.context, change, { most: 5, since: at })
  await openEmailChange(sql, id)
  expect(await applyEmailChange(sql, harness.context, id, at)).toBe('changed')
}

const keepHouse = async () => (await runLater<HousekeepingReport>(harness.stack, housekeepingType, 0)).missedNotices

test('N2: a notice that came back is mailed to the corrected address, once, and moves no date', async () => {
  const person = await harness.signUp()
  const { effectiveAt } = await post('missed')
  await bounce(person.email)
  // Nobody is mailed at an address that is dead.
  expect(await keepHouse()).toMatchObject({ policies: 0 })
  const email = another()
  await changeAddress({ id: person.accountId, email: person.email }, email)
  expect(await keepHouse()).toMatchObject({ policies: 1 })
  expect(await noticesTo(email)).toEqual([expect.stringMatching(/changes on/)])
  expect(await keepHouse()).toMatchObject({ policies: 0 })
  expect((await noticesTo(email)).length).toBe(1)
  const { unreached } = expectStatus(await operator.get('/v1/policies/missed/notices'), 200)
  expect(unreached.items).toEqual([])

  // The new address is misspelt: the next one gets it.
  await bounce(email)
  const third = another()
  await changeAddress({ id: person.accountId, email }, third)
  expect(await keepHouse()).toMatchObject({ policies: 1 })
  expect((await noticesTo(third)).length).toBe(1)

  // Its mail server says so once more, which is nothing about the third one.
  await bounce(email)
  const [row] = await sql<
    Pick<Accounts, 'mail_state'>[]
  >`select mail_state from accounts where id = ${person.accountId}`
  expect(row?.mail_state).toBe('ok')
  const given = expectStatus(await operator.get('/v1/policies/missed/notices'), 200)
  expect(given.unreached.items).toEqual([])
  expect(await keepHouse()).toMatchObject({ policies: 0 })

  await fastForward(harness.temporal, policyNoticeWorkflowId('missed'), '34 days')
  const policy = expectStatus(await harness.anonymous.get('/v1/policies/missed'), 200)
  expect(policy).toMatchObject({ state: 'in_force', effectiveAt, movedFrom: null })
})

test('N2: that a version is withdrawn reaches the corrected address, too', { tags: 'long' }, async () => {
  const person = await harness.signUp()
  await post('missed-and-withdrawn')
  await withdraw('missed-and-withdrawn')
  await until('the withdrawal is mailed', async () => (await noticesTo(person.email)).length === 2)
  await bounce(person.email)
  const email = another()
  await changeAddress({ id: person.accountId, email: person.email }, email)
  expect(await keepHouse()).toMatchObject({ policies: 1 })
  expect(await noticesTo(email)).toEqual([expect.stringMatching(/stays as it is/)])
})

test('N2: an address at Apple’s relay that takes mail again gets what it has refused', { tags: 'long' }, async () => {
  const { sub, idToken, code } = await apple.do('sign-in', { private: true })
  const signIn = { identityToken: idToken, authorizationCode: code }
  const { accountId } = await harness.signUp({ account: { email: undefined, apple: signIn } })
  const { email } = expectStatus(await harness.service.get(`/v1/accounts/${accountId}`), 200)
  await post('missed-at-the-relay')
  await bounce(email)
  await apple.do('notify', { type: 'email-enabled', sub })
  await until('mail is on', async () => {
    const [row] = await sql<Pick<Accounts, 'mail_state'>[]>`select mail_state from accounts where id = ${accountId}`
    return row?.mail_state === 'ok'
  })
  expect(await keepHouse()).toMatchObject({ policies: 1 })
  expect((await noticesTo(email)).length).toBe(2)
  await withdraw('missed-at-the-relay')
})

interface ToldPerson {
  breachId: string
  personId: string
  accountId: string
  email: string
  send: { subjectId: string; kind: string; accountId: string; messageRef: string }
}

/** A person whose mail about a closed breach came back; the address is dead. @param told before now */
async function missedPerson({ toldBeforeMs = 0 } = {}): Promise<ToldPerson> {
  const { accountId, email } = await harness.signUp()
  const [breachId, personId, at] = [randomUUID(), randomUUID(), plusMs(new Date(), -toldBeforeMs)]
  await sql`insert into breaches ${sql({
    id: breachId,
    state: 'closed',
    read_from: at,
    read_until: at,
    nature: 'A laptop was stolen.',
    consequences: 'Names may be known.',
    measures: 'The key is revoked.',
    contact: 'support@example.com',
    aware_at: at,
    authority_due_at: at,
    opened_at: at,
    opened_by: 'test',
    people_decision: 'tell',
    people_told_at: at,
    closed_at: at,
  })}`
  await sql`insert into breach_people ${sql({
    id: personId,
    breach_id: breachId,
    account_id: accountId,
    fields: ['account'],
    reads: 1,
    first_at: at,
    last_at: at,
  })}`
  const messageRef = messageIdOf(harness.context, { subjectId: personId, kind: breachMailKind }).slice(1, 37)
  const send = { subjectId: personId, kind: breachMailKind, accountId, messageRef }
  await claimSend(sql, send, at)
  await recordSendResult(sql, send, 'failed', at, '5.1.1')
  await markMailBounced(sql, accountId, emailIndexOf(harness.context, email))
  await raiseUnreached(sql, breachId, at)
  return { breachId, personId, accountId, email, send }
}

async function moveAway({ accountId: id, email }: ToldPerson): Promise<string> {
  const to = another()
  await changeAddress({ id, email }, to)
  return to
}

const openTasks = ({ breachId }: ToldPerson) => sql<Pick<Attention, 'kind'>[]>`
  select kind from attention where subject_id = ${breachId} and resolved_at is null`

const forget = (...people: ToldPerson[]) =>
  sql`delete from breaches where id = any(${people.map(({ breachId }) => breachId)})`

test('a person who was not reached about a breach is told at the corrected address, and the task closes', async () => {
  const person = await missedPerson()
  expect(await openTasks(person)).toEqual([{ kind: 'breach_people_unreached' }])
  expect(await keepHouse()).toMatchObject({ breaches: 0 })

  const email = await moveAway(person)
  expect(await keepHouse()).toMatchObject({ breaches: 1 })
  expect((await mailsTo(harness.stack, email)).map(({ text }) => text.includes('A laptop was stolen.'))).toEqual([true])
  expect([await openTasks(person), await keepHouse()]).toEqual([[], expect.objectContaining({ breaches: 0 })])

  // A late bounce of the first mail is not about the new address.
  expect(await recordBounce(sql, person.send.messageRef, '5.1.1')).toBeUndefined()
  await forget(person)
})

/** One attempt, so many hours after the first. */
async function attempt(hours: number, asOf = new Date()) {
  const environment = new MockActivityEnvironment({
    scheduledTimestampMs: asOf.getTime() - hours * milliseconds.hour,
    currentAttemptScheduledTimestampMs: asOf.getTime(),
  })
  const { sendMissedNotices } = createMissedNoticeActivities(harness.context)
  return environment.run(sendMissedNotices, { asOf: asOf.toISOString() })
}

test('a mailbox that puts the mail off keeps it from nobody, and counts as dead after three days', {
  tags: 'long',
}, async () => {
  const people = [await missedPerson(), await missedPerson(), await missedPerson()].sort((a, b) =>
    a.personId < b.personId ? -1 : 1,
  )
  const [first, ...others] = people
  if (!first) throw new Error('nobody')
  const addresses = await Promise.all(people.map(moveAway))
  await mailbox.do('rule', { recipient: addresses[0], code: 450 })
  const now = new Date()
  await expect(attempt(0, now)).rejects.toMatchObject({ type: 'MailUnavailable' })
  const mails = await Promise.all(addresses.map(async (address) => (await mailsTo(harness.stack, address)).length))
  expect(mails).toEqual([0, 1, 1])
  expect(await Promise.all([...others, first].map(async (person) => (await openTasks(person)).length))).toEqual([
    0, 0, 0,
  ])
  // What is left after half a day is the next day's.
  expect(await attempt(13, now)).toEqual({ policies: 0, breaches: 0 })
  await expect(attempt(0, plusDays(now, 2))).rejects.toMatchObject({ type: 'MailUnavailable' })
  expect(await attempt(0, plusDays(now, 3))).toEqual({ policies: 0, breaches: 0 })
  expect(await openTasks(first)).toEqual([{ kind: 'breach_people_unreached' }])
  await mailbox.do('clear-rules')
  // It is not the next address.
  expect(await attempt(0, plusDays(now, 4))).toEqual({ policies: 0, breaches: 0 })
  await forget(...people)
})

test('what an operator has closed is not raised again by a repetition', async () => {
  const person = await missedPerson()
  await sql`update attention set resolved_at = now(), resolved_by = 'operator:ann' where subject_id = ${person.breachId}`
  await raiseUnreached(sql, person.breachId, new Date())
  expect(await openTasks(person)).toEqual([])
  await forget(person)
})

test('nobody is mailed about a breach of which the others were told more than a year ago', async () => {
  const [old, recent] = [
    await missedPerson({ toldBeforeMs: 366 * milliseconds.day }),
    await missedPerson({ toldBeforeMs: 364 * milliseconds.day }),
  ]
  const [oldAddress, recentAddress] = [await moveAway(old), await moveAway(recent)]
  expect(await attempt(0)).toEqual({ policies: 0, breaches: 1 })
  expect((await mailsTo(harness.stack, recentAddress)).length).toBe(1)
  expect(await mailsTo(harness.stack, oldAddress)).toEqual([])
  await forget(old, recent)
})
