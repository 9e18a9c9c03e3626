/** Disputes have a due date, and evidence from our own books that only an operator submits. */
import { expect, test } from 'vitest'
import type { Attention } from '../../db/connection/schema.ts'
import { urgencyOf } from '../../policy/operator-tasks.ts'
import { periods } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { paymentSweepType } from '../../workflows/order/payment-sweep.contract.ts'
import { deleteAccount } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { runLater } from '../harness/temporal/run-later.ts'
import { testPackages, testPriceMinor } from '../harness/test-packages.ts'
import { until, untilValue } from '../harness/until.ts'

// The books of erased customers name no order.
const harness = await shareStack({ books: false })
const { stripe, esimAccess } = harness.sims
const { sql } = harness.context
const packageCode = testPackages.onlyEsimAccess

async function delivered() {
  const person = await harness.signUp()
  return { person, order: await harness.buy(person, { packageCode }) }
}

const open = async (orderId: string, given: Record<string, unknown> = {}): Promise<string> =>
  (await stripe.do('open-dispute', { orderId, ...given })).dispute

async function taskOf(subjectId: string, kind = 'dispute_open') {
  const [task] = await sql<Attention[]>`
    select * from attention where kind = ${kind} and subject_id = ${subjectId} and resolved_at is null`
  return task
}

/** Waits for an operator task. @returns it */
async function untilTask(subjectId: string, holds: (task: Attention) => boolean = () => true): Promise<Attention> {
  const task = await untilValue(
    `the task of ${subjectId}`,
    () => taskOf(subjectId),
    (found) => found !== undefined && holds(found),
  )
  if (!task) throw new Error(`no task of ${subjectId}`)
  return task
}

const untilStaged = (dispute: string) => untilTask(dispute, ({ attributes }) => attributes?.evidence === 'staged')

const atStripe = async (id: string) => (await stripe.state()).disputes.find((dispute) => dispute.id === id)

/** How often evidence was staged or submitted at Stripe. */
const writes = async (dispute: string): Promise<number> =>
  (await stripe.state()).events.filter(
    ({ type, objectId }) => type === 'charge.dispute.updated' && objectId === dispute,
  ).length

const byOperator = async (orderId: string) => (await harness.operator.get(`/v1/orders/${orderId}`)).body

test('operators see until when a dispute is to be answered, about how much and why; customers see its state alone', async () => {
  const { person, order } = await delivered()
  const dispute = await open(order.id, { reason: 'product_not_received', networkReasonCode: '13.1', amount: 400 })
  const task = await untilStaged(dispute)
  const dueBy = new Date(Number((await atStripe(dispute))?.evidence_details.due_by) * 1000)
  expect(task).toMatchObject({
    due_at: dueBy,
    detail: 'product_not_received',
    attributes: {
      orderId: order.id,
      amountMinor: 400,
      currency: 'EUR',
      reason: 'product_not_received',
      networkReasonCode: '13.1',
      status: 'needs_response',
      submissionCount: 0,
      pastDue: false,
    },
  })
  const shown = {
    id: dispute,
    state: 'needs_response',
    amount: { minor: 400, currency: 'EUR' },
    reason: 'product_not_received',
    networkReasonCode: '13.1',
    dueBy: dueBy.toISOString(),
    evidence: 'staged',
    submissionCount: 0,
    pastDue: false,
  }
  expect((await byOperator(order.id)).disputes).toEqual([shown])
  for (const caller of [person.caller, harness.service]) {
    expect((await caller.get(`/v1/orders/${order.id}`)).body).toMatchObject({ dispute: 'needs_response', disputes: [] })
  }
})

test('a dispute that is decided while its evidence is on its way leaves no operator task', async () => {
  const { order } = await delivered()
  const match = { method: 'POST', path: '^/v1/disputes/' }
  await stripe.fault({ match, delayMs: 1_500 })
  const dispute = await open(order.id)
  const stagings = async () =>
    (await stripe.log()).filter(({ method, url }) => method === 'POST' && url.startsWith(`/v1/disputes/${dispute}`))
  await until('the evidence is on its way', async () => (await stagings()).length > 0)
  await stripe.do('close-dispute', { dispute, outcome: 'won' })
  await until('it is won', async () => (await byOperator(order.id)).dispute === 'won')
  await until('Stripe has answered', async () => (await stagings()).every(({ status }) => status !== null))
  const left = await untilValue(
    'the run is done with it',
    async () => {
      const { raw } = await harness.temporal.workflow.getHandle(orderWorkflowId(order.id)).describe()
      return (raw.pendingActivities ?? []).map(({ activityType }) => activityType?.name)
    },
    (pending) => !pending.includes('stageDisputeEvidence') && !pending.includes('recordDispute'),
  )
  expect(left).not.toContain('raiseAttention')
  const raised = await sql<Pick<Attention, 'kind'>[]>`
    select kind from attention where subject_id in (${order.id}, ${dispute})`
  expect(raised.map(({ kind }) => kind)).toEqual(['dispute_open'])
})

