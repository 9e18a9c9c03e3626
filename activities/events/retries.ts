/** Attempts after the first one, for three days. */
import type { WorkerContext } from '../../context.ts'
import {
  countAttempts,
  downAfterFailures,
  endRetry,
  listRetries,
  postponeRetry,
  type RetryRow,
  retryAllNow,
  trustAgain,
} from '../../db/events/deliveries.ts'
import { type EndpointRow, findEndpoint } from '../../db/events/endpoints.ts'
import { findEvents } from '../../db/events/events.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { periods } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import type { EventRetriesActivities } from '../../workflows/events/event-retries.contract.ts'
import { disableEndpoint } from './disable-endpoint.ts'
import { nextAttempt, sendEvents } from './send-event.ts'

const batchSize = 10

export function createEventRetriesActivities(context: WorkerContext): EventRetriesActivities {
  const { sql } = context

  return {
    async retryEvents({ endpointId, asOf }) {
      const at = new Date(asOf)
      const endpoint = await findEndpoint(sql, endpointId)
      if (endpoint?.state !== 'enabled') return { nextAt: null }
      const waiting = await listRetries(sql, endpointId)
      if (endpoint.failures >= downAfterFailures) {
        if (endpoint.retry_at && endpoint.retry_at > at) return { nextAt: endpoint.retry_at.toISOString() }
        await tryOne(endpoint, waiting, at)
      } else {
        const due = waiting.filter(({ next_at }) => next_at <= at).slice(0, batchSize)
        if (due.length > 0) await tryEach(endpoint, due, at)
      }
      return { nextAt: await nextOf(endpointId) }
    },
  }

  /** The endpoint is down: one event shows whether it is back. The one tried least, lest one that it refuses hides that. */
  async function tryOne(endpoint: EndpointRow, waiting: readonly RetryRow[], at: Date): Promise<void> {
    const [row] = waiting.toSorted((a, b) => a.attempts - b.attempts)
    const since = new Date(Math.min(...waiting.map(({ first_at }) => first_at.getTime())))
    // What waited was erased: nothing is left to ask with, and the next event will tell.
    if (!row) return trustAgain(sql, endpoint.id)
    const sent = await send(endpoint, [row])
    const retryAt = nextAttempt(endpoint.failures + 1 - downAfterFailures, since, at, sent.pauseMs)
    await countAttempts(sql, endpoint.id, { ...sent, at, retryAt })
    if (sent.delivered.length > 0) {
      await endRetry(sql, row)
      await retryAllNow(sql, endpoint.id, at)
    } else {
      await postponeRetry(sql, row, retryAt)
      if (sent.gone) await disableEndpoint(context, endpoint.id, 'gone', at)
      else if (isOver(since, at) && !hasTakenSince(endpoint, since))
        await disableEndpoint(context, endpoint.id, 'failing', at)
    }
  }

  /** The endpoint takes events, but has not taken these. */
  async function tryEach(endpoint: EndpointRow, due: readonly RetryRow[], at: Date): Promise<void> {
    const sent = await send(endpoint, due)
    const failed = new Set(sent.failed)
    if (sent.gone) return disableEndpoint(context, endpoint.id, 'gone', at)
    const hasTaken = sent.delivered.length > 0
    if (hasTaken) await countAttempts(sql, endpoint.id, { delivered: sent.delivered, failed: [], at, retryAt: at })
    for (const row of due) {
      if (!failed.has(Number(row.position))) await endRetry(sql, row)
      else if (!isOver(row.first_at, at)) {
        await postponeRetry(sql, row, nextAttempt(row.attempts + 1, row.first_at, at, sent.pauseMs))
      } else if (hasTaken || hasTakenSince(endpoint, row.first_at)) {
        await raiseOperatorTask(sql, {
          kind: 'event_not_taken',
          subjectId: endpoint.id,
          detail: sent.code ?? 'unknown',
          at,
        })
        await endRetry(sql, row)
      } else return disableEndpoint(context, endpoint.id, 'failing', at)
    }
  }

  async function send(endpoint: EndpointRow, rows: readonly RetryRow[]) {
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
    if (endpoint.failures >= downAfterFailures) return endpoint.retry_at?.toISOString() ?? null
    const waiting = await listRetries(sql, endpointId)
    return waiting[0]?.next_at.toISOString() ?? null
  }
}

const isOver = (since: Date, at: Date): boolean => plusMs(since, periods.events.retriedForMs) <= at

const hasTakenSince = ({ delivered_at }: EndpointRow, since: Date): boolean =>
  delivered_at !== null && delivered_at > since
