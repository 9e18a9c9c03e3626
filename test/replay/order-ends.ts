/** Every way in which an order's run ends. */
import { orderAftercareWorkflowId } from '../../workflows/order/order.contract.ts'
import { shelf } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'
import { orderSteps, type Scenario } from './scenario.ts'

export const orderEnds: Record<string, Scenario> = {
  'order-used-and-expired': async (stage) => {
    const { bought, liveAndExpire, ended } = orderSteps(stage)
    const id = await bought('delivered')
    await liveAndExpire(id)
    return ended(id)
  },
  'order-returned-unused': async (stage) => {
    const { bought, act, refundSettled, ended } = orderSteps(stage)
    const id = await bought('delivered')
    await act(id, 'refund')
    await refundSettled(id)
    return ended(id)
  },
  'order-return-refused-then-expired': async (stage) => {
    const { bought, liveAndExpire, ended } = orderSteps(stage)
    const id = await bought('delivered')
    const { esims } = (await stage.service.get(`/v1/orders/${id}`)).body
    await stage.sims.esimAccess.do('install', { iccid: esims[0].iccid })
    await stage.operator.post(`/v1/orders/${id}/refund`)
    await liveAndExpire(id)
    return ended(id)
  },
  'order-resent-and-disputed': async (stage) => {
    const { bought, act, refundSettled, ended } = orderSteps(stage)
    const id = await bought('delivered')
    await act(id, 'resend')
    const { dispute } = await stage.sims.stripe.do<{ dispute: string }>('open-dispute', { orderId: id })
    const shows = (state: string) =>
      until(state, async () => (await stage.service.get(`/v1/orders/${id}`)).body.dispute === state)
    await shows('needs_response')
    await stage.sims.stripe.do('close-dispute', { dispute, outcome: 'won' })
    await shows('won')
    await act(id, 'refund')
    await refundSettled(id)
    return ended(id)
  },
  'order-never-paid': async (stage) => {
    const { ordered, ended } = orderSteps(stage)
    const id = await ordered()
    await stage.fastForward(id, '61 minutes')
    return ended(id)
  },
  'order-paid-at-the-deadline': async (stage) => {
    const { ordered, act, refundSettled, ended } = orderSteps(stage)
    const id = await ordered()
    await stage.sims.stripe.do('late-success', { orderId: id })
    await stage.fastForward(id, '61 minutes')
    await stage.untilOrder(id, 'delivered')
    await act(id, 'refund')
    await refundSettled(id)
    return ended(id)
  },
  'order-cancelled-unpaid': async (stage) => {
    const { ordered, act, ended } = orderSteps(stage)
    const id = await ordered()
    await act(id, 'cancel')
    return ended(id)
  },
  'order-cancelled-at-the-processor': async (stage) => {
    const { ordered, ended } = orderSteps(stage)
    const id = await ordered()
    await stage.sims.stripe.do('cancel', { orderId: id })
    return ended(id)
  },
  'order-paid-while-cancelled': async (stage) => {
    const { ordered, act, refundSettled, ended } = orderSteps(stage)
    const id = await ordered()
    await stage.sims.stripe.do('late-success', { orderId: id })
    await act(id, 'cancel')
    await refundSettled(id)
    return ended(id)
  },
  'order-found-paid-without-a-webhook': async (stage) => {
    const { ordered, act, refundSettled, ended } = orderSteps(stage)
    const id = await ordered()
    await stage.sims.stripe.do('webhooks', { drop: 1_000 })
    await stage.sims.stripe.do('pay', { orderId: id })
    await stage.fastForward(id, '31 seconds')
    await stage.untilOrder(id, 'delivered')
    await stage.sims.stripe.do('webhooks', { drop: 0 })
    await act(id, 'refund')
    await refundSettled(id)
    return ended(id)
  },
  'order-rejected': async (stage) => {
    const { bought, act, refundSettled, ended } = orderSteps(stage)
    const id = await bought('in_review', { riskLevel: 'elevated' })
    await act(id, 'reject')
    await refundSettled(id)
    return ended(id)
  },
  'order-approved-and-expired': async (stage) => {
    const { bought, act, liveAndExpire, ended } = orderSteps(stage)
    const id = await bought('in_review', { riskLevel: 'elevated' })
    await act(id, 'approve')
    await stage.untilOrder(id, 'delivered')
    await liveAndExpire(id)
    return ended(id)
  },
  'order-never-decided': async (stage) => {
    const { bought, refundSettled, ended } = orderSteps(stage)
    const id = await bought('in_review', { riskLevel: 'elevated' })
    await stage.fastForward(id, '25 hours')
    await refundSettled(id)
    return ended(id)
  },
  'order-cancelled-in-review': async (stage) => {
    const { bought, act, refundSettled, ended } = orderSteps(stage)
    const id = await bought('in_review', { riskLevel: 'elevated' })
    await act(id, 'cancel')
    await refundSettled(id)
    return ended(id)
  },
  'order-out-of-stock': async (stage) => {
    const { bought, refundSettled, ended } = orderSteps(stage)
    await stage.sims.esimAccess.do('stock', { out: true })
    const id = await bought('refunded')
    await refundSettled(id)
    return ended(id)
  },
  'order-delivered-late': async (stage) => {
    const { bought, act, refundSettled, ended, providerDown } = orderSteps(stage)
    await providerDown()
    const id = await bought('provisioning')
    await stage.fastForward(id, '10 minutes')
    await stage.sims.esimAccess.clearFaults()
    await stage.fastForward(id, '1 minute')
    await stage.untilOrder(id, 'delivered')
    await act(id, 'refund')
    await refundSettled(id)
    return ended(id)
  },
  'order-never-delivered': async (stage) => {
    const { bought, refundSettled, ended, providerDown } = orderSteps(stage)
    await providerDown()
    const id = await bought('provisioning')
    await stage.fastForward(id, '61 minutes')
    await stage.untilOrder(id, 'refunded')
    await stage.sims.esimAccess.clearFaults()
    await refundSettled(id)
    return ended(id)
  },
  'order-never-given-back': async (stage) => {
    const { bought, refundSettled, ended, providerDown } = orderSteps(stage)
    await stage.sims.esimAccess.do('allocation', { never: true })
    const id = await bought('provisioning')
    await stage.fastForward(id, '1 minute')
    await providerDown()
    await stage.fastForward(id, '61 minutes')
    await refundSettled(id)
    return ended(id)
  },
  'order-cancelled-while-provisioning': async (stage) => {
    const { bought, act, refundSettled, ended, providerDown } = orderSteps(stage)
    await providerDown()
    const id = await bought('provisioning')
    await act(id, 'cancel')
    await stage.sims.esimAccess.clearFaults()
    await refundSettled(id)
    return ended(id)
  },
  'order-refund-bounced-and-repeated': async (stage) => {
    const { bought, act, refundSettled, ended } = orderSteps(stage)
    const id = await bought('delivered')
    await act(id, 'refund')
    await stage.untilOrder(id, 'refunded')
    await stage.sims.stripe.do('fail-refund', { orderId: id })
    await stage.untilOrder(id, 'refund_failed')
    await act(id, 'refund')
    await refundSettled(id)
    return ended(id)
  },
  'order-whose-mail-nobody-takes': async (stage) => {
    const { bought, liveAndExpire, ended } = orderSteps(stage)
    await stage.sims.mailbox.do('rule', { code: 451, times: 1_000_000 })
    const id = await bought('delivered')
    await stage.fastForward(id, '4 days')
    await stage.sims.mailbox.do('clear-rules')
    await liveAndExpire(id)
    return ended(id)
  },
  'order-that-could-not-open': async (stage) => {
    const { stripeDown, untilClosed } = orderSteps(stage)
    const person = await stage.signUp()
    await stripeDown('/v1/payment_intents')
    const { status } = await stage.service.post('/v1/orders', {
      accountId: person.accountId,
      packageCode: shelf.onlyEsimAccess,
    })
    if (status !== 503) throw new Error(`expected 503, got ${status}`)
    const query = `WorkflowType = 'order' and ExecutionStatus = 'Failed'`
    for await (const { workflowId } of stage.temporal.workflow.list({ query })) return untilClosed(workflowId)
    throw new Error('no run failed')
  },
  'top-up-delivered': async (stage) => {
    const { bought, topUp, ended } = orderSteps(stage)
    const id = await topUp(await bought('delivered'))
    await stage.sims.stripe.do('pay', { orderId: id })
    return ended(id)
  },
  'top-up-of-an-expired-esim': async (stage) => {
    const { bought, topUp, refundSettled, ended } = orderSteps(stage)
    const parent = await bought('delivered')
    const id = await topUp(parent)
    const { esims } = (await stage.service.get(`/v1/orders/${parent}`)).body
    await stage.sims.esimAccess.do('expire', { iccid: esims[0].iccid })
    await stage.sims.stripe.do('pay', { orderId: id })
    await refundSettled(id)
    return ended(id)
  },
  'order-topped-up-and-expired': async (stage) => {
    const { bought, topUp, liveAndExpire, ended } = orderSteps(stage)
    const id = await bought('delivered')
    const more = await topUp(id)
    await stage.sims.stripe.do('pay', { orderId: more })
    await ended(more)
    await until('the data has grown', async () => {
      return (await stage.service.get(`/v1/orders/${id}`)).body.esims[0].totalBytes === 2 ** 31
    })
    await liveAndExpire(id)
    return ended(id)
  },
  'order-aftercare-of-a-dispute': async (stage) => {
    const { ordered, bought, liveAndExpire, ended, untilClosed } = orderSteps(stage)
    await ordered()
    const id = await bought('delivered')
    await liveAndExpire(id)
    await ended(id)
    await stage.sims.stripe.do('open-dispute', { orderId: id })
    await until('noted', async () => (await stage.service.get(`/v1/orders/${id}`)).body.dispute === 'needs_response')
    return untilClosed(orderAftercareWorkflowId(id))
  },
  'order-aftercare-of-a-repeated-refund': async (stage) => {
    const { act, bouncedLate, untilClosed } = orderSteps(stage)
    const id = await bouncedLate()
    await act(id, 'refund')
    await stage.untilOrder(id, 'refunded')
    return untilClosed(orderAftercareWorkflowId(id))
  },
  'order-aftercare-of-a-settled-refund': async (stage) => {
    const { bought, act, refundSettled, ended, untilClosed } = orderSteps(stage)
    await stage.sims.stripe.do('pending-refunds', { enabled: true })
    const id = await bought('delivered')
    await act(id, 'refund')
    await refundSettled(id)
    await ended(id)
    await stage.sims.stripe.do('settle-refund', { orderId: id })
    await until('aftercare has begun', () => stage.temporal.workflow.getHandle(orderAftercareWorkflowId(id)).describe())
    return untilClosed(orderAftercareWorkflowId(id))
  },
}
