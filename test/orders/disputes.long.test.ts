/** A dispute suspends the eSIM and becomes an operator task, with an open or a closed run of the order. */
import { expect, test } from 'vitest'
import { listTakenBack } from '../../activities/order/refunds/lost-disputes.ts'
import type { Attention, Esims } from '../../db/connection/schema.ts'
import { recordDisputeTasks, upsertDispute } from '../../db/order/disputes.ts'
import { describeRun } from '../../temporal/runs.ts'
import {
  orderAftercareWorkflowId,
  orderState,
  orderWorkflowId,
  providerSignal,
} from '../../workflows/order/order.contract.ts'
import { reconciliationType } from '../../workflows/reconciliation/reconciliation.contract.ts'
import { always } from '../harness/checks/placements.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { requestReturnOf, untilWatched } from '../harness/purchases.ts'
import { runLater } from '../harness/temporal/run-later.ts'
import { testPackages, testPriceMinor } from '../harness/test-packages.ts'
import { until, untilValue } from '../harness/until.ts'

const harness = await shareStack()
const { stripe, esimAccess } = harness.sims
const { sql } = harness.stack.context

async function delivered(packageCode: string = testPackages.onlyEsimAccess) {
  const person = await harness.signUp()
  return { person, order: await harness.buy(person, { packageCode }) }
}

const open = async (orderId: string): Promise<string> => (await stripe.do('open-dispute', { orderId })).dispute

const view = async (orderId: string) => (await harness.service.get(`/v1/orders/${orderId}`)).body

/** Waits until the dispute and the eSIM have their expected states. @returns the order */
const untilDispute = (orderId: string, state: string, suspended: boolean) =>
  untilValue(
    `the dispute is ${state}`,
    () => view(orderId),
    ({ dispute, esims }) =>
      dispute === state && esims.every((each: { suspended: boolean }) => each.suspended === suspended),
  )

async function paymentOf(orderId: string): Promise<string | undefined> {
  const [row] = await sql<{ payment_intent_id: string }[]>`select payment_intent_id from orders where id = ${orderId}`
  return row?.payment_intent_id
}

/** The kinds of the open operator tasks. */
async function tasks(...subjects: string[]): Promise<string[]> {
  const rows = await sql<Pick<Attention, 'kind'>[]>`
    select kind from attention where subject_id in ${sql(subjects)} and resolved_at is null order by kind`
  return rows.map(({ kind }) => kind)
}

/** An operator settles a task. */
async function settle(subject: string, kind: string): Promise<void> {
  const [task] = await sql<Pick<Attention, 'id'>[]>`
    select id from attention where subject_id = ${subject} and kind = ${kind} and resolved_at is null`
  expectStatus(await harness.operator.post(`/v1/operator-tasks/${task?.id}/close`, { note: 'it is decided' }), 200)
}

async function atProvider(iccid: string): Promise<string | undefined> {
  const { esims } = await esimAccess.state()
  // A returned eSIM's number is given again.
  return esims.findLast((each) => each.iccid === iccid)?.esimStatus
}

test('a dispute suspends the eSIM, and a won one resumes it', async () => {
  const { order } = await delivered()
  const { iccid } = order.esims[0]
  await esimAccess.do('use', { iccid, bytes: 1_000 })
  const dispute = await open(order.id)
  await untilDispute(order.id, 'needs_response', true)
  expect(await atProvider(iccid)).toBe('SUSPENDED')
  expect(await tasks(order.id, dispute)).toEqual(['dispute_open'])

  await stripe.do('review-dispute', { dispute })
  await untilDispute(order.id, 'under_review', true)

  await stripe.do('close-dispute', { dispute, outcome: 'won' })
  await untilDispute(order.id, 'won', false)
  expect(await atProvider(iccid)).toBe('IN_USE')
  expect(await tasks(order.id, dispute)).toEqual([])
  expect((await view(order.id)).status).toBe('delivered')
})

