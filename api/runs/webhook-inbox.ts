/** Accepts webhooks: each event is handled, then recorded, then answered. */
import type { ApiContext } from '../../context.ts'
import { isHandled, recordEvent, type WebhookEvent } from '../../db/webhook-events.ts'
import { createTurns } from '../../shared/turns.ts'

/** `nothing_to_do` is not recorded: handling the event again costs no more than looking up a record. */
export type Handled = 'handled' | 'nothing_to_do'

export type WebhookInbox = ReturnType<typeof createWebhookInbox>

/** A burst of webhooks must leave most of the pool's connections to other requests. */
const eventsAtOnce = 8
/** Stripe waits 20 s for an answer. */
const waitMs = 10_000

/** Creates the inbox. One process must have only one, which bounds the events that it handles at once. */
export function createWebhookInbox(api: Pick<ApiContext, 'sql' | 'cipher'>) {
  const turns = createTurns({ what: 'a turn among webhooks', atOnce: eventsAtOnce, waitMs })
  const underWay = new Map<string, Promise<void>>()

  async function handleInTurn(event: WebhookEvent, work: () => Promise<Handled>): Promise<void> {
    const release = await turns.take()
    try {
      if (await isHandled(api, event)) return
      if ((await work()) === 'handled') await recordEvent(api, event, new Date())
    } finally {
      release()
    }
  }

  return {
    /**
     * Handles an event unless it was recorded before. Copies of the event that come meanwhile share its outcome.
     * @param work must be repeatable: a crash before the record, or another process, repeats it
     * @returns once the work and its record are both durable; rejects when the sender has to send the event again
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
