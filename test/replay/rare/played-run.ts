/**
 * Runs on a worker of their own, whose activities answer as a scenario says: for what an outside party or the database
 * does too rarely to have it happen. The server, the worker and the workflows are real.
 */
import { randomUUID } from 'node:crypto'
import { activityInfo } from '@temporalio/activity'
import { WithStartWorkflowOperation, type WorkflowHandle } from '@temporalio/client'
import { ApplicationFailure, type Duration, type SignalDefinition, type UpdateDefinition } from '@temporalio/common'
import { NativeConnection, Worker } from '@temporalio/worker'
import { createActivities } from '../../../activities/index.ts'
import { failure } from '../../../shared/failures.ts'
import { temporalSettings } from '../../../temporal/client.ts'
import { createDataConverter } from '../../../temporal/payload-codec.ts'
import { sendUpdate } from '../../../temporal/runs.ts'
import { fastForward } from '../../../temporal/time-skipping.ts'
import { loadBundle } from '../../../worker/bundle.ts'
import { failureInterceptor } from '../../../worker/failure-interceptor.ts'
import type { WorkflowType } from '../../../workflows/versioning/behaviors.ts'
import type { Product } from '../../harness/product.ts'
import { until } from '../../harness/until.ts'
import type { Scenario } from '../scenario.ts'

type Activities = ReturnType<typeof createActivities>

/** Longer than an update takes by its own bounds. */
const answerWithinMs = 60_000

/** The answers of activities, in the form of the contracts. Missing ones answer nothing. */
export type Answers = {
  [Name in keyof Activities]?: (
    ...input: Parameters<Activities[Name]>
  ) => Awaited<ReturnType<Activities[Name]>> | ReturnType<Activities[Name]>
}

export interface Run {
  handle: WorkflowHandle
  forward(duration: Duration): Promise<void>
  signal<Args extends unknown[]>(definition: SignalDefinition<Args>, ...args: Args): Promise<void>
  /** Resolves to the answer, or to the error. */
  update<Result, Args extends unknown[]>(definition: UpdateDefinition<Result, Args>, ...args: Args): Promise<unknown>
  /** Resolves once the run has accepted the update. */
  begin<Result, Args extends unknown[]>(definition: UpdateDefinition<Result, Args>, ...args: Args): Promise<void>
  /** Waits until an activity was called this often. */
  called(name: keyof Activities, times?: number): Promise<void>
  /** Waits until an activity was called, and no attempt of it is under way. */
  answered(name: keyof Activities): Promise<void>
  /** Waits until the run shows this status. */
  shows(status: string): Promise<void>
}

export interface Beginning {
  type: WorkflowType
  args: readonly unknown[]
  workflowId?: string
  /** sent with the start */
  signal?: SignalDefinition
  update?: { name: string }
}

export interface Script {
  begins: Beginning
  answers: Answers
  /** what happens to the run; missing: nothing that its activities do not */
  play?: (run: Run) => Promise<unknown>
}

/** A scenario that ends with the end of its run. A run that continues as new is followed no further. */
export function rare(write: () => Script): Scenario {
  return async (product) => {
    const { begins, answers, play } = write()
    const workflowId = begins.workflowId ?? `${begins.type}-${randomUUID()}`
    const taskQueue = `rare-${randomUUID()}`
    const calls: string[] = []
    const stage = await openStage(product, taskQueue, recorded(answers, product, calls))
    try {
      const first = await start(product, begins, { workflowId, taskQueue, args: [...begins.args] })
      await play?.(runOf(product, workflowId, calls))
      const handle = product.temporal.workflow.getHandle(workflowId, first)
      await until(`${workflowId} is closed`, async () => (await handle.describe()).status.name !== 'RUNNING')
      await forgetNext(product, workflowId, first)
    } finally {
      await stage.close()
    }
    return workflowId
  }
}

async function start(
  { temporal: { workflow } }: Product,
  { type, signal, update }: Beginning,
  options: { workflowId: string; taskQueue: string; args: unknown[] },
): Promise<string> {
  if (signal) return (await workflow.signalWithStart(type, { ...options, signal })).signaledRunId
  if (!update) return (await workflow.start(type, options)).firstExecutionRunId
  const startWorkflowOperation = new WithStartWorkflowOperation(type, { ...options, workflowIdConflictPolicy: 'FAIL' })
  // Most are refused: these scenarios are of runs that cannot begin.
  await workflow.executeUpdateWithStart(update.name, { startWorkflowOperation }).catch(() => undefined)
  return (await workflow.getHandle(options.workflowId).describe()).runId
}

