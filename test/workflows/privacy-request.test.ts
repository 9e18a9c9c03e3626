import { randomUUID } from 'node:crypto'
import type { Duration } from '@temporalio/common'
import { expect, test } from 'vitest'
import type { Attention, OperatorActs } from '../../db/connection/schema.ts'
import { searchAttributes } from '../../shared/search-attributes.ts'
import { fastForward } from '../../temporal/time-skipping.ts'
import { privacyRequestWorkflowId } from '../../workflows/privacy-request.contract.ts'
import { createSurfer } from '../harness/browser.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus, withId } from '../harness/http.ts'
import { loseAccount } from '../harness/lost.ts'
import { until, untilValue } from '../harness/until.ts'

const harness = await shareStack()
const { sql } = harness.context
const support = harness.config.SUPPORT_MAIL
const day = 24 * 60 * 60 * 1000

const skip = (id: string, duration: Duration) => fastForward(harness.temporal, privacyRequestWorkflowId(id), duration)
const read = async (id: string) => expectStatus(await harness.operator.get(`/v1/privacy-requests/${id}`), 200)
const unknownAddress = () => `${randomUUID()}@elsewhere.example`

async function ask(body: Record<string, unknown> = {}) {
  const replyTo = unknownAddress()
  const given = { kind: 'access', message: 'What do you know of me?', replyTo, ...body }
  const request = expectStatus(await harness.operator.post('/v1/privacy-requests', given), 201)
  const { id } = withId.parse(request)
  return { ...request, id, replyTo: String(given.replyTo) }
}

const openTasks = async (id: string): Promise<string[]> =>
  (
    await sql<Pick<Attention, 'kind'>[]>`
      select kind from attention where subject_id = ${id} and resolved_at is null order by kind`
  ).map(({ kind }) => kind)

/** The run status. */
async function runStatus(id: string) {
  const { typedSearchAttributes: shown } = await harness.temporal.workflow
    .getHandle(privacyRequestWorkflowId(id))
    .describe()
  const { stage, waitingFor, dueAt } = searchAttributes
  return [shown.get(stage), shown.get(waitingFor), shown.get(dueAt)?.toISOString()]
}

const remindersOf = async (reference: string): Promise<string[]> =>
  (await mailsTo(harness.stack, support)).map(({ subject }) => subject).filter((subject) => subject.includes(reference))

const resolve = (
  id: string,
  body: Record<string, unknown> = { answerKind: 'granted', answer: 'This is all:\n\nnothing.' },
) => harness.operator.post(`/v1/privacy-requests/${id}/resolve`, body)

test('G6: a request is acknowledged at once, reminded of on days 14 and 21, escalated on day 27, and late on day 30', async () => {
  const request = await ask()
  const [acknowledged] = await until('the acknowledgement', async () => {
    const mails = await mailsTo(harness.stack, request.replyTo)
    return mails.length > 0 && mails
  })
  expect(acknowledged?.text).toContain(request.reference)
  expect(Date.parse(request.answerBy) - Date.parse(request.receivedAt)).toBe(30 * day)

  const steps: [duration: Duration, tasks: string[], mails: number][] = [
    ['13 days', [], 0],
    ['2 days', ['privacy_request_due'], 1],
    ['5 days', ['privacy_request_due'], 1],
    ['2 days', ['privacy_request_due'], 2],
    ['6 days', ['privacy_request_due', 'privacy_request_escalated'], 3],
    ['3 days', ['privacy_request_due', 'privacy_request_escalated', 'privacy_request_late'], 4],
    ['7 days', ['privacy_request_due', 'privacy_request_escalated', 'privacy_request_late'], 5],
  ]
  for (const [duration, tasks, mails] of steps) {
    await skip(request.id, duration)
    await untilValue(
      `after ${duration} more`,
      () => openTasks(request.id),
      (open) => String(open) === String(tasks),
    )
    await untilValue(
      `mails after ${duration} more`,
      () => remindersOf(request.reference),
      ({ length }) => length === mails,
    )
  }
  const subjects = await remindersOf(request.reference)
  expect(subjects.map((subject) => /waiting|about to be late|LATE/.exec(subject)?.[0])).toEqual([
    'waiting',
    'waiting',
    'about to be late',
    'LATE',
    'LATE',
  ])
  const late = await read(request.id)
  expect([late.state, late.late, late.escalatedAt === null]).toEqual(['open', true, false])
  const asLate = ['late', 'an operator to answer, overdue', request.answerBy]
  expect(await runStatus(request.id)).toEqual(asLate)
  const listed = expectStatus(await harness.operator.get('/v1/privacy-requests?state=late'), 200)
  expect(listed.items.map((item: { id: string }) => item.id)).toContain(request.id)

  // An answer that was not delivered leaves the request late.
  await harness.sims.mailbox.do('rule', { recipient: request.replyTo, code: 550 })
  expectStatus(await resolve(request.id), 202)
  await until('the answer is refused', async () =>
    (await openTasks(request.id)).includes('privacy_request_unreachable'),
  )
  await untilValue(
    'late again',
    () => runStatus(request.id),
    (shown) => String(shown) === String(asLate),
  )
  expectStatus(await resolve(request.id, { answerKind: 'granted', answer: null }), 202)
  await untilValue(
    'answered',
    () => read(request.id),
    ({ state }) => state === 'answered',
  )
  expect(await openTasks(request.id)).toEqual([])
  expect((await read(request.id)).late).toBe(true)
})

