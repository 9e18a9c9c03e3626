/** Starts, signals, looks at and ends runs, each within a time limit. What has closed or never was is an answer and no error. */
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  WorkflowNotFoundError,
  type WorkflowStartOptions,
} from '@temporalio/client'
import type { SignalDefinition } from '@temporalio/common'

/** Longer than a restart of Temporal, which the connection's own repetitions last through. */
const answerWithinMs = 10_000

const withinLimit = <Result>(temporal: Client, call: () => Promise<Result>): Promise<Result> =>
  temporal.withDeadline(Date.now() + answerWithinMs, call)

async function unlessClosed<Result>(temporal: Client, call: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await withinLimit(temporal, call)
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined
    throw error
  }
}

/**
 * Starts a run, or joins the one that is open under its id. Does nothing when one has closed under that id and its
 * `workflowIdReusePolicy` allows no second one.
 */
export async function startUnlessOpen(
  temporal: Client,
  { type, ...options }: { type: string } & WorkflowStartOptions,
): Promise<void> {
  try {
    await withinLimit(temporal, () =>
      temporal.workflow.start(type, { workflowIdConflictPolicy: 'USE_EXISTING', ...options }),
    )
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
  }
}

/** Signals a run. @returns false when it has closed, or never was */
export async function signalIfOpen<Args extends unknown[]>(
  temporal: Client,
  workflowId: string,
  signal: SignalDefinition<Args>,
  ...args: Args
): Promise<boolean> {
  const signalled = await unlessClosed(temporal, async () => {
    await temporal.workflow.getHandle(workflowId).signal(signal, ...args)
    return true
  })
  return signalled ?? false
}

/** The newest run of an id. @returns undefined when Temporal knows none: closed runs are kept for days */
export const describeRun = (temporal: Client, workflowId: string): Promise<WorkflowExecutionDescription | undefined> =>
  unlessClosed(temporal, () => temporal.workflow.getHandle(workflowId).describe())

/** Ends a run at once. Does nothing when it has closed, or never was. */
export async function terminateIfOpen(temporal: Client, workflowId: string, reason: string): Promise<void> {
  await unlessClosed(temporal, () => temporal.workflow.getHandle(workflowId).terminate(reason))
}
