/** How a build comes to get work, loses it and goes: each step refuses what would leave runs without a worker. */
import { setTimeout as pause } from 'node:timers/promises'
import type { CheckResult } from './replay-check.ts'
import { reportedFailures } from './task-failures.ts'
import {
  type Build,
  type Deployment,
  deleteBuild,
  describeRouting,
  isPolled,
  type Routing,
  setCurrent,
  setRamp,
} from './versions.ts'
import { type WatchOptions, watchBuild } from './watch.ts'

/** What stands in the way of a step, or went wrong with it; the lines are for people. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
}

export interface Rollout extends Deployment {
  /** of the code that this program is made of; undefined if it was not told */
  ownBuildId: string | undefined
  /** replays what there is against the code that this program is made of */
  check(): Promise<CheckResult>
  say(line: string): void
}

/** @throws Refusal naming each run that does not replay, and why */
export async function check({ check, say }: Rollout): Promise<void> {
  const { kept, open, leftOut, failed } = await check()
  if (failed.length > 0) {
    const runs = failed.map(({ name, cause }) => `  ${name}: ${cause}`)
    throw new Refusal(`${failed.length} of ${kept + open} histories do not replay:\n${runs.join('\n')}`)
  }
  if (kept === 0) say('There are no kept histories here: only open runs were replayed.')
  if (leftOut > 0) say(`${leftOut} open runs were left out; --per-type says how many of each workflow are replayed.`)
  say(`All ${kept + open} histories replay.`)
}

/** Resolves once workers of the build ask for work. @throws Refusal when none does in time */
export async function start(rollout: Rollout, waitMs: number): Promise<void> {
  const { say, taskQueue } = rollout
  const buildId = own(rollout)
  const deadline = Date.now() + waitMs
  say(`Waiting for a worker of build ${buildId} on the task queue ${taskQueue}.`)
  while (!(await isPolled(rollout, buildId))) {
    if (Date.now() > deadline) {
      throw new Refusal(
        `No worker of build ${buildId} polls. Start one beside those that run: WORKER_BUILD_ID=${buildId} npm run worker`,
      )
    }
    await pause(500)
  }
  say(`Workers of build ${buildId} poll. It gets no work yet.`)
}

/**
 * Gives the build a share of the work and watches it. It is taken back when its workflow tasks fail, when its workers do
 * not come for them, or when the watch is interrupted.
 * @throws Refusal when it was not given, or was taken back
 */
export async function ramp(rollout: Rollout, percent: number, options: WatchOptions): Promise<void> {
  const { say } = rollout
  const buildId = own(rollout)
  const { current, ramping } = await describeRouting(rollout)
  if (current === buildId) throw new Refusal(`Build ${buildId} is current: it gets all of the work already.`)
  refuseOther(ramping, buildId)
  await refuseUnpolled(rollout, buildId)
  await check(rollout)
  const interrupted = options.heedInterruption()
  await setRamp(rollout, buildId, percent)
  say(`Build ${buildId} gets ${percent} % of the work. Watching it for ${seconds(options.watchMs)}.`)
  const faults = await watchBuild(rollout, buildId, interrupted, options)
  if (faults.length > 0) {
    await insist(() => setRamp(rollout, undefined, 0), say)
    throw new Refusal(`The ramp of build ${buildId} was taken back:\n${lines(faults)}\n${goOn(current)}`)
  }
  say(`Build ${buildId} did well and keeps ${percent} %. Next: a higher percentage, or npm run deploy -- promote`)
}

/**
 * Gives the build all of the work and watches it; likewise taken back.
 * @throws Refusal when it was not given, or was taken back
 */
export async function promote(rollout: Rollout, options: WatchOptions): Promise<void> {
  const { say } = rollout
  const buildId = own(rollout)
  const { current, ramping } = await describeRouting(rollout)
  if (current === buildId) return say(`Build ${buildId} is current already.`)
  refuseOther(ramping, buildId)
  await refuseUnpolled(rollout, buildId)
  await check(rollout)
  const interrupted = options.heedInterruption()
  await setCurrent(rollout, buildId)
  say(`Build ${buildId} is current. Watching it for ${seconds(options.watchMs)}.`)
  const faults = await watchBuild(rollout, buildId, interrupted, options)
  if (faults.length > 0) {
    await insist(() => setCurrent(rollout, current), say)
    throw new Refusal(`The promotion of build ${buildId} was taken back:\n${lines(faults)}\n${goOn(current)}`)
  }
  if (current)
    say(`Leave the workers of build ${current} running until npm run deploy -- retire says that they may go.`)
}

/**
 * Takes the ramp back; where there is none, makes the build current that was so before, or the one that is named.
 * @throws Refusal when there is none, when it has no workers, or when it would not replay the open runs
 */
