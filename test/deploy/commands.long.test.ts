/**
 * `npm run deploy` as a program: each command that changes something, with its options, from a build's start to its
 * end.
 */
import { ScheduleNotFoundError } from '@temporalio/client'
import { afterAll, describe, expect, test } from 'vitest'
import { describeRouting, isPolled } from '../../temporal/worker-deployment.ts'
import type { RunningWorker } from '../../worker/run-worker.ts'
import { scheduleIds } from '../../worker/schedules.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { openHarness } from '../harness/harness.ts'
import { type Program, startProgram } from '../harness/processes.ts'
import { seededBytes } from '../harness/seed.ts'
import { until } from '../harness/until.ts'
import { type Build, createBuild, soonDrained } from './builds.ts'

// The first build has a mutation, whose runs the code as it is does not repeat.
const harness = await openHarness({
  workers: 0,
  replay: false,
  dynamicConfig: soonDrained,
  settings: { PAYLOAD_KEYS: `p1:${seededBytes(32).toString('base64')}` },
})
const { schedule } = harness.temporal

const workers = new Map<string, RunningWorker>()
afterAll(async () => {
  await Promise.all([...workers.values()].map((worker) => worker.stop()))
})

const first = await createBuild(harness, 'first', [{ workflow: 'order', activity: 'openCheckout', fault: 'delayed' }])
const second = await createBuild(harness, 'second')

/** Starts the command in the image of a build, as it were: with the code as it is, and the build's id. */
const startDeploy = ({ id }: Build, ...args: string[]): Program =>
  startProgram(process.execPath, ['--import', 'tsx', 'cli/deploy.ts', ...args], {
    ...harness.settings,
    WORKER_BUILD_ID: id,
  })

async function deploy(build: Build, ...args: string[]) {
  const program = startDeploy(build, ...args)
  const { code } = await program.ended
  return { code, output: program.output() }
}

const routing = () => describeRouting(first.rollout)
const [deletedSchedule = ''] = scheduleIds
const thatSchedule = () => schedule.getHandle(deletedSchedule).describe()

