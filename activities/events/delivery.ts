/**
 * The first attempt of each event at each endpoint. It is made by the worker's own loop, since a run would cost events.
 */
import type { WorkerContext } from '../../context.ts'
import { downAfterFailures, lastPosition, recordFirstAttempts } from '../../db/events/deliveries.ts'
import type { EndpointRow } from '../../db/events/endpoints.ts'
import { listEvents, numberEvents } from '../../db/events/events.ts'
import { plusMs } from '../../shared/calendar.ts'
import { startRetries } from '../../temporal/event-retries.ts'
import { disableEndpoint } from './disable-endpoint.ts'
import { nextAttempt, sendEvents } from './send-event.ts'

/** Sent at the same time; a receiver that needs their order has the events' times. */
const batchSize = 10
/** longer than a batch takes: a killed worker's endpoints are claimed by others after this time */
export const claimMs = 30_000

/**
 * Sends an endpoint its next events. Events that the endpoint does not take are left to a run.
 * @returns the endpoint as it is now; undefined when it has nothing to get, or can get nothing for now
 */
export async function deliverNext(context: WorkerContext, endpoint: EndpointRow): Promise<EndpointRow | undefined> {
  const { sql } = context
  await numberEvents(sql)
  // Before the list is read: what is numbered meanwhile lies behind it.
  const end = await lastPosition(sql)
  const after = Number(endpoint.position)
  const types = endpoint.types ?? undefined
  const events = await listEvents(sql, context, { after, types, limit: batchSize, endpointId: endpoint.id })
  const isLast = events.length < batchSize
  if (events.length === 0 && after >= end) return undefined
  const sent = await sendEvents(context, endpoint, events)
  const at = new Date()
  const last = events.at(-1)?.position ?? after
  const next = await recordFirstAttempts(sql, endpoint, {
    ...sent,
    upTo: isLast ? Math.max(last, end) : last,
    at,
    retryAt: nextAttempt(1, at, at, sent.pauseMs),
    pausedUntil: sent.pauseMs > 0 ? plusMs(at, sent.pauseMs) : undefined,
    claimedUntil: plusMs(at, claimMs),
  })
  if (sent.gone) {
    await disableEndpoint(context, endpoint.id, 'gone', at)
    return undefined
  }
  if (sent.failed.length > 0) await startRetries(context, endpoint.id)
  return next && next.failures < downAfterFailures ? next : undefined
}
