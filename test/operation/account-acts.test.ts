/**
 * What operators do to accounts, on the console and by the API: each with a reason, an entry, and the role that it
 * needs.
 */
import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import type { EmailChanges, OperatorActs } from '../../db/connection/schema.ts'
import type { Surfer } from '../harness/browser.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
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
  for (const [role, may] of [
    ['support', ['note', 'sign-out']],
    ['finance', ['note']],
    ['privacy', ['note', 'waive-old-address', 'child-report']],
    ['admin', ['note', 'sign-out', 'waive-old-address', 'child-report']],
  ] as const) {
    const { surfer: their } = await surferOf(harness, role)
    const { html } = await their.open(pageOf(person))
    for (const name of ['note', 'sign-out', 'waive-old-address', 'child-report'] as const) {
      const form = `${pageOf(person)}/${name}`
      const isAllowed = may.some((each) => each === name)
      expect([role, name, html.includes(`href="${form}"`)]).toEqual([role, name, isAllowed])
      expect([role, name, (await their.open(form)).status]).toEqual([role, name, isAllowed ? 200 : 403])
    }
  }
})
