import { type ReplayHistoriesIterable, type ReplayWorkerOptions, Worker } from '@temporalio/worker'

/**
 * Replays histories in this process and returns the errors of the runs that do not replay, by workflow id.
 *
 * The SDK installs a global hook that formats the stacks of workflow errors, and never removes it. The hook takes every
 * error whose constructor is not `Error` for a workflow error, so after a replay the stacks of assertions and of our
 * own errors would have the lines of the compiled code.
 */
export async function failedReplays(
  options: ReplayWorkerOptions,
  histories: ReplayHistoriesIterable,
): Promise<Map<string, Error>> {
  const originalHook = Error.prepareStackTrace
  const failed = new Map<string, Error>()
  try {
    for await (const { workflowId, error } of Worker.runReplayHistories(options, histories)) {
      if (error) failed.set(workflowId, error)
    }
  } finally {
    const sdkHook = Error.prepareStackTrace
    if (sdkHook !== originalHook) {
      // Errors of the workflow sandbox are instances of the sandbox's own `Error`.
      Error.prepareStackTrace = (error, stack) => (error instanceof Error ? originalHook : sdkHook)?.(error, stack)
    }
  }
  return failed
}
