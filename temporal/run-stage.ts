import type { Client } from '@temporalio/client'
import { searchAttributes } from '../shared/search-attributes.ts'
import { describeRun } from './runs.ts'

/** An open run, as its history has it: what a workflow task has done that is lost is not in it. */
export interface OpenRun {
  /** the status that it shows; null: none yet */
  stage: string | null
  /** it has a workflow task that has not failed: what that does is not shown yet */
  isAtWork: boolean
}

/** @returns undefined when no such run is open */
export async function openRunOf(temporal: Client, workflowId: string): Promise<OpenRun | undefined> {
  const run = await describeRun(temporal, workflowId)
  if (run?.status.name !== 'RUNNING') return undefined
  const task = run.raw.pendingWorkflowTask
  return {
    stage: run.typedSearchAttributes.get(searchAttributes.stage) ?? null,
    isAtWork: task !== null && task !== undefined && (task.attempt ?? 1) <= 1,
  }
}

/**
 * The status that an open run shows.
 * @returns undefined when no such run is open; null for a run that has not shown one
 */
export const stageOf = async (temporal: Client, workflowId: string): Promise<string | null | undefined> =>
  (await openRunOf(temporal, workflowId))?.stage
