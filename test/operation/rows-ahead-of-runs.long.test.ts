/**
 * A row says what its run does not know: the API has died between the row and the message, or an update was lost with
 * its workflow task. The sweep of every ten minutes sends the update again. Orders:
 * test/orders/payments/rows-ahead-of-runs.long.test.ts
 */
import { randomUUID } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { settleAuthority } from '../../db/access/breaches.ts'
import type { Campaigns } from '../../db/connection/schema.ts'
import { applyEmailChange, confirmSide, endOpenEmailChange } from '../../db/email-changes.ts'
import { withdrawPolicy } from '../../db/policies.ts'
import { changePrivacyRequest, storeAnswer, takeAnswer } from '../../db/privacy-requests.ts'
import { plusDays, plusMs, startOfDay } from '../../shared/calendar.ts'
import { initialSearchAttributes } from '../../shared/search-attributes.ts'
import { stageOf } from '../../temporal/run-stage.ts'
import { breachState, breachWorkflowId } from '../../workflows/breach/breach.contract.ts'
import { campaignType, campaignWorkflowId } from '../../workflows/campaign.contract.ts'
import { emailChangeState, emailChangeWorkflowId } from '../../workflows/email-change.contract.ts'
import { draftSweepType } from '../../workflows/housekeeping/draft-sweep.contract.ts'
import { bulkActionType, bulkActionWorkflowId } from '../../workflows/order/bulk-action.contract.ts'
import { partialRefundType, partialRefundWorkflowId } from '../../workflows/order/partial-refund.contract.ts'
import { policyNoticeState, policyNoticeWorkflowId } from '../../workflows/policy-notice.contract.ts'
import { privacyRequestState, privacyRequestWorkflowId } from '../../workflows/privacy-request.contract.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus, withId } from '../harness/http.ts'
import { runLater } from '../harness/temporal/run-later.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack()
const { operator, temporal } = harness
const { sql } = harness.context
const { stripe, mailbox } = harness.sims

afterEach(async () => {
  await Promise.all([stripe.clearFaults(), mailbox.do('clear-rules')])
})

const sweep = (days = 0) => runLater(harness.stack, draftSweepType, days)
const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000)
const runOf = (workflowId: string) => temporal.workflow.getHandle(workflowId)
const mailed = (address: string, subject: RegExp) =>
  until(`a mail about ${subject}`, async () =>
    (await mailsTo(harness.stack, address)).some((mail) => subject.test(mail.subject)),
  )
const closed = (workflowId: string) =>
  until(`${workflowId} has closed`, async () => (await runOf(workflowId).describe()).status.name === 'COMPLETED')

/** A run as it is when an update that has written its row was lost: it goes on as before. */
async function behind(type: string, workflowId: string, input: object, status: string): Promise<void> {
  await temporal.workflow.start(type, {
    workflowId,
    taskQueue: harness.config.TEMPORAL_TASK_QUEUE,
    args: [input],
    typedSearchAttributes: initialSearchAttributes({ status, waitingFor: 'a test', dueAt: null }),
  })
}

async function bulkAction(row: string, isPaused: boolean): Promise<string> {
  const person = await harness.signUp()
  const paidFrom = new Date().toISOString()
  await harness.buy(person)
  const selection = { statuses: ['delivered'], paidFrom }
  const { id } = expectStatus(
    await operator.post('/v1/bulk-actions', { reason: 'a test', act: 'apologise', selection }),
    201,
  )
  await sql`update bulk_actions set state = ${row}, started_by = 'operator:test', started_at = now(),
    ended_at = case when ${row}::text = 'cancelled' then now() end where id = ${id}`
  const input = { bulkActionId: id, startedBy: 'operator:test', progress: { isPaused, waits: 0 } }
  await behind(bulkActionType, bulkActionWorkflowId(id), input, isPaused ? 'paused' : 'running')
  return bulkActionWorkflowId(id)
}

