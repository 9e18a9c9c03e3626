/** Worker Deployment Versioning: the build of this worker, and whether it is the current one. */
import { type Client, isGrpcServiceError } from '@temporalio/client'
import type { WorkerOptions } from '@temporalio/worker'
import type { Config } from '../config.ts'

type Settings = Pick<Config, 'WORKER_BUILD_ID' | 'WORKER_DEPLOYMENT'>

const notFound = 5

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

/** Temporal's record of a deployment; undefined before the first versioned worker has polled. */
export async function deploymentOf(client: Client, deploymentName: string) {
  try {
    const { namespace } = client.options
    const { workerDeploymentInfo } = await client.workflowService.describeWorkerDeployment({
      namespace,
      deploymentName,
    })
    return workerDeploymentInfo ?? undefined
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === notFound) return undefined
    throw error
  }
}
