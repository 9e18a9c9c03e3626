/**
 * Airalo's staff decides about each return: it is asked once for each eSIM, by whichever run, and however often an
 * attempt is repeated.
 */
import { randomUUID } from 'node:crypto'
import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, test } from 'vitest'
import { createActivities } from '../../../activities/index.ts'
import { createRestoreActivities } from '../../../activities/restore.ts'
import { insertItem, insertRestore } from '../../../db/backup/restores.ts'
import { failureCode } from '../../../shared/failures.ts'
import { always, watchPlacements } from '../../harness/checks/placements.ts'
import { deleteAccount } from '../../harness/deletions.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { iccidsOf } from '../../harness/purchases.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { until } from '../../harness/until.ts'

const harness = await shareStack({ books: false })
const { airalo } = harness.sims
const { sql } = harness.context
const { placements, untilPlacement, untilWaiting, attention } = watchPlacements(harness.stack)
const { airalo: provider } = harness.context.esimProviders
const packageCode = testPackages.onlyAiralo
const asked = { kind: 'provider_refund_requested' }

/** How often the return of each eSIM was asked for, in the order of the eSIMs. */
async function requestsFor(iccids: readonly string[]): Promise<number[]> {
  const { refunds } = await airalo.state()
  return iccids.map((iccid) => refunds.filter((refund) => refund.iccids.includes(iccid)).length)
}

const usageDown = (iccid: string | undefined) =>
  airalo.fault({ match: { path: `/v2/sims/${iccid}/usage$` }, status: 503, times: always })

/** A request that Airalo documents as refused. */
const refused = { status: 202, body: { data: [], meta: { message: 'The following ICCIDs do not belong to you' } } }

/** An order of some eSIMs that Airalo has made and does not show us, so that it stays undelivered. */
async function undelivered(quantity = 2) {
  await airalo.fault({ match: { path: '/v2/orders/\\d+' }, status: 503, times: 200 })
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode, quantity, until: 'provisioning' })
  await untilPlacement(order.id, 'placed')
  const [placement] = await placements(order.id)
  const { orders } = await airalo.state()
  const iccids = orders
    .filter(({ description }) => description === placement?.client_ref)
    .flatMap((each) => each.iccids)
  expect(iccids).toHaveLength(quantity)
  const id = orders.find(({ description }) => description === placement?.client_ref)?.id ?? ''
  /** Lets Airalo show the order, beside other faults: what hides it has a number of times. */
  const show = () => until('the order is shown', () => provider.getEsims(String(id)), { everyMs: 1 })
  return { person, order, iccids, show }
}

test('three eSIMs of Airalo go back in one answer, though it may take one request in a minute', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode, quantity: 3 })
  await airalo.do('limits', { refundPerMinute: 1 })
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/refund`), 200)
  await airalo.do('limits', { refundPerMinute: 1_000 })
  await harness.untilOrder(order.id, 'refunded')
  const iccids: string[] = order.esims.map(({ iccid }: { iccid: string }) => iccid)
  expect(await requestsFor(iccids)).toEqual([1, 1, 1])
})

test('eSIMs that Airalo refuses together go back one by one; the one that it refuses alone is an operator’s', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode, quantity: 3 })
  const iccids = iccidsOf(order)
  const [, second = ''] = iccids
  await airalo.fault({ match: { path: '/v2/refund$', contains: second }, ...refused, times: always })
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
  await airalo.clearFaults()
  expect(await requestsFor(iccids)).toEqual([1, 0, 1])
  const tasks = await attention(order.id)
  expect(tasks).toHaveLength(2)
  const unreturned = { kind: 'provider_order_unreturned', detail: 'refund_refused' }
  expect(tasks).toEqual(expect.arrayContaining([expect.objectContaining(asked), expect.objectContaining(unreturned)]))
})

test('one eSIM that Airalo does not speak of keeps no other one back, which go together', async () => {
  const { person, order, iccids, show } = await undelivered(3)
  await usageDown(iccids[1])
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/cancel`), 200)
  const before = (await airalo.state()).refunds.length
  await show()
  await harness.untilOrder(order.id, 'refunded')
  await until('the others are asked for', async () => {
    await harness.fastForward(order.id, '1 minute')
    return (await requestsFor(iccids))[0] === 1
  })
  expect(await requestsFor(iccids)).toEqual([1, 0, 1])
  expect((await airalo.state()).refunds).toHaveLength(before + 1)
  await airalo.clearFaults()
  await harness.fastForward(order.id, '30 minutes')
  await untilPlacement(order.id, 'released')
  expect(await requestsFor(iccids)).toEqual([1, 1, 1])
})

