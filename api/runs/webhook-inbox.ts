/** Takes webhooks in: each event is handled, then recorded, then answered. */
import type { ApiContext } from '../../context.ts'
import { isRecorded, recordEvent, type WebhookEvent } from '../../db/webhook-events.ts'
import { createTurns } from '../../shared/turns.ts'

/** `nothing_to_do`: not worth a row, since to find that out again costs no more than to look the row up. */
export type Handled = 'handled' | 'nothing_to_do'

export type WebhookInbox = ReturnType<typeof createWebhookInbox>

/** A burst of one sender must leave most of the pool's connections to everybody else. */
const eventsAtOnce = 8
/** Stripe waits 20 s for an answer. */
const waitMs = 10_000

/** One for each process. */
export function createWebhookInbox(api: Pick<ApiContext, 'sql' | 'cipher'>) {
  const turns = createTurns({ what: 'a turn among webhooks', atOnce: eventsAtOnce, waitMs })
  const underWay = new Map<string, Promise<void>>()

  async function handleInTurn(event: WebhookEvent, work: () => Promise<Handled>): Promise<void> {
    const giveBack = await turns.take()
    try {
      if (await isRecorded(api, event)) return
      if ((await work()) === 'handled') await recordEvent(api, event, new Date())
    } finally {
      giveBack()
    }
  }

  return {
    /**
     * Resolves when the event's work and its record are both durable, and at once for an event that was recorded before.
     * Copies that come meanwhile share the work and its outcome. When it rejects, the sender has to send again.
     * @param work must be repeatable: a crash before the record, or another process, repeats it
     */
    handle(event: WebhookEvent, work: () => Promise<Handled>): Promise<void> {
      const name = `${event.source} ${event.eventId}`
      const known = underWay.get(name)
      if (known) return known
      const handling = handleInTurn(event, work).finally(() => underWay.delete(name))
      underWay.set(name, handling)
      return handling
    },
  }
}
