/**
 * U2: a payment of ours that no order has is shown to operators, however long the bank takes, and whoever reports it.
 */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { paymentMark } from '../../../activities/order/payment/payment-mark.ts'
import { type PaymentSweepReport, paymentSweepType } from '../../../workflows/order/payment-sweep.contract.ts'
import { shareStack } from '../../harness/harness.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { testPackages, testPriceMinor } from '../../harness/test-packages.ts'
import { until } from '../../harness/until.ts'

// The second payment of an order is one fault of the books that these tests make.
const harness = await shareStack({ books: false })
const { sims, context } = harness
const { sql } = context
const packageCode = testPackages.onlyEsimAccess

/** The payment sweep, an hour from now. */
const sweep = () => runLater<PaymentSweepReport>(harness.stack, paymentSweepType, 1 / 24)

test.each([
  ['that no order has', async () => randomUUID()],
  ['of an order that has its own', async () => (await harness.buy(await harness.signUp(), { packageCode })).id],
])(
  'a payment %s, which the bank still processes at the payment sweep, is shown to operators once it is paid',
  async (_, orderOf) => {
    const orderId = await orderOf()
    const { paymentIntentId } = await context.stripe.createPayment({
      orderId,
      amountMinor: testPriceMinor,
      currency: 'EUR',
      mark: paymentMark(context.cipher, orderId),
      idempotencyKey: randomUUID(),
    })
    await sims.stripe.do('process', { paymentIntent: paymentIntentId })
    const tasks = () => sql`select kind from attention where subject_id = ${paymentIntentId} and resolved_at is null`
    expect((await sweep()).unknownPayments).toEqual({ cancelled: 0, paid: 0 })
    expect(await tasks()).toEqual([])
    // Later than what is read again each hour.
    await sql`update payment_sweeps set read_until = now() + interval '3 days' where part = 'unknown_payments'`
    await sims.stripe.do('pay', { paymentIntent: paymentIntentId })
    await until('its webhook was sent', async () => {
      const { events, deliveries } = await sims.stripe.state()
      const paid = events.find(
        ({ type, objectId }) => type === 'payment_intent.succeeded' && objectId === paymentIntentId,
      )
      return deliveries.some(({ id, status }) => id === paid?.id && status === 200)
    })
    await sweep()
    expect(await tasks()).toEqual([{ kind: 'payment_without_order' }])
    // A machine that does not know the payment yet says nothing of its return.
    const url = `${sims.stripe.url}/v1/payment_intents/${paymentIntentId}`
    const headers = { authorization: `Bearer ${harness.config.STRIPE_SECRET_KEY}` }
    const known: object = JSON.parse(await (await fetch(url, { headers })).text())
    const body = { ...known, status: 'processing', amount_received: 0, latest_charge: null }
    const match = { method: 'GET', path: `/v1/payment_intents/${paymentIntentId}` }
    await sims.stripe.fault({ match, status: 200, body })
    await sweep()
    expect(await tasks()).toEqual([{ kind: 'payment_without_order' }])
    await context.stripe.refund({
      paymentIntentId,
      amountMinor: testPriceMinor,
      idempotencyKey: randomUUID(),
      reasonCode: 'made_elsewhere',
      lookFirst: false,
    })
    await sweep()
    expect(await tasks()).toEqual([])
  },
)
