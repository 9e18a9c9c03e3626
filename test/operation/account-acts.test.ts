/**
 * What operators do to accounts, on the console and by the API: each with a reason, an entry, and the role that it
 * needs.
 */
import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { accountActNames } from '../../api/routes/console/account-acts.ts'
import type { EmailChanges, OperatorActs } from '../../db/connection/schema.ts'
import type { Surfer } from '../harness/browser.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { until } from '../harness/until.ts'
import { surferOf } from './operator-surfer.ts'

const harness = await shareStack()
const { sql } = harness.context
const { operator } = harness

let surfer: Surfer
let actor: string

beforeAll(async () => {
  ;({ surfer, actor } = await surferOf(harness, 'privacy'))
})

const pageOf = (person: Person) => `/console/accounts/${person.accountId}`

async function askToChange(person: Person): Promise<{ email: string; id: string }> {
  const email = `${randomUUID()}@new.example`
  expectStatus(await person.caller.post(`/v1/accounts/${person.accountId}/email-change`, { email }), 202)
  const [row] = await sql<Pick<EmailChanges, 'id'>[]>`
    select id from email_changes where account_id = ${person.accountId} and state = 'open'`
  return { email, id: row?.id ?? '' }
}

const waivedBy = async (id: string): Promise<string | null> =>
  (await sql<EmailChanges[]>`select * from email_changes where id = ${id}`)[0]?.old_waived_by ?? null

const actsOf = (person: Person) =>
  sql<OperatorActs[]>`select * from operator_acts where account_id = ${person.accountId} order by asked_at, id`

test('G2: the consent of an old address is waived by a form with a reason, and the account says who did it and why', async () => {
  const person = await harness.signUp()
  const page = pageOf(person)
  const form = `${page}/waive-old-address`
  expect((await surfer.open(page)).html).not.toContain(`href="${form}"`)
  expect((await surfer.open(form)).status).toBe(404)
  const { email, id } = await askToChange(person)
  expect((await surfer.open(page)).html).toContain(`href="${form}"`)
  const { html } = await surfer.open(form)
  for (const address of [person.email, email]) expect(html).toContain(address)

  const unsaid = await surfer.submit(form, form, { reason: 'no' })
  expect(unsaid.status).toBe(422)
  expect(unsaid.html).toMatch(/<textarea[^>]*aria-invalid="true"/)
  expect(unsaid.html).toContain(`name="change" value="${id}"`)
  expect(unsaid.html).toContain(email)
  expect(await waivedBy(id)).toBeNull()

  const sent = await surfer.submit(form, form, { reason: 'they have shown their passport' })
  expect([sent.status, sent.location]).toEqual([303, page])
  expect(await waivedBy(id)).toBe(actor)
  expect(await actsOf(person)).toMatchObject([
    { act: 'waive-old-address', operator: actor, state: 'done', reason: 'they have shown their passport' },
  ])
  const shown = (await surfer.open(page)).html
  expect(shown).toContain('waive old address: they have shown their passport')
  // The timeline does not say that the person has agreed.
  expect(shown).toContain('waived the consent of the old address')
  expect(shown).not.toContain('agreed from the old address')
  expect(shown).not.toContain(`href="${form}"`)
})

test('G2: a form about a change of address waives no other one that was asked for since', async () => {
  const person = await harness.signUp()
  const form = `${pageOf(person)}/waive-old-address`
  const first = await askToChange(person)
  const { html } = await surfer.open(form)
  const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? ''
  const second = await askToChange(person)
  expect(second.id).not.toBe(first.id)
  const fields = { csrf: hidden('csrf'), once: hidden('once'), change: hidden('change'), reason: 'they have called' }
  const stale = await surfer.post(form, fields)
  expect([stale.status, stale.html]).toEqual([422, expect.stringContaining('Another change of address was asked for')])
  expect(stale.html).toContain('they have called</textarea>')
  expect([await waivedBy(first.id), await waivedBy(second.id)]).toEqual([null, null])
  expect(await actsOf(person)).toMatchObject([{ state: 'refused', code: 'email_change_state_conflict' }])
})

test('G2: a program that names the new address waives no other change of address', async () => {
  const person = await harness.signUp()
  const path = `/v1/accounts/${person.accountId}/email-change/waive-old`
  const asked = await askToChange(person)
  const replaced = await askToChange(person)
  const waive = (newEmail: string) => operator.post(path, { newEmail, reason: 'they have shown their passport' })
  const stale = await waive(asked.email)
  expect([stale.status, stale.body.code]).toEqual([409, 'email_change_state_conflict'])
  expect([await waivedBy(asked.id), await waivedBy(replaced.id)]).toEqual([null, null])
  expectStatus(await waive(replaced.email.toUpperCase()), 200)
  expect(await waivedBy(replaced.id)).toMatch(/^operator:/)
})

