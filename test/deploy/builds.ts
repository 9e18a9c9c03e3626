/** Builds of the worker: the bundle as it is, and copies of it with a change, each served by a worker of its own. */
import { checkReplay } from '../../cli/deploy/replay-check.ts'
import type { Rollout } from '../../cli/deploy/rollout.ts'
import { createLog } from '../../shared/log.ts'
import { loadBundle } from '../../worker/bundle.ts'
import { type RunningWorker, startWorker, type WorkerOptions } from '../../worker/run-worker.ts'
import type { Product } from '../harness/product.ts'
import { seededUuid } from '../harness/seed.ts'

export interface Build {
  id: string
  code: string
  /** speaks for this build; what it says is in `said` */
  rollout: Rollout
  said: string[]
  startWorker(options?: Pick<WorkerOptions, 'dormantPatches'>): Promise<RunningWorker>
}

export interface Change {
  /** part of the bundle, which has to be there exactly once, and what takes its place */
  line: string
  replacement: string
}

const silent = createLog({ level: 'silent' })

const nowhere = new URL('./none/', import.meta.url)

const sdk = '_temporalio_workflow__WEBPACK_IMPORTED_MODULE_0__'
/** What the changes of a new build call. */
export const patched = (id: string): string => `(0,${sdk}.patched)('${id}')`
export const sleep = (ms: number): string => `(0,${sdk}.sleep)(${ms})`
export const isReplaying = `(0,${sdk}.workflowInfo)().unsafe.isReplaying`

/**
 * A build of this code with these changes.
 * @param options.kept replays the kept histories as well, which the replay test does for the code as it is
 */
export async function createBuild(
  product: Product,
  name: string,
  changes: Change[] = [],
  { kept = false } = {},
): Promise<Build> {
  const id = `${name}-${seededUuid().slice(0, 8)}`
  const { config, temporal } = product
  const { PAYLOAD_KEYS: payloadKeys } = config
  const plain = await loadBundle({ encrypted: payloadKeys !== undefined, versioned: true, log: silent })
  const code = changes.reduce((changed, { line, replacement }) => {
    if (changed.split(line).length !== 2) throw new Error(`not once in the bundle: ${line}`)
    return changed.replace(line, () => replacement)
  }, plain.code)
  const said: string[] = []
  const say = (line: string): void => void said.push(line)
  const rollout: Rollout = {
    client: temporal,
    deploymentName: config.WORKER_DEPLOYMENT,
    taskQueue: config.TEMPORAL_TASK_QUEUE,
    ownBuildId: id,
    say,
    check: () =>
      checkReplay(rollout, {
        bundle: { code },
        payloadKeys,
        perType: 100,
        except: [],
        ...(!kept && { keptFolder: nowhere }),
        say,
      }),
  }
  return {
    id,
    code,
    rollout,
    said,
    startWorker: (options) =>
      startWorker(
        { ...product.context, config: { ...config, WORKER_BUILD_ID: id }, temporal },
        { environment: product.settings, bundle: { code }, drainMs: 1_000, ...options },
      ),
  }
}

/** The build that completed the last workflow task of a run. */
export async function lastBuildOf({ temporal }: Product, workflowId: string): Promise<string | undefined> {
  const { events } = await temporal.workflow.getHandle(workflowId).fetchHistory()
  const completed = events?.findLast((event) => event.workflowTaskCompletedEventAttributes)
  return completed?.workflowTaskCompletedEventAttributes?.deploymentVersion?.buildId ?? undefined
}
