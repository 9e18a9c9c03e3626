/**
 * G2 and G6: everybody can correct their address, and a privacy request is answered within 30 days. The dump has a row
 * as open whose run has done its work since: nobody can end the row by that run any more.
 */
import { randomUUID } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { createFailureIsolation } from '../../../cli/restore/failure-isolation.ts'
import { leaveOtherRuns } from '../../../cli/restore/other-runs.ts'
import { repeating } from '../../../cli/restore/until-answered.ts'
import { restoreUndecided } from '../../../db/backup/restores.ts'
import type { Queryable } from '../../../db/connection/database.ts'
import type { Accounts, EmailChanges, PrivacyRequests } from '../../../db/connection/schema.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../../../db/operator-tasks.ts'
import { plusMs } from '../../../shared/calendar.ts'
import { stageOf } from '../../../temporal/run-stage.ts'
import { describeRun } from '../../../temporal/runs.ts'
import { cancelEmailChange, confirmEmail, emailChangeWorkflowId } from '../../../workflows/email-change.contract.ts'
import { draftSweepType } from '../../../workflows/housekeeping/draft-sweep.contract.ts'
import { bulkActionWorkflowId } from '../../../workflows/order/bulk-action.contract.ts'
import { privacyRequestWorkflowId } from '../../../workflows/privacy-request.contract.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus, withId } from '../../harness/http.ts'
import { openRestore } from '../../harness/lost.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { until, untilValue } from '../../harness/until.ts'

const harness = await shareStack({ books: false })
const { temporal, operator, service } = harness
const { mailbox } = harness.sims
const context = repeating(harness.context, 0)
const { sql } = context

afterEach(() => mailbox.do('clear-rules', {}))

const runOf = (workflowId: string) => temporal.workflow.getHandle(workflowId)
const dumped = async (of: Queryable, accountId: string) => {
  const [account] = await of<Pick<Accounts, 'email' | 'email_index'>[]>`
    select email, email_index from accounts where id = ${accountId}`
  const [change] = await of<EmailChanges[]>`select * from email_changes where account_id = ${accountId}`
  if (!account || !change) throw new Error('no change of address')
  return { account, change }
}

/** A change of address that is open in a dump. `bring` brings the rows back as they are there. */
async function openChange() {
  const person = await harness.signUp()
  const { accountId } = person
  const email = `${randomUUID()}@new.example`
  expectStatus(await person.caller.post(`/v1/accounts/${accountId}/email-change`, { email }), 202)
  const { account, change } = await dumped(sql, accountId)
  const bring = async () => {
    await sql`update accounts set ${sql(account)} where id = ${accountId}`
    await sql`update email_changes set ${sql(change)} where id = ${change.id}`
  }
  return { person, email, bring, workflowId: emailChangeWorkflowId(change.id) }
}
const agree = async (workflowId: string) => {
  for (const side of ['new', 'old'] as const) await runOf(workflowId).executeUpdate(confirmEmail, { args: [{ side }] })
}

/** Restores until Temporal's list shows the run as it is. @returns what became of it */
async function restored(workflowId: string) {
  const restoreId = await openRestore(sql)
  const since = plusMs(new Date(), -60_000)
  const isolate = createFailureIsolation(sql, restoreId)
  return untilValue(
    'the restore finds the run',
    async () => {
      await leaveOtherRuns(context, temporal, { restoreId, since, isolate })
      const items = await sql`select outcome, detail from restored_items
        where restore_id = ${restoreId} and subject_id = ${workflowId}`
      const tasks = await sql`select kind from attention where subject_id = ${workflowId}`
      return { items: [...items], tasks: [...tasks] }
    },
    ({ items }) => items.length > 0,
  )
}
const rebuilt = (detail: string) => ({ items: [{ outcome: 'rebuilt', detail }], tasks: [] })
const addressOf = async (accountId: string) => expectStatus(await service.get(`/v1/accounts/${accountId}`), 200).email
const changeOf = async (accountId: string) =>
  expectStatus(await service.get(`/v1/accounts/${accountId}/email-change`), 200)

test('G2: the address on which both had agreed is the account’s, and no address is left in the change', async () => {
  const { person, email, bring, workflowId } = await openChange()
  await agree(workflowId)
  expect(await runOf(workflowId).result()).toMatchObject({ status: 'changed' })
  await bring()
  expect(await addressOf(person.accountId)).toBe(person.email)
  expect(await restored(workflowId)).toEqual(rebuilt('emailChange'))
  expect(await addressOf(person.accountId)).toBe(email)
  expect(await changeOf(person.accountId)).toMatchObject({ state: 'changed', newEmail: null })
})

