/** Scenarios of every end of an order's run. */
import { orderAftercareWorkflowId, orderWorkflowId, providerSignal } from '../../../workflows/order/order.contract.ts'
import { untilWatched } from '../../harness/purchases.ts'
import { resetRun, resettable } from '../../harness/temporal/reset-run.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { until } from '../../harness/until.ts'
import { orderSteps, runSteps, type Scenario } from '../scenario.ts'

export const orderEnds: Record<string, Scenario> = {
  'order-used-and-expired': async (product) => {
    const { bought, liveAndExpire, ended } = orderSteps(product)
    const id = await bought('delivered')
    await liveAndExpire(id)
    return ended(id)
  },
  'order-returned-unused': async (product) => {
    const { bought, act, refundSettled, ended } = orderSteps(product)
    const id = await bought('delivered')
    await act(id, 'refund')
    await refundSettled(id)
    return ended(id)
  },
  // The return came again with the reset, among the signals of provider and processor.
  'order-reset-to-before-its-return': async (product) => {
    const { bought, act, refundSettled, ended } = orderSteps(product)
    const id = await bought('delivered')
    await untilWatched(product, id)
    const before = await resettable(product.temporal, orderWorkflowId(id))
    await product.temporal.workflow.getHandle(before.workflowId).signal(providerSignal)
    const run = await until('it has looked at the eSIM', async () => {
      const now = await resettable(product.temporal, before.workflowId)
      return now.taskIds.length > before.taskIds.length ? now : undefined
    })
    await act(id, 'refund')
    await product.untilOrder(id, 'refunded')
    await resetRun(product.temporal, run, { taskId: run.lastTaskId, messages: true })
    await refundSettled(id)
    return ended(id)
  },
  'order-ended-unused-by-its-provider': async (product) => {
    const { bought, refundSettled, ended } = orderSteps(product)
    const id = await bought('delivered')
    const { esims } = (await product.service.get(`/v1/orders/${id}`)).body
    await product.sims.esimAccess.do('revoke', { iccid: esims[0].iccid })
    await product.fastForward(id, '2 days')
    await product.untilOrder(id, 'refunded')
    await refundSettled(id)
    return ended(id)
  },
  'order-return-refused-then-expired': async (product) => {
    const { bought, liveAndExpire, ended } = orderSteps(product)
    const id = await bought('delivered')
    const { esims } = (await product.service.get(`/v1/orders/${id}`)).body
    await product.sims.esimAccess.do('install', { iccid: esims[0].iccid })
    await product.operator.post(`/v1/orders/${id}/refund`)
    await liveAndExpire(id)
    return ended(id)
  },
  'order-resent-and-disputed': async (product) => {
    const { bought, act, refundSettled, ended } = orderSteps(product)
    const id = await bought('delivered')
    await act(id, 'resend')
    const { dispute } = await product.sims.stripe.do('open-dispute', { orderId: id })
    const shows = (state: string) =>
      until(state, async () => (await product.service.get(`/v1/orders/${id}`)).body.dispute === state)
    await shows('needs_response')
    await product.sims.stripe.do('close-dispute', { dispute, outcome: 'won' })
    await shows('won')
    await act(id, 'refund')
    await refundSettled(id)
    return ended(id)
  },
  'order-never-paid': async (product) => {
    const { ordered, ended } = orderSteps(product)
    const id = await ordered()
    await product.fastForward(id, '61 minutes')
    return ended(id)
  },
  'order-paid-at-the-deadline': async (product) => {
    const { ordered, act, refundSettled, ended } = orderSteps(product)
    const id = await ordered()
    await product.sims.stripe.do('late-success', { orderId: id })
    await product.fastForward(id, '61 minutes')
    await product.untilOrder(id, 'delivered')
    await act(id, 'refund')
    await refundSettled(id)
    return ended(id)
  },
  'order-cancelled-unpaid': async (product) => {
    const { ordered, act, ended } = orderSteps(product)
    const id = await ordered()
    await act(id, 'cancel')
    return ended(id)
  },
  'order-cancelled-at-the-processor': async (product) => {
    const { ordered, ended } = orderSteps(product)
    const id = await ordered()
    await product.sims.stripe.do('cancel', { orderId: id })
    return ended(id)
  },
  'order-paid-while-cancelled': async (product) => {
    const { ordered, act, refundSettled, ended } = orderSteps(product)
    const id = await ordered()
    await product.sims.stripe.do('late-success', { orderId: id })
    await act(id, 'cancel')
    await refundSettled(id)
    return ended(id)
  },
  'order-found-paid-without-a-webhook': async (product) => {
    const { ordered, act, refundSettled, ended } = orderSteps(product)
    const id = await ordered()
    await product.sims.stripe.do('webhooks', { drop: 1_000 })
    await product.sims.stripe.do('pay', { orderId: id })
    await product.fastForward(id, '31 seconds')
    await product.untilOrder(id, 'delivered')
    await product.sims.stripe.do('webhooks', { drop: 0 })
    await act(id, 'refund')
    await refundSettled(id)
    return ended(id)
  },
  'order-rejected': async (product) => {
    const { bought, act, refundSettled, ended } = orderSteps(product)
    const id = await bought('in_review', { riskLevel: 'elevated' })
    await act(id, 'reject')
    await refundSettled(id)
    return ended(id)
  },
  'order-approved-and-expired': async (product) => {
    const { bought, act, liveAndExpire, ended } = orderSteps(product)
    const id = await bought('in_review', { riskLevel: 'elevated' })
    await act(id, 'approve')
    await product.untilOrder(id, 'delivered')
    await liveAndExpire(id)
    return ended(id)
  },
  'order-never-decided': async (product) => {
    const { bought, refundSettled, ended } = orderSteps(product)
    const id = await bought('in_review', { riskLevel: 'elevated' })
    await product.fastForward(id, '25 hours')
    await refundSettled(id)
    return ended(id)
  },
  'order-cancelled-in-review': async (product) => {
    const { bought, act, refundSettled, ended } = orderSteps(product)
    const id = await bought('in_review', { riskLevel: 'elevated' })
    await act(id, 'cancel')
    await refundSettled(id)
    return ended(id)
  },
  'order-out-of-stock': async (product) => {
    const { bought, refundSettled, ended } = orderSteps(product)
    await product.sims.esimAccess.do('stock', { out: true })
    const id = await bought('refunded')
    await refundSettled(id)
    return ended(id)
  },
  'order-delivered-late': async (product) => {
    const { bought, act, refundSettled, ended, providerDown } = orderSteps(product)
    await providerDown()
    const id = await bought('provisioning')
    await product.fastForward(id, '10 minutes')
    await product.sims.esimAccess.clearFaults()
    await product.fastForward(id, '1 minute')
    await product.untilOrder(id, 'delivered')
    await act(id, 'refund')
    await refundSettled(id)
    return ended(id)
  },
  'order-never-delivered': async (product) => {
    const { bought, refundSettled, ended, providerDown } = orderSteps(product)
    await providerDown()
    const id = await bought('provisioning')
    await product.fastForward(id, '61 minutes')
    await product.untilOrder(id, 'refunded')
    await product.sims.esimAccess.clearFaults()
    await refundSettled(id)
    return ended(id)
  },
  'order-never-given-back': async (product) => {
    const { bought, refundSettled, ended, providerDown } = orderSteps(product)
    await product.sims.esimAccess.do('allocation', { never: true })
    const id = await bought('provisioning')
    await product.fastForward(id, '1 minute')
    await providerDown()
    await product.fastForward(id, '61 minutes')
    await refundSettled(id)
    return ended(id)
  },
  'order-cancelled-while-provisioning': async (product) => {
    const { bought, act, refundSettled, ended, providerDown } = orderSteps(product)
    await providerDown()
    const id = await bought('provisioning')
    await act(id, 'cancel')
    await product.sims.esimAccess.clearFaults()
    await refundSettled(id)
    return ended(id)
  },
  'order-refund-bounced-and-repeated': async (product) => {
    const { bought, act, refundSettled, ended } = orderSteps(product)
    const id = await bought('delivered')
    await act(id, 'refund')
    await product.untilOrder(id, 'refunded')
    await product.sims.stripe.do('fail-refund', { orderId: id })
    await product.untilOrder(id, 'refund_failed')
    await act(id, 'refund')
    await refundSettled(id)
    return ended(id)
  },
  'order-whose-mail-nobody-takes': async (product) => {
    const { bought, liveAndExpire, ended } = orderSteps(product)
    await product.sims.mailbox.do('rule', { code: 451, times: 1_000_000 })
    const id = await bought('delivered')
    await product.fastForward(id, '4 days')
    await product.sims.mailbox.do('clear-rules')
    await liveAndExpire(id)
    return ended(id)
  },
  'order-that-could-not-open': async (product) => {
    const { stripeDown, untilClosed } = orderSteps(product)
    const person = await product.signUp()
    await stripeDown('/v1/payment_intents')
    const { status } = await product.service.post('/v1/orders', {
      accountId: person.accountId,
      packageCode: testPackages.onlyEsimAccess,
    })
    if (status !== 503) throw new Error(`expected 503, got ${status}`)
    const query = `WorkflowType = 'order' and ExecutionStatus = 'Failed'`
    for await (const { workflowId } of product.temporal.workflow.list({ query })) return untilClosed(workflowId)
    throw new Error('no run failed')
  },
  'top-up-delivered': async (product) => {
    const { bought, topUp, ended } = orderSteps(product)
    const id = await topUp(await bought('delivered'))
    await product.sims.stripe.do('pay', { orderId: id })
    return ended(id)
  },
  'top-up-of-an-expired-esim': async (product) => {
    const { bought, topUp, refundSettled, ended } = orderSteps(product)
    const parent = await bought('delivered')
    const id = await topUp(parent)
    const { esims } = (await product.service.get(`/v1/orders/${parent}`)).body
    await product.sims.esimAccess.do('expire', { iccid: esims[0].iccid })
    await product.sims.stripe.do('pay', { orderId: id })
    await refundSettled(id)
    return ended(id)
  },
  'order-topped-up-and-expired': async (product) => {
    const { bought, topUp, liveAndExpire, ended } = orderSteps(product)
    const id = await bought('delivered')
    const more = await topUp(id)
    await product.sims.stripe.do('pay', { orderId: more })
    await ended(more)
    await until('the data has grown', async () => {
      return (await product.service.get(`/v1/orders/${id}`)).body.esims[0].totalBytes === 2 ** 31
    })
    await liveAndExpire(id)
    return ended(id)
  },
  'order-aftercare-of-a-dispute': async (product) => {
    const { ordered, bought, liveAndExpire, ended, untilClosed } = orderSteps(product)
    await ordered()
    const id = await bought('delivered')
    await liveAndExpire(id)
    await ended(id)
    await product.sims.stripe.do('open-dispute', { orderId: id })
    await until('noted', async () => (await product.service.get(`/v1/orders/${id}`)).body.dispute === 'needs_response')
    return untilClosed(orderAftercareWorkflowId(id))
  },
  'order-aftercare-of-a-repeated-refund': async (product) => {
    const { act, bouncedLate, untilClosed } = orderSteps(product)
    const id = await bouncedLate()
    await act(id, 'refund')
    await product.untilOrder(id, 'refunded')
    return untilClosed(await runSteps(product).forward(orderAftercareWorkflowId(id), '31 days'))
  },
  // The reset gives it the return and the hints of the refund at once.
  'order-aftercare-reset-after-a-failed-refund': async (product) => {
    const { bought, act, terminated, untilClosed } = orderSteps(product)
    const { untilIt, forward } = runSteps(product)
    const id = await bought('delivered')
    await terminated(id)
    await product.sims.stripe.do('fail-refund', { orderId: id })
    await act(id, 'refund')
    await product.untilOrder(id, 'refund_failed')
    const run = await resettable(product.temporal, orderAftercareWorkflowId(id))
    await resetRun(product.temporal, run, { taskId: run.taskIds[0] ?? run.lastTaskId, messages: true })
    await untilIt(run.workflowId, 'refund_failed')
    await act(id, 'refund')
    await product.untilOrder(id, 'refunded')
    return untilClosed(await forward(run.workflowId, '31 days'))
  },
  'order-aftercare-of-a-settled-refund': async (product) => {
    const { bought, act, refundSettled, ended, untilClosed } = orderSteps(product)
    await product.sims.stripe.do('pending-refunds', { enabled: true })
    const id = await bought('delivered')
    await act(id, 'refund')
    await product.untilOrder(id, 'refunded')
    await product.sims.stripe.do('webhooks', { hold: true })
    await product.sims.stripe.do('settle-refund', { orderId: id })
    await refundSettled(id)
    await ended(id)
    await product.sims.stripe.do('release')
    await until('aftercare has begun', () =>
      product.temporal.workflow.getHandle(orderAftercareWorkflowId(id)).describe(),
    )
    return untilClosed(orderAftercareWorkflowId(id))
  },
  'order-aftercare-of-a-late-payment': async (product) => {
    const { ordered, terminated, untilClosed } = orderSteps(product)
    const id = await ordered()
    await terminated(id)
    await product.sims.stripe.do('pay', { orderId: id })
    await product.untilOrder(id, 'refunded')
    return untilClosed(await runSteps(product).forward(orderAftercareWorkflowId(id), '31 days'))
  },
  'order-aftercare-of-an-unpaid-order': async (product) => {
    const { undecidedWithoutRun, untilClosed } = orderSteps(product)
    const id = await undecidedWithoutRun()
    await product.sims.stripe.do('fail-payment', { orderId: id })
    await runSteps(product).forward(orderAftercareWorkflowId(id), '25 hours')
    await product.untilOrder(id, 'unpaid')
    return untilClosed(orderAftercareWorkflowId(id))
  },
  'order-aftercare-of-a-mail-sent-again': async (product) => {
    const { bought, topUp, ended, act, untilClosed } = orderSteps(product)
    const id = await topUp(await bought('delivered'))
    await product.sims.stripe.do('pay', { orderId: id })
    await ended(id)
    await act(id, 'resend')
    return untilClosed(orderAftercareWorkflowId(id))
  },
  'order-paid-after-days': async (product) => {
    const { ordered, act, refundSettled, ended } = orderSteps(product)
    const id = await ordered()
    await product.sims.stripe.do('process', { orderId: id })
    await product.fastForward(id, '27 hours')
    await product.sims.stripe.do('pay', { orderId: id })
    await product.fastForward(id, '30 minutes')
    await product.untilOrder(id, 'delivered')
    await act(id, 'refund')
    await refundSettled(id)
    return ended(id)
  },
  'order-refund-found-failed-at-the-end': async (product) => {
    const { bought, act, refundSettled, ended } = orderSteps(product)
    const id = await bought('delivered')
    await act(id, 'refund')
    await product.untilOrder(id, 'refunded')
    await product.sims.stripe.do('webhooks', { drop: 1_000 })
    await product.sims.stripe.do('fail-refund', { orderId: id })
    await product.sims.stripe.do('webhooks', { drop: 0 })
    await product.fastForward(id, '31 days')
    await product.untilOrder(id, 'refund_failed')
    await act(id, 'refund')
    await refundSettled(id)
    return ended(id)
  },
  'order-refund-unsettled-for-a-month': async (product) => {
    const { bought, act, refundSettled, ended } = orderSteps(product)
    await product.sims.stripe.do('pending-refunds', { enabled: true })
    const id = await bought('delivered')
    await act(id, 'refund')
    await refundSettled(id)
    await product.sims.stripe.do('settle-refund', { orderId: id })
    await product.fastForward(id, '31 days')
    return ended(id)
  },
  'order-that-failed': async (product) => {
    const { ordered, ended } = orderSteps(product)
    const id = await ordered()
    await product.context.sql`update orders set payment_intent_id = null where id = ${id}`
    await product.fastForward(id, '31 seconds')
    return ended(id)
  },
}
