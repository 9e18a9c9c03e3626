/**
 * G2 and U3: a mail that comes back says something of the address that it went to. The account of the mail may have
 * another one: the new address of a change may be misspelt, the old one dead, and an operator's mailbox gone.
 */
import { randomUUID } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { emailIndexOf, markMailBounced } from '../../db/accounts.ts'
import type { Accounts, Attention, EmailChanges, Sends } from '../../db/connection/schema.ts'
import { applyEmailChange, insertEmailChange, openEmailChange } from '../../db/email-changes.ts'
import { plusDays, plusMs, startOfDay } from '../../shared/calendar.ts'
import { fastForward } from '../../temporal/time-skipping.ts'
import { privacyRequestWorkflowId } from '../../workflows/privacy-request.contract.ts'
import { insertAccounts } from '../harness/bystanders.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { bounceToken, shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { until, untilValue } from '../harness/until.ts'

const harness = await shareStack()
const { sql } = harness.context
const { mailbox } = harness.sims

beforeEach(() => mailbox.do('clear-rules'))

const another = () => `${randomUUID()}@new.example`

type Mail = Awaited<ReturnType<typeof mailsTo>>[number]

const about = (subject: RegExp) => (mail: Mail) => subject.test(mail.subject)

/** The last mail of a kind to an address comes back as one to nobody. */
async function bounce(address: string, isWanted: (mail: Mail) => boolean = () => true): Promise<void> {
  const mail = await until(`a mail to ${address}`, async () =>
    (await mailsTo(harness.stack, address)).findLast(isWanted),
  )
  const before = (await mailbox.state()).bounces.length
  const url = `${harness.urls.api}/v1/webhooks/mail-bounces/${bounceToken}`
  await mailbox.do('bounce', { messageId: mail.messageId, status: '5.1.1', url })
  await until('it is handed in', async () => {
    const { bounces } = await mailbox.state()
    return bounces.length > before && bounces.every(({ status }) => status === 204)
  })
}

async function mailStateOf(accountId: string): Promise<string | undefined> {
  const [row] = await sql<Pick<Accounts, 'mail_state'>[]>`select mail_state from accounts where id = ${accountId}`
  return row?.mail_state
}

async function changeOf(accountId: string): Promise<string> {
  const [row] = await sql<Pick<EmailChanges, 'id'>[]>`
    select id from email_changes where account_id = ${accountId} order by requested_at desc limit 1`
  return row?.id ?? ''
}

const tasksAbout = (subject: string) =>
  sql<Pick<Attention, 'kind' | 'detail'>[]>`select kind, detail from attention where subject_id = ${subject}`

/** Gives an account another address, as a change does to which both have agreed. */
async function changeAddress(account: { id: string; email: string }, newEmail: string): Promise<void> {
  const id = randomUUID()
  const at = new Date()
  const change = { id, accountId: account.id, oldEmail: account.email, newEmail, at, expiresAt: plusMs(at, 60_000) }
  await insertEmailChange(sql, harness.context, change, { most: 5, since: at })
  await openEmailChange(sql, id)
  expect(await applyEmailChange(sql, harness.context, id, at)).toBe('changed')
}

test('the misspelt new address of a change comes back: the account keeps its address as one that takes mail', async () => {
  const person = await harness.signUp()
  const misspelt = another()
  expectStatus(await person.caller.post(`/v1/accounts/${person.accountId}/email-change`, { email: misspelt }), 202)
  await bounce(misspelt, about(/Confirm your new address/))
  expect(await mailStateOf(person.accountId)).toBe('ok')
  expect(await tasksAbout(await changeOf(person.accountId))).toEqual([
    { kind: 'email_change_unreachable', detail: 'new' },
  ])
  // An address that is dead is that of the account as long as it has it.
  await bounce(person.email, about(/Do you want to change/))
  expect(await mailStateOf(person.accountId)).toBe('bounced')
})

test('the farewell to the dead old address comes back: the new one takes mail, and nobody has to do anything', async () => {
  const person = await harness.signUp()
  const email = another()
  expectStatus(await person.caller.post(`/v1/accounts/${person.accountId}/email-change`, { email }), 202)
  for (const address of [person.email, email]) {
    const mail = await until('the link', async () => (await mailsTo(harness.stack, address)).at(-1))
    const url = /https?:\/\/\S+\/email-change\/[\w-]{43}/.exec(mail.text)?.[0] ?? ''
    await fetch(url, { method: 'POST', body: new URLSearchParams(), headers: { 'sec-fetch-site': 'same-origin' } })
  }
  const id = await changeOf(person.accountId)
  await bounce(person.email, about(/Your address was changed/))
  expect([await mailStateOf(person.accountId), await tasksAbout(id)]).toEqual(['ok', []])
})

test('a mail to the address that a person has left meanwhile comes back: an operator may send it again', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  await until('the mail is sent', async () => (await mailsTo(harness.stack, person.email)).length > 0)
  await changeAddress({ id: person.accountId, email: person.email }, another())
  await bounce(person.email)
  expect(await mailStateOf(person.accountId)).toBe('ok')
  expect(await tasksAbout(order.id)).toEqual([{ kind: 'mail_bounced', detail: '5.1.1' }])
  await sql`delete from attention where subject_id = ${order.id}`
})

