/** Scenarios of withdrawals from the contract of an order. */
import { withdrawalWorkflowId } from '../../../workflows/order/withdrawal.contract.ts'
import { expectStatus } from '../../harness/http.ts'
import type { Product } from '../../harness/product.ts'
import { orderSteps, runSteps, type Scenario } from '../scenario.ts'

async function stated({ service }: Product, orderId: string): Promise<string> {
  expectStatus(await service.post(`/v1/orders/${orderId}/withdrawal`), 200)
  expectStatus(await service.post(`/v1/orders/${orderId}/withdrawal/confirm`), 200)
  return withdrawalWorkflowId(orderId)
}

export const withdrawals: Record<string, Scenario> = {
  'withdrawal-carried-out': async (product) => {
    const { bought, untilClosed } = orderSteps(product)
    return untilClosed(await stated(product, await bought('delivered')))
  },
  'withdrawal-waits-for-the-provider': async (product) => {
    const { bought, providerDown } = orderSteps(product)
    const orderId = await bought('delivered')
    await providerDown()
    return runSteps(product).untilIt(await stated(product, orderId), 'stated')
  },
  'withdrawal-left-to-an-operator': async (product) => {
    const { bought, topUp, untilClosed } = orderSteps(product)
    const id = await topUp(await bought('delivered'))
    await product.sims.stripe.do('pay', { orderId: id })
    await product.untilOrder(id, 'delivered')
    return untilClosed(await stated(product, id))
  },
}
