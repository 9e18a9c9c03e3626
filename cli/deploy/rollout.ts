/**
 * The steps of a build from its first work to its end. Each refuses a change that would leave runs without a worker.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../../shared/process/message-of.ts'
import {
  type Build,
  type Deployment,
  describeRouting,
  isPolled,
  type Routing,
  retireBuilds,
  setCurrent,
  setRamp,
} from '../../temporal/worker-deployment.ts'
import type { CheckResult } from './replay-check.ts'
import { reportedFailures } from './task-failures.ts'
import { type WatchOptions, watchBuild } from './watch.ts'

/** A step was refused or failed. The message is for people. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
}

export interface Rollout extends Deployment {
  /** the build id of this program's code; undefined if the settings have none */
  ownBuildId: string | undefined
  /** replays kept histories and open runs with this program's code */
  check(): Promise<CheckResult>
  say(line: string): void
}

/**
 * @throws Refusal with each run that does not replay and the cause, or when this build came without the kept histories
 */
export async function check({ check, say }: Pick<Rollout, 'check' | 'say'>): Promise<void> {
  const { kept, open, leftOut, failed } = await check()
  // The kept histories have the ends and waits in which no run is today.
  if (kept === 0)
    throw new Refusal('This build has no kept histories (test/replay/histories/): make its image with them.')
  if (failed.length > 0) {
    const runs = failed.map(({ name, cause }) => `  ${name}: ${cause}`)
    throw new Refusal(`${failed.length} of ${kept + open} histories do not replay:\n${runs.join('\n')}`)
  }
  if (leftOut > 0) say(`${leftOut} open runs were not replayed: --per-type limits the runs of each workflow.`)
  say(`All ${kept + open} histories replay.`)
}

/** Resolves once workers of the build poll. @throws Refusal when none does in time */
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
 * Sends the build a share of the work and watches it. The share is taken back when workflow tasks fail, when no worker
 * polls for them, or when the watch is interrupted.
 * @throws Refusal when the share was refused or taken back
 */
export async function ramp(rollout: Rollout, percent: number, options: WatchOptions): Promise<void> {
  const { say } = rollout
  const buildId = own(rollout)
  const { current, ramping } = await describeRouting(rollout)
  if (current === buildId) throw new Refusal(`Build ${buildId} is current: it gets all of the work already.`)
  refuseOther(ramping, buildId)
  await refuseUnpolled(rollout, buildId)
  await check(rollout)
  const interrupted = options.onInterruption()
  const unsure = await faultOf(() => setRamp(rollout, buildId, percent))
  if (!unsure) say(`Build ${buildId} gets ${percent} % of the work. Watching it for ${seconds(options.watchMs)}.`)
  const faults = unsure ?? (await watchBuild(rollout, buildId, interrupted, options))
  if (faults.length > 0) {
    await repeatUntilDone(takeBack, say)
    throw new Refusal(`The ramp of build ${buildId} was taken back:\n${lines(faults)}\n${goOn(current)}`)
  }
  say(`Build ${buildId} did well and keeps ${percent} %. Next: a higher percentage, or npm run deploy -- promote`)

  /** Another command may have begun a ramp meanwhile. */
  async function takeBack(): Promise<void> {
    if ((await describeRouting(rollout)).ramping?.buildId === buildId) await setRamp(rollout, undefined, 0)
  }
}

/**
 * Sends the build all of the work and watches it. The work is taken back in the same cases as a ramp. A build that is
 * current already is watched: the command that has promoted it may have been killed before the end of its watch.
 * @throws Refusal when the promotion was refused or taken back, or the build that is current does not do well
 */
export async function promote(rollout: Rollout, options: WatchOptions): Promise<void> {
  const { say } = rollout
  const buildId = own(rollout)
  const { current, ramping } = await describeRouting(rollout)
  const watching = `Watching it for ${seconds(options.watchMs)}.`
  if (current === buildId) {
    say(`Build ${buildId} is current already. ${watching}`)
    const faults = await watchBuild(rollout, buildId, options.onInterruption(), options)
    if (faults.length === 0) return
    throw new Refusal(`Build ${buildId} is current:\n${lines(faults)}\nTo roll back: npm run deploy -- rollback`)
  }
  refuseOther(ramping, buildId)
  await refuseUnpolled(rollout, buildId)
  await check(rollout)
  const interrupted = options.onInterruption()
  const unsure = await faultOf(() => setCurrent(rollout, buildId))
  if (!unsure) say(`Build ${buildId} is current. ${watching}`)
  const faults = unsure ?? (await watchBuild(rollout, buildId, interrupted, options))
  if (faults.length > 0) {
    await repeatUntilDone(takeBack, say)
    throw new Refusal(`The promotion of build ${buildId} was taken back:\n${lines(faults)}\n${goOn(current)}`)
  }
  if (current)
    say(`Leave the workers of build ${current} running until npm run deploy -- retire says that they may go.`)

  /** Another command may have promoted another build meanwhile. */
  async function takeBack(): Promise<void> {
    if ((await describeRouting(rollout)).current === buildId) await setCurrent(rollout, current)
  }
}

/**
 * Takes the ramp back. Without a ramp, makes the previous build current, or the named one.
 * @throws Refusal when there is no such build, when it has no workers, or when it does not replay the open runs
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

/** Deletes from Temporal the builds that no run needs any more, and prints which workers can be stopped. */
export async function retire(rollout: Rollout): Promise<void> {
  const { say } = rollout
  const retirements = await retireBuilds(rollout)
  for (const { buildId, outcome, reason } of retirements) {
    if (outcome === 'draining') say(`Build ${buildId} is draining: pinned runs still need its workers.`)
    if (outcome === 'served') say(`Build ${buildId} is drained: stop its workers, then retire it.`)
    if (outcome === 'refused') say(`Build ${buildId} is drained and cannot be retired yet: ${reason}`)
    if (outcome === 'retired') say(`Build ${buildId} is retired.`)
  }
  if (retirements.every(({ outcome }) => outcome !== 'retired')) say('Nothing was retired.')
}

/** Prints the builds, and the runs that cannot continue. */
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

const repeatForMs = 120_000

/** Repeats while Temporal is unavailable: a build that is known to fail must not keep its work. */
async function repeatUntilDone(takeBack: () => Promise<void>, say: (line: string) => void): Promise<void> {
  const deadline = Date.now() + repeatForMs
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

/** The fault of a change of the routing; whether it was applied all the same is not known. */
async function faultOf(change: () => Promise<void>): Promise<string[] | undefined> {
  try {
    await change()
    return undefined
  } catch (error) {
    return [`it is not known whether it gets work: ${messageOf(error)}`]
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

/** @throws Refusal when the build has no workers for the work */
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
