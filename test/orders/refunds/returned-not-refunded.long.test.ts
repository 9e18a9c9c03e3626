/**
 * U2: paid means delivered or refunded. An eSIM that goes back to its provider leaves its customer the money, or an
 * operator task; and one that stays with its customer leaves us the money.
 */
import { afterEach, expect, test } from 'vitest'
import { raiseUnlessRefunded } from '../../../activities/order/returned-esims.ts'
import { fastForward } from '../../../temporal/time-skipping.ts'
import { orderAftercareWorkflowId, orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { always, watchPlacements } from '../../harness/checks/placements.ts'
import { deleteAccount } from '../../harness/deletions.ts'
import { shareStack } from '../../harness/harness.ts'
import { type Answer, expectStatus } from '../../harness/http.ts'
import { iccidsOf, requestReturnOf } from '../../harness/purchases.ts'
import { testPackages, testPriceMinor } from '../../harness/test-packages.ts'
import { until, untilValue } from '../../harness/until.ts'

// The books of erased customers name no order.
const harness = await shareStack({ books: false })
const { stripe, esimAccess } = harness.sims
const { sql } = harness.context
const { attention } = watchPlacements(harness.stack)
const packageCode = testPackages.onlyEsimAccess
const returnedOf = (returned: number, total: number) => [
  { kind: 'returned_not_refunded', detail: `${returned} of ${total} eSIMs` },
]

afterEach(async () => {
  await Promise.all([stripe.clearFaults(), esimAccess.clearFaults()])
  await esimAccess.do('webhooks', { drop: 0 })
})

async function delivered(quantity = 1) {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode, quantity })
  // As the database lists them, which is the order in which they go back.
  return { person, order, iccids: iccidsOf((await harness.service.get(`/v1/orders/${order.id}`)).body) }
}

async function refundedMinor(orderId: string): Promise<number> {
  const { paymentIntents, refunds } = await stripe.state()
  const intent = paymentIntents.find(({ metadata }) => metadata.order_id === orderId)
  return refunds
    .filter(({ payment_intent, status }) => payment_intent === intent?.id && status !== 'failed')
    .reduce((sum, { amount }) => sum + amount, 0)
}

const refundPart = (orderId: string, body: Record<string, unknown>) =>
  harness.operator.post(`/v1/orders/${orderId}/refund`, body)

const cancels = async () => (await esimAccess.state()).cancels.length

/** The provider takes the eSIMs back, does not answer, and cannot be asked before the request is over. */
async function withLostAnswers<Given>(request: () => Promise<Given>, isBackAfterwards = true): Promise<Given> {
  const before = await cancels()
  await esimAccess.do('webhooks', { drop: 1_000 })
  await esimAccess.fault({ match: { path: '/esim/cancel' }, hang: 'after', times: always })
  const answer = request()
  await until('it was taken back', async () => (await cancels()) > before)
  await esimAccess.fault({ match: { path: '/esim/query' }, status: 503, times: always })
  const given = await answer
  if (isBackAfterwards) await esimAccess.clearFaults()
  return given
}

test('an eSIM that went back with a partial refund that was answered with 503 is an operator task, until it is refunded', {
  timeout: 120_000,
}, async () => {
  const { order } = await delivered()
  const part = { amount: { minor: 300, currency: 'EUR' }, esims: 'returned' }
  const answer = await withLostAnswers(() => refundPart(order.id, part))
  expect([answer.status, answer.body.code]).toEqual([503, 'provider_unavailable'])
  await harness.fastForward(order.id, '2 days')
  await harness.untilOrder(order.id, 'ended')
  expect(await attention(order.id)).toEqual(returnedOf(1, 1))
  expect(await refundedMinor(order.id)).toBe(0)
  expectStatus(await refundPart(order.id, part), 200)
  expect(await attention(order.id)).toEqual([])
  expect(await refundedMinor(order.id)).toBe(300)
})

test('U2: what an operator returns for a part, after a return of its customer has failed, is refunded in that part', {
  timeout: 60_000,
}, async () => {
  const { person, order } = await delivered()
  await esimAccess.fault({ match: { path: '/esim/cancel' }, status: 503, times: always })
  expect((await requestReturnOf(person.caller, order.id)).status).toBe(503)
  await esimAccess.clearFaults()
  expectStatus(await refundPart(order.id, { amount: { minor: 300, currency: 'EUR' }, esims: 'returned' }), 200)
  await harness.untilOrder(order.id, 'ended')
  expect(await refundedMinor(order.id)).toBe(300)
  expect(await attention(order.id)).toEqual([])
})

