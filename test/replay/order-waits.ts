/** Every wait in which a release may find an order's run. */
import { orderAftercareWorkflowId, orderWorkflowId, paymentNews } from '../../workflows/order/order.contract.ts'
import { untilWatched } from '../harness/purchases.ts'
import { until } from '../harness/until.ts'
import { orderSteps, type Scenario } from './scenario.ts'

export const orderWaits: Record<string, Scenario> = {
  'order-waits-for-payment': async (stage) => orderWorkflowId(await orderSteps(stage).ordered()),
  'order-waits-for-payment-a-second-time': async (stage) => {
    const id = await orderSteps(stage).ordered()
    await stage.sims.stripe.do('fail-payment', { orderId: id })
    await stage.fastForward(id, '3 minutes')
    return orderWorkflowId(id)
  },
  'order-waits-for-the-database': async (stage) => {
    const id = await orderSteps(stage).ordered()
    const run = stage.temporal.workflow.getHandle(orderWorkflowId(id))
    await stage.database.crash()
    try {
      await run.signal(paymentNews)
      await until('it was handed over', async () => {
        const { raw } = await run.describe()
        return raw.pendingActivities?.some(({ attempt }) => (attempt ?? 0) > 1)
      })
    } finally {
      await stage.database.start()
    }
    return orderWorkflowId(id)
  },
  'order-waits-for-an-operator': async (stage) =>
    orderWorkflowId(await orderSteps(stage).bought('in_review', { riskLevel: 'highest' })),
  'order-waits-for-the-provider': async (stage) => {
    const { bought, providerDown } = orderSteps(stage)
    await providerDown()
    return orderWorkflowId(await bought('provisioning'))
  },
  'order-waits-for-a-slow-provider': async (stage) => {
    const { bought, providerDown } = orderSteps(stage)
    await providerDown()
    const id = await bought('provisioning')
    await stage.fastForward(id, '5 minutes')
    return orderWorkflowId(id)
  },
  'order-waits-for-the-mail-server': async (stage) => {
    const { bought, mailDown } = orderSteps(stage)
    await mailDown()
    const id = await bought('delivered')
    await untilWatched(stage, id)
    return orderWorkflowId(id)
  },
  'order-waits-for-use': async (stage) => {
    const id = await orderSteps(stage).bought('delivered')
    await untilWatched(stage, id)
    return orderWorkflowId(id)
  },
  'order-waits-for-expiry': async (stage) => {
    const id = await orderSteps(stage).bought('delivered')
    await untilWatched(stage, id)
    const { esims } = (await stage.service.get(`/v1/orders/${id}`)).body
    await stage.sims.esimAccess.do('use', { iccid: esims[0].iccid, bytes: 2 ** 30 })
    await until('used up', async () => (await stage.service.get(`/v1/orders/${id}`)).body.esims[0].state === 'used_up')
    return orderWorkflowId(id)
  },
  'order-waits-for-the-processor': async (stage) => {
    const { bought, act, stripeDown } = orderSteps(stage)
    const id = await bought('delivered')
    await stripeDown('/v1/refunds')
    await act(id, 'refund')
    await stage.untilOrder(id, 'refunding')
    return orderWorkflowId(id)
  },
  'order-waits-for-its-refund-to-settle': async (stage) => {
    const { bought, act } = orderSteps(stage)
    const id = await bought('delivered')
    await act(id, 'refund')
    await stage.untilOrder(id, 'refunded')
    return orderWorkflowId(id)
  },
  'order-waits-for-its-refund-to-be-repeated': async (stage) => {
    const { bought, act } = orderSteps(stage)
    const id = await bought('delivered')
    await act(id, 'refund')
    await stage.untilOrder(id, 'refunded')
    await stage.sims.stripe.do('fail-refund', { orderId: id })
    await stage.untilOrder(id, 'refund_failed')
    return orderWorkflowId(id)
  },
  'order-aftercare-waits-for-its-refund-to-be-repeated': async (stage) =>
    orderAftercareWorkflowId(await orderSteps(stage).bouncedLate()),
  'order-waits-for-a-late-allocation-to-give-back': async (stage) => {
    const { bought, act } = orderSteps(stage)
    await stage.sims.esimAccess.do('allocation', { never: true })
    const id = await bought('provisioning')
    await act(id, 'cancel')
    await stage.untilOrder(id, 'refunded')
    return orderWorkflowId(id)
  },
  'top-up-waits-for-payment': async (stage) => {
    const { bought, topUp } = orderSteps(stage)
    return orderWorkflowId(await topUp(await bought('delivered')))
  },
  'top-up-waits-for-the-provider': async (stage) => {
    const { bought, topUp, providerDown } = orderSteps(stage)
    const id = await topUp(await bought('delivered'))
    await providerDown()
    await stage.sims.stripe.do('pay', { orderId: id })
    await stage.untilOrder(id, 'provisioning')
    return orderWorkflowId(id)
  },
}
