/** A Worker Deployment in Temporal: its builds, and which of them gets the work. */
import { setTimeout as pause } from 'node:timers/promises'
import { type Client, isGrpcServiceError } from '@temporalio/client'
import proto from '@temporalio/proto'
import { isNotFound } from './grpc-status.ts'
import { describeQueues, polledLately } from './task-queue.ts'

export interface Deployment {
  client: Client
  deploymentName: string
  taskQueue: string
}

export type BuildStatus = 'created' | 'inactive' | 'ramping' | 'current' | 'draining' | 'drained' | 'unknown'

export interface Build {
  buildId: string
  status: BuildStatus
  /** when it was last current; undefined if it never was */
  lastCurrentAt: Date | undefined
}

export interface Routing {
  current: string | undefined
  ramping: { buildId: string; percent: number } | undefined
  /** newest first */
  builds: Build[]
}

const { WorkerDeploymentVersionStatus } = proto.temporal.api.enums.v1

/** The deployment's builds and routing; empty before the first poll of a versioned worker. */
export async function describeRouting({ client, deploymentName }: Deployment): Promise<Routing> {
  const info = await deploymentOf(client, deploymentName)
  const { currentDeploymentVersion, rampingDeploymentVersion, rampingVersionPercentage } = info?.routingConfig ?? {}
  const builds = (info?.versionSummaries ?? []).map(({ deploymentVersion, status, createTime, lastCurrentTime }) => ({
    buildId: deploymentVersion?.buildId ?? '',
    status: statusNames[status ?? 0] ?? 'unknown',
    lastCurrentAt: dateOf(lastCurrentTime),
    createdAt: dateOf(createTime) ?? new Date(0),
  }))
  return {
    current: currentDeploymentVersion?.buildId || undefined,
    ramping: rampingDeploymentVersion?.buildId
      ? { buildId: rampingDeploymentVersion.buildId, percent: rampingVersionPercentage ?? 0 }
      : undefined,
    builds: builds.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime()),
  }
}

const statusNames: Record<number, BuildStatus> = {
  [WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_CREATED]: 'created',
  [WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_INACTIVE]: 'inactive',
  [WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_RAMPING]: 'ramping',
  [WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT]: 'current',
  [WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING]: 'draining',
  [WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED]: 'drained',
}

/** Sends a share of new runs, and of the next tasks of open runs, to a build. @param buildId undefined ends the ramp */
export async function setRamp(deployment: Deployment, buildId: string | undefined, percent: number): Promise<void> {
  const { client, deploymentName } = deployment
  await client.workflowService.setWorkerDeploymentRampingVersion({
    namespace: client.options.namespace,
    deploymentName,
    buildId: buildId ?? '',
    percentage: buildId === undefined ? 0 : percent,
  })
  await untilRouted(
    deployment,
    (seen) => seen.ramping === buildId && (buildId === undefined || seen.percent === percent),
  )
}

/**
 * Sends new runs, and the next tasks of open runs, to a build.
 * @param buildId undefined for workers without a build id
 * @throws when the build never had a worker
 */
export async function setCurrent(deployment: Deployment, buildId: string | undefined): Promise<void> {
  const { client, deploymentName } = deployment
  await client.workflowService.setWorkerDeploymentCurrentVersion({
    namespace: client.options.namespace,
    deploymentName,
    buildId: buildId ?? '',
  })
  await untilRouted(deployment, ({ current }) => current === buildId)
}

interface QueueRouting {
  current: string | undefined
  ramping: string | undefined
  percent: number
}

const routedWithinMs = 30_000

/** Resolves when the task queues use the new routing, which the server applies after it has answered. */
async function untilRouted(deployment: Deployment, isAsWanted: (seen: QueueRouting) => boolean): Promise<void> {
  const deadline = Date.now() + routedWithinMs
  for (;;) {
    const queues = await describeQueues(deployment.client, deployment.taskQueue)
    const seen = queues.map(({ versioningInfo }) => ({
      current: versioningInfo?.currentDeploymentVersion?.buildId || undefined,
      ramping: versioningInfo?.rampingDeploymentVersion?.buildId || undefined,
      percent: versioningInfo?.rampingVersionPercentage ?? 0,
    }))
    if (seen.every(isAsWanted)) return
    if (Date.now() > deadline)
      throw new Error(
        'the task queues have not taken over the new routing within 30 s: look at `npm run deploy -- status`, and repeat the command',
      )
    await pause(100)
  }
}

/** Whether workers of a build poll for workflow tasks and for activities. */
export async function isPolled(deployment: Deployment, buildId: string): Promise<boolean> {
  const queues = await describeQueues(deployment.client, deployment.taskQueue)
  return queues.every(({ pollers }) =>
    (pollers ?? []).some((poller) => {
      const { buildId: polling, deploymentName } = poller.deploymentOptions ?? {}
      return polling === buildId && deploymentName === deployment.deploymentName && polledLately(poller)
    }),
  )
}

/** How long the oldest task of a build has been waiting for a worker, milliseconds. */
export async function backlogAge({ client, deploymentName }: Deployment, buildId: string): Promise<number> {
  const { versionTaskQueues } = await client.workflowService.describeWorkerDeploymentVersion({
    namespace: client.options.namespace,
    deploymentVersion: { deploymentName, buildId },
    reportTaskQueueStats: true,
  })
  const ages = (versionTaskQueues ?? []).map(({ stats }) => Number(stats?.approximateBacklogAge?.seconds ?? 0) * 1_000)
  return Math.max(0, ...ages)
}

export interface Retirement {
  buildId: string
  /** `served`: no run needs it, and its workers still poll. `refused`: Temporal does not delete it yet */
  outcome: 'draining' | 'served' | 'retired' | 'refused'
  reason?: string
}

/** Deletes from Temporal the builds that no run needs and no worker serves. @returns each build that is to go */
export async function retireBuilds(deployment: Deployment): Promise<Retirement[]> {
  const { builds } = await describeRouting(deployment)
  const retirements: Retirement[] = []
  for (const { buildId, status } of builds) {
    if (status === 'draining') retirements.push({ buildId, outcome: 'draining' })
    if (status !== 'drained') continue
    if (await isPolled(deployment, buildId)) {
      retirements.push({ buildId, outcome: 'served' })
      continue
    }
    try {
      await deleteBuild(deployment, buildId)
      retirements.push({ buildId, outcome: 'retired' })
    } catch (error) {
      if (!isGrpcServiceError(error)) throw error
      retirements.push({ buildId, outcome: 'refused', reason: error.details })
    }
  }
  return retirements
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
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** Deletes a build from Temporal. @throws while workers poll for it, or runs need it */
async function deleteBuild({ client, deploymentName }: Deployment, buildId: string): Promise<void> {
  await client.workflowService.deleteWorkerDeploymentVersion({
    namespace: client.options.namespace,
    deploymentVersion: { deploymentName, buildId },
  })
}

function dateOf(time: { seconds?: unknown; nanos?: number | null } | null | undefined): Date | undefined {
  return time ? new Date(Number(time.seconds ?? 0) * 1_000 + Number(time.nanos ?? 0) / 1e6) : undefined
}