test('G2: a run that has changed the address and not told the old one yet finds the address changed', async () => {
  const { person, email, bring, workflowId } = await openChange()
  await mailbox.do('rule', { recipient: person.email, code: 451 })
  await agree(workflowId)
  await untilValue(
    'it waits for the mail server',
    () => stageOf(temporal, workflowId),
    (stage) => stage === 'changed',
  )
  await bring()
  expect(await restored(workflowId)).toEqual(rebuilt('emailChange'))
  expect(await addressOf(person.accountId)).toBe(email)
  await mailbox.do('clear-rules', {})
  expect(await runOf(workflowId).result()).toMatchObject({ status: 'changed' })
  expect(await changeOf(person.accountId)).toMatchObject({ state: 'changed', newEmail: null })
})

test('G2: a change that was cancelled stays cancelled', async () => {
  const { person, bring, workflowId } = await openChange()
  await runOf(workflowId).executeUpdate(cancelEmailChange, { args: [{ status: 'cancelled' }] })
  await runOf(workflowId).result()
  await bring()
  expect(await restored(workflowId)).toEqual(rebuilt('emailChange'))
  expect(await changeOf(person.accountId)).toMatchObject({ state: 'cancelled', newEmail: null })
  expect(await addressOf(person.accountId)).toBe(person.email)
})

test('G2: an address that belongs to somebody else in the dump is left to an operator', async () => {
  const { bring, email, workflowId } = await openChange()
  await agree(workflowId)
  await runOf(workflowId).result()
  await bring()
  await harness.signUp({ account: { email } })
  expect(await restored(workflowId)).toEqual({
    items: [{ outcome: 'undecided', detail: 'emailChange' }],
    tasks: [{ kind: 'restore_undecided' }],
  })
})

test('G6: a request that was answered since is answered, and never late', async () => {
  const asked = { kind: 'access', message: 'What do you know?', replyTo: `${randomUUID()}@elsewhere.example` }
  const { id } = expectStatus(await operator.post('/v1/privacy-requests', asked), 201, withId)
  const read = async () => expectStatus(await operator.get(`/v1/privacy-requests/${id}`), 200)
  const [row] = await sql<PrivacyRequests[]>`select * from privacy_requests where id = ${id}`
  if (!row) throw new Error('no request')
  const answer = { answerKind: 'granted', answer: 'This is all.' }
  expectStatus(await operator.post(`/v1/privacy-requests/${id}/resolve`, answer), 202)
  const { answeredAt } = await untilValue('it is answered', read, ({ state }) => state === 'answered')
  await untilValue(
    'the run waits to forget it',
    () => stageOf(temporal, privacyRequestWorkflowId(id)),
    (stage) => stage === 'answered',
  )
  await sql`update privacy_requests set ${sql(row)} where id = ${id}`
  await sql`insert into attention (id, kind, subject_id, opened_at)
    values (${randomUUID()}, 'privacy_request_due', ${id}, now())`
  expect(await restored(privacyRequestWorkflowId(id))).toEqual(rebuilt('privacyRequest'))
  const shown = await read()
  expect(shown).toMatchObject({ state: 'answered', late: false })
  expect(Math.abs(Date.parse(shown.answeredAt) - Date.parse(answeredAt))).toBeLessThan(60_000)
  expect(await sql`select from attention where subject_id = ${id} and resolved_at is null`).toEqual([])
})

test('a row whose run had completed goes on by another run once an operator has settled the task, and once alone', async () => {
  const paidFrom = new Date().toISOString()
  await harness.buy(await harness.signUp())
  const wanted = { reason: 'a test', act: 'apologise', selection: { statuses: ['delivered'], paidFrom } }
  const { id } = expectStatus(await operator.post('/v1/bulk-actions', wanted), 201, withId)
  const workflowId = bulkActionWorkflowId(id)
  const sweep = () => runLater(harness.stack, draftSweepType, 0)
  const statusOf = async () => (await describeRun(temporal, workflowId))?.status.name
  const asked = async (act: 'start' | 'resume') => {
    const headers = { 'idempotency-key': randomUUID() }
    expect((await operator.post(`/v1/bulk-actions/${id}/${act}`, undefined, headers)).status).toBeLessThan(300)
    expect(await runOf(workflowId).result()).toMatchObject({ status: 'done' })
  }
  await asked('start')
  // As in the dump.
  await sql`update bulk_actions set state = 'running', ended_at = null where id = ${id}`
  const task = { kind: restoreUndecided, subjectId: workflowId }
  await raiseOperatorTask(sql, { ...task, at: new Date() })
  await sweep()
  expect(await statusOf()).toBe('COMPLETED')
  await resolveOperatorTask(sql, { ...task, by: 'operator:test', at: new Date() })
  await sweep()
  await until('it waits for an operator', async () => (await stageOf(temporal, workflowId)) === 'paused')
  await asked('resume')
  await sweep()
  expect(await statusOf()).toBe('COMPLETED')
})