test('a lost dispute keeps the eSIM suspended and becomes an operator task', async () => {
  const { order } = await delivered()
  const dispute = await open(order.id)
  await untilDispute(order.id, 'needs_response', true)
  await stripe.do('close-dispute', { dispute, outcome: 'lost' })
  await untilDispute(order.id, 'lost', true)
  await until('another operator task is open', async () => (await tasks(order.id, dispute)).join() === 'dispute_lost')
  expect(await atProvider(order.esims[0].iccid)).toBe('SUSPENDED')
})

test.each([
  ['block', false],
  ['resolution', true],
] as const)(
  'a dispute that is prevented by a %s: the customer has the money back: %s',
  async (caseType, isTakenBack) => {
    const { order } = await delivered()
    const dispute = await open(order.id)
    await untilDispute(order.id, 'needs_response', true)
    await stripe.do('prevent-dispute', { dispute, caseType })
    // Nobody has both the money and the eSIM.
    await untilDispute(order.id, 'prevented', isTakenBack)
    await until('the operators know', async () => (await tasks(dispute)).join() === (isTakenBack ? 'dispute_lost' : ''))
    const listed = await listTakenBack(
      harness.context,
      { paymentIntentId: (await paymentOf(order.id)) ?? '', currency: 'EUR' },
      testPriceMinor,
    )
    expect(listed.map(({ amountMinor }) => amountMinor)).toEqual(isTakenBack ? [testPriceMinor] : [])
  },
)

test('a dispute before the delivery suspends the eSIM once it is delivered', async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person, {
    packageCode: testPackages.onlyEsimAccess,
    pay: { riskLevel: 'elevated' },
    until: 'in_review',
  })
  const dispute = await open(id)
  await until('the operators know', async () => (await tasks(id, dispute)).includes('dispute_open'))
  expectStatus(await harness.operator.post(`/v1/orders/${id}/approve`), 200)
  await harness.untilOrder(id, 'delivered')
  const { esims } = await untilDispute(id, 'needs_response', true)
  expect(await atProvider(esims[0].iccid)).toBe('SUSPENDED')
  expect(await tasks(id, dispute)).toEqual(['dispute_open'])
})

test('an eSIM that its provider does not let run again after a won dispute is an operator task', async () => {
  const { order } = await delivered()
  const dispute = await open(order.id)
  await untilDispute(order.id, 'needs_response', true)
  const body = { success: false, errorCode: '310403', errorMsg: 'no such eSIM', obj: null }
  await esimAccess.fault({ match: { path: '/esim/unsuspend' }, status: 200, body, times: 1_000_000 })
  await stripe.do('close-dispute', { dispute, outcome: 'won' })
  await harness.fastForward(order.id, '7 hours')
  await until('an operator knows', async () => (await tasks(order.id)).includes('esim_not_resumable'))
  expect(await atProvider(order.esims[0].iccid)).toBe('SUSPENDED')
  await esimAccess.clearFaults()
})

const refusal = (errorCode: string) => ({ success: false, errorCode, errorMsg: 'no', obj: null })
const nothingFound = { success: true, errorCode: '0', obj: { esimList: [] } }
const oneRefusal = [
  ['310403', []],
  ['310272', []],
  ['200002, and the question after it finds nothing', [nothingFound]],
] as const

test.each(oneRefusal)(
  'an eSIM whose provider refuses once with %s runs again after a won dispute',
  async (what, looks) => {
    const { order } = await delivered()
    const dispute = await open(order.id)
    await untilDispute(order.id, 'needs_response', true)
    await esimAccess.fault({ match: { path: '/esim/unsuspend$' }, status: 200, body: refusal(what.slice(0, 6)) })
    for (const body of looks) await esimAccess.fault({ match: { path: '/esim/query$' }, status: 200, body })
    await stripe.do('close-dispute', { dispute, outcome: 'won' })
    await untilDispute(order.id, 'won', false)
    expect(await atProvider(order.esims[0].iccid)).not.toBe('SUSPENDED')
    expect(await tasks(order.id)).toEqual([])
  },
)

