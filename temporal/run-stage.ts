import type { Client } from '@temporalio/client'
import { searchAttributes } from '../shared/search-attributes.ts'
import { describeRun } from './runs.ts'

/**
 * The status that an open run shows, as its history has it: what a workflow task has done that is lost is not in it.
 * @returns undefined when no such run is open; null for a run that has not shown one
 */
export async function stageOf(temporal: Client, workflowId: string): Promise<string | null | undefined> {
  const run = await describeRun(temporal, workflowId)
  if (run?.status.name !== 'RUNNING') return undefined
  return run.typedSearchAttributes.get(searchAttributes.stage) ?? null
}
