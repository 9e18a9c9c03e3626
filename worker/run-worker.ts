import { setTimeout as pause } from 'node:timers/promises'
import { NativeConnection, Worker } from '@temporalio/worker'
import { createActivities } from '../activities/index.ts'
import { readEvidence } from '../api/evidence/evidence.ts'
import { viewEvidence } from '../api/evidence/evidence-view.ts'
import type { WorkerContext } from '../context.ts'
import { temporalSettings } from '../temporal/client.ts'
import { createDataConverter } from '../temporal/payload-codec.ts'
import { loadBundle, type WorkflowBundle } from './bundle.ts'
import { workerDeployment } from './deployment.ts'
import { dormantPatches } from './dormant-patches.ts'
import { startEventDelivery } from './event-delivery.ts'
import { failureInterceptor } from './failure-interceptor.ts'
import { canWork } from './readiness.ts'
import { workerHeartbeats } from './worker-heartbeats.ts'

export interface WorkerOptions {
  /** replaces the environment of the process, for the embedded Temporal server */
  environment?: Record<string, string>
  /** replaces the bundle of the current sources */
  bundle?: WorkflowBundle
  /** replaces the list of this build */
  dormantPatches?: readonly string[]
  /** stops waiting for Temporal */
  signal?: AbortSignal
  /** how long running activities may go on after `stop`, milliseconds */
  drainMs?: number
}

export interface RunningWorker {
  /** Whether it polls, and can do its work. Never rejects. */
  isReady(): Promise<boolean>
  /** Takes no more work and waits for running activities until the end of the drain time. Never rejects. */
  stop(): Promise<void>
  /** Resolves to undefined when the worker was stopped, else to the error that ended it. Never rejects. */
  exited: Promise<Error | undefined>
}

/** Most activities end within this; the others, which may take 25 s, are retried on another worker. */
const defaultDrainMs = 20_000
/** Milliseconds that activities have after the drain time, when they are cancelled, to end. */
const forceAfterMs = 10_000
/** After a request to stop. */
export const workerEndsWithinMs = defaultDrainMs + forceAfterMs
const reconnectAfterMs = 500
/**
 * Each takes about 0.4 MB of memory, and there must be one for each workflow task that runs at the same time. Most runs
 * wait for days between two events, and replay within milliseconds when they were evicted.
 */
const cachedWorkflows = 120
/**
 * The next workflow task of a run is offered to the worker that has its state, also if that has died: for ten seconds
 * the server does not know. The SDK would let each task, and the caller who waits for it, wait as long. A worker that
 * is busy for longer loses no more than the few milliseconds of a replay elsewhere.
 */
const stickyForMs = 3_000
/**
 * The SDK stops workflow code after five seconds by the clock, in which a frozen process or a starved machine may not
 * have run it at all. Node then ends the process: "async hook stack has become corrupted", as what was stopped had
 * async hooks open ([issue 939](https://github.com/temporalio/sdk-typescript/issues/939)). A loop without an end is
 * found before, by its workflow task that times out. The SDK takes the option, and does not document it.
 */
const workflowCode = { isolateExecutionTimeout: '10 minutes' }
/** The SDK has no event for the start of a worker, so its state is polled. */
const statePollMs = 5

/**
 * Starts one worker and resolves when it polls. Waits while Temporal cannot be reached.
 * @throws if the workflows do not bundle, or the options are refused
 */
export async function startWorker(context: WorkerContext, options: WorkerOptions = {}): Promise<RunningWorker> {
  const { config, log } = context
  const { drainMs = defaultDrainMs, dormantPatches: dormant = dormantPatches } = options
  const [connection, bundle] = await Promise.all([
    connect(context, options),
    options.bundle ??
      loadBundle({
        encrypted: config.PAYLOAD_KEYS !== undefined,
        versioned: config.WORKER_BUILD_ID !== undefined,
        log,
      }),
  ])
  context.metrics.process.set({ process: 'worker' }, 1)
  const worker = await Worker.create({
    connection,
    namespace: context.temporal.options.namespace,
    taskQueue: config.TEMPORAL_TASK_QUEUE,
    workflowBundle: bundle,
    activities: createActivities(context, async (asOf) => viewEvidence(await readEvidence(context, asOf))),
    dataConverter: createDataConverter(config.PAYLOAD_KEYS),
    interceptors: { activity: [failureInterceptor(log), workerHeartbeats] },
    ...workerDeployment(config),
    ...(dormant.length > 0 && { patchActivationCallback: ({ patchId }) => !dormant.includes(patchId) }),
    ...capacity(config.WORKER_CONCURRENCY),
    stickyQueueScheduleToStartTimeout: stickyForMs,
    ...workflowCode,
    // Otherwise the SDK keeps a heartbeat back for 80 % of its timeout, and a busy worker passes for a dead one.
    maxHeartbeatThrottleInterval: '1 second',
    shutdownGraceTime: drainMs,
    shutdownForceTime: drainMs + forceAfterMs,
  }).catch(async (error: unknown) => {
    await connection.close()
    throw error
  })

  let isStopping = false
  const exited = worker
    .run()
    .then(
      () => undefined,
      (error: unknown) => {
        const fault = error instanceof Error ? error : new Error(String(error))
        // The SDK has drained the worker by then, and only cannot free it: sdk-core's `finalize_shutdown`.
        if (!isStopping || !fault.message.includes('Worker still in use')) return fault
        log.warn({ error: fault }, 'the worker has stopped, and could not be freed')
        return undefined
      },
    )
    .finally(() => connection.close())
  let ended = false
  void exited.then(() => {
    ended = true
  })
  // `shutdown` throws before the worker runs.
  while (!ended && worker.getState() === 'INITIALIZED') await pause(statePollMs)
  const eventDelivery = startEventDelivery(context)
  void exited.then(() => eventDelivery.stop())
  return {
    isReady: async () => worker.getState() === 'RUNNING' && canWork(context, worker.options.identity),
    async stop() {
      isStopping = true
      if (worker.getState() === 'RUNNING') worker.shutdown()
      await Promise.all([exited, eventDelivery.stop()])
    },
    exited,
  }
}

/** @param concurrency how many activities, and how many local activities, one process runs at the same time */
export function capacity(concurrency: number) {
  const workflowTasks = Math.max(2, Math.min(100, concurrency))
  return {
    maxConcurrentActivityTaskExecutions: concurrency,
    maxConcurrentLocalActivityExecutions: concurrency,
    maxConcurrentWorkflowTaskExecutions: workflowTasks,
    maxCachedWorkflows: cachedWorkflows,
    workflowTaskPollerBehavior: { type: 'simple-maximum', maximum: Math.max(2, Math.min(20, workflowTasks)) },
    activityTaskPollerBehavior: { type: 'simple-maximum', maximum: Math.min(20, concurrency) },
  } as const
}

async function connect(context: WorkerContext, { environment, signal }: WorkerOptions): Promise<NativeConnection> {
  const { connection } = temporalSettings(context.config, environment)
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await NativeConnection.connect(connection)
    } catch (error) {
      signal?.throwIfAborted()
      if (attempt % 20 === 0) context.log.warn({ error }, 'waiting for Temporal')
      await pause(reconnectAfterMs)
    }
  }
}
