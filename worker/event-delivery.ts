/**
 * The loop that sends events to endpoints as they come. A database row, not Temporal, says which worker sends to which
 * endpoint: one that is killed loses its claims after half a minute, and what it had not recorded is sent again.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { claimMs, deliverNext } from '../activities/events/delivery.ts'
import type { WorkerContext } from '../context.ts'
import { claimEndpoint, endpointsBehind, forgottenRetries, releaseEndpoint } from '../db/events/deliveries.ts'
import { plusMs } from '../shared/calendar.ts'
import { startRetries } from '../temporal/event-retries.ts'

/** An app waits for its eSIM: a delivery is late by this much at most. One query while there is nothing to send. */
const everyMs = 1_000
/** A run repeats what was not taken. It is started again when it is late by this: its start may have been lost. */
const forgottenAfterMs = 120_000
const searchEveryMs = 60_000

export interface EventDelivery {
  /** Ends the loop once the deliveries under way have ended. Never rejects. */
  stop(): Promise<void>
}

/** Starts the loop. While the database or Temporal does not answer, it goes on trying. */
export function startEventDelivery(context: WorkerContext): EventDelivery {
  const { sql, log } = context
  const stopping = new AbortController()
  const { signal } = stopping
  const sending = new Map<string, Promise<void>>()
  let failures = 0
  let searchedAt = 0

  /** Endpoints do not wait for each other: one that takes fifteen seconds for each answer delays its own events only. */
  async function beginSending(): Promise<void> {
    const at = new Date()
    for (const id of await endpointsBehind(sql, at)) {
      if (!sending.has(id))
        sending.set(
          id,
          send(id).finally(() => sending.delete(id)),
        )
    }
    if (at.getTime() < searchedAt + searchEveryMs) return
    searchedAt = at.getTime()
    for (const id of await forgottenRetries(sql, plusMs(at, -forgottenAfterMs))) await startRetries(context, id)
  }

  async function send(id: string): Promise<void> {
    try {
      const at = new Date()
      let endpoint = await claimEndpoint(sql, id, { at, until: plusMs(at, claimMs) })
      if (!endpoint) return
      while (endpoint && !signal.aborted) endpoint = await deliverNext(context, endpoint)
      await releaseEndpoint(sql, id)
    } catch (error) {
      log.warn({ error, endpoint: id }, 'events could not be sent; the claim ends by itself')
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await beginSending()
        failures = 0
      } catch (error) {
        failures += 1
        if (failures === 1) log.warn({ error }, 'events cannot be sent for now')
      }
      await pause(everyMs, undefined, { signal }).catch(() => undefined)
    }
    await Promise.all(sending.values())
  }

  const ended = run()
  return {
    async stop() {
      stopping.abort()
      await ended
    },
  }
}
