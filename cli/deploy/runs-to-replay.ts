/** The open runs that a new build has to continue. */
import type { Client } from '@temporalio/client'
import type { History } from '@temporalio/common/lib/proto-utils.js'
import { isNotFound } from '../../temporal/grpc-status.ts'
import type { Deployment } from '../../temporal/worker-deployment.ts'

export interface RunToReplay {
  workflowId: string
  runId: string
  workflowType: string
  startedAt: number
}

/** The open runs of the task queue, without those that are pinned to their build. */
export async function listRunsToReplay({ client, taskQueue }: Deployment): Promise<RunToReplay[]> {
  const runs: RunToReplay[] = []
  const query = `ExecutionStatus = 'Running' AND TaskQueue = '${taskQueue}'`
  for await (const run of client.workflow.list({ query, pageSize: 1_000 })) {
    const { workflowId, runId, type, startTime, searchAttributes } = run
    if (searchAttributes.TemporalWorkflowVersioningBehavior?.[0] === 'Pinned') continue
    runs.push({ workflowId, runId, workflowType: type, startedAt: startTime.getTime() })
  }
  return runs
}

/**
 * At most `perType` runs of each type, evenly from the oldest to the newest, since each release started some of them.
 */
export function chooseRuns(runs: readonly RunToReplay[], perType: number): RunToReplay[] {
  const types = new Set(runs.map(({ workflowType }) => workflowType))
  return [...types].flatMap((type) => {
    const ofType = runs.filter(({ workflowType }) => workflowType === type)
    const sorted = ofType.sort((a, b) => a.startedAt - b.startedAt)
    if (sorted.length <= perType) return sorted
    const step = (sorted.length - 1) / Math.max(1, perType - 1)
    return Array.from({ length: perType }, (_, index) => sorted[Math.round(index * step)] ?? []).flat()
  })
}

/** @returns undefined when the run is deleted */
export async function fetchHistory(client: Client, { workflowId, runId }: RunToReplay): Promise<History | undefined> {
  try {
    return await client.workflow.getHandle(workflowId, runId).fetchHistory()
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
