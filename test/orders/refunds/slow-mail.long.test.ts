/**
 * U2, paid means delivered or refunded: a run goes on in another worker, also when its branches have waited side by
 * side.
 */
import { expect, test } from 'vitest'
import { orderWorkflowId, paymentSignal } from '../../../workflows/order/order.contract.ts'
import { mailsTo } from '../../harness/checks/messages.ts'
import { shareStack } from '../../harness/harness.ts'
import { fetchHistories, replay } from '../../harness/temporal/histories.ts'
import { until } from '../../harness/until.ts'

const harness = await shareStack()
const { mailbox, stripe } = harness.sims

test('a run whose refund settles while the mail server lets it wait replays', async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person)
  await until('the order’s mail is there', async () => (await mailsTo(harness.stack, person.email)).length > 0)
  await mailbox.do('rule', { recipient: person.email, code: 451, delayMs: 1_500, times: 1 })
  await stripe.fault({ match: { method: 'POST', path: '/v1/refunds$' }, delayMs: 1_000, times: 1 })
  expect((await person.caller.post(`/v1/orders/${id}/refund`)).status).toBe(200)
  // As Stripe's webhook does that comes before the answer: the run asks about the refund while it sends the mail.
  const workflowId = orderWorkflowId(id)
  const run = harness.temporal.workflow.getHandle(workflowId)
  await until('the refund is under way', async () => {
    const { raw } = await run.describe()
    return raw.pendingActivities?.some(({ activityType }) => activityType?.name === 'refundPayment') ?? false
  })
  await run.signal(paymentSignal)
  await until('the mail is sent by a regular activity', async () => {
    const { events } = await run.fetchHistory()
    return (events ?? []).some(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'sendOrderMail',
    )
  })
  const histories = (await fetchHistories(harness.temporal)).filter((history) => history.workflowId === workflowId)
  await replay(histories, harness.config.PAYLOAD_KEYS)
  await harness.untilOrder(id, 'refunded')
})
