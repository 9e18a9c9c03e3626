/**
 * Starts, signals, updates, queries, reads and ends runs, each within a time limit. A run that has closed or never was
 * is an answer and no error, except to an update.
 */
import { randomUUID } from 'node:crypto'
import {
  type Client,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  type WorkflowExecutionStatusName,
  WorkflowNotFoundError,
  type WorkflowStartOptions,
} from '@temporalio/client'
import type { QueryDefinition, SignalDefinition, UpdateDefinition, Workflow } from '@temporalio/common'

/** Longer than a restart of Temporal, which the connection's own repetitions last through. */
const answerWithinMs = 10_000

const withinLimit = <Result>(
  temporal: Client,
  call: () => Promise<Result>,
  deadline = Date.now() + answerWithinMs,
): Promise<Result> => temporal.withDeadline(deadline, call)

async function unlessClosed<Result>(
  temporal: Client,
  call: () => Promise<Result>,
  deadline?: number,
): Promise<Result | undefined> {
  try {
    return await withinLimit(temporal, call, deadline)
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

/**
 * Starts a run, or finds the one that is open under its id. Who asks for work "now" has to know: an open run may have
 * read what it works on before.
 * @returns when the run was started, and whether it was open already
 */
export async function startOrJoin(
  temporal: Client,
  { type, ...options }: { type: string } & WorkflowStartOptions,
): Promise<{ startedAt: Date; joined: boolean }> {
  let joined = false
  try {
    const start = () => temporal.workflow.start(type, { ...options, workflowIdConflictPolicy: 'FAIL' })
    await withinLimit(temporal, start)
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
    joined = true
  }
  const { startTime } = await withinLimit(temporal, () => temporal.workflow.getHandle(options.workflowId).describe())
  return { startedAt: startTime, joined }
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

/** Signals a run, which is started when it is not open: no run can be missed. */
export async function signalWithStart<Args extends unknown[]>(
  temporal: Client,
  { type, ...options }: { type: string } & WorkflowStartOptions,
  { name: signal }: SignalDefinition<Args>,
  ...signalArgs: Args
): Promise<void> {
  const { workflow } = temporal
  const [first, ...more] = signalArgs
  // The SDK's types separate signals without arguments from signals with some.
  if (signalArgs.length === 0)
    return void (await withinLimit(temporal, () =>
      workflow.signalWithStart<Workflow, []>(type, { ...options, signal }),
    ))
  const some: [unknown, ...unknown[]] = [first, ...more]
  await withinLimit(temporal, () =>
    workflow.signalWithStart<Workflow, typeof some>(type, { ...options, signal, signalArgs: some }),
  )
}

/** Limits of an update. */
export interface UpdateOptions {
  /** when the caller stops to wait, as Date.now() counts: an answer can take as long as the run works on it */
  deadline: number
  /**
   * the same for a repeated request, which gets the answer of the first; a new one asks again, as a missing one does
   */
  updateId?: string | undefined
}

/**
 * Sends an update to a run.
 * @throws WorkflowNotFoundError when the run has closed, or never was, and all errors of the update
 */
export async function sendUpdate<Result, Args extends unknown[]>(
  temporal: Client,
  workflowId: string,
  { name }: UpdateDefinition<Result, Args>,
  args: Args,
  { deadline, updateId = randomUUID() }: UpdateOptions,
): Promise<Result> {
  const run = temporal.workflow.getHandle(workflowId)
  const [first, ...more] = args
  // The SDK's overloads separate updates without arguments from updates with some.
  if (args.length === 0)
    return await temporal.withDeadline(deadline, () => run.executeUpdate<Result, []>(name, { updateId }))
  const some: [unknown, ...unknown[]] = [first, ...more]
  return await temporal.withDeadline(deadline, () =>
    run.executeUpdate<Result, typeof some>(name, { args: some, updateId }),
  )
}

/** How a run is started that gets an update with its start. */
export type RunStart = { type: string } & ConstructorParameters<typeof WithStartWorkflowOperation<Workflow>>[1]

/**
 * Starts a run unless it is open, and sends it an update, in one call.
 * @throws WorkflowExecutionAlreadyStartedError when the run has closed and must not start again, and all errors of the
 * update
 */
export async function updateWithStart<Result, Args extends unknown[]>(
  temporal: Client,
  { type, ...start }: RunStart,
  definition: UpdateDefinition<Result, Args>,
  args: Args,
  { deadline, updateId = randomUUID() }: UpdateOptions,
): Promise<Result> {
  const startWorkflowOperation = new WithStartWorkflowOperation(type, start)
  return await temporal.withDeadline(deadline, () =>
    temporal.workflow.executeUpdateWithStart(definition, { startWorkflowOperation, args, updateId }),
  )
}

/** The newest run of an id. @returns undefined when Temporal knows none: closed runs are kept for days */
export const describeRun = (temporal: Client, workflowId: string): Promise<WorkflowExecutionDescription | undefined> =>
  unlessClosed(temporal, () => temporal.workflow.getHandle(workflowId).describe())

/**
 * Asks the newest run of an id, open or closed, for what a query shows. A worker answers it.
 * @param deadline when the caller stops to wait, as Date.now() counts; 10 s from now by default
 * @returns undefined when Temporal knows none: closed runs are kept for days
 */
export const queryRun = <Result>(
  temporal: Client,
  workflowId: string,
  query: QueryDefinition<Result>,
  deadline?: number,
): Promise<Result | undefined> =>
  unlessClosed(temporal, () => temporal.workflow.getHandle(workflowId).query(query), deadline)

/** Whether the newest run of an id is open. */
export const isOpen = async (temporal: Client, workflowId: string): Promise<boolean> =>
  (await describeRun(temporal, workflowId))?.status.name === 'RUNNING'

/** Who terminates a run has other means to end its work, which its row shows: an act of the API. */
const endedFromOutside: readonly WorkflowExecutionStatusName[] = ['TERMINATED', 'CANCELLED', 'TIMED_OUT']

/**
 * Whether nothing works on what the runs of an id are for: Temporal knows none, or the newest was ended from outside.
 * One that has failed would fail again.
 * @param more.or further ways in which it may have ended
 * @param more.completedBefore a run that has completed before this time does not count
 */
export async function isLost(
  temporal: Client,
  workflowId: string,
  more: { or?: readonly WorkflowExecutionStatusName[]; completedBefore?: Date | undefined } = {},
): Promise<boolean> {
  const run = await describeRun(temporal, workflowId)
  if (!run) return true
  const { or = [], completedBefore } = more
  const { status, closeTime } = run
  if (completedBefore && closeTime && status.name === 'COMPLETED' && closeTime < completedBefore) return true
  return [...endedFromOutside, ...or].includes(status.name)
}

/** Ends a run at once. Does nothing when it has closed, or never was. */
export async function terminateIfOpen(temporal: Client, workflowId: string, reason: string): Promise<void> {
  await unlessClosed(temporal, () => temporal.workflow.getHandle(workflowId).terminate(reason))
}