test('P2: evidence is staged once, says what was delivered and used, and not who the customer is', async () => {
  const { person, order } = await delivered()
  const { iccid, activationCode } = order.esims[0]
  await harness.sims.mailbox.do('wait', { to: person.email })
  await esimAccess.do('use', { iccid, bytes: 250 * 2 ** 20 })
  await stripe.do('webhooks', { copies: 20 })
  const dispute = await open(order.id)
  await untilStaged(dispute)
  await stripe.do('webhooks', { copies: 1 })
  const found = await atStripe(dispute)
  expect(found?.evidence_details).toMatchObject({ has_evidence: true, submission_count: 0 })
  expect(found?.status).toBe('needs_response')
  expect(found?.evidence.product_description).toContain('travel eSIM')
  expect(found?.evidence.service_date).toMatch(/^\d+ \w+ 20\d\d$/)
  expect(found?.evidence.access_activity_log).toContain('the payment succeeded')
  expect(found?.evidence.access_activity_log).toContain('the eSIM was delivered')
  expect(found?.evidence.access_activity_log).toContain('accepted the mail with the activation code')
  expect(found?.evidence.access_activity_log).toContain('250 MB')
  expect(found?.evidence.refund_refusal_explanation).toContain('used')
  const said = JSON.stringify(found?.evidence)
  const theirs = [person.email, person.firstName, person.lastName, person.phone, iccid, activationCode]
  expect(theirs.filter((datum) => said.includes(datum))).toEqual([])
  expect(found?.evidence).toMatchObject({
    customer_email_address: null,
    customer_name: null,
    customer_purchase_ip: null,
  })

  // Stripe's event about the staging, and a repetition of the first one, stage nothing again.
  const { events } = await stripe.state()
  for (const { id, objectId } of events) if (objectId === dispute) await stripe.do('resend', { eventId: id })
  await harness.sims.stripe.do('review-dispute', { dispute })
  await untilTask(dispute, ({ attributes }) => attributes?.status === 'under_review')
  expect(await writes(dispute)).toBe(2)
})

test('evidence says what was refunded before', async () => {
  const { order } = await delivered()
  await esimAccess.do('use', { iccid: order.esims[0].iccid, bytes: 2 ** 20 })
  const amount = { minor: 200, currency: 'EUR' }
  const key = { 'idempotency-key': `part-${order.id}` }
  expectStatus(await harness.operator.post(`/v1/orders/${order.id}/refund`, { amount }, key), 200)
  const dispute = await open(order.id)
  await untilStaged(dispute)
  const evidence = (await atStripe(dispute))?.evidence
  expect(evidence?.access_activity_log).toMatch(/€2\.00 of €5\.00 was refunded to the card/)
  expect(evidence?.refund_refusal_explanation).toContain('€2.00 was refunded all the same')
})

test('only an operator submits staged evidence, once', async () => {
  const { person, order } = await delivered()
  const dispute = await open(order.id)
  const path = `/v1/orders/${order.id}/disputes/${dispute}/submit`
  await untilStaged(dispute)
  for (const caller of [person.caller, harness.service, harness.anonymous]) {
    expect([401, 403]).toContain((await caller.post(path)).status)
  }
  const other = await delivered()
  expect((await harness.operator.post(path.replace(order.id, other.order.id))).status).toBe(404)
  const answers = await Promise.all([harness.operator.post(path), harness.operator.post(path)])
  for (const answer of answers) expect(answer.status).toBe(200)
  expect(expectStatus(await harness.operator.post(path), 200).disputes).toMatchObject([
    { state: 'under_review', evidence: 'submitted', submissionCount: 1 },
  ])
  expect((await atStripe(dispute))?.evidence_details.submission_count).toBe(1)
  expect(await untilTask(dispute, ({ due_at }) => due_at === null)).toMatchObject({
    attributes: { evidence: 'submitted', submissionCount: 1 },
  })
})

