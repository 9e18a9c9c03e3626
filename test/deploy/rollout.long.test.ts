/** Builds come and go under runs that live longer than any of them. */
import { afterAll, describe, expect, test } from 'vitest'
import { promote, Refusal, type Rollout, ramp, rollBack, start, status } from '../../cli/deploy/rollout.ts'
import { plusDays, startOfDay } from '../../shared/calendar.ts'
import { fastForward, workflowNow } from '../../temporal/time-skipping.ts'
import { describeRouting } from '../../temporal/worker-deployment.ts'
import { ownsSchedules } from '../../worker/deployment.ts'
import type { RunningWorker } from '../../worker/run-worker.ts'
import { catalogueSyncType } from '../../workflows/catalogue/catalogue-sync.contract.ts'
import { orderWorkflowId, providerSignal } from '../../workflows/order/order.contract.ts'
import { policyNoticeWorkflowId } from '../../workflows/policy-notice.contract.ts'
import {
  holdSignal,
  invoiceRetentionType,
  invoiceRetentionWorkflowId,
} from '../../workflows/retention/invoice-retention.contract.ts'
import { always } from '../harness/checks/placements.ts'
import { deleteAccount } from '../harness/deletions.ts'
import { openHarness } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { startProgram } from '../harness/processes.ts'
import { seededBytes, seededUuid } from '../harness/seed.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'
import type { Mutation } from '../mutations/mutation.ts'
import { runSteps } from '../replay/scenario.ts'
import { type Build, createBuild, lastBuildOf } from './builds.ts'

// Its runs were begun by builds with mutations, which the code as it is does not repeat.
const harness = await openHarness({
  workers: 0,
  replay: false,
  settings: { PAYLOAD_KEYS: `p1:${seededBytes(32).toString('base64')}` },
})
const { sql } = harness.context

const workers: RunningWorker[] = []
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()))
})

const look: Mutation = { workflow: 'order', activity: 'refreshEsims', fault: 'delayed', patch: 'test-look' }
const unpatched: Mutation = { workflow: 'order', activity: 'refreshEsims', fault: 'delayed' }
const endRunsLater: Mutation = {
  workflow: 'accountDeletion',
  activity: 'endRuns',
  fault: 'delayed',
  patch: 'test-end-runs',
}
const nextStep: Mutation = {
  workflow: 'policyNotice',
  activity: 'nextPolicyStep',
  fault: 'delayed',
  patch: 'test-step',
}
const sickness: Mutation = { workflow: 'order', activity: 'recordDelivery', fault: 'broken', message: 'sick' }

const shortWatch = { watchMs: 1_000, onInterruption: () => new AbortController().signal, say: () => undefined }

async function started(build: Build): Promise<RunningWorker> {
  const worker = await build.startWorker()
  workers.push(worker)
  await start(build.rollout, 20_000)
  return worker
}

async function refused(step: Promise<unknown>): Promise<string> {
  const error = await step.then(
    () => new Error('it was not refused'),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof Refusal)) throw error
  return error.message
}

const { untilClosed, untilIt, start: startRun } = runSteps(harness)
let months = 0

/** An order, a deletion, a notice and a month of the books, begun on the current build and open. */
async function openRuns() {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  const leaving = await harness.signUp()
  await harness.buy(leaving, { pay: false })
  const deletion = await deleteAccount(harness.stack, leaving)
  await deletion.until('mail', 'done')
  const version = `v-${seededUuid().slice(0, 8)}`
  const draft = {
    version,
    title: 'Privacy policy',
    text: 'As before.',
    changes: ['One thing less.'],
    effectiveAt: plusDays(startOfDay(new Date()), 33).toISOString(),
    material: true,
  }
  expectStatus(await harness.operator.post('/v1/policies', draft), 201)
  const notice = await untilIt(policyNoticeWorkflowId(version), 'waiting')
  months += 1
  const month = `2026-0${months}`
  await sql`
    insert into order_facts (id, paid_on, package_name, destination, quantity, gross_minor, currency, outcome)
    values (${seededUuid()}, ${`${month}-15`}, 'Package', 'DE', 1, 500, 'EUR', 'delivered')`
  const books = await startRun(invoiceRetentionType, [{ month }], invoiceRetentionWorkflowId(month))
  await untilIt(books, 'keeping')
  return { order, orderRun: orderWorkflowId(order.id), deletion, notice, books }
}

