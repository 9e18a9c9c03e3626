/**
 * A row says that a run works on it, and Temporal knows nothing of that run: another one goes on from the row. Orders
 * that are not delivered: test/orders/payments/terminated-runs.long.test.ts
 */
import { randomUUID } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { insertRestore, openTraffic, restoreUndecided } from '../../../db/backup/restores.ts'
import { applyEmailChange, endOpenEmailChange } from '../../../db/email-changes.ts'
import { raiseOperatorTask } from '../../../db/operator-tasks.ts'
import { stateWithdrawal } from '../../../db/order/withdrawals.ts'
import { withdrawPolicy } from '../../../db/policies.ts'
import { changePrivacyRequest } from '../../../db/privacy-requests.ts'
import { plusDays, startOfDay } from '../../../shared/calendar.ts'
import { stageOf } from '../../../temporal/run-stage.ts'
import { describeRun } from '../../../temporal/runs.ts'
import { accountDeletionWorkflowId } from '../../../workflows/account-deletion.contract.ts'
import { restoreWorkflowId } from '../../../workflows/backup/restore.contract.ts'
import { breachWorkflowId } from '../../../workflows/breach/breach.contract.ts'
import { campaignWorkflowId } from '../../../workflows/campaign.contract.ts'
import { emailChangeWorkflowId } from '../../../workflows/email-change.contract.ts'
import { draftSweepType } from '../../../workflows/housekeeping/draft-sweep.contract.ts'
import { housekeepingType } from '../../../workflows/housekeeping/housekeeping.contract.ts'
import { keyRotationWorkflowId } from '../../../workflows/keys/key-rotation.contract.ts'
import { bulkActionWorkflowId } from '../../../workflows/order/bulk-action.contract.ts'
import { orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { paymentSweepType } from '../../../workflows/order/payment-sweep.contract.ts'
import { policyNoticeState, policyNoticeWorkflowId } from '../../../workflows/policy-notice.contract.ts'
import { privacyRequestState, privacyRequestWorkflowId } from '../../../workflows/privacy-request.contract.ts'
import { mailsTo } from '../../harness/checks/messages.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus, withId } from '../../harness/http.ts'
import { loseOrder } from '../../harness/lost.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { until, untilValue } from '../../harness/until.ts'

const harness = await shareStack({ books: false })
const { operator, temporal } = harness
const { sql, cipher } = harness.context
const { firebase } = harness.sims

afterEach(() => firebase.clearFaults())

const sweep = () => runLater(harness.stack, draftSweepType, 0)
const runOf = (workflowId: string) => temporal.workflow.getHandle(workflowId)
const isOpen = async (workflowId: string) => (await describeRun(temporal, workflowId))?.status.name === 'RUNNING'
const subjects = async (address: string) => (await mailsTo(harness.stack, address)).map(({ subject }) => subject)
const mailed = (address: string, part: RegExp) =>
  untilValue(
    `a mail about ${part}`,
    async () => (await subjects(address)).filter((subject) => part.test(subject)),
    ({ length }) => length > 0,
  )

/** As an operator deletes a run, and as Temporal deletes a closed one after its retention. */
async function gone(workflowId: string): Promise<void> {
  const { namespace } = temporal.options
  await temporal.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId } })
  await until('Temporal knows it no more', async () => (await describeRun(temporal, workflowId)) === undefined)
}

async function privacyRequest() {
  const replyTo = `${randomUUID()}@elsewhere.example`
  const asked = { kind: 'access', message: 'What do you know of me?', replyTo }
  const { id } = expectStatus(await operator.post('/v1/privacy-requests', asked), 201, withId)
  await mailed(replyTo, /./)
  return { id, replyTo, workflowId: privacyRequestWorkflowId(id) }
}

