/**
 * G3: everybody can delete their account. A step that was left to operators ends: they have done it by hand, or let it
 * be tried again. Then the receipt is completed, whether or not the run of the deletion is open.
 */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { leaveStepToOperator } from '../../activities/erasure/step.ts'
import { renderTasks } from '../../api/pages/console/tasks.tsx'
import type { Attention, OperatorActs } from '../../db/connection/schema.ts'
import { importReceipts } from '../../db/erasure/carried-receipts.ts'
import {
  type DeletionSecrets,
  hasSeal,
  openSecret,
  type PaymentToClose,
  sealSecrets,
} from '../../db/erasure/deletion-seals.ts'
import { findDeletion, findReceipt } from '../../db/erasure/deletions.ts'
import { finishDeletion } from '../../db/erasure/finishing.ts'
import { listOpenOperatorTasks, raiseOperatorTask } from '../../db/operator-tasks.ts'
import { type ErasureStep, erasureSteps } from '../../policy/deletion.ts'
import { plusDays } from '../../shared/calendar.ts'
import { createSurfer } from '../harness/browser.ts'
import { deleteAccount, nothingSealed } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack({ books: false })
const { operator } = harness
const { sql, cipher } = harness.context
const { firebase } = harness.sims

const note = 'done in their dashboard'
const refusesToDelete = {
  match: { path: 'accounts:delete' },
  status: 400,
  body: { error: { code: 400, message: 'MISSING_LOCAL_ID' } },
  times: 1_000_000,
}
const settlement: PaymentToClose = {
  action: 'refund',
  paymentIntentId: 'pi_bounced',
  trouble: 'refund_bounced',
  factId: null,
  invoiceNumber: null,
  packageName: 'Germany 1 GB',
  destination: 'DE',
  quantity: 1,
  grossMinor: 500,
  currency: 'EUR',
  refundedAt: null,
}
const customer = { stripeCustomer: { customerId: 'cus_left' } }

/** A deletion of months ago, all of whose steps are done but one, which an operator has to do. */
async function leftToOperators(
  processor: ErasureStep,
  {
    code = 'refused',
    sealed,
    daysAgo = 100,
  }: { code?: string; sealed?: Partial<DeletionSecrets>; daysAgo?: number } = {},
) {
  const receiptId = randomUUID()
  const erasedAt = plusDays(new Date(), -daysAgo)
  const steps = erasureSteps.map(
    (step) => ({ processor: step, state: 'done', code: null, changedAt: erasedAt }) as const,
  )
  const dates = { erasedAt, backupsGoneBy: erasedAt, completedAt: null }
  const accountRef = cipher.accountRef(randomUUID())
  await importReceipts(sql, [{ receiptId, accountRef, reason: 'requested', steps, ...dates }])
  if (sealed) await sql.begin((tx) => sealSecrets(tx, harness.context, receiptId, { ...nothingSealed, ...sealed }))
  await leaveStepToOperator(harness.context, { receiptId, processor, code, at: new Date() })
  return { receiptId, task: await taskOf(receiptId, processor) }
}

async function taskOf(receiptId: string, processor: ErasureStep): Promise<string> {
  const [task] = await sql<Pick<Attention, 'id'>[]>`
    select id from attention where subject_id = ${receiptId} and kind = ${`deletion_${processor}`}`
  return task?.id ?? ''
}

const complete = (task: string) => operator.post(`/v1/operator-tasks/${task}/complete`, { note })
const tryAgain = (task: string) => operator.post(`/v1/operator-tasks/${task}/try-again`, { reason: 'it is configured' })
const stepOf = async (receiptId: string, processor: ErasureStep) =>
  (await findReceipt(sql, receiptId))?.steps.find((step) => step.processor === processor)
const newestAct = async (act: string, subject: string) => {
  const [entry] = await sql<OperatorActs[]>`
    select * from operator_acts where act = ${act} and subject = ${subject} order by asked_at desc limit 1`
  return entry
}
const shownDone = (receiptId: string) => ({ receiptId, completedAt: expect.any(String) })
const byOperator = expect.stringMatching(/^operator:/)

