/**
 * U2 and U6: paid means delivered or refunded, and accounting and tax duties are met. After weeks without webhooks and
 * comparisons, what has happened meanwhile is found: Stripe keeps its events for 30 days.
 */
import { beforeEach, expect, test } from 'vitest'
import type { Disputes } from '../../db/connection/schema.ts'
import { upsertDispute } from '../../db/order/disputes.ts'
import { milliseconds } from '../../policy/periods.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import {
  type ReconciliationReport,
  reconciliationType,
} from '../../workflows/reconciliation/reconciliation.contract.ts'
import { shareStack } from '../harness/harness.ts'
import { runLater } from '../harness/temporal/run-later.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack()
const { stripe } = harness.sims
const { sql } = harness.context

let today = 0
/** The comparison of a day, at Stripe and here. */
async function reconcile(inDays: number): Promise<ReconciliationReport> {
  today += inDays
  await stripe.do('clock', { advanceSeconds: (inDays * milliseconds.day) / 1_000 })
  return runLater<ReconciliationReport>(harness.stack, reconciliationType, today)
}

/** A dispute of whose events nobody has heard. */
async function unheardOf() {
  const { id } = await harness.buy(await harness.signUp(), { packageCode: testPackages.onlyEsimAccess })
  await stripe.do('webhooks', { drop: 1_000 })
  const { dispute } = await stripe.do('open-dispute', { orderId: id })
  return { id, dispute }
}

beforeEach(async () => {
  await stripe.do('webhooks', { drop: 0 })
})

test('the decision of a bank that took two months, and of which no event has come, is found', {
  tags: 'long',
}, async () => {
  const { id, dispute } = await unheardOf()
  // Its run would ask Stripe again.
  await harness.temporal.workflow.getHandle(orderWorkflowId(id)).terminate('by mistake')
  const open = await harness.context.stripe.getDispute(dispute)
  await upsertDispute(sql, id, open, new Date())
  expect((await reconcile(1)).unexplained).toEqual({})
  // Each night is compared.
  expect((await reconcile(36)).failed).toEqual([])
  await stripe.do('close-dispute', { dispute, outcome: 'won' })
  await stripe.do('webhooks', { drop: 0 })
  expect((await reconcile(24)).unexplained).toMatchObject({ dispute_state_differs: 1 })
  await until('its run has read it', async () => {
    const [row] = await sql<Pick<Disputes, 'state'>[]>`select state from disputes where stripe_dispute_id = ${dispute}`
    return row?.state === 'won'
  })
  expect((await reconcile(1)).unexplained.dispute_state_differs).toBeUndefined()
})

test('what happens in the first days of a silence of more than five weeks is compared at its end', async () => {
  expect((await reconcile(1)).failed).toEqual([])
  const { dispute } = await unheardOf()
  await stripe.do('webhooks', { drop: 0 })
  expect((await reconcile(40)).unexplained).toMatchObject({ dispute_unknown: 1 })
  const [task] = await sql<{ detail: string }[]>`
    select detail from attention where kind = 'dispute_unknown' and resolved_at is null`
  expect(task?.detail).toContain(dispute)
})