test('a return that twenty ask for at once is one request, and no eSIM is looked at twice for each of them', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode, quantity: 2 })
  const iccids = iccidsOf(order)
  const { withdrawEsims } = createActivities({ ...harness.context, temporal: harness.temporal }, async () => ({}))
  const before = (await airalo.log()).length
  const ask = () =>
    new MockActivityEnvironment()
      .run(() => withdrawEsims({ orderId: order.id, asOf: new Date().toISOString() }))
      .then(
        () => 'returned',
        (error: unknown) => failureCode(error),
      )
  const answers = await Promise.all(Array.from({ length: 20 }, ask))
  expect(answers).toContain('returned')
  expect(answers.filter((each) => each !== 'returned' && each !== 'asked_elsewhere')).toEqual([])
  expect(await requestsFor(iccids)).toEqual([1, 1])
  const looks = (await airalo.log()).slice(before).filter(({ url }) => url.endsWith('/usage'))
  expect(looks).toHaveLength(20 * 2)
  // The next one finds that both were asked for.
  expect(await ask()).toBe('returned')
  expect(await requestsFor(iccids)).toEqual([1, 1])
})

test('a worker that has died while it asked keeps nobody from asking for longer than a minute', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode })
  const hold = (until: string) =>
    sql`update provider_orders set return_asking_until = now() + ${until}::interval where order_id = ${order.id}`
  await hold('1 minute')
  const answer = await person.caller.post(`/v1/orders/${order.id}/refund`)
  expect([answer.status, answer.body.code]).toEqual([503, 'provider_unavailable'])
  await hold('-1 second')
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/refund`), 200)
  expect(await requestsFor(iccidsOf(order))).toEqual([1])
})

const tooMany = (wait: string) => ({
  status: 429,
  headers: { 'Retry-After': wait },
  body: { message: 'Too Many Attempts.' },
})
const elsewhere = { status: 404, body: '<html>not here</html>' }
const malformed = { status: 202, body: 'thanks' }

test.each([
  ['the reply is lost, then another server answers 404', [{ cut: 'after' }, elsewhere], 2],
  ['the answer is malformed, then it is slow', [malformed, { delayMs: 1_500 }], 1],
  ['too many requests with a wait that is none, then the reply is lost', [tooMany('soon'), { cut: 'after' }], 2],
  ['too many requests with a wait of years, twice', [tooMany('99999999999'), tooMany('99999999999')], 1],
] as const)('two faults on the request for one return: %s', { timeout: 60_000 }, async (_what, faults, requests) => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode })
  for (const fault of faults) await airalo.fault({ match: { method: 'POST', path: '/v2/refund$' }, ...fault })
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
  expect(await requestsFor(iccidsOf(order))).toEqual([requests])
  expect(await attention(order.id)).toMatchObject([asked])
})

test('Airalo that is silent for eight days: the customer has the money back, and an operator the eSIMs', async () => {
  const { person, order, iccids } = await undelivered()
  await airalo.fault({ match: { path: '/v2/' }, status: 503, times: always })
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/cancel`), 200)
  await harness.untilOrder(order.id, 'refunded')
  await harness.fastForward(order.id, '8 days')
  await until('an operator has it', async () => (await attention(order.id)).length > 0)
  expect(await attention(order.id)).toMatchObject([{ kind: 'provider_order_unreturned' }])
  await airalo.clearFaults()
  expect(await requestsFor(iccids)).toEqual([0, 0])
})

