/** More orders may be overdue than are reported: what is not reported is not settled. */
import { randomUUID } from 'node:crypto'
import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, test } from 'vitest'
import { createHousekeepingActivities } from '../../../activities/housekeeping/housekeeping.ts'
import { plusDays } from '../../../shared/calendar.ts'
import { plainOrder } from '../../erasure/plain-order.ts'
import { shareStack } from '../../harness/harness.ts'

// The orders here are rows alone: no run, payment or invoice belongs to them.
const harness = await shareStack({ books: false })
const { sql } = harness.context
const reported = 500

test('an overdue order keeps its task when more orders are overdue than are reported', async () => {
  const { reportOverdue } = createHousekeepingActivities({ ...harness.context, temporal: harness.temporal })
  const report = () => new MockActivityEnvironment().run(reportOverdue, { asOf: new Date().toISOString() })
  const { accountId } = await harness.signUp()
  const overdue = (days: number) => ({
    ...plainOrder({ id: randomUUID(), accountId, at: plusDays(new Date(), -days) }),
    status: 'awaiting_payment',
  })
  const latest = overdue(1)
  const tasks = () => sql`select from attention where subject_id = ${latest.id} and resolved_at is null`
  await sql`insert into orders ${sql(latest)}`
  await report()
  expect(await tasks()).toHaveLength(1)
  await sql`insert into orders ${sql(Array.from({ length: reported }, () => overdue(2)))}`
  expect(await report()).toMatchObject({ orders: reported })
  expect(await tasks()).toHaveLength(1)
  await sql`update orders set status = 'unpaid', ended_at = now() where account_id = ${accountId}`
  await report()
  expect(await tasks()).toHaveLength(0)
})
