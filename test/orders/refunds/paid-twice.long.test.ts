/**
 * U2: paid means delivered or refunded. Stripe lets a bank reclaim a payment that is being refunded: the customer has
 * the money twice, and only operators can act.
 */
import { expect, test } from 'vitest'
import type { Attention } from '../../../db/connection/schema.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { testPackages, testPriceMinor } from '../../harness/test-packages.ts'
import { until, untilValue } from '../../harness/until.ts'

// The books cannot balance.
const harness = await shareStack({ books: false })
const { stripe } = harness.sims
const { sql } = harness.stack.context
const view = async (orderId: string) => (await harness.service.get(`/v1/orders/${orderId}`)).body

test('a refund that is under way when the dispute is lost is not made again, and operators see the dispute', async () => {
  const order = await harness.buy(await harness.signUp(), { packageCode: testPackages.onlyEsimAccess })
  await stripe.do('pending-refunds', { enabled: true })
  expectStatus(await harness.service.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
  const { dispute } = await stripe.do('open-dispute', { orderId: order.id })
  await stripe.do('close-dispute', { dispute, outcome: 'lost' })
  await until('it is lost', async () => (await view(order.id)).dispute === 'lost')
  await stripe.do('settle-refund', { orderId: order.id })
  await stripe.do('pending-refunds', { enabled: false })
  const { refunds, documents } = await untilValue(
    'the refund has settled',
    () => view(order.id),
    (shown) => shown.refunds[0].state === 'succeeded',
  )
  expect(refunds).toMatchObject([{ minor: testPriceMinor, reason: 'returned_unused' }])
  expect(documents).toMatchObject([{ kind: 'invoice' }, { kind: 'credit_note' }])
  const made = (await stripe.state()).refunds.filter(({ amount }) => amount === testPriceMinor)
  expect(made).toHaveLength(1)
  const tasks = await sql<Pick<Attention, 'kind'>[]>`
    select kind from attention where subject_id in ${sql([order.id, dispute])} and resolved_at is null`
  expect(tasks).toEqual([{ kind: 'dispute_lost' }])
})
