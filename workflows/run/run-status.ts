import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow'
import { type RunStatus, searchAttributes } from '../../shared/search-attributes.ts'

/** Says where the run stands in its search attributes and current details: an operator never has to read code to know. */
export function showStatus(standing: RunStatus): void {
  upsertSearchAttributes([
    { key: searchAttributes.status, value: standing.status },
    { key: searchAttributes.waitingFor, value: standing.waitingFor },
    { key: searchAttributes.dueAt, value: standing.dueAt },
  ])
  showStatusDetails(standing)
}

/** The same in current details only, where the starter has set the search attributes already. */
export function showStatusDetails(standing: RunStatus): void {
  const until = standing.dueAt ? `, until ${standing.dueAt.toISOString()} at the latest` : ''
  setCurrentDetails(`**${standing.status}**: waits for ${standing.waitingFor}${until}`)
}
