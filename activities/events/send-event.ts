import type { WorkerContext } from '../../context.ts'
import { type EndpointRow, secretsOf } from '../../db/events/endpoints.ts'
import { eventBody, type StreamEvent } from '../../db/events/events.ts'
import { periods } from '../../policy/periods.ts'
import type { DeliveryOutcome } from '../../providers/event-receiver.ts'
import { plusMs } from '../../shared/calendar.ts'

/** The result of sending some events to one endpoint. */
export interface Sent {
  delivered: number[]
  failed: number[]
  /** how many of the failed ones it refuses, and answers */
  refused: number
  code: string | undefined
  gone: boolean
  /** the longest pause that the endpoint has asked for, within bounds */
  pauseMs: number
}

/** Sends events to an endpoint, all at the same time. Each failure is an outcome, too. */
export async function sendEvents(
  context: WorkerContext,
  endpoint: EndpointRow,
  events: readonly StreamEvent[],
): Promise<Sent> {
  const { sql, eventReceivers, metrics } = context
  const at = new Date()
  const secrets = await secretsOf(sql, context, endpoint, at)
  const outcomes = await Promise.all(
    events.map((event) => {
      const body = JSON.stringify(eventBody(event))
      return eventReceivers.deliver({ id: event.id, url: endpoint.url, body, secrets, at })
    }),
  )
  const sent: Sent = { delivered: [], failed: [], refused: 0, code: undefined, gone: false, pauseMs: 0 }
  outcomes.forEach((outcome, index) => {
    add(sent, outcome, events[index]?.position ?? 0)
    metrics.eventDeliveries.inc({ outcome: outcome.delivered ? 'delivered' : 'failed' })
  })
  return sent
}

function add(sent: Sent, outcome: DeliveryOutcome, position: number): void {
  if (outcome.delivered) {
    sent.delivered.push(position)
    return
  }
  sent.failed.push(position)
  sent.code = outcome.code
  if (outcome.refused) sent.refused += 1
  sent.gone ||= outcome.gone
  sent.pauseMs = Math.max(sent.pauseMs, Math.min(outcome.retryAfterMs ?? 0, periods.events.longestPauseMs))
}

/** How long to wait after so many attempts. */
function retryDelayMs(attempts: number): number {
  const { retryAfterMs } = periods.events
  return retryAfterMs[Math.min(attempts, retryAfterMs.length) - 1] ?? retryAfterMs[0]
}

/** When to try again. The last attempt comes at the end of the three days, not some hours later. */
export function nextAttempt(attempts: number, firstAt: Date, at: Date, pauseMs = 0): Date {
  const next = plusMs(at, Math.max(retryDelayMs(Math.max(1, attempts)), pauseMs))
  const end = plusMs(firstAt, periods.events.retriedForMs)
  return next > end && end > at ? end : next
}
