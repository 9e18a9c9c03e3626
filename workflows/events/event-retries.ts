/**
 * Sends an endpoint what it has not taken at the first attempt, for three days. The run is there only as long as
 * something waits; which events these are, and when each is due, is in the database.
 */
import { condition, continueAsNew, proxyActivities } from '@temporalio/workflow'
import { nothing, onSignal } from '../run/messages.ts'
import { clock, now } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import { showStatusDetails } from '../run/run-status.ts'
import { type EventRetriesActivities, type EventRetriesInput, lookAgain } from './event-retries.contract.ts'

const { retryEvents } = proxyActivities<EventRetriesActivities>({
  ...retry.untilDone,
  // Beside the statements, a receiver may take fifteen seconds for its answer.
  startToCloseTimeout: '1 minute',
})

/** About a dozen events each. */
const roundsPerRun = 200

export async function eventRetries({ endpointId }: EventRetriesInput): Promise<void> {
  let isAsked = false
  onSignal(lookAgain, nothing, () => {
    isAsked = true
  })
  for (let round = 0; round < roundsPerRun; round += 1) {
    isAsked = false
    const { nextAt } = await retryEvents({ endpointId, ...clock() })
    if (nextAt === null) {
      if (isAsked) continue
      return
    }
    const dueAt = new Date(nextAt)
    showStatusDetails({ status: 'failing', waitingFor: 'the endpoint', dueAt })
    await condition(() => isAsked, Math.max(1, dueAt.getTime() - now().getTime()))
  }
  await continueAsNew<typeof eventRetries>({ endpointId })
}
