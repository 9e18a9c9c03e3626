/**
 * GDPR articles 33 and 34: whose data was read is found at once, the authority has its clock, each person gets a mail.
 */
import { randomUUID } from 'node:crypto'
import pMap from 'p-map'
import { expect, test } from 'vitest'
import { defaultAnswering } from '../../api/http/answering.ts'
import { insertOtherAccounts } from '../../bench/other-accounts.ts'
import { ensureDays } from '../../db/access/daily-partitions.ts'
import { createApiKey } from '../../db/api-keys.ts'
import type { Attention } from '../../db/connection/schema.ts'
import { fastForward } from '../../temporal/time-skipping.ts'
import { breachWorkflowId } from '../../workflows/breach/breach.contract.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { holdTable } from '../harness/database/held-table.ts'
import { deleteAccount } from '../harness/deletions.ts'
import { openHarness } from '../harness/harness.ts'
import { createCaller, expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { until } from '../harness/until.ts'

const bounceToken = 'breach-bounces-are-handed-in-here'
const harness = await openHarness({ books: false, settings: { MAIL_BOUNCE_TOKEN: bounceToken } })
const { sql } = harness.context

const texts = {
  nature: 'A key of ours was stolen and used.',
  consequences: 'Mails that pretend to be ours.',
  measures: 'The key was revoked.',
  contact: 'dpo@ama-esim.example',
}
const open = async (scope: object) =>
  expectStatus(await harness.operator.post('/v1/breaches', { ...scope, ...texts }), 201)
const read = async (id: string) => expectStatus(await harness.operator.get(`/v1/breaches/${id}`), 200)
const tasksOf = (id: string) =>
  sql`select kind, resolved_at is null as open from attention where subject_id = ${id} order by kind`

/** Reads that were under way when the breach was opened are counted a little later; nobody is notified before. */
const untilCounted = (id: string) => fastForward(harness.temporal, breachWorkflowId(id), '1 minute')

async function stolenKey() {
  const { id, token } = await createApiKey(sql, { kind: 'operator', label: 'stolen', at: new Date() })
  return { id, caller: createCaller(harness.urls.api, token) }
}

async function peopleOf(id: string): Promise<{ accountId: string; fields: string[]; mail: string | null }[]> {
  const found: { accountId: string; fields: string[]; mail: string | null }[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = cursor === '' ? '?limit=100' : `?limit=100&cursor=${cursor}`
    const page = expectStatus(await harness.operator.get(`/v1/breaches/${id}/people${query}`), 200)
    found.push(...page.items)
    cursor = page.nextCursor
  }
  return found
}

test('of 100,000 accounts exactly the 137 that a key has read by four routes are found, in the time of one answer', {
  timeout: 300_000,
}, async () => {
  const now = new Date()
  await insertOtherAccounts(sql, 100_000, new Date(now.getTime() - 86_400_000), now)
  await ensureDays(sql, 'access_log', new Date(now.getTime() - 9 * 86_400_000), 10)
  // Three reads of each by others, spread over nine days.
  await sql`
    insert into access_log (at, account_id, actor_kind, actor_id, route, fields, request_id)
    select now() - random() * interval '9 days', a.id, 'service', 'another-key', 'GET /v1/accounts/{id}', '{account}', 'x'
    from accounts a, generate_series(1, 3) where a.policy_version = 'x'`
  const people = await pMap(Array.from({ length: 137 }), () => harness.signUp({ device: false }), { concurrency: 4 })
  const key = await stolenKey()
  const ofList = people.slice(100, 120)
  const ofOrders = people.slice(120)
  await pMap(ofList, (person) => person.caller.post('/v1/privacy-requests', { kind: 'access', message: 'Mine?' }), {
    concurrency: 4,
  })
  await pMap(ofOrders, (person) => harness.buy(person, { pay: false }), { concurrency: 4 })
  const by: [Person[], (person: Person) => string][] = [
    [people.slice(0, 60), ({ accountId }) => `/v1/accounts/${accountId}`],
    [people.slice(60, 100), ({ accountId }) => `/v1/accounts/${accountId}/accesses`],
    [ofList, ({ accountId }) => `/v1/privacy-requests?accountId=${accountId}`],
    [ofOrders, ({ accountId }) => `/v1/orders?accountId=${accountId}`],
  ]
  for (const [some, path] of by) {
    await pMap(some, async (person) => expectStatus(await key.caller.get(path(person)), 200), { concurrency: 4 })
  }
  // One request finds all of them, and it gets its answer within the API's time or none: in less than half a minute.
  const breach = await open({ keyId: key.id, revokeKey: true })
  expect(defaultAnswering.usual).toBeLessThan(30_000)
  const found = await peopleOf(breach.id)
  expect(found.map(({ accountId }) => accountId).sort()).toEqual(people.map(({ accountId }) => accountId).sort())
  expect(breach).toMatchObject({
    people: 137,
    reads: 137,
    fields: ['accesses', 'account', 'orders', 'privacyRequests'],
  })
  expect((await key.caller.get('/v1/orders')).status).toBe(401)
})

test('each person is told once with what was read, and the breach closes when the authority is told, too', async () => {
  const people = [await harness.signUp(), await harness.signUp()]
  const key = await stolenKey()
  for (const { accountId } of people) await key.caller.get(`/v1/accounts/${accountId}`)
  const { id } = await open({ keyId: key.id })
  expect(
    expectStatus(await harness.operator.post(`/v1/breaches/${id}/people`, { tell: true }), 200).peopleDecision,
  ).toBe('tell')
  await untilCounted(id)
  const areNotified = async () => (await read(id)).peopleToldAt
  await until('the people are told', areNotified)
  expect(expectStatus(await harness.operator.post(`/v1/breaches/${id}/people`, { tell: true }), 200).state).toBe('open')
  for (const { email, firstName } of people) {
    const mails = (await mailsTo(harness.stack, email)).filter(
      ({ subject }) => subject === 'Somebody has seen your data',
    )
    expect(mails).toHaveLength(1)
    for (const text of [firstName, texts.nature, texts.contact, 'phone number, IP addresses'])
      expect(mails[0]?.text).toContain(text)
  }
  expect((await peopleOf(id)).map(({ mail }) => mail)).toEqual(['sent', 'sent'])
  const refused = await harness.operator.post(`/v1/breaches/${id}/people`, { tell: false, because: 'No.' })
  expect([refused.status, refused.body.code]).toEqual([409, 'breach_state_conflict'])
  const toldAt = new Date().toISOString()
  expectStatus(await harness.operator.post(`/v1/breaches/${id}/authority`, { toldAt, reference: 'IMI-7' }), 200)
  await until('it is closed', async () => (await read(id)).state === 'closed')
  expect(await read(id)).toMatchObject({ overdue: false, authorityToldAt: toldAt, authorityReference: 'IMI-7' })
})

test('R4: a read that is under way when its key is revoked is in the breach, and its person is told', async () => {
  const [before, underWay] = [await harness.signUp(), await harness.signUp()]
  const key = await stolenKey()
  expectStatus(await key.caller.get(`/v1/accounts/${before.accountId}`), 200)
  expectStatus(await underWay.caller.post('/v1/privacy-requests', { kind: 'access', message: 'Mine?' }), 201)
  // The handler waits for this table; the key was valid when the request came.
  const held = await holdTable(sql, 'privacy_requests')
  const answer = key.caller.get(`/v1/privacy-requests?accountId=${underWay.accountId}`)
  await until('the request waits', async () => {
    const [waiting] = await sql`select from pg_locks l join pg_class c on c.oid = l.relation
      where c.relname = 'privacy_requests' and not l.granted`
    return waiting
  })
  const { id } = await open({ keyId: key.id, revokeKey: true })
  await held.release()
  expect((await answer).status).toBe(200)
  expect(await read(id)).toMatchObject({ people: 1, reads: 1 })
  expectStatus(await harness.operator.post(`/v1/breaches/${id}/people`, { tell: true }), 200)
  expect((await read(id)).peopleToldAt).toBeNull()
  await untilCounted(id)
  await until('the people are told', async () => (await read(id)).peopleToldAt)
  expect(await read(id)).toMatchObject({ people: 2, reads: 2, fields: ['account', 'privacyRequests'] })
  expect((await peopleOf(id)).map(({ mail }) => mail)).toEqual(['sent', 'sent'])
})

test('R4: operators learn of people who are found after the decision to tell nobody', async () => {
  const person = await harness.signUp()
  const key = await stolenKey()
  const { id } = await open({ keyId: key.id })
  expectStatus(
    await harness.operator.post(`/v1/breaches/${id}/people`, { tell: false, because: 'Nobody was read.' }),
    200,
  )
  expectStatus(await key.caller.get(`/v1/accounts/${person.accountId}`), 200)
  await untilCounted(id)
  await until('a task', async () => (await tasksOf(id)).some(({ kind }) => kind === 'breach_people_found_later'))
  expect(await read(id)).toMatchObject({ people: 1, state: 'open' })
})

test('R4: people whose mail is refused or comes back count as not reached, also when the breach is closed', async () => {
  const [refused, returned, reached] = [await harness.signUp(), await harness.signUp(), await harness.signUp()]
  const key = await stolenKey()
  for (const { accountId } of [refused, returned, reached]) await key.caller.get(`/v1/accounts/${accountId}`)
  await harness.sims.mailbox.do('rule', { recipient: refused.email, code: 550 })
  const { id } = await open({ keyId: key.id })
  expectStatus(await harness.operator.post(`/v1/breaches/${id}/people`, { tell: true }), 200)
  const none = { notToldBecause: 'Unlikely to be a risk.' }
  expectStatus(await harness.operator.post(`/v1/breaches/${id}/authority`, none), 200)
  await untilCounted(id)
  await until('it is closed', async () => (await read(id)).state === 'closed')
  const unreached = async () =>
    (
      await sql<Pick<Attention, 'attributes' | 'resolved_at'>[]>`
        select attributes, resolved_at from attention where subject_id = ${id} and kind = 'breach_people_unreached'`
    )[0]
  expect(await unreached()).toEqual({ attributes: { people: 1 }, resolved_at: null })

  const mail = (await mailsTo(harness.stack, returned.email)).at(-1)
  const url = `${harness.urls.api}/v1/webhooks/mail-bounces/${bounceToken}`
  await harness.sims.mailbox.do('bounce', { messageId: mail?.messageId, status: '5.1.1', url })
  await until('both count', async () => (await unreached())?.attributes?.people === 2)
  expect((await unreached())?.resolved_at).toBeNull()
})

test('the authority’s form has everything that article 33(3) asks for', async () => {
  const person = await harness.signUp()
  const key = await stolenKey()
  await key.caller.get(`/v1/accounts/${person.accountId}`)
  const { id } = await open({ keyId: key.id })
  const form = await harness.operator.get(`/v1/breaches/${id}/authority-form`)
  expect(form.headers.get('content-disposition')).toContain(`breach-${id}.md`)
  const wanted = [
    ...Object.values(texts),
    'data subjects: 1',
    'records: 1',
    'e-mail address',
    '3AM GROUP L.L.C.',
    'article 34',
  ]
  for (const text of wanted) expect(form.text).toContain(text)
  for (const text of [person.accountId, person.email]) expect(form.text).not.toContain(text)
})

test('operators are reminded on the way to the 72 hours, and after them it is overdue for everybody to see', async () => {
  const { id } = await open({ from: new Date(Date.now() - 1_000).toISOString() })
  const workflowId = breachWorkflowId(id)
  const forward = (duration: '25 hours' | '42 hours' | '7 hours' | '24 hours') =>
    fastForward(harness.temporal, workflowId, duration)
  const mails = async () => {
    const all = await mailsTo(harness.stack, harness.config.SUPPORT_MAIL)
    return all.filter(({ text }) => text.includes(id)).map(({ subject }) => subject)
  }
  await forward('25 hours')
  await until('a reminder', async () => (await mails()).length === 1)
  await forward('42 hours')
  await until('the escalation', async () => (await mails()).some((subject) => subject.startsWith('URGENT')))
  expect((await read(id)).overdue).toBe(false)
  await forward('7 hours')
  await until('it is late', async () => (await mails()).some((subject) => subject.startsWith('OVERDUE')))
  expect((await read(id)).overdue).toBe(true)
  expect((await tasksOf(id)).map(({ kind }) => kind)).toEqual(['breach_due', 'breach_escalated', 'breach_late'])
  const { searchAttributes } = await harness.temporal.workflow.getHandle(workflowId).describe()
  expect(searchAttributes.Stage).toEqual(['late'])
  const form = await harness.operator.get(`/v1/breaches/${id}/authority-form`)
  expect(form.status).toBe(200)
  expectStatus(await harness.operator.post(`/v1/breaches/${id}/authority`, { notToldBecause: 'Nobody was read.' }), 200)
  const none = { tell: false, because: 'Nobody was read.' }
  expectStatus(await harness.operator.post(`/v1/breaches/${id}/people`, none), 200)
  await until('it is closed', async () => (await read(id)).state === 'closed')
  expect((await tasksOf(id)).every((task) => task.open === false)).toBe(true)
})

test('a breach that is entered a month late reminds once', async () => {
  const aware = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString()
  const from = new Date(Date.now() - 1_000).toISOString()
  const { id } = await open({ from, awareAt: aware(30) })
  const mails = async () =>
    (await mailsTo(harness.stack, harness.config.SUPPORT_MAIL)).filter(({ text }) => text.includes(id))
  await until('the reminder', async () => (await mails()).length > 0)
  await until('the next is planned', async () => {
    const { raw } = await harness.temporal.workflow.getHandle(breachWorkflowId(id)).describe()
    return !raw.pendingWorkflowTask && (raw.pendingActivities ?? []).length === 0
  })
  expect((await mails()).map(({ subject }) => subject)).toEqual([expect.stringMatching(/^OVERDUE/)])
  expectStatus(await harness.operator.post('/v1/breaches', { ...texts, from, awareAt: aware(367) }), 400)
})

test('a person who is erased is in no breach any more, and still counts', async () => {
  const [person, other] = [await harness.signUp(), await harness.signUp()]
  const key = await stolenKey()
  for (const { accountId } of [person, other]) await key.caller.get(`/v1/accounts/${accountId}`)
  const { id } = await open({ keyId: key.id })
  await deleteAccount(harness.stack, person)
  expect((await peopleOf(id)).map(({ accountId }) => accountId)).toEqual([other.accountId])
  expect((await read(id)).people).toBe(2)
})

test('a breach needs a scope, times in the past, and an operator; a repeated request opens one', async () => {
  const fault = async (body: object) =>
    (await harness.operator.post('/v1/breaches', { ...texts, ...body })).body.errors?.[0]?.field
  expect(await fault({})).toBe('keyId')
  expect(await fault({ keyId: 'x', until: '2099-01-01T00:00:00Z' })).toBe('until')
  expect(await fault({ keyId: 'x', awareAt: '2099-01-01T00:00:00Z' })).toBe('awareAt')
  expect(await fault({ session: 'x', revokeKey: true })).toBe('revokeKey')
  expect((await harness.service.post('/v1/breaches', { keyId: 'x', ...texts })).status).toBe(403)
  const headers = { 'idempotency-key': randomUUID() }
  const twice = await Promise.all(
    [1, 2, 3].map(() => harness.operator.post('/v1/breaches', { keyId: 'x', ...texts }, headers)),
  )
  expect(new Set(twice.map(({ body }) => body.id)).size).toBe(1)
  expect(twice[0]).toMatchObject({ status: 201, body: { people: 0, reads: 0 } })
})

test.each([
  ['before we were aware', '0001-01-01T00:00:00Z'],
  ['in the future', '9999-12-31T23:59:59Z'],
])('R4: the authority cannot have been told %s', async (_when, toldAt) => {
  const { id } = await open({ from: new Date(Date.now() - 60_000).toISOString() })
  const refused = await harness.operator.post(`/v1/breaches/${id}/authority`, { toldAt })
  expect([refused.status, refused.body.errors?.[0]?.field]).toEqual([400, 'toldAt'])
  expect(await read(id)).toMatchObject({ authorityToldAt: null })
})