test('U2: a customer who asks for a return while an operator returns the eSIM for a part gets that part', {
  timeout: 60_000,
}, async () => {
  const { person, order } = await delivered()
  const before = await cancels()
  await stripe.fault({ match: { path: '/v1/refunds', method: 'POST' }, status: 503, times: always })
  const part = refundPart(order.id, { amount: { minor: 300, currency: 'EUR' }, esims: 'returned' })
  await until('it was taken back', async () => (await cancels()) > before)
  // `esim_in_use` or `order_state_conflict`: its eSIM may be noted as gone by then.
  expect((await requestReturnOf(person.caller, order.id)).status).toBe(409)
  await stripe.clearFaults()
  await part
  await harness.untilOrder(order.id, 'ended')
  expect(await refundedMinor(order.id)).toBe(300)
})

/** Why the last attempt of the run to follow its eSIMs has ended without their end. */
async function watchFailure(orderId: string): Promise<string | undefined> {
  const { raw } = await harness.temporal.workflow.getHandle(orderWorkflowId(orderId)).describe()
  const watch = raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'watchEsims')
  return watch?.lastFailure?.applicationFailureInfo?.type ?? undefined
}

test('a return whose answer is lost is looked for at once, and refunded', { timeout: 120_000 }, async () => {
  const { person, order } = await delivered()
  await until('the run waits for tomorrow', async () => (await watchFailure(order.id)) === 'EsimStillLives')
  const answer = await withLostAnswers(() => requestReturnOf(person.caller, order.id), false)
  expect([answer.status, answer.body.code]).toEqual([503, 'provider_unavailable'])
  // A look at our own records would say that the eSIM lives.
  await until('the provider was asked', async () => (await watchFailure(order.id)) === 'ProviderUnavailable')
  await esimAccess.clearFaults()
  await harness.fastForward(order.id, '5 minutes')
  await harness.untilOrder(order.id, 'refunded')
  expect(await refundedMinor(order.id)).toBe(testPriceMinor)
  expect(await attention(order.id)).toEqual([])
})

test('a return without the order’s run whose answer is lost is looked for, and refunded', {
  timeout: 120_000,
}, async () => {
  const { person, order } = await delivered()
  await harness.temporal.workflow.getHandle(orderWorkflowId(order.id)).terminate('by mistake')
  const answer = await withLostAnswers(() => requestReturnOf(person.caller, order.id))
  expect([answer.status, answer.body.code]).toEqual([503, 'provider_unavailable'])
  await harness.untilOrder(order.id, 'refunded')
  expect(await refundedMinor(order.id)).toBe(testPriceMinor)
  expect(await attention(order.id)).toEqual([])
})

/** A customer's return, after the order's own run was terminated: it has been asked for, and its answer is lost. */
async function lostWithoutRun(quantity?: number) {
  const { person, order, iccids } = await delivered(quantity)
  await harness.temporal.workflow.getHandle(orderWorkflowId(order.id)).terminate('by mistake')
  const answer = await withLostAnswers(() => requestReturnOf(person.caller, order.id), false)
  expect([answer.status, answer.body.code]).toEqual([503, 'provider_unavailable'])
  return { order, iccids }
}

test('a return without the order’s run is looked for as long as its provider is away', {
  timeout: 120_000,
}, async () => {
  const { order, iccids } = await lostWithoutRun()
  const aftercare = orderAftercareWorkflowId(order.id)
  await fastForward(harness.temporal, aftercare, '2 hours')
  // A state that the provider has no word of ours for decides nothing either.
  const { esims } = await esimAccess.state()
  const esim = esims.findLast(({ iccid }) => iccid === iccids[0])
  const obj = { esimList: [{ ...esim, esimStatus: 'FROZEN' }], pager: { pageNum: 1, pageSize: 50, total: 1 } }
  await esimAccess.clearFaults()
  const body = { success: true, errorCode: '0', errorMsg: null, obj }
  await esimAccess.fault({ match: { path: '/esim/query' }, status: 200, body })
  await fastForward(harness.temporal, aftercare, '1 hour')
  await harness.untilOrder(order.id, 'refunded')
  expect(await refundedMinor(order.id)).toBe(testPriceMinor)
  expect(await attention(order.id)).toEqual([])
})