const builds = {
  first: await createBuild(harness, 'first'),
  second: await createBuild(harness, 'second', [look]),
  third: await createBuild(harness, 'third', [look, endRunsLater, nextStep]),
}

describe.sequential('builds after one another', () => {
  const runs: Awaited<ReturnType<typeof openRuns>>[] = []
  let pinnedRun: string

  test('a build without a worker is refused, and one that is started gets no work before it is promoted', async () => {
    const { first } = builds
    expect(await refused(promote(first.rollout, shortWatch))).toContain(`No worker of build ${first.id} polls`)
    await started(first)
    expect(await describeRouting(first.rollout)).toMatchObject({ current: undefined, builds: [{ status: 'inactive' }] })
    await promote(first.rollout, shortWatch)
    expect(await describeRouting(first.rollout)).toMatchObject({ current: first.id })
    runs.push(await openRuns())
    expect(await lastBuildOf(harness, runs[0]?.orderRun ?? '')).toBe(first.id)
  }, 120_000)

  test('only the current build says what the schedules are', async () => {
    const as = (buildId?: string) => ownsSchedules(harness.temporal, { ...harness.config, WORKER_BUILD_ID: buildId })
    expect(await as(builds.first.id)).toBe(true)
    expect(await as(builds.second.id)).toBe(false)
    expect(await as()).toBe(true)
  })

  test('a build that cannot replay is refused, by the name of the run', async () => {
    const faulty = await createBuild(harness, 'faulty', [unpatched], { kept: true })
    await started(faulty)
    const { orderRun } = runs[0] ?? { orderRun: '' }
    await harness.temporal.workflow.getHandle(orderRun).signal(providerSignal)
    await until('the order has looked', async () => !(await pendingTask(orderRun)))
    for (const step of [ramp, (rollout: Rollout) => promote(rollout, shortWatch)]) {
      const why = await refused(step(faulty.rollout, 10, shortWatch))
      expect(why).toContain(`${orderRun} (order): `)
      expect(why).toMatch(/order-[a-z-]+\.1 \(kept\): /)
      expect(why).toMatch(/non-?determinis/i)
    }
    expect(await describeRouting(faulty.rollout)).toMatchObject({ current: builds.first.id, ramping: undefined })
  }, 120_000)

  test('a second and a third build go on with what the first began; a pinned run stays', async () => {
    const { first, second, third } = builds
    const before = runs[0]
    if (!before) throw new Error('no runs')
    await fastForward(harness.temporal, before.orderRun, '200 days')

    await started(second)
    await ramp(second.rollout, 10, shortWatch)
    expect(await describeRouting(second.rollout)).toMatchObject({ ramping: { buildId: second.id, percent: 10 } })
    await promote(second.rollout, shortWatch)
    expect(await describeRouting(second.rollout)).toMatchObject({ current: second.id, ramping: undefined })
    // There is one notice at a time.
    await untilClosed(await forward(before.notice, '34 days'))
    await harness.temporal.workflow.getHandle(before.orderRun).signal(providerSignal)
    await until('the order goes on on the second build', async () => {
      return (await lastBuildOf(harness, before.orderRun)) === second.id
    })
    await fastForward(harness.temporal, before.orderRun, '150 days')
    runs.push(await openRuns())
    await harness.sims.airalo.fault({ match: { path: '/v2/packages' }, times: always, status: 503 })
    pinnedRun = await untilIt(await startRun(catalogueSyncType), 'asking_again')

    await started(third)
    await promote(third.rollout, shortWatch)
    await untilClosed(await forward(runs[1]?.notice ?? '', '34 days'))
    runs.push(await openRuns())
    expect(first.said.concat(second.said, third.said)).toContain(
      `Leave the workers of build ${second.id} running until npm run deploy -- retire says that they may go.`,
    )
  }, 240_000)

  test('open runs all end on the newest build, also one that is 400 days old', async () => {
    const { second, third } = builds
    const [before] = runs
    if (!before) throw new Error('no runs')
    await fastForward(harness.temporal, before.orderRun, '50 days')
    const age = (await workflowNow(harness.temporal, before.orderRun)).getTime() - Date.now()
    expect(age).toBeGreaterThanOrEqual(399.9 * 86_400_000)
    await harness.sims.stripe.do('clock', { advanceSeconds: 92 * 86_400 })
    for (const { order, orderRun, deletion, notice, books } of runs) {
      await harness.sims.esimAccess.do('expire', { iccid: order.esims[0].iccid })
      await fastForward(harness.temporal, orderRun, '2 days')
      await untilClosed(orderRun)
      await deletion.fastForward('92 days')
      await untilClosed(deletion.workflowId)
      await harness.temporal.workflow.getHandle(books).signal(holdSignal)
      await until('the books have looked', async () => (await lastBuildOf(harness, books)) === third.id)
      if (notice === runs[2]?.notice) await untilClosed(await forward(notice, '34 days'))
      for (const run of [orderRun, deletion.workflowId])
        expect([run, await lastBuildOf(harness, run)]).toEqual([run, third.id])
    }
    const noticesEnded = await Promise.all(runs.map(({ notice }) => lastBuildOf(harness, notice)))
    expect(noticesEnded).toEqual([second.id, third.id, third.id])
    await untilClosed(await forward(pinnedRun, '1 hour'))
    expect(await lastBuildOf(harness, pinnedRun)).toBe(second.id)
    await harness.sims.airalo.reset()
    await sql`delete from order_facts where package_name = 'Package' and paid_on < '2026-05-01'`
  }, 240_000)

  test('roll back to a build that does not know a patch in use is refused by its own check', async () => {
    const { second, third } = builds
    const person = await harness.signUp()
    const deletion = await deleteAccount(harness.stack, person)
    await deletion.until('mail', 'done')
    const why = await refused(rollBack(second.rollout, { anyway: false }))
    expect(why).toContain(`${deletion.workflowId} (accountDeletion): `)
    expect(await describeRouting(third.rollout)).toMatchObject({ current: third.id })

    const next = await createBuild(harness, 'next', [look, endRunsLater, nextStep])
    await started(next)
    await promote(next.rollout, shortWatch)
    await rollBack(third.rollout, { anyway: false })
    expect(await describeRouting(third.rollout)).toMatchObject({ current: third.id })
  }, 120_000)

  test('a build whose patch is dormant begins no run that the build before would not replay', async () => {
    const { second, third } = builds
    const dormant = await createBuild(harness, 'dormant', [look, endRunsLater, nextStep])
    workers.push(await dormant.startWorker({ dormantPatches: ['test-end-runs'] }))
    await start(dormant.rollout, 20_000)
    await promote(dormant.rollout, shortWatch)
    const deletion = await deleteAccount(harness.stack, await harness.signUp())
    await deletion.until('mail', 'done')
    expect(await lastBuildOf(harness, deletion.workflowId)).toBe(dormant.id)
    expect(await refused(rollBack(second.rollout, { to: second.id, anyway: false }))).not.toContain(deletion.workflowId)
    await rollBack(third.rollout, { to: third.id, anyway: false })
  }, 120_000)
})

