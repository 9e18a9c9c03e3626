/**
 * U2: paid means delivered or refunded. Payments for an order whose run has gone, under a payment that names another
 * order.
 */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createLatePaymentActivities } from '../../../activities/order/payment/late-payment.ts'
import { closeOperatorTask } from '../../../db/operator-tasks.ts'
import { orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { shareStack } from '../../harness/harness.ts'

// The payment is left to an operator on purpose.
const harness = await shareStack({ books: false })
const { stripe } = harness.sims
const { context } = harness
const { sql } = context

/** Activities that read a payment whose metadata somebody has changed in the dashboard. */
const changed = (orderId: string | null) =>
  createLatePaymentActivities({
    ...context,
    temporal: harness.temporal,
    stripe: {
      ...context.stripe,
      getPayment: async (paymentIntentId) => ({ ...(await context.stripe.getPayment(paymentIntentId)), orderId }),
    },
  })

test.each([
  ['awaiting_payment', null, 'cancelled'],
  ['awaiting_payment', randomUUID(), 'cancelled'],
  ['unpaid', null, 'unpaid'],
  ['cancelled', null, 'cancelled'],
] as const)(
  'a payment of an order that is %s, with the order id %s: an operator decides, once',
  async (before, named, after) => {
    const { id } = await harness.buy(await harness.signUp(), { pay: false })
    await harness.temporal.workflow.getHandle(orderWorkflowId(id)).terminate('by mistake')
    await stripe.do('webhooks', { drop: 1_000 })
    await stripe.do('pay', { orderId: id })
    await stripe.do('webhooks', { drop: 0 })
    await sql`update orders set status = ${before} where id = ${id}`
    const asOf = new Date().toISOString()
    const open = () => sql<{ id: string; kind: string; detail: string }[]>`
    select id, kind, detail from attention where subject_id = ${id} and resolved_at is null`

    expect(await changed(named).settleWithoutRun({ orderId: id, asOf })).toEqual({ state: 'settled' })
    const [task, ...others] = await open()
    expect(task).toMatchObject({ kind: 'payment_not_accepted', detail: 'of_another_order' })
    expect(others).toEqual([])
    expect(await sql`select status, reason from orders where id = ${id}`).toEqual([
      { status: after, reason: 'payment_not_accepted' },
    ])
    // Decided is decided: the next webhook of the payment opens it no more.
    await closeOperatorTask(sql, { id: task?.id ?? '', by: 'operator:somebody', at: new Date() })
    await changed(named).settleWithoutRun({ orderId: id, asOf })
    expect(await open()).toEqual([])
  },
)