test('K1: the account of a child is deleted by a form with a reason; who did it stays on record, and nothing of the child', async () => {
  const person = await harness.signUp()
  const form = `${pageOf(person)}/child-report`
  expect((await surfer.open(pageOf(person))).html).toContain(`href="${form}"`)
  expect((await surfer.submit(form, form, { reason: '' })).status).toBe(422)
  const { html } = await surfer.open(form)
  const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? ''
  const reason = `a parent has called, case ${randomUUID().slice(0, 4)}x`
  const fields = { csrf: hidden('csrf'), once: hidden('once'), reason }
  const [sent, again] = [await surfer.post(form, fields), await surfer.post(form, fields)]
  expect([sent.status, sent.location]).toEqual([303, expect.stringMatching(/^\/receipts\/[\w-]+$/)])
  expect([again.status, again.location]).toEqual([303, sent.location])
  // The receipt does not say what was done, and no other page does it in its place.
  expect((await surfer.open(pageOf(await harness.signUp()))).html).not.toContain('Done: ')
  expect((await harness.service.get(`/v1/accounts/${person.accountId}`)).status).toBe(404)
  const receipt = String(sent.location).replace('/receipts/', '/v1/deletions/')
  expect(expectStatus(await harness.anonymous.get(receipt), 200)).toMatchObject({ reason: 'child' })
  expect(await sql<OperatorActs[]>`select * from operator_acts where reason = ${reason}`).toMatchObject([
    { account_id: null, order_id: null, subject: null, act: 'child-report', operator: actor, state: 'done' },
  ])
})

test('G3: the account of a person who reaches neither it nor its mail is deleted by whoever answers their request', async () => {
  const [caller, other] = [await harness.signUp(), await harness.signUp()]
  const form = `${pageOf(caller)}/delete`
  expect((await surfer.submit(form, form, { reason: '' })).status).toBe(422)
  const reason = `they have shown their passport, case ${randomUUID().slice(0, 4)}x`
  const sent = await surfer.submit(form, form, { reason })
  expect([sent.status, sent.location]).toEqual([303, expect.stringMatching(/^\/receipts\/[\w-]+$/)])
  const receipt = String(sent.location).replace('/receipts/', '/v1/deletions/')
  expect(expectStatus(await harness.anonymous.get(receipt), 200)).toMatchObject({ reason: 'requested' })
  const byProgram = (of: Person, why: string) =>
    operator.delete(`/v1/accounts/${of.accountId}?reason=${encodeURIComponent(why)}`)
  expect((await byProgram(other, 'for a@b.example')).status).toBe(400)
  const { receiptId } = expectStatus(await byProgram(other, reason), 200)
  expect(expectStatus(await byProgram(other, reason), 200).receiptId).toBe(receiptId)
  const entry = { account_id: null, act: 'delete', state: 'done' }
  expect(
    await sql<OperatorActs[]>`select * from operator_acts where reason = ${reason} order by asked_at`,
  ).toMatchObject([
    { ...entry, operator: actor },
    { ...entry, operator: expect.stringMatching(/^operator:[0-9a-f]{16}$/) },
  ])
  // A person has no reason to give.
  const person = await harness.signUp()
  expect((await person.caller.delete(`/v1/accounts/${person.accountId}?reason=why`)).status).toBe(400)
})

test('G6: a privacy request that came by phone is entered once by whoever took the call, and acknowledged', async () => {
  const person = await harness.signUp()
  const { surfer: support, actor: by } = await surferOf(harness, 'support')
  const form = `${pageOf(person)}/enter-request`
  const message = `Delete me, ${randomUUID()}`
  const reason = 'they have called'
  const { html: empty } = await support.open(form)
  const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(empty)?.[1] ?? ''
  const typed = { csrf: hidden('csrf'), once: hidden('once'), kind: 'erasure', reason }
  for (const wrong of [
    { message: '' },
    { message, received: '2020-01-01' },
    { message, received: '2999-01-01' },
    { message, received: 'yesterday' },
    { message, replyTo: 'nowhere' },
  ]) {
    const refused = await support.post(form, { ...typed, ...wrong })
    expect([wrong, refused.status, refused.html.match(/aria-invalid="true"/g)?.length]).toEqual([wrong, 422, 1])
  }
  const received = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10)
  for (let sending = 0; sending < 2; sending += 1) {
    const sent = await support.post(form, { ...typed, message, received })
    expect([sent.status, sent.location]).toEqual([303, pageOf(person)])
  }
  const { items } = expectStatus(await operator.get(`/v1/privacy-requests?accountId=${person.accountId}`), 200)
  expect(items).toMatchObject([{ kind: 'erasure', state: 'open', receivedAt: `${received}T00:00:00.000Z` }])
  expect((await surfer.open(`/console/privacy-requests/${items[0].id}`)).html).toContain(message)
  expect(await actsOf(person)).toMatchObject([
    { act: 'enter', subject: 'erasure', operator: by, state: 'done', reason },
  ])
  expect((await support.open(pageOf(person))).html).not.toContain(message)
  await until('the acknowledgement', async () =>
    (await mailsTo(harness.stack, person.email)).some(({ text }) => text.includes(items[0].reference)),
  )
})

