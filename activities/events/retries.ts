/** Attempts after the first one, for three days. */
import type { WorkerContext } from '../../context.ts'
import {
  countAttempts,
  downAfterFailures,
  dueRetries,
  endRetry,
  leastTriedRetry,
  postponeRetry,
  queueNext,
  type RetryRow,
  retryAllNow,
  retryTimes,
  trustAgain,
} from '../../db/events/deliveries.ts'
import { type EndpointRow, findEndpoint } from '../../db/events/endpoints.ts'
import { findEvents } from '../../db/events/events.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { periods } from '../../policy/periods.ts'
import { isoOrNull, plusMs } from '../../shared/calendar.ts'
import type { EventRetriesActivities } from '../../workflows/events/event-retries.contract.ts'
import { disableEndpoint } from './disable-endpoint.ts'
import { nextAttempt, type Sent, sendEvents } from './send-event.ts'

const batchSize = 10

export function createEventRetriesActivities(context: WorkerContext): EventRetriesActivities {
  const { sql } = context

  return {
    async retryEvents({ endpointId, asOf }) {
      const at = new Date(asOf)
      const endpoint = await findEndpoint(sql, endpointId)
      if (endpoint?.state !== 'enabled') return { nextAt: null }
      if (endpoint.failures >= downAfterFailures) {
        if (endpoint.retry_at && endpoint.retry_at > at) return { nextAt: endpoint.retry_at.toISOString() }
        await tryOne(endpoint, at)
      } else {
        const due = await dueRetries(sql, endpointId, { at, limit: batchSize })
        if (due.length > 0) await tryEach(endpoint, due, at)
      }
      return { nextAt: await nextOf(endpointId) }
    },
  }

  /** Tries one event at an endpoint that is down: its answer shows whether the endpoint is back. */
  async function tryOne(endpoint: EndpointRow, at: Date): Promise<void> {
    await queueNext(sql, context, endpoint.id, at)
    const row = await leastTriedRetry(sql, endpoint.id)
    // The events that waited were erased, so no event is left to try with: the endpoint counts as back until the next
    // event fails.
    if (!row) return trustAgain(sql, endpoint.id)
    const sent = await send(endpoint, [row])
    const since = (await retryTimes(sql, endpoint.id)).since ?? row.first_at
    const retryAt = nextAttempt(endpoint.failures + 1 - downAfterFailures, since, at, sent.pauseMs)
    await countAttempts(sql, endpoint.id, { ...sent, at, retryAt })
    if (sent.delivered.length > 0) {
      await endRetry(sql, row)
      await retryAllNow(sql, endpoint.id, at)
    } else if (sent.gone) await disableEndpoint(context, endpoint.id, 'gone', at)
    else if ([since, row.first_at].some((time) => isOver(time, at) && !hasTakenSince(endpoint, time)))
      await disableEndpoint(context, endpoint.id, 'failing', at)
    else if (isOver(row.first_at, at)) await giveUp(endpoint, row, sent, at)
    else {
      // The endpoint is up again, though it refuses this event.
      if (sent.refused > 0) await retryAllNow(sql, endpoint.id, at)
      await postponeRetry(sql, row, retryAt)
    }
  }

  /** Tries the events that are due at an endpoint that is up. */
  async function tryEach(endpoint: EndpointRow, due: readonly RetryRow[], at: Date): Promise<void> {
    const sent = await send(endpoint, due)
    const pausedUntil = sent.pauseMs > 0 ? plusMs(at, sent.pauseMs) : undefined
    await countAttempts(sql, endpoint.id, { ...sent, pausedUntil, at, retryAt: nextAttempt(1, at, at) })
    if (sent.gone) return disableEndpoint(context, endpoint.id, 'gone', at)
    const failed = new Set(sent.failed)
    const hasTaken = sent.delivered.length > 0
    for (const row of due) {
      if (!failed.has(Number(row.position))) await endRetry(sql, row)
      else if (!isOver(row.first_at, at)) {
        await postponeRetry(sql, row, nextAttempt(row.attempts + 1, row.first_at, at, sent.pauseMs))
      } else if (hasTaken || hasTakenSince(endpoint, row.first_at)) await giveUp(endpoint, row, sent, at)
      else return disableEndpoint(context, endpoint.id, 'failing', at)
    }
  }

  /** Gives an event up: the endpoint has taken other events meanwhile, and will not take this one. */
  async function giveUp(endpoint: EndpointRow, row: RetryRow, { code }: Sent, at: Date): Promise<void> {
    const detail = code ?? 'unknown'
    await raiseOperatorTask(sql, { kind: 'event_not_taken', subjectId: endpoint.id, detail, at })
    await endRetry(sql, row)
  }

  async function send(endpoint: EndpointRow, rows: readonly RetryRow[]): Promise<Sent> {
    const events = await findEvents(
      sql,
      context,
      rows.map(({ position }) => Number(position)),
    )
    return sendEvents(context, endpoint, events)
  }

  async function nextOf(endpointId: string): Promise<string | null> {
    const endpoint = await findEndpoint(sql, endpointId)
    if (endpoint?.state !== 'enabled') return null
    if (endpoint.failures >= downAfterFailures) return isoOrNull(endpoint.retry_at)
    return isoOrNull((await retryTimes(sql, endpointId)).nextAt)
  }
}

const isOver = (since: Date, at: Date): boolean => plusMs(since, periods.events.retriedForMs) <= at

const hasTakenSince = ({ delivered_at }: EndpointRow, since: Date): boolean =>
  delivered_at !== null && delivered_at > since
