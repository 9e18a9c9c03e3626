/** Worker Deployment Versioning: the build of this worker, and whether it is the current one. */
import type { Client } from '@temporalio/client'
import type { WorkerOptions } from '@temporalio/worker'
import type { Config } from '../config.ts'
import { deploymentOf } from '../temporal/worker-deployment.ts'

type Settings = Pick<Config, 'WORKER_BUILD_ID' | 'WORKER_DEPLOYMENT'>

/**
 * A worker with a build id is versioned: it gets no work until its build is ramped or promoted. A worker without one is
 * not versioned, for development, tests and a single host.
 */
export function workerDeployment({
  WORKER_BUILD_ID: buildId,
  WORKER_DEPLOYMENT: deploymentName,
}: Settings): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (buildId === undefined) return {}
  return {
    workerDeploymentOptions: {
      version: { deploymentName, buildId },
      useWorkerVersioning: true,
      // A default, because each workflow sets its own in workflows/versioning/behaviors.ts.
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    },
  }
}

/**
 * Whether this process may write the schedules: a build that is not promoted may have schedules of workflows that the
 * current build does not have.
 */
export async function ownsSchedules(client: Client, settings: Settings): Promise<boolean> {
  const { WORKER_BUILD_ID: buildId, WORKER_DEPLOYMENT: deploymentName } = settings
  if (buildId === undefined) return true
  const current = (await deploymentOf(client, deploymentName))?.routingConfig?.currentDeploymentVersion?.buildId
  return !current || current === buildId
}
