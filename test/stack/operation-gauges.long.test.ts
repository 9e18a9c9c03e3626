/** The figures that operators need at once are on /metrics, where the alerts of ops/alerts.yml read them. */
import { expect, test } from 'vitest'
import { recordStore } from '../../db/backup/backup-store.ts'
import { readOperationFigures } from '../../db/evidence/operation.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../../db/operator-tasks.ts'
import { recordReading } from '../../db/reconciliation/balances.ts'
import { openHarness } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

// A run of it is wedged on purpose.
const harness = await openHarness({ replay: false })
const { sql } = harness.context

async function gauge(name: string): Promise<number | undefined> {
  const { text } = await harness.operator.get('/metrics')
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return line === undefined ? undefined : Number(line.split(' ').at(-1))
}

test('a run whose workflow task fails is counted, by what Temporal reports, until it goes on or ends', async () => {
  expect(await gauge('ama_wedged_runs')).toBe(0)
  const run = await harness.temporal.workflow.start('noSuchWorkflow', {
    taskQueue: harness.config.TEMPORAL_TASK_QUEUE,
    workflowId: 'a-run-that-no-build-knows',
  })
  await until('it is counted', async () => (await gauge('ama_wedged_runs')) === 1)
  await run.terminate('seen')
  await until('it is not counted any more', async () => (await gauge('ama_wedged_runs')) === 0)
})

test('an order that waits for its providers is counted, with the time since its payment or approval', async () => {
  await harness.sims.esimAccess.fault({ match: { path: '/esim/order' }, status: 503, times: 1_000 })
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, until: 'provisioning' })
  await until('it is counted', async () => (await gauge('ama_orders_waiting_for_esims')) === 1)
  // It may have been held for a day before it was approved: nobody has waited for the provider then.
  await sql`update orders set paid_at = paid_at - interval '5 hours' where id = ${id}`
  expect((await readOperationFigures(sql, new Date())).waitingOrders.oldestSeconds).toBeLessThan(600)
  await sql`update orders set deliver_by = deliver_by - interval '11 minutes' where id = ${id}`
  await until('its age is known', async () => ((await gauge('ama_orders_waiting_oldest_seconds')) ?? 0) > 600)
  // A payment that we hear of late has an hour that began with it.
  await sql`update orders set paid_at = now(), deliver_by = now() + interval '10 minutes' where id = ${id}`
  expect((await readOperationFigures(sql, new Date())).waitingOrders.oldestSeconds).toBeLessThan(600)
  await harness.sims.esimAccess.clearFaults()
  await harness.untilOrder(id, 'delivered')
  await until('it is not counted any more', async () => (await gauge('ama_orders_waiting_for_esims')) === 0)
})

test('an open operator task is counted by its kind, with its age', async () => {
  const task = { kind: 'refund_failed', subjectId: 'a subject' }
  const hourAgo = new Date(Date.now() - 3_600_000)
  await raiseOperatorTask(sql, { ...task, at: hourAgo })
  await until('it is counted', async () => (await gauge('ama_operator_tasks_open{kind="refund_failed"}')) === 1)
  expect(await gauge('ama_operator_task_oldest_seconds{kind="refund_failed"}')).toBeGreaterThanOrEqual(3_600)
  await resolveOperatorTask(sql, { ...task, by: 'test', at: new Date() })
  await until('it is gone', async () => (await gauge('ama_operator_tasks_open{kind="refund_failed"}')) === undefined)
})

test('the age of the newest backup counts since the first account while there is none', async () => {
  await harness.signUp()
  await sql`update accounts set created_at = now() - interval '2 days'`
  await until('it is overdue', async () => ((await gauge('ama_backup_age_seconds')) ?? 0) > 129_600)
  // The catalogue says so, but nobody has seen the file.
  await sql`insert into backups (id, state, started_at) values ('b', 'kept', now())`
  await recordStore(sql, [], new Date())
  expect(await gauge('ama_backup_age_seconds')).toBeGreaterThan(129_600)
  await recordStore(sql, [{ at: new Date(), bytes: 1 }], new Date())
  await until('it is new', async () => ((await gauge('ama_backup_age_seconds')) ?? 1_000) < 600)
})

test('the age of the comparison of the books counts since the first account, and then since the comparison', async () => {
  await harness.signUp()
  await sql`update accounts set created_at = now() - interval '2 days'`
  await until('it is overdue', async () => ((await gauge('ama_reconciliation_age_seconds')) ?? 0) > 129_600)
  expectStatus(await harness.operator.post('/v1/reconciliations'), 202)
  await until('it is new', async () => ((await gauge('ama_reconciliation_age_seconds')) ?? 1_000_000) < 600)
})

test('the balance at a provider lasts for so many days at the recent rate of spending', async () => {
  const reading = { provider: 'airalo', currency: 'USD' }
  const ago = (days: number) => new Date(Date.now() - days * 86_400_000)
  // Money that was spent more than a week ago is no recent rate.
  await recordReading(sql, { ...reading, readAt: ago(20), balanceMicros: 100, spentMicros: 0 })
  await recordReading(sql, { ...reading, readAt: ago(2), balanceMicros: 90, spentMicros: 1_000 })
  await recordReading(sql, { ...reading, readAt: ago(0), balanceMicros: 50, spentMicros: 1_040 })
  await until('it is known', async () => (await gauge('ama_provider_balance_days_left{provider="airalo"}')) === 2.5)
})
