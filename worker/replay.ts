import { Script } from 'node:vm'
import { type ReplayHistoriesIterable, type ReplayWorkerOptions, Worker } from '@temporalio/worker'
import { globalHandlers } from '@temporalio/worker/lib/workflow/vm-shared.js'

/**
 * Replays histories in this process and returns the errors of the runs that do not replay, by workflow id.
 *
 * The SDK installs a global hook that formats the stacks of workflow errors, and never removes it. The hook takes every
 * error whose constructor is not `Error` for a workflow error, so after a replay the stacks of assertions and of our
 * own errors would have the lines of the compiled code.
 */
export function failedReplays(
  options: ReplayWorkerOptions,
  histories: ReplayHistoriesIterable,
): Promise<Map<string, Error>> {
  const replayed = replays.then(() => replay(options, histories))
  replays = replayed.catch(() => undefined)
  return replayed
}

/** The last of them: each one puts back what it has replaced in this process, so none runs beside another. */
let replays: Promise<unknown> = Promise.resolve()

async function replay(options: ReplayWorkerOptions, histories: ReplayHistoriesIterable): Promise<Map<string, Error>> {
  const originalHook = Error.prepareStackTrace
  const failed = new Map<string, Error>()
  const restoreLimits = waiveEndlessLimits()
  try {
    for await (const { workflowId, error } of Worker.runReplayHistories(options, withoutPromiseHook(histories))) {
      if (error) failed.set(workflowId, error)
    }
  } finally {
    restoreLimits()
    const sdkHook = Error.prepareStackTrace
    if (sdkHook !== originalHook) {
      // Errors of the workflow sandbox are instances of the sandbox's own `Error`.
      Error.prepareStackTrace = (error, stack) => (error instanceof Error ? originalHook : sdkHook)?.(error, stack)
    }
  }
  return failed
}

/**
 * The SDK also installs a hook for each promise of this process, and never removes it: it compiles a function for each,
 * and keeps the stacks of those in workflows for the query of a run's stack, which nobody sends to a replay. It is
 * installed when the replay asks for its first history.
 */
async function* withoutPromiseHook(histories: ReplayHistoriesIterable) {
  const hook = Error.prepareStackTrace
  globalHandlers.uninstall()
  // It formats the stacks of this replay.
  if (hook) Error.prepareStackTrace = hook
  yield* histories
}

/** The SDK's time limit of a call into a workflow where a developer may stop at a breakpoint: 49 days. */
const endless = 2 ** 32 - 1

/** Node starts a thread for each call with a time limit: that took a third of a replay. @returns what puts them back */
function waiveEndlessLimits(): () => void {
  const { runInContext } = Script.prototype
  Script.prototype.runInContext = function (context, options) {
    const isEndless = typeof options === 'object' && options.timeout === endless
    return runInContext.call(this, context, isEndless ? { ...options, timeout: undefined } : options)
  }
  return () => {
    Script.prototype.runInContext = runInContext
  }
}