test('a cancelled order: the eSIM that was asked for is not asked for again while the other one cannot be looked at', async () => {
  const { person, order, iccids, show } = await undelivered()
  await usageDown(iccids[1])
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/cancel`), 200)
  await show()
  await harness.untilOrder(order.id, 'refunded')
  await until('the first one is asked for', async () => (await requestsFor(iccids))[0] === 1)
  for (let hours = 0; hours < 4; hours += 1) await harness.fastForward(order.id, '15 minutes')
  expect(await requestsFor(iccids)).toEqual([1, 0])
  expect(await attention(order.id)).toMatchObject([asked])
  await airalo.clearFaults()
  await harness.fastForward(order.id, '30 minutes')
  await untilPlacement(order.id, 'released')
  expect(await requestsFor(iccids)).toEqual([1, 1])
})

test('an erased person’s order, cancelled before: what was asked for stays asked for', async () => {
  const { person, order, iccids, show } = await undelivered()
  await usageDown(iccids[1])
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/cancel`), 200)
  await show()
  await until('the first one is asked for', async () => {
    // The first attempt may have been before the order was shown.
    await harness.fastForward(order.id, '1 minute')
    return (await requestsFor(iccids))[0] === 1
  })
  const deletion = await deleteAccount(harness.stack, person)
  for (let hours = 0; hours < 4; hours += 1) await deletion.fastForward('15 minutes')
  expect(await requestsFor(iccids)).toEqual([1, 0])
  await airalo.clearFaults()
  await deletion.fastForward('2 hours')
  await deletion.until('esim_provider', 'done')
  expect(await requestsFor(iccids)).toEqual([1, 1])
})

test('an erased person’s order: each eSIM is asked for once', async () => {
  const { person, iccids, show } = await undelivered()
  await usageDown(iccids[1])
  const deletion = await deleteAccount(harness.stack, person)
  await show()
  await deletion.fastForward('2 hours')
  await until('the first one is asked for', async () => (await requestsFor(iccids))[0] === 1)
  for (let hours = 0; hours < 4; hours += 1) await deletion.fastForward('1 hour')
  expect(await requestsFor(iccids)).toEqual([1, 0])
  expect(await attention(deletion.receiptId)).toMatchObject([asked])
  await airalo.clearFaults()
  await deletion.fastForward('2 hours')
  await deletion.until('esim_provider', 'done')
  expect(await requestsFor(iccids)).toEqual([1, 1])
})

test('a delivered order that is returned: its eSIMs are asked for once, and not again beside the refund', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode, quantity: 2 })
  const iccids = iccidsOf(order)
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
  await untilPlacement(order.id, 'released')
  expect(await requestsFor(iccids)).toEqual([1, 1])
})

test('an erasure asks for no eSIM of a delivered order that its customer has returned', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode, quantity: 2 })
  const iccids = iccidsOf(order).sort()
  const [, second = ''] = iccidsOf((await harness.service.get(`/v1/orders/${order.id}`)).body)
  // Refused together; then one is taken, and about the other nothing is said.
  await airalo.fault({ match: { path: '/v2/refund$' }, ...refused })
  const notAllowed = { status: 403, body: { code: 89, reason: 'IP' }, times: always }
  await airalo.fault({ match: { path: '/v2/refund$', contains: second }, ...notAllowed })
  await person.caller.post(`/v1/orders/${order.id}/refund`)
  expect((await requestsFor(iccids)).sort()).toEqual([0, 1])
  await airalo.clearFaults()
  const deletion = await deleteAccount(harness.stack, person)
  await deletion.fastForward('1 hour')
  await deletion.until('esim_provider', 'done')
  expect(await requestsFor(iccids)).toEqual([1, 1])
})