test('of two eSIMs one went back with a lost answer, without the order’s run: an operator task', {
  timeout: 120_000,
}, async () => {
  const { order } = await lostWithoutRun(2)
  await esimAccess.clearFaults()
  await fastForward(harness.temporal, orderAftercareWorkflowId(order.id), '1 hour')
  await until('operators are told', async () => (await attention(order.id)).length > 0)
  expect(await attention(order.id)).toEqual(returnedOf(1, 2))
  expect(await refundedMinor(order.id)).toBe(0)
})

/** The first eSIM goes back, and the second one is installed before its turn. */
async function halfReturned(request: (given: Awaited<ReturnType<typeof delivered>>) => Promise<Answer>, quantity = 2) {
  const bought = await delivered(quantity)
  await esimAccess.fault({ match: { path: '/esim/cancel' }, delayMs: 4_000 })
  const answer = request(bought)
  await until('their states were read', async () => {
    const rows = await sql`select 1 from esims where order_id = ${bought.order.id} and return_asked_at is not null`
    return rows.length === quantity
  })
  await esimAccess.do('install', { iccid: bought.iccids[1] })
  return { ...bought, answer: await answer }
}

test.each<[string, number, Parameters<typeof halfReturned>[0]]>([
  ['its customer', 3, ({ person, order }) => requestReturnOf(person.caller, order.id)],
  ['an operator', 2, ({ order }) => refundPart(order.id, { esims: 'returned' })],
])(
  'an order of which %s could return one of %i eSIMs is an operator task',
  { timeout: 60_000 },
  async (_who, quantity, request) => {
    const { order, answer } = await halfReturned(request, quantity)
    expect(answer).toMatchObject({ status: 409, body: { code: 'esim_in_use' } })
    expect(await attention(order.id)).toEqual(returnedOf(1, quantity))
    expect(await refundedMinor(order.id)).toBe(0)
    // The last one was asked of nobody: it takes top-ups.
    const asked = await sql`select state from esims where order_id = ${order.id} and return_asked_at is not null`
    expect(asked).toMatchObject([{ state: 'cancelled' }])
    expectStatus(await refundPart(order.id, { amount: { minor: testPriceMinor, currency: 'EUR' } }), 200)
    expect(await attention(order.id)).toEqual([])
  },
)

test('the first of two eSIMs went back, and the second is used after the provider was down: an operator task', async () => {
  const { person, order, iccids } = await delivered(2)
  const { esims } = await esimAccess.state()
  const second = esims.findLast(({ iccid }) => iccid === iccids[1])
  await esimAccess.fault({
    match: { path: '/esim/cancel', contains: second?.esimTranNo ?? '' },
    status: 503,
    times: always,
  })
  expect((await requestReturnOf(person.caller, order.id)).status).toBe(503)
  await esimAccess.clearFaults()
  expect(await attention(order.id)).toEqual([])
  await esimAccess.do('use', { iccid: iccids[1], bytes: 2 ** 20 })
  await harness.fastForward(order.id, '25 hours')
  expect(
    await untilValue(
      'operators are told',
      () => attention(order.id),
      ({ length }) => length > 0,
    ),
  ).toEqual(returnedOf(1, 2))
})

test('the first of two eSIMs went back while the provider was down, and nobody asks for the other: an operator task within a day', async () => {
  const { person, order, iccids } = await delivered(2)
  const { esims } = await esimAccess.state()
  const second = esims.findLast(({ iccid }) => iccid === iccids[1])
  const match = { path: '/esim/cancel', contains: second?.esimTranNo ?? '' }
  await esimAccess.fault({ match, status: 503, times: always })
  expect((await requestReturnOf(person.caller, order.id)).status).toBe(503)
  await esimAccess.clearFaults()
  await harness.fastForward(order.id, '25 hours')
  const tasks = await untilValue(
    'operators are told',
    () => attention(order.id),
    ({ length }) => length > 0,
  )
  expect(tasks).toEqual(returnedOf(1, 2))
  // Its customer asks again, and has the money.
  expectStatus(await requestReturnOf(person.caller, order.id), 200)
  await harness.untilOrder(order.id, 'refunded')
  expect(await attention(order.id)).toEqual([])
})

