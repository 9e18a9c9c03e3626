import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow'
import { type RunStatus, searchAttributes } from '../../shared/search-attributes.ts'

/** Writes the run status to the search attributes and the current details of the run. */
export function showStatus(runStatus: RunStatus): void {
  upsertSearchAttributes([
    { key: searchAttributes.stage, value: runStatus.status },
    { key: searchAttributes.waitingFor, value: runStatus.waitingFor },
    { key: searchAttributes.dueAt, value: runStatus.dueAt },
  ])
  showStatusDetails(runStatus)
}

/** Writes the run status to the current details only, for a run that was started with its search attributes. */
export function showStatusDetails(runStatus: RunStatus): void {
  const until = runStatus.dueAt ? `, until ${runStatus.dueAt.toISOString()} at the latest` : ''
  setCurrentDetails(`**${runStatus.status}**: waits for ${runStatus.waitingFor}${until}`)
}
