/** Scenarios of fraud warnings and of the evidence in disputes. */
import { orderAftercareWorkflowId } from '../../../workflows/order/order.contract.ts'
import type { Product } from '../../harness/product.ts'
import { until } from '../../harness/until.ts'
import { orderSteps, type Scenario } from '../scenario.ts'

const untilTask = (product: Product, kind: string, subjectId: string) =>
  until(`the task ${kind}`, async () => {
    const rows = await product.context.sql`select 1 from attention where kind = ${kind} and subject_id = ${subjectId}`
    return rows.length > 0
  })

async function use(product: Product, orderId: string): Promise<void> {
  const { esims } = (await product.service.get(`/v1/orders/${orderId}`)).body
  await product.sims.esimAccess.do('use', { iccid: esims[0].iccid, bytes: 1_000 })
}

export const fraudCases: Record<string, Scenario> = {
  'order-warned-of-in-review': async (product) => {
    const { bought, refundSettled, ended } = orderSteps(product)
    const id = await bought('in_review', { riskLevel: 'elevated' })
    await product.sims.stripe.do('warn-fraud', { orderId: id })
    await product.untilOrder(id, 'refunded')
    await refundSettled(id)
    return ended(id)
  },
  'order-warned-of-while-provisioning': async (product) => {
    const { bought, refundSettled, ended } = orderSteps(product)
    const id = await bought('provisioning')
    await product.sims.stripe.do('warn-fraud', { orderId: id })
    await product.untilOrder(id, 'refunded')
    await refundSettled(id)
    return ended(id)
  },
  'order-warned-of-and-taken-back': async (product) => {
    const { bought, refundSettled, ended } = orderSteps(product)
    const id = await bought('delivered')
    await product.sims.stripe.do('warn-fraud', { orderId: id })
    await product.untilOrder(id, 'refunded')
    await refundSettled(id)
    return ended(id)
  },
  'order-warned-of-and-used': async (product) => {
    const { bought, liveAndExpire, ended } = orderSteps(product)
    const id = await bought('delivered')
    await use(product, id)
    await product.sims.stripe.do('warn-fraud', { orderId: id })
    await untilTask(product, 'fraud_warning', id)
    await liveAndExpire(id)
    return ended(id)
  },
  'order-aftercare-of-a-fraud-warning': async (product) => {
    const { bought, liveAndExpire, ended, untilClosed } = orderSteps(product)
    const id = await bought('delivered')
    await liveAndExpire(id)
    await ended(id)
    await product.sims.stripe.do('warn-fraud', { orderId: id })
    await untilTask(product, 'fraud_warning', id)
    return untilClosed(orderAftercareWorkflowId(id))
  },
  'order-disputed-with-evidence': async (product) => {
    const { bought, liveAndExpire, ended } = orderSteps(product)
    const id = await bought('delivered')
    const { dispute } = await product.sims.stripe.do('open-dispute', { orderId: id })
    await until('the evidence is staged', async () => {
      const { disputes } = (await product.operator.get(`/v1/orders/${id}`)).body
      return disputes[0]?.evidence === 'staged'
    })
    await product.sims.stripe.do('close-dispute', { dispute, outcome: 'won' })
    await until('it is won', async () => (await product.service.get(`/v1/orders/${id}`)).body.dispute === 'won')
    await liveAndExpire(id)
    return ended(id)
  },
}