test('duplicates of a lost reply: each is asked for once while another one cannot be looked at', async () => {
  await airalo.fault({ match: { method: 'POST', path: '/v2/orders$' }, cut: 'after' })
  await airalo.fault({ match: { method: 'GET', path: '/v2/orders\\?' }, status: 503, times: 200 })
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode, until: 'provisioning' })
  await untilWaiting(order.id)
  const clientRef = (await placements(order.id))[0]?.client_ref ?? ''
  const copy = { clientRef, packageCode: 'hallo-mobil-7days-1gb', quantity: 2 }
  await provider.placeOrder(copy)
  const { orders } = await airalo.state()
  const iccids = orders.filter(({ description }) => description === clientRef).at(-1)?.iccids ?? []
  // The list of orders is found again; the usage of the second copy is not.
  await airalo.clearFaults()
  await usageDown(iccids[1])
  await harness.fastForward(order.id, '10 minutes')
  expect(await requestsFor(iccids)).toEqual([1, 0])
  await airalo.clearFaults()
  await harness.fastForward(order.id, '1 minute')
  await harness.untilOrder(order.id, 'delivered')
  expect(await requestsFor(iccids)).toEqual([1, 1])
})

test('a restore: what no order explains is asked for once', async () => {
  const clientRef = randomUUID()
  const placedAfter = new Date().toISOString()
  const { orderNo } = await provider.placeOrder({ clientRef, packageCode: 'hallo-mobil-7days-1gb', quantity: 2 })
  const iccids = (await provider.getEsims(orderNo)).map(({ iccid }) => iccid)
  const restoreId = randomUUID()
  const at = new Date()
  await sql.begin((tx) => insertRestore(tx, { id: restoreId, backupId: 'lost', readsSince: at, at }))
  await sql`update restores set opened_at = ${at} where id = ${restoreId}`
  const rest = { clientRef, orderNo, packageCode: '', quantity: 2, days: null, placedAfter, esimRefs: null }
  await insertItem(sql, restoreId, {
    kind: 'provider_order',
    subjectId: `airalo:${orderNo}`,
    outcome: 'to_settle',
    plan: {
      ...{ paymentIntentId: null, orderId: null, factId: null, invoiceNumber: null },
      placement: { provider: 'airalo', ...rest },
    },
  })
  await usageDown(iccids[1])
  const activities = createRestoreActivities({ ...harness.context, temporal: harness.temporal })
  const settle = () =>
    new MockActivityEnvironment().run(() => activities.settleRestored({ restoreId, asOf: at.toISOString() }))
  for (let attempt = 0; attempt < 5; attempt += 1) expect(await settle()).toEqual({ payments: 0, esims: 1 })
  expect(await requestsFor(iccids)).toEqual([1, 0])
  await airalo.clearFaults()
  expect(await settle()).toEqual({ payments: 0, esims: 0 })
  expect(await requestsFor(iccids)).toEqual([1, 1])
})

test('a delivered order: requests whose replies are lost are made three times at most, and the customer has the money back', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode })
  const iccids = iccidsOf(order)
  await airalo.fault({ match: { method: 'POST', path: '/v2/refund$' }, cut: 'after', times: always })
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
  expect(await requestsFor(iccids)).toEqual([3])
  expect(await attention(order.id)).toMatchObject([asked])
  await airalo.clearFaults()
})

test('requests whose replies are lost are made three times at most; then an operator has to look at Airalo’s', async () => {
  const { person, order, iccids, show } = await undelivered()
  await airalo.fault({ match: { method: 'POST', path: '/v2/refund$' }, cut: 'after', times: always })
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/cancel`), 200)
  await show()
  for (let hours = 0; hours < 8; hours += 1) await harness.fastForward(order.id, '15 minutes')
  await untilPlacement(order.id, 'released')
  expect(await requestsFor(iccids)).toEqual([3, 3])
  expect(await attention(order.id)).toMatchObject([asked])
  await airalo.clearFaults()
})