test.each(erasureSteps)('G3: a deletion whose step %s an operator has done by hand is complete', async (processor) => {
  const { receiptId, task } = await leftToOperators(processor)
  expect(expectStatus(await complete(task), 200)).toEqual(shownDone(receiptId))
  expect(await stepOf(receiptId, processor)).toMatchObject({ state: 'done', code: 'by_operator' })
  // The person sees it, too.
  const shown = expectStatus(await harness.anonymous.get(`/v1/deletions/${receiptId}`), 200)
  expect(shown.completedAt).not.toBeNull()
  // Sent once more: it is done.
  expect(expectStatus(await complete(task), 200)).toEqual(shownDone(receiptId))
  const closed = expectStatus(await operator.get('/v1/operator-tasks?state=closed&limit=100'), 200)
  expect(closed.items).toContainEqual(
    expect.objectContaining({ id: task, closedBy: byOperator, closedAt: expect.stringMatching(/T00:00:00/) }),
  )
  expect(await newestAct('complete-task', `deletion_${processor}:${receiptId}`)).toMatchObject({
    account_id: null,
    operator: byOperator,
    reason: note,
    state: 'done',
  })
})

test('what was done by hand keeps nothing of the person, and no other step from its work', async () => {
  const payments = { paymentIntentIds: ['pi_left'], customerIds: [], job: null, setAside: [], refusals: 0 }
  const { receiptId, task } = await leftToOperators('stripe', { sealed: { ...customer, payments } })
  await sql`update deletion_steps set state = 'pending' where receipt_id = ${receiptId} and processor = 'stripe_redaction'`
  expect(expectStatus(await complete(task), 200)).toEqual({ receiptId, completedAt: null })
  const part = (name: 'stripeCustomer' | 'payments') => openSecret(sql, harness.context, receiptId, name)
  expect([await part('stripeCustomer'), await part('payments')]).toEqual([null, payments])
  // The same request once more, and a step that waits for nobody.
  expect(expectStatus(await complete(task), 200)).toEqual({ receiptId, completedAt: null })
})

test('a refund on its way is looked at on, when an operator has deleted the customer by hand', async () => {
  const watched: PaymentToClose = {
    ...settlement,
    action: 'watch',
    trouble: null,
    refundedAt: new Date().toISOString(),
  }
  const sealed = { ...customer, settlements: [watched] }
  const { receiptId, task } = await leftToOperators('stripe', { code: 'unknown_customer', sealed, daysAgo: 5 })
  await sql`update deletion_steps set state = 'pending' where receipt_id = ${receiptId} and processor = 'stripe_redaction'`
  expect(expectStatus(await complete(task), 200)).toEqual({ receiptId, completedAt: null })
  const part = (name: 'stripeCustomer' | 'settlements') => openSecret(sql, harness.context, receiptId, name)
  expect([await part('stripeCustomer'), await part('settlements')]).toEqual([null, [watched]])
})

test('refunds are looked at on, when an operator has ended the redaction before its day', async () => {
  const watched: PaymentToClose = {
    ...settlement,
    action: 'watch',
    trouble: null,
    refundedAt: new Date().toISOString(),
  }
  const payments = { paymentIntentIds: ['pi_bounced'], customerIds: [], job: null, setAside: [], refusals: 0 }
  const sealed = { payments, settlements: [watched] }
  const { receiptId, task } = await leftToOperators('stripe_redaction', { sealed, daysAgo: 40 })
  expect(expectStatus(await complete(task), 200)).toEqual({ receiptId, completedAt: null })
  const part = (name: 'payments' | 'settlements') => openSecret(sql, harness.context, receiptId, name)
  expect([await part('payments'), await part('settlements')]).toEqual([null, [watched]])
  const [deletion] = await sql<{ account_ref: string }[]>`
    select account_ref from deletions where receipt_id = ${receiptId}`
  // A run that is started anew looks at them, too.
  expect((await findDeletion(sql, deletion?.account_ref ?? ''))?.pending).toEqual(['stripe'])
  await sql`update deletions set erased_at = now() - interval '91 days' where receipt_id = ${receiptId}`
  expect(await finishDeletion(harness.context, receiptId, new Date())).toBe(true)
  expect(await hasSeal(sql, receiptId)).toBe(false)
})