test('G6: a privacy request is reminded of and answered, with the deadline that it has', async () => {
  const { id, replyTo, workflowId } = await privacyRequest()
  const read = async () => expectStatus(await operator.get(`/v1/privacy-requests/${id}`), 200)
  const { acknowledgedAt } = await untilValue('it is acknowledged', read, (shown) => shown.acknowledgedAt !== null)
  const { answerBy } = await read()
  const later = plusDays(new Date(answerBy), 60)
  await changePrivacyRequest(sql, id, { answer_by: later, extended_because: 'complexity' })
  await gone(workflowId)
  await sweep()
  const state = await runOf(workflowId).query(privacyRequestState)
  expect(state).toEqual({ status: 'open', extended: true, answerBy: later.toISOString() })
  const answer = { answerKind: 'granted', answer: 'This is all.' }
  expectStatus(await operator.post(`/v1/privacy-requests/${id}/resolve`, answer), 202)
  await mailed(replyTo, /answer/i)
  // It was acknowledged before, and the run that is gone had not told of the extension.
  await untilValue(
    'three mails',
    () => subjects(replyTo),
    ({ length }) => length === 3,
  )
  expect((await read()).acknowledgedAt).toBe(acknowledgedAt)
})

test('G6: a run that was ended by hand is no operator task, since another one goes on', async () => {
  const { workflowId } = await privacyRequest()
  const { runId } = await runOf(workflowId).describe()
  await runOf(workflowId).terminate('by mistake')
  await until('Temporal lists it', async () => {
    const query = `ExecutionStatus = 'Terminated' AND RunId = '${runId}'`
    return (await temporal.workflow.count(query)).count === 1
  })
  await sweep()
  expect(await isOpen(workflowId)).toBe(true)
  expect(await sql`select from attention where kind = 'run_lost' and subject_id = ${runId}`).toEqual([])
})

test('G6: an answered privacy request is forgotten when its time is over', async () => {
  const { id, workflowId } = await privacyRequest()
  await gone(workflowId)
  await sql`update privacy_requests set state = 'answered', answered_at = now() - interval '5 years' where id = ${id}`
  await sweep()
  expect(await isOpen(workflowId)).toBe(false)
  await runLater(harness.stack, housekeepingType, 0)
  expect(await sql`select from privacy_requests where id = ${id}`).toEqual([])
})

test('a breach has its clock', async () => {
  const texts = { nature: 'A key.', consequences: 'Mails.', measures: 'Revoked.', contact: 'dpo@ama-esim.example' }
  const [from, before] = [60, 59].map((minutes) => new Date(Date.now() - minutes * 60_000).toISOString())
  const { id } = expectStatus(await operator.post('/v1/breaches', { from, until: before, ...texts }), 201, withId)
  await gone(breachWorkflowId(id))
  await sweep()
  await untilValue(
    'it waits for the authority',
    () => stageOf(temporal, breachWorkflowId(id)),
    (stage) => stage === 'open',
  )
})

async function changeOfAddress() {
  const person = await harness.signUp()
  const email = `${randomUUID()}@new.example`
  expectStatus(await person.caller.post(`/v1/accounts/${person.accountId}/email-change`, { email }), 202)
  await Promise.all([mailed(person.email, /./), mailed(email, /./)])
  const [row] = await sql<{ id: string }[]>`select id from email_changes where account_id = ${person.accountId}`
  const id = row?.id ?? ''
  await gone(emailChangeWorkflowId(id))
  return { id, person, email, workflowId: emailChangeWorkflowId(id) }
}
const addressesOf = (id: string) => sql`select old_email, new_email from email_changes where id = ${id}`
const deleted = [{ old_email: null, new_email: null }]

test('G2: an open change of address takes both consents, and asks nobody twice', async () => {
  const { person, email, workflowId } = await changeOfAddress()
  await sweep()
  expect(await isOpen(workflowId)).toBe(true)
  for (const address of [person.email, email]) expect(await subjects(address)).toHaveLength(1)
})

test('G2: an address that was changed: the old address is told, Firebase has the new one, and both are deleted here', async () => {
  const { id, person, email, workflowId } = await changeOfAddress()
  await firebase.do('user', { uid: person.firebaseUid, email: person.email, providers: ['password'] })
  expect(await applyEmailChange(sql, harness.context, id, new Date())).toBe('changed')
  await sweep()
  await mailed(person.email, /^Your address was changed$/)
  expect(await runOf(workflowId).result()).toMatchObject({ status: 'changed' })
  expect((await firebase.state()).addresses[person.firebaseUid]?.email).toBe(email)
  expect(await addressesOf(id)).toEqual(deleted)
})

