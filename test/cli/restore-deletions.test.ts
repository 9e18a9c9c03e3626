/**
 * U2: paid means delivered or refunded. A person who was erased since the dump is erased again, and nothing refunds an
 * order by itself that may have been delivered to them.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { redoDeletion, redoDeletions } from '../../cli/restore/deletions.ts'
import { createFailureIsolation } from '../../cli/restore/failure-isolation.ts'
import { repeating } from '../../cli/restore/until-answered.ts'
import { listItems } from '../../db/backup/restores.ts'
import { importReceipts } from '../../db/erasure/carried-receipts.ts'
import { openPayments } from '../../db/erasure/deletion-seals.ts'
import { operatorTaskOf } from '../../db/erasure/step-tasks.ts'
import { findTaskAttributes, raiseOperatorTask } from '../../db/operator-tasks.ts'
import { findOrder } from '../../db/order/orders.ts'
import { plusDays } from '../../shared/calendar.ts'
import { deleteAccount } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import { openRestore } from '../harness/lost.ts'

const harness = await shareStack({ books: false })
const { stripe } = harness.sims
const context = repeating(harness.context, 0)
const { sql, cipher } = context
const always = 1_000_000

const tasksOf = (subjectId: string) => sql<{ kind: string; detail: string | null }[]>`
  select kind, detail from attention where subject_id = ${subjectId} and resolved_at is null order by kind`
const unknownToStripe = (payment: string) =>
  stripe.fault({
    match: { path: `^/v1/payment_intents/${payment}` },
    status: 404,
    body: { error: { type: 'invalid_request_error', code: 'resource_missing', message: 'No such payment' } },
    times: always,
  })
afterAll(() => stripe.clearFaults())

/** Somebody whom a deletion's run has erased since the dump, while an operator looked at their paid order. */
async function eraseAgain(
  row: { payment_intent_id?: null; checkout_session_id?: string },
  { isUnknown = false, isSettled = false } = {},
) {
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { pay: { riskLevel: 'elevated' }, until: 'in_review' })
  const payment = (await findOrder(sql, id))?.payment_intent_id ?? ''
  if (Object.keys(row).length > 0) await sql`update orders set ${sql(row)} where id = ${id}`
  if (isUnknown) await unknownToStripe(payment)
  const reason = 'requested' as const
  const accountRef = cipher.accountRef(person.accountId)
  const erasedAt = new Date().toISOString()
  const erasure = { receiptId: randomUUID(), erasedAt, backupsGoneBy: erasedAt, pending: [] }
  const settled = { type: 'settlePayments', input: {}, at: new Date(), completed: { result: { watch: false } } }
  const history = { input: { accountRef, reason }, activities: isSettled ? [settled] : [], failedWith: undefined }
  const restoreId = await openRestore(sql)
  const isolate = createFailureIsolation(sql, restoreId)
  const isErased = await redoDeletion(context, { accountRef, history, erasure, known: undefined }, isolate)
  await stripe.clearFaults()
  const inSeal: string[] = []
  for await (const erased of openPayments(sql, context)) inSeal.push(...erased)
  return {
    person,
    payment,
    isErased,
    isInSeal: inSeal.includes(payment),
    inSeal,
    items: await listItems(sql, restoreId, { after: undefined, outcome: undefined, limit: 100 }),
  }
}

test('U2: the payment of somebody who was erased since, whose order may have been delivered, is an operator task', async () => {
  const { payment, isErased, isInSeal } = await eraseAgain({})
  expect({ isErased, isInSeal }).toEqual({ isErased: true, isInSeal: false })
  expect(await tasksOf(payment)).toEqual([{ kind: 'payment_without_order', detail: null }])
})

test.each([
  ['a payment', {}],
  ['a page', { payment_intent_id: null, checkout_session_id: 'cs_test_unknown' }],
] as const)('%s that Stripe does not know keeps nobody from being erased again', async (_what, row) => {
  const isPayment = Object.keys(row).length === 0
  const { person, payment, isErased, isInSeal, items } = await eraseAgain(row, { isUnknown: isPayment })
  expect({ isErased, isInSeal }).toEqual({ isErased: true, isInSeal: false })
  expect((await harness.service.get(`/v1/accounts/${person.accountId}`)).status).toBe(404)
  const subjectId = isPayment ? payment : 'cs_test_unknown'
  expect(items).toMatchObject([{ kind: 'payment', subjectId, outcome: 'undecided' }])
  expect(await tasksOf(subjectId)).toMatchObject([{ kind: 'restore_undecided' }])
})

test('G3: the page of Stripe on which somebody has paid who was erased since is still to be redacted', async () => {
  const page = `cs_test_${randomUUID()}`
  const { payment, inSeal } = await eraseAgain({ checkout_session_id: page }, { isSettled: true })
  expect(inSeal).toEqual(expect.arrayContaining([payment, page]))
})

test('G3: the rows that the task of a deletion names stay named when a restore raises it again', async () => {
  const receiptId = randomUUID()
  const accountRef = cipher.accountRef(randomUUID())
  const at = new Date()
  const dates = { erasedAt: at, backupsGoneBy: at }
  const step = { processor: 'temporal', state: 'needs_operator', code: 'runs_1', changedAt: at } as const
  const known = { receiptId, accountRef, reason: 'requested' as const, ...dates, completedAt: null, steps: [step] }
  await importReceipts(sql, [known])
  const task = operatorTaskOf(receiptId, 'temporal')
  await raiseOperatorTask(sql, { ...task, detail: 'runs_1', at, attributes: { rows: 1, runs: 'of-the-dump' } })

  const erasure = { receiptId, erasedAt: at.toISOString(), backupsGoneBy: at.toISOString(), pending: [] }
  const completed = { result: { state: 'needs_operator', code: 'gone_runs_listed' } }
  const activities = [{ type: 'deleteRuns', input: { final: true }, at, completed }]
  const history = { input: { accountRef, reason: 'requested' }, activities, failedWith: undefined }
  const isolate = createFailureIsolation(sql, await openRestore(sql))
  await redoDeletion(context, { accountRef, history, erasure, known }, isolate)
  expect(await tasksOf(receiptId)).toEqual([{ kind: task.kind, detail: 'gone_runs_listed' }])
  expect(await findTaskAttributes(sql, task)).toEqual({ rows: 1, runs: 'of-the-dump' })
})

test('a deletion that cannot be redone keeps no other one from it', async () => {
  const person = await harness.signUp()
  const { receiptId, workflowId } = await deleteAccount(harness.stack, person, harness.service)
  const accountRef = cipher.accountRef(person.accountId)
  const { runId } = await harness.temporal.workflow.getHandle(workflowId).describe()
  const failing: unknown[] = []
  const isolate = async (of: unknown) => {
    failing.push(of)
    return undefined
  }
  // Its last backup is due by then.
  const at = plusDays(new Date(), 200)
  const run = { accountRef, workflowId, runId }
  expect(await redoDeletions(context, harness.temporal, [run, run], { at, isolate })).toBe(0)
  const of = { kind: 'run', subjectId: receiptId }
  expect(failing).toEqual([of, of])
})
