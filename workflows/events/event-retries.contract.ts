/** Contract of the retries of an endpoint: ids, messages and activities. Code outside of workflows may import it. */
import { defineSignal } from '@temporalio/workflow'

export const eventRetriesType = 'eventRetries'
export const eventRetriesWorkflowId = (endpointId: string): string => `event-retries-${endpointId}`

export interface EventRetriesInput {
  endpointId: string
}

/** Something is to be tried sooner than was planned: another event has failed, or the endpoint was changed. */
export const lookAgain = defineSignal('look-again')

/** All times are ISO 8601. `asOf` is the workflow's time, by which activities decide. */
export interface EventRetriesActivities {
  /**
   * Tries what is due. An endpoint that has taken nothing for three days is disabled.
   * @returns when something is due next; null when nothing waits for the endpoint any more
   */
  retryEvents(input: { endpointId: string; asOf: string }): Promise<{ nextAt: string | null }>
}