test.each(oneRefusal)('an eSIM whose provider refuses once with %s is suspended by a dispute', async (what, looks) => {
  const { order } = await delivered()
  await esimAccess.fault({ match: { path: '/esim/suspend$' }, status: 200, body: refusal(what.slice(0, 6)) })
  for (const body of looks) await esimAccess.fault({ match: { path: '/esim/query$' }, status: 200, body })
  const dispute = await open(order.id)
  await untilDispute(order.id, 'needs_response', true)
  expect(await atProvider(order.esims[0].iccid)).toBe('SUSPENDED')
  expect(await tasks(order.id, dispute)).toEqual(['dispute_open'])
})

test('operators are told after some hours of an eSIM whose provider is down, and no longer when it answers', async () => {
  const { order } = await delivered()
  await esimAccess.fault({ match: { path: '/esim/suspend$' }, status: 503, times: 1_000_000 })
  const dispute = await open(order.id)
  await until('the operators know', async () => (await tasks(dispute)).includes('dispute_open'))
  await harness.fastForward(order.id, '7 hours')
  await until('they know of the eSIM', async () => (await tasks(order.id)).includes('esim_not_suspendable'))
  await esimAccess.clearFaults()
  await harness.fastForward(order.id, '1 hour')
  await untilDispute(order.id, 'needs_response', true)
  await until('nothing is left', async () => (await tasks(order.id, dispute)).join() === 'dispute_open')
})

test('an eSIM that still waits to run again after a won dispute is not taken for suspended by its provider', async () => {
  const { order } = await delivered()
  await untilWatched(harness.stack, order.id)
  await esimAccess.do('webhooks', { drop: 1_000 })
  const dispute = await open(order.id)
  await untilDispute(order.id, 'needs_response', true)
  await esimAccess.fault({ match: { path: '/esim/unsuspend$' }, status: 503, times: 1_000_000 })
  await stripe.do('close-dispute', { dispute, outcome: 'won' })
  await untilDispute(order.id, 'won', true)
  await esimAccess.do('webhooks', { drop: 0 })
  await harness.temporal.workflow.getHandle(orderWorkflowId(order.id)).signal(providerSignal)
  await until('the eSIM is looked at', async () => (await view(order.id)).esims[0].state === 'suspended')
  expect(await tasks(order.id)).toEqual([])
  await esimAccess.clearFaults()
  await harness.fastForward(order.id, '10 minutes')
  await untilDispute(order.id, 'won', false)
})

test('an eSIM whose provider refuses to suspend it for hours, although its state permits it, is an operator task', async () => {
  const { order } = await delivered()
  const body = refusal('200002')
  await esimAccess.fault({ match: { path: '/esim/suspend$' }, status: 200, body, times: 1_000_000 })
  const dispute = await open(order.id)
  await until('the operators know', async () => (await tasks(dispute)).includes('dispute_open'))
  await harness.fastForward(order.id, '7 hours')
  await until('they know of the eSIM', async () => (await tasks(order.id)).includes('esim_not_suspendable'))
  await until('nothing is tried any more', async () => {
    const { raw } = await harness.temporal.workflow.getHandle(orderWorkflowId(order.id)).describe()
    return !raw.pendingActivities?.some(({ activityType }) => activityType?.name === 'recordDispute')
  })
  await esimAccess.clearFaults()
})

test('a dispute becomes an operator task also when the provider cannot suspend or is down', async () => {
  const { order } = await delivered(testPackages.onlyAiralo)
  const dispute = await open(order.id)
  await until('both are known', async () => (await tasks(order.id, dispute)).length === 2)
  expect(await tasks(order.id, dispute)).toEqual(['dispute_open', 'esim_not_suspendable'])
  expect((await view(order.id)).esims).toMatchObject([{ suspended: false }])

  const away = await delivered()
  await esimAccess.fault({ match: { path: '/esim/suspend' }, status: 500, times: 20 })
  const second = await open(away.order.id)
  await until('the operators know', async () => (await tasks(second)).includes('dispute_open'))
  expect((await view(away.order.id)).esims).toMatchObject([{ suspended: false }])
  await harness.fastForward(away.order.id, '1 day')
  await untilDispute(away.order.id, 'needs_response', true)
})