test('G6: a request answered at the last moment is answered in time, and is deleted ninety days later', async () => {
  const request = await ask({ kind: 'portability' })
  await skip(request.id, 30 * day - 60 * 60 * 1000)
  expectStatus(await resolve(request.id), 202)
  const answered = await untilValue(
    'answered',
    () => read(request.id),
    ({ state }) => state === 'answered',
  )
  expect([answered.late, answered.answerKind]).toEqual([false, 'granted'])
  expect(Date.parse(answered.answeredAt)).toBeLessThan(Date.parse(answered.answerBy))
  const mails = await mailsTo(harness.stack, request.replyTo)
  expect(mails.map(({ subject }) => subject)).toEqual([
    'We have your privacy request',
    'Our answer to your privacy request',
  ])
  expect(mails[1]?.text).toContain('This is all:')

  expect((await resolve(request.id)).status).toBe(409)
  await skip(request.id, '91 days')
  await until(
    'the request is deleted',
    async () => (await harness.operator.get(`/v1/privacy-requests/${request.id}`)).status === 404,
  )
  const left = await sql`
    select subject_id::text from sends where subject_id = ${request.id} union all
    select subject_id from attention where subject_id = ${request.id} union all
    select resource_id from idempotency_keys where resource_id = ${request.id}`
  expect([...left]).toEqual([])
})

test('a request is answered only once the mail server has accepted the answer', async () => {
  const request = await ask()
  await until('the acknowledgement', async () => (await mailsTo(harness.stack, request.replyTo)).length > 0)
  await harness.sims.mailbox.do('rule', { recipient: request.replyTo, code: 451, times: 3 })
  const resolved = expectStatus(await resolve(request.id), 202)
  expect(resolved.state).toBe('open')
  await skip(request.id, '1 hour')
  await untilValue(
    'answered',
    () => read(request.id),
    ({ state }) => state === 'answered',
  )
  expect((await mailsTo(harness.stack, request.replyTo)).length).toBe(2)
})

test('a request whose answer the address refuses stays open, with an operator task', async () => {
  const request = await ask()
  await until('the acknowledgement', async () => (await mailsTo(harness.stack, request.replyTo)).length > 0)
  await harness.sims.mailbox.do('rule', { recipient: request.replyTo, code: 550 })
  expectStatus(await resolve(request.id), 202)
  await untilValue(
    'there is an operator task',
    () => openTasks(request.id),
    (open) => open.includes('privacy_request_unreachable'),
  )
  const open = await read(request.id)
  expect([open.state, open.answer, open.answerKind]).toEqual(['open', null, null])
  expectStatus(await resolve(request.id, { answerKind: 'granted', answer: null }), 202)
  await untilValue(
    'answered',
    () => read(request.id),
    ({ state }) => state === 'answered',
  )
  expect(await openTasks(request.id)).toEqual([])
})