test('G2: a change of address that was cancelled is ended without a run', async () => {
  const { id, workflowId } = await changeOfAddress()
  await endOpenEmailChange(sql, id, 'cancelled')
  await sweep()
  expect(await addressesOf(id)).toEqual(deleted)
  expect(await describeRun(temporal, workflowId)).toBeUndefined()
})

test('N2: a posted version waits for its day, and everybody hears that it was withdrawn', async () => {
  const person = await harness.signUp()
  const version = `lost-${randomUUID().slice(0, 8)}`
  const effectiveAt = plusDays(startOfDay(new Date()), 33).toISOString()
  const policy = { version, title: 'Policy', text: '## All\n\nAs before.', changes: ['Less.'], material: true }
  expectStatus(await operator.post('/v1/policies', { ...policy, effectiveAt }), 201)
  const workflowId = policyNoticeWorkflowId(version)
  const waits = () =>
    until('it waits', async () => (await runOf(workflowId).query(policyNoticeState)).status === 'waiting')
  await waits()
  await gone(workflowId)
  await sweep()
  await waits()
  expect(await mailed(person.email, /policy/i)).toHaveLength(1)
  await gone(workflowId)
  await withdrawPolicy(sql, version, new Date())
  await sweep()
  expect(await runOf(workflowId).result()).toMatchObject({ status: 'withdrawn' })
  await mailed(person.email, /stays as it is/)
  // Nobody is left to be told.
  await gone(workflowId)
  await sweep()
  expect(await describeRun(temporal, workflowId)).toBeUndefined()
})

test('S1: a key rotation goes on', async () => {
  const { id } = expectStatus(await operator.post('/v1/key-rotations', { purpose: 'field' }), 201, withId)
  await gone(keyRotationWorkflowId(id))
  await sweep()
  expect(await isOpen(keyRotationWorkflowId(id))).toBe(true)
  await runOf(keyRotationWorkflowId(id)).terminate('test')
  await sql`update key_rotations set ended_at = now() where id = ${id}`
})

const tasksOf = (subjectId: string) => sql`select kind, detail from attention where subject_id = ${subjectId}`

async function sending(): Promise<string> {
  const id = randomUUID()
  await sql`insert into campaigns (id, subject, paragraphs, state, created_at, created_by)
    values (${id}, 'An offer', ${['Ten percent off.']}, 'sending', now(), 'operator:test')`
  return id
}

async function running(): Promise<string> {
  const paidFrom = new Date().toISOString()
  await harness.buy(await harness.signUp())
  const wanted = { reason: 'a test', act: 'apologise', selection: { statuses: ['delivered'], paidFrom } }
  const { id } = expectStatus(await operator.post('/v1/bulk-actions', wanted), 201, withId)
  await sql`
    update bulk_actions set state = 'running', started_by = 'operator:test', started_at = now() where id = ${id}`
  return id
}

test.each([
  ['campaign', 'campaign', '/v1/campaigns', campaignWorkflowId, sending],
  ['bulk action', 'bulk_action', '/v1/bulk-actions', bulkActionWorkflowId, running],
] as const)('a %s does nothing before an operator resumes it', async (_what, detail, path, workflowIdOf, make) => {
  const id = await make()
  await sweep()
  await untilValue(
    'it is paused',
    () => stageOf(temporal, workflowIdOf(id)),
    (stage) => stage === 'paused',
  )
  expect(expectStatus(await operator.get(`${path}/${id}`), 200).state).toBe('paused')
  expect(await tasksOf(id)).toEqual([{ kind: 'paused_without_run', detail }])
  const headers = { 'idempotency-key': randomUUID() }
  const resumed = await operator.post(`${path}/${id}/resume`, undefined, headers)
  expect(resumed.status).toBeLessThan(300)
  expect(await runOf(workflowIdOf(id)).result()).toMatchObject({ status: 'done' })
})

