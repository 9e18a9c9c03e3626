/**
 * N2, a material change is mailed at least 30 days before, and GDPR article 34: a notice that came back reaches the
 * person once they have an address that takes mail, and moves no date.
 */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { breachMailKind, raiseUnreached } from '../../db/access/breaches.ts'
import { emailIndexOf, markMailBounced } from '../../db/accounts.ts'
import type { Accounts, Attention } from '../../db/connection/schema.ts'
import { applyEmailChange, insertEmailChange, openEmailChange } from '../../db/email-changes.ts'
import { claimSend, recordSendResult } from '../../db/sends.ts'
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

  await fastForward(harness.temporal, policyNoticeWorkflowId('missed'), '34 days')
  const policy = expectStatus(await harness.anonymous.get('/v1/policies/missed'), 200)
  expect(policy).toMatchObject({ state: 'in_force', effectiveAt, movedFrom: null })
})

test('N2: that a version is withdrawn reaches the corrected address, too', async () => {
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

test('N2: an address at Apple’s relay that takes mail again gets what it has refused', async () => {
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

test('a person who was not reached about a breach is told at the corrected address, and the task closes', async () => {
  const person = await harness.signUp()
  const [breachId, personId, at] = [randomUUID(), randomUUID(), new Date()]
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
    account_id: person.accountId,
    fields: ['account'],
    reads: 1,
    first_at: at,
    last_at: at,
  })}`
  const send = { subjectId: personId, kind: breachMailKind, accountId: person.accountId, messageRef: randomUUID() }
  await claimSend(sql, send, at)
  await recordSendResult(sql, send, 'failed', at, '5.1.1')
  await markMailBounced(sql, person.accountId, emailIndexOf(harness.context, person.email))
  await raiseUnreached(sql, breachId, at)
  const openTasks = () => sql<Pick<Attention, 'kind'>[]>`
    select kind from attention where subject_id = ${breachId} and resolved_at is null`
  expect(await openTasks()).toEqual([{ kind: 'breach_people_unreached' }])
  expect(await keepHouse()).toMatchObject({ breaches: 0 })

  const email = another()
  await changeAddress({ id: person.accountId, email: person.email }, email)
  expect(await keepHouse()).toMatchObject({ breaches: 1 })
  expect((await mailsTo(harness.stack, email)).map(({ text }) => text.includes('A laptop was stolen.'))).toEqual([true])
  expect([await openTasks(), await keepHouse()]).toEqual([[], expect.objectContaining({ breaches: 0 })])
  await sql`delete from breaches where id = ${breachId}`
})