test('U5: an eSIM that its provider’s staff lets run again while its payment is disputed is suspended again', async () => {
  const { order } = await delivered()
  const { iccid } = order.esims[0]
  const dispute = await open(order.id)
  await untilDispute(order.id, 'needs_response', true)
  await esimAccess.do('unsuspend', { iccid })
  await harness.fastForward(order.id, '1 day')
  await until('it is suspended again', async () => (await atProvider(iccid)) === 'SUSPENDED')
  expect(await tasks(order.id, dispute)).toEqual(['dispute_open'])
})

test('U5: a disputed eSIM that runs since its return was refused is suspended again, or an operator task until it is', async () => {
  const { person, order } = await delivered()
  const { iccid } = order.esims[0]
  const dispute = await open(order.id)
  await untilDispute(order.id, 'needs_response', true)
  const refused = { success: false, errorCode: '200002', errorMsg: 'no', obj: null }
  await esimAccess.fault({ match: { path: '/esim/cancel' }, status: 200, body: refused, times: always })
  await esimAccess.fault({ match: { path: '/esim/suspend' }, status: 503, times: always })
  expect((await requestReturnOf(person.caller, order.id)).status).toBeGreaterThanOrEqual(400)
  expect(await atProvider(iccid)).toBe('GOT_RESOURCE')
  await harness.fastForward(order.id, '1 day')
  await until('operators see it', async () => (await tasks(order.id)).includes('esim_not_suspendable'))
  await esimAccess.clearFaults()
  await harness.fastForward(order.id, '1 day')
  await until('it is suspended again', async () => (await atProvider(iccid)) === 'SUSPENDED')
  await until('nobody has to act', async () => (await tasks(order.id, dispute)).join() === 'dispute_open')
})

test('the task of an eSIM that cannot be suspended stays settled while the same dispute is open', async () => {
  const { order } = await delivered()
  const { iccid } = order.esims[0]
  const dispute = await open(order.id)
  await untilDispute(order.id, 'needs_response', true)
  await esimAccess.do('unsuspend', { iccid })
  await esimAccess.fault({ match: { path: '/esim/suspend' }, status: 503, times: always })
  await harness.fastForward(order.id, '1 day')
  await until('operators see it', async () => (await tasks(order.id)).includes('esim_not_suspendable'))
  await settle(order.id, 'esim_not_suspendable')
  const checkedAt = async () => {
    const [row] = await sql<Pick<Esims, 'checked_at'>[]>`select checked_at from esims where order_id = ${order.id}`
    return Number(row?.checked_at)
  }
  const before = await checkedAt()
  await harness.fastForward(order.id, '1 day')
  await until('it is looked at again', async () => (await checkedAt()) > before)
  expect(await tasks(order.id, dispute)).toEqual(['dispute_open'])
  await esimAccess.clearFaults()
})

test('the tasks of a dispute stay settled when Stripe says the same again, and open when it says more', async () => {
  const { order } = await delivered()
  const dispute = await harness.context.stripe.getDispute(await open(order.id))
  const once = { ...dispute, disputeId: 'du_told_again' }
  const record = (change: Partial<typeof once> = {}) =>
    recordDisputeTasks(sql, { ...once, ...change }, order.id, new Date())
  await record()
  await settle(once.disputeId, 'dispute_open')
  await record()
  expect(await tasks(once.disputeId)).toEqual([])
  await record({ pastDue: true })
  expect(await tasks(once.disputeId)).toEqual(['dispute_open'])
  const lost = { isOver: true, isTakenBack: true, status: 'lost' }
  await record(lost)
  await settle(once.disputeId, 'dispute_lost')
  await record(lost)
  expect(await tasks(once.disputeId)).toEqual([])
})