test('on the console the tasks of steps that were left say so, and a form completes one', async () => {
  const { receiptId, task } = await leftToOperators('apple', { sealed: customer })
  const surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
  const page = `/console/attention/${task}/complete`
  expect((await surfer.open('/console/tasks?kind=deletion_apple')).html).toContain(`href="${page}"`)
  const again = `/console/attention/${task}/try-again`
  const refused = await surfer.submit(again, again, { reason: 'nothing is sealed for it' })
  expect(refused.status).toBe(422)
  const sent = await surfer.submit(page, page, { reason: note })
  expect([sent.status, sent.location]).toEqual([303, '/console/tasks'])
  const repeated = await surfer.submit(page, page, { reason: note })
  expect([repeated.status, repeated.location]).toEqual([303, '/console/tasks'])
  expect((await findReceipt(sql, receiptId))?.completedAt).toBeInstanceOf(Date)
  expect(await hasSeal(sql, receiptId)).toBe(false)
})

test('what the deletion finds by itself, and a step that waits for no operator, is not done by hand', async () => {
  const sealed = { settlements: [settlement] }
  const watched = await leftToOperators('stripe', { code: 'refund_bounced', sealed, daysAgo: 40 })
  const listed = await leftToOperators('temporal', { code: 'gone_runs_listed' })
  const pending = await leftToOperators('google')
  await sql`update deletion_steps set state = 'pending' where receipt_id = ${pending.receiptId} and processor = 'google'`
  for (const { receiptId, task } of [watched, listed, pending]) {
    expect(expectStatus(await complete(task), 409).code).toBe('erasure_step_conflict')
    expect((await findReceipt(sql, receiptId))?.completedAt).toBeNull()
  }
  // Nothing is left by which it could be tried.
  const lost = await leftToOperators('firebase')
  expect(expectStatus(await tryAgain(lost.task), 409).detail).toContain('no longer sealed')
  expect(expectStatus(await tryAgain(listed.task), 409).detail).toContain('by itself')
  // A task about something else.
  await raiseOperatorTask(sql, { kind: 'refund_unsettled', subjectId: lost.receiptId, at: new Date() })
  const [other] = await sql<Pick<Attention, 'id'>[]>`
    select id from attention where kind = 'refund_unsettled' and subject_id = ${lost.receiptId}`
  for (const act of [complete, tryAgain])
    expect(expectStatus(await act(other?.id ?? ''), 409).code).toBe('erasure_step_conflict')
  expect((await complete(randomUUID())).status).toBe(404)
  // A refund that was given up is no longer looked at.
  const givenUp = await leftToOperators('stripe', { code: 'refund_bounced', sealed })
  expectStatus(await complete(givenUp.task), 200)
})

test('the task of a step that was left is not settled, which would leave the deletion open', async () => {
  const { receiptId, task } = await leftToOperators('google')
  const settle = () => operator.post(`/v1/operator-tasks/${task}/close`, { note })
  expect(expectStatus(await settle(), 409)).toMatchObject({
    code: 'erasure_step_conflict',
    detail: expect.stringContaining('leave the deletion open'),
  })
  const surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
  const page = `/console/attention/${task}/settle`
  expect((await surfer.open('/console/tasks?kind=deletion_google')).html).not.toContain(`href="${page}"`)
  expect((await surfer.submit(page, page, { reason: note })).status).toBe(422)
  expect(await taskOf(receiptId, 'google')).toBe(task)
  // One that goes on being tried is theirs to settle.
  await sql`update deletion_steps set state = 'pending' where receipt_id = ${receiptId} and processor = 'google'`
  expectStatus(await settle(), 200)
})