test('a request is extended once by two months, with a mail about the reason and reminders before the new deadline', async () => {
  const request = await ask()
  await skip(request.id, '15 days')
  const extend = () => harness.operator.post(`/v1/privacy-requests/${request.id}/extend`, { reason: 'complexity' })
  const extended = expectStatus(await extend(), 200)
  expect(Date.parse(extended.answerBy) - Date.parse(request.receivedAt)).toBe(90 * day)
  expect((await extend()).status).toBe(409)
  const mails = await untilValue(
    'the mail about the extension',
    () => mailsTo(harness.stack, request.replyTo),
    ({ length }) => length === 2,
  )
  expect(mails[1]?.text).toContain('more work than most')
  await skip(request.id, '58 days')
  expect(await remindersOf(request.reference)).toHaveLength(1)
  await skip(request.id, '2 days')
  await untilValue(
    'reminded',
    () => remindersOf(request.reference),
    ({ length }) => length === 2,
  )
  expect((await read(request.id)).late).toBe(false)
})

test('what an operator does to a request is on the page of its account, with who and why', async () => {
  const { accountId } = await harness.signUp()
  const request = await ask({ accountId, replyTo: undefined })
  const surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
  const page = `/console/privacy-requests/${request.id}`
  const why = { because: 'complexity', reason: 'two accounts' }
  expect((await surfer.submit(`${page}/extend`, `${page}/extend`, why)).status).toBe(303)
  const again = await harness.operator.post(`/v1/privacy-requests/${request.id}/extend`, { reason: 'complexity' })
  expect(again.status).toBe(409)
  expectStatus(await resolve(request.id, { answerKind: 'refused', answer: null }), 202)
  const acts = await sql<OperatorActs[]>`select * from operator_acts where account_id = ${accountId} order by asked_at`
  expect(acts.map(({ act, reason, state, code }) => [act, reason, state, code])).toEqual([
    ['enter', null, 'done', null],
    ['extend', 'two accounts', 'done', null],
    ['extend', 'complexity', 'refused', 'privacy_request_state_conflict'],
    ['answer', 'refused', 'done', null],
  ])
  expect(new Set(acts.map(({ operator }) => operator)).size).toBe(1)
  expect((await surfer.open(`/console/accounts/${accountId}`)).html).toContain('two accounts')
})

test('a request that is entered after 26 days gets one reminder at once', async () => {
  const request = await ask({ receivedAt: new Date(Date.now() - 26 * day).toISOString() })
  await untilValue(
    'reminded',
    () => remindersOf(request.reference),
    ({ length }) => length === 1,
  )
  await skip(request.id, '2 days')
  await untilValue(
    'escalated',
    () => remindersOf(request.reference),
    ({ length }) => length === 2,
  )
})

test('people see their own requests only', async () => {
  const [anna, ben] = [await harness.signUp(), await harness.signUp()]
  const body = { kind: 'objection', message: 'No more offers, please.' }
  const request = expectStatus(await anna.caller.post('/v1/privacy-requests', body), 201)
  expect(request.accountId).toBe(anna.accountId)
  await until('the acknowledgement', async () => (await mailsTo(harness.stack, anna.email)).length > 0)
  expect((await anna.caller.get(`/v1/privacy-requests/${request.id}`)).body.message).toBe(body.message)
  expect((await ben.caller.get(`/v1/privacy-requests/${request.id}`)).status).toBe(404)
  expect((await ben.caller.post('/v1/privacy-requests', { ...body, accountId: anna.accountId })).status).toBe(404)
  expect((await anna.caller.post('/v1/privacy-requests', { ...body, replyTo: ben.email })).status).toBe(400)
  expect((await harness.service.post('/v1/privacy-requests', body)).status).toBe(400)
  expect((await anna.caller.post(`/v1/privacy-requests/${request.id}/resolve`, {})).status).toBe(403)
  const own = expectStatus(await anna.caller.get('/v1/privacy-requests'), 200)
  expect(own.items.map((item: { id: string }) => item.id)).toEqual([request.id])
  const unknown = await harness.operator.post('/v1/privacy-requests', {
    ...body,
    replyTo: unknownAddress(),
    iccid: '1',
  })
  expect([unknown.status, unknown.body.errors]).toEqual([400, [{ field: 'iccid', reason: 'unknown field' }]])
})

