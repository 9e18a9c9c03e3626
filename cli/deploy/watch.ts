/** Looks at a build while it gets work, until it has had enough of it or something goes wrong. */
import { setTimeout as pause } from 'node:timers/promises'
import { failuresOn } from './task-failures.ts'
import { backlogAge, type Deployment } from './versions.ts'

export interface WatchOptions {
  watchMs: number
  /**
   * Called before the build gets work: from then on whoever wants to end this program aborts the signal, which ends the
   * watch as if something had gone wrong.
   */
  heedInterruption(): AbortSignal
  /** so long may a task wait for a worker of the build */
  waitsAtMostMs?: number
  say(line: string): void
}

const lookEveryMs = 1_000
/** this machine's and the server's */
const clocksDifferMs = 60_000
/** Looks in a row that may come to nothing before the build is taken for bad: nobody would see it fail. */
const blindLooks = 5

/** What is wrong with the build, one line each; nothing when it did well for the whole time. Never rejects. */
export async function watchBuild(
  deployment: Deployment,
  buildId: string,
  signal: AbortSignal,
  options: WatchOptions,
): Promise<string[]> {
  const { watchMs, waitsAtMostMs = 30_000, say } = options
  const since = new Date(Date.now() - clocksDifferMs)
  const until = Date.now() + watchMs
  let blind = 0
  for (;;) {
    if (signal.aborted) return ['it was interrupted']
    try {
      const [failures, waited] = await Promise.all([
        failuresOn(deployment, buildId, since),
        backlogAge(deployment, buildId),
      ])
      blind = 0
      if (failures.length > 0) {
        return failures.map((each) => `workflow tasks of ${each.workflowId} (${each.workflowType}) fail: ${each.cause}`)
      }
      if (waited > waitsAtMostMs) return [`tasks have been waiting for its workers for ${Math.round(waited / 1_000)} s`]
    } catch (error) {
      blind += 1
      say(`Temporal could not be asked: ${error instanceof Error ? error.message : error}`)
      if (blind >= blindLooks) return ['Temporal could not be asked how it does']
    }
    if (Date.now() >= until) return []
    await pause(Math.max(1, Math.min(lookEveryMs, until - Date.now())), undefined, { signal }).catch(() => undefined)
  }
}