describe.sequential('a build that fails under its ramp', () => {
  test('is rolled back by itself, and no order is late', async () => {
    const { third } = builds
    const sick = await createBuild(harness, 'sick', [look, endRunsLater, nextStep, sickness])
    await started(sick)
    const orders: string[] = []
    let why: string | undefined
    const ramped = refused(ramp(sick.rollout, 10, { ...shortWatch, watchMs: 300_000 })).then((reason) => {
      why = reason
      return Date.now()
    })
    ramped.catch(() => undefined)
    while (why === undefined) {
      // Somebody who buys much is looked at by an operator first.
      const order = await harness.buy(await harness.signUp(), { packageCode: testPackages.onlyEsimAccess, pay: false })
      await harness.sims.stripe.do('pay', { orderId: order.id })
      orders.push(order.id)
    }
    const takenBackAt = await ramped
    expect(why).toMatch(
      /^The ramp of build sick-\w+ was taken back:\n {2}workflow tasks of order-[\w-]+ \(order\) fail: sick/,
    )
    expect(why).toContain(`Build ${third.id} goes on.`)
    expect(await describeRouting(sick.rollout)).toMatchObject({ current: third.id, ramping: undefined })

    for (const orderId of orders) await harness.untilOrder(orderId, 'delivered', { timeoutMs: 60_000 })
    expect(await sql`select 1 from sends where kind like '%delayed'`).toEqual([])
    const firstFailure = Math.min(...(await Promise.all(orders.map((id) => failedAt(orderWorkflowId(id))))))
    expect(takenBackAt - firstFailure).toBeLessThan(60_000)
    await until('no run is reported any more', async () => {
      third.said.length = 0
      await status(third.rollout)
      return !third.said.some((line) => line.includes('fail on'))
    })
  }, 300_000)

  test('a build whose workers are gone is rolled back, too', async () => {
    const { third } = builds
    const gone = await createBuild(harness, 'gone', [look, endRunsLater, nextStep])
    const worker = await started(gone)
    const person = await harness.signUp()
    await worker.stop()
    const ramped = refused(ramp(gone.rollout, 100, { ...shortWatch, watchMs: 120_000, waitsAtMostMs: 1_000 }))
    ramped.catch(() => undefined)
    await until('it is ramping', async () => (await describeRouting(gone.rollout)).ramping)
    const order = harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
    expect(await ramped).toMatch(/tasks have been waiting for its workers for \d+ s/)
    expect(await describeRouting(gone.rollout)).toMatchObject({ current: third.id, ramping: undefined })
    await order
  }, 180_000)

  test('a ramp whose watch is interrupted is taken back', async () => {
    const { third } = builds
    const left = await createBuild(harness, 'left', [look, endRunsLater, nextStep])
    await started(left)
    const interrupted = new AbortController()
    const ramped = refused(
      ramp(left.rollout, 5, { ...shortWatch, watchMs: 120_000, onInterruption: () => interrupted.signal }),
    )
    ramped.catch(() => undefined)
    await until('it is ramping', async () => (await describeRouting(left.rollout)).ramping)
    interrupted.abort()
    expect(await ramped).toContain('it was interrupted')
    expect(await describeRouting(left.rollout)).toMatchObject({ current: third.id, ramping: undefined })
  }, 120_000)
})

