/** Scenarios of every wait in which a new build may find an order's run. */
import { orderAftercareWorkflowId, orderWorkflowId, paymentSignal } from '../../../workflows/order/order.contract.ts'
import { untilWatched } from '../../harness/purchases.ts'
import { until } from '../../harness/until.ts'
import { orderSteps, type Scenario } from '../scenario.ts'

export const orderWaits: Record<string, Scenario> = {
  'order-waits-for-payment': async (product) => orderWorkflowId(await orderSteps(product).ordered()),
  'order-waits-for-payment-a-second-time': async (product) => {
    const id = await orderSteps(product).ordered()
    await product.sims.stripe.do('fail-payment', { orderId: id })
    await product.fastForward(id, '3 minutes')
    return orderWorkflowId(id)
  },
  'order-waits-for-the-database': async (product) => {
    const id = await orderSteps(product).ordered()
    const run = product.temporal.workflow.getHandle(orderWorkflowId(id))
    await product.database.crash()
    try {
      await run.signal(paymentSignal)
      await until('it was handed over', async () => {
        const { raw } = await run.describe()
        return raw.pendingActivities?.some(({ attempt }) => (attempt ?? 0) > 1)
      })
    } finally {
      await product.database.start()
    }
    return orderWorkflowId(id)
  },
  'order-waits-for-an-operator': async (product) =>
    orderWorkflowId(await orderSteps(product).bought('in_review', { riskLevel: 'highest' })),
  'order-waits-for-the-provider': async (product) => {
    const { bought, providerDown } = orderSteps(product)
    await providerDown()
    return orderWorkflowId(await bought('provisioning'))
  },
  'order-waits-for-a-slow-provider': async (product) => {
    const { bought, providerDown } = orderSteps(product)
    await providerDown()
    const id = await bought('provisioning')
    await product.fastForward(id, '5 minutes')
    return orderWorkflowId(id)
  },
  'order-waits-for-the-mail-server': async (product) => {
    const { bought, mailDown } = orderSteps(product)
    await mailDown()
    const id = await bought('delivered')
    await untilWatched(product, id)
    return orderWorkflowId(id)
  },
  // Its delivery has tried the messages, which older ones left to the run.
  'order-told-with-its-delivery-waits-for-the-mail-server': async (product) => {
    const { bought, mailDown } = orderSteps(product)
    await mailDown()
    const id = await bought('delivered')
    await untilWatched(product, id)
    return orderWorkflowId(id)
  },
  'order-told-with-its-delivery-waits-for-use': async (product) => {
    const id = await orderSteps(product).bought('delivered')
    await untilWatched(product, id)
    return orderWorkflowId(id)
  },
  'order-waits-for-use': async (product) => {
    const id = await orderSteps(product).bought('delivered')
    await untilWatched(product, id)
    return orderWorkflowId(id)
  },
  'order-waits-for-expiry': async (product) => {
    const id = await orderSteps(product).bought('delivered')
    await untilWatched(product, id)
    const { esims } = (await product.service.get(`/v1/orders/${id}`)).body
    await product.sims.esimAccess.do('use', { iccid: esims[0].iccid, bytes: 2 ** 30 })
    await until(
      'used up',
      async () => (await product.service.get(`/v1/orders/${id}`)).body.esims[0].state === 'used_up',
    )
    return orderWorkflowId(id)
  },
  'order-waits-for-the-processor': async (product) => {
    const { bought, act, stripeDown } = orderSteps(product)
    const id = await bought('delivered')
    await stripeDown('/v1/refunds')
    await act(id, 'refund')
    await product.untilOrder(id, 'refunding')
    return orderWorkflowId(id)
  },
  'order-waits-for-its-refund-to-settle': async (product) => {
    const { bought, act } = orderSteps(product)
    const id = await bought('delivered')
    await act(id, 'refund')
    await product.untilOrder(id, 'refunded')
    return orderWorkflowId(id)
  },
  'order-waits-for-its-refund-to-be-repeated': async (product) => {
    const { bought, act } = orderSteps(product)
    const id = await bought('delivered')
    await act(id, 'refund')
    await product.untilOrder(id, 'refunded')
    await product.sims.stripe.do('fail-refund', { orderId: id })
    await product.untilOrder(id, 'refund_failed')
    return orderWorkflowId(id)
  },
  'order-waits-for-the-bank': async (product) => {
    const id = await orderSteps(product).ordered()
    await product.sims.stripe.do('process', { orderId: id })
    await product.fastForward(id, '2 hours')
    return orderWorkflowId(id)
  },
  'order-aftercare-waits-for-the-bank': async (product) =>
    orderAftercareWorkflowId(await orderSteps(product).undecidedWithoutRun()),
  'order-aftercare-waits-for-its-refund-to-settle': async (product) => {
    const { ordered, terminated } = orderSteps(product)
    const id = await ordered()
    await terminated(id)
    await product.sims.stripe.do('pay', { orderId: id })
    await product.untilOrder(id, 'refunded')
    return orderAftercareWorkflowId(id)
  },
  'order-aftercare-waits-for-the-refund-of-returned-esims': async (product) => {
    const { bought, terminated, act } = orderSteps(product)
    const id = await bought('delivered')
    await terminated(id)
    await act(id, 'refund')
    await product.untilOrder(id, 'refunded')
    return orderAftercareWorkflowId(id)
  },
  'order-aftercare-waits-for-its-refund-to-be-repeated': async (product) =>
    orderAftercareWorkflowId(await orderSteps(product).bouncedLate()),
  'order-waits-for-a-late-allocation-to-give-back': async (product) => {
    const { bought, act } = orderSteps(product)
    await product.sims.esimAccess.do('allocation', { never: true })
    const id = await bought('provisioning')
    await act(id, 'cancel')
    await product.untilOrder(id, 'refunded')
    return orderWorkflowId(id)
  },
  'top-up-waits-for-payment': async (product) => {
    const { bought, topUp } = orderSteps(product)
    return orderWorkflowId(await topUp(await bought('delivered')))
  },
  'top-up-waits-for-payment-on-the-page': async (product) =>
    orderWorkflowId(await orderSteps(product).topUpOnThePage()),
  'top-up-waits-for-the-provider': async (product) => {
    const { bought, topUp, providerDown } = orderSteps(product)
    const id = await topUp(await bought('delivered'))
    await providerDown()
    await product.sims.stripe.do('pay', { orderId: id })
    await product.untilOrder(id, 'provisioning')
    return orderWorkflowId(id)
  },
}
