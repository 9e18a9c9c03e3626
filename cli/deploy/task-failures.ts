/** Runs whose workflow tasks fail on a build: a build that fails tasks must get no more of them. */

import { decodeOptionalFailureToOptionalError } from '@temporalio/common/lib/internal-non-workflow/index.js'
import { isNotFound } from '../../temporal/grpc-status.ts'
import type { Deployment } from '../../temporal/worker-deployment.ts'

export interface TaskFailure {
  workflowId: string
  workflowType: string
  /** the build that got the failing task; undefined for a worker without a build id */
  buildId: string | undefined
  cause: string
}

/** Most runs that one check reads. */
const mostAtOnce = 100

interface Run {
  workflowId: string
  runId: string
  type: string
}

/**
 * Runs whose workflow task fails on a build, from two sources: Temporal marks a run after several failures in a row,
 * and the runs that the build has got since are read one by one, which finds a failure sooner.
 */
export async function failuresOn(deployment: Deployment, buildId: string, since: Date): Promise<TaskFailure[]> {
  const { deploymentName } = deployment
  const onBuild = `TemporalWorkerDeploymentVersion = '${deploymentName}:${buildId}' OR StartTime >= '${since.toISOString()}'`
  const found = await Promise.all([
    failing(deployment, 'TemporalReportedProblems IS NOT NULL'),
    failing(deployment, `(${onBuild})`),
  ])
  const failures = new Map(found.flat().map((each) => [each.workflowId, each]))
  return [...failures.values()].filter((failure) => failure.buildId === buildId)
}

/** The runs that Temporal has marked as failing. */
export const reportedFailures = (deployment: Deployment): Promise<TaskFailure[]> =>
  failing(deployment, 'TemporalReportedProblems IS NOT NULL')

async function failing(deployment: Deployment, condition: string): Promise<TaskFailure[]> {
  const { client, taskQueue } = deployment
  const query = `ExecutionStatus = 'Running' AND TaskQueue = '${taskQueue}' AND ${condition}`
  const runs: Run[] = []
  for await (const run of client.workflow.list({ query, pageSize: mostAtOnce })) {
    if (runs.push(run) >= mostAtOnce) break
  }
  const failures = await Promise.all(runs.map((run) => failureOf(deployment, run)))
  return failures.filter((failure) => failure !== undefined)
}

async function failureOf({ client }: Deployment, { workflowId, runId, type }: Run): Promise<TaskFailure | undefined> {
  try {
    const { namespace } = client.options
    const execution = { workflowId, runId }
    const { raw } = await client.workflow.getHandle(workflowId, runId).describe()
    if ((raw.pendingWorkflowTask?.attempt ?? 0) < 2) return undefined
    const { versionTransition, deploymentVersion } = raw.workflowExecutionInfo?.versioningInfo ?? {}
    const buildId = (versionTransition?.deploymentVersion ?? deploymentVersion)?.buildId || undefined
    const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
      namespace,
      execution,
      maximumPageSize: 20,
    })
    const last = history?.events?.find((event) => event.workflowTaskFailedEventAttributes)
    const error = await decodeOptionalFailureToOptionalError(
      client.options.loadedDataConverter,
      last?.workflowTaskFailedEventAttributes?.failure,
    )
    return { workflowId, workflowType: type, buildId, cause: error?.message ?? 'no answer from the worker' }
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
