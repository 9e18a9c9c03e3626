import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import { searchAttributes } from '../shared/search-attributes.ts'

/**
 * The status that an open run shows, as its history has it: what a workflow task has done that is lost is not in it.
 * @returns undefined when no such run is open; null for a run that has not shown one
 */
export async function stageOf(temporal: Client, workflowId: string): Promise<string | null | undefined> {
  try {
    const { status, typedSearchAttributes } = await temporal.workflow.getHandle(workflowId).describe()
    return status.name === 'RUNNING' ? (typedSearchAttributes.get(searchAttributes.stage) ?? null) : undefined
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined
    throw error
  }
}