test('an operator accepts a dispute, and cannot submit anything afterwards', async () => {
  const { order } = await delivered()
  const dispute = await open(order.id)
  const path = `/v1/orders/${order.id}/disputes/${dispute}`
  await untilStaged(dispute)
  expect(expectStatus(await harness.operator.post(`${path}/accept`), 200).dispute).toBe('lost')
  expect((await harness.operator.post(`${path}/accept`)).status).toBe(200)
  expect((await harness.operator.post(`${path}/submit`)).body).toMatchObject({ status: 409 })
  await until('the task is another', async () => !(await taskOf(dispute)) && (await taskOf(dispute, 'dispute_lost')))
  expect((await byOperator(order.id)).disputes).toMatchObject([{ state: 'lost' }])
})

test('evidence that Stripe refuses becomes an operator task, and the dispute is recorded all the same', async () => {
  const { order } = await delivered()
  await stripe.fault({
    match: { method: 'POST', path: '/v1/disputes/' },
    status: 400,
    body: { error: { type: 'invalid_request_error', code: 'parameter_unknown' } },
    times: 50,
  })
  const dispute = await open(order.id)
  await until('an operator knows', () => taskOf(order.id, 'dispute_evidence_unstaged'))
  expect(await taskOf(order.id, 'dispute_evidence_unstaged')).toMatchObject({ detail: 'parameter_unknown' })
  expect((await taskOf(dispute))?.attributes).toMatchObject({ evidence: 'none' })
  expect((await byOperator(order.id)).disputes).toMatchObject([{ state: 'needs_response', evidence: 'none' }])
  expect((await harness.operator.post(`/v1/orders/${order.id}/disputes/${dispute}/submit`)).status).toBe(409)
  // Not before: Stripe's second event about the dispute lets the run stage the evidence once more.
  await stripe.clearFaults()
})

test('an outage of Stripe for an hour does not keep the evidence away', async () => {
  const { order } = await delivered()
  await stripe.fault({ match: { method: 'POST', path: '/v1/disputes/' }, status: 503, times: 8 })
  const dispute = await open(order.id)
  await until('the dispute is known', () => taskOf(dispute))
  await harness.fastForward(order.id, '1 hour')
  await untilStaged(dispute)
  await stripe.clearFaults()
})

test.each([
  ['is down', { status: 503 }],
  ['refuses to suspend it', { status: 200, body: { success: false, errorCode: '200002', errorMsg: '', obj: null } }],
])('evidence does not wait for an eSIM whose provider %s', async (_what, answer) => {
  const { order } = await delivered()
  await esimAccess.fault({ match: { path: '/esim/suspend$' }, ...answer, times: 1_000_000 })
  const dispute = await open(order.id)
  await untilStaged(dispute)
  expect(await writes(dispute)).toBe(1)
  await esimAccess.clearFaults()
  await harness.fastForward(order.id, '10 minutes')
  const suspended = async () => (await harness.service.get(`/v1/orders/${order.id}`)).body.esims[0].suspended
  await until('it is suspended', suspended)
  expect(await writes(dispute)).toBe(1)
})

test('evidence that Stripe refuses while the eSIM’s provider is down becomes an operator task at once', async () => {
  const { order } = await delivered()
  await esimAccess.fault({ match: { path: '/esim/suspend$' }, status: 503, times: 1_000_000 })
  const body = { error: { type: 'invalid_request_error', code: 'parameter_unknown' } }
  await stripe.fault({ match: { method: 'POST', path: '/v1/disputes/' }, status: 400, body, times: 1_000_000 })
  await open(order.id)
  await until('an operator knows', () => taskOf(order.id, 'dispute_evidence_unstaged'))
  expect(await taskOf(order.id, 'dispute_evidence_unstaged')).toMatchObject({ detail: 'parameter_unknown' })
  await Promise.all([stripe.clearFaults(), esimAccess.clearFaults()])
})

