/** A build goes when no pinned run needs it and no worker serves it, and not before. */
import { fileURLToPath } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import { bundleWorkflowCode, NativeConnection, Worker } from '@temporalio/worker'
import { afterAll, expect, test } from 'vitest'
import { createBuildActivities } from '../../activities/housekeeping/housekeeping.ts'
import { promote, type Rollout, retire, start } from '../../cli/deploy/rollout.ts'
import { startTemporal } from '../../dev/temporal/temporal.ts'
import { createLog } from '../../shared/log.ts'
import { describeRouting } from '../../temporal/worker-deployment.ts'
import { workerDeployment } from '../../worker/deployment.ts'
import { installRuntime } from '../../worker/temporal-logger.ts'
import { until } from '../harness/until.ts'
import { soonDrained } from './builds.ts'
import { go, pinnedWait } from './pinned-wait.ts'

// The SDK says at length what fails, which this test wants.
installRuntime({ log: createLog({ level: 'silent' }) })

const server = await startTemporal({ namespace: 'default', dynamicConfig: soonDrained })
const connection = await Connection.connect({ address: server.address })
const native = await NativeConnection.connect({ address: server.address })
const client = new Client({ connection })
const running: { worker: Worker; ended: Promise<void> }[] = []
afterAll(async () => {
  for (const { worker } of running) if (worker.getState() === 'RUNNING') worker.shutdown()
  await Promise.all(running.map(({ ended }) => ended))
  await native.close()
  await connection.close()
  await server.stop()
})

const taskQueue = 'queue'
const deploymentName = 'retiring'
const workflowBundle = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('./pinned-wait.ts', import.meta.url)),
})
const said: string[] = []

async function promoted(buildId: string) {
  const worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowBundle,
    activities: { nothing: async () => undefined },
    ...workerDeployment({ WORKER_BUILD_ID: buildId, WORKER_DEPLOYMENT: deploymentName }),
  })
  running.push({ worker, ended: worker.run() })
  const say = (line: string): void => void said.push(line)
  const rollout: Rollout = {
    client,
    deploymentName,
    taskQueue,
    ownBuildId: buildId,
    say,
    check: async () => ({ kept: 1, open: 0, leftOut: 0, failed: [] }),
  }
  await start(rollout, 20_000)
  await promote(rollout, { watchMs: 0, onInterruption: () => new AbortController().signal, say })
  return { worker, rollout }
}

const statusOf = async (rollout: Rollout, buildId: string) =>
  (await describeRouting(rollout)).builds.find((build) => build.buildId === buildId)?.status

test('housekeeping retires a drained build once its workers are stopped, and none that a pinned run needs', async () => {
  const old = await promoted('old')
  const run = await client.workflow.start(pinnedWait, { workflowId: 'pinned', taskQueue })
  await until('it was begun', async () => (await run.describe()).raw.workflowExecutionInfo?.versioningInfo?.behavior)
  const next = await promoted('next')

  await until('it drains', async () => (await statusOf(next.rollout, 'old')) === 'draining')
  await retire(next.rollout)
  expect(said.slice(-2)).toEqual(['Build old is draining: pinned runs still need its workers.', 'Nothing was retired.'])

  await run.signal(go)
  await run.result()
  await until('it is drained', async () => (await statusOf(next.rollout, 'old')) === 'drained')
  await retire(next.rollout)
  expect(said.slice(-2)).toEqual(['Build old is drained: stop its workers, then retire it.', 'Nothing was retired.'])

  // The daily housekeeping calls this, so that nobody has to remember the command.
  const { retireDrainedBuilds } = createBuildActivities({
    temporal: client,
    config: { WORKER_DEPLOYMENT: deploymentName, TEMPORAL_TASK_QUEUE: taskQueue },
  })
  expect(await retireDrainedBuilds()).toEqual({ retired: [], workersToStop: ['old'] })

  old.worker.shutdown()
  await until('it is retired', async () => (await retireDrainedBuilds()).retired.includes('old'))
  await retire(next.rollout)
  expect(said.at(-1)).toBe('Nothing was retired.')
  expect((await describeRouting(next.rollout)).builds).toMatchObject([{ buildId: 'next', status: 'current' }])
}, 120_000)
