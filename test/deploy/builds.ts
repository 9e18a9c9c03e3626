/** Builds of the worker: the workflows as they are, and with mutations, each served by a worker of its own. */
import { checkReplay } from '../../cli/deploy/replay-check.ts'
import type { Rollout } from '../../cli/deploy/rollout.ts'
import { createLog } from '../../shared/log.ts'
import { type RunningWorker, startWorker, type WorkerOptions } from '../../worker/run-worker.ts'
import type { Product } from '../harness/product.ts'
import { seededUuid } from '../harness/seed.ts'
import { loadMutable } from '../mutations/bundle.ts'
import type { Mutation } from '../mutations/mutation.ts'

export interface Build {
  id: string
  code: string
  /** the commands of `npm run deploy` for this build; they write their lines to `said` */
  rollout: Rollout
  said: string[]
  startWorker(options?: Pick<WorkerOptions, 'dormantPatches'>): Promise<RunningWorker>
}

/**
 * Settings of the server under which a build is drained, and its workers are gone, within seconds: by default Temporal
 * looks every few minutes whether a build is drained, and takes a worker for gone minutes after its last poll.
 */
export const soonDrained = {
  'matching.wv.VersionDrainageStatusVisibilityGracePeriod': '1s',
  'matching.wv.VersionDrainageStatusRefreshInterval': '1s',
  'matching.longPollExpirationInterval': '1s',
  'matching.PollerHistoryTTL': '3s',
}

const silent = createLog({ level: 'silent' })

/** one of a workflow that no test of builds changes */
const oneKept = ['key-check-done.1.json']

/**
 * A build of this code with these mutations.
 * @param options.kept replays all kept histories and not only one: the replay test does it for the code as it is
 */
export async function createBuild(
  product: Product,
  name: string,
  mutations: Mutation[] = [],
  { kept = false } = {},
): Promise<Build> {
  const id = `${name}-${seededUuid().slice(0, 8)}`
  const { config, temporal } = product
  const { PAYLOAD_KEYS: payloadKeys } = config
  const mutated = await loadMutable({ encrypted: payloadKeys !== undefined, versioned: true, log: silent })
  const code = mutated(mutations)
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
        ...(!kept && { keptFiles: oneKept }),
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