/** The customer asks for the return while the provider is down, and then uses the eSIM. */
async function usedAfterOutage() {
  const bought = await delivered()
  await esimAccess.fault({ match: { path: '/esim/cancel' }, status: 503, times: always })
  expect((await requestReturnOf(bought.person.caller, bought.order.id)).status).toBe(503)
  await esimAccess.clearFaults()
  await esimAccess.do('use', { iccid: bought.iccids[0], bytes: 2 ** 20 })
  return bought
}

test.each([
  ['the run has seen it', (orderId: string) => harness.fastForward(orderId, '25 hours')],
  ['another return was refused', undefined],
])(
  'an eSIM that was used after a return that the provider did not answer is not refunded with the deletion, once %s',
  async (_when, look) => {
    const { person, order, iccids } = await usedAfterOutage()
    const [payment] = await sql<{ id: string }[]>`select payment_intent_id as id from orders where id = ${order.id}`
    if (look) await look(order.id)
    else expect((await requestReturnOf(person.caller, order.id)).body.code).toBe('esim_in_use')
    await until('nobody waits for its return', async () => {
      const rows = await sql`select 1 from esims where order_id = ${order.id} and return_asked_at is not null`
      return rows.length === 0
    })
    const deletion = await deleteAccount(harness.stack, person)
    await until('nothing is left to do at Stripe', async () =>
      ['done', 'nothing_held'].includes((await deletion.states()).stripe ?? ''),
    )
    const { refunds } = await stripe.state()
    expect(refunds.filter(({ payment_intent }) => payment_intent === payment?.id)).toEqual([])
    const { esims } = await esimAccess.state()
    expect(esims.findLast(({ iccid }) => iccid === iccids[0])?.esimStatus).not.toBe('CANCEL')
  },
)

test.each([0, 100])(
  'an order of which one of two eSIMs went back is an operator’s when its customer deletes the account, %s refunded before',
  { timeout: 60_000 },
  async (minor) => {
    const { person, order } = await halfReturned(async ({ person: buyer, order: { id } }) => {
      if (minor > 0) expectStatus(await refundPart(id, { amount: { minor, currency: 'EUR' } }), 200)
      await sql`update refunds set created_at = created_at - interval '1 hour' where order_id = ${id}`
      return requestReturnOf(buyer.caller, id)
    })
    const [payment] = await sql<{ id: string }[]>`select payment_intent_id as id from orders where id = ${order.id}`
    const deletion = await deleteAccount(harness.stack, person)
    expect(await deletion.until('stripe', 'needs_operator')).toMatchObject({ code: 'returned_not_refunded' })
    await deletion.fastForward('3 days')
    expect((await deletion.states()).stripe).toBe('needs_operator')
    const { refunds } = await stripe.state()
    const its = refunds.filter(({ payment_intent }) => payment_intent === payment?.id)
    expect(its.map(({ amount }) => amount)).toEqual(minor > 0 ? [minor] : [])
  },
)

test('a task that an operator has closed is not opened again by what happens to the other eSIM', async () => {
  const { order } = await halfReturned(({ person: buyer, order: { id } }) => requestReturnOf(buyer.caller, id))
  const open = () => sql<{ id: string }[]>`
    select id from attention where kind = 'returned_not_refunded' and subject_id = ${order.id} and resolved_at is null`
  const [task] = await open()
  expectStatus(await harness.operator.post(`/v1/operator-tasks/${task?.id}/close`, { note: 'A voucher was sent' }), 200)
  await raiseUnlessRefunded(sql, order.id, new Date())
  expect(await open()).toEqual([])
})

test('a partial refund of a top-up returns no eSIM: nothing is refunded, and nobody is told otherwise', async () => {
  const { person, order } = await delivered()
  const body = { packageCode: testPackages.topUp }
  const topUp = expectStatus(await person.caller.post(`/v1/orders/${order.id}/top-up`, body), 201)
  await stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'delivered')
  const answer = await refundPart(topUp.id, { amount: { minor: 100, currency: 'EUR' }, esims: 'returned' })
  expect([answer.status, answer.body.code]).toEqual([409, 'esim_in_use'])
  expect(await refundedMinor(topUp.id)).toBe(0)
  expectStatus(await refundPart(topUp.id, { amount: { minor: 100, currency: 'EUR' } }), 200)
})