test('only a role that may end the steps of deletions is offered to', async () => {
  const { task } = await leftToOperators('mail')
  const tasks = await listOpenOperatorTasks(sql, { limit: 500, asOf: new Date() })
  const frame = {
    supportMail: 'help@example.com',
    csrf: '',
    label: '',
    ui: { url: 'http://localhost', namespace: 'x' },
  }
  const page = { asOf: new Date(), filter: {}, isMine: false, count: 1, next: null, kinds: [] }
  const shown = (endsSteps: boolean) =>
    renderTasks(frame, { ...page, items: tasks, owners: new Map(), operators: new Map(), endsSteps })
  for (const name of ['complete', 'try-again']) {
    expect(shown(true)).toContain(`${task}/${name}`)
    expect(shown(false)).not.toContain(`${task}/${name}`)
  }
})

test('the runs are looked at, when an operator has verified the database by hand', async () => {
  const trace = { ids: [randomUUID()], blinds: [], orderIds: [], requestIds: [], emailChangeIds: [], transaction: '1' }
  const { receiptId, task } = await leftToOperators('database', { sealed: { trace } })
  await sql`update deletion_steps set state = 'pending' where receipt_id = ${receiptId} and processor = 'temporal'`
  expect(expectStatus(await complete(task), 200).receiptId).toBe(receiptId)
  await until('the receipt is complete', async () => (await findReceipt(sql, receiptId))?.completedAt)
  expect(await stepOf(receiptId, 'temporal')).toMatchObject({ state: 'done', code: null })
})

test('a step whose cause is removed is tried again by the run of the deletion', async () => {
  await firebase.fault(refusesToDelete)
  const person = await harness.signUp()
  const deletion = await deleteAccount(harness.stack, person)
  await deletion.until('firebase', 'needs_operator')
  await firebase.clearFaults()
  const task = await until('the task is raised', () => taskOf(deletion.receiptId, 'firebase'))
  expectStatus(await tryAgain(task), 200)
  await deletion.until('firebase', 'done')
  expect((await firebase.state()).deletedUsers).toContain(person.firebaseUid)
  await until('the task is settled', async () => {
    const open = await sql`select 1 from attention where id = ${task} and resolved_at is null`
    return open.length === 0
  })
  expect(await newestAct('try-again-task', `deletion_firebase:${deletion.receiptId}`)).toMatchObject({
    operator: byOperator,
    state: 'done',
  })
})

test('a step is tried again, and the receipt completed, after the run of the deletion has ended without it', {
  tags: 'long',
}, async () => {
  await firebase.fault(refusesToDelete)
  const deletion = await deleteAccount(harness.stack, await harness.signUp())
  await deletion.until('firebase', 'needs_operator')
  await deletion.fastForward('92 days')
  const handle = harness.temporal.workflow.getHandle(deletion.workflowId)
  expect(await handle.result()).toEqual({ complete: false })
  await firebase.clearFaults()
  expectStatus(await tryAgain(await taskOf(deletion.receiptId, 'firebase')), 200)
  await deletion.until('firebase', 'done')
  await until('the receipt is complete', async () => (await deletion.receipt()).completedAt !== null)
})

test('a refund that bounced is looked at at once, when an operator has made it at Stripe', {
  tags: 'long',
}, async () => {
  const { stripe } = harness.sims
  const person = await harness.signUp()
  const order = await harness.buy(person, { pay: { riskLevel: 'highest' }, until: 'in_review' })
  const deletion = await deleteAccount(harness.stack, person)
  await deletion.until('stripe', 'done')
  for (const time of ['25 hours', '3 days'] as const) {
    await stripe.do('fail-refund', { orderId: order.id })
    await deletion.fastForward(time)
  }
  await deletion.until('stripe', 'needs_operator')
  const { paymentIntents } = await stripe.state()
  const payment = paymentIntents.find(({ metadata }) => metadata.order_id === order.id)
  const made = await fetch(`${stripe.url}/v1/refunds`, {
    method: 'POST',
    headers: { authorization: `Bearer ${harness.config.STRIPE_SECRET_KEY}` },
    body: new URLSearchParams({ payment_intent: payment?.id ?? '' }),
  })
  expect(made.status).toBe(200)
  expectStatus(await tryAgain(await taskOf(deletion.receiptId, 'stripe')), 200)
  await deletion.until('stripe', 'done')
})
