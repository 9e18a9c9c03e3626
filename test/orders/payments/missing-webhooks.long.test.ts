/** Operators learn that Stripe's webhooks do not come, though the payment sweep finds what they would have said. */
import { afterAll, expect, test } from 'vitest'
import { type PaymentSweepReport, paymentSweepType } from '../../../workflows/order/payment-sweep.contract.ts'
import { shareStack } from '../../harness/harness.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { testPackages } from '../../harness/test-packages.ts'

const harness = await shareStack()
const { sql } = harness.context
const { stripe } = harness.sims
afterAll(() => stripe.do('webhooks', { drop: 0 }))

async function paid(drop: number): Promise<string> {
  const { id } = await harness.buy(await harness.signUp(), { pay: false, packageCode: testPackages.onlyEsimAccess })
  await stripe.do('webhooks', { drop })
  await stripe.do('pay', { orderId: id })
  return id
}

/** What earlier sweeps have recorded would look as if a webhook had come: no real sweep reads it as new again. */
const forget = () => sql`delete from webhook_events`

/** The payment sweep in an hour, after one that was made half an hour ago. */
async function sweep(): Promise<void> {
  await sql`insert into payment_sweeps (part, read_until, done_at)
    values ('events', now() - interval '30 minutes', now() - interval '30 minutes')
    on conflict (part) do update set read_until = excluded.read_until`
  await runLater<PaymentSweepReport>(harness.stack, paymentSweepType, 1 / 24)
}

const tasks = () => sql`select subject_id, resolved_by from attention where kind = 'webhooks_missing'`

test('webhooks that do not come are an operator task, which the first one that comes closes', async () => {
  const one = await paid(1_000)
  await sweep()
  // A single event may be lost by accident.
  expect(await tasks()).toEqual([])
  await forget()
  const others = [await paid(1_000), await paid(1_000), await paid(1_000)]
  await sweep()
  expect(await tasks()).toEqual([{ subject_id: 'stripe', resolved_by: null }])
  for (const id of [one, ...others]) await harness.untilOrder(id, 'delivered')
  await forget()
  await harness.untilOrder(await paid(0), 'delivered')
  await sweep()
  expect(await tasks()).toEqual([{ subject_id: 'stripe', resolved_by: 'webhook' }])
})