function runOf({ temporal }: Product, workflowId: string, calls: readonly string[]): Run {
  const handle = temporal.workflow.getHandle(workflowId)
  const isCalled = (name: string, times = 1) => calls.filter((one) => one === name).length >= times
  return {
    handle,
    forward: async (duration) => void (await fastForward(temporal, workflowId, duration)),
    signal: (definition, ...args) => handle.signal(definition, ...args),
    update: (definition, ...args) =>
      sendUpdate(temporal, workflowId, definition, args, { deadline: Date.now() + answerWithinMs }).catch(
        (error: unknown) => error,
      ),
    begin: async ({ name }, ...[first, ...more]: unknown[]) => {
      const accepted = { waitForStage: 'ACCEPTED' } as const
      if (first === undefined) await handle.startUpdate(name, accepted)
      else await handle.startUpdate(name, { ...accepted, args: [first, ...more] })
    },
    called: async (name, times) => void (await until(`${name} is called`, () => isCalled(name, times))),
    answered: async (name) =>
      void (await until(`${name} is answered`, async () => {
        const { raw } = await handle.describe()
        return isCalled(name) && !raw.pendingActivities?.some(({ activityType }) => activityType?.name === name)
      })),
    shows: async (status) =>
      void (await until(`${workflowId} is ${status}`, async () => {
        const { searchAttributes } = await handle.describe()
        return searchAttributes.Stage?.[0] === status
      })),
  }
}

/** All activities by name: the answers, and nothing for the others. */
function recorded(answers: Answers, { context, temporal }: Product, calls: string[]): Record<string, object> {
  const names = Object.keys(
    createActivities({ ...context, temporal }, () => Promise.reject(new Error('no evidence here'))),
  )
  const given: Record<string, ((...input: never[]) => unknown) | undefined> = answers
  return Object.fromEntries(
    names.map((name) => [
      name,
      async (...input: never[]) => {
        calls.push(name)
        return given[name]?.(...input)
      },
    ]),
  )
}

async function openStage({ config, settings, temporal, context }: Product, taskQueue: string, activities: object) {
  const connection = await NativeConnection.connect(temporalSettings(config, settings).connection)
  const worker = await Worker.create({
    connection,
    namespace: temporal.options.namespace,
    taskQueue,
    workflowBundle: await loadBundle({ encrypted: config.PAYLOAD_KEYS !== undefined, log: context.log }),
    activities,
    dataConverter: createDataConverter(config.PAYLOAD_KEYS),
    interceptors: { activity: [failureInterceptor(context.log)] },
    shutdownForceTime: 1_000,
  })
  const stopped = worker.run()
  return {
    async close(): Promise<void> {
      worker.shutdown()
      await stopped
      await connection.close()
    },
  }
}

/** Deletes the run that continues this one: a history is kept by the id of its workflow. */
async function forgetNext({ temporal }: Product, workflowId: string, first: string): Promise<void> {
  const { status } = await temporal.workflow.getHandle(workflowId, first).describe()
  if (status.name !== 'CONTINUED_AS_NEW') return
  const { runId } = await temporal.workflow.getHandle(workflowId).describe()
  const { namespace } = temporal.options
  await temporal.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId, runId } })
  await until('the next run is gone', async () => {
    let runs = 0
    for await (const run of temporal.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
      runs += 1
      if (run.runId === runId) return false
    }
    return runs === 1
  })
}

/** Gives these answers one after another, and the last one again and again. An error is thrown. */
export function inTurn<Answer>(...answers: NoInfer<Answer | Error | (() => Promise<Answer>)>[]): () => Promise<Answer> {
  const left = answers.map((answer) => async () => {
    if (answer instanceof Error) throw answer
    return isFunction(answer) ? answer() : answer
  })
  return async () => {
    const next = left.length > 1 ? left.shift() : left[0]
    if (!next) throw new Error('there is no answer')
    return next()
  }
}

const isFunction = <Answer>(answer: Answer | (() => Promise<Answer>)): answer is () => Promise<Answer> =>
  typeof answer === 'function'

/** Answers to a regular activity alone: a local one of the same name fails at once, as without a database. */
export const notLocally =
  <Answer>(answer: () => Promise<NoInfer<Answer>>): (() => Promise<Answer>) =>
  async () => {
    if (activityInfo().isLocal) throw failure('ProviderUnavailable', { nextRetryDelay: 1 })
    return answer()
  }

/** A gate: activities that wait at it go on once it is open. */
export function gate() {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open: () => open(), opened }
}

/** A failure for good that is none of ours. */
export const unknownFailure = (): Error => ApplicationFailure.nonRetryable('something else')

export const throws = (error: Error) => (): never => {
  throw error
}
