/**
 * Faults that a product could have, imitated from outside: they show that the oracles find them and how plans shrink.
 */

import { until } from '../../harness/until.ts'
import type { Order } from '../oracles/record.ts'
import type { WorldStack } from './stack/stack.ts'

/** Refunds a part of an order a second time, as if the first request had been repeated without its idempotency key. */
export async function refundAgain({ sims, config }: WorldStack, order: Order, minor: number): Promise<void> {
  const payment = await until('the first refund is made', async () => {
    const { paymentIntents, refunds } = await sims.stripe.state()
    const found = paymentIntents.find(({ metadata }) => metadata.order_id === order.orderId)
    return refunds.some(({ payment_intent }) => payment_intent === found?.id) && found
  })
  await fetch(`${sims.stripe.url}/v1/refunds`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${config.STRIPE_SECRET_KEY}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ payment_intent: payment.id, amount: String(minor) }),
  })
}