test('G6: a privacy request of somebody without an account is entered with the address to answer', async () => {
  const form = '/console/enter-request'
  expect((await surfer.open('/console/privacy-requests')).html).toContain(`href="${form}"`)
  const sent = { kind: 'access', message: 'What do you hold?', reason: 'a letter' }
  expect((await surfer.submit(form, form, sent)).status).toBe(422)
  const replyTo = `${randomUUID()}@letters.example`
  const done = await surfer.submit(form, form, { ...sent, replyTo })
  expect([done.status, done.location]).toEqual([303, '/console/privacy-requests'])
  const { privacyRequests } = expectStatus(await operator.post('/v1/operator/search', { query: replyTo }), 200)
  expect(privacyRequests).toMatchObject([{ accountId: null }])
})

test('a person whose phone was stolen is signed out everywhere during the call, and by a program', async () => {
  const [stolen, other] = [await harness.signUp(), await harness.signUp()]
  const { id } = await askToChange(stolen)
  const { surfer: support, actor: by } = await surferOf(harness, 'support')
  const form = `${pageOf(stolen)}/sign-out`
  expect((await support.submit(form, form, { reason: '' })).status).toBe(422)
  const sent = await support.submit(form, form, { reason: 'the phone was stolen' })
  expect([sent.status, sent.location]).toEqual([303, pageOf(stolen)])
  const own = (of: Person) => of.caller.get(`/v1/accounts/${of.accountId}`)
  expect([(await own(stolen)).status, (await own(other)).status]).toEqual([401, 200])
  const [change] = await sql<EmailChanges[]>`select * from email_changes where id = ${id}`
  expect(change?.state).toBe('cancelled')
  expect((await support.open(pageOf(stolen))).html).toContain('sign out: the phone was stolen')
  const signOut = (body: object) => operator.post(`/v1/accounts/${other.accountId}/sign-out`, body)
  expect((await signOut({ reason: 'for a@b.example' })).status).toBe(400)
  const { signedOutAt } = expectStatus(await signOut({ reason: 'they have called' }), 200)
  expect(Date.parse(signedOutAt)).toBeLessThanOrEqual(Date.now())
  expect((await own(other)).status).toBe(401)
  const entry = { act: 'sign-out', state: 'done' }
  expect(await actsOf(stolen)).toMatchObject([{ ...entry, operator: by, reason: 'the phone was stolen' }])
  expect(await actsOf(other)).toMatchObject([{ ...entry, reason: 'they have called' }])
})

test('what an operator’s program does to an account has an entry, with its reason where it gives one', async () => {
  const [person, other, child] = [await harness.signUp(), await harness.signUp(), await harness.signUp()]
  const waive = (of: Person, body?: object) =>
    operator.post(`/v1/accounts/${of.accountId}/email-change/waive-old`, body)
  expect((await waive(person, { reason: 'they have called' })).status).toBe(404)
  for (const each of [person, other]) await askToChange(each)
  expect((await waive(person, { reason: 'for a@b.example' })).status).toBe(400)
  expect(expectStatus(await waive(person, { reason: 'they have called' }), 200).oldConfirmedAt).not.toBeNull()
  // Programs of before this send no reason.
  expectStatus(await waive(other), 200)
  const by = expect.stringMatching(/^operator:[0-9a-f]{16}$/)
  const entry = { act: 'waive-old-address', operator: by, state: 'done' }
  expect(await actsOf(person)).toMatchObject([{ ...entry, reason: 'they have called' }])
  expect(await actsOf(other)).toMatchObject([{ ...entry, reason: null }])

  const reason = `a parent has called, case ${randomUUID().slice(0, 4)}x`
  const report = () => operator.post(`/v1/accounts/${child.accountId}/child-report`, { reason })
  const { receiptId } = expectStatus(await report(), 200)
  expect(expectStatus(await report(), 200).receiptId).toBe(receiptId)
  // The second one has found nothing to do.
  expect(await sql<OperatorActs[]>`select * from operator_acts where reason = ${reason}`).toMatchObject([
    { account_id: null, act: 'child-report', operator: by, state: 'done' },
  ])
})

test('each role is offered the acts on an account that it may do, and is refused the others', async () => {
  const person = await harness.signUp()
  await askToChange(person)
  const all = [...accountActNames, 'enter-request'] as const
  for (const [role, may] of [
    ['support', ['note', 'sign-out', 'enter-request']],
    ['finance', ['note', 'enter-request']],
    ['privacy', ['note', 'waive-old-address', 'delete', 'child-report', 'enter-request']],
    ['admin', all],
  ] as const) {
    const { surfer: their } = await surferOf(harness, role)
    const { html } = await their.open(pageOf(person))
    for (const name of all) {
      const form = `${pageOf(person)}/${name}`
      const isAllowed = may.some((each) => each === name)
      expect([role, name, html.includes(`href="${form}"`)]).toEqual([role, name, isAllowed])
      expect([role, name, (await their.open(form)).status]).toEqual([role, name, isAllowed ? 200 : 403])
    }
  }
})
