/** An operator learns which outside party is down, since when and how many orders wait, and when it is over. */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createContext } from '../../context.ts'
import type { OutsideParties } from '../../db/connection/schema.ts'
import { createCallReports } from '../../db/operation/call-reports.ts'
import { createMetrics } from '../../shared/metrics.ts'
import { createSurfer } from '../harness/browser.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

// A run of it is wedged on purpose.
const harness = await shareStack({ replay: false })
const { sql } = harness.context

const outages = async () => expectStatus(await harness.operator.get('/v1/outages'), 200).items
const outageOf = async (party: string) => (await outages()).find((each: { party: string }) => each.party === party)
const stateOf = async (party: string) =>
  (await sql<OutsideParties[]>`select * from outside_parties where party = ${party}`)[0]

async function tasksAbout(subjectId: string, state: 'open' | 'closed') {
  const { items } = expectStatus(await harness.operator.get(`/v1/operator-tasks?state=${state}&limit=200`), 200)
  return items.filter((task: { subjectId: string }) => task.subjectId === subjectId)
}

async function gauge(name: string): Promise<number | undefined> {
  const { text } = await harness.operator.get('/metrics')
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return line === undefined ? undefined : Number(line.split(' ').at(-1))
}

/** The first call failed six minutes ago; the next one that fails makes it an outage. */
async function failingForLong(party: string): Promise<void> {
  await until(`a call to ${party} has failed`, async () => (await stateOf(party))?.failing_since)
  await sql`update outside_parties set failing_since = failing_since - interval '6 minutes' where party = ${party}`
}

async function openConsole() {
  const surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
  return (await surfer.open('/console')).html
}

test('an outage of both eSIM providers is shown with the orders that wait, and closed when they answer', async () => {
  const { esimAccess, airalo } = harness.sims
  await esimAccess.fault({ match: { path: '/esim/order' }, status: 503, times: 1_000 })
  await esimAccess.fault({ match: { path: '/esim/query' }, status: 503, times: 1_000 })
  await airalo.fault({ match: { path: '.*' }, cut: 'before', times: 1_000 })
  const person = await harness.signUp()
  const one = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, until: 'provisioning' })
  const other = await harness.buy(person, { packageCode: testPackages.onlyAiralo, until: 'provisioning' })

  const both = ['esim-access', 'airalo']
  for (const party of both) {
    await until(`a call to ${party} has failed`, async () => (await stateOf(party))?.failing_since)
    expect(await outageOf(party)).toBeUndefined()
    await failingForLong(party)
  }
  for (const party of both) {
    const outage = await until(`${party} is down`, () => outageOf(party))
    expect(outage.ordersWaiting).toBe(1)
    expect(Date.now() - Date.parse(outage.since)).toBeGreaterThan(300_000)
    const [task] = await tasksAbout(party, 'open')
    expect(task).toMatchObject({ kind: 'outage', urgency: 'now', detail: outage.code })
    expect(task.ageSeconds).toBeGreaterThan(300)
    await until(
      'the task says how many orders wait',
      async () => (await tasksAbout(party, 'open'))[0]?.attributes?.ordersWaiting === 1,
      { timeoutMs: 40_000 },
    )
    await until('the metric says so', async () => ((await gauge(`ama_outage_seconds{party="${party}"}`)) ?? 0) > 300)
    expect(await gauge(`ama_outage_orders_waiting{party="${party}"}`)).toBe(1)
  }
  expect(await gauge('ama_outage_seconds{party="stripe"}')).toBe(0)
  const html = await openConsole()
  expect(html).toContain('Both eSIM providers are down')
  expect(html).toContain('http_503')

  await Promise.all([esimAccess.clearFaults(), airalo.clearFaults()])
  await harness.untilOrder(one.id, 'delivered')
  await harness.untilOrder(other.id, 'delivered')
  for (const party of both) {
    await until(`${party} is back`, async () => (await outageOf(party)) === undefined)
    expect(await tasksAbout(party, 'open')).toEqual([])
    const [closed] = await tasksAbout(party, 'closed')
    expect(closed).toMatchObject({ kind: 'outage', closedBy: 'recovered' })
    expect(closed.detail).toMatch(/, lasted [67] min$/)
    await until('the metric is back', async () => (await gauge(`ama_outage_seconds{party="${party}"}`)) === 0)
  }
  expect(await openConsole()).not.toContain('Both eSIM providers are down')
  expect(harness.logLines.join('\n')).toContain('an outside party answers again')
})