test('a dispute over more than the column holds, in a currency of small units, is recorded with its task', async () => {
  const { order } = await delivered()
  const dispute = await harness.context.stripe.getDispute(await open(order.id))
  const much = { ...dispute, disputeId: 'du_much', amountMinor: 4_500_000_000, currency: 'LBP' }
  expect(await upsertDispute(sql, order.id, much, new Date())).toBe(true)
  await recordDisputeTasks(sql, much, order.id, new Date())
  const [task] = await sql<Pick<Attention, 'attributes'>[]>`
    select attributes from attention where kind = 'dispute_open' and subject_id = 'du_much'`
  expect(task?.attributes).toMatchObject({ amountMinor: 4_500_000_000, currency: 'LBP' })
  await sql`delete from disputes where stripe_dispute_id = 'du_much'`
})

test('a dispute does not suspend an eSIM that has ended', async () => {
  const { order } = await delivered()
  const { iccid } = order.esims[0]
  await untilWatched(harness.stack, order.id)
  await esimAccess.do('webhooks', { drop: 1_000 })
  await esimAccess.do('expire', { iccid })
  const dispute = await open(order.id)
  await until('the operators know', async () => (await tasks(order.id, dispute)).includes('dispute_open'))
  await until('it is tried', async () => (await tasks(order.id)).includes('esim_not_suspendable'))
  await esimAccess.do('webhooks', { drop: 0 })
  await harness.fastForward(order.id, '2 days')
  await harness.untilOrder(order.id, 'ended')
})

const unreadable = {
  match: { path: '/v1/disputes/' },
  status: 404,
  body: { error: { type: 'invalid_request_error', code: 'resource_missing' } },
}

test('a dispute that Stripe does not know for a moment suspends the eSIM all the same', async () => {
  const { order } = await delivered()
  await stripe.fault({ ...unreadable, times: 2 })
  const dispute = await open(order.id)
  await harness.fastForward(order.id, '1 minute')
  await untilDispute(order.id, 'needs_response', true)
  expect(await tasks(order.id, dispute)).toEqual(['dispute_open'])
})

test('a dispute that cannot be read at Stripe for a week becomes an operator task, and does not fail the run', async () => {
  const { order } = await delivered()
  await stripe.fault({ ...unreadable, times: 1_000_000 })
  await open(order.id)
  await harness.fastForward(order.id, '8 days')
  await until('an operator knows', async () => (await tasks(order.id)).includes('dispute_unrecorded'))
  await stripe.clearFaults()
  const { status } = await harness.temporal.workflow.getHandle(orderWorkflowId(order.id)).describe()
  expect(status.name).toBe('RUNNING')
  expectStatus(await harness.service.post(`/v1/orders/${order.id}/refund`), 200)
})

test('a dispute of a top-up suspends the eSIM that it topped up', async () => {
  const { person, order } = await delivered()
  const topUp = expectStatus(
    await person.caller.post(`/v1/orders/${order.id}/top-up`, { packageCode: testPackages.topUp }),
    201,
  )
  await stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'delivered')
  await open(topUp.id)
  await until('suspended', async () => (await view(order.id)).esims[0].suspended)
  expect((await view(topUp.id)).dispute).toBe('needs_response')
})

/**
 * Waits until the runs of an order have acted on what they were told of a dispute: its row is written before the eSIM's
 * provider is asked.
 */
async function untilActedOn(orderId: string): Promise<void> {
  for (const workflowId of [orderWorkflowId(orderId), orderAftercareWorkflowId(orderId)])
    await until(`${workflowId} has acted on the dispute`, async () => {
      const run = await describeRun(harness.temporal, workflowId)
      return !run?.raw.pendingActivities?.some(({ activityType }) => activityType?.name === 'recordDispute')
    })
}

