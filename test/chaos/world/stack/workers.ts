/** The workers of a world: those of the build that gets new work, and of builds before whose runs have not ended. */
import { z } from 'zod'
import { promote, type Rollout, start as untilPolled } from '../../../../cli/deploy/rollout.ts'
import { reportedFailures } from '../../../../cli/deploy/task-failures.ts'
import type { Part } from '../../../../dev/part.ts'
import { type Deployment, describeRouting } from '../../../../temporal/worker-deployment.ts'
import { startProgram } from '../../../harness/processes.ts'
import { until } from '../../../harness/until.ts'

/** A part that is not ready in a minute, or while another one is down, is started again. */
const startedWithinMs = 1_300_000
const polledWithinMs = 120_000
/** Everything else goes on meanwhile, and is disturbed: a promotion that is taken back is repeated. */
const watchMs = 2_000

const replayed = z.object({
  kept: z.number(),
  open: z.number(),
  leftOut: z.number(),
  failed: z.array(z.object({ name: z.string(), cause: z.string() })),
})

interface WorkerOptions {
  /** starts a worker process of a build; undefined: a worker without a build id, which gets work at once */
  launch(buildId: string | undefined): Promise<Part>
  deployment: Deployment
  /** the settings of a command beside the stack */
  settings: Record<string, string>
  /** why a worker has ended by itself, or has not drained, and what a build cannot replay */
  onFault(why: string): void
  /** a worker that has not drained was ended as by a crash */
  onCrash(from: number): void
}

/** Starts a part as a supervisor does: one that is not ready within its time is started again. */
export const untilStarted = (part: string, start: () => Promise<void>): Promise<true> =>
  until(`the ${part} has started`, () => start().then(() => true as const), { timeoutMs: startedWithinMs })

export function createWorkers({ launch, deployment, settings, onFault, onCrash }: WorkerOptions) {
  const running = new Map<string | undefined, Part>()
  let current: string | undefined
  let builds = 0

  async function begin(buildId: string | undefined): Promise<void> {
    const part = await launch(buildId)
    running.set(buildId, part)
    void part.exited.then(async (why) => {
      if (why === undefined) return
      onFault(why)
      // A supervisor starts it again.
      if (running.get(buildId) === part) await untilStarted('worker', () => begin(buildId))
    })
  }

  async function drain(part: Part): Promise<void> {
    const from = Date.now()
    await part.stop().catch((error: unknown) => {
      // While Temporal or the database is down nothing drains: the supervisor ends it then, as a crash would.
      onCrash(from)
      if (!String(error).includes('did not stop within')) onFault(String(error))
    })
  }

  /** Replays open runs with the new build, which has the same sources: what does not replay is a fault of theirs. */
  async function check(): ReturnType<Rollout['check']> {
    const program = startProgram(
      process.execPath,
      ['--import', 'tsx', 'test/chaos/world/stack/replay-open-runs.ts'],
      settings,
    )
    const { code, output } = await program.ended.then((ended) => ({ ...ended, output: program.output() }))
    if (code !== 0) throw new Error(`the replay ended with ${code}: ${output}`)
    const result = replayed.parse(JSON.parse(output.trim().split('\n').at(-1) ?? ''))
    for (const { name, cause } of result.failed) onFault(`${name} does not replay: ${cause}`)
    return { ...result, failed: [] }
  }

  return {
    start: () => begin(undefined),
    pids: (): number[] => [...running.values()].flatMap(({ pid }) => (pid === undefined ? [] : [pid])),
    kill: () => Promise.all([...running.values()].map((part) => part.kill())),

    /** Starts all of them again that were killed. */
    async startAgain(): Promise<void> {
      for (const buildId of running.keys()) await untilStarted('worker', () => begin(buildId))
    },

    /** Starts a worker of the same build beside each one that works, which drains then. */
    async replace(): Promise<void> {
      for (const [buildId, before] of [...running]) {
        await untilStarted('worker', () => begin(buildId))
        await drain(before)
      }
    },

    /**
     * Has workers of another build take over, as docs/changing-workflows.md says. Those of a build before stay until no
     * run is left that is bound to it.
     */
    async release(): Promise<void> {
      const before = current
      builds += 1
      const buildId = `world-${process.pid}-${builds}`
      await untilStarted('worker', () => begin(buildId))
      const rollout: Rollout = { ...deployment, ownBuildId: buildId, say: () => undefined, check }
      const onInterruption = (): AbortSignal => new AbortController().signal
      await until(
        `build ${buildId} is promoted`,
        async () => {
          await untilPolled(rollout, polledWithinMs)
          await promote(rollout, { watchMs, onInterruption, say: rollout.say })
          return true
        },
        { timeoutMs: startedWithinMs },
      )
      current = buildId
      // Workers without a build have no run that is bound to them.
      const unversioned = running.get(undefined)
      if (before === undefined && unversioned) {
        running.delete(undefined)
        await drain(unversioned)
      }
    },

    /** Ends the workers of builds that no run needs any more. */
    async retire(): Promise<void> {
      const routing = await describeRouting(deployment)
      for (const { buildId, status } of routing.builds) {
        const part = running.get(buildId)
        if (status !== 'drained' || !part) continue
        running.delete(buildId)
        await drain(part)
      }
    },

    /** Runs whose workflow tasks fail, apart from those that wait for a worker. */
    async failingRuns(): Promise<string[]> {
      const failures = await reportedFailures(deployment)
      return failures
        .filter(({ cause }) => cause !== 'no answer from the worker')
        .map(({ workflowId, buildId, cause }) => `${workflowId} cannot go on (${buildId ?? 'no build'}): ${cause}`)
    },

    async stop(): Promise<void> {
      const parts = [...running.values()]
      running.clear()
      for (const part of parts) await part.stop()
    },
  }
}