test('what a restore has left to an operator is begun by nobody else', async () => {
  const id = await sending()
  await raiseOperatorTask(sql, { kind: restoreUndecided, subjectId: campaignWorkflowId(id), at: new Date() })
  await sweep()
  expect(await describeRun(temporal, campaignWorkflowId(id))).toBeUndefined()
  await sql`update campaigns set state = 'cancelled', ended_at = now() where id = ${id}`
})

test('G3: a deletion does the steps that are left', async () => {
  const person = await harness.signUp()
  await firebase.fault({ match: { path: 'accounts:delete' }, status: 503, times: 1_000_000 })
  const { receiptId } = expectStatus(await person.caller.delete(`/v1/accounts/${person.accountId}`), 200)
  const workflowId = accountDeletionWorkflowId(cipher.accountRef(person.accountId))
  await gone(workflowId)
  await firebase.clearFaults()
  await sweep()
  expect(await isOpen(workflowId)).toBe(true)
  await until('Firebase has deleted the user', async () =>
    (await firebase.state()).deletedUsers.includes(person.firebaseUid),
  )
  await until('the receipt says so', async () => {
    const steps = await sql`select from deletion_steps
      where receipt_id = ${receiptId} and processor = 'firebase' and state = 'done'`
    return steps.length === 1
  })
})

test('U2: a stated withdrawal is acknowledged and carried out, whenever it was stated', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/withdrawal`), 200)
  await stateWithdrawal(sql, order.id, plusDays(new Date(), -9))
  await sweep()
  await harness.untilOrder(order.id, 'refunded')
  await mailed(person.email, /received your withdrawal/)
})

test('a stated withdrawal is acknowledged also where it was carried out', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/withdrawal`), 200)
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
  await stateWithdrawal(sql, order.id, plusDays(new Date(), -1))
  await sweep()
  await mailed(person.email, /received your withdrawal/)
})

test('a stated withdrawal from an order that has ended meanwhile is left to an operator', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/withdrawal`), 200)
  const part = { amount: { minor: 100, currency: 'EUR' }, esims: 'returned' }
  expectStatus(await operator.post(`/v1/orders/${order.id}/refund`, part), 200)
  await harness.untilOrder(order.id, 'ended')
  // Its acknowledgement is no reason to look any more.
  await stateWithdrawal(sql, order.id, plusDays(new Date(), -40))
  await sweep()
  await until('an operator has it', async () => {
    const tasks = await sql`select from attention where kind = 'withdrawal_unsettled' and subject_id = ${order.id}
      and detail = 'ended' and resolved_at is null`
    return tasks.length === 1
  })
})

test('U2: a restore that serves customers again refunds and returns what it has left', async () => {
  const { leave, lost } = await loseOrder(harness)
  const id = randomUUID()
  await sql.begin((tx) => insertRestore(tx, { id, backupId: 'lost', readsSince: new Date(), at: new Date() }))
  await leave(id)
  await openTraffic(sql, id, new Date())
  await sweep()
  expect(await runOf(restoreWorkflowId(id)).result()).toEqual({ undecided: 0 })
  const { refunds } = await harness.sims.stripe.state()
  expect(refunds.filter(({ payment_intent }) => payment_intent === lost.paymentIntentId)).toHaveLength(1)
})

test('U3: a delivered order is followed, and nothing is told twice', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  await mailed(person.email, /is ready/)
  await gone(orderWorkflowId(order.id))
  await runLater(harness.stack, paymentSweepType, 0)
  await untilValue(
    'it is followed',
    () => stageOf(temporal, orderWorkflowId(order.id)),
    (stage) => stage === 'delivered',
  )
  await harness.sims.esimAccess.do('use', { iccid: order.esims[0].iccid, bytes: 2 ** 30 })
  await mailed(person.email, /is used up/)
  expect(await mailed(person.email, /is ready/)).toHaveLength(1)
  const placed = await sql`select from provider_orders where order_id = ${order.id}`
  expect(placed.length).toBe(1)
})
