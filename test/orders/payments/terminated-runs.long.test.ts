/**
 * U2, paid means delivered or refunded: wherever an order's run was when it was terminated, operators know it at once,
 * and the hourly payment sweep settles the money.
 */
import { expect, test } from 'vitest'
import { fastForward } from '../../../temporal/time-skipping.ts'
import { draftSweepType } from '../../../workflows/housekeeping/draft-sweep.contract.ts'
import { orderAftercareWorkflowId, orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { paymentSweepType } from '../../../workflows/order/payment-sweep.contract.ts'
import { shareStack } from '../../harness/harness.ts'
import { drawPart } from '../../harness/seed.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { until } from '../../harness/until.ts'
import { orderWaits } from '../../replay/orders/order-waits.ts'

// An eSIM that a provider allocates after the termination is returned later than most tests wait.
const harness = await shareStack({ books: false })
const { sims, temporal } = harness
const { sql } = harness.stack.context

/** The customer's outcome: nothing was charged, the money is back, or the eSIM was delivered. */
type Ending = 'unpaid' | 'refunded' | 'delivered'

/** By the kept histories' name of the wait. */
const endings: Record<string, Ending> = {
  'order-waits-for-payment': 'unpaid',
  'order-waits-for-payment-a-second-time': 'unpaid',
  'order-waits-for-the-bank': 'refunded',
  'order-waits-for-an-operator': 'refunded',
  'order-waits-for-the-provider': 'refunded',
  'order-waits-for-a-slow-provider': 'refunded',
  'order-waits-for-the-mail-server': 'delivered',
  'order-told-with-its-delivery-waits-for-the-mail-server': 'delivered',
  'order-told-with-its-delivery-waits-for-use': 'delivered',
  'order-waits-for-use': 'delivered',
  'order-waits-for-expiry': 'delivered',
  'order-waits-for-the-processor': 'refunded',
  'order-waits-for-its-refund-to-settle': 'refunded',
  'order-waits-for-its-refund-to-be-repeated': 'refunded',
  'order-waits-for-a-late-allocation-to-give-back': 'refunded',
  'order-aftercare-waits-for-the-bank': 'refunded',
  'order-aftercare-waits-for-its-refund-to-settle': 'refunded',
  'order-aftercare-waits-for-the-refund-of-returned-esims': 'refunded',
  'order-aftercare-waits-for-its-refund-to-be-repeated': 'refunded',
  'top-up-waits-for-payment': 'unpaid',
  'top-up-waits-for-payment-on-the-page': 'unpaid',
  'top-up-waits-for-the-provider': 'refunded',
}
/** Scenarios that stop the server of the database, which other files use as well. */
const elsewhere = ['order-waits-for-the-database']

test('every scenario in which an order waits has its end after a terminated run', () => {
  expect(Object.keys(endings).sort()).toEqual(
    Object.keys(orderWaits)
      .filter((name) => !elsewhere.includes(name))
      .sort(),
  )
})

async function chargedMinor(orderId: string): Promise<number> {
  const { charges, paymentIntents, refunds } = await sims.stripe.state()
  const payments = paymentIntents.filter(({ metadata }) => metadata.order_id === orderId).map(({ id }) => id)
  const isIts = ({ payment_intent }: { payment_intent: unknown }) => payments.includes(String(payment_intent))
  const sum = (amounts: { amount: number }[]) => amounts.reduce((total, { amount }) => total + amount, 0)
  const accepted = refunds.filter(({ status }) => status !== 'failed' && status !== 'canceled')
  return sum(charges.filter((each) => isIts(each) && each.status === 'succeeded')) - sum(accepted.filter(isIts))
}

async function everybodyAnswers(): Promise<void> {
  await Promise.all([sims.stripe.clearFaults(), sims.esimAccess.clearFaults(), sims.mailbox.do('clear-rules')])
  await sims.esimAccess.do('allocation', {})
}

/** Terminates the run of an order that waits, and looks after it as the schedules do within an hour. @returns its id */
async function terminatedAndSettled(name: string, ending: Ending): Promise<string> {
  const workflowId = (await orderWaits[name]?.(harness)) ?? ''
  const orderId = workflowId.replace(orderAftercareWorkflowId(''), '').replace(orderWorkflowId(''), '')
  const run = temporal.workflow.getHandle(workflowId)
  const { runId } = await run.describe()
  await run.terminate('by mistake')
  await everybodyAnswers()
  // The bank decides meanwhile.
  if (name.endsWith('the-bank')) await sims.stripe.do('pay', { orderId })

  await until('operators know of the run, or the next one has taken over', async () => {
    await runLater(harness.stack, draftSweepType, 0)
    if ((await run.describe()).runId !== runId) return true
    return (await sql`select from attention where kind = 'run_lost' and subject_id = ${runId}`).length > 0
  })
  await sql`update orders set payment_due_at = now() - interval '1 hour'
    where id = ${orderId} and status = 'awaiting_payment'`
  await runLater(harness.stack, paymentSweepType, 1 / 24)
  await harness.untilOrder(orderId, ending)
  await until(
    'the money is where it belongs',
    async () => (await chargedMinor(orderId)) > 0 === (ending === 'delivered'),
  )
  return orderId
}

const drawn = drawPart(4)(Object.entries(endings))
test.each(drawn)(
  'a run that is terminated where the %s is found within the hour, and its order ends %s',
  {
    timeout: 180_000,
  },
  async (name, ending) => {
    await terminatedAndSettled(name, ending)
  },
)

test('what a provider allocates after the run of a refunded order was terminated is returned', {
  timeout: 180_000,
}, async () => {
  const orderId = await terminatedAndSettled('order-waits-for-a-late-allocation-to-give-back', 'refunded')
  await sims.esimAccess.do('allocate')
  await until('nothing is held', async () => {
    await fastForward(temporal, orderAftercareWorkflowId(orderId), '2 minutes')
    const held = await sql`select from provider_orders where order_id = ${orderId} and state <> 'released'`
    return held.length === 0
  })
  const { esims } = await sims.esimAccess.state()
  expect(esims.at(-1)).toMatchObject({ esimStatus: 'CANCEL' })
})

test('aftercare of an order that nobody has paid on the page of Stripe ends, and is no lost run', {
  timeout: 180_000,
}, async () => {
  const orderId = await terminatedAndSettled('top-up-waits-for-payment-on-the-page', 'unpaid')
  const aftercare = temporal.workflow.getHandle(orderAftercareWorkflowId(orderId))
  const { runId, status } = await until('it has closed', async () => {
    const described = await aftercare.describe()
    return described.status.name === 'RUNNING' ? undefined : { runId: described.runId, status: described.status.name }
  })
  expect(status).toBe('COMPLETED')
  await runLater(harness.stack, draftSweepType, 0)
  expect(await sql`select from attention where kind = 'run_lost' and subject_id = ${runId}`).toEqual([])
})