describe.sequential('npm run deploy', () => {
  const deploy = async (args: string[], env = harness.settings) => {
    const program = startProgram(process.execPath, ['--import', 'tsx', 'cli/deploy.ts', ...args], env)
    const { code } = await program.ended
    return { code, output: program.output() }
  }

  test('says how it is called, and what is missing', async () => {
    expect(await deploy(['ramp', '--percent', 'some'])).toMatchObject({
      code: 2,
      output: expect.stringContaining('ramp --percent <1-100>'),
    })
    const unset = await deploy(['check'], { NODE_ENV: 'production' })
    expect(unset.code).toBe(1)
    expect(unset.output).toMatch(/^ +TEMPORAL_ADDRESS: missing/m)
    expect(await deploy(['promote'])).toMatchObject({
      code: 1,
      output: expect.stringContaining('WORKER_BUILD_ID: missing'),
    })
  }, 120_000)

  test('status names the builds, check replays', async () => {
    const { code, output } = await deploy(['status'])
    expect(output).toMatch(new RegExp(`^${builds.third.id}\\tcurrent\\tworkers poll$`, 'm'))
    expect(code).toBe(0)
    // The open runs are those of builds with mutations; without them, the code as it is repeats what is kept.
    const open: string[] = []
    for await (const { workflowId } of harness.temporal.workflow.list({ query: "ExecutionStatus = 'Running'" })) {
      open.push('--except', workflowId)
    }
    expect(await deploy(['check', ...open])).toMatchObject({
      code: 0,
      output: expect.stringMatching(/Replaying \d+ kept histories and 0 of 0 open runs\.\nAll \d+ histories replay\./),
    })
  }, 120_000)
})

async function forward(workflowId: string, duration: '34 days' | '1 hour'): Promise<string> {
  await fastForward(harness.temporal, workflowId, duration)
  return workflowId
}

async function pendingTask(workflowId: string): Promise<unknown> {
  return (await harness.temporal.workflow.getHandle(workflowId).describe()).raw.pendingWorkflowTask
}

/** When its first workflow task failed; never is infinitely late. */
async function failedAt(workflowId: string): Promise<number> {
  const { events } = await harness.temporal.workflow.getHandle(workflowId).fetchHistory()
  const failed = events?.find((event) => event.workflowTaskFailedEventAttributes)
  return failed ? Number(failed.eventTime?.seconds ?? 0) * 1_000 : Number.POSITIVE_INFINITY
}