describe.sequential('npm run deploy', () => {
  /** an order of the first build, which the second one does not repeat */
  let run = ''
  const unrepeated = () => new RegExp(`^ +${run} \\(order\\): .*non-?determinis`, 'im')

  test('start waits as long as it is told to, or until workers of its build poll', async () => {
    expect(await deploy(first, 'start', '--wait', '1s')).toEqual({
      code: 1,
      output: expect.stringContaining(`No worker of build ${first.id} polls.`),
    })
    const waiting = startDeploy(first, 'start', '--wait', '2m')
    await waiting.untilWritten(/Waiting for a worker of build/)
    workers.set(first.id, await first.startWorker())
    expect(await waiting.ended).toEqual({ code: 0, signal: null })
    expect(waiting.output()).toContain(`Workers of build ${first.id} poll. It gets no work yet.`)
    // Without --wait the first command would have waited for two minutes.
  }, 110_000)

  test('promote sends all of the work to its build, watches it, and writes its schedules', async () => {
    await expect(thatSchedule()).rejects.toThrow(ScheduleNotFoundError)
    expect(await deploy(first, 'promote', '--watch', '1s')).toEqual({
      code: 0,
      output: expect.stringContaining(`Build ${first.id} is current. Watching it for 1 s.`),
    })
    expect(await routing()).toMatchObject({ current: first.id, ramping: undefined })
    // Otherwise scheduled runs could begin during the tests.
    for (const id of scheduleIds) await schedule.getHandle(id).pause()

    const order = await harness.buy(await harness.signUp(), { pay: false })
    run = orderWorkflowId(order.id)
    workers.set(second.id, await second.startWorker())
  }, 180_000)

  test('ramp is refused while an open run does not replay, unless it is left out by --except', async () => {
    const ramp = ['ramp', '--percent', '10', '--watch', '1s']
    expect(await deploy(second, ...ramp)).toEqual({ code: 1, output: expect.stringMatching(unrepeated()) })
    expect(await routing()).toMatchObject({ current: first.id, ramping: undefined })

    const { code, output } = await deploy(second, ...ramp, '--except', run)
    expect(output).toContain(`Build ${second.id} gets 10 % of the work. Watching it for 1 s.`)
    expect(output).toContain(`Build ${second.id} did well and keeps 10 %.`)
    expect(code).toBe(0)
    expect(await routing()).toMatchObject({ current: first.id, ramping: { buildId: second.id, percent: 10 } })
  }, 180_000)

  test('rollback takes the ramp back, and leaves the schedules to the current build', async () => {
    expect(await deploy(second, 'rollback')).toEqual({
      code: 0,
      output: expect.stringContaining(
        `The ramp of build ${second.id} was taken back. Build ${first.id} goes on.\n` +
          'The schedules stay unchanged until a worker of the current build restarts.\n',
      ),
    })
    expect(await routing()).toMatchObject({ current: first.id, ramping: undefined })
  }, 60_000)

  test('SIGTERM during a ramp takes it back', async () => {
    const ramp = startDeploy(second, 'ramp', '--percent', '5', '--watch', '10m', '--except', run)
    await ramp.untilWritten(/gets 5 % of the work\. Watching it for 600 s\./)
    expect(await routing()).toMatchObject({ ramping: { buildId: second.id, percent: 5 } })
    ramp.kill('SIGTERM')
    expect(await ramp.ended).toEqual({ code: 1, signal: null })
    expect(ramp.output()).toContain(
      `The ramp of build ${second.id} was taken back:\n  it was interrupted\nBuild ${first.id} goes on.`,
    )
    expect(await routing()).toMatchObject({ current: first.id, ramping: undefined })
  }, 120_000)

  test('promote follows the build before, whose workers have to stay', async () => {
    await schedule.getHandle(deletedSchedule).delete()
    expect(await deploy(second, 'promote', '--watch', '1s', '--except', run)).toEqual({
      code: 0,
      output: expect.stringContaining(
        `Leave the workers of build ${first.id} running until npm run deploy -- retire says that they may go.`,
      ),
    })
    expect(await routing()).toMatchObject({ current: second.id })
    expect(await thatSchedule()).toMatchObject({ scheduleId: deletedSchedule })
    await schedule.getHandle(deletedSchedule).pause()
  }, 120_000)

  test('rollback goes to the named build, with --anyway also when that does not replay an open run', async () => {
    expect(await deploy(first, 'rollback', '--to', 'nowhere')).toEqual({
      code: 1,
      output: expect.stringContaining('No worker of build nowhere polls'),
    })
    await schedule.getHandle(deletedSchedule).delete()
    const { code, output } = await deploy(first, 'rollback', '--to', first.id, '--anyway')
    expect(output).toMatch(unrepeated())
    expect(output).toContain(`Build ${first.id} is current again.`)
    expect(code).toBe(0)
    expect(await routing()).toMatchObject({ current: first.id })
    expect(await thatSchedule()).toMatchObject({ scheduleId: deletedSchedule })
  }, 120_000)

  test('retire keeps a build with workers, and deletes it once they are gone', async () => {
    const statusOfSecond = async () => (await routing()).builds.find(({ buildId }) => buildId === second.id)?.status
    await until('it is drained', async () => (await statusOfSecond()) === 'drained')
    expect(await deploy(first, 'retire')).toEqual({
      code: 0,
      output: expect.stringContaining(
        `Build ${second.id} is drained: stop its workers, then retire it.\nNothing was retired.\n`,
      ),
    })
    await workers.get(second.id)?.stop()
    await until('nobody polls for it', async () => !(await isPolled(first.rollout, second.id)))
    await until('it is retired', async () =>
      (await deploy(first, 'retire')).output.includes(`Build ${second.id} is retired.`),
    )
    expect((await routing()).builds).toMatchObject([{ buildId: first.id, status: 'current' }])
  }, 120_000)
})