test('the mailbox of the operators is gone: the person whose privacy request waits keeps their address', async () => {
  const person = await harness.signUp()
  const asked = await person.caller.post('/v1/privacy-requests', { kind: 'access', message: 'What do you hold?' })
  const { id } = expectStatus(asked, 201)
  await fastForward(harness.temporal, privacyRequestWorkflowId(id), '29 days')
  await bounce(harness.config.SUPPORT_MAIL)
  expect(await mailStateOf(person.accountId)).toBe('ok')
  expect((await tasksAbout(id)).map(({ kind }) => kind)).toContain('mail_bounced')
})

test.each(['acknowledgement', 'answer'])(
  'G6: the %s of a privacy request that comes back from a dead address is an operator task',
  async (mail) => {
    const person = await harness.signUp()
    const asked = await person.caller.post('/v1/privacy-requests', { kind: 'access', message: 'What do you hold?' })
    const { id } = expectStatus(asked, 201)
    if (mail === 'answer') {
      const answer = { answerKind: 'granted', answer: 'Nothing but this.' }
      expectStatus(await harness.operator.post(`/v1/privacy-requests/${id}/resolve`, answer), 202)
    }
    const kind = `mail:${mail}%`
    await until('it is sent', async () => {
      const [sent] = await sql<Pick<Sends, 'state'>[]>`
      select state from sends where subject_id = ${id} and kind like ${kind}`
      return sent?.state === 'sent'
    })
    const [sent] = await sql<Pick<Sends, 'message_ref'>[]>`
    select message_ref from sends where subject_id = ${id} and kind like ${kind}`
    await bounce(person.email, ({ messageId }) => messageId.includes(sent?.message_ref ?? 'none'))
    expect(await mailStateOf(person.accountId)).toBe('bounced')
    expect(await tasksAbout(id)).toEqual([{ kind: 'mail_bounced', detail: '5.1.1' }])
  },
)

test('U4: a campaign goes to the address that a person has when their mail is sent', { tags: 'long' }, async () => {
  await sql`update accounts set promotions = false`
  const wanted = await insertAccounts(harness.context, 40, { promotions: true })
  // Accounts are mailed in the order of their ids.
  const last = wanted.at(-1)
  if (!last) throw new Error('there are no accounts')
  await mailbox.do('rule', { recipient: '@people.example', delayMs: 100 })
  const subject = `Offer ${randomUUID()}`
  const { id } = expectStatus(await harness.operator.post('/v1/campaigns', { subject, paragraphs: ['Look.'] }), 201)
  const read = async () => expectStatus(await harness.operator.get(`/v1/campaigns/${id}`), 200)
  await until('it has begun', async () => (await read()).deliveries.sent > 0)
  const email = another()
  await changeAddress(last, email)
  await untilValue('it ends', read, ({ state }) => state === 'done')
  const to = async (address: string) => (await mailsTo(harness.stack, address)).map((mail) => mail.subject)
  expect([await to(last.email), await to(email)]).toEqual([[], [subject]])
  await sql`update accounts set promotions = false`
})

test('N2: a policy notice goes to the address that a person has when their mail is sent', async () => {
  const people = await insertAccounts(harness.context, 200)
  const last = people.at(-1)
  if (!last) throw new Error('there are no accounts')
  await mailbox.do('rule', { recipient: '@people.example', delayMs: 60 })
  const version = 'of-another-address'
  const posted = {
    version,
    title: 'Privacy policy',
    text: 'As before, and one thing less.',
    changes: ['We keep one thing less.'],
    effectiveAt: plusDays(startOfDay(new Date()), 33).toISOString(),
    material: true,
  }
  expectStatus(await harness.operator.post('/v1/policies', posted), 201)
  const sent = async (): Promise<number> => {
    const { notices } = expectStatus(await harness.operator.get(`/v1/policies/${version}/notices`), 200)
    return notices.find(({ notice }: { notice: string }) => notice === 'announced')?.sent ?? 0
  }
  await until('it has begun', async () => (await sent()) > 0)
  const email = another()
  await changeAddress(last, email)
  await mailbox.do('clear-rules')
  await until('it is sent to all', async () => {
    const [left] = await sql`
      select 1 from accounts a where policy_version <> ${version} and not exists (
        select from policy_deliveries d where d.account_id = a.id and d.version = ${version} and d.state = 'sent')`
    return left === undefined
  })
  const to = async (address: string) => (await mailsTo(harness.stack, address)).length
  expect([await to(last.email), await to(email)]).toEqual([0, 1])
  expectStatus(await harness.operator.post(`/v1/policies/${version}/withdraw`), 200)
})

test('an address that refuses mail is marked only while the account has it', async () => {
  const [{ id, email } = { id: '', email: '' }] = await insertAccounts(harness.context, 1)
  const refused = (address: string | null) =>
    markMailBounced(sql, id, address === null ? null : emailIndexOf(harness.context, address))
  expect(await refused(another())).toBe('another')
  expect(await mailStateOf(id)).toBe('ok')
  expect(await refused(email.toUpperCase())).toBe('marked')
  expect(await mailStateOf(id)).toBe('bounced')
  expect(await markMailBounced(sql, randomUUID(), null)).toBe('missing')
})
