/** Watches a build that gets work, for a time or until it fails. */
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../../shared/process/message-of.ts'
import { backlogAge, type Deployment } from '../../temporal/worker-deployment.ts'
import { failuresOn } from './task-failures.ts'

export interface WatchOptions {
  watchMs: number
  /**
   * Called before the build gets work. When this program is asked to stop, the signal is aborted, and the watch ends as
   * failed.
   */
  onInterruption(): AbortSignal
  /** the longest time that a task may wait for a worker of the build */
  waitsAtMostMs?: number
  say(line: string): void
}

const checkEveryMs = 1_000
/** allows for a difference between this machine's clock and the server's */
const clocksDifferMs = 60_000
/** After so many failed checks in a row the build counts as failed, since its failures could not be seen. */
const mostFailedChecks = 5

/** Watches a build. Never rejects. @returns its failures, one line each; empty when there was none */
export async function watchBuild(
  deployment: Deployment,
  buildId: string,
  signal: AbortSignal,
  options: WatchOptions,
): Promise<string[]> {
  const { watchMs, waitsAtMostMs = 30_000, say } = options
  const since = new Date(Date.now() - clocksDifferMs)
  const until = Date.now() + watchMs
  let failedChecks = 0
  for (;;) {
    if (signal.aborted) return ['it was interrupted']
    try {
      const [failures, waited] = await Promise.all([
        failuresOn(deployment, buildId, since),
        backlogAge(deployment, buildId),
      ])
      failedChecks = 0
      if (failures.length > 0) {
        return failures.map((each) => `workflow tasks of ${each.workflowId} (${each.workflowType}) fail: ${each.cause}`)
      }
      if (waited > waitsAtMostMs) return [`tasks have been waiting for its workers for ${Math.round(waited / 1_000)} s`]
    } catch (error) {
      failedChecks += 1
      say(`Temporal could not be asked: ${messageOf(error)}`)
      if (failedChecks >= mostFailedChecks) return ['Temporal could not be asked about it']
    }
    if (Date.now() >= until) return []
    await pause(Math.max(1, Math.min(checkEveryMs, until - Date.now())), undefined, { signal }).catch(() => undefined)
  }
}
