import { workflowInfo } from '@temporalio/workflow'

/**
 * Whether an operator has reset this run: it has an id of its own then, and the first event of the run that it goes on
 * from. Only the input of an activity may depend on it: a replay takes each run for one that was not reset.
 */
export function wasReset(): boolean {
  const { runId, firstExecutionRunId } = workflowInfo()
  return runId !== firstExecutionRunId
}