test.each([
  ['the order’s is lost, the top-up’s is won', ['order', 'lost'], ['topUp', 'won'], true],
  ['the top-up’s is lost, the order’s is won', ['topUp', 'lost'], ['order', 'won'], true],
  ['both are won', ['order', 'won'], ['topUp', 'won'], false],
] as const)(
  'an eSIM with a dispute of its order and one of its top-up, %s',
  async (_what, first, second, suspended) => {
    const { person, order } = await delivered()
    const { iccid } = order.esims[0]
    const topUp = expectStatus(
      await person.caller.post(`/v1/orders/${order.id}/top-up`, { packageCode: testPackages.topUp }),
      201,
    )
    await stripe.do('pay', { orderId: topUp.id })
    await harness.untilOrder(topUp.id, 'delivered')
    const ids = { order: order.id, topUp: topUp.id }
    const disputes = { order: await open(order.id), topUp: await open(topUp.id) }
    await until('both are known', async () => (await tasks(disputes.order, disputes.topUp)).length === 2)
    for (const [which, outcome] of [first, second]) {
      await stripe.do('close-dispute', { dispute: disputes[which], outcome })
      await until(`it is ${outcome}`, async () => (await view(ids[which])).dispute === outcome)
      await untilActedOn(ids[which])
    }
    await until('it is decided', async () => (await view(order.id)).esims[0].suspended === suspended)
    expect((await atProvider(iccid)) === 'SUSPENDED').toBe(suspended)
  },
)

/** A refund that Stripe refuses because the payment is disputed. @returns the dispute */
async function refundStopped(order: { id: string }, how: 'rejected' | 'returned'): Promise<string> {
  if (how === 'returned') {
    await stripe.fault({ match: { method: 'POST', path: '/v1/refunds' }, status: 503, times: 1_000 })
    expectStatus(await harness.service.post(`/v1/orders/${order.id}/refund`), 200)
  }
  const dispute = await open(order.id)
  await stripe.clearFaults()
  if (how === 'rejected') expectStatus(await harness.operator.post(`/v1/orders/${order.id}/reject`), 200)
  else await harness.fastForward(order.id, '10 minutes')
  await harness.untilOrder(order.id, 'refund_failed')
  await until('the operators know', async () => (await tasks(order.id)).includes('refund_failed'))
  return dispute
}

const inReview = async () =>
  harness.buy(await harness.signUp(), {
    packageCode: testPackages.onlyEsimAccess,
    pay: { riskLevel: 'elevated' },
    until: 'in_review',
  })

test.each([
  ['rejected', 'lost'],
  ['rejected', 'won'],
  ['returned', 'lost'],
  ['returned', 'won'],
] as const)('U2: an order that is %s while it is disputed is refunded once the dispute is %s', async (how, outcome) => {
  const order = how === 'rejected' ? await inReview() : (await delivered()).order
  const dispute = await refundStopped(order, how)
  await stripe.do('close-dispute', { dispute, outcome })
  const refunded = await harness.untilOrder(order.id, 'refunded')
  await until('no operator has to repeat it', async () => (await tasks(order.id)).length === 0)
  expect(refunded.refunds).toMatchObject([
    { minor: testPriceMinor, state: 'succeeded', reason: outcome === 'won' ? expect.any(String) : 'dispute_lost' },
  ])
  const [fact] = await sql`
    select outcome, refunded_minor from order_facts f join orders o on o.fact_id = f.id where o.id = ${order.id}`
  expect(fact).toEqual({ outcome: 'refunded', refunded_minor: testPriceMinor })
  const credited = refunded.documents.filter(({ kind }: { kind: string }) => kind === 'credit_note')
  expect(credited).toHaveLength(how === 'returned' ? 1 : 0)
  if (outcome === 'lost')
    await until('the run has closed', async () => (await status(orderWorkflowId(order.id))) === 'COMPLETED')
  await runLater(harness.stack, reconciliationType, 0)
  expect(
    await sql`select kind from reconciliation_differences where subject_id = ${order.id} and explained_by is null`,
  ).toEqual([])
})

