/** Scenarios of partial refunds. */
import { fastForward } from '../../../temporal/time-skipping.ts'
import { partialRefundWorkflowId, refundIdOf } from '../../../workflows/order/partial-refund.contract.ts'
import { expectStatus } from '../../harness/http.ts'
import type { Product } from '../../harness/product.ts'
import { orderSteps, runSteps, type Scenario } from '../scenario.ts'

async function refundedInPart(product: Product, body: Record<string, unknown> = {}): Promise<string> {
  const orderId = await orderSteps(product).bought('delivered')
  const part = { amount: { minor: 100, currency: 'EUR' }, ...body }
  expectStatus(await product.operator.post(`/v1/orders/${orderId}/refund`, part), 200)
  const [row] = await product.context.sql<{ refund_key: string }[]>`
    select refund_key from refunds where order_id = ${orderId}`
  return partialRefundWorkflowId(refundIdOf(row?.refund_key) ?? '')
}

export const partialRefunds: Record<string, Scenario> = {
  'partial-refund-waits-for-its-refund-to-settle': async (product) =>
    runSteps(product).untilIt(await refundedInPart(product), 'refunded'),
  'partial-refund-settled': async (product) => {
    const id = await refundedInPart(product, { esims: 'returned' })
    await fastForward(product.temporal, id, '31 days')
    return runSteps(product).untilClosed(id)
  },
  'partial-refund-bounced': async (product) => {
    const id = await refundedInPart(product)
    const { refunds } = await product.sims.stripe.state()
    await product.sims.stripe.do('fail-refund', { refund: refunds.at(-1)?.id })
    return runSteps(product).untilClosed(id)
  },
}