export async function rollBack(rollout: Rollout, options: { to?: string; anyway: boolean }): Promise<void> {
  const { say, ownBuildId } = rollout
  const routing = await describeRouting(rollout)
  if (routing.ramping && options.to === undefined) {
    await setRamp(rollout, undefined, 0)
    return say(`The ramp of build ${routing.ramping.buildId} was taken back. ${goOn(routing.current)}`)
  }
  const target = options.to ?? previous(routing)?.buildId
  if (target === undefined) throw new Refusal('No other build was ever current: there is nothing to roll back to.')
  if (target === routing.current) throw new Refusal(`Build ${target} is current already.`)
  await refuseUnpolled(rollout, target)
  if (ownBuildId !== target) {
    say(`This is not build ${target}: whether it replays the open runs can be checked in its own image only.`)
  } else if (options.anyway) {
    await check(rollout).catch((error: unknown) => say(messageOf(error)))
  } else {
    await check(rollout)
  }
  if (routing.ramping) await setRamp(rollout, undefined, 0)
  await setCurrent(rollout, target)
  say(`Build ${target} is current again. npm run deploy -- status names runs whose workflow tasks fail on it.`)
}

/** Makes Temporal forget the builds that no run needs any more, and says which workers may be stopped. */
export async function retire(rollout: Rollout): Promise<void> {
  const { say } = rollout
  const { builds } = await describeRouting(rollout)
  let retired = 0
  for (const { buildId, status } of builds) {
    if (status === 'draining') say(`Build ${buildId} is draining: pinned runs still need its workers.`)
    if (status !== 'drained') continue
    if (await isPolled(rollout, buildId)) {
      say(`Build ${buildId} is drained: stop its workers, then retire it.`)
      continue
    }
    try {
      await deleteBuild(rollout, buildId)
      retired += 1
      say(`Build ${buildId} is retired.`)
    } catch (error) {
      say(`Build ${buildId} is drained and cannot be retired yet: ${messageOf(error)}`)
    }
  }
  if (retired === 0) say('Nothing was retired.')
}

/** Says which builds there are, and which runs cannot go on. */
export async function status(rollout: Rollout): Promise<void> {
  const { say, deploymentName } = rollout
  const { builds, ramping, current } = await describeRouting(rollout)
  if (builds.length === 0) say(`No versioned worker of ${deploymentName} has ever polled.`)
  if (builds.length > 0 && current === undefined) say('No build is current: only workers without a build id get work.')
  for (const { buildId, status } of builds) {
    const share = ramping?.buildId === buildId ? ` (${ramping.percent} %)` : ''
    const workers = (await isPolled(rollout, buildId)) ? 'workers poll' : 'no workers'
    say(`${buildId}\t${status}${share}\t${workers}`)
  }
  for (const { workflowId, workflowType, buildId, cause } of await reportedFailures(rollout)) {
    say(`Workflow tasks of ${workflowId} (${workflowType}) fail on ${buildId ?? 'a worker without a build'}: ${cause}`)
  }
}

const insistForMs = 120_000

/** Temporal may be away just then: a build that is known to be bad must not keep its share for that. */
async function insist(takeBack: () => Promise<void>, say: (line: string) => void): Promise<void> {
  const deadline = Date.now() + insistForMs
  for (;;) {
    try {
      return await takeBack()
    } catch (error) {
      if (Date.now() > deadline) throw error
      say(`It could not be taken back yet: ${messageOf(error)}`)
      await pause(1_000)
    }
  }
}

function own({ ownBuildId }: Rollout): string {
  if (ownBuildId === undefined)
    throw new Refusal('WORKER_BUILD_ID: missing. It names the build to be checked and sent.')
  return ownBuildId
}

function refuseOther(ramping: Routing['ramping'], buildId: string): void {
  if (ramping && ramping.buildId !== buildId) {
    throw new Refusal(`Build ${ramping.buildId} is ramping: promote it or roll it back first.`)
  }
}

/** @throws Refusal when work sent to the build would wait for nobody */
async function refuseUnpolled(rollout: Rollout, buildId: string): Promise<void> {
  if (!(await isPolled(rollout, buildId))) throw new Refusal(`No worker of build ${buildId} polls: start its workers.`)
}

function previous({ builds, current }: Routing): Build | undefined {
  const lastCurrent = ({ lastCurrentAt }: Build): number => lastCurrentAt?.getTime() ?? 0
  return builds
    .filter((build) => build.buildId !== current && build.lastCurrentAt)
    .sort((a, b) => lastCurrent(b) - lastCurrent(a))[0]
}

const goOn = (current: string | undefined): string =>
  current === undefined ? 'Workers without a build id go on.' : `Build ${current} goes on.`
const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`
const lines = (texts: string[]): string => texts.map((text) => `  ${text}`).join('\n')
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
