/** Worker Deployment Versioning: which build this worker is, and whether it is the one that everything new goes to. */
import { type Client, isGrpcServiceError } from '@temporalio/client'
import type { WorkerOptions } from '@temporalio/worker'
import type { Config } from '../config.ts'

type Settings = Pick<Config, 'WORKER_BUILD_ID' | 'WORKER_DEPLOYMENT'>

const notFound = 5

/**
 * A worker with a build id is versioned, and gets no work until its build is ramped or promoted. One without is not:
 * development, the tests and a single host start it and it works.
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
      // Each workflow says its own (workflows/versioning/behaviors.ts); one that does not is safe only under the replay check.
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    },
  }
}

/**
 * Whether this process's list of schedules is the one that counts: a build that is not promoted may list workflows that
 * the current one does not have.
 */
export async function ownsSchedules(client: Client, settings: Settings): Promise<boolean> {
  const { WORKER_BUILD_ID: buildId, WORKER_DEPLOYMENT: deploymentName } = settings
  if (buildId === undefined) return true
  const current = (await deploymentOf(client, deploymentName))?.routingConfig?.currentDeploymentVersion?.buildId
  return !current || current === buildId
}

/** What Temporal knows of a deployment; undefined as long as no versioned worker has ever polled. */
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
