import type { Client } from '@temporalio/client'
import { searchAttributes } from '../shared/search-attributes.ts'

/** Closed runs are kept so long: a failure of Friday can be looked at on Monday. */
export const defaultRetentionDays = 7

const { stage, waitingFor, dueAt, accountRef } = searchAttributes

/** Names every search attribute: a server that lacks one, or the namespace, refuses the query. It matches nothing. */
const everyAttribute = [
  `${stage.name} = 'none'`,
  `${waitingFor.name} = 'none'`,
  `${accountRef.name} = 'none'`,
  `${dueAt.name} < '1970-01-02T00:00:00Z'`,
].join(' AND ')

/**
 * Asks Temporal for runs by each of our search attributes. An operator service would list them, but hosted clusters do
 * not offer it.
 * @throws ServiceError when Temporal does not answer within the time, or lacks the namespace or an attribute
 */
export async function assertTemporalReady(temporal: Client, withinMs: number): Promise<void> {
  // A deadline, not a race: an abandoned call would retry, and crash a process that has closed the connection.
  await temporal.withDeadline(Date.now() + withinMs, () => temporal.workflow.count(everyAttribute))
}
