/**
 * U2: paid means delivered or refunded. An eSIM that somebody has paid more data for is not unused: its return would
 * take the top-up with it.
 */
import { expect, test } from 'vitest'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import type { Person } from '../../harness/people.ts'
import { iccidsOf, requestReturnOf } from '../../harness/purchases.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { until } from '../../harness/until.ts'

const harness = await shareStack()
const { esimAccess, stripe } = harness.sims

async function delivered() {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  return { person, order, iccid: iccidsOf(order)[0] }
}

async function topUp(person: Person, orderId: string): Promise<string> {
  const body = { packageCode: testPackages.topUp }
  return expectStatus(await person.caller.post(`/v1/orders/${orderId}/top-up`, body), 201).id
}

const calls = async (path: string, text: string) =>
  (await esimAccess.log()).filter(({ url, body }) => url.endsWith(path) && body.includes(text)).length
/** The newest: the provider gives the number of a returned eSIM to another one. */
const profileOf = async (iccid: string) => {
  const found = (await esimAccess.state()).esims.findLast((esim) => esim.iccid === iccid)
  if (!found) throw new Error(`the provider has no ${iccid}`)
  return found
}
const isReturned = async (esimTranNo: string) =>
  (await esimAccess.state()).cancels.some((cancel) => cancel.esimTranNo === esimTranNo)

test('U2: an eSIM with a top-up is not returned, neither by its customer nor by an operator', async () => {
  const { person, order, iccid } = await delivered()
  const { esimTranNo } = await profileOf(iccid)
  const topUpId = await topUp(person, order.id)
  await stripe.do('pay', { orderId: topUpId })
  await harness.untilOrder(topUpId, 'delivered')
  const asked = await requestReturnOf(harness.service, order.id)
  expect([asked.status, asked.body.code]).toEqual([409, 'esim_in_use'])
  const byOperator = await harness.operator.post(`/v1/orders/${order.id}/refund`, { esims: 'returned' })
  expect([byOperator.status, byOperator.body.code]).toEqual([409, 'esim_in_use'])
  expect(await isReturned(esimTranNo)).toBe(false)
  expect((await harness.service.get(`/v1/orders/${order.id}`)).body).toMatchObject({
    status: 'delivered',
    refunds: [{ state: 'refused' }],
  })
})

test('U2: a top-up that is paid while its eSIM is being returned is refunded, and not applied', async () => {
  const { person, order, iccid } = await delivered()
  const { esimTranNo } = await profileOf(iccid)
  const topUpId = await topUp(person, order.id)
  await esimAccess.fault({ match: { path: '/esim/cancel$', contains: esimTranNo }, delayMs: 3_000 })
  const answer = requestReturnOf(harness.service, order.id)
  await until('the provider is asked', async () => (await calls('/esim/cancel', esimTranNo)) > 0)
  await stripe.do('pay', { orderId: topUpId })
  expect((await answer).status).toBe(200)
  await harness.untilOrder(order.id, 'refunded')
  await harness.untilOrder(topUpId, 'refunded')
  expect(await calls('/esim/topup', esimTranNo)).toBe(0)
})

test('U2: an eSIM whose top-up is being applied is not returned', async () => {
  const { person, order, iccid } = await delivered()
  const { esimTranNo } = await profileOf(iccid)
  const topUpId = await topUp(person, order.id)
  await esimAccess.fault({ match: { path: '/esim/topup$', contains: esimTranNo }, delayMs: 3_000 })
  await stripe.do('pay', { orderId: topUpId })
  await until('the provider is asked', async () => (await calls('/esim/topup', esimTranNo)) > 0)
  expect((await requestReturnOf(harness.service, order.id)).status).toBe(409)
  await harness.untilOrder(topUpId, 'delivered')
  expect(await isReturned(esimTranNo)).toBe(false)
  // The refusal leaves nothing behind: the eSIM takes more data.
  const another = await topUp(person, order.id)
  await stripe.do('pay', { orderId: another })
  await harness.untilOrder(another, 'delivered')
})
