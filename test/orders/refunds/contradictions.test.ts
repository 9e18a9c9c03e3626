/** U2: answers of Stripe that contradict one another decide nothing about a refund. */
import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { createStripe } from '../../../providers/stripe/stripe.ts'
import { controlOf } from '../../../sim/control.ts'
import { startStripe } from '../../../sim/stripe.ts'

const secret = 'planted'

async function stripeWorld() {
  const simulator = await startStripe({ secretKey: secret, webhookSecret: secret })
  onTestFinished(() => simulator.stop())
  const settings = { secretKey: secret, webhookSecret: secret, publishableKey: secret, apiBase: simulator.url }
  const [sim, stripe] = [controlOf(simulator), createStripe(settings)]
  const sold = { orderId: randomUUID(), amountMinor: 500, currency: 'EUR', mark: 'm', idempotencyKey: 'pay' }
  const { paymentIntentId } = await stripe.createPayment(sold)
  await sim.do('pay', { paymentIntent: paymentIntentId })
  return { sim, stripe, paymentIntentId }
}

const noRefunds = { object: 'list', url: '/v1/refunds', has_more: false, data: [] }

test('U2: a payment that one of Stripe’s machines calls refunded, and another one has no refund of, is asked about again', async () => {
  const { sim, stripe, paymentIntentId } = await stripeWorld()
  const refund = (idempotencyKey: string) =>
    stripe.refund({ paymentIntentId, amountMinor: 500, idempotencyKey, reasonCode: 'x', lookFirst: false })
  const { refundId } = await refund('in the dashboard')
  await sim.fault({ match: { method: 'GET', path: '/v1/refunds\\?' }, status: 200, body: noRefunds })
  await expect(refund('ours')).rejects.toMatchObject({ kind: 'unavailable', code: 'charge_already_refunded' })
  expect(await refund('ours')).toMatchObject({ refundId })
})

test('U2: a refund of the rest is of what is left when Stripe makes it, under one key', async () => {
  const { stripe, paymentIntentId } = await stripeWorld()
  const part = { paymentIntentId, amountMinor: 120, idempotencyKey: 'part', reasonCode: 'x', lookFirst: false }
  await stripe.refund(part)
  const rest = {
    paymentIntentId,
    amountMinor: 'rest',
    idempotencyKey: 'all',
    reasonCode: 'x',
    lookFirst: false,
  } as const
  const made = await stripe.refund(rest)
  expect(made).toMatchObject({ amountMinor: 380, refundKey: 'all' })
  expect(await stripe.refund(rest)).toEqual(made)
  expect(await stripe.refund({ ...rest, lookFirst: true })).toEqual(made)
})
