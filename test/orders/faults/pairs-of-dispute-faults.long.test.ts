/**
 * U5 and U2: fraud is prevented, and paid means delivered or refunded. Pairs of passing faults at every call about a
 * dispute or a fraud warning: eSIM, evidence and money end as they should.
 */
import { afterEach, expect, test } from 'vitest'
import { paymentSweepType } from '../../../workflows/order/payment-sweep.contract.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus, withId } from '../../harness/http.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { testPackages, testPriceMinor } from '../../harness/test-packages.ts'
import { untilValue } from '../../harness/until.ts'
import { eachOf, missingAtStripe, pairs, passing, plantPairs } from './plant-pairs.ts'

const harness = await shareStack()
const { stripe, esimAccess } = harness.sims
const { sql } = harness.context
const packageCode = testPackages.onlyEsimAccess

const atStripe = pairs([...passing, missingAtStripe])
const atProvider = pairs(passing)
const disputeCalls = [
  { method: 'GET', path: '/v1/disputes/', of: '/v1/disputes/(\\w+) ' },
  { method: 'POST', path: '/v1/disputes/\\w+$', of: '/v1/disputes/(\\w+) evidence' },
  { method: 'POST', path: '/v1/disputes/\\w+$', of: '/v1/disputes/(\\w+) submit=true' },
  { method: 'POST', path: '/v1/disputes/\\w+/close$', of: '/v1/disputes/(\\w+)/close' },
]
const providerCalls = [
  { path: '/esim/suspend$', of: '"esimTranNo":"([^"]+)"' },
  { path: '/esim/unsuspend$', of: '"esimTranNo": ?"([^"]+)"' },
]
const warningCalls = [
  { method: 'GET', path: '/v1/radar/early_fraud_warnings/', of: 'early_fraud_warnings/(\\w+)' },
  { method: 'GET', path: '/v1/radar/early_fraud_warnings\\?', of: 'fraud_warnings\\S*payment_intent=(pi_\\w+)' },
]

afterEach(async () => {
  await Promise.all([stripe.clearFaults(), esimAccess.clearFaults()])
  expect(harness.logLines.filter((line) => /"status":500\b/.test(line))).toEqual([])
})

const view = async (id: string) => expectStatus(await harness.service.get(`/v1/orders/${id}`), 200)
const disputeAt = async (dispute: string) => (await stripe.state()).disputes.find(({ id }) => id === dispute)

/** Lets an order's time pass, four hours at most, until the condition holds. */
async function within(what: string, id: string, holds: () => Promise<boolean>): Promise<void> {
  for (let minutes = 0; minutes < 240 && !(await holds()); minutes += 20) await harness.fastForward(id, '20 minutes')
  await untilValue(what, holds, (held) => held)
}

const isSuspended = async (id: string): Promise<boolean> => (await view(id)).esims[0].suspended

/** An operator repeats an act until it is done: each answer before says that Stripe is down. */
async function acted(path: string) {
  const answer = await untilValue(
    `an answer of ${path}`,
    async () => {
      const each = await harness.operator.post(path)
      expect([200, 503], each.text).toContain(each.status)
      if (each.status === 503) expect(Number(each.headers.get('retry-after'))).toBeLessThanOrEqual(60)
      return each
    },
    ({ status }) => status === 200,
    { everyMs: 100 },
  )
  return answer.body
}

/** Tasks that only a fault would have left. */
const taskOf = async (id: string) => sql`
  select kind from attention where subject_id = ${id} and kind in ('dispute_unrecorded', 'dispute_evidence_unstaged',
    'esim_not_suspendable', 'esim_not_resumable', 'fraud_warning_unread')`

test('disputes with pairs of faults at every call suspend the eSIM, are answered once, and let it run again', {
  timeout: 300_000,
}, async () => {
  const orders = await eachOf(atStripe, async () => harness.buy(await harness.signUp(), { packageCode }))
  await plantPairs(stripe, disputeCalls, atStripe)
  await plantPairs(esimAccess, providerCalls, atProvider)
  await eachOf(orders.entries(), async ([number, { id }]) => {
    const { dispute } = await stripe.do('open-dispute', { orderId: id })
    await within(
      'evidence is staged',
      id,
      async () => (await disputeAt(dispute))?.evidence_details.has_evidence === true,
    )
    await within('the eSIM is suspended', id, () => isSuspended(id))
    await within('its evidence is known', id, async () => {
      const { disputes } = expectStatus(await harness.operator.get(`/v1/orders/${id}`), 200)
      return disputes[0]?.evidence === 'staged'
    })
    const path = `/v1/orders/${id}/disputes/${dispute}`
    if (number % 2 === 1) {
      expect((await acted(`${path}/accept`)).dispute).toBe('lost')
      expect(await isSuspended(id)).toBe(true)
    } else {
      await acted(`${path}/submit`)
      expect((await disputeAt(dispute))?.evidence_details.submission_count).toBe(1)
      await stripe.do('close-dispute', { dispute, outcome: 'won' })
      await within('the eSIM runs again', id, async () => !(await isSuspended(id)))
    }
    expect(await taskOf(id)).toEqual([])
  })
  await harness.checkBooks()
})

test('orders that are rejected after a lost dispute, with pairs of faults at its list, count as refunded by the bank', {
  timeout: 240_000,
}, async () => {
  const orders = await eachOf(atStripe, async () => {
    const pay = { riskLevel: 'elevated' }
    const order = await harness.buy(await harness.signUp(), { packageCode, pay, until: 'in_review' })
    return withId.parse(order).id
  })
  // Nobody is told of the disputes: the run of a held order would refund it at once.
  await stripe.do('webhooks', { drop: 1_000 })
  await eachOf(orders, async (id) => {
    const { dispute } = await stripe.do('open-dispute', { orderId: id })
    await stripe.do('close-dispute', { dispute, outcome: 'lost' })
  })
  await stripe.do('webhooks', { drop: 0 })
  await plantPairs(
    stripe,
    [{ method: 'GET', path: '/v1/disputes\\?', of: 'disputes\\S*payment_intent=(pi_\\w+)' }],
    atStripe,
  )
  await eachOf(orders, async (id) => {
    expectStatus(await harness.operator.post(`/v1/orders/${id}/reject`), 200)
    await within('it is refunded', id, async () => (await view(id)).status === 'refunded')
    expect((await view(id)).refunds).toMatchObject([{ minor: testPriceMinor, reason: 'dispute_lost' }])
  })
  await harness.checkBooks()
})

test('fraud warnings with pairs of faults at every call give the money back once, also when their webhooks are lost', {
  timeout: 240_000,
}, async () => {
  const orders = await eachOf(atStripe, async () => harness.buy(await harness.signUp(), { packageCode }))
  await plantPairs(stripe, warningCalls, atStripe)
  // The warning names the charge alone, so Stripe is asked about the charge.
  for (const { id } of orders) await stripe.do('warn-fraud', { orderId: id, withIntent: false })
  await runLater(harness.stack, paymentSweepType, 1 / 24, [], { timeoutMs: 120_000 })
  await eachOf(orders, async ({ id }) => {
    await within('it is refunded', id, async () => (await view(id)).status === 'refunded')
    expect(await view(id)).toMatchObject({ reason: 'fraud_warning', refunds: [{ minor: testPriceMinor }] })
    expect(await taskOf(id)).toEqual([])
  })
  await harness.checkBooks()
})