test('U2: an order that is held when its dispute is lost is refunded at once: the bank has paid the customer', async () => {
  const order = await inReview()
  const dispute = await open(order.id)
  await stripe.do('close-dispute', { dispute, outcome: 'lost' })
  await until('it is lost', async () => (await view(order.id)).dispute === 'lost')
  expect(await harness.untilOrder(order.id, 'refunded')).toMatchObject({ refunds: [{ reason: 'dispute_lost' }] })
})

test('U2: a refund that an operator has settled another way is not repeated once the dispute is won', async () => {
  const order = await inReview()
  const dispute = await refundStopped(order, 'rejected')
  await settle(order.id, 'refund_failed')
  await stripe.do('close-dispute', { dispute, outcome: 'won' })
  await until('it is over for the run', async () => (await view(order.id)).dispute === 'won')
  const run = harness.temporal.workflow.getHandle(orderWorkflowId(order.id))
  await until('the run has heard of it', async () => !(await run.describe()).raw.pendingActivities?.length)
  expect((await run.query(orderState)).status).toBe('refund_failed')
  expect(await givenBack(order.id)).toEqual({ refunded: 0, taken: 0 })
  // Who wants it repeated says so.
  expectStatus(await harness.operator.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
})

/** The money of an order that the customer has back in the end: from us, and from the bank. */
async function givenBack(orderId: string): Promise<{ refunded: number; taken: number }> {
  const { refunds, disputes } = await stripe.state()
  const payment = await paymentOf(orderId)
  const sum = (amounts: { amount: number }[]) => amounts.reduce((total, { amount }) => total + amount, 0)
  const isIts = ({ payment_intent: of }: { payment_intent: unknown }) => of === payment
  return {
    refunded: sum(refunds.filter((each) => isIts(each) && each.status !== 'failed' && each.status !== 'canceled')),
    taken: sum(disputes.filter((each) => isIts(each) && each.status === 'lost')),
  }
}

const lose = async (orderId: string): Promise<string> => {
  const dispute = await open(orderId)
  await stripe.do('close-dispute', { dispute, outcome: 'lost' })
  await until('it is lost', async () => (await view(orderId)).dispute === 'lost')
  return dispute
}

test.each([
  ['the order’s run follows the refund', '1 day'],
  ['the order’s run has closed', '31 days'],
] as const)(
  'U2: a refund that bounces after the bank has paid the customer is asked of nobody again: %s',
  async (_when, later) => {
    const { order } = await delivered()
    expectStatus(await harness.service.post(`/v1/orders/${order.id}/refund`), 200)
    await harness.untilOrder(order.id, 'refunded')
    await harness.fastForward(order.id, later)
    await lose(order.id)
    await stripe.do('fail-refund', { orderId: order.id })
    const { status: shown, refunds } = await untilValue(
      'the bank’s payment is on record',
      () => view(order.id),
      (each) => each.refunds.some(({ reason }: { reason: string }) => reason === 'dispute_lost'),
    )
    expect(shown).toBe('refunded')
    expect(refunds.map(({ state }: { state: string }) => state).sort()).toEqual(['failed', 'succeeded'])
    expect(await givenBack(order.id)).toEqual({ refunded: 0, taken: testPriceMinor })
    expect(await tasks(order.id)).not.toContain('refund_failed')
    // Nobody has told the customer of a refund that failed.
    expect((await view(order.id)).mails.map(({ mail }: { mail: string }) => mail)).not.toContain('refund_failed')
    const documents = await sql<{ kind: string; gross_minor: number }[]>`
    select i.kind, i.gross_minor from invoices i join invoice_links l on l.number = i.number
    where l.order_id = ${order.id} order by i.kind desc`
    expect(documents).toEqual([
      { kind: 'invoice', gross_minor: testPriceMinor },
      { kind: 'credit_note', gross_minor: -testPriceMinor },
    ])
    expect(await atProvider(order.esims[0].iccid)).toBe('CANCEL')
  },
)

test('U2: a delivered order whose dispute was lost stays sold: its eSIM is suspended, and nothing is refunded besides', async () => {
  const { order } = await delivered()
  await esimAccess.do('use', { iccid: order.esims[0].iccid, bytes: 1_000 })
  const dispute = await lose(order.id)
  await untilDispute(order.id, 'lost', true)
  expect(await harness.service.post(`/v1/orders/${order.id}/refund`)).toMatchObject({
    status: 409,
    body: { code: 'esim_in_use' },
  })
  expect(await view(order.id)).toMatchObject({ status: 'delivered', refunds: [], documents: [{ kind: 'invoice' }] })
  expect(await tasks(order.id, dispute)).toEqual(['dispute_lost'])
  expect(await givenBack(order.id)).toEqual({ refunded: 0, taken: testPriceMinor })
})

test('U2: a dispute over a part gives back that part only: the order waits for an operator', async () => {
  const order = await inReview()
  const { dispute } = await stripe.do('open-dispute', { orderId: order.id, amount: 100 })
  await stripe.do('close-dispute', { dispute, outcome: 'lost' })
  expectStatus(await harness.operator.post(`/v1/orders/${order.id}/reject`), 200)
  expect(await harness.untilOrder(order.id, 'refund_failed')).toMatchObject({ refunds: [] })
})

test('repeated webhooks of a dispute after the run has closed make one operator task for each order', async () => {
  const { order } = await delivered()
  await esimAccess.do('expire', { iccid: order.esims[0].iccid })
  await harness.fastForward(order.id, '2 days')
  await harness.untilOrder(order.id, 'ended')
  await until('the run has closed', async () => (await status(orderWorkflowId(order.id))) === 'COMPLETED')

  await stripe.do('webhooks', { copies: 3 })
  const dispute = await open(order.id)
  await untilDispute(order.id, 'needs_response', false)
  await until('the aftercare is over', async () => (await status(orderAftercareWorkflowId(order.id))) === 'COMPLETED')
  expect(await tasks(order.id, dispute)).toEqual(['dispute_open'])

  await stripe.do('close-dispute', { dispute, outcome: 'lost' })
  await untilDispute(order.id, 'lost', false)
  await until('another operator task is open', async () => (await tasks(order.id, dispute)).join() === 'dispute_lost')
  await stripe.do('webhooks', { copies: 1 })
  expect((await view(order.id)).status).toBe('ended')
})

const status = async (workflowId: string): Promise<string> =>
  (await harness.temporal.workflow.getHandle(workflowId).describe()).status.name

test('a dispute of one order that is told of another one changes nothing for the other: by the dashboard or the Web UI', async () => {
  const [own, other] = [await delivered(), await delivered()]
  await stripe.do('webhooks', { drop: 1_000 })
  const dispute = await open(own.order.id)
  await stripe.do('webhooks', { drop: 0 })
  const run = harness.temporal.workflow.getHandle(orderWorkflowId(other.order.id))
  await run.signal('dispute', { disputeId: dispute })
  await untilDispute(own.order.id, 'needs_response', true)
  expect((await view(other.order.id)).dispute).toBeNull()
  expect(await atProvider(other.order.esims[0].iccid)).not.toBe('SUSPENDED')

  // Everybody with the dashboard can write into the metadata of a dispute.
  const event = {
    id: `evt_${dispute}`,
    object: 'event',
    type: 'charge.dispute.updated',
    created: Math.floor(Date.now() / 1000),
    data: {
      object: {
        id: dispute,
        object: 'dispute',
        payment_intent: await paymentOf(own.order.id),
        metadata: { order_id: other.order.id },
      },
    },
  }
  expect((await stripe.do('send-raw', { body: JSON.stringify(event) })).status).toBe(200)
  await stripe.do('close-dispute', { dispute, outcome: 'lost' })
  await untilDispute(own.order.id, 'lost', true)
  expect((await view(other.order.id)).dispute).toBeNull()
  const rows = await sql`select order_id from disputes where stripe_dispute_id = ${dispute}`
  expect(rows).toEqual([{ order_id: own.order.id }])
})