test('a provider that refuses one order is not down', async () => {
  const soldOut = { success: false, errorCode: '200011', errorMsg: 'sold out', obj: null }
  await harness.sims.esimAccess.fault({ match: { path: '/esim/order$' }, status: 200, body: soldOut, times: 1 })
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, until: 'provisioning' })
  await harness.untilOrder(id, ['refunding', 'refunded', 'delivered'])
  expect((await stateOf('esim-access'))?.failing_since).toBeNull()
})

test('an answer in another process ends an outage that a process which died had seen', async () => {
  const dead = createCallReports(harness.context)
  const failed = async () => {
    dead.failed('apple', 'timed_out')
    await dead.idle()
  }
  await failed()
  await failingForLong('apple')
  await until('it is down', async () => {
    await failed()
    return outageOf('apple')
  })
  const context = createContext(harness.config, { name: 'another process' })
  try {
    await expect(context.apple.exchangeCode(randomUUID(), harness.config.APPLE_CLIENT_IDS[0] ?? '')).rejects.toThrow()
  } finally {
    await context.close()
  }
  expect(await outageOf('apple')).toBeUndefined()
  expect((await tasksAbout('apple', 'closed'))[0]).toMatchObject({ closedBy: 'recovered' })
})

test('an outage of a party that nobody calls any more is closed after two hours', async () => {
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000)
  const meta = { party: 'meta', failing_since: hoursAgo(5), down_since: hoursAgo(5), code: 'http_500' }
  await sql`insert into outside_parties ${sql({ ...meta, last_failed_at: hoursAgo(1) })}
    on conflict (party) do update set failing_since = excluded.failing_since, down_since = excluded.down_since,
      last_failed_at = excluded.last_failed_at, code = excluded.code`
  expect(await outageOf('meta')).toMatchObject({ code: 'http_500', ordersWaiting: null })
  await sql`update outside_parties set last_failed_at = ${hoursAgo(3)} where party = 'meta'`
  await until('it is closed', async () => (await outageOf('meta')) === undefined)
})

test('a run whose workflow task fails is an operator task with its type, until it goes on or ends', async () => {
  const run = await harness.temporal.workflow.start('noSuchWorkflow', {
    taskQueue: harness.config.TEMPORAL_TASK_QUEUE,
    workflowId: `unknown-${randomUUID()}`,
  })
  const runId = run.firstExecutionRunId
  const task = await until('it is a task', async () => (await tasksAbout(runId, 'open'))[0])
  expect(task).toMatchObject({ kind: 'run_wedged', urgency: 'now' })
  expect(task.detail).toMatch(/^noSuchWorkflow: .*WorkflowTaskFailed/)
  const { items } = expectStatus(await harness.operator.get('/v1/wedged-runs'), 200)
  expect(items).toContainEqual(expect.objectContaining({ runId, workflowId: run.workflowId, type: 'noSuchWorkflow' }))
  const html = await openConsole()
  expect(html).toContain('Wedged runs (1)')
  expect(html).toContain(runId)
  await run.terminate('seen')
  await until('the task is closed', async () => (await tasksAbout(runId, 'closed'))[0]?.closedBy === 'moved_on')
})

test('a party that makes up another code for each answer makes no more series of metrics than so many', async () => {
  const metrics = createMetrics()
  const calls = createCallReports({ sql, log: harness.context.log, metrics })
  for (let each = 0; each < 60; each += 1) await calls.needsOperator({ provider: 'airalo', code: `made_up_${each}` })
  const text = await metrics.registry.getSingleMetricAsString('ama_provider_misconfigured_total')
  expect(text.match(/^ama_provider_misconfigured_total\{/gm)).toHaveLength(51)
  expect(text).toContain('code="other"} 10')
  await sql`delete from attention where kind = 'provider_misconfigured'`
})