test('no dispute evidence is staged before the delivery, which is evidence itself', async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { packageCode, pay: { riskLevel: 'elevated' }, until: 'in_review' })
  const dispute = await open(id)
  expect((await untilTask(dispute)).attributes).toMatchObject({ evidence: 'none' })
  expectStatus(await harness.operator.post(`/v1/orders/${id}/approve`), 200)
  await untilStaged(dispute)
})

test('a dispute of a top-up, an inquiry and a dispute without a date are answered likewise', async () => {
  const { person, order } = await delivered()
  const wanted = { packageCode: testPackages.topUp }
  const topUp = expectStatus(await person.caller.post(`/v1/orders/${order.id}/top-up`, wanted), 201)
  await stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'delivered')
  const dispute = await open(topUp.id, { inquiry: true, dueInDays: null })
  const task = await untilStaged(dispute)
  expect(task).toMatchObject({ due_at: null, attributes: { orderId: topUp.id, status: 'warning_needs_response' } })
  expect((await atStripe(dispute))?.evidence.product_description).toContain('added to an eSIM')
  expectStatus(await harness.operator.post(`/v1/orders/${topUp.id}/disputes/${dispute}/submit`), 200)
  await untilTask(dispute, ({ attributes }) => attributes?.status === 'warning_under_review')
})

test('a dispute whose webhook was lost, of an order whose run has closed, gets its task and evidence by the payment sweep', async () => {
  const { order } = await delivered()
  await esimAccess.do('expire', { iccid: order.esims[0].iccid })
  await harness.fastForward(order.id, '2 days')
  await harness.untilOrder(order.id, 'ended')
  await stripe.do('webhooks', { drop: 1_000 })
  const dispute = await open(order.id)
  await stripe.do('webhooks', { drop: 0 })
  await runLater(harness.stack, paymentSweepType, 1 / 24)
  await untilStaged(dispute)
  const dueBy = (await taskOf(dispute))?.due_at?.getTime() ?? 0
  expect((await atStripe(dispute))?.evidence_details.due_by).toBe(dueBy / 1000)
})

test('the erasure of a customer keeps the date and amount of an open dispute, and no tie to the order', async () => {
  const { person, order } = await delivered()
  const dispute = await open(order.id)
  const before = await untilStaged(dispute)
  await deleteAccount(harness.stack, person)
  const { orderId: _orderId, ...attributes } = before.attributes ?? {}
  expect(await taskOf(dispute)).toMatchObject({ detail: 'erased', due_at: before.due_at, attributes })
  expect(JSON.stringify(await taskOf(dispute))).not.toContain(order.id)
  expect((await harness.operator.post(`/v1/orders/${order.id}/disputes/${dispute}/submit`)).status).toBe(404)
  await stripe.do('close-dispute', { dispute, outcome: 'won' })
  await until(
    'no trace is left',
    async () => (await sql`select from attention where subject_id = ${dispute}`).length === 0,
  )
})

test('a dispute about an order that was erased before becomes a task with date and amount, without evidence', async () => {
  const { person, order } = await delivered()
  await deleteAccount(harness.stack, person)
  const dispute = await open(order.id)
  expect(await untilTask(dispute)).toMatchObject({
    detail: 'erased',
    due_at: expect.any(Date),
    attributes: { amountMinor: testPriceMinor, currency: 'EUR', reason: 'fraudulent', evidence: 'none' },
  })
  expect(await writes(dispute)).toBe(0)
})

test('a task is urgent two days before its due date, and late after it', async () => {
  const now = new Date()
  expect(urgencyOf('dispute_open', null, now)).toBe('today')
  expect(urgencyOf('dispute_open', plusMs(now, periods.operatorTask.dueSoonMs + 1), now)).toBe('today')
  expect(urgencyOf('dispute_open', plusMs(now, periods.operatorTask.dueSoonMs), now)).toBe('now')
  expect(urgencyOf('dispute_lost', plusMs(now, -1), now)).toBe('now')

  const { order } = await delivered()
  const dispute = await open(order.id, { dueInDays: -1 })
  await untilStaged(dispute)
  const { text } = await harness.operator.get('/metrics')
  const due = /ama_operator_task_due_seconds\{kind="dispute_open"\} (\S+)/.exec(text)?.[1]
  expect(Number(due)).toBeLessThan(0)
  expectStatus(await harness.operator.post(`/v1/orders/${order.id}/disputes/${dispute}/submit`), 200)
  expect((await byOperator(order.id)).disputes).toMatchObject([{ pastDue: true }])
})
