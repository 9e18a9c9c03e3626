import type { Client } from '@temporalio/client'
import type { Config } from '../config.ts'
import { initialSearchAttributes } from '../shared/search-attributes.ts'
import { eventRetriesType, eventRetriesWorkflowId, lookAgain } from '../workflows/events/event-retries.contract.ts'
import { signalWithStart } from './runs.ts'

/** Has a run retry the events that wait for an endpoint: the open run, or a new one. Repeatable. */
export async function startRetries(
  { temporal, config }: { temporal: Client; config: Pick<Config, 'TEMPORAL_TASK_QUEUE'> },
  endpointId: string,
): Promise<void> {
  const run = {
    type: eventRetriesType,
    workflowId: eventRetriesWorkflowId(endpointId),
    taskQueue: config.TEMPORAL_TASK_QUEUE,
    args: [{ endpointId }],
    typedSearchAttributes: initialSearchAttributes({ status: 'failing', waitingFor: 'the endpoint', dueAt: null }),
    staticSummary: 'Retries of events',
  }
  await signalWithStart(temporal, run, lookAgain)
}