async function campaign(row: Campaigns['state'], paused: boolean): Promise<string> {
  const id = randomUUID()
  await sql`insert into campaigns (id, subject, paragraphs, state, created_at, created_by, ended_at)
    values (${id}, 'An offer', ${['Ten percent off.']}, ${row}, now(), 'operator:test', ${row === 'cancelled' ? new Date() : null})`
  const progress = { page: 0, pages: 1, lookedAt: 0, sent: 0, paused }
  await behind(campaignType, campaignWorkflowId(id), { campaignId: id, progress }, paused ? 'paused' : 'sending')
  return campaignWorkflowId(id)
}

const toggles = [
  ['bulk action', bulkAction, 'running', () => bulkAction('running', true)],
  ['campaign', campaign, 'sending', () => campaign('sending', true)],
] as const

test.each(toggles)('a %s that was paused stops its run, and can be resumed', async (_what, make, going) => {
  const id = await make('paused', false)
  await sweep()
  expect(await stageOf(temporal, id)).toBe('paused')
  await runOf(id).executeUpdate('resume')
  expect(['done', going]).toContain((await stageOf(temporal, id)) ?? 'done')
  await closed(id)
})

test.each(toggles)('a %s that was resumed goes on', async (_what, _make, _going, makeResumed) => {
  const id = await makeResumed()
  await sweep()
  await closed(id)
})

test('a campaign that was resumed goes on behind hundreds that are over', async () => {
  // Before every random id.
  await sql`insert into campaigns (id, subject, paragraphs, state, created_at, created_by, ended_at)
    select lpad(to_hex(number), 32, '0')::uuid, 'An offer', ${['Ten percent off.']}::text[], 'done', now(), 'operator:test', now()
    from generate_series(1, 501) number`
  const id = await campaign('sending', true)
  await sweep()
  await closed(id)
  await sql`delete from campaigns where id < '00000000-0000-0000-0000-00000000ffff'`
})

test.each(toggles)('a %s that was cancelled ends its run', async (_what, make) => {
  const id = await make('cancelled', true)
  await sweep()
  await closed(id)
  expect(await runOf(id).result()).toMatchObject({ status: 'cancelled' })
})

test('a version of the policy that was withdrawn is not waited for, and the people are told', async () => {
  const version = 'withdrawn-unapplied'
  const policy = {
    version,
    title: 'Privacy policy',
    text: '## What we keep\n\nAs before.',
    changes: ['We keep one thing less.'],
    effectiveAt: plusDays(startOfDay(new Date()), 33).toISOString(),
    material: true,
  }
  expectStatus(await operator.post('/v1/policies', policy), 201)
  const run = runOf(policyNoticeWorkflowId(version))
  await until('it waits', async () => (await run.query(policyNoticeState)).status === 'waiting')
  await withdrawPolicy(sql, version, new Date())
  // Its operator, who has got no answer, asks again: the row says that it is done.
  expect(expectStatus(await operator.post(`/v1/policies/${version}/withdraw`), 200).state).toBe('withdrawn')
  await sweep()
  expect(await run.result()).toMatchObject({ status: 'withdrawn' })
})

async function privacyRequest() {
  const replyTo = `${randomUUID()}@elsewhere.example`
  const asked = { kind: 'access', message: 'What do you know of me?', replyTo }
  const { id } = expectStatus(await operator.post('/v1/privacy-requests', asked), 201, withId)
  return { id, replyTo, run: runOf(privacyRequestWorkflowId(id)) }
}

test.each([
  ['stored', false],
  ['taken', true],
])('G6: an answer that was %s, of which the run does not know, is sent', async (_how, isTaken) => {
  const { id, replyTo, run } = await privacyRequest()
  const answerId = randomUUID()
  const answer = { requestId: id, answerId, kind: 'granted', text: 'This is all: nothing.', at: ago(20) }
  expect(await storeAnswer(sql, harness.context, answer)).toBe(true)
  if (isTaken) expect(await takeAnswer(sql, id, answerId, ago(20))).toBe(true)
  await sweep()
  await until('it is answered', async () => (await run.query(privacyRequestState)).status === 'answered')
  await mailed(replyTo, /answer/i)
})

test('G6: an extension of which the run does not know is told within the first month', async () => {
  const { id, replyTo, run } = await privacyRequest()
  const { answerBy } = await run.query(privacyRequestState)
  await changePrivacyRequest(sql, id, { answer_by: plusDays(new Date(answerBy), 60), extended_because: 'complexity' })
  await sweep()
  expect(await run.query(privacyRequestState)).toMatchObject({ extended: true })
  await mailed(replyTo, /longer|more time|extend/i)
})

