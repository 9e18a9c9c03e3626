/** The operators' acts in a terminal, against a running stack. */
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Attention, OperatorActs } from '../../db/connection/schema.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { startProgram } from '../harness/processes.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack()
const environment = { AMA_API_URL: harness.urls.api, AMA_OPERATOR_KEY: harness.keys.operator }

async function cli(args: string[], env: Record<string, string> = environment) {
  const program = startProgram(process.execPath, ['--import', 'tsx', 'cli/acts.ts', ...args], env)
  const { code } = await program.ended
  return { code, output: program.output() }
}

test('an operator acts on an order in a terminal, with a reason that its timeline shows', async () => {
  const order = await harness.buy(await harness.signUp())
  const act = ['act', String(order.id), 'refund-part', '--amount', '1.50', '--reason', 'the network was down', '--json']
  const [done, noReason, unknown] = await Promise.all([
    cli(act),
    cli(['act', String(order.id), 'note']),
    cli(['dance', String(order.id)]),
  ])
  expect(done.code, done.output).toBe(0)
  expect(JSON.parse(done.output)).toEqual({ orderId: order.id, act: 'refund-part', status: 'delivered' })
  expect(noReason.code, noReason.output).toBe(2)
  expect(noReason.output).toContain('--reason')
  expect(unknown.code).toBe(2)
  const timeline = await cli(['timeline', String(order.id)])
  expect(timeline.output).toContain('refund part of €1.50: the network was down')
})

test('tasks, notes of accounts, privacy requests and disputes are done in a terminal, each with its entry', async () => {
  const { sql } = harness.context
  const person = await harness.signUp()
  const order = await harness.buy(person)
  await raiseOperatorTask(sql, { kind: 'refund_failed', subjectId: order.id, at: new Date() })
  const [task] = await sql<Pick<Attention, 'id'>[]>`select id from attention where subject_id = ${order.id}`
  const { dispute } = await harness.sims.stripe.do('open-dispute', { orderId: order.id })
  await until('the evidence is staged', async () => {
    const [row] = await sql`select evidence_staged_at from disputes where stripe_dispute_id = ${dispute}`
    return row?.evidence_staged_at
  })
  const request = async () =>
    expectStatus(await person.caller.post('/v1/privacy-requests', { kind: 'access', message: 'What?' }), 201).id
  const [asked, slow] = [await request(), await request()]
  const file = join(tmpdir(), `answer-${asked}`)
  await writeFile(file, 'All of this.')
  const addressFile = join(tmpdir(), `address-${asked}`)
  const reason = ['--reason', 'the shift of tonight']
  const inCommand = await cli(['account', 'waive-old-address', person.accountId, '--new-email', 'x', ...reason])
  expect([inCommand.code, inCommand.output]).toEqual([2, expect.stringContaining('--new-email-file')])
  const nothingRead = await cli(['search', '-'])
  expect([nothingRead.code, nothingRead.output]).toEqual([1, expect.stringContaining('query')])
  const listed = await cli(['tasks', '--json'])
  expect(listed.output).toContain(task?.id)
  const selected = { act: 'apologise', selection: { statuses: ['in_review'] }, reason: 'the review took a day' }
  const bulk = expectStatus(await harness.operator.post('/v1/bulk-actions', selected), 201).id
  const [child, other] = [await harness.signUp(), await harness.signUp()]
  const email = `new.${person.email}`
  expectStatus(await person.caller.post(`/v1/accounts/${person.accountId}/email-change`, { email }), 202)
  await writeFile(addressFile, `${email}\n`)
  for (const args of [
    ['task', 'settle', task?.id ?? ''],
    ['account', 'child-report', child.accountId],
    ['account', 'delete', child.accountId],
    ['privacy', 'enter', 'access', '--message-file', file],
    ['bulk', 'cancel', bulk],
    ['privacy', 'extend', slow, '--because', 'complexity'],
    ['privacy', 'answer', asked, '--outcome', 'granted', '--answer-file', file],
  ]) {
    const unsaid = await cli(args)
    expect([args, unsaid.code, unsaid.output]).toEqual([args, 2, expect.stringContaining('--reason')])
  }
  const ofNobody = ['the bank is busy', '--json']
  expect((await cli(['bulk', 'cancel', bulk, '--reason', ...ofNobody])).code).toBe(0)
  expect((await cli(['account', 'child-report', child.accountId, '--reason', ...ofNobody])).code).toBe(0)
  const gone = await harness.signUp()
  expect((await cli(['account', 'delete', gone.accountId, '--reason', ...ofNobody])).code).toBe(0)
  expect((await harness.service.get(`/v1/accounts/${gone.accountId}`)).status).toBe(404)
  const withoutAccount = await sql<Pick<OperatorActs, 'act'>[]>`
    select act from operator_acts where account_id is null and reason = 'the bank is busy' order by asked_at`
  expect(withoutAccount.map(({ act }) => act)).toEqual(['cancel-bulk-action', 'child-report', 'delete'])
  for (const args of [
    ...['take', 'note', 'settle'].map((name) => ['task', name, task?.id ?? '', ...reason]),
    ['account', 'note', person.accountId, ...reason],
    ['account', 'sign-out', other.accountId, ...reason],
    ['account', 'waive-old-address', person.accountId, '--new-email-file', addressFile, ...reason],
    ['privacy', 'enter', 'access', '--account', person.accountId, '--message-file', file, ...reason],
    ['privacy', 'extend', slow, '--because', 'complexity', ...reason],
    ['privacy', 'answer', asked, '--outcome', 'granted', '--answer-file', file, ...reason],
    ...['submit', 'accept'].map((name) => ['dispute', name, order.id, dispute, ...reason]),
  ]) {
    const done = await cli([...args, '--json'])
    expect([args, done.code, done.output]).toEqual([args, 0, expect.any(String)])
  }
  const acts = await sql<Pick<OperatorActs, 'act' | 'reason'>[]>`
    select act, reason from operator_acts where account_id = ${person.accountId} order by asked_at, id`
  expect(acts.map(({ act }) => act)).toEqual([
    'take-task',
    'note-task',
    'settle-task',
    'note',
    'waive-old-address',
    'enter',
    'extend',
    'answer',
    'submit-evidence',
    'accept-dispute',
  ])
  expect(new Set(acts.map((act) => act.reason))).toEqual(new Set(['the shift of tonight']))
  const [answered] = await sql`select answer_kind from privacy_requests where id = ${asked}`
  const [extended] = await sql`select extended_because from privacy_requests where id = ${slow}`
  expect([answered?.answer_kind, extended?.extended_because]).toEqual(['granted', 'complexity'])
})
