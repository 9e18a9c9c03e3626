/**
 * U2: paid means delivered or refunded. An eSIM that is gone at its provider, while our records say otherwise: after a
 * restore they are older than the request that has returned it, and no notice of the provider comes twice.
 */
import { afterEach, expect, test } from 'vitest'
import { watchPlacements } from '../../harness/checks/placements.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import type { Person } from '../../harness/people.ts'
import { iccidsOf, requestReturnOf } from '../../harness/purchases.ts'
import { testPackages, testPriceMinor } from '../../harness/test-packages.ts'
import { until } from '../../harness/until.ts'

// What its provider has ended and no run has seen yet is no balance of the books.
const harness = await shareStack({ books: false })
const { stripe, esimAccess } = harness.sims
const { sql } = harness.context
const { attention } = watchPlacements(harness.stack)

afterEach(async () => {
  await esimAccess.clearFaults()
  await esimAccess.do('webhooks', { drop: 0 })
})

async function delivered(quantity = 1) {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, quantity })
  await esimAccess.do('webhooks', { drop: 1_000 })
  return { person, id: String(order.id), iccids: iccidsOf(order) }
}

async function topUp(person: Person, orderId: string): Promise<string> {
  const body = { packageCode: testPackages.topUp }
  const { id } = expectStatus(await person.caller.post(`/v1/orders/${orderId}/top-up`, body), 201)
  await stripe.do('pay', { orderId: id })
  return id
}

async function refundedMinor(orderId: string): Promise<number> {
  const { paymentIntents, refunds } = await stripe.state()
  const intent = paymentIntents.find(({ metadata }) => metadata.order_id === orderId)
  return refunds
    .filter(({ payment_intent, status }) => payment_intent === intent?.id && status !== 'failed')
    .reduce((sum, { amount }) => sum + amount, 0)
}

/** A return from before a restore: the provider has done it, and our records have no trace of it. */
const goneBefore = (iccid: string | undefined) => esimAccess.do('withdraw', { iccid })

test('U2: an eSIM that went back before a restore is refunded with its top-up, which the records have and the provider not', async () => {
  const { person, id, iccids } = await delivered()
  const topUpId = await topUp(person, id)
  await harness.untilOrder(topUpId, 'delivered')
  // The order's run looks at the eSIM once it has the top-up.
  await until('the run has looked', async () => {
    const rows = await sql`
      select from esims e join orders t on t.esim_id = e.id where e.order_id = ${id} and e.checked_at > t.delivered_at`
    return rows.length > 0
  })
  await goneBefore(iccids[0])
  expectStatus(await requestReturnOf(person.caller, id), 200)
  for (const each of [id, topUpId]) {
    const { amount } = await harness.untilOrder(each, 'refunded')
    expect(await refundedMinor(each)).toBe(amount.minor)
  }
  expect(await attention(id)).toEqual([])
})

test('U2: of two eSIMs the one that went back before a restore is not asked for, and the other one is returned', async () => {
  const { person, id, iccids } = await delivered(2)
  await goneBefore(iccids[1])
  const asked = async () => (await esimAccess.log()).filter(({ url }) => url.endsWith('/esim/cancel')).length
  const before = await asked()
  expectStatus(await requestReturnOf(person.caller, id), 200)
  await harness.untilOrder(id, 'refunded')
  expect(await refundedMinor(id)).toBe(2 * testPriceMinor)
  expect(await asked()).toBe(before + 1)
  const { esims } = await esimAccess.state()
  const its = iccids.map((iccid) => esims.findLast((esim) => esim.iccid === iccid)?.esimStatus)
  expect(its).toEqual(['CANCEL', 'CANCEL'])
})

test('U2: an eSIM that its provider has ended after its use is not refunded on request', async () => {
  const { person, id, iccids } = await delivered()
  await esimAccess.do('use', { iccid: iccids[0], bytes: 2 ** 20 })
  await esimAccess.do('revoke', { iccid: iccids[0] })
  expect((await requestReturnOf(person.caller, id)).body.code).toBe('esim_in_use')
  expect(await refundedMinor(id)).toBe(0)
})

test('U2: a top-up whose eSIM goes back while it is being applied, as no record said, is refunded', async () => {
  const { person, id } = await delivered()
  await esimAccess.fault({ match: { path: '/esim/topup$' }, delayMs: 2_000 })
  const asked = async () => (await esimAccess.log()).filter(({ url }) => url.endsWith('/esim/topup')).length
  const before = await asked()
  const topUpId = await topUp(person, id)
  await until('the provider is asked', async () => (await asked()) > before)
  await sql`update esims set state = 'cancelled', return_asked_at = now() where order_id = ${id}`
  await harness.untilOrder(topUpId, 'refunded')
  expect(await refundedMinor(topUpId)).toBeGreaterThan(0)
  await until('operators see what cannot be taken back', async () =>
    (await attention(topUpId)).some(({ kind }) => kind === 'provider_order_unreturned'),
  )
  // It was the test that has said so: the eSIM is with its customer.
  await sql`update esims set state = 'new', return_asked_at = null where order_id = ${id}`
})