async function changeOfAddress() {
  const person = await harness.signUp()
  const email = `${randomUUID()}@new.example`
  expectStatus(await person.caller.post(`/v1/accounts/${person.accountId}/email-change`, { email }), 202)
  const [row] = await sql<{ id: string }[]>`select id from email_changes where account_id = ${person.accountId}`
  const id = row?.id ?? ''
  return { id, person, run: runOf(emailChangeWorkflowId(id)) }
}

test('G2: an address that was changed without its run: the old address is told of it', async () => {
  const { id, person } = await changeOfAddress()
  for (const side of ['old', 'new'] as const) await confirmSide(sql, id, { side, at: new Date(), waivedBy: null })
  expect(await applyEmailChange(sql, harness.context, id, new Date())).toBe('changed')
  await sweep()
  await mailed(person.email, /^Your address was changed$/)
  await closed(emailChangeWorkflowId(id))
})

test.each([
  ['the old address has given', 'old', null],
  ['the new address has given', 'new', null],
  ['an operator has given for the old address', 'old', 'operator:test'],
] as const)('G2: a consent that %s counts in the run', async (_who, side, waivedBy) => {
  const { id, run } = await changeOfAddress()
  await confirmSide(sql, id, { side, at: new Date(), waivedBy })
  await sweep()
  expect((await run.query(emailChangeState)).confirmed).toEqual({ old: side === 'old', new: side === 'new' })
  expect(await sql`select old_waived_by from email_changes where id = ${id}`).toEqual([{ old_waived_by: waivedBy }])
})

test('G2: a change of address that was cancelled ends its run', async () => {
  const { id } = await changeOfAddress()
  await endOpenEmailChange(sql, id, 'cancelled')
  await sweep()
  await closed(emailChangeWorkflowId(id))
})

test('what an operator has recorded of a breach reaches its run before the next reminder', async () => {
  const texts = {
    nature: 'A key was used.',
    consequences: 'Mails.',
    measures: 'Revoked.',
    contact: 'dpo@ama-esim.example',
  }
  const window = { from: ago(60).toISOString(), until: ago(59).toISOString() }
  const { id } = expectStatus(await operator.post('/v1/breaches', { ...window, ...texts }), 201)
  const run = runOf(breachWorkflowId(id))
  const notification = { authority_told_at: new Date(), authority_reference: 'A-1', authority_not_told_because: null }
  expect(await settleAuthority(sql, id, notification)).toBe(true)
  await sweep()
  expect(await run.query(breachState)).toMatchObject({ authoritySettled: true, people: 'undecided' })
})

test.each([
  ['was not made', { status: 503, times: 1_000_000 }, 'refused'],
  ['was made', { cut: 'after', times: 1_000_000 }, 'succeeded'],
] as const)(
  'U2: what the terminated run of a partial refund has reserved that %s is settled',
  async (_what, fault, state) => {
    const { id: orderId } = await harness.buy(await harness.signUp(), { packageCode: testPackages.onlyEsimAccess })
    await stripe.fault({ match: { method: 'POST', path: '^/v1/refunds' }, ...fault })
    const asked = async () =>
      (await stripe.log()).filter(({ method, url }) => method === 'POST' && url.startsWith('/v1/refunds')).length
    const before = await asked()
    const refundId = randomUUID()
    const workflowId = partialRefundWorkflowId(refundId)
    const input = { refundId, orderId, amountMinor: 100, reason: 'goodwill', esims: 'kept' }
    await behind(partialRefundType, workflowId, input, 'requested')
    await until('the processor was asked', async () => (await asked()) > before)
    await runOf(workflowId).terminate('by mistake')
    await stripe.clearFaults()
    await sql`update refunds set created_at = ${plusMs(ago(0), -3_600_000)} where order_id = ${orderId}`
    // The last attempt of a terminated run goes on for a while.
    await sweep(1 / 24)
    await until(`it is ${state}`, async () => {
      const [row] = await sql<{ state: string }[]>`select state from refunds where order_id = ${orderId}`
      return row?.state === state
    })
  },
)