test('a request by mail belongs to the account with the address, and one from before the sign-up is erased with it', async () => {
  const email = unknownAddress()
  const before = await ask({ replyTo: email })
  const person = await harness.signUp({ account: { email } })
  const after = await ask({ replyTo: email.toUpperCase() })
  expect([before.accountId, after.accountId]).toEqual([null, person.accountId])
  await loseAccount(sql, person.accountId)
  for (const { id } of [before, after])
    expect((await harness.operator.get(`/v1/privacy-requests/${id}`)).status).toBe(404)
  await skip(before.id, '15 days')
  const { status } = await harness.temporal.workflow.getHandle(privacyRequestWorkflowId(before.id)).describe()
  expect(status.name).toBe('COMPLETED')
})

test('a request from before the sign-up is answered in the language of the account, and its mails are in the export', async () => {
  const request = await ask()
  await until('the acknowledgement', async () => (await mailsTo(harness.stack, request.replyTo)).length === 1)
  const person = await harness.signUp({ account: { email: request.replyTo, language: 'de' } })
  const said = await mailsTo(harness.stack, request.replyTo)
  expectStatus(await resolve(request.id), 202)
  const mails = await untilValue(
    'the answer',
    async () => (await mailsTo(harness.stack, request.replyTo)).slice(said.length),
    ({ length }) => length > 0,
  )
  expect(mails.map(({ subject }) => subject)).toEqual([expect.stringContaining('Antwort')])
  const exported = expectStatus(await person.caller.get(`/v1/accounts/${person.accountId}/export`), 200)
  const kinds = exported.messages.map(({ kind }: { kind: string }) => kind)
  expect(kinds.toSorted()).toEqual(['mail:acknowledgement', expect.stringMatching(/^mail:answer:/)])
  const stranger = await harness.signUp()
  const others = expectStatus(await stranger.caller.get(`/v1/accounts/${stranger.accountId}/export`), 200)
  expect(others.messages).toEqual([])
})

test('the same request repeated under one idempotency key makes one request and one mail', async () => {
  const replyTo = unknownAddress()
  const body = { kind: 'other', message: 'Hello', replyTo }
  const headers = { 'idempotency-key': randomUUID() }
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => harness.operator.post('/v1/privacy-requests', body, headers)),
  )
  expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1)
  expect(answers.map((answer) => answer.status)).toEqual([201, 201, 201, 201, 201])
  await until('the acknowledgement', async () => (await mailsTo(harness.stack, replyTo)).length === 1)
})

test('a request leaves nothing in histories, log lines or metrics', { tags: 'long' }, async () => {
  const canaries = { message: `message ${randomUUID()}`, address: unknownAddress(), answer: `answer ${randomUUID()}` }
  const request = await ask({ message: canaries.message, replyTo: canaries.address })
  expectStatus(await resolve(request.id, { answerKind: 'refused', answer: canaries.answer }), 202)
  await untilValue(
    'answered',
    () => read(request.id),
    ({ state }) => state === 'answered',
  )
  expect(await harness.findCanaries(canaries)).toEqual([])
})

test('an answer in the form of versions before 0.1.0 that is not stored becomes an operator task, and the request stays open', async () => {
  const { id } = await ask()
  await harness.temporal.workflow
    .getHandle(privacyRequestWorkflowId(id))
    .executeUpdate('resolve', { args: [{ answerKind: 'granted', byMail: true }] })
  await until('an operator has it', async () => (await openTasks(id)).includes('privacy_request_unreachable'))
  await until('it is open', async () => (await runStatus(id))[0] === 'open')
  expectStatus(await resolve(id), 202)
  await until('it is answered', async () => (await read(id)).state === 'answered')
})
