import { type ReplayHistoriesIterable, type ReplayWorkerOptions, Worker } from '@temporalio/worker'

/**
 * Replays histories in this process and returns the error of each run that the code would not repeat, by workflow id.
 *
 * The SDK formats stacks of workflow errors by a global hook, which it never takes back. It knows a workflow's error by a
 * constructor other than `Error`, and so takes every subclass for one: from the first replay on, the stack lines of
 * assertions and of our own errors would be those of the compiled code.
 */
export async function failedReplays(
  options: ReplayWorkerOptions,
  histories: ReplayHistoriesIterable,
): Promise<Map<string, Error>> {
  const ours = Error.prepareStackTrace
  const failed = new Map<string, Error>()
  try {
    for await (const { workflowId, error } of Worker.runReplayHistories(options, histories)) {
      if (error) failed.set(workflowId, error)
    }
  } finally {
    const workflows = Error.prepareStackTrace
    if (workflows !== ours) {
      // An error of the sandbox has the sandbox's own `Error`.
      Error.prepareStackTrace = (error, stack) => (error instanceof Error ? ours : workflows)?.(error, stack)
    }
  }
  return failed
}
